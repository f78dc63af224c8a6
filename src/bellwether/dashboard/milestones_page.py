"""Milestones: what clients reached and what comes next, one milestone with its mail, and its celebration."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_POST

from bellwether.common.spreadsheets import safe
from bellwether.common.text import storable_text
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, client_or_404, target_of
from bellwether.dashboard.milestones_export import coming_lines, reached_lines
from bellwether.milestones import selectors as read
from bellwether.milestones.drafting import mail_for, primary_contact
from bellwether.milestones.models import Milestone, MilestoneProgress
from bellwether.milestones.rules import rule_from_data, rule_text
from bellwether.milestones.selectors import PERIODS, STANDARD_PERIOD, STATES, MilestoneQuery, Step
from bellwether.milestones.services import celebrate
from bellwether.portfolio.masking import masked_email
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done
from bellwether.web.formatting import day, days_ago, full_day, number, plural

PER_PAGE = 50
LIST = "milestones"
SHOWS = ("reached", "coming")
STATE_LABELS = {"": "Celebrated or not", "open": "To celebrate", "celebrated": "Celebrated"}


@dataclass(frozen=True)
class Asked:
    """What the address of the page asks for."""

    show: str
    query: MilestoneQuery
    page: int = 1

    def link(self, name: str = "milestones", **changes: object) -> str:
        """Return the address with `changes`; back on the first page unless that is what changes."""
        query = self.query
        values: dict[str, object] = {
            "show": self.show,
            "type": query.kind,
            "csm": query.csm_id or "",
            "client": query.client_id or "",
            "state": query.state,
            "days": query.days,
            "search": query.search,
            "page": 1,
        } | changes
        standard = {"show": "reached", "days": STANDARD_PERIOD, "page": 1}
        kept = {key: value for key, value in values.items() if value not in ("", None, standard.get(key))}
        return reverse(name) + (f"?{urlencode(kept)}" if kept else "")


@dataclass(frozen=True)
class ReachedRow:
    """A milestone in the table."""

    href: str
    celebrate: str
    client: str
    client_href: str
    csm: str
    name: str
    sentence: str
    on: str
    ago: str
    celebrated: str


@dataclass(frozen=True)
class ComingRow:
    """A client with its next milestone."""

    client: str
    client_href: str
    csm: str
    step: Step
    when: str
    percent: int


@require_GET
@login_required
def milestones(request: HttpRequest) -> HttpResponse:
    """Show what clients reached lately, or what comes next; for a swap of the list only the list."""
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    asked = read_asked(request)
    known = read.rules_and_names()
    rows: Any = (
        read.coming(user, asked.query) if asked.show == "coming" else read.reached(user, asked.query, today=today)
    )
    total = rows.count()
    pages = max(1, -(-total // PER_PAGE))
    page = min(asked.page, pages)
    first = (page - 1) * PER_PAGE
    found = list(rows[first : first + PER_PAGE])
    swap = target_of(request) == LIST
    values: dict[str, Any] = {
        "asked": asked,
        "total": total,
        "text": _span(first, len(found), total, asked.show),
        "previous": asked.link(page=page - 1) if page > 1 else "",
        "next": asked.link(page=page + 1) if page < pages else "",
        "here": asked.link(page=page),
        "types": [(key, name) for key, (name, _) in known.items()],
        "csms": _csms(user),
        "client": Client.objects.visible_to(user).filter(pk=asked.query.client_id).first()
        if asked.query.client_id
        else None,
        "states": list(STATE_LABELS.items()),
        "periods": list(PERIODS.items()),
        "export": asked.link("milestones_export"),
        "anything": total > 0 or read.visible(user).exists(),
        "may_edit": user.may_configure,
    }
    if asked.show == "coming":
        values["coming"] = [row for one in found if (row := _coming(one, known, today)) is not None]
    else:
        values["reached"] = [_reached(one, today) for one in found]
    if not swap:
        values["summary"] = read.summary(user, today=today)
    detail = {"count": len(found), "show": asked.show}
    audit.record(actor=user, action="milestone.list", object_type="milestone", detail=detail, now=now)
    return answer(request, "dashboard/milestones_list.html" if swap else "dashboard/milestones.html", values)


@require_GET
@login_required
def of_client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Go to all milestones of one client."""
    client_or_404(cast(StaffUser, request.user), client_id)
    return redirect(reverse("milestones") + f"?client={client_id}&days=0")


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the milestones that the filters let through as CSV, or the next ones of each client."""
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    asked = read_asked(request)
    lines = coming_lines(user, asked.query) if asked.show == "coming" else reached_lines(user, asked.query, today)
    out = io.StringIO()
    writer = csv.writer(out)
    for line in lines:
        writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in line])
    detail = {"count": len(lines) - 1, "show": asked.show}
    audit.record(actor=user, action="milestone.export", object_type="milestone", detail=detail, now=now)
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    name = "next-milestones" if asked.show == "coming" else "milestones"
    response["Content-Disposition"] = f'attachment; filename="{name}-{today.isoformat()}.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


@require_GET
@login_required
def milestone(request: HttpRequest, milestone_id: UUID) -> HttpResponse:
    """Show one milestone: what it rests on, its mail, and whether it was celebrated."""
    user = cast(StaffUser, request.user)
    return _one(request, user, read.find(user, milestone_id), revealed=False)


@require_POST
@login_required
def reveal(request: HttpRequest, milestone_id: UUID) -> HttpResponse:
    """Show the milestone with the address of the primary contact in clear; who did so is written down first."""
    user = cast(StaffUser, request.user)
    found = read.find(user, milestone_id)
    contact = primary_contact(found.client)
    if contact is not None:
        audit.record(
            actor=user,
            action="contact.reveal",
            object_type="contact",
            object_id=contact.pk,
            client_id=found.client_id,
            detail={"contacts": [str(contact.pk)], "count": 1, "fields": ["email"]},
            now=timezone.now(),
        )
    response = _one(request, user, found, revealed=True)
    patch_cache_control(response, no_store=True)
    return response


@require_POST
@login_required
def celebrated(request: HttpRequest, milestone_id: UUID) -> HttpResponse:
    """Mark a milestone as celebrated and go on where the reader was; doing it again changes nothing."""
    user = cast(StaffUser, request.user)
    found = read.find(user, milestone_id)
    row, change = celebrate(found, actor=user, now=timezone.now())
    text = f"{row.sentence}: marked as celebrated." if change else "It was celebrated before."
    return done(request, reverse("milestone", args=[row.pk]), text, undo=change.pk if change else None)


def read_asked(request: HttpRequest) -> Asked:
    """Return what the address asks for; what cannot be used is left out."""
    values = request.GET
    page, days = values.get("page", ""), values.get("days", "")
    query = MilestoneQuery(
        kind=storable_text(values.get("type", ""), 60),
        csm_id=_id(values.get("csm", "")),
        client_id=_id(values.get("client", "")),
        state=values.get("state", "") if values.get("state", "") in STATES else "",
        days=int(days) if days in {str(period) for period in PERIODS} else STANDARD_PERIOD,
        search=storable_text(values.get("search", "").strip(), 200),
    )
    show = values.get("show", "")
    number_of = int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 7 else 1
    return Asked(show if show in SHOWS else "reached", query, max(1, number_of))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _one(request: HttpRequest, user: StaffUser, found: Milestone, *, revealed: bool) -> HttpResponse:
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    contact = primary_contact(found.client)
    mail = mail_for(found, contact, sender=user)
    email = contact.email if contact else ""
    _note_reading(user, found, now)
    values = {
        "one": found,
        "row": _reached(found, today),
        "on": _day_words(found),
        "why": _why(found),
        "celebrated": _celebrated(found, today),
        "mail": mail,
        "contact": contact,
        "email": email if revealed else masked_email(email) if email else "",
        "mailto": mail.mailto(email) if revealed and email else "",
        "here": reverse("milestone", args=[found.pk]),
    }
    return answer(request, "dashboard/milestone.html", values)


def _day_words(found: Milestone) -> str:
    return full_day(found.achieved_on) if found.exact else f"On or before {full_day(found.achieved_on)}"


def _why(found: Milestone) -> list[tuple[str, str]]:
    rule = rule_from_data(found.detail.get("rule"))
    lines = [("Rule", rule_text(rule)), ("Version of the rule", number(found.detail.get("version")))]
    value = found.detail.get("value")
    if value is not None:
        lines.append(("Value on the day", number(value) if rule.kind != "seat_use" else f"{round(100 * value)}%"))
    moved = found.detail.get("moved_from")
    if moved:
        lines.append(("First seen on", f"{full_day(date.fromisoformat(moved))}; data that came later put it earlier"))
    return lines


def _reached(one: Milestone, today: date) -> ReachedRow:
    client: Client = one.client
    return ReachedRow(
        href=reverse("milestone", args=[one.pk]),
        celebrate="" if one.celebrated_at else reverse("milestone_celebrate", args=[one.pk]),
        client=client.name,
        client_href=reverse("client", args=[client.pk]),
        csm=client.csm_user.name if client.csm_user else "",
        name=one.name,
        sentence=one.sentence,
        on=f"{'' if one.exact else 'by '}{day(one.achieved_on, today)}",
        ago=days_ago((today - one.achieved_on).days),
        celebrated=_celebrated(one, today),
    )


def _celebrated(one: Milestone, today: date) -> str:
    if one.celebrated_at is None:
        return ""
    on = day(day_of(one.celebrated_at, settings.BELLWETHER_WORKSPACE_ZONE), today)
    return f"{on} by {one.celebrated_by.name}" if one.celebrated_by else on


def _coming(one: MilestoneProgress, known: Any, today: date) -> ComingRow | None:
    steps = read.steps_of(one, known)
    if not steps:
        return None
    client: Client = one.client
    return ComingRow(
        client=client.name,
        client_href=reverse("client", args=[client.pk]),
        csm=client.csm_user.name if client.csm_user else "",
        step=steps[0],
        when=when_text(steps[0], today),
        percent=round(100 * steps[0].share),
    )


def when_text(step: Step, today: date) -> str:
    """Return when a step is expected: "12 Feb, in 9 days"; a dash where no day can be said."""
    if step.expected_on is None:
        return ""
    left = max(1, (step.expected_on - today).days)
    return f"{day(step.expected_on, today)}, {'tomorrow' if left == 1 else f'in {left:,} days'}"


def _csms(user: StaffUser) -> list[tuple[UUID, str]]:
    """Return the CSMs of the clients that the reader sees; nobody to choose from where that is one."""
    ids = Client.objects.visible_to(user).active().order_by().values("csm_user_id").distinct()
    people = StaffUser.objects.filter(pk__in=ids)
    found = [(person.pk, person.name) for person in people]
    return found if len(found) > 1 else []


def _span(first: int, shown: int, total: int, show: str) -> str:
    what = plural(total, "client") if show == "coming" else plural(total, "milestone")
    return what if shown == total else f"{number(first + 1)} to {number(first + shown)} of {what}"


def _note_reading(user: StaffUser, found: Milestone, now: datetime) -> None:
    audit.record(
        actor=user,
        action="milestone.read",
        object_type="milestone",
        object_id=found.pk,
        client_id=found.client_id,
        now=now,
    )
