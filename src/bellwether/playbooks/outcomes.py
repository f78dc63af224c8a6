"""Finds out what became of enrolled clients once their windows are over, and keeps it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from bellwether.common.time import day_of
from bellwether.playbooks.definition import Outcome
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Enrolment, PlaybookVersion
from bellwether.playbooks.outcome_kinds import due_on
from bellwether.playbooks.outcome_measuring import DUE
from bellwether.playbooks.outcome_reading import measured, people_of

LATE_DAYS = 14
"""For so long after the end of a window data that come late may still change a known outcome."""
OPEN_DAYS = 90
"""For so long after the end of a window an unknown outcome is looked for."""
MOST_AT_ONCE = 20_000
BATCH = 500
LATE = "Changed by data that came late"


@dataclass(frozen=True)
class Measured:
    """What a run found: outcomes newly known, known ones that late data changed, and those still unknown."""

    known: int = 0
    changed: int = 0
    unknown: int = 0


def outcome_due_on(enrolled_at: datetime, outcome: Outcome) -> date:
    """Return the day from which on the outcome of an enrolment is measured: the first after its window."""
    return due_on(day_of(enrolled_at, settings.BELLWETHER_WORKSPACE_ZONE), outcome.days)


def measure_outcomes(now: datetime) -> Measured:
    """Measure the outcomes whose windows are over, of both arms and of all that were enrolled, and keep them.

    Each enrolment is looked at once a day: until LATE_DAYS after its window for what late data change, until OPEN_DAYS
    as long as its outcome is unknown. After that it stays. Doing it again changes nothing.
    """
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    rows = list(_to_measure(today)[:MOST_AT_ONCE])
    if not rows:
        return Measured()
    outcomes = _outcomes({row.version_id for row in rows})
    groups: dict[str, list[Enrolment]] = defaultdict(list)
    for row in rows:
        groups[outcomes[row.version_id].kind].append(row)
    found: dict[str, tuple[float | None, str]] = {}
    for kind, group in groups.items():
        for enrolment_id, value, detail in measured(kind, _due(group, outcomes, zone), zone=zone).iter_rows():
            found[enrolment_id] = (value, detail)
    return _keep(rows, found, today=today, now=now)


def _to_measure(today: date) -> QuerySet[Enrolment]:
    unseen = Q(outcome_checked_on__isnull=True)
    again = Q(outcome_checked_on__lt=today) & (
        Q(outcome_due_on__gte=today - timedelta(days=LATE_DAYS))
        | Q(outcome_known_at__isnull=True, outcome_due_on__gte=today - timedelta(days=OPEN_DAYS))
    )
    rows: QuerySet[Enrolment] = Enrolment.objects.filter(
        unseen & Q(outcome_known_at__isnull=True) | again, outcome_due_on__lte=today
    )
    return rows.select_related("client").order_by(F("outcome_checked_on").asc(nulls_first=True), "outcome_due_on", "pk")


def _outcomes(version_ids: set[UUID]) -> dict[UUID, Outcome]:
    rows = PlaybookVersion.objects.filter(pk__in=version_ids).values_list("pk", "definition")
    return {pk: definition_from_data(data).outcome for pk, data in rows}


def _due(rows: Sequence[Enrolment], outcomes: dict[UUID, Outcome], zone: ZoneInfo) -> pl.DataFrame:
    people = people_of(rows)
    made = []
    for row in rows:
        outcome, client = outcomes[row.version_id], row.client
        enrolled_on = day_of(row.enrolled_at, zone)
        last_on = due_on(enrolled_on, outcome.days) - timedelta(days=1)
        left_on = day_of(client.archived_at, zone) if client.archived_at else None
        made.append(
            (
                row.pk.hex, client.pk.hex, client.organization_id, enrolled_on, last_on, outcome.feature,
                outcome.at_least, people.get(row.pk), left_on,
            )
        )  # fmt: skip
    return pl.DataFrame(made, schema=DUE, orient="row")


def _keep(
    rows: Sequence[Enrolment], found: dict[str, tuple[float | None, str]], *, today: date, now: datetime
) -> Measured:
    counts = {"known": 0, "changed": 0, "unknown": 0}
    same: dict[tuple[str, float | None, str], list[UUID]] = defaultdict(list)
    for row in rows:
        value, detail = found[row.pk.hex]
        what = ""
        if value is None:
            what = "unknown" if row.outcome_known_at is None else ""
        elif row.outcome_known_at is None:
            what, detail = "known", ""
        elif row.outcome_value != value:
            what, detail = "changed", LATE
        same[what, value if what else None, detail if what else ""].append(row.pk)
        if what:
            counts[what] += 1
    with transaction.atomic():
        for (what, value, detail), ids in same.items():
            fields: dict[str, Any] = {"outcome_checked_on": today}
            if what:
                fields["outcome_detail"] = detail
            if what in {"known", "changed"}:
                fields |= {"outcome_value": value, "outcome_known_at": now}
            for start in range(0, len(ids), BATCH):
                Enrolment.objects.filter(pk__in=ids[start : start + BATCH]).update(**fields)
    return Measured(**counts)
