"""The card with the scorecards of a client side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.common.rounding import half_up
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.explanations import LEVELS
from bellwether.health.details import product_status, product_trend, scorecard_of, trend_period
from bellwether.health.levels import level_of
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import Scorecard
from bellwether.health.scorecard_agreement import Verdict, disagreement
from bellwether.health.scorecards_in_use import scorecards_in_use, title_of
from bellwether.portfolio.models import Client
from bellwether.web.formatting import DASH, Delta, Spark, Status, day, number, percent, spark, status_of, trend

SPARK_DAYS = 90


@dataclass(frozen=True)
class PartItem:
    """A component: value as the scorecard gives it, and as 0-100 for the meter; None without data."""

    label: str
    weight: str
    value: str
    bar: int | None
    status: str


@dataclass(frozen=True)
class ScorecardItem:
    """What one scorecard says. `word` is its own status word, `reason` why there is no score."""

    name: str
    title: str
    is_main: bool
    score: str
    reason: str
    status: Status
    word: str
    change: Delta | None
    period: str
    spark: Spark | None
    parts: list[PartItem]
    coverage: str
    on: str
    version: str
    href: str
    trend_href: str


@dataclass(frozen=True)
class ScorecardsCard:
    """The scorecards in use, the main one first, and where they disagree most."""

    items: list[ScorecardItem]
    sentence: str


def scorecards_card(client: Client, *, address: Address, last: date, today: date) -> ScorecardsCard | None:
    """Return the card; None where the workspace has one scorecard only. Two queries, and one for each version."""
    names = scorecards_in_use()
    if len(names) == 1:
        return None
    lines = read.score_lines(client, names, since=last - timedelta(days=SPARK_DAYS))
    rows = read.newest_rows(client, {name: line[-1][0] for name, line in lines.items() if line})
    made = [_item(name, rows.get(name), lines.get(name, []), name == names[0], address, today) for name in names]
    return ScorecardsCard([item for item, _ in made], disagreement([verdict for _, verdict in made]))


def _item(
    name: str,
    row: HealthScore | None,
    line: Sequence[tuple[date, int | None]],
    is_main: bool,
    address: Address,
    today: date,
) -> tuple[ScorecardItem, Verdict]:
    title = title_of(name)
    kept = {"scorecard": None if is_main else name, "component": None, "on": None}
    trend_href = address.with_(**kept, explain=None, since=None) + "#trend"
    if row is None:
        reason = "Not scored yet. The next run of scoring makes its score; `bellwether recompute` makes its history."
        none = ScorecardItem(
            name, title, is_main, "N/A", reason, status_of(None), "", None, "", None, [], "", "", "", "", trend_href
        )
        return none, Verdict(title, None, "")
    card = scorecard_of(row, name)
    parts = [_part(component.key, card, row) for component in card.components]
    word = row.status.replace("_", " ").capitalize()
    item = ScorecardItem(
        name=name,
        title=title,
        is_main=is_main,
        score="N/A" if row.overall_score is None else str(row.overall_score),
        reason=row.no_score_reason if row.overall_score is None else "",
        status=status_of(product_status(row.overall_score, row.coverage, card)),
        word=word,
        change=_change(row),
        period=trend_period(card)[0],
        spark=spark([score for _, score in line], width=200, height=36),
        parts=parts,
        coverage=percent(row.coverage),
        on=day(row.date, today),
        version=row.weights_version,
        href=address.with_(**kept, explain=row.date.isoformat(), since=None) + "#explained",
        trend_href=trend_href,
    )
    known = tuple((part.label, part.bar) for part in parts if part.bar is not None)
    return item, Verdict(title, row.overall_score, word.lower(), known)


def _part(key: str, card: Scorecard, row: HealthScore) -> PartItem:
    component = next(one for one in card.components if one.key == key)
    weights: Mapping[str, float] = row.weights_snapshot
    weight = float(weights.get(key, component.weight))
    value = row.components.get(key)
    top = weight if card.points else 100.0
    bar = None if value is None or not top else half_up(min(100.0, max(0.0, 100 * float(value) / top)))
    return PartItem(
        label=component.label,
        weight=f"{number(weight)}{' pts' if card.points else '%'}",
        value=DASH if value is None else number(half_up(float(value))),
        bar=bar,
        status="na" if bar is None else LEVELS[level_of(bar)][0],
    )


def _change(row: HealthScore) -> Delta | None:
    word = product_trend(row)
    return trend(row.trend_change, word) if word is not None and row.trend_change is not None else None
