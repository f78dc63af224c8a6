from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from bellwether.churn import fitting
from bellwether.churn.additive import AdditiveModel, Floats, Linear, design, predict
from bellwether.churn.factors import BASE_LOG_ODDS, FEATURES, FEATURES_BY_SLUG, SLUGS
from bellwether.churn.labelling import Labels
from tests.churn.worlds import World, random_rows, world

pytestmark = pytest.mark.one_database

TRUE = {"usage_change_month": -0.6, "days_since_use": 0.5, "nps_latest": -0.4, "licensed_users": 0.3}
SMALL = world(120, 52, TRUE, base=-3.2)


def weights(model: AdditiveModel, k: int = 0) -> dict[str, float]:
    found = {slug: term.weight for slug, term in model.intervals[k].terms.items() if isinstance(term, Linear)}
    assert set(found) == set(SLUGS)
    return found


def nothing(found: World) -> Labels:
    none = np.zeros_like(found.labels.at_risk)
    return replace(found.labels, at_risk=none, left=none)


def one_prior(mean: float, doubt: float, low: float = -np.inf, high: float = np.inf) -> fitting.Prior:
    return fitting.Prior(*(np.array([value]) for value in (mean, doubt, low, high)))


def random_problem(seed: int, rows: int = 400) -> tuple[Floats, Floats, Floats]:
    random = np.random.default_rng(seed)
    x = np.column_stack([np.ones(rows), random.normal(size=(rows, 4))])
    y = (random.random(rows) < 1 / (1 + np.exp(-(x @ [-1, 0.8, -0.5, 0, 0.3])))).astype(float)
    return x, y, random.uniform(0.1, 1, rows)


class TestExpert:
    def test_without_rows_the_estimate_is_the_prior(self) -> None:
        found, expert = fitting.fit_hazard(SMALL.rows, nothing(SMALL)), fitting.expert_model()
        for one, other in zip(found.intervals, expert.intervals, strict=True):
            assert one.terms == other.terms
            assert one.intercept == other.intercept
            assert one.covariance == pytest.approx(other.covariance)

    def test_a_client_at_the_centres_leaves_with_7_in_1000_a_month(self) -> None:
        centre = random_rows(1, unknown=1.0)
        assert predict(fitting.expert_model(), centre).p[0, 0] == pytest.approx(1 / (1 + np.exp(5.0)))
        assert predict(fitting.expert_renewal(), centre).p[0, 0] == pytest.approx(1 / (1 + np.exp(2.2)))

    def test_the_expert_expects_less_of_later_intervals_but_as_much_of_the_terms_end(self) -> None:
        model = fitting.expert_model()
        assert [weights(model, k)["days_since_use"] for k in range(3)] == pytest.approx([0.4, 0.3, 0.22])
        assert [weights(model, k)["days_to_renewal"] for k in range(3)] == [2.0, 2.0, 2.0]

    def test_directions_of_the_expert_agree_with_those_of_the_fit(self) -> None:
        for feature in FEATURES:
            assert feature.weight * feature.direction >= 0


