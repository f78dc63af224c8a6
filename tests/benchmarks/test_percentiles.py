"""Percentiles and quartiles against figures worked by hand."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest

from bellwether.benchmarks.cohorts import read_filters, size_band, tenure_band
from bellwether.benchmarks.metrics import from_stored, to_stored, values_of
from bellwether.benchmarks.percentiles import percentile, spread
from bellwether.benchmarks.time_to_value import time_to_value
from bellwether.common.errors import InvalidInputError

INF = math.inf


@pytest.mark.parametrize(
    ("value", "lower", "expected"),
    [(58.0, False, 20.0), (70.0, False, 50.0), (70.0, True, 50.0), (58.0, True, 80.0), (math.nan, False, None)],
)
def test_percentile_counts_those_below_and_half_the_ties(value, lower, expected):
    peers = np.array([50, 60, 70, 80, 90], float)
    assert percentile(value, peers, lower_is_better=lower) == expected


def test_ties_count_half():
    assert percentile(70, np.array([50, 70, 70, 80, 90], float)) == 40  # 100 · (1 + 2/2) / 5


def test_not_yet_is_the_worst_and_ties_with_not_yet():
    days = np.array([10, 20, 30, INF, INF])
    assert percentile(INF, days, lower_is_better=True) == 20  # 100 - 100 · (3 + 1) / 5
    found = spread(days)
    assert (found.p25, found.median, found.p75, found.mean) == (20, 30, INF, None)


def test_quartiles_interpolate_between_neighbours():
    found = spread(np.array([4, 1, 3, 2, math.nan, 10, 6], float))  # 1 2 3 4 6 10: places 1.25, 2.5, 3.75
    assert (found.peers, found.p25, found.median, found.p75) == (6, 2.25, 3.5, 5.5)
    assert (found.lowest, found.highest, found.mean) == (1, 10, 26 / 6)


def test_nothing_is_said_of_four_peers():
    assert spread(np.array([1, 2, 3, 4, math.nan])) is None
    assert percentile(1, np.array([1, 2, 3, 4, math.nan])) is None


def test_metrics_of_a_score():
    inputs = {"mau": 14, "licensed_user_count": 20, "features_used": 3, "features_licensed": 4, "tickets_30d": 3}
    found = values_of(58, inputs, {"support": 55.0})
    assert (found["health"], found["usage_intensity"], found["adoption"]) == (58, 70, 75)
    assert (found["support"], found["tickets"], found["satisfaction"]) == (55, 15, None)
    assert values_of(None, {"mau": 14, "licensed_user_count": 0}, {})["usage_intensity"] is None


@pytest.mark.parametrize("value", [INF, 3.5])
def test_what_is_stored_comes_back(value):
    assert from_stored(to_stored(value)) == value
    assert to_stored(math.nan) is None


def test_bands_hold_their_lower_bound():
    assert [size_band(n) for n in (249, 250, 999, 1000, None)] == ["smb", "midmarket", "midmarket", "enterprise", ""]
    assert [tenure_band(n) for n in (11.9, 12, 36, -1, None)] == ["first-year", "one-to-three", "longer", "", ""]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"colour": ["red"]}, "filters.colour"),
        ({"size": ["huge"]}, "filters.size"),
        ({}, "filters"),
        ({"tier": 3}, "filters.tier"),
    ],
)
def test_filters_that_cannot_be_used_are_named(given, field):
    with pytest.raises(InvalidInputError) as caught:
        read_filters(given)
    assert field in caught.value.errors


def test_time_to_value_is_the_days_to_a_quarter_of_the_seats_of_the_term():
    clients = pl.DataFrame(
        {
            "client_id": ["a", "b", "c", "d"],
            "organization_id": ["A", "B", "C", "D"],
            "go_live_date": [date(2026, 1, 1), date(2026, 1, 1), date(2025, 1, 1), date(2026, 1, 1)],
            "licensed_user_count": [100, 40, 40, None],
        }
    )
    use = pl.DataFrame(
        {
            "organization_id": ["A", "A", "A", "B", "C", "D"],
            "date": [
                date(2025, 12, 31),
                date(2026, 1, 5),
                date(2026, 1, 20),
                date(2026, 1, 9),
                date(2026, 1, 2),
                date(2026, 1, 2),
            ],
            "mau": [90, 4, 5, 9, 40, 40],
        }
    )
    seats = pl.DataFrame(
        {"client_id": ["a", "a"], "start_date": [date(2025, 12, 1), date(2026, 2, 1)], "licensed_user_count": [20, 100]}
    )
    found = time_to_value(clients, use, seats, facts_from=date(2025, 6, 1))
    # A: 5 of the term's 20 seats on 20 January. B: 9 of 40 is not enough. C went live before the facts. D has no seats.
    assert dict(found.iter_rows()) == {"a": 19.0, "b": INF}
