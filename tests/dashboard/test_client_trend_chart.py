"""Where things stand in the health trend."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from bellwether.dashboard.trend_chart import BOTTOM, LEFT, RIGHT, TOP, Band, TrendChart, draw, in_words, spread_out

FIRST = date(2026, 1, 1)
LAST = date(2026, 4, 1)
BANDS = [
    Band("Healthy", 80, "healthy"),
    Band("Monitor", 60, "monitor"),
    Band("At risk", 40, "risk"),
    Band("Critical", 0, "critical"),
]


def days(*scores: int | None, first: date = FIRST) -> dict[date, int | None]:
    return {first + timedelta(days=n): score for n, score in enumerate(scores)}


def chart(scores: dict[date, int | None], **changes: object) -> TrendChart:
    given: dict[str, object] = {"first": FIRST, "last": LAST, "scores": scores, "median": {}, "bands": BANDS}
    return draw(**(given | changes))  # type: ignore[arg-type]


class TestDraw:
    def test_spans_the_period_from_edge_to_edge(self) -> None:
        found = chart({FIRST: 65, LAST: 100})
        assert (found.points[0].x, found.points[-1].x) == (LEFT, RIGHT)

    def test_puts_a_score_where_the_axis_says(self) -> None:
        """From 30 to 100 the axis is 196 high: 65 lies half way, 100 at the top."""
        found = chart({FIRST: 65, LAST: 100})
        assert (found.points[0].y, found.points[-1].y) == ((TOP + BOTTOM) / 2, TOP)

    def test_starts_at_zero_when_a_score_is_under_thirty(self) -> None:
        found = chart({FIRST: 25, LAST: 50})
        assert found.points[-1].y == (TOP + BOTTOM) / 2

    def test_starts_at_zero_when_the_median_is_under_thirty(self) -> None:
        found = chart({FIRST: 50, LAST: 50}, median={FIRST: 20.0, LAST: 20.0})
        assert found.points[0].y == (TOP + BOTTOM) / 2

    def test_breaks_the_line_where_there_was_no_score(self) -> None:
        found = chart(days(70, 71, None, 72, 73))
        assert [path.count(",") for path in found.lines] == [2, 2]

    def test_breaks_the_line_where_a_day_is_missing(self) -> None:
        scores = days(70, 71, 72, 73, 74)
        del scores[FIRST + timedelta(days=2)]
        assert len(chart(scores).lines) == 2

    def test_draws_a_day_between_gaps_as_a_dot(self) -> None:
        found = chart(days(70, 71, None, 72, None, 73, 74))
        assert [point.score for point in found.lone] == [72]

    def test_joins_a_median_taken_every_few_days_but_not_over_a_longer_gap(self) -> None:
        median = {FIRST + timedelta(days=n): 70.0 for n in (0, 3, 6, 9, 30, 33)}
        assert [path.count(",") for path in chart(days(70, 71), median=median).reference] == [4, 2]

    def test_tints_the_two_lowest_bands_and_names_all(self) -> None:
        found = chart(days(70, 71))
        assert [zone.status for zone in found.zones] == ["risk", "critical"]
        assert [name.text for name in found.names] == ["Healthy", "Monitor", "At risk", "Critical"]

    def test_draws_a_dotted_limit_where_a_band_begins_and_a_line_at_the_top(self) -> None:
        limits = chart(days(70, 71)).limits
        assert [(limit.value, limit.dotted) for limit in limits] == [(40, True), (60, True), (80, True), (100, False)]

    def test_takes_the_bands_of_any_scorecard(self) -> None:
        bands = [Band("Healthy", 70, "healthy"), Band("At risk", 40, "risk"), Band("Critical", 0, "critical")]
        assert [limit.value for limit in chart(days(70, 71), bands=bands).limits] == [40, 70, 100]

    def test_gives_every_date_room(self) -> None:
        for span in (30, 90, 180):
            xs = [tick.x for tick in chart(days(70, 71), last=FIRST + timedelta(days=span)).ticks]
            assert min(b - a for a, b in pairwise(xs)) >= 44

    def test_numbers_the_events_and_hangs_them_under_the_line(self) -> None:
        found = chart(days(*[65] * 91), events=[(FIRST, ""), (LAST, "risk")])
        assert [(mark.number, mark.status, mark.top) for mark in found.marks] == [(1, "", 116.0), (2, "risk", 116.0)]

    def test_keeps_the_marks_of_one_day_apart(self) -> None:
        found = chart(days(70, 71), events=[(LAST, ""), (LAST, ""), (LAST, "")])
        xs = [mark.label_x for mark in found.marks]
        assert xs == [680.0, 700.0, 720.0]

    def test_draws_nothing_for_days_outside_the_period(self) -> None:
        assert chart({FIRST - timedelta(days=1): 50, FIRST: 60}).points[0].day == FIRST


class TestSpreadOut:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ([100.0, 200.0], [100.0, 200.0]),
            ([100.0, 105.0, 110.0], [100.0, 120.0, 140.0]),
            ([290.0, 300.0], [280.0, 300.0]),
            ([], []),
        ],
    )
    def test_moves_only_what_is_too_near(self, given: list[float], expected: list[float]) -> None:
        assert spread_out(given, gap=20, low=0, high=300) == expected


class TestInWords:
    def words(self, scores: dict[date, int | None], median: dict[date, float] | None = None) -> str:
        return in_words(first=FIRST, last=LAST, scores=scores, median=median or {}, cohort="Enterprise")

    def test_says_from_where_to_where_and_since_when(self) -> None:
        scores = days(*[75] * 80, 74, 73, 72, 70, 68, 66, 64, 62, 60, 59, 58)
        assert self.words(scores) == (
            "Health score, 1 Jan 2026 to 1 Apr 2026: falls from 75 to 58, most of it since 25 Mar."
        )

    def test_calls_a_small_change_steady(self) -> None:
        assert "stays between 70 and 73, now 72" in self.words(days(70, 73, 72))

    def test_tells_how_the_median_went(self) -> None:
        assert self.words(days(70, 72), {FIRST: 77.0, LAST: 78.0}).endswith("Enterprise median stays near 78.")
        assert self.words(days(70, 72), {FIRST: 60.0, LAST: 78.0}).endswith("Enterprise median goes from 60 to 78.")

    def test_says_when_there_is_nothing(self) -> None:
        assert self.words({}).endswith("no score on any of these days.")
