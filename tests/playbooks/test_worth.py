"""Saved ARR, its sum over playbooks, and the ranking by value an hour."""

from datetime import date

import pytest

from bellwether.playbooks.uplift import Estimate
from bellwether.playbooks.worth import Exposure, TreatedTerm, exposure, ranked, saved_arr, together, value_of

pytestmark = pytest.mark.one_database


def test_a_client_is_counted_once_a_window():
    """Of a's windows, January's and April's do not overlap; the clients are a, b and c."""
    found = exposure(
        [
            TreatedTerm("a", date(2026, 3, 1), 90, 1000.0),
            TreatedTerm("a", date(2026, 1, 1), 90, 1000.0),
            TreatedTerm("a", date(2026, 2, 1), 90, 1000.0),
            TreatedTerm("a", date(2026, 4, 1), 90, 1500.0),
            TreatedTerm("b", date(2026, 1, 1), 90, 40.0),
            TreatedTerm("c", date(2026, 1, 1), 90, None),
        ]
    )

    assert found == Exposure(arr=2540.0, clients=3, unknown=1)


def test_saved_arr_is_the_uplift_of_the_treated_arr_with_its_range():
    found = saved_arr(Estimate(0.05, -0.04, 0.18), Exposure(2_000_000, 120, 0))

    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((100_000, -80_000, 360_000))


def test_without_an_uplift_or_known_arr_nothing_is_saved():
    assert saved_arr(None, Exposure(100, 1, 0)) is None
    assert saved_arr(Estimate(0.1, 0, 0.2), Exposure(0, 0, 5)) is None


def test_the_sum_of_playbooks_is_narrower_than_the_sum_of_their_ranges():
    """Hand-worked: 3 and 4 below make 5; 6 and 8 above make 10."""
    found = together([Estimate(10, 7, 16), Estimate(20, 16, 28)])

    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((30, 25, 40))
    assert together([]) is None


def test_value_an_hour():
    """60 treated for 30 minutes are 30 hours; 12 points of 60 are 7.2 more logins."""
    found = value_of(Estimate(0.12, 0.02, 0.2), None, treated=60, minutes_per_client=30, unit="login")

    assert found.hours == 30
    assert found.total is not None
    assert found.total.value == pytest.approx(7.2)
    assert found.per_hour is not None
    assert found.per_hour.value == pytest.approx(0.24)


def test_ranking_puts_money_before_outcomes_and_unmeasured_last():
    def worth(uplift: float | None, arr: float | None, minutes: float):
        shown = None if uplift is None else Estimate(uplift, uplift - 0.1, uplift + 0.1)
        saved = saved_arr(shown, Exposure(arr, 1, 0)) if arr else None
        return value_of(shown, saved, treated=100, minutes_per_client=minutes, unit="login")

    values = [
        worth(0.2, None, 60),  # 0: outcomes, 0.2 an hour
        worth(None, None, 60),  # 1: not measured
        worth(0.1, 1_000_000, 60),  # 2: 1,000 an hour
        worth(0.1, 1_000_000, 6),  # 3: 10,000 an hour
        worth(0.1, None, 0),  # 4: gains without time
        worth(-0.1, None, 0),  # 5: loses without time
    ]

    assert ranked(values) == [3, 2, 4, 0, 5, 1]
