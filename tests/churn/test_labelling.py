from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.churn.labelling import interval_labels, renewal_labels

pytestmark = pytest.mark.one_database

D = date(2026, 1, 5)


def day(n: int) -> date:
    return D + timedelta(days=n)


def rows(*pairs: tuple[str, int]) -> pl.DataFrame:
    schema = {"client_id": pl.String, "as_of": pl.Date}
    return pl.DataFrame([(client, day(n)) for client, n in pairs], schema=schema, orient="row")


def left(*pairs: tuple[str, int]) -> pl.DataFrame:
    schema = {"client_id": pl.String, "left_on": pl.Date}
    return pl.DataFrame([(client, day(n)) for client, n in pairs], schema=schema, orient="row")


def last(*pairs: tuple[str, int | None]) -> pl.DataFrame:
    schema = {"client_id": pl.String, "last_day": pl.Date}
    return pl.DataFrame([(c, None if n is None else day(n)) for c, n in pairs], schema=schema, orient="row")


def terms(*given: tuple[str, int, str | None]) -> pl.DataFrame:
    schema = {"client_id": pl.String, "term_end": pl.Date, "outcome": pl.String}
    return pl.DataFrame([(c, day(n), what) for c, n, what in given], schema=schema, orient="row")


class TestIntervals:
    @pytest.mark.parametrize(
        ("leaves", "at_risk", "gone"),
        [
            (1, [True, False, False], [True, False, False]),
            (30, [True, False, False], [True, False, False]),
            (31, [True, True, False], [False, True, False]),
            (60, [True, True, False], [False, True, False]),
            (61, [True, True, True], [False, False, True]),
            (90, [True, True, True], [False, False, True]),
            (91, [True, True, True], [False, False, False]),
        ],
    )
    def test_a_client_counts_until_it_leaves(self, leaves: int, at_risk: list[bool], gone: list[bool]) -> None:
        found = interval_labels(rows(("a", 0)), left(("a", leaves)), last(("a", leaves)), day(200))
        assert found.at_risk[0].tolist() == at_risk
        assert found.left[0].tolist() == gone
        assert found.decided[0].tolist() == [True, True, True]
        assert found.left_within[0].tolist() == [leaves <= 30, leaves <= 60, leaves <= 90]

    def test_only_intervals_that_ended_are_known_whatever_happened_so_far(self) -> None:
        given = rows(("a", 0), ("b", 0))
        found = interval_labels(given, left(("a", 40)), last(("a", 40)), day(59))
        assert found.at_risk.tolist() == [[True, False, False], [True, False, False]]
        assert not found.left.any()
        found = interval_labels(given, left(("a", 40)), last(("a", 40)), day(60))
        assert found.at_risk.tolist() == [[True, True, False], [True, True, False]]
        assert found.left.tolist() == [[False, True, False], [False, False, False]]

    def test_an_archived_client_counts_up_to_its_archiving(self) -> None:
        found = interval_labels(rows(("a", 0), ("b", 0)), left(), last(("a", 60), ("b", 59)), day(200))
        assert found.at_risk.tolist() == [[True, True, False], [True, False, False]]
        assert not found.left.any()

    def test_the_day_of_leaving_and_days_after_the_last_are_no_rows(self) -> None:
        given = rows(("a", 9), ("a", 10), ("a", 11), ("b", 21))
        found = interval_labels(given, left(("a", 10)), last(("a", 10), ("b", 20)), day(200))
        assert found.used.tolist() == [True, False, False, False]

    def test_a_client_that_came_back_is_observed_again(self) -> None:
        given = rows(("a", 0), ("a", 10), ("a", 50))
        found = interval_labels(given, left(("a", 10), ("a", 120)), last(("a", None)), day(200))
        assert found.at_risk.tolist() == [[True, False, False], [False, False, False], [True, True, True]]
        assert found.left.tolist() == [[True, False, False], [False, False, False], [False, False, True]]

    def test_one_churn_weighs_about_one_in_each_interval(self) -> None:
        weekly = rows(*(("a", 7 * week) for week in range(60)))
        found = interval_labels(weekly, left(("a", 413)), last(("a", 413)), day(900))
        assert (found.weights @ found.left).tolist() == pytest.approx([1, 1, 1], abs=0.24)
        monthly = rows(*(("a", 30 * month) for month in range(14)))
        found = interval_labels(monthly, left(("a", 413)), last(("a", 413)), day(900), step_days=30)
        assert (found.weights @ found.left).tolist() == [1, 1, 1]

    @given(st.permutations(range(8)))
    def test_the_order_of_rows_does_not_matter(self, order: list[int]) -> None:
        pairs = [(client, n) for client in "ab" for n in (0, 30, 60, 95)]
        one = interval_labels(rows(*pairs), left(("a", 100)), last(("a", 100), ("b", 140)), day(170))
        other = interval_labels(
            rows(*(pairs[n] for n in order)), left(("a", 100)), last(("a", 100), ("b", 140)), day(170)
        )
        assert np.array_equal(one.at_risk[order], other.at_risk)
        assert np.array_equal(one.left[order], other.left)

    def test_no_rows_give_no_labels(self) -> None:
        assert interval_labels(rows(), left(), last(), day(0)).at_risk.shape == (0, 3)


class TestRenewals:
    def test_the_next_term_within_180_days_counts_once_its_grace_is_over(self) -> None:
        given = rows(("a", 0), ("a", 1), ("a", 180), ("a", 181), ("a", 182))
        ends = terms(("a", 181, "RENEWED"), ("a", 546, None))
        assert renewal_labels(given, ends, left(), day(210)).at_risk[:, 0].tolist() == [False] * 5
        found = renewal_labels(given, ends, left(), day(211))
        assert found.at_risk[:, 0].tolist() == [False, True, True, False, False]
        assert found.weights[1:3].tolist() == [0.5, 0.5]
        assert not found.left.any()

    @pytest.mark.parametrize(
        ("outcome", "leaves", "lost"),
        [
            ("CHURNED", None, True),
            ("RENEWED", None, False),
            (None, None, False),
            (None, 5, True),
            (None, 130, True),
            (None, 131, False),
            ("DOWNGRADED", None, False),
        ],
    )
    def test_not_renewed_is_churned_or_gone_within_30_days_of_the_end(
        self, outcome: str | None, leaves: int | None, lost: bool
    ) -> None:
        gone = left() if leaves is None else left(("a", leaves))
        found = renewal_labels(rows(("a", 0)), terms(("a", 100, outcome)), gone, day(300))
        assert found.at_risk.tolist() == [[True]]
        assert found.left.tolist() == [[lost]]

    def test_a_client_archived_before_the_end_is_not_known(self) -> None:
        ends, given = terms(("a", 100, None)), rows(("a", 0))
        known = [
            renewal_labels(given, ends, left(), day(300), last_days=last(("a", n))).at_risk.item() for n in (99, 100)
        ]
        assert known == [False, True]
        gone = renewal_labels(given, ends, left(("a", 50)), day(300), last_days=last(("a", 50)))
        assert gone.left.item()