class TestLogistic:
    def test_a_share_by_hand(self) -> None:
        # 3 of 10 with a flat prior: log-odds log(3/7), variance 1 / (10 * 0.3 * 0.7).
        y = np.array([1.0] * 3 + [0.0] * 7)
        found = fitting.fit_logistic(np.ones((10, 1)), y, np.ones(10), one_prior(0, 1e6))
        assert found.coefficients.item() == pytest.approx(np.log(3 / 7))
        assert found.covariance.item() == pytest.approx(1 / 2.1)

    def test_weights_count_as_rows_do(self) -> None:
        y = np.array([1.0, 0.0])
        found = fitting.fit_logistic(np.ones((2, 1)), y, np.array([3.0, 7.0]), one_prior(0, 1e6))
        assert found.coefficients.item() == pytest.approx(np.log(3 / 7))
        assert found.covariance.item() == pytest.approx(1 / 2.1)

    def test_the_prior_pulls_by_hand(self) -> None:
        # One row, y = 1, prior N(0, 1): 1 - p = b, so b = 1 / (1 + e^b), whose root is 0.4010581.
        found = fitting.fit_logistic(np.ones((1, 1)), np.ones(1), np.ones(1), one_prior(0, 1))
        assert found.coefficients.item() == pytest.approx(0.4010581, abs=1e-7)

    @pytest.mark.parametrize("seed", range(3))
    def test_a_flat_prior_gives_the_logistic_regression_of_another_library(self, seed: int) -> None:
        x, y, given = random_problem(seed)
        free = np.full(5, np.inf)
        found = fitting.fit_logistic(x, y, given, fitting.Prior(np.zeros(5), np.full(5, 1e5), -free, free))
        other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x[:, 1:], y, sample_weight=given)
        assert found.coefficients == pytest.approx([*other.intercept_, *other.coef_[0]], abs=1e-5)

    @pytest.mark.parametrize("seed", range(3))
    def test_within_bounds_it_is_the_optimum_of_a_general_solver(self, seed: int) -> None:
        x, y, given = random_problem(seed)
        prior = fitting.Prior(
            np.array([-1.0, -0.2, 0.2, 0.1, -0.1]), np.array([1, 0.3, 0.2, 0.5, 0.1]),
            np.array([-np.inf, -np.inf, 0, 0, -np.inf]), np.array([np.inf, 0, np.inf, np.inf, 0]),
        )  # fmt: skip

        def value(b: Floats) -> float:
            eta = x @ b
            loss = given @ (np.log1p(np.exp(eta)) - y * eta)
            return float(loss + np.sum((b - prior.mean) ** 2 / (2 * prior.doubt**2)))

        bounds = list(zip(prior.low, prior.high, strict=True))
        other = minimize(value, np.zeros(5), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9})
        found = fitting.fit_logistic(x, y, given, prior)
        assert value(found.coefficients) <= other.fun + 1e-9
        assert found.coefficients == pytest.approx(other.x, abs=1e-4)
        assert np.all((found.coefficients >= prior.low) & (found.coefficients <= prior.high))

    def test_where_it_starts_does_not_matter(self) -> None:
        x, y, given = random_problem(7)
        prior = fitting.Prior(np.zeros(5), np.ones(5), np.full(5, -np.inf), np.array([0.0, 0, 0, np.inf, np.inf]))
        one = fitting.fit_logistic(x, y, given, prior).coefficients
        other = fitting.fit_logistic(x, y, given, prior, np.array([-9.0, -9, -9, 9, 9])).coefficients
        assert one == pytest.approx(other, abs=1e-9)

    def test_data_that_separate_do_not_run_away(self) -> None:
        x = np.column_stack([np.ones(40), np.linspace(-3, 3, 40)])
        free = np.full(2, np.inf)
        prior = fitting.Prior(np.zeros(2), np.ones(2), -free, free)
        found = fitting.fit_logistic(x, (x[:, 1] > 0).astype(float), np.ones(40), prior)
        assert 1 < found.coefficients[1] < 5


