"""The agenda: open follow-ups and planned activities, one's own or those of all clients that one sees."""

import csv
import io
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.spreadsheets import safe
from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.dashboard.activity_page import due_words
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer
from bellwether.portfolio.activity_fields import TYPES
from bellwether.portfolio.agenda import Item, Kind, Phase, by_phase, phase_of
from bellwether.portfolio.follow_ups import MOST_OPEN, AgendaQuery, agenda, counts, due_count, owners
from bellwether.staff import audit
from bellwether.staff.models import Role, StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.formatting import clock, day

PHASES = {
    Phase.OVERDUE: "Overdue",
    Phase.TODAY: "Today",
    Phase.THIS_WEEK: "This week",
    Phase.LATER: "Later",
    Phase.DONE: "Done lately",
}
KINDS = {"": "Everything", Kind.FOLLOW_UP.value: "Follow-ups", Kind.PLANNED.value: "Planned"}
CSV_COLUMNS = (
    "kind",
    "due_on",
    "state",
    "client",
    "what",
    "about",
    "activity_type",
    "with",
    "owner",
    "remind_on",
    "done_at",
)


@dataclass(frozen=True)
class Asked:
    """What the address asks for; `phase` None shows all."""

    query: AgendaQuery
    phase: Phase | None
    address: Address

    @property
    def filtered(self) -> bool:
        """Whether something is narrowed beyond whose items they are."""
        query = self.query
        return bool(self.phase or query.kind or query.owner_id or query.search)


@dataclass(frozen=True)
class Row:
    """An item as the page shows it."""

    item: Item
    icon: str
    due: str
    status: str
    when: str
    done: bool


def default_mine(user: StaffUser) -> bool:
    """Return whether the page opens with the reader's own items: not for those who look after everybody's."""
    return not user.sees_all_clients


def read_asked(values: QueryDict, user: StaffUser) -> Asked:
    """Return what the address asks for; what cannot be used is left out."""
    whose = values.get("whose", "")
    mine = whose == "mine" if whose in {"mine", "all"} else default_mine(user)
    kind = next((one for one in Kind if one.value == values.get("kind")), None)
    phase = next((one for one in Phase if one.value == values.get("when")), None)
    owner_id = None
    if not mine:
        with suppress(ValueError):
            owner_id = UUID(values.get("person", ""))
    search = " ".join(storable_text(values.get("search", ""), 200).split())
    query = {
        "whose": "" if mine == default_mine(user) else ("mine" if mine else "all"),
        "when": phase.value if phase else "",
        "kind": kind.value if kind else "",
        "person": str(owner_id or ""),
        "search": search,
    }
    return Asked(AgendaQuery(mine, kind, owner_id, None, search), phase, Address(reverse("follow_ups"), query))


@require_GET
@login_required
def follow_ups(request: HttpRequest) -> HttpResponse:
    """Show what is due, by when."""
    user, now = cast(StaffUser, request.user), timezone.now()
    zone, today = zone_of(user), day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    asked = read_asked(request.GET, user)
    items = agenda(user, asked.query, now=now, done=asked.phase in {None, Phase.DONE})
    held = by_phase(items, today)
    numbers = counts(user, asked.query, today=today)
    shown = [phase for phase in PHASES if asked.phase in {None, phase}]
    groups = [
        (PHASES[phase], phase.value, [make_row(item, now, today, zone) for item in held[phase]])
        for phase in shown
        if held[phase]
    ]
    values: dict[str, Any] = {
        "asked": asked,
        "groups": groups,
        "subtitle": _subtitle(numbers),
        "tabs": _tabs(asked, numbers),
        "whose": [
            (text, asked.address.with_(whose=word, person=None), mine == asked.query.mine)
            for word, text, mine in _whose(user)
        ],
        "kinds": [(text, word, word == (asked.query.kind or "")) for word, text in KINDS.items()],
        "people": [] if asked.query.mine else owners(user),
        "cut": sum(numbers.values()) > MOST_OPEN and len(items) >= MOST_OPEN,
        "most": MOST_OPEN,
        "clear": Address(reverse("follow_ups"), {"whose": asked.address.query["whose"]}).with_(),
        "export": Address(reverse("follow_ups_export"), asked.address.query).with_(),
        "nothing_at_all": not asked.filtered and not items,
    }
    detail = {"count": len(items), "mine": asked.query.mine}
    audit.record(actor=user, action="follow_up.list", object_type="activity", detail=detail, now=now)
    return answer(request, "dashboard/follow_ups.html", values)


def _whose(user: StaffUser) -> list[tuple[str, str, bool]]:
    rest = "Everyone" if user.sees_all_clients else "My team" if user.role == Role.SENIOR_CSM else "All my clients"
    return [("mine", "Mine", True), ("all", rest, False)]


def _subtitle(numbers: dict[Phase, int]) -> str:
    parts = [
        f"{numbers[phase]:,} {word}"
        for phase, word in ((Phase.OVERDUE, "overdue"), (Phase.TODAY, "due today"), (Phase.THIS_WEEK, "this week"))
        if numbers[phase]
    ]
    return (", ".join(parts) or "Nothing is due this week") + "."


def _tabs(asked: Asked, numbers: dict[Phase, int]) -> list[tuple[str, int | None, str, bool]]:
    total: int | None = sum(numbers.values())
    return [
        ("All", total, asked.address.with_(when=None), asked.phase is None),
        *(
            (text, numbers.get(phase), asked.address.with_(when=phase.value), asked.phase is phase)
            for phase, text in PHASES.items()
        ),
    ]


def make_row(item: Item, now: datetime, today: date, zone: ZoneInfo) -> Row:
    """Return an item as pages show it, times in `zone`."""
    phase = phase_of(item, today)
    if item.done_at is not None:
        done_on = day_of(item.done_at, zone)
        return Row(item, TYPES[item.activity_type].icon, f"Done {day(done_on, today)}", "healthy", "", True)
    status = {Phase.OVERDUE: "critical", Phase.TODAY: "monitor"}.get(phase, "")
    when = clock(item.at, zone) if item.at else ""
    symbol = TYPES[item.activity_type].icon if item.kind is Kind.PLANNED else "list-checks"
    return Row(item, symbol, due_words(item.on, today), status, when, False)


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return what the page shows as a CSV file."""
    user, now = cast(StaffUser, request.user), timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    asked = read_asked(request.GET, user)
    held = by_phase(agenda(user, asked.query, now=now), today)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(CSV_COLUMNS)
    rows = [(phase, item) for phase in PHASES if asked.phase in {None, phase} for item in held[phase]]
    for phase, item in rows:
        writer.writerow(_cells(phase, item))
    audit.record(actor=user, action="follow_up.export", object_type="activity", detail={"count": len(rows)}, now=now)
    response = HttpResponse(buffer.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="follow-ups-{today.isoformat()}.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _cells(phase: Phase, item: Item) -> list[object]:
    return [
        item.kind.value,
        item.on,
        phase.value,
        safe(item.client_name),
        safe(item.what),
        safe(item.about),
        item.activity_type,
        safe(item.contact),
        safe(item.owner),
        item.remind_on,
        item.done_at.isoformat() if item.done_at else None,
    ]


def due(request: HttpRequest) -> dict[str, Any]:
    """Return for the frame of every page how many of the reader's items are due; asked for when the rail is drawn."""

    def follow_ups_due() -> int:
        user = getattr(request, "user", None)
        if not isinstance(user, StaffUser):
            return 0
        return due_count(user, today=day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE))

    return {"follow_ups_due": follow_ups_due}
