"""The client's score on the page: the key figure and the card of components."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bellwether.dashboard.explanations import (
    Basis,
    ComponentRow,
    ScoreWhy,
    component_rows,
    explain_score,
)
from bellwether.health.cohorts import AT_LEAST, Member, component_medians, percentile
from bellwether.health.custom_registry import as_measure
from bellwether.health.custom_scoring import customs_of
from bellwether.health.models import HealthScore
from bellwether.health.score_changes import (
    Comparison,
    without_data,
)
from bellwether.health.scorecard import Scorecard
from bellwether.web.formatting import NOT_SCORED, Delta, Status, day, moment, percent, status_of, trend

NOTABLE = 5


@dataclass(frozen=True)
class ScoreCard:
    """The newest score and what it is made of. `score` None: `reason` says why, `short_reason` in few words.

    `rows` is empty before the first score. `median_name` names the reference ticks, `no_median` why there are none.
    """

    score: int | None
    status: Status
    change: Delta | None
    change_note: str
    reason: str
    short_reason: str
    coverage_note: str
    stale_note: str
    rows: list[ComponentRow]
    compared_with: str
    median_name: str
    no_median: str
    standing: str
    why: ScoreWhy | None
    interval: str = ""


def basis_of(row: HealthScore, scorecard: Scorecard, *, now: datetime, zone: ZoneInfo) -> Basis:
    """Return what the explanation of a stored score rests on; `scorecard` is that of the version it names."""
    return Basis(
        day=row.date,
        score=row.overall_score,
        components=row.components,
        weights=row.weights_snapshot,
        inputs=row.inputs,
        coverage=row.coverage,
        reason=row.no_score_reason,
        version=row.weights_version,
        made_at=moment(row.created_at, now, zone),
        empty=without_data(scorecard, row.inputs, row.components),
        rests_on=row.component_data,
        interval=None
        if row.interval_low is None or row.interval_high is None
        else (row.interval_low, row.interval_high),
        customs={custom.slug: as_measure(custom) for custom in customs_of([scorecard])},
    )


def score_card(
    *,
    basis: Basis | None,
    status_word: str | None,
    comparison: Comparison | None,
    scorecard: Scorecard,
    tier: str,
    peers: Sequence[Member],
    parts: Mapping[str, Sequence[Member]] | None = None,
    held_back: str = "",
    today: date,
    ended: bool,
) -> ScoreCard:
    """Return the card; `status_word` is the client's health status, `peers` the other scored clients of its `tier`.

    `parts` are those of them whose component may be told about, by component (None: all of them). `held_back` says why
    there are no `peers` where they may not be shown.
    """
    if basis is None:
        reason = "No score has been made yet. Scores are made once a day and after new data arrive."
        return ScoreCard(None, NOT_SCORED, None, "", reason, "No score yet", "", "", [], "", "", "", "", None)
    tops = {c.key: c.weight if scorecard.points else 100.0 for c in scorecard.components}
    enough = len(peers) >= AT_LEAST
    earlier = (comparison.before.components, comparison.before.weights) if comparison else None
    rows = component_rows(
        basis,
        scorecard,
        earlier=earlier,
        medians=_medians(peers, parts, tops) if enough else {},
        today=today,
    )
    delta = None
    if comparison:
        word = "UP" if comparison.change > NOTABLE else "DOWN" if comparison.change < -NOTABLE else "FLAT"
        delta = trend(comparison.change, word)
    place = percentile(basis.score, peers) if basis.score is not None and not ended else None
    return ScoreCard(
        score=basis.score,
        status=status_of(status_word) if basis.score is not None else NOT_SCORED,
        change=delta,
        change_note=_change_note(basis, comparison),
        reason=basis.reason,
        short_reason="Not enough data" if basis.score is None else "",
        coverage_note=_coverage_note(basis, rows),
        stale_note="" if basis.day == today or ended else f"Newest score: {day(basis.day, today)}.",
        rows=rows,
        compared_with=f"{comparison.days} d" if comparison else "",
        median_name=f"{tier} median" if enough and any(row.median is not None for row in rows) else "",
        no_median=""
        if enough
        else f"No {tier} median. {held_back}"
        if held_back
        else f"No {tier} median: it needs {AT_LEAST} other scored clients, there are {len(peers)}.",
        standing=_standing(place, f"{len(peers)} other {tier} clients"),
        why=explain_score(basis, scorecard, today=today),
        interval="{}–{}".format(*basis.interval) if basis.interval and basis.score is not None else "",
    )


def _change_note(basis: Basis, comparison: Comparison | None) -> str:
    if basis.score is None:
        return ""
    return f"in {comparison.days} days" if comparison else "no earlier score yet"


def _coverage_note(basis: Basis, rows: Sequence[ComponentRow]) -> str:
    if basis.coverage >= 0.995:
        return ""
    missing = [row.label for row in rows if row.no_data]
    names = f": no {', '.join(name.lower() for name in missing)}" if missing else ""
    return f"Rests on {percent(basis.coverage)} of the weight{names}"


def _medians(
    peers: Sequence[Member], parts: Mapping[str, Sequence[Member]] | None, tops: Mapping[str, float]
) -> dict[str, int]:
    if parts is None:
        return component_medians(peers, tops=tops)
    found: dict[str, int] = {}
    for key, top in tops.items():
        found |= component_medians(parts.get(key, ()), tops={key: top})
    return found


def _standing(place: int | None, peers: str) -> str:
    if place is None:
        return ""
    if place in {0, 100}:
        return f"{'Above' if place else 'Below'} all {peers}"
    return f"{_ordinal(place)} percentile of {peers}"


def _ordinal(value: int) -> str:
    suffix = "th" if value % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"
