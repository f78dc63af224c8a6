"""Periods and what they are compared with, by the calendar."""

from datetime import date

import pytest

from bellwether.analytics.periods import months_before, period_of, year_before
from bellwether.common.errors import InvalidInputError

pytestmark = pytest.mark.one_database
TODAY = date(2026, 11, 21)


class TestPeriod:
    @pytest.mark.parametrize(
        ("kind", "first", "last", "earlier"),
        [
            ("quarter", date(2026, 10, 1), TODAY, date(2026, 8, 10)),
            ("last_quarter", date(2026, 7, 1), date(2026, 9, 30), date(2026, 3, 31)),
            ("month", date(2026, 11, 1), TODAY, date(2026, 10, 11)),
            ("year", date(2026, 1, 1), TODAY, date(2025, 2, 10)),
        ],
        ids=["quarter", "last_quarter", "month", "year"],
    )
    def test_spans_the_days_and_as_many_before(self, kind: str, first: date, last: date, earlier: date) -> None:
        found = period_of(kind, today=TODAY)
        assert (found.first, found.last, found.earlier_first) == (first, last, earlier)
        assert (found.before - found.earlier_first).days + 1 == found.days == (last - first).days + 1

    def test_last_quarter_of_the_first_one_is_in_the_year_before(self) -> None:
        found = period_of("last_quarter", today=date(2026, 2, 3))
        assert (found.first, found.last) == (date(2025, 10, 1), date(2025, 12, 31))

    def test_says_its_days_in_words(self) -> None:
        found = period_of("quarter", today=TODAY)
        assert found.in_words == (
            "1 Oct to 21 Nov 2026 (52 days), compared with the 52 days before, 10 Aug to 30 Sep 2026"
        )
        assert found.label == "Q4 2026 to date"

    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("period", {"kind": "fortnight"}),
            ("from", {"kind": "custom"}),
            ("to", {"kind": "custom", "first": date(2026, 1, 1), "last": date(2026, 11, 22)}),
            ("from", {"kind": "custom", "first": date(2026, 2, 2), "last": date(2026, 2, 1)}),
            ("from", {"kind": "custom", "first": date(2022, 1, 1)}),
            ("from", {"kind": "custom", "first": date(1, 1, 1), "last": date(1, 1, 2)}),
        ],
        ids=["kind", "no_first", "future", "order", "long", "ancient"],
    )
    def test_names_the_field_that_cannot_be_used(self, field: str, values: dict[str, object]) -> None:
        with pytest.raises(InvalidInputError) as caught:
            period_of(today=TODAY, **values)  # type: ignore[arg-type]
        assert list(caught.value.errors) == [field]


def test_months_end_where_the_calendar_ends_them() -> None:
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2026, 1, 31), 2) == date(2025, 11, 30)
    assert months_before(date(2026, 12, 31), 12) == date(2025, 12, 31)
    assert year_before(date(2024, 2, 29)) == date(2023, 2, 28)
