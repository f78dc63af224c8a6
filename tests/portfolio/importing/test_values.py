import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.portfolio.importing.calendar_text import read_date, read_instant
from bellwether.portfolio.importing.countries import COUNTRY
from bellwether.portfolio.importing.values import (
    BOOLEAN,
    DATE,
    EMAIL,
    END_INSTANT,
    INSTANT,
    MONEY,
    NUMBER,
    PERCENT,
    WHOLE,
    WORDS,
    Parser,
    Reading,
    is_empty,
    one_of,
    text,
)

PLAIN = Reading()
CELLS = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[\d.,:/ TZ+-]{1,25}", fullmatch=True),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.decimals(),
)


class Sentence(str):
    """The end of a sentence that a parser answers with."""


def outcome(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Return what the function returns, or the sentence of its ValueError; anything else is a crash."""
    try:
        return function(*args, **options)
    except ValueError as error:
        return Sentence(error) if str(error).startswith("is ") else error


def read(parser: Parser, cell: Any, **reading: Any) -> Any:
    return parser.read(cell, Reading(**reading))


class TestDates:
    @pytest.mark.parametrize(
        "cell",
        [
            "2024-02-09",
            "2024/02/09",
            "2024.2.9",
            "20240209",
            "09.02.2024",
            "9 Feb 2024",
            "09-Feb-2024",
            "February 9, 2024",
            "Feb 9th 2024",
            "2024-02-09T23:59:00Z",
            "2024-02-09 3:15:52",
            date(2024, 2, 9),
            datetime(2024, 2, 9, 13, tzinfo=UTC),
        ],
    )
    def test_reads_the_same_day_however_it_is_written(self, cell: Any):
        assert read(DATE, cell) == date(2024, 2, 9)

    @pytest.mark.parametrize("cell", ["31.02.2024", "2024-13-01", "yesterday", "45292", "2024", "1/2/24", "٢٠٢٤-٠١-٠١"])
    def test_refuses_what_is_no_date(self, cell: str):
        with pytest.raises(ValueError, match="is not a date"):
            read(DATE, cell)

    def test_refuses_to_guess_between_day_and_month(self):
        with pytest.raises(ValueError, match="ambiguous"):
            read(DATE, "03/04/2026")
        assert read(DATE, "03/04/2026", date_order="dmy") == date(2026, 4, 3)
        assert read(DATE, "03/04/2026", date_order="mdy") == date(2026, 3, 4)

    def test_sees_which_part_is_the_month_when_the_other_cannot_be(self):
        assert read(DATE, "31/12/2024") == read(DATE, "12/31/2024") == date(2024, 12, 31)
        assert read(DATE, "04/04/2024") == date(2024, 4, 4)

    @given(CELLS)
    def test_never_fails_with_anything_but_a_sentence(self, cell: Any):
        for order in (None, "dmy", "mdy"):
            assert isinstance(outcome(read_date, cell, order=order), date | Sentence)


class TestInstants:
    @pytest.mark.parametrize(
        "cell",
        [
            "2024-02-09T13:05:07Z",
            "2024-02-09 13:05:07",
            "2024-02-09 13:05:07.000 UTC",
            "2024-02-09T14:05:07+01:00",
            "2024-02-09T14:05:07+0100",
            "2024-02-09 1:05:07 PM",
            "9 Feb 2024 13:05:07",
            "1707483907",
            "1707483907000",
            1707483907,
            datetime(2024, 2, 9, 13, 5, 7),  # noqa: DTZ001 (a file's time without a zone)
            datetime(2024, 2, 9, 14, 5, 7, tzinfo=ZoneInfo("Europe/Berlin")),
        ],
    )
    def test_reads_the_same_instant_however_it_is_written(self, cell: Any):
        assert read(INSTANT, cell) == datetime(2024, 2, 9, 13, 5, 7, tzinfo=UTC)

    def test_takes_a_time_without_zone_as_one_of_the_given_zone(self):
        assert read(INSTANT, "2024-07-01 12:00", zone=ZoneInfo("Europe/Berlin")) == datetime(2024, 7, 1, 10, tzinfo=UTC)

    @pytest.mark.parametrize("cell", ["2024-02-09T25:00:00", "noon", "12", "2024-02-30 10:00", True])
    def test_refuses_what_is_no_time(self, cell: Any):
        with pytest.raises(ValueError, match="is not a time"):
            read(INSTANT, cell)

    def test_ends_a_bare_date_at_its_last_second(self):
        assert read(END_INSTANT, "2024-02-09") == datetime(2024, 2, 9, 23, 59, 59, tzinfo=UTC)
        assert read(END_INSTANT, "2024-02-09 08:00") == datetime(2024, 2, 9, 8, tzinfo=UTC)

    @given(CELLS)
    def test_never_fails_with_anything_but_a_sentence(self, cell: Any):
        found = outcome(read_instant, cell, zone=ZoneInfo("Europe/Berlin"), order=None)
        assert isinstance(found, Sentence) or found.tzinfo is UTC


class TestMoney:
    @pytest.mark.parametrize(
        ("cell", "amount"),
        [
            ("1234.5", "1234.50"),
            ("$1,234.56", "1234.56"),
            ("1.234,56 €", "1234.56"),
            ("USD 1 234 567", "1234567"),
            ("1,234", "1234"),
            ("12,5", "12.5"),
            ("1'234.50", "1234.5"),
            ("12,34,567.00", "1234567"),
            ("1e3", "1000"),
            (1234, "1234"),
            (0.1, "0.1"),
            ("2.345", "2.35"),
        ],
    )
    def test_reads_amounts_with_marks_and_currency(self, cell: Any, amount: str):
        assert read(MONEY, cell) == Decimal(amount)

    def test_reads_a_lone_point_as_thousands_when_the_comma_is_the_decimal_mark(self):
        assert read(MONEY, "1.234", decimal=",") == 1234
        assert read(MONEY, "1,234", decimal=",") == Decimal("1.23")

    @pytest.mark.parametrize("cell", ["12k", "1.2.3", "1,23,4", "abc", "1-2", "--3", True, "€", math.inf])
    def test_refuses_what_is_no_number(self, cell: Any):
        with pytest.raises(ValueError, match=r"is not a (finite )?number"):
            read(MONEY, cell)

    def test_refuses_negative_and_huge_amounts(self):
        with pytest.raises(ValueError, match="negative"):
            read(MONEY, "(1,200.00)")
        with pytest.raises(ValueError, match="too large"):
            read(MONEY, "1e30")

    @given(CELLS)
    def test_never_fails_with_anything_but_a_sentence(self, cell: Any):
        for parser in (MONEY, NUMBER, WHOLE, PERCENT):
            assert isinstance(outcome(parser.read, cell, PLAIN), int | float | Decimal | Sentence)

    @given(st.decimals(min_value=0, max_value=10**9, places=2))
    def test_reads_back_every_amount_that_it_would_write(self, amount: Decimal):
        assert read(MONEY, f"{amount:,}") == amount
        assert read(MONEY, str(amount)) == amount


class TestOtherParsers:
    @pytest.mark.parametrize(
        ("cell", "percent"),
        [("40", 40), ("40%", 40), ("0.4", 40), (0.4, 40), (40, 40), ("1.0", 100), ("1", 1), ("0,5%", 1)],
    )
    def test_reads_percentages_and_shares(self, cell: Any, percent: int):
        assert read(PERCENT, cell) == percent

    def test_refuses_a_percentage_over_100(self):
        with pytest.raises(ValueError, match="percentage"):
            read(PERCENT, "140%")

    @pytest.mark.parametrize(
        ("cell", "value"), [("Yes", True), ("0", False), (True, True), (1.0, True), ("FALSE", False)]
    )
    def test_reads_yes_and_no(self, cell: Any, value: bool):
        assert read(BOOLEAN, cell) is value

    @given(CELLS)
    def test_never_crashes_on_a_boolean(self, cell: Any):
        assert outcome(BOOLEAN.read, cell, PLAIN) in {True, False, "is neither yes nor no"}

    def test_refuses_fractions_and_negatives_as_whole_numbers(self):
        assert read(WHOLE, "1,200") == 1200
        with pytest.raises(ValueError, match="whole"):
            read(WHOLE, "1.5")
        with pytest.raises(ValueError, match="between 0"):
            read(WHOLE, -1)

    def test_knows_words_whatever_their_case_and_separators(self):
        parser = one_of({"AT_RISK": "At risk"}, {"in danger": "AT_RISK"})
        assert {read(parser, cell) for cell in ("at risk", "At-Risk", "AT_RISK", "In Danger")} == {"AT_RISK"}
        with pytest.raises(ValueError, match="is none of AT_RISK"):
            read(parser, "fine")

    def test_reads_countries_by_name_and_code(self):
        assert [read(COUNTRY, c) for c in ("us", "United Kingdom", "Germany", "USA", "UK")] == [
            "US",
            "GB",
            "DE",
            "US",
            "GB",
        ]
        with pytest.raises(ValueError, match="country"):
            read(COUNTRY, "Atlantis")

    def test_reads_lists_however_they_are_separated(self):
        for cell in ("a; b", "a|b|a", "a,b", '["a", "b"]', ["a", "b"]):
            assert read(WORDS, cell) == ["a", "b"]

    def test_reads_addresses_in_lower_case(self):
        assert read(EMAIL, " Ada@Bellwether.Example ") == "ada@bellwether.example"
        with pytest.raises(ValueError, match="e-mail"):
            read(EMAIL, "h_7bba8d981b852265")

    def test_refuses_text_that_does_not_fit_the_column(self):
        assert read(text(5), 12345.0) == "12345"
        with pytest.raises(ValueError, match=r"longer than 5 characters \(6\)"):
            read(text(5), "abcdef")
        with pytest.raises(ValueError, match="NUL"):
            read(text(5), "a\x00b")

    def test_knows_what_exports_write_for_nothing(self):
        assert all(is_empty(cell) for cell in (None, "", "  ", "NULL", "n/a", math.nan, "\\N"))
        assert not any(is_empty(cell) for cell in (0, False, "0", "None of these"))
