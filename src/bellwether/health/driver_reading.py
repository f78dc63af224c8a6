"""What moved the score of a client between two stored scores: read by pages and the API alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bellwether.health.configs import config_of
from bellwether.health.custom_registry import as_measure
from bellwether.health.custom_scoring import customs_of
from bellwether.health.drivers import Driver, MovedMeasure, drivers, measure_moves
from bellwether.health.explain import Change, StoredScore, change
from bellwether.health.models import HealthScore, ScoreAsSeen
from bellwether.health.score_changes import COMPARE_AT_LEAST, COMPARE_DAYS
from bellwether.health.scorecard import Scorecard, load_scorecard


@dataclass(frozen=True)
class Moves:
    """Why a score differs from an earlier one. `change` None: one of the two has no score, there are no drivers."""

    change: Change | None
    drivers: list[Driver]
    measures: list[MovedMeasure]


def stored_score(row: HealthScore) -> StoredScore:
    """Return what `row` says as the pure functions take it."""
    return StoredScore(
        date=row.date,
        overall_score=row.overall_score,
        status=row.status,
        trend=row.trend,
        previous_score=row.previous_score,
        coverage=row.coverage,
        no_score_reason=row.no_score_reason,
        components=row.components,
        inputs=row.inputs,
        weights_version=row.weights_version,
    )


def score_as_seen(row: ScoreAsSeen) -> StoredScore:
    """Return what `row` says as the pure functions take it."""
    return StoredScore(
        date=row.date,
        overall_score=row.overall_score,
        status="",
        trend="",
        previous_score=row.previous_score,
        coverage=row.coverage,
        no_score_reason="",
        components=row.components,
        inputs=row.inputs,
        weights_version=row.weights_version,
    )


def as_first_seen(row: HealthScore) -> ScoreAsSeen | None:
    """Return the score of `row` as it first stood, None where late data did not change it."""
    found: ScoreAsSeen | None = ScoreAsSeen.objects.filter(
        client=row.client_id, scorecard=row.scorecard, date=row.date
    ).first()
    return found


def moves_between(
    before: HealthScore,
    after: HealthScore,
    *,
    known: Mapping[str, Scorecard] | None = None,
    seen: ScoreAsSeen | None = None,
) -> Moves:
    """Return what moved the score from one row to the other, both of one client and scorecard.

    `seen` is the earlier score as it first stood where late data changed it: the change then counts from that. `known`
    are scorecards by the version that names them, which then need not be read.
    """
    first, second = stored_score(before), stored_score(after)
    cards = dict(known or {})
    rows: list[HealthScore | ScoreAsSeen] = [before, after, *([seen] if seen else [])]
    for row in rows:
        if row.weights_version not in cards:
            cards[row.weights_version] = _card(row)
    card = cards[after.weights_version]
    customs = {custom.slug: as_measure(custom) for custom in customs_of([card])}
    stood = (score_as_seen(seen), cards[seen.weights_version]) if seen else None
    split = change(first, cards[before.weights_version], second, card, seen=stood)
    return Moves(
        change=split,
        drivers=drivers(split, first, second, card, customs=customs) if split else [],
        measures=measure_moves(first, second, card, customs=customs),
    )


def earlier_score(row: HealthScore) -> HealthScore | None:
    """Return the score that the change of `row` is told against: the oldest of the COMPARE_DAYS before it.

    At least COMPARE_AT_LEAST days back, and one with a score; None if there is none.
    """
    period = (row.date - timedelta(days=COMPARE_DAYS), row.date - timedelta(days=COMPARE_AT_LEAST))
    rows = HealthScore.objects.filter(client=row.client_id, scorecard=row.scorecard, date__range=period)
    found: HealthScore | None = rows.exclude(overall_score=None).order_by("date").first()
    return found


def _card(row: HealthScore | ScoreAsSeen) -> Scorecard:
    config = config_of(row.weights_version)
    return config.scorecard if config else load_scorecard(row.scorecard)
