"""Puts the views of analytics into the schemas of the API."""

from collections.abc import Mapping
from typing import cast
from uuid import UUID

from bellwether.analytics.api_schemas import (
    AnalyticsPortfolio,
    BreakdownRow,
    CsmMetrics,
    CsmMetricsRow,
    CsmMonth,
    CsmPerformance,
    Dimension,
    HealthDistribution,
    HealthPoint,
    LostClient,
    MovementOut,
    MovementsOut,
    PeriodOut,
    PeriodWord,
    PortfolioLevel,
    RateSpread,
    RenewalForecast,
    RenewalMonth,
    RenewalQuarterOut,
    RenewalRate,
    RetentionOut,
    ScoreBin,
    StatusCounts,
    VeiledCsm,
)
from bellwether.analytics.book import BANDS
from bellwether.analytics.churn_answers import expected, loss_out
from bellwether.analytics.churn_forecast import RenewalQuarter
from bellwether.analytics.csms import CsmView
from bellwether.analytics.executive import Asked, Executive, facts_of
from bellwether.analytics.figures import BIN, Level, Movement, TrendPoint
from bellwether.analytics.narrative import narrative
from bellwether.analytics.periods import Period
from bellwether.analytics.renewals import Month
from bellwether.analytics.retention import Retention
from bellwether.analytics.scorecard import CsmRow, Sight, Spread
from bellwether.analytics.values import value_name


def portfolio(view: Executive) -> AnalyticsPortfolio:
    """Return the answer about the portfolio."""
    by = view.asked.by
    return AnalyticsPortfolio(
        period=_period(view.asked.period),
        now=_level(view.now),
        before=_level(view.before) if view.before else None,
        retention=_retention(view.retention, known=view.retention_known),
        retention_before=_retention(view.retention_before, known=view.retention_known),
        by=cast(Dimension, by),
        breakdown=[
            BreakdownRow(
                value=str(UUID(hex=row.value)) if by == "csm" and row.value else row.value,
                label=value_name(by, row.value, view.names),
                now=_level(row.now),
                before=_level(row.before) if row.before else None,
            )
            for row in view.groups
        ],
        movements=MovementsOut(
            joined=_movement(view.moves.joined),
            left=_movement(view.moves.left),
            fell_to_at_risk=_movement(view.moves.fell),
            recovered=_movement(view.moves.rose),
            arr_grown=view.moves.grown,
            arr_shrunk=view.moves.shrunk,
        ),
        churn_forecast=expected(view.churn.loss, banded=view.churn.outlook.is_band) if view.churn else None,
        narrative=[one.text for one in narrative(facts_of(view))],
    )


def distribution(view: Executive) -> HealthDistribution:
    """Return the answer about scores."""
    before = view.bins_before
    return HealthDistribution(
        period=_period(view.asked.period),
        scored=view.now.scored,
        not_scored=view.now.clients - view.now.scored,
        by_status=_counts(view.now),
        bins=[
            ScoreBin(from_score=place * BIN, clients=count, clients_before=before[place] if before else None)
            for place, count in enumerate(view.bins)
        ],
        trend=_points(view.trend),
    )


def renewals(view: Executive) -> RenewalForecast:
    """Return the answer about renewals."""
    rates = []
    for group, cases in view.ended.items():
        rate = view.rates.get(group)
        rates.append(
            RenewalRate(
                status=group,
                terms=cases,
                renewed=rate.kept if rate else None,
                share=rate.share if rate else None,
                low=rate.low if rate else None,
                high=rate.high if rate else None,
            )
        )
    return RenewalForecast(
        quarters=[_quarter(one) for one in view.churn.quarters] if view.churn else [],
        months=[_month(one) for one in view.months],
        total=_month(view.year),
        overdue_clients=view.overdue_renewals.clients,
        rates=rates,
    )


def _quarter(one: RenewalQuarter) -> RenewalQuarterOut:
    return RenewalQuarterOut(
        name=one.name,
        first=one.first,
        last=one.last,
        clients=one.clients,
        arr=one.arr,
        arr_foretold=one.known,
        arr_far=one.far,
        expected_loss=loss_out(one.loss.arr, banded=one.is_band) if one.loss else None,
    )


