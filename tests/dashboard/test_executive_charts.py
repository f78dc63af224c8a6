"""The geometry of the executive view's drawings, worked out by hand."""

from datetime import date
from itertools import pairwise

import pytest

from bellwether.analytics.book import Limits, book_on
from bellwether.analytics.figures import TrendPoint
from bellwether.analytics.renewals import forecast
from bellwether.dashboard.executive_charts import BOTTOM, NEAR, TOP, histogram_of, median_trend, renewal_bars
from tests.analytics.books import TODAY, records

pytestmark = pytest.mark.one_database


class TestHistogram:
    def test_places_bars_and_the_outline(self) -> None:
        bins = [0] * 18 + [2, 8]
        drawn = histogram_of(bins, [8] + [0] * 19, {"critical": 0, "risk": 0, "monitor": 0, "healthy": 10}, Limits())
        assert [(bar.status, bar.height) for bar in drawn.bars] == [("healthy", 43.0), ("healthy", BOTTOM - TOP)]
        assert drawn.outline.startswith("M26,186 L26.0,14.0 L50.7,14.0 L50.7,186.0")
        assert [text for text, _ in drawn.grid] == ["0", "2", "4", "6", "8"]
        assert drawn.rows[-1] == ("95 to 100", 8, 0)
        assert drawn.sentence == "Clients by health score: 0 critical, 0 at risk, 0 monitor, 10 healthy."

    @pytest.mark.parametrize(("most", "top"), [(3, "4"), (9, "20"), (57, "80"), (81, "200"), (1_900, "2000")])
    def test_ends_at_a_round_number(self, most: int, top: str) -> None:
        counts = dict.fromkeys(("critical", "risk", "monitor", "healthy"), 0)
        assert histogram_of([most] * 20, None, counts, Limits()).grid[-1][0] == top


class TestTrend:
    def test_breaks_where_months_are_missing(self) -> None:
        days = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 5, 1), date(2026, 6, 1)]
        drawn = median_trend([TrendPoint(day, 9, 60, 70, 80) for day in days])
        assert drawn is not None
        assert len(drawn.lines) == len(drawn.bands) == 2
        assert median_trend([TrendPoint(days[0], 9, 60, 70, 80)]) is None

    @pytest.mark.parametrize("level", [0, 50, 100])
    def test_names_never_cover_each_other_nor_leave_the_drawing(self, level: int) -> None:
        drawn = median_trend([TrendPoint(date(2026, month, 1), 9, level, level, level) for month in (1, 2)])
        assert drawn is not None
        places = [one.y for one in drawn.names]
        assert all(later - earlier >= NEAR - 0.1 for earlier, later in pairwise(places))
        assert places[-1] <= max(BOTTOM + 4, places[0] + 2 * NEAR)


class TestRenewals:
    def test_stacks_what_is_at_risk_below_the_rest(self) -> None:
        drawn = renewal_bars(forecast(book_on(records(), TODAY), {}, TODAY))
        assert drawn is not None
        # December: 270,000 under an axis that ends at 400,000; 150,000 of it at risk are 64.5 of its 172.
        assert [bar.height for bar in drawn.risk] == [64.5]
        assert [text for text, _ in drawn.grid] == ["0", "$100K", "$200K", "$300K", "$400K"]
        assert len(drawn.marks) == 1  # Birch's own probability: of July nobody knows

    def test_draws_nothing_of_nothing(self) -> None:
        assert renewal_bars(forecast(book_on(records(), TODAY).clear(), {}, TODAY)) is None