class TestHazard:
    def test_without_the_expert_it_is_the_logistic_regression_of_another_library(self) -> None:
        model = fitting.fit_hazard(SMALL.rows, SMALL.labels, prior=False)
        at_risk = SMALL.labels.at_risk[:, 1]
        x, y = design(SMALL.rows, tuple(TRUE), 1)[at_risk], SMALL.labels.left[at_risk, 1]
        # C so that the other library's penalty is that of a doubt of 10; its intercept has none.
        other = LogisticRegression(C=fitting.FLAT_DOUBT**2, tol=1e-9, max_iter=1000)
        other.fit(x, y, sample_weight=SMALL.labels.weights[at_risk])
        assert [weights(model, 1)[slug] for slug in TRUE] == pytest.approx(other.coef_[0], abs=2e-3)
        assert model.intervals[1].intercept == pytest.approx(other.intercept_.item(), abs=5e-3)

    def test_features_that_nobody_knows_keep_the_experts_coefficient(self) -> None:
        found = weights(fitting.fit_hazard(SMALL.rows, SMALL.labels))
        for feature in FEATURES:
            if feature.slug not in TRUE:
                assert found[feature.slug] == pytest.approx(feature.weight, abs=1e-9)

    def test_directions_hold_where_the_data_say_the_opposite(self) -> None:
        backwards = {slug: -np.sign(FEATURES_BY_SLUG[slug].direction) * 1.5 for slug in ("seat_use", "days_since_use")}
        found = world(200, 60, backwards, base=-3.0)
        model = fitting.fit_hazard(found.rows, found.labels)
        for k in range(3):
            for feature in FEATURES:
                assert weights(model, k)[feature.slug] * feature.direction >= 0
            assert weights(model, k)["seat_use"] == 0
        free = fitting.fit_hazard(found.rows, found.labels, prior=False)
        assert weights(free)["seat_use"] > 1

    def test_each_outcome_moves_the_estimate(self) -> None:
        expert, found = weights(fitting.expert_model()), weights(fitting.fit_hazard(SMALL.rows, SMALL.labels))
        assert found["usage_change_month"] < expert["usage_change_month"]
        assert found["licensed_users"] > expert["licensed_users"] + 0.1

    def test_the_order_of_rows_does_not_matter(self) -> None:
        order = np.random.default_rng(3).permutation(SMALL.rows.height)
        one = fitting.fit_hazard(SMALL.rows, SMALL.labels)
        other = fitting.fit_hazard(SMALL.rows[order], SMALL.labels.taken(order))
        for k in range(3):
            assert weights(one, k) == pytest.approx(weights(other, k), abs=1e-9)

    def test_rows_of_nobody_at_risk_change_nothing(self) -> None:
        idle = replace(SMALL.labels, at_risk=SMALL.labels.at_risk & (np.arange(SMALL.rows.height) % 2 == 0)[:, None])
        few = np.flatnonzero(np.arange(SMALL.rows.height) % 2 == 0)
        one, other = fitting.fit_hazard(SMALL.rows, idle), fitting.fit_hazard(SMALL.rows[few], idle.taken(few))
        assert weights(one) == pytest.approx(weights(other), abs=1e-9)

    def test_labels_of_other_rows_are_refused(self) -> None:
        with pytest.raises(fitting.FitError, match="rows cannot be fitted"):
            fitting.fit_hazard(SMALL.rows[:5], SMALL.labels)

    def test_intervals_hold_the_true_coefficients_about_as_often_as_they_say(self) -> None:
        """80 % over 5 worlds × 4 coefficients: 16 of 20 expected; fewer than 10 happens by chance once in 1,700."""
        held = 0
        for seed in range(5):
            found = world(100, 52, TRUE, base=-3.5, seed=seed)
            model = fitting.fit_hazard(found.rows, found.labels, prior=False)
            covariance = model.intervals[0].covariance
            assert covariance is not None
            deviations = dict(zip(SLUGS, np.sqrt(np.diag(covariance))[1:], strict=True))
            held += sum(abs(weights(model)[slug] - true) < 1.2816 * deviations[slug] for slug, true in TRUE.items())
        assert held >= 13


class TestRenewal:
    def labels(self) -> tuple[World, Labels]:
        found = world(400, 1, {"nps_latest": 0.0, "days_to_renewal": 0.0}, base=-3.0)
        left = np.random.default_rng(5).random(400) < 1 / (1 + np.exp(2 + 1.0 * found.z["nps_latest"]))
        there = np.ones((400, 1), bool)
        return found, Labels(there, left[:, None], there, left[:, None], np.ones(400))

    def test_is_one_interval_that_learns(self) -> None:
        found, labels = self.labels()
        model = fitting.fit_renewal(found.rows, labels)
        assert model.moments == ("renewal",)
        assert -1.0 < weights(model)["nps_latest"] < -0.4
        assert predict(model, found.rows).p.mean() == pytest.approx(labels.left.mean(), abs=0.02)

    def test_without_rows_is_the_experts(self) -> None:
        found, labels = self.labels()
        none = np.zeros((400, 1), bool)
        model = fitting.fit_renewal(found.rows, Labels(none, none, none, none, labels.weights))
        assert weights(model) == weights(fitting.expert_renewal())
        assert weights(model)["days_to_renewal"] == 0
        assert model.intervals[0].intercept != BASE_LOG_ODDS
