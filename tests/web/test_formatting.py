"""Words and numbers, against the examples of the visual system."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bellwether.web import formatting as f

TODAY = date(2026, 6, 30)
BERLIN = ZoneInfo("Europe/Berlin")


class TestMoney:
    def test_writes_the_amount_in_full(self) -> None:
        assert f.money(Decimal("120000.00")) == "$120,000"

    def test_shows_cents_only_if_there_are_any(self) -> None:
        assert f.money(Decimal("1234.50")) == "$1,234.50"

    def test_shows_a_dash_for_an_unknown_amount(self) -> None:
        assert f.money(None) == "–"


class TestShortMoney:
    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            (0, "$0"),
            (850, "$850"),
            (999.4, "$999"),
            (999.5, "$1K"),
            (19500, "$19.5K"),
            (64000, "$64K"),
            (99_949, "$99.9K"),
            (99_950, "$100K"),
            (612_000, "$612K"),
            (999_500, "$1.00M"),
            (2_930_000, "$2.93M"),
            (999_999_999, "$1.00B"),
            (1_200_000_000, "$1.20B"),
            (-1500, "−$1.5K"),
            (None, "–"),
        ],
    )
    def test_keeps_three_digits_and_never_shows_1000_of_a_unit(self, amount: float | None, text: str) -> None:
        assert f.short_money(amount) == text


class TestNumbers:
    def test_percent_has_no_decimals_unless_asked(self) -> None:
        assert (f.percent(0.2088), f.percent(0.2088, 1), f.percent(None)) == ("21%", "20.9%", "–")

    def test_signed_uses_a_true_minus(self) -> None:
        assert (f.signed(9), f.signed(-14), f.signed(0), f.signed(None)) == ("+9", "−14", "0", "–")

    def test_number_separates_thousands(self) -> None:
        assert (f.number(12340), f.number(2.25), f.number(-0.04)) == ("12,340", "2.3", "0")

    def test_plural_agrees_with_the_count(self) -> None:
        assert (f.plural(1, "client"), f.plural(2400, "client"), f.plural(2, "day off", "days off")) == (
            "1 client",
            "2,400 clients",
            "2 days off",
        )


class TestDates:
    def test_leaves_out_this_year(self) -> None:
        assert f.day(date(2026, 2, 12), TODAY) == "12 Feb"

    def test_names_any_other_year(self) -> None:
        assert f.day(date(2025, 12, 1), TODAY) == "1 Dec 2025"

    def test_clock_is_that_of_the_zone(self) -> None:
        assert f.clock(datetime(2026, 6, 30, 12, 5, tzinfo=UTC), BERLIN) == "14:05"

    def test_moment_names_the_day_if_it_is_not_today_in_the_zone(self) -> None:
        now = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)  # 1 July in Berlin
        assert f.moment(datetime(2026, 6, 30, 21, 0, tzinfo=UTC), now, BERLIN) == "30 Jun, 23:00"
        assert f.moment(datetime(2026, 6, 30, 22, 15, tzinfo=UTC), now, BERLIN) == "00:15"

    @pytest.mark.parametrize(
        ("days", "text"),
        [(0, "today"), (1, "yesterday"), (45, "45 days ago"), (-1, "tomorrow"), (-3, "in 3 days"), (None, "never")],
    )
    def test_ages_are_words(self, days: int | None, text: str) -> None:
        assert f.days_ago(days) == text

    def test_terms_are_short_in_tables(self) -> None:
        assert (f.days_short(45), f.days_short(-3), f.days_short(None)) == ("45 d", "−3 d", "–")


class TestInitials:
    @pytest.mark.parametrize(
        ("name", "text"),
        [("Jane Okafor", "JO"), ("Ada", "A"), ("Anna Maria von Berg", "AB"), ("jean-luc", "JL"), ("", "?")],
    )
    def test_takes_first_and_last(self, name: str, text: str) -> None:
        assert f.initials(name) == text


class TestTrend:
    def test_beyond_the_margin_is_an_arrow_with_the_amount(self) -> None:
        assert f.trend(-14, "DOWN") == f.Delta("down", "14", "bad")
        assert f.trend(6, "UP") == f.Delta("up", "6", "good")

    def test_within_the_margin_is_flat_with_the_signed_amount(self) -> None:
        assert f.trend(-4, "FLAT") == f.Delta("flat", "−4", "")

    def test_is_nothing_without_an_earlier_score(self) -> None:
        assert f.trend(None, None) is None


class TestChange:
    def test_more_is_bad_where_less_is_better(self) -> None:
        assert f.change(1, better="down") == f.Delta("up", "1", "bad")

    def test_no_change_is_flat(self) -> None:
        assert f.change(0, better="up") == f.Delta("flat", "0", "")


class TestSpark:
    def test_spans_the_box_from_the_oldest_to_the_newest(self) -> None:
        line = f.spark([0, 100], width=76, height=24)
        assert line == f.Spark("M1.0,20.0 L72.0,4.0", 72.0, 4.0, 76, 24)

    def test_keeps_a_steady_client_flat(self) -> None:
        line = f.spark([50, 51, 50])
        assert line is not None
        assert line.path == "M1.0,12.8 L36.5,11.2 L72.0,12.8"

    def test_breaks_at_a_gap(self) -> None:
        line = f.spark([10, None, 20])
        assert line is not None
        assert line.path.count("M") == 2

    def test_needs_two_values(self) -> None:
        assert f.spark([None, 5, None]) is None


class TestStatusOf:
    def test_knows_both_spellings(self) -> None:
        assert f.status_of("AT_RISK") == f.status_of("risk")

    def test_is_not_scored_without_a_word(self) -> None:
        assert f.status_of(None).key == "na"


class TestWords:
    def test_splits_both_kinds_of_names(self) -> None:
        assert (f.words("caseResolution"), f.words("days_to_renewal")) == ("case resolution", "days to renewal")
