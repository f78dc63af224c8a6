"""Renewal rates and the forecast, against published and hand-worked values."""

from datetime import date

import pytest

from bellwether.analytics.book import book_on
from bellwether.analytics.renewals import BELOW_60, case_counts, forecast, missed, renewal_rates, whole, wilson
from tests.analytics.books import TODAY, records

pytestmark = pytest.mark.one_database


class TestWilson:
    @pytest.mark.parametrize(
        ("kept", "of", "low", "high"),
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
        ids=["81_263", "15_148", "0_20", "1_29"],
    )
    def test_gives_the_published_intervals(self, kept: int, of: int, low: float, high: float) -> None:
        assert wilson(kept, of) == pytest.approx((low, high), abs=0.00005)


class TestRates:
    def test_need_twenty_terms(self) -> None:
        ended: list[tuple[str | None, bool]] = (
            [("HEALTHY", True)] * 19 + [("MONITOR", True)] * 15 + [("MONITOR", False)] * 5
        )
        assert list(renewal_rates(ended)) == ["MONITOR"]
        assert renewal_rates(ended)["MONITOR"].share == 0.75
        assert case_counts(ended) == {"HEALTHY": 19, "MONITOR": 20, BELOW_60: 0}

    def test_put_at_risk_and_critical_together(self) -> None:
        ended: list[tuple[str | None, bool]] = [("AT_RISK", True)] * 12 + [("CRITICAL", False)] * 8
        assert renewal_rates(ended)[BELOW_60].kept == 12


class TestForecast:
    def rates(self) -> dict:
        return renewal_rates([("HEALTHY", True)] * 18 + [("HEALTHY", False)] * 2)

    def test_takes_the_clients_own_probability_first_then_the_rate(self) -> None:
        months = forecast(book_on(records(), TODAY), self.rates(), TODAY)
        assert len(months) == 12
        december = next(month for month in months if month.first == date(2026, 12, 1))
        # Ash 120,000 x 90% by rate, Birch 150,000 x 40% of its own.
        assert (december.clients, december.arr, december.arr_at_risk) == (2, 270_000, 150_000)
        assert december.expected == pytest.approx(108_000 + 60_000)
        low, high = wilson(18, 20)
        assert (december.low, december.high) == pytest.approx((120_000 * low + 60_000, 120_000 * high + 60_000))

    def test_expects_nothing_of_what_nobody_knows(self) -> None:
        july = forecast(book_on(records(), TODAY), self.rates(), TODAY)[1]
        assert (july.arr, july.expected, july.unknown) == (50_000, None, 50_000)

    def test_sums_up_and_leaves_out_what_was_due_before_today(self) -> None:
        book = book_on(records(), TODAY)
        year = whole(book, self.rates(), TODAY)
        assert (year.clients, year.arr, year.recorded, year.by_rate, year.unknown) == (
            3, 320_000, 150_000, 120_000, 50_000
        )  # fmt: skip
        assert missed(book, TODAY).clients == 1

    def test_begins_today_and_ends_a_year_on(self) -> None:
        months = forecast(book_on(records(), TODAY), {}, date(2026, 11, 21))
        assert (months[0].first, months[0].last) == (date(2026, 11, 21), date(2026, 11, 30))
        assert (months[1].first, months[-1].last) == (date(2026, 12, 1), date(2027, 10, 31))
