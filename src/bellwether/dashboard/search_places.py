"""Pages and actions that the command palette offers, and the keys that lead to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from bellwether.dashboard.homes import other_systems
from bellwether.portfolio.models import Client
from bellwether.portfolio.search_words import found_in
from bellwether.staff.models import StaffUser


def _everybody(user: StaffUser) -> bool:
    return True


def _sees_all(user: StaffUser) -> bool:
    return user.sees_all_clients


@dataclass(frozen=True)
class Place:
    """A page or an action: the name of its address, its text, more words that find it, its key after G, who may."""

    name: str
    text: str
    icon: str
    words: str = ""
    key: str = ""
    may: Callable[[StaffUser], bool] = _everybody
    dialog: bool = False


PAGES = (
    Place("portfolio", "Portfolio", "layout-list", "clients list home", "p"),
    Place("alerts", "Alerts", "inbox", "notifications warnings open risk", "a"),
    Place("follow_ups", "Follow-ups", "list-todo", "due tasks agenda planned", "f"),
    Place("playbooks", "Playbooks", "list-checks", "automation steps hold-out uplift effect", "y"),
    Place("playbook_tasks", "Approvals and tasks", "mail-check", "playbooks messages to approve due"),
    Place("interventions", "Intervention history", "history", "playbooks outcomes done sent"),
    Place("message_templates", "Message templates", "mail", "playbooks e-mail text"),
    Place("executive", "Executive summary", "chart-column", "vp report figures arr", "e"),
    Place("renewals", "Renewals", "calendar-clock", "calendar contracts ending", "r"),
    Place("churn", "Churn risk", "trending-down", "leave prediction probability forecast expected loss", "x"),
    Place("milestones", "Milestones", "trophy", "celebrate first login", "m"),
    Place("benchmarks", "Benchmarks", "align-horizontal-distribute-center", "peers percentile compare", "b"),
    Place("scorecard", "Health score", "sliders-horizontal", "weights configuration scorecard", "h"),
    Place("console", "Console", "gauge", "operations", "c"),
    Place("suppliers", "Suppliers", "store", "", "u"),
    Place("notifications", "Notifications", "bell", "inbox news", "n"),
    Place("help", "Help: what figures mean", "circle-question-mark", "explain glossary formulas"),
    Place("imports", "Imports", "upload", "csv upload data excel paste", "i", _sees_all),
    Place("data", "Data", "database", "quality sources pipeline", "d", _sees_all),
    Place("settings_you", "Your settings", "settings", "time zone theme digest preferences", "s"),
    Place("settings_notifications", "Notification settings", "bell-ring", "settings"),
    Place("settings_features", "Features", "settings", "settings catalogue"),
    Place("settings_measures", "Custom measures", "settings", "settings"),
    Place("settings_webhooks", "Webhooks", "webhook", "settings integrations", "", _sees_all),
    Place("account_change_password", "Change password", "key-round", "security account"),
)
ACTIONS = (
    Place("activity_new", "Log an activity", "square-pen", "call e-mail meeting write down", dialog=True),
    Place("imports", "Import records", "upload", "csv excel upload", "", _sees_all),
    Place("portfolio_export", "Export the portfolio (CSV)", "download", "download list clients"),
    Place("shortcuts", "Keyboard shortcuts", "keyboard", "keys help", dialog=True),
)
OF_CLIENT = (
    Place("client_activity_new", "Log activity", "square-pen", "call e-mail meeting write down", dialog=True),
    Place("client_schedule", "Schedule call", "calendar-plus", "plan meeting", dialog=True),
    Place("playbook_start", "Start a playbook", "list-checks", "enrol intervention", dialog=True),
    Place("client_timeline", "Open the timeline", "history", "activities history"),
    Place("client_contacts", "Open contacts", "contact-round", "people stakeholders"),
    Place("client_contract", "Open the contract", "file-text", "terms renewal"),
    Place("client_notes", "Open notes", "sticky-note", ""),
    Place("client_timeline_pdf", "Export the timeline (PDF)", "download", "print document qbr"),
)


@dataclass(frozen=True)
class Found:
    """A place with its address."""

    place: Place
    href: str


def address_of(name: str, client: Client | None = None) -> str:
    """Return the address of a page; empty where this installation has none."""
    if name == "client_schedule" and client:
        return f"{reverse('client_activity_new', args=[client.pk])}?type=CALL&schedule=1"
    if name == "client_timeline_pdf" and client:
        return reverse("client_timeline_export", args=[client.pk, "pdf"])
    try:
        return reverse(name, args=[client.pk] if client else [])
    except NoReverseMatch:
        return ""


def places(
    offered: Sequence[Place],
    user: StaffUser,
    *,
    words: Sequence[str] = (),
    client: Client | None = None,
    shown: Callable[[str], bool] = lambda name: True,
) -> list[Found]:
    """Return the places that there are here, that the user may open and that have all `words`."""
    found = []
    for place in offered:
        if not place.may(user) or not shown(place.name) or (words and not found_in(_text(place, client), words)):
            continue
        href = address_of(place.name, client)
        if href:
            found.append(Found(place, href))
    return found


def _text(place: Place, client: Client | None) -> str:
    return f"{place.text} {place.words} {client.name if client else ''}"


def in_use(request: HttpRequest) -> Callable[[str], bool]:
    """Return whether a page of the other systems is in use here; the two are looked up once."""
    frame = other_systems(request)
    checks = {"console": frame["with_console"], "suppliers": frame["with_suppliers"]}
    known: dict[str, bool] = {}

    def shown(name: str) -> bool:
        if name in checks and name not in known:
            known[name] = checks[name]()
        return known.get(name, True)

    return shown


def palette(request: HttpRequest) -> dict[str, Any]:
    """Return for the frame of every page the addresses that keys after G lead to."""

    def goes() -> dict[str, str]:
        user: Any = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return {}
        return {one.place.key: one.href for one in places(PAGES, user) if one.place.key}

    return {"goes": goes}
