"""Reads what milestones are found in: facts month by month, scores and records in a fixed number of queries."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl
from django.db.models import FloatField, Min, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from bellwether.common.time import day_of
from bellwether.health.configs import main_scorecard
from bellwether.health.loading import workspace_settings
from bellwether.health.models import HealthScore
from bellwether.health.rows import read_frame
from bellwether.milestones.detecting import measure_key, selections_of
from bellwether.milestones.frames import (
    CLIENT_DAYS,
    CLIENTS,
    COUNTS,
    HAPPENINGS,
    MODULES,
    SCORES,
    SEATS,
    STARTS,
    VALUES,
    Facts,
    empty,
    typed,
)
from bellwether.milestones.rules import Kind, Rule
from bellwether.portfolio.choices import OutcomeKind, SurveyKind
from bellwether.portfolio.models import Activity, Client, ClientOutcome, ContractPeriod, SurveyResponse
from bellwether.usage.calendar import last_of
from bellwether.usage.event_match import EventMatch
from bellwether.usage.facts import read_month, stored_months
from bellwether.usage.kept import FACTS, kept_from
from bellwether.usage.lake import Lake
from bellwether.usage.workspace import workspace_lake

SAME_RENEWAL_DAYS = 14
RECENT_DAYS = 35
EVENT_COLUMNS = ("organization_id", "date", "event", "module", "feature", "is_service", "events")
KIND = ["event", "module", "feature", "is_service"]


def read_all(rules: Sequence[Rule], *, today: date, zone: ZoneInfo, whole: bool = True) -> Facts:
    """Return everything that `rules` look at, for all clients and days up to `today`; nothing else is read.

    Unless `whole`, scores are read from as many days ago as a row of days takes, and RECENT_DAYS: enough after a run
    that looked at all of them. The facts of use are always read from their beginning.
    """
    kinds = {rule.kind for rule in rules}
    longest = max((rule.days for rule in rules if rule.kind == Kind.HEALTH_STREAK), default=0)
    since = None if whole else today - timedelta(days=longest + RECENT_DAYS)
    scored = bool(kinds & {Kind.HEALTH_STREAK, Kind.COMPONENT, Kind.MEASURE})
    lake = workspace_lake()
    counts, modules = (
        _events(lake, rules, today) if kinds & {Kind.USES, Kind.MODULES} else (empty(COUNTS), empty(MODULES))
    )
    return Facts(
        clients=_clients(zone),
        counts=counts,
        client_days=_client_days(lake, today) if Kind.SEAT_USE in kinds else empty(CLIENT_DAYS),
        seats=_seats() if Kind.SEAT_USE in kinds else empty(SEATS),
        modules=modules,
        scores=_scores(since) if Kind.HEALTH_STREAK in kinds else empty(SCORES),
        values=_values([rule for rule in rules if rule.kind in {Kind.COMPONENT, Kind.MEASURE}], since),
        starts=_starts() if scored else empty(STARTS),
        happenings=_happenings(rules, today, zone),
        facts_from=_facts_from(lake),
        today=today,
    )


def _clients(zone: ZoneInfo) -> pl.DataFrame:
    fields = ("contract_start_date", "go_live_date", "licensed_user_count", "licensed_modules", "archived_at")
    left = _left()
    found = []
    for pk, organization, start, live, seats, modules, archived in Client.objects.order_by().values_list(
        "pk", "organization_id", *fields
    ):
        ends = [on for on in (left.get(pk), day_of(archived, zone) if archived else None) if on]
        names = [str(name) for name in modules or []]
        found.append((pk.hex, organization, start, live, seats, names, min(ends, default=None)))
    return pl.DataFrame(found, schema=CLIENTS, orient="row")


def _left() -> dict[UUID, date]:
    """Return when clients churned, without those that have a later term."""
    churned = ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED).order_by("date")
    left = dict(churned.values_list("client_id", "date"))
    terms = ContractPeriod.objects.filter(client_id__in=left).order_by().values_list("client_id", "start_date")
    back = {pk for pk, start in terms if start > left[pk]}
    return {pk: on for pk, on in left.items() if pk not in back}


def _facts_from(lake: Lake) -> date | None:
    months = stored_months(lake, "event_days")
    if not months:
        return None
    first = read_month(lake, "event_days", months[0], columns=["date"])["date"].min()
    return first if isinstance(first, date) else None


def _events(lake: Lake, rules: Sequence[Rule], today: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return COUNTS of the selections of events that the rules count, and MODULES. One month is in memory at a time."""
    selections = selections_of(rules)
    module_of = workspace_settings().module_of_event if any(rule.kind == Kind.MODULES for rule in rules) else {}
    since = kept_from(lake, FACTS)
    counts, modules = [empty(COUNTS)], [empty(MODULES)]
    for month in stored_months(lake, "event_days"):
        rows = read_month(lake, "event_days", month, last=today, columns=EVENT_COLUMNS)
        if rows.is_empty():
            continue
        kinds = rows.select(KIND).unique()
        chosen = [
            (selection, *kind)
            for kind in kinds.iter_rows()
            for (events, people_only), selection in selections.items()
            if not (people_only and kind[3]) and _fits(kind, events)
        ]
        if chosen:
            wanted = pl.DataFrame(
                chosen, schema={"selection": pl.Int64, **{name: rows.schema[name] for name in KIND}}, orient="row"
            )
            summed = (
                rows.join(wanted, on=KIND, nulls_equal=True)
                .group_by("selection", "organization_id", "date")
                .agg(pl.col("events").sum())
            )
            counts.append(typed(summed.with_columns(_folded_to(month, since)), COUNTS))
        if any(rule.kind == Kind.MODULES for rule in rules):
            named = pl.coalesce(
                pl.col("module"), pl.col("event").replace_strict(module_of, default=None, return_dtype=pl.String)
            )
            used = rows.filter(~pl.col("is_service")).select("organization_id", "date", module=named.str.to_lowercase())
            modules.append(_first_days(used))
    return pl.concat(counts), _first_days(pl.concat(modules))


