import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.churn.additive import (
    AdditiveModel,
    Interval,
    Linear,
    Steps,
    explain,
    explain_against,
    log_odds,
    model_from_data,
    predict,
    predicted,
    standardised,
    terms_of,
)
from bellwether.churn.factors import SLUGS, Feature
from bellwether.churn.fitting import expert_model
from bellwether.health.measures import Unit
from tests.churn.worlds import random_rows

pytestmark = pytest.mark.one_database

ROWS = random_rows(60)
weights = st.floats(-3, 3)
steps = st.builds(
    lambda edges, values, missing: Steps(tuple(sorted(edges)), tuple(values[: len(edges) + 1]), missing),
    st.lists(st.floats(-5, 500), max_size=3, unique=True),
    st.lists(weights, min_size=4, max_size=4),
    weights,
)
intervals = st.builds(
    lambda intercept, terms: Interval(intercept, dict(zip(SLUGS, terms, strict=False))),
    st.floats(-12, 6),
    st.lists(st.one_of(st.builds(Linear, weights), steps), min_size=4, max_size=4),
)
models = st.builds(
    lambda found, offset, slope: AdditiveModel(SLUGS, tuple(found), (0, 1, 2), offset, slope),
    st.lists(intervals, min_size=3, max_size=3),
    st.floats(-2, 2),
    st.floats(0.2, 2),
)


def of(**values: float | None) -> pl.DataFrame:
    return pl.DataFrame({slug: [value] for slug, value in values.items()}, schema=dict.fromkeys(values, pl.Float64))


def flat(*hazards: float, **terms: Linear | Steps) -> AdditiveModel:
    """A model with the given chance of leaving in each interval, with the terms in all of them."""
    found = tuple(Interval(float(np.log(h / (1 - h))), terms) for h in hazards)
    return AdditiveModel(tuple(terms), found, (0, 1, 2)[: len(hazards)])


class TestStandardised:
    @pytest.mark.parametrize(
        ("slug", "moment", "value", "z"),
        [
            ("seat_use", 0, 0.85, 1.0),
            ("seat_use", 0, 99.0, 3.0),
            ("days_since_use", 0, np.expm1(2.7), 2.0),
            ("usage_change_month", 1, np.exp(-0.35), -1.0),
            ("usage_change_month", 1, 0.0, -3.0),
            ("seat_use", 0, np.nan, 0.0),
            ("days_to_renewal", 0, 0, 1.0),
            ("days_to_renewal", 0, 30, 1.0),
            ("days_to_renewal", 0, 31, 0.0),
            ("days_to_renewal", 1, 30, 0.0),
            ("days_to_renewal", 1, 31, 1.0),
            ("days_to_renewal", 2, 90, 1.0),
            ("days_to_renewal", 2, 91, 0.0),
            ("days_to_renewal", 2, np.nan, 0.0),
            ("days_to_renewal", 0, -5, 0.0),
            ("days_to_renewal", "renewal", np.expm1(4.8), 1.0),
        ],
    )
    def test_value(self, slug: str, moment: int, value: float, z: float) -> None:
        assert standardised(slug, np.array([value]), moment).item() == pytest.approx(z)


class TestPredict:
    def test_horizons_multiply_what_stays(self) -> None:
        found = predict(flat(0.1, 0.2, 0.5), of(seat_use=1.0))
        assert found.p[0] == pytest.approx([0.1, 1 - 0.9 * 0.8, 1 - 0.9 * 0.8 * 0.5])

    def test_linear_term_by_hand(self) -> None:
        # z = (0.85 - 0.6) / 0.25 = 1; log-odds 0 + 2 * 1 = 2, calibrated 0.5 + 0.5 * 2 = 1.5.
        model = replace(flat(0.5, seat_use=Linear(2.0)), offset=0.5, slope=0.5)
        assert predict(model, of(seat_use=0.85)).p.item() == pytest.approx(1 / (1 + np.exp(-1.5)))
        assert predict(model, of(seat_use=None)).p.item() == pytest.approx(1 / (1 + np.exp(-0.5)))

    @pytest.mark.parametrize(("value", "eta"), [(0.2, -1.0), (0.5, -1.0), (0.51, 2.0), (None, 0.25)])
    def test_steps_by_hand(self, value: float | None, eta: float) -> None:
        model = flat(0.5, seat_use=Steps((0.5,), (-1.0, 2.0), 0.25))
        assert predict(model, of(seat_use=value)).p.item() == pytest.approx(1 / (1 + np.exp(-eta)))

    def test_a_column_that_is_absent_is_unknown(self) -> None:
        model = flat(0.5, seat_use=Linear(2.0), stickiness=Steps((), (1.0,), -0.5))
        assert np.array_equal(predict(model, of(tenure_days=9)).p, predict(model, of(seat_use=None, stickiness=None)).p)

    def test_the_interval_is_80_percent_of_the_log_odds(self) -> None:
        covariance = np.array([[0.25, 0.0], [0.0, 1.0]])
        model = AdditiveModel(("seat_use",), (Interval(0.0, {"seat_use": Linear(1.0)}, covariance),), (0,), 0.0, 2.0)
        found = predict(model, of(seat_use=0.85))
        # eta = 2 * 1; deviation 2 * sqrt(0.25 + 1) = 2.236; 80 % lie within 1.28155 deviations.
        assert found.low.item() == pytest.approx(1 / (1 + np.exp(-(2 - 1.2815516 * 5**0.5))))
        assert found.high.item() == pytest.approx(1 / (1 + np.exp(-(2 + 1.2815516 * 5**0.5))))

    @settings(max_examples=60, deadline=None)
    @given(models)
    def test_horizons_rise_and_stay_within_0_and_1(self, model: AdditiveModel) -> None:
        found = predict(model, ROWS)
        for p in (found.p, found.low, found.high):
            assert np.all(np.diff(p, axis=1) >= 0)
            assert np.all((p >= 0) & (p <= 1))
        assert np.all((found.low <= found.p) & (found.p <= found.high))

    @settings(max_examples=20, deadline=None)
    @given(models, st.permutations(range(ROWS.height)))
    def test_the_order_of_rows_does_not_matter(self, model: AdditiveModel, order: list[int]) -> None:
        assert np.allclose(predict(model, ROWS).p[order], predict(model, ROWS[order]).p, rtol=1e-12)

    def test_log_odds_are_those_of_the_terms(self) -> None:
        model = expert_model()
        hazard = 1 / (1 + np.exp(-log_odds(model, ROWS)))
        assert predict(model, ROWS).p == pytest.approx(1 - np.cumprod(1 - hazard, axis=1))


