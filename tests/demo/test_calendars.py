from datetime import date

import numpy as np
import pytest

from bellwether.demo.calendars import is_holiday, offsets, season_factors, workday_factors


class TestIsHoliday:
    @pytest.mark.parametrize(
        ("day", "country"),
        [
            (date(2025, 11, 27), "US"),  # Thanksgiving
            (date(2026, 5, 25), "US"),  # Memorial Day
            (date(2026, 9, 7), "US"),  # Labor Day
            (date(2026, 10, 3), "DE"),
            (date(2026, 5, 4), "GB"),  # early May
        ],
    )
    def test_knows_the_holidays_of_the_country(self, day: date, country: str) -> None:
        assert is_holiday(day, country)

    def test_keeps_one_country_from_the_holidays_of_another(self) -> None:
        assert not is_holiday(date(2026, 10, 3), "US")
        assert not is_holiday(date(2025, 11, 20), "US")  # the third Thursday


class TestWorkdayFactors:
    def test_is_one_on_working_days_and_small_on_weekends_and_holidays(self) -> None:
        days = [date(2026, 7, 3), date(2026, 7, 4), date(2026, 7, 5), date(2026, 7, 6)]
        assert workday_factors(days, "GB").tolist() == [1.0, 0.07, 0.05, 1.0]
        assert workday_factors([date(2026, 12, 25)], "GB").tolist() == [0.06]


class TestSeasonFactors:
    def test_dips_in_the_summer_and_most_at_the_turn_of_the_year(self) -> None:
        spring, summer, new_year = season_factors([date(2026, 4, 15), date(2026, 8, 1), date(2026, 1, 1)])
        assert spring == pytest.approx(1.0, abs=0.001)
        assert summer == pytest.approx(0.88, abs=0.001)
        assert new_year < 0.62


class TestOffsets:
    def test_follows_the_clock_change(self) -> None:
        found = offsets([date(2026, 1, 15), date(2026, 7, 15)], "America/New_York")
        assert np.array_equal(found, [5 * 3600, 4 * 3600])
        assert offsets([date(2026, 7, 15)], "Europe/Berlin").tolist() == [-7200]
