"""The rules of contract terms, worked by hand."""

from datetime import date
from decimal import Decimal

import pytest

from bellwether.dashboard.terms_chart import draw_terms
from bellwether.portfolio.terms import Term, is_downgrade, next_term, term_on, term_problems, troubles

pytestmark = pytest.mark.one_database
TODAY = date(2026, 6, 30)


def term(start: str, end: str | None = None, arr: int | None = 100, **fields: object) -> Term:
    return Term(
        start_date=date.fromisoformat(start),
        end_date=date.fromisoformat(end) if end else None,
        annual_recurring_revenue=None if arr is None else Decimal(arr),
        **fields,  # type: ignore[arg-type]
    )


FIRST, SECOND = term("2024-07-01", "2025-06-30"), term("2025-07-01", "2026-06-30", 120)


@pytest.mark.parametrize(
    ("bad", "field", "words"),
    [
        (term("2026-07-01", "2026-06-30"), "end_date", "ends before it starts, on 1 Jul 2026"),
        (term("2026-07-01", arr=-1), "annual_recurring_revenue", "cannot be negative"),
        (term("0206-07-01"), "start_date", "too long ago"),
        (term("2026-07-01", "2206-07-01"), "end_date", "more than 30 years ahead"),
        (term("2026-07-01", licensed_user_count=-3), "licensed_user_count", "cannot be negative"),
        (term("2025-07-01", "2026-06-30"), "start_date", "Another term of this client starts on that day"),
        (term("2026-06-30", "2027-06-29"), "overlap", "Overlaps with 1 Jul 2025 to 30 Jun 2026"),
        (term("2023-01-01", None), "overlap", "1 Jul 2024 to 30 Jun 2025 and 1 Jul 2025 to 30 Jun 2026"),
    ],
    ids=["order", "negative", "slip", "ahead", "seats", "start", "one-day", "open"],
)
def test_what_is_wrong_is_named_by_field(bad: Term, field: str, words: str) -> None:
    assert words in term_problems(bad, [FIRST, SECOND], today=TODAY)[field]


def test_terms_that_touch_do_not_overlap() -> None:
    assert term_problems(term("2026-07-01", "2027-06-30"), [FIRST, SECOND], today=TODAY) == {}


def test_an_overlap_of_long_standing_does_not_stop_other_edits() -> None:
    before = term("2025-06-01", "2026-05-31")
    after = term("2025-06-01", "2026-05-31", 150)
    assert term_problems(after, [FIRST], today=TODAY, before=before) == {}


@pytest.mark.parametrize(
    ("terms", "start"),
    [
        ([FIRST, SECOND], "2025-07-01"),
        ([FIRST], "2024-07-01"),
        ([term("2027-01-01"), term("2026-09-01")], "2026-09-01"),
        ([FIRST, SECOND, term("2026-01-01")], "2026-01-01"),
    ],
    ids=["in-force", "ended", "to-come", "started-last"],
)
def test_the_term_that_counts(terms: list[Term], start: str) -> None:
    found = term_on(terms, TODAY)
    assert found is not None
    assert found.start_date.isoformat() == start


class TestTroubles:
    def kinds(self, terms: list[Term], own: dict[str, object] | None = None, *, left: bool = False) -> list[str]:
        return [one.kind for one in troubles(terms, own or {}, today=TODAY, left=left)]

    def test_a_whole_course_has_none(self) -> None:
        assert self.kinds([FIRST, SECOND], {"annual_recurring_revenue": Decimal("120.00")}) == []

    def test_a_gap_an_overlap_and_an_end_that_nobody_recorded(self) -> None:
        gap = troubles([FIRST, term("2025-07-11", "2026-06-20")], {}, today=TODAY, left=False)
        assert [one.kind for one in gap] == ["ended", "gap"]
        assert "ended on 20 Jun 2026, 10 days ago" in gap[0].text
        assert gap[1].text == "10 days without a term, 1 Jul 2025 to 10 Jul 2025."
        assert self.kinds([FIRST, term("2025-06-30")]) == ["overlap"]
        assert self.kinds([FIRST], left=True) == []

    def test_the_record_of_the_client_contradicts_the_term(self) -> None:
        own = {"annual_recurring_revenue": Decimal(90), "contract_end_date": date(2026, 12, 31), "contract_tier": ""}
        found = troubles([SECOND], own, today=TODAY, left=False)
        assert (
            found[0].text
            == "The client's own record says end 31 Dec 2026 instead of 30 Jun 2026; ARR $90 instead of $120."
        )

    def test_the_start_of_the_first_term_and_a_renewal_on_the_next_day_are_usual(self) -> None:
        own = {"contract_start_date": date(2024, 7, 1), "next_renewal_date": date(2026, 7, 1)}
        assert self.kinds([FIRST, SECOND], own) == []
        assert self.kinds([FIRST, SECOND], {"next_renewal_date": date(2026, 7, 2)}) == ["contradiction"]


def test_the_next_term_follows_at_once_and_is_as_long() -> None:
    following = next_term(term("2024-03-01", "2027-02-28", 500), today=TODAY)
    assert (following.start_date, following.end_date) == (date(2027, 3, 1), date(2030, 2, 28))
    leap = next_term(term("2023-02-28", "2024-02-28"), today=TODAY)
    assert (leap.start_date, leap.end_date) == (date(2024, 2, 29), date(2025, 2, 28))


@pytest.mark.parametrize(
    ("before", "after", "less"),
    [
        (term("2025-07-01", arr=100), term("2026-07-01", arr=99), True),
        (term("2025-07-01", arr=100, licensed_user_count=9), term("2026-07-01", arr=100, licensed_user_count=5), False),
        (term("2025-07-01", arr=None, licensed_user_count=9), term("2026-07-01", licensed_user_count=5), True),
        (term("2025-07-01", arr=None), term("2026-07-01", arr=1), False),
    ],
    ids=["arr", "same-arr", "seats", "unknown"],
)
def test_a_renewal_for_less_is_a_downgrade(before: Term, after: Term, less: bool) -> None:
    assert is_downgrade(before, after) is less


def test_an_end_that_stands_for_none_is_none() -> None:
    endless = term("2025-07-01", "9999-12-31", 500)
    following = next_term(endless, today=TODAY)
    assert (following.start_date, following.end_date) == (TODAY, date(2027, 6, 29))
    assert troubles([endless], {"next_renewal_date": date(9999, 12, 31)}, today=TODAY, left=False) == []
    drawn = draw_terms([FIRST, endless], [], current=endless, today=TODAY)
    assert drawn is not None
    assert [bar.width > 200 for bar in drawn.bars] == [True, True]
