"""What may be lost: against sums worked by hand, the exact binomial distribution, and laws that always hold."""

from itertools import accumulate
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.churn.expected import MOST_DRAWN, Expected, expected_loss, within

pytestmark = pytest.mark.one_database


def lost(arr: list[float], p: list[float], low: list[float] | None = None, high: list[float] | None = None) -> Expected:
    given_p = np.array(p)
    bounds = [given_p if one is None else np.array(one) for one in (low, high)]
    return expected_loss(np.array(arr), given_p, bounds[0], bounds[1], np.random.default_rng(7))


def test_nobody_can_leave_an_empty_book() -> None:
    found = lost([], [])
    assert (found.arr.mean, found.arr.high, found.of, found.nobody) == (0.0, 0.0, 0, 1.0)
    assert found.share is None
    assert found.rate is None


def test_one_client_leaves_or_stays() -> None:
    found = lost([100.0], [0.5])
    assert (found.arr.mean, found.arr.low, found.arr.high) == (50.0, 0.0, 100.0)
    assert found.nobody == pytest.approx(0.5)
    assert found.share is not None
    assert found.share.mean == 0.5


def test_where_hardly_anybody_leaves_the_range_is_nothing_and_the_mean_above_it() -> None:
    found = lost([1_000.0], [0.04])
    assert (found.arr.mean, found.arr.low, found.arr.high) == (40.0, 0.0, 0.0)
    assert found.nobody == pytest.approx(0.96)


def test_three_clients_by_hand() -> None:
    # Nothing .504, 10 .056, 20 .126, 30 .014, 40 .216, more above: a tenth lies within 0, nine tenths end within 40.
    found = lost([10.0, 20.0, 40.0], [0.1, 0.2, 0.3])
    assert found.arr.mean == pytest.approx(1 + 4 + 12)
    assert found.nobody == pytest.approx(0.504)
    assert (found.arr.low, found.arr.high) == (0.0, 40.0)
    assert found.clients.mean == pytest.approx(0.6)


def test_an_unknown_revenue_counts_among_the_clients_alone() -> None:
    found = lost([float("nan"), 100.0], [0.5, 0.5])
    assert (found.arr.mean, found.whole, found.clients.mean, found.of) == (50.0, 100.0, 1.0, 2)


@pytest.mark.parametrize("clients", [MOST_DRAWN, 1_200], ids=["drawn one by one", "most of them as a sum"])
def test_equal_clients_without_doubt_are_binomial(clients: int) -> None:
    chance = 0.1
    weights = list(accumulate(comb(clients, k) * 9 ** (clients - k) / 10**clients for k in range(clients + 1)))
    low, high = (next(k for k, weight in enumerate(weights) if weight >= share) for share in (0.1, 0.9))
    found = lost([5.0] * clients, [chance] * clients)
    assert found.clients.low == pytest.approx(low, abs=1)
    assert found.clients.high == pytest.approx(high, abs=1)
    assert found.arr.low == pytest.approx(5 * low, abs=8)
    assert found.arr.high == pytest.approx(5 * high, abs=8)


def test_without_doubt_the_range_has_the_spread_of_independent_clients() -> None:
    random = np.random.default_rng(3)
    arr, p = random.uniform(10, 1_000, 3_000), random.uniform(0.02, 0.4, 3_000)
    found = expected_loss(arr, p, p, p, np.random.default_rng(1))
    deviation = sqrt(float((arr**2 * p * (1 - p)).sum()))
    assert (found.arr.high - found.arr.low) / (2 * 1.2815515655446004) == pytest.approx(deviation, rel=0.06)
    assert found.arr.mean == pytest.approx(float(arr @ p))


def test_doubt_moves_all_clients_at_once() -> None:
    """Of very many clients the share that leaves given the shift is sure, so the range is that of the probability."""
    many = 20_000
    found = lost([1.0] * many, [0.1] * many, [0.05] * many, [0.2] * many)
    assert found.rate is not None
    assert found.rate.low == pytest.approx(0.05, rel=0.03)
    assert found.rate.high == pytest.approx(0.2, rel=0.03)
    assert found.rate.mean == pytest.approx(0.1)


def test_the_same_seed_gives_the_same_range() -> None:
    assert lost([3.0, 8.0, 9.0] * 150, [0.1, 0.5, 0.3] * 150) == lost([3.0, 8.0, 9.0] * 150, [0.1, 0.5, 0.3] * 150)


def test_a_probability_outside_of_its_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="within its interval"):
        lost([1.0], [0.3], [0.4], [0.5])


CLIENT = st.tuples(
    st.one_of(st.just(float("nan")), st.floats(0, 1e7)),
    st.lists(st.floats(0, 1), min_size=3, max_size=3).map(sorted),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(CLIENT, max_size=8))
def test_what_always_holds(clients: list[tuple[float, list[float]]]) -> None:
    arr = np.array([value for value, _ in clients])
    low, p, high = (np.array([bounds[place] for _, bounds in clients]) for place in range(3))
    found = expected_loss(arr, p, low, high, np.random.default_rng(0), draws=200)
    assert 0 <= found.arr.low <= found.arr.high <= found.whole
    assert 0 <= found.clients.low <= found.clients.high <= found.of
    assert 0 <= found.arr.mean <= found.whole * (1 + 1e-9)
    assert 0 <= found.nobody <= 1


def test_days_between_the_horizons_and_after_them() -> None:
    """A tenth of those left goes in every 30 days."""
    p30, p60, p90 = (np.array([value]) for value in (0.1, 0.19, 0.271))
    expected = {(1, 90): 0.271, (1, 30): 0.1, (31, 60): 0.09, (91, 120): 0.0729, (1, 15): 1 - 0.9**0.5, (41, 131): None}
    for (first, last), share in expected.items():
        wanted = 0.9 ** (40 / 30) - 0.9 ** (131 / 30) if share is None else share
        assert within(p30, p60, p90, first, last)[0] == pytest.approx(wanted)