class TestExplain:
    @settings(max_examples=60, deadline=None)
    @given(models, st.lists(st.integers(0, 3), min_size=ROWS.height, max_size=ROWS.height))
    def test_parts_and_reference_sum_to_the_log_odds_of_p90(self, model: AdditiveModel, cohorts: list[int]) -> None:
        terms = terms_of(model, ROWS)
        found = explain(model, terms, np.array(cohorts))
        assert found.reference + found.parts.sum(axis=1) == pytest.approx(found.log_odds, abs=1e-9)
        p90 = predicted(model, terms).p[:, -1]
        # Near 1 the probability itself cannot hold the log-odds in 64 bits.
        inner = p90 < 0.999
        p90 = p90[inner]
        assert np.log(p90 / (1 - p90)) == pytest.approx(found.log_odds[inner], abs=1e-6)

    def test_one_interval_gives_each_term_its_own_step(self) -> None:
        model = flat(0.2, seat_use=Linear(2.0), stickiness=Linear(-1.0))
        found = explain_against(model, terms_of(model, of(seat_use=0.85, stickiness=0.37)), np.zeros((1, 1, 2)))
        assert found.parts[0] == pytest.approx([2.0, -1.0])
        assert found.reference[0] == pytest.approx(np.log(0.25))

    def test_a_client_at_its_cohorts_mean_has_no_parts(self) -> None:
        model = expert_model()
        alike = pl.concat([ROWS[:1]] * 3)
        assert explain(model, terms_of(model, alike), np.zeros(3, np.int64)).parts == pytest.approx(np.zeros((3, 27)))

    def test_a_feature_that_only_counts_later_still_has_its_part(self) -> None:
        quiet = {"seat_use": Linear(0.0)}
        base = float(np.log(0.01 / 0.99))
        model = AdditiveModel(
            ("seat_use",), (Interval(base, quiet), Interval(base, quiet), Interval(base, {"seat_use": Linear(-1.0)}))
        )
        found = explain_against(model, terms_of(model, of(seat_use=0.1)), np.zeros((3, 1, 1)))
        h = 1 / (1 + np.exp(-(base + 2)))
        p, before = 1 - 0.99**2 * (1 - h), 1 - 0.99**3
        assert found.parts.item() == pytest.approx(np.log(p / (1 - p)) - np.log(before / (1 - before)))


class TestData:
    @settings(max_examples=40, deadline=None)
    @given(models)
    def test_a_model_survives_json(self, model: AdditiveModel) -> None:
        again = model_from_data(json.loads(json.dumps(model.as_data())))
        assert again == model

    def test_so_does_its_covariance(self) -> None:
        again = model_from_data(json.loads(json.dumps(expert_model().as_data())))
        assert np.array_equal(predict(again, ROWS).high, predict(expert_model(), ROWS).high)


def test_features_of_another_kind_come_with_their_own_registry() -> None:
    months = Feature("months", "own", "Months", Unit.COUNT, "", 0, "as it is", 24.0, 12.0, 0.0, 1.0)
    model = AdditiveModel(("months",), (Interval(-1.0, {"months": Linear(-0.5)}),), (0,))
    rows = pl.DataFrame({"months": [36.0, None]})
    # z = (36 - 24) / 12 = 1, so eta = -1.5; unknown stands at the centre
    assert predict(model, rows, {"months": months}).p[:, 0] == pytest.approx(1 / (1 + np.exp([1.5, 1.0])))
    assert log_odds(model, rows, {"months": months})[:, 0] == pytest.approx([-1.5, -1.0])
