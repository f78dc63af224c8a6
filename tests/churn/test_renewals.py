"""The renewal risk is held between what the dated hazard says of the end of the term and of 30 days later."""

import numpy as np
import pytest

from bellwether.churn.additive import Predicted
from bellwether.churn.renewals import in_step, within

pytestmark = pytest.mark.one_database

P = np.array([[0.10, 0.19, 0.271]])  # a tenth leaves in each interval
SURE = Predicted(np.array([[0.9]]), np.array([[0.8]]), np.array([[0.95]]))
SAFE = Predicted(np.array([[0.001]]), np.array([[0.0]]), np.array([[0.01]]))


def held(renewal: Predicted, days: float) -> float:
    return float(in_step(renewal, Predicted(P, P, P), np.array([days])).p[0, 0])


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, 0.0), (30, 0.10), (60, 0.19), (90, 0.271), (120, 0.3439), (15, 1 - 0.9**0.5)],
)
def test_within_follows_the_hazard_and_goes_on_at_its_last_rate(days: float, expected: float) -> None:
    assert within(P, np.array([float(days)]))[0] == pytest.approx(expected)


class TestInStep:
    def test_is_no_more_than_leaving_until_30_days_after_the_term(self) -> None:
        assert held(SURE, 30) == pytest.approx(0.19)
        assert held(SURE, 60) == pytest.approx(0.271)

    def test_is_no_less_than_leaving_before_the_term_ends(self) -> None:
        assert held(SAFE, 30) == pytest.approx(0.10)
        assert held(SAFE, 200) == pytest.approx(0.271)

    def test_is_left_alone_between_and_far_off(self) -> None:
        between = Predicted(np.array([[0.15]]), np.array([[0.12]]), np.array([[0.18]]))
        assert held(between, 30) == pytest.approx(0.15)
        assert held(SURE, 91) == pytest.approx(0.9)

    @pytest.mark.parametrize("days", [-1.0, float("nan")])
    def test_is_unknown_where_no_renewal_comes(self, days: float) -> None:
        assert np.isnan(held(SURE, days))

    def test_holds_the_ends_of_the_interval_to_those_of_the_hazard(self) -> None:
        dated = Predicted(P, P / 2, np.minimum(P * 2, 1))
        found = in_step(SURE, dated, np.array([60.0]))
        assert found.low[0, 0] == pytest.approx(0.1355)
        assert found.high[0, 0] == pytest.approx(0.542)
        assert found.low <= found.p <= found.high
