"""One playbook: what it does, whether it works, who is enrolled, its versions, and starting, pausing and archiving."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.interventions_view import row_of
from bellwether.dashboard.playbooks_dry import DryView, dry_view, prospect_lines
from bellwether.dashboard.playbooks_effect import effect_of_one
from bellwether.dashboard.playbooks_view import differences, foot, read_definition, step_lines, told
from bellwether.playbooks import selectors as read
from bellwether.playbooks import services
from bellwether.playbooks.choices import Arm, EnrolmentState, PlaybookState
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.models import Enrolment, Intervention, Playbook
from bellwether.playbooks.outcome_words import OPEN
from bellwether.playbooks.selectors import InterventionQuery
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import done, show_form
from bellwether.web.formatting import full_day, moment, number, plural

PER_PAGE = 10
LATEST = 8
ACTIONS = {
    PlaybookState.DRAFT: ("start", "archive"),
    PlaybookState.RUNNING: ("pause", "archive"),
    PlaybookState.PAUSED: ("resume", "archive"),
    PlaybookState.ARCHIVED: ("restore",),
}
LABELS = {
    "start": ("Start", "play"),
    "pause": ("Pause", "pause"),
    "resume": ("Resume", "play"),
    "archive": ("Archive", "archive"),
    "restore": ("Bring back", "archive-restore"),
}
DID = {
    "start": "runs from now on",
    "pause": "is paused",
    "resume": "goes on",
    "archive": "is archived",
    "restore": "is back as a draft",
}
STATE_LOOKS = {
    EnrolmentState.ACTIVE: ("info", "play"),
    EnrolmentState.COMPLETED: ("healthy", "circle-check"),
    EnrolmentState.EXITED: ("na", "log-out"),
    EnrolmentState.CANCELLED: ("na", "circle-slash"),
}


@dataclass(frozen=True)
class EnrolmentRow:
    """An enrolment as a table shows it."""

    client: str
    client_href: str
    csm: str
    playbook: str
    playbook_href: str
    arm: str
    held_out: bool
    state: str
    status: str
    icon: str
    note: str
    step: str
    when: str
    enrolled: str
    version: int
    outcome: str
    cancel: str


@require_GET
@login_required
def playbook(request: HttpRequest, key: str) -> HttpResponse:
    """Show one playbook."""
    user, now = cast(StaffUser, request.user), timezone.now()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    found = read.find_playbook(key)
    row = told(found)
    state = request.GET.get("state", "")
    state = state if state in EnrolmentState.values else ""
    asked = Address(reverse("playbook", args=[key]), {"state": state})
    enrolled = read.enrolments(user, playbook=found, state=state)
    total = enrolled.order_by().count()
    number_of = request.GET.get("page", "")
    pages = max(1, -(-total // PER_PAGE))
    page = (
        min(pages, max(1, int(number_of))) if number_of.isascii() and number_of.isdigit() and len(number_of) < 7 else 1
    )
    shown = list(enrolled[(page - 1) * PER_PAGE : page * PER_PAGE])
    query = InterventionQuery(playbook=found.key, days=0)
    done_lately = read.interventions(user, query, today=today, zone=zone)
    may = services.may_define(user)
    values: dict[str, Any] = {
        "row": row,
        "effect": effect_of_one(found, user)[0],
        "steps": step_lines(row.definition) if row.definition else [],
        "foot": foot(row),
        "actions": [(action, *LABELS[action]) for action in ACTIONS[PlaybookState(found.state)]] if may else [],
        "may_define": may,
        "why_not": services.WHY_NOT,
        "enrolments": [enrolment_row(one, user, now=now, today=today, zone=zone) for one in shown],
        "enrolled": read.enrolled_counts(user).get(found.pk, read.Enrolled()),
        "total": total,
        "state": state,
        "states": [(word, text, asked.with_(state=word)) for word, text in (("", "All"), *EnrolmentState.choices)],
        "previous": asked.with_(page=page - 1) if page > 1 else "",
        "next": asked.with_(page=page + 1) if page < pages else "",
        "latest": [row_of(one, now=now, zone=zone) for one in done_lately[:LATEST]],
        "history": f"{reverse('interventions')}?playbook={found.key}&days=0",
        "versions": _versions(found, now, zone_of(user)),
        "here": asked.with_(),
    }  # fmt: skip
    audit.record(
        actor=user, action="playbook.read", object_type="playbook", object_id=found.pk, detail={"key": key}, now=now
    )
    return answer(request, "dashboard/playbook.html", values)


@require_GET
@login_required
def dry_run_part(request: HttpRequest, key: str) -> HttpResponse:
    """Show who the version in force would enrol today and what they would get; a part of the page, or a page."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_playbook(key)
    row = told(found)
    dry: DryView | None = dry_view(row.definition, user, playbook=found, now=now) if row.definition else None
    values = {
        "row": row,
        "dry": dry,
        "prospects": prospect_lines(row.definition, playbook=found, now=now) if row.definition else None,
        "alone": not getattr(request, "htmx", None),
    }
    return answer(
        request, f"dashboard/playbook_dry{'_run' if getattr(request, 'htmx', None) else '_page'}.html", values
    )


