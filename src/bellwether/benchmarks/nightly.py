"""The figures of the night: the metrics of every client, and what the groups came to. In a fixed number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.benchmarks.cohorts import Filters, Roster, family, group_key, read_filters
from bellwether.benchmarks.metrics import STORED, Floats, from_stored, to_stored, values_of
from bellwether.benchmarks.models import ClientMetrics, Cohort, PeerBenchmark
from bellwether.benchmarks.percentiles import spread
from bellwether.benchmarks.rosters import attributes_of, roster_of
from bellwether.benchmarks.time_to_value import time_to_value
from bellwether.common.errors import InvalidInputError
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.health.configs import main_scorecard
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client, ContractPeriod
from bellwether.usage.calendar import first_of, last_of
from bellwether.usage.facts import read_client_days, stored_months
from bellwether.usage.workspace import workspace_lake

AT_ONCE = 1_000
MONTHS_BACK = 36
DAILY_FOR = timedelta(days=62)
GROWN = 1.5
Values = dict[UUID, dict[str, float | None]]


def make_night(*, now: datetime, progress: Progress | None = None) -> dict[str, int]:
    """Store the metrics of all active clients as of the newest scored day, and what the groups came to.

    Past months that have scores but no figures get those of their last scored day. Doing it again for a day replaces
    that day's figures by the same ones. Returns how many clients, figures and past months were made.
    """
    progress = progress or NoProgress()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    scores = HealthScore.objects.filter(scorecard=main_scorecard(), date__lte=today)
    day = scores.order_by("-date").values_list("date", flat=True).first()
    if day is None:
        return {}
    progress.start("Reading the metrics of all clients", None)
    values = read_values(day)
    for client_id, days in _times_to_value().items():
        if client_id in values:
            values[client_id]["time_to_value"] = days
    with transaction.atomic():
        clients = _store_values(values, day)
    progress.start("Comparing groups", None)
    made = {"clients": clients, "figures": _store_groups(values, _month_roster(), day), "months": 0}
    for past in _missing_months(day):
        made["figures"] += _store_groups(read_values(past), _roster_of_all(), past)
        made["months"] += 1
    _thin_out(day)
    return made


def read_values(day: date) -> Values:
    """Return the metrics of each client that has a score row of the main scorecard on `day`, by client."""
    rows = HealthScore.objects.filter(scorecard=main_scorecard(), date=day)
    found = rows.values_list("client_id", "overall_score", "inputs", "components")
    return {client_id: values_of(score, inputs, parts) for client_id, score, inputs, parts in found.iterator()}


def _times_to_value() -> dict[UUID, float]:
    lake = workspace_lake()
    months = stored_months(lake, "client_days")
    if not months:
        return {}
    use = read_client_days(lake, first_of(months[0]), last_of(months[-1]), columns=("organization_id", "date", "mau"))
    if use.is_empty():
        return {}
    rows = Client.objects.active().filter(go_live_date__isnull=False).order_by()
    clients = pl.DataFrame(
        [
            (client_id.hex, organization, day, seats)
            for client_id, organization, day, seats in rows.values_list(
                "pk", "organization_id", "go_live_date", "licensed_user_count"
            )
        ],
        schema={
            "client_id": pl.String,
            "organization_id": pl.String,
            "go_live_date": pl.Date,
            "licensed_user_count": pl.Int64,
        },
        orient="row",
    )
    terms = ContractPeriod.objects.order_by().values_list("client_id", "start_date", "licensed_user_count")
    seats = pl.DataFrame(
        [(client_id.hex, start, count) for client_id, start, count in terms],
        schema={"client_id": pl.String, "start_date": pl.Date, "licensed_user_count": pl.Int64},
        orient="row",
    )
    first: date = use["date"].min()  # type: ignore[assignment]
    found = time_to_value(clients, use, seats, facts_from=first)
    return {UUID(client_id): days for client_id, days in found.iter_rows()}


def _store_values(values: Values, day: date) -> int:
    """Store the values of the night; what clients count as is fixed for the month (models.ClientMetrics)."""
    month = day.replace(day=1)
    kept = {row.client_id: row for row in ClientMetrics.objects.all()}
    active = set(Client.objects.active().values_list("pk", flat=True))
    counted = sum(1 for row in kept.values() if row.attributes)
    anew = all(row.attributes_on < month for row in kept.values()) or len(active) > GROWN * counted
    attributes = attributes_of(day) if anew else {}
    rows = []
    for client_id in sorted(active | (set() if anew else kept.keys())):
        before = kept.get(client_id)
        if client_id in active:
            metrics = {name: to_stored(value) for name, value in values.get(client_id, {}).items()}
        else:
            metrics = before.values if before else {}
        fixed = before if not anew else None
        rows.append(
            ClientMetrics(
                client_id=client_id,
                date=day,
                values=metrics,
                attributes=fixed.attributes if fixed else attributes.get(client_id, {}) if anew else {},
                attributes_on=fixed.attributes_on if fixed else day,
            )
        )
    if anew:
        ClientMetrics.objects.exclude(client_id__in=active).delete()
    ClientMetrics.objects.bulk_create(
        rows,
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["client"],
        update_fields=["date", "values", "attributes", "attributes_on"],
    )
    return len(rows)


def _month_roster() -> tuple[list[UUID], Roster]:
    rows = list(ClientMetrics.objects.order_by("client_id").values_list("client_id", "attributes"))
    return [client_id for client_id, _ in rows], roster_of([attributes for _, attributes in rows])


def _roster_of_all() -> tuple[list[UUID], Roster]:
    """Return all clients, those that have left too, as what they are now: the past is not what survived."""
    found = attributes_of(date.max, archived=True)
    return list(found), roster_of(list(found.values()))


def _store_groups(values: Values, clients: tuple[list[UUID], Roster], day: date) -> int:
    ids, roster = clients
    columns = columns_of([values.get(client_id, {}) for client_id in ids])
    if (day == _newest_night()) and ids:
        kept = dict(ClientMetrics.objects.values_list("client_id", "values"))
        columns = columns_of([kept.get(client_id, {}) for client_id in ids])
    masks = {group_key(group): roster.of(group) for group in family(roster) if len(group) < 2}
    masks |= {f"custom:{key}": filters.mask(roster) for key, filters in _saved().items()}
    figures = (_figure(key, metric, columns[metric][mask], day) for key, mask in masks.items() for metric in STORED)
    rows = [row for row in figures if row is not None]
    with transaction.atomic():
        PeerBenchmark.objects.filter(date=day).delete()
        PeerBenchmark.objects.bulk_create(rows, batch_size=AT_ONCE)
    return len(rows)


def columns_of(values: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
    """Return stored values as one array a metric, in the same order; NaN where there is none."""
    return {name: np.array([from_stored(one.get(name)) for one in values], np.float64) for name in STORED}


def _figure(group: str, metric: str, values: Floats, day: date) -> PeerBenchmark | None:
    found = spread(values)
    if found is None:
        return None
    lowest, p25, median, p75, highest = (
        value if np.isfinite(value) else None
        for value in (found.lowest, found.p25, found.median, found.p75, found.highest)
    )
    return PeerBenchmark(
        group=group[:250],
        metric=metric,
        date=day,
        peers=found.peers,
        p25=p25,
        median=median,
        p75=p75,
        mean=found.mean,
        lowest=lowest,
        highest=highest,
    )


def _saved() -> dict[str, Filters]:
    found = {}
    for key, filters in Cohort.objects.filter(archived_at__isnull=True).values_list("pk", "filters"):
        try:
            found[str(key)] = read_filters(filters)
        except InvalidInputError:  # a band or attribute of an older version
            continue
    return found


def _newest_night() -> date | None:
    found: date | None = ClientMetrics.objects.order_by("-date").values_list("date", flat=True).first()
    return found


def _missing_months(day: date) -> Iterable[date]:
    """Return the last scored day of each earlier month, of MONTHS_BACK, that has no figures yet."""
    oldest = date(day.year - MONTHS_BACK // 12, day.month, 1)
    dates = HealthScore.objects.filter(scorecard=main_scorecard(), date__gte=oldest, date__lt=day.replace(day=1))
    last: dict[tuple[int, int], date] = {}
    for one in dates.order_by("date").values_list("date", flat=True).distinct():
        last[one.year, one.month] = one
    there = {(one.year, one.month) for one in PeerBenchmark.objects.values_list("date", flat=True).distinct()}
    return [one for month, one in sorted(last.items()) if month not in there]


def _thin_out(day: date) -> None:
    """Of figures older than DAILY_FOR only the last night of a month stays."""
    old = PeerBenchmark.objects.filter(date__lt=day - DAILY_FOR).order_by("date").values_list("date", flat=True)
    dates = list(old.distinct())
    last = {(one.year, one.month): one for one in dates}
    gone = [one for one in dates if last[one.year, one.month] != one]
    if gone:
        PeerBenchmark.objects.filter(date__in=gone).delete()
