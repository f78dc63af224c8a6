"""Which days the trend shows, how densely, and where there is no score; all worked by hand."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from bellwether.dashboard.client_trend_range import Asked, Gap, asked_for, bounds, gaps, kept_days, median_days

TODAY = date(2026, 6, 30)
MONDAY = date(2026, 1, 5)


class TestAskedFor:
    @pytest.mark.parametrize("days", [30, 90, 180, 365, 730, 1095])
    def test_takes_the_ranges_that_are_offered(self, days: int) -> None:
        assert asked_for({"days": str(days)}, today=TODAY) == Asked(days)

    def test_takes_dates_of_ones_own_up_to_today(self) -> None:
        found = asked_for({"start": "2026-01-01", "end": "2027-01-01"}, today=TODAY)
        assert (found.start, found.end, found.custom) == (date(2026, 1, 1), TODAY, True)
        assert bounds(found, TODAY) == (date(2026, 1, 1), TODAY)
        assert asked_for({"start": "2026-01-01"}, today=TODAY).end == TODAY

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({"start": "soon", "end": "2026-01-01"}, "give both as year-month-day"),
            ({"end": "2026-01-01"}, "give both as year-month-day"),
            ({"start": "2026-03-01", "end": "2026-02-01"}, "1 Mar 2026 is not before 1 Feb 2026"),
            ({"start": "2026-03-01", "end": "2026-03-01"}, "1 Mar 2026 is not before 1 Mar 2026"),
            ({"start": "2026-07-01"}, "1 Jul 2026 is not before 30 Jun 2026"),
            ({"start": "2020-01-01"}, "at most 1,095 days long"),
        ],
    )
    def test_says_why_dates_cannot_be_used_and_shows_the_usual(self, given: dict[str, str], problem: str) -> None:
        found = asked_for(given, today=TODAY)
        assert problem in found.problem
        assert bounds(found, TODAY) == (date(2026, 4, 1), TODAY)


class TestKeptDays:
    def test_are_all_with_a_score_in_a_short_range(self) -> None:
        scores = {MONDAY: 50, MONDAY + timedelta(days=1): None, MONDAY + timedelta(days=2): 52}
        assert kept_days(scores, MONDAY, MONDAY + timedelta(days=90)) == {MONDAY, MONDAY + timedelta(days=2)}

    def test_keep_lowest_highest_and_last_of_each_week_in_a_long_one(self) -> None:
        """Monday to Sunday: 60 61 40 62 90 63 64; then 70 on every day of a week."""
        values = [60, 61, 40, 62, 90, 63, 64, *[70] * 7]
        scores: dict[date, int | None] = {MONDAY + timedelta(days=n): value for n, value in enumerate(values)}
        kept = kept_days(scores, MONDAY, MONDAY + timedelta(days=300))
        assert [(day - MONDAY).days for day in sorted(kept)] == [2, 4, 6, 7, 13]

    def test_leave_out_what_is_outside(self) -> None:
        assert kept_days({MONDAY: 50}, MONDAY + timedelta(days=1), MONDAY + timedelta(days=9)) == set()


class TestMedianDays:
    def test_are_a_week_apart_in_a_long_range(self) -> None:
        days = median_days(TODAY - timedelta(days=1095), TODAY)
        assert len(days) == 158
        assert days[-1] == TODAY
        assert {(b - a).days for a, b in pairwise(days[1:])} == {7}


class TestGaps:
    def day(self, number: int) -> date:
        return MONDAY + timedelta(days=number)

    def test_say_from_when_to_when_and_why(self) -> None:
        scores: dict[date, int | None] = {self.day(0): 50, self.day(1): None, self.day(2): None, self.day(4): 51}
        reasons = {self.day(1): "20% of the weight has data.", self.day(2): "20% of the weight has data."}
        found = gaps(scores, reasons, self.day(0), self.day(4), known_from=self.day(0))
        assert found == [
            Gap(self.day(1), self.day(2), "20% of the weight has data"),
            Gap(self.day(3), self.day(3), "nothing was scored"),
        ]
        assert found[0].text == "No score from 6 Jan 2026 to 7 Jan 2026: 20% of the weight has data."
        assert found[1].text == "No score on 8 Jan 2026: nothing was scored."

    def test_know_when_the_client_was_not_scored_yet(self) -> None:
        found = gaps({self.day(2): 50}, {}, self.day(0), self.day(2), known_from=self.day(2))
        assert [(gap.last, gap.reason) for gap in found] == [(self.day(1), "the client was not scored yet")]

    def test_do_not_count_a_last_day_that_may_not_be_scored_yet(self) -> None:
        assert gaps({self.day(0): 50}, {}, self.day(0), self.day(1), known_from=self.day(0)) == []
        assert len(gaps({self.day(0): 50}, {}, self.day(0), self.day(2), known_from=self.day(0))) == 1
