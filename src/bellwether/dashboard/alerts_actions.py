"""What readers do with alerts on the page: one or several at once, by a button or a form."""

from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from bellwether.alerts import handling
from bellwether.alerts import selectors as read
from bellwether.alerts.models import Alert
from bellwether.alerts.snoozing import CHOICES, snooze_until
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.dashboard.alerts_detail import LOG_TYPES
from bellwether.portfolio import activities
from bellwether.portfolio.activity_drafts import ActivityDraft
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import done, show_form

FORMS = {"snooze": "Snooze", "resolve": "Resolve", "dismiss": "Dismiss", "assign": "Assign"}
ACTIONS = ("acknowledge", "reopen", *FORMS)
LONGEST_SUBJECT = 120
MOST_PEOPLE = 200


@require_http_methods(["GET", "POST"])
@login_required
def act(request: HttpRequest, alert_id: UUID, action: str) -> HttpResponse:
    """Do something with one alert, or show the form that asks for what it needs."""
    user, now = cast(StaffUser, request.user), timezone.now()
    if action not in ACTIONS:
        raise Http404
    alert = read.find(user, alert_id)
    if request.method == "GET":
        if action not in FORMS:
            raise Http404
        return _form(request, user, [alert], action, now)
    return _do(request, user, [alert], action, now, reverse("alert", args=[alert.pk]))


@require_http_methods(["GET", "POST"])
@login_required
def act_on_many(request: HttpRequest) -> HttpResponse:
    """Do the same with several alerts; for what needs a word more, show the form first."""
    user, now = cast(StaffUser, request.user), timezone.now()
    values = request.POST if request.method == "POST" else request.GET
    action, _, until = values.get("action", "").partition(":")
    back = reverse("alerts")
    if action not in ACTIONS:
        raise Http404
    ids = []
    for text in values.getlist("ids"):
        with suppress(ValueError):
            ids.append(UUID(text))
    if not ids:
        return done(request, back, "Choose alerts first.", failed=True)
    chosen = read.chosen(user, ids[: handling.MOST_AT_ONCE + 1])
    if action == "assign" and "assigned_to" not in values:
        return _form(request, user, chosen, action, now)
    return _do(request, user, chosen, action, now, back, until=until)


def _do(
    request: HttpRequest,
    user: StaffUser,
    alerts: list[Alert],
    action: str,
    now: datetime,
    back: str,
    *,
    until: str = "",
) -> HttpResponse:
    try:
        made = _made(request, user, alerts, action, now, until)
    except InvalidInputError as error:
        return _form(request, user, alerts, action, now, errors=error.errors or {"": str(error)})
    except ConflictError as error:
        return done(request, back, str(error), failed=True)
    text = f"{made.change.summary}." if made.change else "Nothing was changed."
    if made.left:
        text += f" {len(made.left)} left as they are: {made.left[0]}"
    return done(request, back, text, undo=made.change.pk if made.change else None)


def _made(
    request: HttpRequest, user: StaffUser, alerts: list[Alert], action: str, now: datetime, until: str
) -> handling.Handled:
    given = request.POST
    if action == "acknowledge":
        return handling.acknowledge(alerts, user, now)
    if action == "reopen":
        return handling.reopen(alerts, user, now)
    if action == "dismiss":
        return handling.dismiss(alerts, user, now, reason=given.get("reason", ""))
    if action == "resolve":
        return handling.resolve(alerts, user, now, note=given.get("resolution_notes", ""))
    if action == "assign":
        return handling.assign(alerts, _assignee(user, given.get("assigned_to", "")), user, now)
    word = until or given.get("until", "")
    if word == "own":
        word = given.get("time", "")
    return handling.snooze(alerts, snooze_until(word, now, zone_of(user)), user, now)


def _assignee(user: StaffUser, text: str) -> StaffUser | None:
    if not text:
        return None
    with suppress(ValueError):
        found = StaffUser.objects.filter(pk=UUID(text), is_active=True).first()
        if found is not None:
            return found
    raise InvalidInputError("Nobody has this id.", {"assigned_to": "Choose somebody from the list."})


def _form(
    request: HttpRequest,
    user: StaffUser,
    alerts: list[Alert],
    action: str,
    now: datetime,
    *,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    one = alerts[0] if len(alerts) == 1 else None
    zone = zone_of(user)
    tomorrow = snooze_until("day", now, zone).astimezone(zone)
    values: dict[str, Any] = {
        "action": reverse("alert_act", args=[one.pk, action]) if one else reverse("alerts_act"),
        "what": action,
        "heading": FORMS[action],
        "alerts": alerts,
        "one": one,
        "errors": errors or {},
        "snoozes": CHOICES,
        "time": request.POST.get("time") or f"{tomorrow:%Y-%m-%dT%H:%M}",
        "until": request.POST.get("until", "day"),
        "text": request.POST.get("reason") or request.POST.get("resolution_notes") or "",
        "zone_name": str(zone),
        "people": _people(user, alerts) if action == "assign" else [],
        "chosen": str(one.assigned_to_id or user.pk) if one else str(user.pk),
    }
    return show_form(request, "dashboard/alerts_form.html", values, invalid=bool(errors))


def _people(user: StaffUser, alerts: list[Alert]) -> list[tuple[str, str]]:
    """Return active colleagues who may see the clients of the alerts, the reader first."""
    wanted = {alert.client_id for alert in alerts}
    everybody = StaffUser.objects.filter(is_active=True).select_related("team").order_by("first_name", "last_name")
    clients = list(Client.objects.filter(pk__in=wanted).select_related("csm_user"))
    able = [
        one for one in everybody[:MOST_PEOPLE] if one.pk == user.pk or all(_sees(one, client) for client in clients)
    ]
    return [(str(one.pk), one.name) for one in sorted(able, key=lambda one: one.pk != user.pk)]


def _sees(person: StaffUser, client: Client) -> bool:
    if person.sees_all_clients or client.csm_user_id == person.pk or client.ae_user_id == person.pk:
        return True
    csm = client.csm_user
    return bool(person.role == "SENIOR_CSM" and person.team_id and csm and csm.team_id == person.team_id)


@require_POST
@login_required
def log(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Write down what the reader did about an alert; that takes the alert on."""
    user, now = cast(StaffUser, request.user), timezone.now()
    alert = read.find(user, alert_id)
    back = reverse("alert", args=[alert.pk])
    kind = request.POST.get("activity_type", "")
    text = storable_text(request.POST.get("text", ""), 20_000).strip()
    if kind not in LOG_TYPES:
        return done(request, back, "Choose what you did.", failed=True)
    key = None
    with suppress(ValueError):
        key = UUID(request.POST.get("key", ""))
    first = text.splitlines()[0] if text else ""
    subject = first if len(first) <= LONGEST_SUBJECT else f"{LOG_TYPES[kind][1]}: {alert.title}"[:LONGEST_SUBJECT]
    draft = ActivityDraft(
        activity_type=kind,
        subject=subject or f"{LOG_TYPES[kind][1]}: {alert.title}"[:LONGEST_SUBJECT],
        description="" if text == first and subject == first else text,
        occurred_at=now,
    )
    try:
        made = activities.log(user, alert.client, draft, now=now, key=key, origin=f"alert:{alert.pk}")
    except (InvalidInputError, ConflictError) as error:
        return done(request, back, str(error), failed=True)
    taken_on = made.change is not None and made.change.entries.filter(model="alerts.alert").exists()
    said = f"{made.change.summary}" if made.change else "Logged"
    text = f"{said}, and the alert is taken on." if taken_on else f"{said}."
    return done(request, back, text, undo=made.change.pk if made.change else None)
