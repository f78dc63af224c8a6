"""The health of one client, put together from its newest stored score."""

from collections.abc import Sequence
from datetime import date

from bellwether.common.rounding import half_up
from bellwether.health.api_schemas import ComponentOut, HealthDay, Step
from bellwether.health.configs import config_of, main_scorecard
from bellwether.health.engine import CERTAIN_COVERAGE
from bellwether.health.levels import Level, level_of
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import Scorecard, load_scorecard
from bellwether.portfolio.choices import HealthStatus, HealthTrend
from bellwether.portfolio.models import Client

UP_WORDS, DOWN_WORDS = {"UP", "IMPROVING"}, {"DOWN", "DECLINING"}
PRD_COMPONENTS = ("usage", "adoption", "support", "relationship", "contract", "outcome")


def scorecard_of(row: HealthScore | None, scorecard: str = "") -> Scorecard:
    """Return the version of the scorecard that a stored score names; `scorecard` as shipped if there is none."""
    config = config_of(row.weights_version) if row else None
    return config.scorecard if config else load_scorecard(scorecard or main_scorecard())


def newest_score(client: Client, scorecard: str = "") -> HealthScore | None:
    """Return the newest score of `client` on `scorecard`, the main one for "", None if it was never scored."""
    scores = HealthScore.objects.filter(client=client, scorecard=scorecard or main_scorecard())
    newest: HealthScore | None = scores.order_by("-date").first()
    return newest


def components(row: HealthScore, scorecard: Scorecard) -> dict[str, ComponentOut]:
    """Return the components of a stored score, in the scorecard's order, with the weights it was made with."""
    order = [component.key for component in scorecard.components]
    keys = sorted(row.components, key=lambda key: (order.index(key) if key in order else len(order), key))
    rounded = rounded_components(row)
    return {
        key: ComponentOut(
            score=rounded[key],
            weight=float(row.weights_snapshot.get(key, scorecard.weights.get(key, 0))),
            status=_level(row, key, scorecard),
        )
        for key in keys
    }


def _level(row: HealthScore, key: str, scorecard: Scorecard) -> Level | None:
    """Return the level of a component; of a points scorecard that of its share of the top."""
    value = row.components[key]
    top = float(row.weights_snapshot.get(key, 0)) if scorecard.points else 100.0
    return None if value is None or not top else level_of(half_up(min(100.0, 100 * float(value) / top)))


def rounded_components(row: HealthScore) -> dict[str, int | None]:
    """Return the component scores of a row, half-up; None without data."""
    return {key: None if value is None else half_up(float(value)) for key, value in row.components.items()}


def product_status(score: int | None, coverage: float, scorecard: Scorecard) -> HealthStatus | None:
    """Return the product's band of a score; not better than monitor while coverage is under 50 %."""
    limits = scorecard.thresholds
    if score is None:
        return None
    if score >= limits.healthy and coverage >= CERTAIN_COVERAGE - 1e-9:
        return HealthStatus.HEALTHY
    if score >= limits.monitor:
        return HealthStatus.MONITOR
    return HealthStatus.AT_RISK if score >= limits.at_risk else HealthStatus.CRITICAL


def status_of(row: HealthScore, scorecard: Scorecard) -> HealthStatus | None:
    """Return the product's band of a stored score."""
    return product_status(row.overall_score, row.coverage, scorecard)


def last_of_each(days: Sequence[date], step: Step) -> list[date]:
    """Return the last of `days` (ascending) in each day, week (from Monday) or month."""
    last = {_period(day, step): day for day in days}
    return list(last.values())


def _period(day: date, step: Step) -> tuple[int, ...]:
    if step is Step.MONTH:
        return day.year, day.month
    return tuple(day.isocalendar()[:2]) if step is Step.WEEK else (day.toordinal(),)


def product_trend(row: HealthScore) -> HealthTrend | None:
    """Return UP, DOWN or FLAT for the scorecard's own word; None without a score."""
    if row.overall_score is None or not row.trend:
        return None
    if row.trend in UP_WORDS:
        return HealthTrend.UP
    return HealthTrend.DOWN if row.trend in DOWN_WORDS else HealthTrend.FLAT


def trend_period(scorecard: Scorecard) -> tuple[str, int]:
    """Return the scorecard's trend window as words and in days."""
    if scorecard.trend.against == "previous":
        return "previous score", 1
    return f"{scorecard.trend.days} days", scorecard.trend.days


def health_days(rows: Sequence[HealthScore]) -> list[HealthDay]:
    """Return stored scores as days of the history; each version of a scorecard is looked up once."""
    versions = {row.weights_version: row for row in rows}
    scorecards = {version: scorecard_of(row) for version, row in versions.items()}
    return [_health_day(row, scorecards[row.weights_version]) for row in rows]


def _health_day(row: HealthScore, scorecard: Scorecard) -> HealthDay:
    rounded = rounded_components(row)
    return HealthDay(
        date=row.date,
        overall_score=row.overall_score,
        health_status=product_status(row.overall_score, row.coverage, scorecard),
        **{f"{key}_score": rounded.get(key) for key in PRD_COMPONENTS},
        components=rounded,
        coverage=row.coverage,
        weights_version=row.weights_version,
        weights_snapshot=row.weights_snapshot,
        notable_events=row.notable_events,
    )
