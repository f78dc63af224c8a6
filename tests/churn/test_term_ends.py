"""How terms ended, by outcomes and following terms."""

from datetime import date

import polars as pl
import pytest

from bellwether.churn.term_ends import term_ends

pytestmark = pytest.mark.one_database


def ends(terms: list[tuple[date, date | None]], outcomes: list[tuple[date, str]]) -> list[tuple[date, str, date]]:
    found = term_ends(
        pl.DataFrame(
            [("a", *term) for term in terms],
            schema={"client_id": pl.String, "start_date": pl.Date, "end_date": pl.Date},
            orient="row",
        ),
        pl.DataFrame(
            [("a", *outcome) for outcome in outcomes],
            schema={"client_id": pl.String, "date": pl.Date, "outcome": pl.String},
            orient="row",
        ),
    )
    return list(found.select("term_end", "outcome", "decided_on").iter_rows())


FIRST = (date(2024, 1, 1), date(2024, 12, 31))
SECOND = (date(2025, 1, 1), date(2025, 12, 31))


class TestTermEnds:
    def test_a_term_that_another_one_follows_renewed(self) -> None:
        assert ends([SECOND, FIRST], []) == [(FIRST[1], "RENEWED", SECOND[0])]

    def test_an_outcome_just_after_the_next_start_belongs_to_the_term_before(self) -> None:
        assert ends([FIRST, SECOND], [(date(2025, 1, 10), "DOWNGRADED")]) == [
            (FIRST[1], "DOWNGRADED", date(2025, 1, 10))
        ]

    def test_churn_of_a_client_that_came_back_stays_churn(self) -> None:
        back = (date(2025, 6, 1), date(2026, 5, 31))
        assert ends([FIRST, back], [(date(2024, 12, 31), "CHURNED")]) == [(FIRST[1], "CHURNED", FIRST[1])]

    def test_of_a_term_with_two_outcomes_the_stronger_counts(self) -> None:
        told = [(date(2024, 12, 20), "RENEWED"), (date(2024, 12, 21), "DOWNGRADED")]
        assert ends([FIRST, SECOND], told) == [(FIRST[1], "DOWNGRADED", date(2024, 12, 21))]

    def test_a_term_replaced_long_before_its_end_had_no_renewal(self) -> None:
        assert ends([FIRST, (date(2024, 6, 1), date(2025, 5, 31))], []) == []

    def test_leaving_within_a_term_ends_it(self) -> None:
        assert ends([FIRST], [(date(2024, 8, 1), "CHURNED")]) == [(FIRST[1], "CHURNED", date(2024, 8, 1))]
        assert ends([(FIRST[0], None)], [(date(2024, 8, 1), "CHURNED")]) == [
            (date(2024, 8, 1), "CHURNED", date(2024, 8, 1))
        ]

    def test_nothing_decided_is_no_row(self) -> None:
        assert ends([FIRST], []) == []
        assert ends([], [(date(2024, 8, 1), "CHURNED")]) == []
