"""The list of playbooks: what runs, whether it works, and what waits for people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.interventions_view import InterventionRow, row_of
from bellwether.dashboard.playbooks_effect import Effect, effects
from bellwether.dashboard.playbooks_view import StepLine, Told, foot, step_lines, told
from bellwether.playbooks import selectors as read
from bellwether.playbooks.choices import PlaybookState
from bellwether.playbooks.selectors import Enrolled, InterventionQuery
from bellwether.playbooks.services import WHY_NOT, may_define
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

LATEST = 6
SORTS = {"": "Evidence", "value": "Value per CSM hour", "uplift": "Uplift", "runs": "Runs", "name": "Name"}
CARD = "selected"


@dataclass(frozen=True)
class Row:
    """A playbook of the list."""

    told: Told
    effect: Effect
    select: str
    current: bool

    @property
    def hold_out(self) -> str:
        """The share held out, "20%"."""
        return f"{self.told.definition.hold_out}%" if self.told.definition else "–"

    @property
    def outcome(self) -> str:
        """What is measured."""
        return self.told.words.outcome if self.told.words else "–"


@dataclass(frozen=True)
class Card:
    """The playbook shown below the list, with the newest interventions of it."""

    row: Row
    steps: list[StepLine]
    foot: str
    enrolled: Enrolled
    latest: list[InterventionRow]
    total: int
    all_href: str
    export_href: str


@require_GET
@login_required
def playbooks(request: HttpRequest) -> HttpResponse:
    """Show the playbooks with their measured effect, and one of them below; for a swap of that only that."""
    user, now = cast(StaffUser, request.user), timezone.now()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    archived = request.GET.get("show") == "archived"
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else ""
    address = Address(reverse("playbooks"), {"show": "archived" if archived else "", "sort": sort, "playbook": ""})
    every = read.playbooks(archived=True)
    listed = [one for one in every if archived or one.state != PlaybookState.ARCHIVED]
    measured = effects(user, every)
    rows = [Row(told(one), measured.of(one), address.with_(playbook=one.key), False) for one in listed]
    rows = ordered(rows, sort)
    chosen = next((row for row in rows if row.told.playbook.key == request.GET.get("playbook", "")), None)
    chosen = chosen or (rows[0] if rows else None)
    rows = [Row(row.told, row.effect, row.select, row is chosen) for row in rows]
    values: dict[str, Any] = {"card": _card(user, chosen, now) if chosen else None, "may_define": may_define(user)}
    if target_of(request) == CARD and chosen:
        return answer(request, "dashboard/playbooks_card.html", values)
    waiting = read.waiting_counts(user, today=day_of(now, zone), zone=zone)
    values |= {
        "rows": rows,
        "sort": sort,
        "sorts": [(word, text, address.with_(sort=word, playbook="")) for word, text in SORTS.items()],
        "figures": measured.figures,
        "running": sum(row.told.state == PlaybookState.RUNNING for row in rows),
        "count": sum(row.told.state != PlaybookState.ARCHIVED for row in rows),
        "todo": waiting,
        "archived": sum(one.state == PlaybookState.ARCHIVED for one in every),
        "shows_archived": archived,
        "archived_href": address.with_(show=None if archived else "archived", playbook=None),
        "why_not": WHY_NOT,
        "started": any(row.effect.runs for row in rows),
    }
    audit.record(actor=user, action="playbook.list", object_type="playbook", detail={"count": len(rows)}, now=now)
    return answer(request, "dashboard/playbooks.html", values)


def ordered(rows: list[Row], sort: str) -> list[Row]:
    """Return the rows by one of SORTS; what has no figure comes last, ties by name."""

    def by_value(row: Row) -> tuple[Any, ...]:
        return (row.effect.rank,)

    def by_uplift(row: Row) -> tuple[Any, ...]:
        return (row.effect.uplift is None, -(row.effect.uplift or 0))

    def by_evidence(row: Row) -> tuple[Any, ...]:
        order = ("works", "unclear", "harmful", "too_early", "not_started", "not_measured")
        return (row.told.state == PlaybookState.ARCHIVED, order.index(row.effect.word), *by_uplift(row))

    def by_runs(row: Row) -> tuple[Any, ...]:
        return (-row.effect.runs,)

    def by_name(row: Row) -> tuple[Any, ...]:
        return ()

    keys = {"": by_evidence, "value": by_value, "uplift": by_uplift, "runs": by_runs, "name": by_name}
    return sorted(rows, key=lambda row: (*keys[sort](row), row.told.playbook.name.lower()))


def _card(user: StaffUser, row: Row, now: datetime) -> Card:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    playbook = row.told.playbook
    query = InterventionQuery(playbook=playbook.key, days=0)
    found = read.interventions(user, query, today=day_of(now, zone), zone=zone)
    definition = row.told.definition
    every = f"playbook={playbook.key}&days=0"
    return Card(
        row=row,
        steps=step_lines(definition) if definition else [],
        foot=foot(row.told),
        enrolled=read.enrolled_counts(user).get(playbook.pk, Enrolled()),
        latest=[row_of(one, now=now, zone=zone) for one in found[:LATEST]],
        total=read.of(user, query).count(),
        all_href=f"{reverse('interventions')}?{every}",
        export_href=f"{reverse('interventions_export', args=['csv'])}?{every}",
    )