def enrolment_row(one: Enrolment, user: StaffUser, *, now: datetime, today: date, zone: ZoneInfo) -> EnrolmentRow:
    """Return the row of an enrolment whose client, playbook and version are read; times in the reader's zone."""
    status, icon = STATE_LOOKS[EnrolmentState(one.state)]
    active, held_out = one.state == EnrolmentState.ACTIVE, one.arm == Arm.HELD_OUT
    definition = read_definition(one.version.definition) if active and one.step else None
    step = definition.step(one.step) if definition else None
    note = one.end_reason
    if not active and one.ended_at:
        on = full_day(day_of(one.ended_at, zone))
        note = f"{on}: {note}" if note else on
    csm = one.client.csm_user
    return EnrolmentRow(
        client=one.client.name,
        client_href=reverse("client", args=[one.client_id]),
        csm=csm.name if csm else "",
        playbook=one.playbook.name,
        playbook_href=reverse("playbook", args=[one.playbook.key]),
        arm=str(one.get_arm_display()),
        held_out=held_out,
        state=str(one.get_state_display()),
        status=status,
        icon=icon,
        note=note,
        step="Observed only" if active and held_out else (step.title or step.kind) if step else "",
        when=moment(one.next_at, now, zone_of(user)) if active and one.next_at and not held_out else "",
        enrolled=full_day(day_of(one.enrolled_at, zone)),
        version=one.version.number,
        outcome=_outcome(one, today),
        cancel=reverse("enrolment_cancel", args=[one.pk]) if active and services.may_act(user) else "",
    )


def _outcome(one: Enrolment, today: date) -> str:
    """Return what was measured, when it will be, or why it cannot be known."""
    if one.outcome_known_at is not None:
        if one.outcome_value is None:
            return one.outcome_detail or "Not known"
        return one.outcome_detail or {1.0: "Reached", 0.0: "Not reached"}.get(
            one.outcome_value, number(one.outcome_value)
        )
    if one.outcome_due_on is not None:
        left = (one.outcome_due_on - today).days
        return f"Measured in {plural(left, 'day')}" if left > 0 else "Measured soon"
    return ""


@dataclass(frozen=True)
class VersionRow:
    """A version with what it changed."""

    number: int
    current: bool
    by: str
    note: str
    changes: list[str]


def _versions(found: Playbook, now: datetime, zone: ZoneInfo) -> list[VersionRow]:
    rows = read.versions(found)
    lines = []
    for place, one in enumerate(rows):
        before = rows[place + 1] if place + 1 < len(rows) else None
        after_definition = read_definition(one.definition)
        before_definition = read_definition(before.definition) if before else None
        changes = differences(before_definition, after_definition) if before_definition and after_definition else []
        who = f" by {one.created_by.name}" if one.created_by else ""
        by = f"{moment(one.created_at, now, zone)}{who}"
        lines.append(VersionRow(one.number, one.pk == found.version_id, by, one.note, changes))
    return lines


@require_http_methods(["GET", "POST"])
@login_required
def act(request: HttpRequest, key: str, action: str) -> HttpResponse:
    """Say what starting, pausing, resuming, archiving or bringing back will do; POST does it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_playbook(key)
    if action not in LABELS:
        raise Http404
    if not services.may_define(user):
        raise PermissionDenied(services.WHY_NOT)
    refused = ""
    if request.method == "POST":
        try:
            getattr(services, action)(found, actor=user, now=now)
        except (ConflictError, InvalidInputError) as error:
            refused = str(error)
        else:
            return done(request, reverse("playbook", args=[key]), f"{found.name} {DID[action]}.")
    row = told(found)
    dry = dry_view(row.definition, user, playbook=found, now=now) if action == "start" and row.definition else None
    values = {
        "found": found,
        "row": row,
        "act": action,
        "label": LABELS[action][0],
        "refused": refused,
        "dry": dry,
        "says": _consequences(found, row.definition, action),
        "action": reverse("playbook_act", args=[key, action]),
    }
    return show_form(request, "dashboard/playbook_act.html", values, invalid=bool(refused))


def _consequences(found: Playbook, definition: Definition | None, action: str) -> list[str]:
    """Return in sentences what an action does, with the counts of the whole workspace."""
    active = Enrolment.objects.filter(playbook=found, state=EnrolmentState.ACTIVE).count()
    waiting = Intervention.objects.filter(enrolment__playbook=found, state__in=OPEN).count()
    clients = plural(active, "client")
    match action:
        case "pause":
            return [
                "No client is enrolled and nothing is sent while it is paused.",
                f"{clients} under way {'stays' if active == 1 else 'stay'} enrolled; their waits stand still.",
            ]
        case "resume":
            return [f"{clients} under way {'goes' if active == 1 else 'go'} on where the waits stood still."]
        case "archive":
            return [
                f"{clients} under way {'leaves' if active == 1 else 'leave'} it; what waits is cancelled: "
                f"{plural(waiting, 'message or task', 'messages and tasks')}.",
                "The history and what was measured stay. You can bring it back as a draft.",
            ]
        case "restore":
            return ["It becomes a draft and does nothing before it is started."]
    held = definition.hold_out if definition else 0
    lines = (
        [f"{held}% of them are held out at random: nothing is done for them, and they are compared with the others."]
        if held
        else []
    )
    return [*lines, "From then on clients are enrolled as they meet the trigger. You can pause it at any time."]


@require_POST
@login_required
def restore_version(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Put an older version in force again, as a new version."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_playbook(key)
    older = found.versions.filter(number=number).first()
    definition = read_definition(older.definition) if older else None
    if definition is None:
        raise Http404
    try:
        version, new = services.save_version(
            found, definition, note=f"As version {number} was", actor=user, now=now
        )  # fmt: skip
    except ConflictError as error:
        return done(request, reverse("playbook", args=[key]), str(error), failed=True)
    text = (
        f"Version {version.number} is in force; it does what version {number} did." if new else "Nothing was changed."
    )
    return done(request, reverse("playbook", args=[key]), text)
