from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from bellwether.churn.additive import AdditiveModel, Floats, Interval, Linear, log_odds, predict
from bellwether.churn.calibrating import LEAST_SLOPE, calibrated, carried_over
from bellwether.churn.labelling import Labels
from tests.churn.worlds import raw

pytestmark = pytest.mark.one_database


def model(intercept: float = -3.0, weight: float = 1.0) -> AdditiveModel:
    intervals = tuple(Interval(intercept, {"nps_latest": Linear(weight)}) for _ in range(3))
    return AdditiveModel(("nps_latest",), intervals)


def observed(count: int, *, shift: float = 0.0, slope: float = 1.0, seed: int = 1) -> tuple[pl.DataFrame, Labels]:
    """Rows whose leaving in each interval has `shift` + `slope` times the model's log-odds."""
    random = np.random.default_rng(seed)
    rows = pl.DataFrame({"nps_latest": raw("nps_latest", random.normal(size=count))})
    p = 1 / (1 + np.exp(-(shift + slope * log_odds(model(), rows))))
    left, there = random.random((count, 3)) < p, np.ones((count, 3), bool)
    return rows, Labels(there, left, there, left, np.ones(count))


def expected(found: AdditiveModel, rows: pl.DataFrame) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds(found, rows))))


def test_a_known_shift_is_recovered_from_many_churns() -> None:
    found = calibrated(model(), *observed(8_000, shift=0.8))
    assert found.slope == pytest.approx(1.0, abs=0.1)
    assert found.offset + found.slope * -3.0 == pytest.approx(-2.2, abs=0.1)


def test_a_known_slope_is_recovered_from_many_churns() -> None:
    found = calibrated(model(), *observed(8_000, shift=-1.5, slope=0.5))
    assert found.slope == pytest.approx(0.5, abs=0.1)
    assert found.offset == pytest.approx(-1.5, abs=0.3)


def test_a_model_that_is_right_stays_as_it_is() -> None:
    rows, labels = observed(8_000)
    assert expected(calibrated(model(), rows, labels), rows).mean() == pytest.approx(labels.left.mean(), abs=0.003)
    assert calibrated(model(), rows, labels).slope == pytest.approx(1.0, abs=0.1)


def test_few_churns_move_it_little() -> None:
    rows, labels = observed(60, seed=3)
    nobody = replace(labels, left=np.zeros_like(labels.left))
    found = calibrated(model(), rows, nobody)
    # Some 4 churns were expected in each interval and none came: a third down, not to zero.
    expected_before = expected(model(), rows).sum() / 3
    assert 3 < expected_before < 6
    assert 0.55 < expected(found, rows).sum() / 3 / expected_before < 0.9


def test_ten_churns_where_five_were_foretold_go_half_of_the_way() -> None:
    """By hand: every row alike, so the shift alone decides: d / 0.3^2 = churns - rows * p(d)."""
    flat = model(weight=0.0)
    rows, labels = observed(105)
    left = np.zeros_like(labels.left)
    left[:10] = True
    found = calibrated(flat, rows, replace(labels, left=left))
    shift = found.offset + (found.slope - 1) * -3.0
    assert shift / 0.09 == pytest.approx(10 - 105 / (1 + np.exp(3 - shift)), abs=1e-6)
    assert 0.2 < shift < 0.4


def test_it_is_measured_anew_each_time() -> None:
    rows, labels = observed(500)
    once = calibrated(model(), rows, labels)
    assert calibrated(once, rows, labels) == once


def test_without_rows_there_is_no_calibration() -> None:
    rows, labels = observed(10)
    none = replace(labels, at_risk=np.zeros_like(labels.at_risk))
    assert calibrated(replace(model(), offset=3.0, slope=2.0), rows, none) == model()


def test_ranks_never_turn() -> None:
    rows, labels = observed(8_000, shift=-6.0, slope=-1.0)
    found = calibrated(model(), rows, labels)
    assert found.slope == LEAST_SLOPE
    before, after = predict(model(), rows).p[:, 0], predict(found, rows).p[:, 0]
    assert np.array_equal(np.argsort(before), np.argsort(after))
    assert expected(found, rows).mean() == pytest.approx(labels.left.mean(), rel=0.05)


def test_the_order_of_rows_does_not_matter() -> None:
    rows, labels = observed(300)
    order = np.random.default_rng(2).permutation(300)
    one, other = calibrated(model(), rows, labels), calibrated(model(), rows[order], labels.taken(order))
    assert (one.offset, one.slope) == pytest.approx((other.offset, other.slope), abs=1e-9)


def test_carrying_over_does_not_correct_twice() -> None:
    rows, labels = observed(2_000, shift=0.8)
    old = calibrated(model(), rows, labels)
    knows = model(intercept=-2.2)
    found = carried_over(old, knows, rows, labels)
    assert found.slope == old.slope
    assert expected(found, rows).mean() == pytest.approx(expected(old, rows).mean(), rel=1e-6)
    assert abs(found.offset) < abs(old.offset)
    same = carried_over(old, model(), rows, labels)
    assert same.offset == pytest.approx(old.offset, abs=1e-6)
