import json

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from bellwether.churn import boosting
from bellwether.churn.additive import Steps, log_odds, model_from_data, predict
from bellwether.churn.factors import SLUGS
from bellwether.churn.fitting import FitError, expert_model
from tests.churn.worlds import world

pytestmark = pytest.mark.one_database

WORLD = world(100, 40, {"usage_change_month": -0.9, "days_since_use": 0.9, "licensed_users": 0.6}, base=-2.6)
BOOSTED = boosting.fit_boosted(WORLD.rows, WORLD.labels, seed=4, hazard=expert_model())


def steps(k: int, slug: str) -> Steps:
    term = BOOSTED.intervals[k].terms[slug]
    assert isinstance(term, Steps)
    return term


def test_tables_give_the_librarys_own_log_odds() -> None:
    """Few distinct values: the library then needs no bins of ours, and is asked on the raw values themselves."""
    rows = WORLD.rows.with_columns(days_since_use=WORLD.rows["days_since_use"].round().clip(0, 20))
    rows = rows.with_columns(usage_change_month=rows["usage_change_month"].round(1).clip(0.5, 1.5), licensed_users=None)
    found = boosting.fit_boosted(rows, WORLD.labels, seed=4, hazard=expert_model())
    used = WORLD.labels.at_risk[:, 0]
    x = rows.select("usage_change_month", "days_since_use").to_numpy()[used]
    library = HistGradientBoostingClassifier(
        learning_rate=boosting.RATE, max_iter=boosting.TREES, max_leaf_nodes=boosting.LEAVES,
        min_samples_leaf=boosting.LEAF_ROWS, l2_regularization=boosting.RIDGE, monotonic_cst=[-1, 1],
        interaction_cst="no_interactions", early_stopping=False, random_state=4,
    )  # fmt: skip
    with threadpool_limits(1):
        library.fit(x, WORLD.labels.left[used, 0], sample_weight=WORLD.labels.weights[used])
        own = library.decision_function(x)
    assert np.abs(log_odds(found, rows)[used, 0] - own).max() < 1e-9


def test_it_learns_what_matters() -> None:
    p, left = predict(BOOSTED, WORLD.rows).p[:, 0], WORLD.labels.left[:, 0]
    assert p[left].mean() > 1.5 * p[~left].mean()
    spread = {slug: max(steps(0, slug).values) - min(steps(0, slug).values) for slug in BOOSTED.intervals[0].terms}
    assert min(spread.values()) > 0.3


def test_directions_hold() -> None:
    for k in range(3):
        assert np.all(np.diff(steps(k, "days_since_use").values) >= 0)
        assert np.all(np.diff(steps(k, "usage_change_month").values) <= 0)


def test_tables_are_small_numbers_of_known_features() -> None:
    for k in range(3):
        assert set(BOOSTED.intervals[k].terms) == {"usage_change_month", "days_since_use", "licensed_users"}
        for slug in BOOSTED.intervals[k].terms:
            assert len(steps(k, slug).values) == len(steps(k, slug).edges) + 1 <= boosting.BINS
    again = model_from_data(json.loads(json.dumps(BOOSTED.as_data())))
    assert np.array_equal(predict(again, WORLD.rows).high, predict(BOOSTED, WORLD.rows).high)
    assert BOOSTED.features == SLUGS


def test_unknown_values_have_a_value_of_their_own() -> None:
    """Half of those who leave are not known to have been met; of the others a tenth."""
    random = np.random.default_rng(1)
    left = WORLD.labels.left.any(axis=1)
    unknown = random.random(WORLD.rows.height) < np.where(left, 0.5, 0.1)
    rows = WORLD.rows.with_columns(days_since_contact=pl.Series([None if none else 20.0 for none in unknown]))
    found = boosting.fit_boosted(rows, WORLD.labels, seed=4, hazard=expert_model())
    term = found.intervals[0].terms["days_since_contact"]
    assert isinstance(term, Steps)
    assert term.missing > term.values[0] + 0.5


def test_the_interval_is_that_of_the_hazard() -> None:
    for k in range(3):
        assert BOOSTED.intervals[k].covariance == pytest.approx(expert_model().intervals[k].covariance)
    found = predict(BOOSTED, WORLD.rows)
    assert np.all(found.low < found.p)
    assert np.all(found.p < found.high)


def test_the_same_seed_gives_the_same_model() -> None:
    again = boosting.fit_boosted(WORLD.rows, WORLD.labels, seed=4, hazard=expert_model())
    assert again.as_data() == BOOSTED.as_data()


def test_many_rows_are_thinned_without_moving_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MOST_ROWS", 1200)
    found = boosting.fit_boosted(WORLD.rows, WORLD.labels, seed=4, hazard=expert_model())
    at_risk = WORLD.labels.at_risk[:, 0]
    hazard = predict(found, WORLD.rows).p[at_risk, 0]
    assert found.as_data() != BOOSTED.as_data()
    assert hazard.mean() == pytest.approx(WORLD.labels.left[at_risk, 0].mean(), rel=0.1)


def test_too_few_churns_are_said() -> None:
    few = world(30, 30, {"days_since_use": 0.1}, base=-6.0)
    with pytest.raises(FitError, match="Boosting needs 10 clients that left in each interval; here are"):
        boosting.fit_boosted(few.rows, few.labels, seed=1, hazard=expert_model())


def test_tables_that_do_not_agree_with_the_library_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "_steps", lambda edges, values, missing: Steps((), (0.0,), missing))
    with pytest.raises(FitError, match="cannot be kept as tables"):
        boosting.fit_boosted(WORLD.rows, WORLD.labels, seed=4, hazard=expert_model())