def performance(asked: Asked, sight: Sight) -> CsmPerformance:
    """Return the answer about all CSMs."""
    return CsmPerformance(
        period=_period(asked.period),
        named=[_csm(row, asked.period.days) for row in sight.named],
        others=[
            VeiledCsm(
                label=row.label,
                nps=row.nps,
                health_change=row.health_change,
                activities_per_client=row.per_client,
                workload=row.workload,
            )
            for row in sight.others
        ],
        hidden=sight.hidden,
        spreads=_spreads(sight.spreads),
    )


def metrics(asked: Asked, view: CsmView) -> CsmMetrics:
    """Return the answer about one CSM."""
    return CsmMetrics(
        period=_period(asked.period),
        csm=_csm(view.row, asked.period.days),
        spreads=_spreads(view.spreads),
        trend=_points(view.trend),
        months=[CsmMonth(month=first, activities=counts) for first, counts in view.months],
        lost=[LostClient(id=UUID(hex=key), name=name, arr=arr, date=on) for name, key, arr, on in view.lost],
    )


def _period(period: Period) -> PeriodOut:
    return PeriodOut(
        period=cast(PeriodWord, period.kind),
        first=period.first,
        last=period.last,
        before=period.before,
        compared_from=period.earlier_first,
    )


def _counts(level: Level) -> StatusCounts:
    return StatusCounts(**{band: level.by_status[band] for band in BANDS}, NA=level.by_status[None])


def _level(level: Level) -> PortfolioLevel:
    return PortfolioLevel(
        clients=level.clients,
        scored=level.scored,
        average_health=level.average,
        by_status=_counts(level),
        arr=level.arr,
        at_risk=level.at_risk,
        arr_at_risk=level.arr_at_risk,
        arr_at_risk_share=level.risk_share,
    )


def _retention(found: Retention, *, known: bool) -> RetentionOut:
    return RetentionOut(
        since=found.since,
        until=found.until,
        clients=found.clients,
        lost=found.lost,
        arr_start=found.arr_start,
        arr_churned=found.arr_churned,
        arr_contraction=found.arr_contraction,
        arr_expansion=found.arr_expansion,
        gross=found.gross if known else None,
        net=found.net if known else None,
        logo=found.stayed if known else None,
        churn_rate=found.churn if known else None,
    )


def _movement(movement: Movement) -> MovementOut:
    ids = [UUID(hex=one.key) for one in movement.named]
    return MovementOut(clients=movement.clients, arr=movement.arr, client_ids=ids)


def _points(points: list[TrendPoint]) -> list[HealthPoint]:
    return [HealthPoint(date=p.day, clients=p.clients, p25=p.p25, median=p.median, p75=p.p75) for p in points]


def _month(month: Month) -> RenewalMonth:
    return RenewalMonth(
        first=month.first,
        last=month.last,
        clients=month.clients,
        arr=month.arr,
        arr_at_risk=month.arr_at_risk,
        arr_by_status={status or "NA": arr for status, arr in month.by_status.items()},
        expected=month.expected,
        low=month.low,
        high=month.high,
        by_own_probability=month.recorded,
        by_past_rate=month.by_rate,
        without_expectation=month.unknown,
    )


def _spreads(spreads: Mapping[str, Spread]) -> dict[str, RateSpread]:
    return {name: RateSpread(p25=s.p25, median=s.median, p75=s.p75, csms=s.of) for name, s in spreads.items()}


def _csm(row: CsmRow, days: int) -> CsmMetricsRow:
    return CsmMetricsRow(
        csm_id=UUID(hex=row.key),
        name=row.name,
        team=row.team,
        clients=row.now.clients,
        arr=row.now.arr,
        average_health=row.now.average,
        gross_retention=row.retention.gross,
        logo_retention=row.retention.stayed,
        nps=row.nps.value,
        nps_answers=row.nps.answers,
        health_change=row.health_change,
        activities=dict(row.activities),
        activities_per_client=row.per_client(days),
        overdue_follow_ups=row.overdue,
        expected_churned_arr=row.at_stake,
        alert_response_hours=row.alerts.median_hours if row.alerts else None,
        workload=row.workload,
    )
