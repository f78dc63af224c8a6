"""What playbooks wait for people to do: messages to approve, tasks and calls that are due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.interventions_view import OUTCOMES, InterventionRow, row_of
from bellwether.playbooks import handling
from bellwether.playbooks import selectors as read
from bellwether.playbooks.choices import InterventionState
from bellwether.playbooks.models import Intervention
from bellwether.playbooks.receivers import contacts_of
from bellwether.playbooks.services import WHY_NOT_ACT, may_act
from bellwether.portfolio.masking import masked_email
from bellwether.portfolio.models import Client, Contact
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, show_form
from bellwether.web.formatting import plural

MOST = 200
MOST_AT_ONCE = 100
NAMED = 6


@dataclass(frozen=True)
class Waiting:
    """Something that waits: its row, and for a message where it goes."""

    row: InterventionRow
    to: str
    address: str
    late: bool

    @property
    def source(self) -> Intervention:
        """The intervention."""
        return self.row.source


@require_GET
@login_required
def tasks(request: HttpRequest) -> HttpResponse:
    """Show what waits for people: one's own, or of all clients that one sees."""
    user, now = cast(StaffUser, request.user), timezone.now()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    whose = request.GET.get("whose", "")
    mine = whose == "mine" if whose in {"mine", "all"} else not user.sees_all_clients
    address = Address(reverse("playbook_tasks"), {"whose": whose if whose in {"mine", "all"} else ""})
    found = [_waiting(one, now) for one in read.waiting(user, mine=mine)[: MOST + 1]]
    today = day_of(now, zone)
    groups: dict[str, list[Waiting]] = {"approve": [], "due": [], "failed": [], "later": []}
    for one in found[:MOST]:
        state, at = one.source.state, one.source.scheduled_for
        if state == InterventionState.APPROVAL:
            groups["approve"].append(one)
        elif state == InterventionState.FAILED:
            groups["failed"].append(one)
        elif state == InterventionState.SCHEDULED and at and day_of(at, zone) > today:
            groups["later"].append(one)
        else:
            groups["due"].append(one)
    counts = read.waiting_counts(user, today=today, zone=zone, mine=mine)
    values = {
        **groups,
        "subtitle": _subtitle(counts),
        "cut": len(found) > MOST,
        "most": MOST,
        "whose": [
            ("Mine", address.with_(whose="mine"), mine),
            ("Everyone" if user.sees_all_clients else "All my clients", address.with_(whose="all"), not mine),
        ],
        "mine": mine,
        "may_act": may_act(user),
        "why_not": WHY_NOT_ACT,
        "here": address.with_(),
    }
    audit.record(
        actor=user, action="intervention.tasks", object_type="intervention", detail={"count": len(found)}, now=now
    )
    return answer(request, "dashboard/playbook_tasks.html", values)


def _subtitle(counts: read.Waiting) -> str:
    parts = [
        f"{count:,} {text}"
        for count, text in ((counts.approvals, "to approve"), (counts.due, "due today"), (counts.overdue, "overdue"))
        if count
    ]
    return f"{', '.join(parts)}." if parts else "Nothing waits."


def _waiting(one: Intervention, now: datetime) -> Waiting:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    row = row_of(one, now=now, zone=zone)
    to = f"{one.contact.name}, {one.contact.get_role_display().lower()}" if one.contact else "nobody yet"
    email = masked_email(one.contact.email) if one.contact else ""
    return Waiting(row, to, email, row.look.status == "critical")


