"""Why a churn risk changed: parts by factor that sum to the change, in log-odds and in points."""

import math
from datetime import date

import pytest

from bellwether.churn.additive import explain_against, predict, terms_of
from bellwether.churn.differences import Foretold, difference, frame_of
from bellwether.churn.factors import SLUGS
from tests.churn.hazards import hazard

pytestmark = pytest.mark.one_database

BEFORE: dict[str, float | None] = dict.fromkeys(SLUGS) | {
    "usage_change_month": 1.0, "champion_quiet_days": 3.0, "days_to_renewal": 80.0, "nps_latest": 8.0,
}  # fmt: skip
AFTER = BEFORE | {"usage_change_month": 0.5, "champion_quiet_days": 31.0, "days_to_renewal": 50.0}


def _foretold(day: date, inputs: dict[str, float | None], scale: float = 1.0) -> Foretold:
    model = hazard(scale)
    frame = frame_of([inputs], model.features)
    p90 = float(predict(model, frame).p[0, -1])
    return Foretold(day, inputs, math.log(p90 / (1 - p90)), p90)


def test_the_parts_sum_to_the_change_in_log_odds_and_in_points() -> None:
    before, after = _foretold(date(2026, 6, 1), BEFORE), _foretold(date(2026, 6, 29), AFTER)
    found = difference(hazard(), before, after)
    assert sum(line.log_odds for line in found.lines) == pytest.approx(found.log_odds, abs=1e-9)
    assert sum(line.points for line in found.lines) == pytest.approx(100 * (after.p90 - before.p90), abs=1e-7)
    assert (found.model, found.model_points) == (0.0, 0.0)
    headings = [line.heading for line in found.lines]
    assert set(headings[:2]) == {"Usage", "Champion"}
    usage = next(line for line in found.lines if line.slug == "usage_decline")
    assert usage.before == "Daily users level with their 90-day average"
    assert usage.after == "Daily users down 50% on their 90-day average"
    assert not any(line.slug == "sentiment" for line in found.lines), "what did not change is no reason"


def test_the_part_of_another_model_stands_by_itself_and_the_sum_still_holds() -> None:
    before, after = _foretold(date(2026, 6, 1), BEFORE, scale=0.5), _foretold(date(2026, 6, 29), AFTER)
    found = difference(hazard(), before, after)
    same_values = _foretold(date(2026, 6, 1), BEFORE)
    assert found.model == pytest.approx(same_values.log_odds - before.log_odds)
    assert sum(line.log_odds for line in found.lines) + found.model == pytest.approx(found.log_odds)
    assert sum(line.points for line in found.lines) + found.model_points == pytest.approx(found.points)


def test_nothing_changed_has_no_reasons() -> None:
    before, after = _foretold(date(2026, 6, 1), BEFORE), _foretold(date(2026, 6, 8), BEFORE)
    found = difference(hazard(), before, after)
    assert (found.lines, found.points, found.model) == ((), 0.0, 0.0)


def test_a_number_that_became_unknown_counts_as_usual() -> None:
    found = difference(
        hazard(),
        _foretold(date(2026, 6, 1), AFTER),
        _foretold(date(2026, 6, 29), AFTER | {"champion_quiet_days": None}),
    )
    (line,) = found.lines
    assert (line.slug, line.after) == ("champion", "")
    assert line.log_odds < 0
    assert line.before == "Champion not seen for 31 days"


def test_agrees_with_the_explanation_against_the_earlier_values() -> None:
    model = hazard()
    terms = terms_of(model, frame_of([BEFORE, AFTER], model.features))
    explained = explain_against(model, terms, terms.values[:, [0, 0], :])
    found = difference(model, _foretold(date(2026, 6, 1), BEFORE), _foretold(date(2026, 6, 29), AFTER))
    assert found.log_odds == pytest.approx(explained.log_odds[1] - explained.reference[1])
