"""The executive view in sentences. Pure: written by rules from figures as they are shown, so that every number in a
sentence stands on the page too."""

from collections.abc import Sequence
from dataclasses import dataclass

from bellwether.analytics.churn_forecast import Outlook
from bellwether.analytics.figures import Group, Level, Movements
from bellwether.analytics.renewals import Month
from bellwether.analytics.retention import Retention
from bellwether.churn.expected import Loss
from bellwether.common.rounding import half_up
from bellwether.web.formatting import number, percent, plural, short_money

MOST_NAMES = 3


@dataclass(frozen=True)
class Sentence:
    """A sentence and where its figures come from: `source` is the word of the link, `target` which rows it leads to."""

    text: str
    source: str
    target: str


@dataclass(frozen=True)
class Facts:
    """What the sentences are written from. `groups` are the rows of the breakdown that is shown, with their names."""

    now: Level
    before: Level | None
    retention: Retention
    retention_before: Retention
    retention_known: bool
    groups: Sequence[tuple[str, Group]]
    moves: Movements
    year: Month
    months: Sequence[Month]
    churn: Outlook | None = None


def narrative(facts: Facts) -> list[Sentence]:
    """Return the sentences, most important first; none for a book without clients."""
    if not facts.now.clients:
        return []
    found = [_health(facts), _risk(facts), _composition(facts), _retention(facts), _churn(facts), _renewals(facts)]
    return [sentence for sentence in found if sentence is not None]


def _health(facts: Facts) -> Sentence | None:
    now, before = facts.now, facts.before
    if now.average is None:
        return None
    level = half_up(now.average)
    if before is None or before.average is None:
        return Sentence(f"Average health is {level}; there are no earlier scores to compare with.", "Trend", "trend")
    change = level - half_up(before.average)
    if change == 0:
        return Sentence(f"Average health stayed at {level}.", "Trend", "trend")
    verb = "rose" if change > 0 else "fell"
    text = f"Average health {verb} {plural(abs(change), 'point')} to {level}"
    driver = _driver(facts, change)
    return Sentence(f"{text}{driver}.", "Trend", "trend")


def _driver(facts: Facts, change: int) -> str:
    """Return which group moved most clients' points the same way: "; Pro clients moved most, up 3 to 74"."""
    moved = []
    for name, group in facts.groups:
        if group.value and group.before and group.before.average is not None and group.now.average is not None:
            points = half_up(group.now.average) - half_up(group.before.average)
            if points * change > 0:
                moved.append((abs(points) * group.now.scored, name, points, half_up(group.now.average)))
    if not moved or len(facts.groups) < 2:
        return ""
    _, name, points, level = max(moved, key=lambda one: (one[0], one[1]))
    return f"; {name} moved it most ({'up' if points > 0 else 'down'} {abs(points)} to {level})"


def _risk(facts: Facts) -> Sentence | None:
    now, before = facts.now, facts.before
    if not now.scored:
        return None
    if not now.with_arr:
        verb = "is" if now.at_risk == 1 else "are"
        text = f"{plural(now.at_risk, 'client')} of {number(now.clients)} {verb} at risk or critical."
        return Sentence(text, "Clients at risk", "at_risk")
    share = f", {percent(now.risk_share, 1)} of ARR" if now.risk_share is not None else ""
    text = f"ARR at risk is {short_money(now.arr_at_risk)}{share}"
    if before is not None and before.scored:
        change = now.arr_at_risk - before.arr_at_risk
        if short_money(now.arr_at_risk) != short_money(before.arr_at_risk):
            verb = "rose" if change > 0 else "fell"
            text = f"ARR at risk {verb} from {short_money(before.arr_at_risk)} to {short_money(now.arr_at_risk)}{share}"
    fell, rose = facts.moves.fell, facts.moves.rose
    parts = []
    if fell.clients:
        parts.append(f"{plural(fell.clients, 'client')} fell to at risk{_names(fell.named, fell.clients)}")
    if rose.clients:
        parts.append(f"{plural(rose.clients, 'client')} recovered")
    return Sentence(f"{text}{'; ' if parts else ''}{' and '.join(parts)}.", "Clients at risk", "at_risk")


def _names(named: Sequence[object], clients: int) -> str:
    names = [str(getattr(one, "name", "")) for one in named[:MOST_NAMES]]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f" ({'the largest are ' if clients > len(names) else ''}{listed})"


def _composition(facts: Facts) -> Sentence | None:
    joined, left = facts.moves.joined, facts.moves.left
    parts = []
    if joined.clients:
        parts.append(f"{plural(joined.clients, 'client')} joined with {short_money(joined.arr)} of ARR")
    if left.clients:
        parts.append(f"{plural(left.clients, 'client')} left with {short_money(left.arr)}")
    if not parts:
        return None
    return Sentence(f"{' and '.join(parts)}.", "Movements", "movements")


def _retention(facts: Facts) -> Sentence | None:
    now, before = facts.retention, facts.retention_before
    if not facts.retention_known or now.gross is None:
        return None
    text = f"Gross retention over 12 months is {percent(now.gross, 1)}"
    if before.gross is not None:
        points = points_between(before.gross, now.gross)
        if points:
            text += f", {'up' if points > 0 else 'down'} {number(abs(points))} pts"
    lost = f"; {plural(now.lost, 'client')} of {number(now.clients)} churned" if now.lost else "; no client churned"
    return Sentence(f"{text}{lost}.", "Retention", "retention")


def _churn(facts: Facts) -> Sentence | None:
    """Return what may be lost in the next quarter, which is the 90 days after the prediction."""
    seen = facts.churn
    if seen is None or seen.loss is None:
        return None
    loss, high = seen.loss, seen.by_category["HIGH"].clients
    risky = f"{plural(high, 'client')} {'is' if high == 1 else 'are'} at high risk" if high else ""
    if not loss.whole or loss.share is None:
        text = f"{number(loss.clients.low)} to {plural(round(loss.clients.high), 'client')} may leave within 90 days"
    elif seen.is_band:
        text = f"{_span(loss.arr)} of ARR may churn within 90 days; too little history for a figure"
    else:
        text = (
            f"{short_money(loss.arr.mean)} of ARR ({percent(loss.share.mean, 1)}) is expected to churn within 90 days"
        )
        text += f", 80% interval {_span(loss.arr)}"
    return Sentence(f"{text}{'; ' if risky else ''}{risky}.", "Churn risk", "churn")


def _span(loss: Loss) -> str:
    low, high = short_money(loss.low), short_money(loss.high)
    return low if low == high else f"{low} to {high}"


def points_between(before: float, now: float) -> float:
    """Return the change between two shares (0-1) in percentage points, from their values as shown with one decimal."""
    return (half_up(now * 1000) - half_up(before * 1000)) / 10


def _renewals(facts: Facts) -> Sentence | None:
    year = facts.year
    if not year.clients:
        return None
    text = f"{short_money(year.arr)} of ARR ({plural(year.clients, 'client')}) comes up for renewal in 12 months"
    if year.arr_at_risk:
        text += f", {short_money(year.arr_at_risk)} of it at risk"
    largest = max(facts.months, key=lambda month: month.arr, default=None)
    if largest is not None and largest.arr and largest.clients != year.clients:
        text += f"; the most in {largest.name}: {short_money(largest.arr)}"
    return Sentence(f"{text}.", "Renewals", "renewals")
