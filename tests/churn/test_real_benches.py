"""What the benches on real data reckon with, worked by hand: a bench that measures wrongly proves nothing."""

import numpy as np
import polars as pl
import pytest
from benches import churn_rivals as rivals
from benches.churn_survival import Companies, by_months, not_censored, weighted_auc

from bellwether.churn.factors import BASE_LOG_ODDS, FEATURES_BY_SLUG, Feature
from bellwether.health.measures import Unit

pytestmark = pytest.mark.one_database

MONTHS = Feature("months", "own", "Months", Unit.COUNT, "", 0, "as it is", 0.0, 1.0, 0.0, 1.0)


def test_the_chance_of_not_being_censored_by_hand() -> None:
    # Month 1: one of four leaves. Month 2: of the three left, one is censored (2/3). Month 3: both leave.
    found = not_censored(np.array([1, 2, 3, 3]), np.array([True, False, True, True]))
    assert found[:4] == pytest.approx([1, 1, 2 / 3, 2 / 3])


def test_the_weighted_area_by_hand() -> None:
    # The lost one of weight 3 is above both kept ones, that of weight 1 ties with one and is below the other.
    risk = np.array([0.9, 0.2, 0.2, 0.5])
    gone = np.array([True, True, False, False])
    found = weighted_auc(risk, gone, ~gone, np.array([3.0, 1.0, 1.0, 1.0]))
    assert found == pytest.approx((3 * 2 + 1 * 0.5) / (4 * 2))


def test_a_company_is_a_row_for_each_month_and_leaves_in_its_last() -> None:
    frame = pl.DataFrame({"client_id": ["a", "b", "c"]})
    rows = by_months(Companies(frame, np.array([2, 0, 3]), np.array([True, False, False]), ()), np.array([2, 0, 3]))
    assert rows.frame["client_id"].to_list() == ["a", "a", "c", "c", "c"]
    assert rows.label.tolist() == [False, True, False, False, False]
    assert rows.frame["month"].to_list() == [1, 2, 1, 2, 3]


def test_the_expert_within_90_days_is_three_months_of_hazard() -> None:
    features = (FEATURES_BY_SLUG["seat_use"],)
    prior = rivals.expert_within(features, 90)
    monthly = 1 / (1 + np.exp(-BASE_LOG_ODDS))
    within = 1 - (1 - monthly) ** 3
    assert prior.mean == pytest.approx([np.log(within / (1 - within)), -0.3 * (1 + 0.75 + 0.55) / 3])
    assert prior.high.tolist() == [np.inf, 0.0]


def test_a_model_learns_nothing_of_the_rows_it_is_tested_on() -> None:
    random = np.random.default_rng(1)
    months = random.normal(size=400)
    label = random.random(400) < 1 / (1 + np.exp(2 - months))
    frame = pl.DataFrame({"client_id": [str(n // 4) for n in range(400)], "months": months})
    rows = rivals.Rows(frame, (MONTHS,), label, np.ones(400), 30)
    test = np.arange(400) < 100
    folds = [(~test, test)]
    models = {"ours": rivals.ours(lambda one: rivals.neutral(one.features, 0.2)), "base": rivals.base_rate}
    tested, found = rivals.run(rows, folds, models)
    turned = rivals.Rows(frame, (MONTHS,), np.where(test, ~label, label), np.ones(400), 30)
    _, again = rivals.run(turned, folds, models)
    assert np.array_equal(found[0].values, again[0].values)
    assert np.array_equal(found[1].values, again[1].values)
    assert tested.label.tolist() == label[:100].tolist()
    assert rivals.table(tested, found, "Made up").count("\n| ") == 3