def _fits(kind: tuple[str, str | None, str | None, bool], events: Iterable[EventMatch]) -> bool:
    event, module, feature, _ = kind
    wanted = list(events)
    return not wanted or any(
        match.event in ("", event) and match.module in ("", module) and match.feature in ("", feature)
        for match in wanted
    )


def _folded_to(month: str, since: date | None) -> pl.Expr:
    """Return the last day for which a row of a folded month may stand; null for rows of one day."""
    last = last_of(month)
    if since is None:
        return pl.lit(None, dtype=pl.Date).alias("folded_to")
    end = min(last, since - timedelta(days=1))
    return pl.when(pl.col("date") < since).then(pl.lit(end)).otherwise(None).alias("folded_to")


def _first_days(rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.filter(pl.col("module").is_not_null() & (pl.col("module") != ""))
    return named.group_by("organization_id", "module").agg(pl.col("date").min()).select(list(MODULES))


def _client_days(lake: Lake, today: date) -> pl.DataFrame:
    since = kept_from(lake, FACTS)
    folded = pl.col("date") < since if since else pl.lit(False)
    months = [
        read_month(lake, "client_days", month, last=today, columns=("organization_id", "date", "mau")).with_columns(
            folded.alias("folded")
        )
        for month in stored_months(lake, "client_days")
    ]
    return pl.concat([empty(CLIENT_DAYS), *months])


def _seats() -> pl.DataFrame:
    rows = ContractPeriod.objects.order_by().values_list("client_id", "start_date", "licensed_user_count")
    return pl.DataFrame([(pk.hex, start, seats) for pk, start, seats in rows], schema=SEATS, orient="row")


def _main_scores(since: date | None) -> QuerySet[HealthScore]:
    found: QuerySet[HealthScore] = HealthScore.objects.filter(scorecard=main_scorecard()).order_by()
    return found.filter(date__gte=since) if since else found


def _scores(since: date | None) -> pl.DataFrame:
    return read_frame(_main_scores(since).filter(overall_score__isnull=False), SCORES, {"score": "overall_score"})


def _starts() -> pl.DataFrame:
    rows = _main_scores(None).values_list("client_id").annotate(first=Min("date"))
    return pl.DataFrame([(pk.hex, on) for pk, on in rows], schema=STARTS, orient="row")


def _values(rules: Sequence[Rule], since: date | None) -> pl.DataFrame:
    """Return what the rules ask of the components and inputs of stored scores."""
    parts = [empty(VALUES)]
    for key, rule in {measure_key(rule): rule for rule in rules}.items():
        column = "components" if rule.kind == Kind.COMPONENT else "inputs"
        schema = {name: VALUES[name] for name in ("client_id", "date", "value")}
        value = Cast(KeyTextTransform(rule.measure, column), FloatField())
        rows = read_frame(_main_scores(since).filter(**{f"{column}__has_key": rule.measure}), schema, {"value": value})
        parts.append(rows.with_columns(measure=pl.lit(key)).select(list(VALUES)))
    return pl.concat(parts)


def _happenings(rules: Sequence[Rule], today: date, zone: ZoneInfo) -> pl.DataFrame:
    kinds = {rule.kind for rule in rules}
    rows: list[tuple[str, str, date, float | None]] = []
    if Kind.RENEWAL in kinds:
        rows += _renewals(today)
    if Kind.NPS in kinds:
        answers = SurveyResponse.objects.filter(kind=SurveyKind.NPS).order_by()
        rows += [
            (pk.hex, "nps", day_of(at, zone), score)
            for pk, at, score in answers.values_list("client_id", "answered_at", "score")
        ]
    types = sorted({rule.activity for rule in rules if rule.kind == Kind.ACTIVITY})
    if types:
        done = Activity.objects.filter(activity_type__in=types, completed_at__isnull=False, archived_at__isnull=True)
        rows += [
            (pk.hex, f"activity:{kind}", day_of(at, zone), None)
            for pk, kind, at in done.order_by().values_list("client_id", "activity_type", "occurred_at")
        ]
    return pl.DataFrame(rows, schema=HAPPENINGS, orient="row")


def _renewals(today: date) -> list[tuple[str, str, date, float | None]]:
    """Return each renewal: outcomes that say so, and further terms of a contract that no outcome tells about."""
    told: dict[object, list[date]] = {}
    found: list[tuple[str, str, date, float | None]] = []
    for pk, outcome, on in ClientOutcome.objects.order_by("date").values_list("client_id", "outcome", "date"):
        if outcome != OutcomeKind.CHURNED:
            told.setdefault(pk, []).append(on)
        if outcome == OutcomeKind.RENEWED:
            found.append((pk.hex, "renewal", on, None))
    seen: set[object] = set()
    for pk, start in ContractPeriod.objects.order_by("client_id", "start_date").values_list("client_id", "start_date"):
        first = pk not in seen
        seen.add(pk)
        if first or any(abs((start - on).days) <= SAME_RENEWAL_DAYS for on in told.get(pk, ())):
            continue
        found.append((pk.hex, "renewal", start, None))
    return [row for row in found if row[2] <= today]
