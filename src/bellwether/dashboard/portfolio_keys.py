"""The key figures above the list: clients, at risk, average health, ARR at risk, with what they are compared to."""

from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.common.rounding import half_up
from bellwether.dashboard.portfolio_figures import MONTH, WEEK, Day, Portfolio
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.choices import HealthStatus
from bellwether.web.formatting import Delta, Spark, change, percent, short_money, spark

WORST_LAST = (*HealthStatus.values, None)


@dataclass(frozen=True)
class Figure:
    """One key figure: `figure` None means not available, `reason` why. `status` colours the end of the line."""

    label: str
    figure: str | None
    unit: str
    change: Delta | None
    note: str
    href: str
    line: Spark | None = None
    status: str | None = None
    parts: tuple[tuple[str | None, int], ...] = ()
    parts_label: str = ""
    reason: str = ""


def key_figures(whole: Portfolio, history: dict[date, Day], scorecard: Scorecard) -> list[Figure]:
    """Return the four key figures of the page with their comparison and their line over the last quarter."""
    latest = whole.scored_on
    days = [history[day] for day in sorted(history)]
    before = history.get(latest - timedelta(days=WEEK)) if latest else None
    month_ago = history.get(latest - timedelta(days=MONTH)) if latest else None
    weekly = [found for found in days if latest and (latest - found.day).days % WEEK == 0]
    now = history.get(latest) if latest else None
    return [
        _clients_figure(whole),
        Figure(
            "At risk or critical",
            f"{whole.at_risk:,}" if latest else None,
            "",
            change(now.at_risk - before.at_risk, better="down") if now and before else None,
            "since last week" if now and before else "no week to compare with" if latest else "",
            "?view=at_risk",
            spark([found.at_risk for found in weekly], width=120, height=36),
            "AT_RISK",
            reason="No client has been scored yet.",
        ),
        _average_figure(whole, now, month_ago, weekly, scorecard),
        Figure(
            "ARR at risk",
            short_money(whole.arr_at_risk) if latest else None,
            "",
            None,
            f"{percent(float(whole.arr_at_risk / whole.arr), 1)} of {short_money(whole.arr)}"
            if whole.arr
            else "no contract has an ARR",
            "?view=at_risk&sort=-arr",
            spark([float(found.arr_at_risk) / (float(whole.arr) or 1) * 100 for found in weekly], width=120, height=36),
            "CRITICAL",
            reason="No client has been scored yet.",
        ),
    ]


def _clients_figure(whole: Portfolio) -> Figure:
    parts = tuple((status, whole.by_status[status]) for status in WORST_LAST)
    words: dict[str | None, str] = {status.value: status.label.lower() for status in HealthStatus}
    words[None] = "not scored"
    return Figure(
        "Clients",
        f"{whole.total:,}",
        "",
        change(whole.new_this_month) if whole.new_this_month else None,
        "this month" if whole.new_this_month else "none new this month",
        "?",
        parts=parts,
        parts_label=", ".join(f"{count} {words[status]}" for status, count in parts if count),
    )


def _average_figure(
    whole: Portfolio, now: Day | None, month_ago: Day | None, weekly: list[Day], scorecard: Scorecard
) -> Figure:
    moved = None
    if now and month_ago and now.average is not None and month_ago.average is not None:
        moved = half_up(now.average) - half_up(month_ago.average)
    limits = scorecard.thresholds
    average = whole.average
    status = None
    if average is not None:
        bands = ((limits.healthy, "HEALTHY"), (limits.monitor, "MONITOR"), (limits.at_risk, "AT_RISK"))
        status = next((word for minimum, word in bands if average >= minimum), "CRITICAL")
    return Figure(
        "Average health",
        None if average is None else f"{half_up(average)}",
        "of 100",
        None if moved is None else change(moved, better="up"),
        "since last month" if moved is not None else "no month to compare with" if average is not None else "",
        "?sort=score",
        spark([found.average for found in weekly], width=120, height=36),
        status,
        reason="No client has been scored yet.",
    )