@require_http_methods(["GET", "POST"])
@login_required
def act(request: HttpRequest, intervention_id: UUID, action: str) -> HttpResponse:
    """Approve, edit, reject, complete or skip one: the form of it, or doing it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_intervention(user, intervention_id)
    if action not in TEXTS:
        raise Http404
    if not may_act(user):
        raise PermissionDenied(WHY_NOT_ACT)
    values: dict[str, Any] = _form_values(found, action, request.POST.dict())  # type: ignore[arg-type]
    if request.method == "GET":
        return show_form(request, "dashboard/intervention_act.html", values)
    errors: Mapping[str, str] = {}
    try:
        text, change = _do(found, action, request.POST.dict(), user, now)  # type: ignore[arg-type]
        return done(request, reverse("playbook_tasks"), text, undo=change)
    except InvalidInputError as error:
        errors = error.errors or {"": str(error)}
    except ConflictError as error:
        errors = {"": str(error)}
    if action == "approve" and "edited" not in request.POST:  # sent from the list, without its form
        return done(request, reverse("playbook_tasks"), " ".join(errors.values()), failed=True)
    return show_form(request, "dashboard/intervention_act.html", values | {"errors": errors}, invalid=True)


TEXTS = {
    "approve": "Approve and send",
    "edit": "Edit the message",
    "reject": "Do not send it",
    "done": "Mark as done",
    "skip": "Skip it",
}


def _form_values(found: Intervention, action: str, posted: Mapping[str, str]) -> dict[str, Any]:
    contacts: list[Contact] = contacts_of([found.client_id]).get(found.client_id, [])
    return {
        "one": found,
        "act": action,
        "title": TEXTS[action],
        "subject": posted.get("subject", found.subject),
        "message": posted.get("message", found.message),
        "contact": posted.get("contact", str(found.contact_id or "")),
        "contacts": [(str(one.pk), f"{one.name}, {one.get_role_display()}") for one in contacts],
        "reason": posted.get("reason", ""),
        "outcome": posted.get("outcome", found.outcome),
        "outcomes": OUTCOMES,
        "errors": {},
        "action": reverse("intervention_act", args=[found.pk, action]),
    }


def _do(
    found: Intervention, action: str, posted: Mapping[str, str], user: StaffUser, now: datetime
) -> tuple[str, UUID | None]:
    """Do what was asked; return what to say and the change that can be undone, if one can."""
    who = found.client.name
    if action in {"approve", "edit"}:
        edits: dict[str, Any] = {}
        if "edited" in posted:
            edits = {
                "subject": posted.get("subject", "")[:1_000],
                "message": posted.get("message", "").replace("\r\n", "\n"),
                "contact": _contact(found.client, posted.get("contact", "")),
            }
        if action == "approve":
            row = handling.approve(found, **edits, actor=user, now=now)
            to = f" to {row.contact.name}" if row.contact else ""
            return f"{row.title or 'The message'} for {who} is on its way{to}.", None
        row, change = handling.edit_message(found, **edits, actor=user, now=now)
        return f"Message to {who} saved. It waits for approval." if change else "Nothing was changed.", _id(change)
    if action == "reject":
        handling.reject(found, reason=posted.get("reason", ""), actor=user, now=now)
        return f"Nothing is sent to {who}. The playbook goes on with its next step.", None
    if action == "done":
        row, change = handling.mark_done(found, outcome=posted.get("outcome", ""), actor=user, now=now)
        return f"{row.title} with {who} is done.", _id(change)
    row, change = handling.skip(found, reason=posted.get("reason", ""), actor=user, now=now)
    return f"{row.title} with {who} is skipped.", _id(change)


def _id(change: Any) -> UUID | None:
    return change.pk if change else None


def _contact(client: Client, text: str) -> Contact | None:
    try:
        wanted = UUID(text)
    except ValueError:
        return None
    found = Contact.objects.filter(client=client, pk=wanted, archived_at__isnull=True).first()
    if found is None:
        raise InvalidInputError("There is no such contact.", {"contact": f"Choose a contact of {client.name}."})
    return found


@require_http_methods(["GET", "POST"])
@login_required
def bulk(request: HttpRequest) -> HttpResponse:
    """Say what approving the chosen messages sends; POST sends them."""
    user, now = cast(StaffUser, request.user), timezone.now()
    if not may_act(user):
        raise PermissionDenied(WHY_NOT_ACT)
    given = (request.POST if request.method == "POST" else request.GET).getlist("ids")[: MOST_AT_ONCE + 1]
    ids = [pk for pk in (_uuid(text) for text in given) if pk is not None]
    rows = list(read.waiting(user).filter(pk__in=ids, state=InterventionState.APPROVAL))
    address = reverse("playbook_tasks")
    if request.method == "POST":
        sent, left = handling.approve_many(rows[:MOST_AT_ONCE], actor=user, now=now)
        text = f"{plural(sent, 'message')} sent." + (f" {len(left)} not sent. {' '.join(left[:3])}" if left else "")
        return done(request, address, text, failed=not sent)
    values = {
        "rows": rows,
        "named": [(one.client.name, one.contact.name if one.contact else "") for one in rows[:NAMED]],
        "more": max(0, len(rows) - NAMED),
        "too_many": len(given) > MOST_AT_ONCE,
        "most": MOST_AT_ONCE,
        "action": reverse("playbook_tasks_bulk"),
    }
    return show_form(request, "dashboard/playbook_tasks_bulk.html", values)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
