from datetime import date, timedelta

import polars as pl
import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.health import backtest_outcomes as outcomes

D = date(2026, 1, 1)


def day(n: int) -> date:
    return D + timedelta(days=n)


def rows(*pairs: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame([(c, day(n)) for c, n in pairs], schema=outcomes.ROWS, orient="row")


def churns(*given: tuple[str, int, float | None]) -> pl.DataFrame:
    return pl.DataFrame([(c, day(n), arr) for c, n, arr in given], schema=outcomes.CHURNS, orient="row")


class TestAsOfDates:
    def test_are_whole_steps_from_a_monday(self) -> None:
        found = outcomes.as_of_dates(date(2026, 1, 1), date(2026, 3, 31), 28)
        assert found == [
            date(2026, 1, 26),
            date(2026, 2, 23),
            date(2026, 3, 23),
        ]  # 9,156 days = 327 steps after 2001-01-01
        assert all(one.weekday() == 0 for one in found)

    def test_are_the_same_for_another_span(self) -> None:
        assert outcomes.as_of_dates(date(2026, 2, 1), date(2026, 3, 31), 28) == [date(2026, 2, 23), date(2026, 3, 23)]

    def test_include_both_ends(self) -> None:
        assert outcomes.as_of_dates(date(2026, 2, 23), date(2026, 3, 23), 28) == [date(2026, 2, 23), date(2026, 3, 23)]


class TestFollow:
    @pytest.mark.parametrize(
        ("churn", "label"), [(0, 0), (1, 1), (30, 1), (31, 0)], ids=["same day", "next", "edge", "over"]
    )
    def test_churn_counts_after_the_day_up_to_the_horizon(self, churn: int, label: int) -> None:
        found = outcomes.follow(rows(("a", 0)), churns(("a", churn, 1.0)), horizon=30, until=day(400))
        assert found.rows["label"].to_list() == [label]
        assert found.losses.height == label

    def test_rows_whose_horizon_is_not_over_are_undecided(self) -> None:
        found = outcomes.follow(
            rows(("a", 70), ("a", 71), ("b", 70), ("b", 71)), churns(("b", 80, None)), horizon=30, until=day(100)
        )
        assert found.rows["label"].to_list() == [0, -1, 1, -1]

    def test_a_loss_is_seen_from_the_last_row_before_it(self) -> None:
        found = outcomes.follow(
            rows(("a", 0), ("a", 28), ("a", 56), ("b", 0)), churns(("a", 60, 500.0)), horizon=90, until=day(200)
        )
        assert found.rows["label"].to_list() == [1, 1, 1, 0]
        assert found.losses.rows() == [("a", day(60), 500.0, day(56))]

    def test_a_loss_with_undecided_rows_only_is_left_out(self) -> None:
        found = outcomes.follow(rows(("a", 90)), churns(("a", 95, 1.0)), horizon=30, until=day(100))
        assert found.losses.is_empty()

    def test_a_client_that_came_back_can_leave_again(self) -> None:
        found = outcomes.follow(
            rows(("a", 0), ("a", 100)), churns(("a", 10, 1.0), ("a", 110, 2.0)), horizon=30, until=day(400)
        )
        assert found.rows["label"].to_list() == [1, 1]
        assert found.losses["arr"].to_list() == [1.0, 2.0]

    def test_the_day_of_leaving_and_days_after_it_are_no_observations(self) -> None:
        given = rows(("a", 9), ("a", 10), ("a", 11), ("b", 10), ("b", 11), ("c", 11))
        last = pl.DataFrame(
            [("a", day(10)), ("b", day(10)), ("c", None)], schema={"client_id": pl.String, "last_day": pl.Date},
            orient="row",
        )  # fmt: skip
        kept = outcomes.while_clients(given, churns(("a", 10, 1.0)), last)
        assert kept.rows() == [("a", day(9)), ("b", day(10)), ("c", day(11))]


class TestLabels:
    TEXT = b"client_id,as_of,churn_next_90d\nalpha,2026-01-01,0\nalpha,2026-02-01,1\nbeta,2026-01-01,\n"

    def test_are_read_with_empty_as_not_known(self) -> None:
        found = outcomes.read_labels(self.TEXT, "churn_next_90d")
        assert found.rows() == [("alpha", day(0), 0), ("alpha", day(31), 1), ("beta", day(0), -1)]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (b"as_of,x\n2026-01-01,1\n", "organization_id"),
            (b"client,x\na,1\n", "no column 'as_of'"),
            (b"client,as_of\na,2026-01-01\n", "no column 'x'"),
            (b"client,as_of,x\na,2026-01-01,1\na,1.2.2026,1\n", "Row 3 of the labels: as_of"),
            (b"client,as_of,x\na,2026-01-01,yes\n", "Row 2 of the labels: x must be 0, 1 or empty"),
            (b"client,as_of,x\na,2026-01-01,1\na,2026-01-01,0\n", "twice"),
            (b"", "cannot be read"),
        ],
        ids=["client", "as_of", "column", "date", "value", "twice", "empty"],
    )
    def test_that_cannot_be_used_name_what_is_wrong(self, text: bytes, words: str) -> None:
        with pytest.raises(InvalidInputError, match=words):
            outcomes.read_labels(text, "x")

    def test_a_run_of_ones_is_one_loss_on_its_last_day(self) -> None:
        labels = pl.DataFrame(
            [("a", day(n), label) for n, label in enumerate([0, 1, 1, 0, 1, -1])],
            schema={"client_id": pl.String, "as_of": pl.Date, "label": pl.Int8},
            orient="row",
        )
        found = outcomes.follow_labels(rows(*[("a", n) for n in range(8)]), labels)
        assert found.rows["label"].to_list() == [0, 1, 1, 0, 1, -1]
        assert found.losses["date"].to_list() == [day(2), day(4)]

    @pytest.mark.parametrize(("name", "days"), [("churn_next_90d", 90), ("churned", None), ("x_1800d", None)])
    def test_name_their_horizon(self, name: str, days: int | None) -> None:
        assert outcomes.horizon_in_name(name) == days
