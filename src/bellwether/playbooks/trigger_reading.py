"""Reads what triggers and conditions ask of: a fixed number of queries, whatever the number of clients."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings
from django.db.models import Max

from bellwether.alerts.choices import AlertStatus
from bellwether.alerts.models import Alert
from bellwether.common.time import day_of
from bellwether.health.configs import main_scorecard
from bellwether.health.engine import CERTAIN_COVERAGE
from bellwether.health.models import HealthScore
from bellwether.health.rows import read_frame
from bellwether.health.scorecard import load_scorecard
from bellwether.milestones.models import Milestone
from bellwether.playbooks.definition import Condition, Definition
from bellwether.playbooks.frames import (
    ALERTS,
    CLIENTS,
    MEASURES,
    MILESTONES,
    SCORES,
    SEGMENTS,
    Schema,
    TriggerFacts,
    empty,
)
from bellwether.playbooks.models import ClientSegment
from bellwether.playbooks.triggers import HISTORY_DAYS
from bellwether.playbooks.vocabulary import MEASURE
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod

LOGIN_MEASURE = "days_since_login"
TELLING = (AlertStatus.NEW, AlertStatus.ACKNOWLEDGED, AlertStatus.SNOOZED)


def read_trigger_facts(definitions: Iterable[Definition], *, today: date) -> TriggerFacts:
    """Return what the triggers, conditions and steps of `definitions` ask of, on the workspace day `today`.

    Clients that are archived or that churned are left out. At most twelve queries.
    """
    known = list(definitions)
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    kinds = {one.trigger.kind for one in known}
    looking_back = max((one.trigger.within_days for one in known if one.trigger.kind == "band"), default=0)
    measures = {name for one in known for name in measures_of(_conditions(one))}
    inputs = _inputs({LOGIN_MEASURE, *measures})
    return TriggerFacts(
        today=today,
        clients=_clients(today, zone, inputs),
        alerts=_alerts() if "alert" in kinds else empty(ALERTS),
        scores=_scores(today, looking_back) if "band" in kinds else empty(SCORES),
        segments=_segments() if "segment" in kinds else empty(SEGMENTS),
        milestones=_milestones() if "milestone" in kinds else empty(MILESTONES),
        measures=inputs.filter(pl.col("measure").is_in(sorted(measures))),
    )


def measures_of(conditions: Iterable[Condition]) -> set[str]:
    """Return the measures that conditions ask, without their prefix."""
    return {one.field.removeprefix(MEASURE) for one in conditions if one.field.startswith(MEASURE)}


def _conditions(definition: Definition) -> Sequence[Condition]:
    return [*definition.conditions, *(step.when for step in definition.steps if step.when)]


def _clients(today: date, zone: ZoneInfo, inputs: pl.DataFrame) -> pl.DataFrame:
    gone = _gone(today)
    tags: dict[UUID, list[str]] = {}
    through = Client.tags.through.objects
    for client_id, name in through.values_list("client_id", "tag__name"):
        tags.setdefault(client_id, []).append(name)
    since = {client: int(value) for client, measure, value in inputs.iter_rows() if measure == LOGIN_MEASURE}
    fields = (
        "pk", "name", "country", "contract_tier", "annual_recurring_revenue", "current_health_score", "health_status",
        "industry", "region", "segment", "csm_user__email", "next_renewal_date", "contract_start_date", "go_live_date",
        "last_activity_at", "last_csm_contact_at", "scored_on",
    )  # fmt: skip
    rows = []
    for row in Client.objects.active().exclude(pk__in=gone).order_by("name", "pk").values_list(*fields):
        pk, name, country, tier, arr, score, status, industry, region, segment, csm, renewal = row[:12]
        start, live, activity, contact, scored_on = row[12:]
        login = day_of(activity, zone) if activity else None
        if pk.hex in since and scored_on is not None:
            measured = scored_on - timedelta(days=since[pk.hex])
            login = max(login, measured) if login else measured
        spoken = day_of(contact, zone) if contact else None
        money = float(arr) if arr is not None else None
        rows.append(
            (pk.hex, name, country, tier, money, score, status, industry, region, segment, tags.get(pk, []),
             csm.lower() if csm else None, renewal, start, live, login, spoken)
        )  # fmt: skip
    return pl.DataFrame(rows, schema=CLIENTS, orient="row")


def _gone(today: date) -> Collection[UUID]:
    """Return clients that churned and have no later term."""
    churned = dict(
        ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED, date__lte=today)
        .order_by("date")
        .values_list("client_id", "date")
    )
    terms = ContractPeriod.objects.filter(client_id__in=churned).order_by().values_list("client_id", "start_date")
    back = {pk for pk, start in terms if start > churned[pk]}
    return churned.keys() - back


def _alerts() -> pl.DataFrame:
    found = Alert.objects.filter(ended_on__isnull=True, is_silent=False, status__in=TELLING).order_by("pk")
    rows = found.values_list(
        "pk", "client_id", "alert_type", "severity", "opened_on", "title", "related_entity_type", "related_entity_id"
    )
    return pl.DataFrame([(pk.hex, client.hex, *rest) for pk, client, *rest in rows], schema=ALERTS, orient="row")


def _scores(today: date, looking_back: int) -> pl.DataFrame:
    first = today - timedelta(days=looking_back + HISTORY_DAYS)
    rows = HealthScore.objects.filter(
        scorecard=main_scorecard(), date__gte=first, date__lte=today, overall_score__isnull=False
    ).order_by("client_id", "date")
    schema: Schema = {**{name: SCORES[name] for name in ("client_id", "date", "score")}, "coverage": pl.Float64}
    frame = read_frame(rows, schema, {"score": "overall_score"})
    limits = load_scorecard(main_scorecard()).thresholds
    score = pl.col("score")
    status = (
        pl.when((score >= limits.healthy) & (pl.col("coverage") >= CERTAIN_COVERAGE - 1e-9))
        .then(pl.lit("HEALTHY"))
        .when(score >= limits.monitor)
        .then(pl.lit("MONITOR"))
        .when(score >= limits.at_risk)
        .then(pl.lit("AT_RISK"))
        .otherwise(pl.lit("CRITICAL"))
    )
    return frame.with_columns(status=status).select(list(SCORES))


def _segments() -> pl.DataFrame:
    rows = ClientSegment.objects.filter(entered_on__isnull=False).order_by("pk")
    found = [(pk.hex, segment, on) for pk, segment, on in rows.values_list("pk", "segment", "entered_on")]
    return pl.DataFrame(found, schema=SEGMENTS, orient="row")


def _milestones() -> pl.DataFrame:
    rows = Milestone.objects.order_by("pk").values_list("client_id", "milestone_type", "name", "achieved_on")
    return pl.DataFrame([(pk.hex, *rest) for pk, *rest in rows], schema=MILESTONES, orient="row")


def _inputs(names: Collection[str]) -> pl.DataFrame:
    """Return measures and components of each client's newest main score, as far as they are numbers."""
    card = main_scorecard()
    last = HealthScore.objects.filter(scorecard=card).aggregate(last=Max("date"))["last"]
    if last is None:
        return empty(MEASURES)
    rows = HealthScore.objects.filter(scorecard=card, date=last).order_by("client_id")
    found = []
    for pk, inputs, components in rows.values_list("client_id", "inputs", "components"):
        known = {**components, **inputs}
        found += [
            (pk.hex, name, float(known[name]))
            for name in names
            if isinstance(known.get(name), int | float) and not isinstance(known[name], bool)
        ]
    return pl.DataFrame(found, schema=MEASURES, orient="row")


def keep_segments(*, today: date) -> int:
    """Note since when clients are in their segments and return how many entered another one.

    A client that is seen for the first time has no day: nobody knows since when. The first look never tells.
    """
    known = {row.pk: row for row in ClientSegment.objects.all()}
    now_in = dict(Client.objects.active().order_by().values_list("pk", "segment"))
    first_look = not known
    new = [
        ClientSegment(pk=pk, segment=segment, entered_on=None if first_look or not segment else today)
        for pk, segment in now_in.items()
        if pk not in known
    ]
    moved = [known[pk] for pk, segment in now_in.items() if pk in known and known[pk].segment != segment]
    for row in moved:
        row.segment, row.entered_on = now_in[row.pk], today
    ClientSegment.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    ClientSegment.objects.bulk_update(moved, ["segment", "entered_on"], batch_size=500)
    return len(moved)
