"""When people work: weekends, public holidays, the summer and the end of the year, and the clocks of their places."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

SATURDAY_FACTOR, SUNDAY_FACTOR = 0.07, 0.05
HOLIDAY_FACTOR = 0.06
FIXED_HOLIDAYS: dict[str, tuple[tuple[int, int], ...]] = {
    "US": ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25)),
    "CA": ((1, 1), (7, 1), (12, 25), (12, 26)),
    "GB": ((1, 1), (12, 25), (12, 26)),
    "IE": ((1, 1), (3, 17), (12, 25), (12, 26)),
    "DE": ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26)),
    "NL": ((1, 1), (4, 27), (12, 25), (12, 26)),
    "FR": ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)),
    "SE": ((1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26)),
}


def is_holiday(day: date, country: str) -> bool:
    """Tell whether `day` is one of the main public holidays of `country` (a two-letter code)."""
    if (day.month, day.day) in FIXED_HOLIDAYS.get(country, ((1, 1), (12, 25))):
        return True
    if country == "US":  # Memorial Day, Labor Day, Thanksgiving
        last_monday_of_may = day.month == 5 and day.weekday() == 0 and day.day > 24
        first_monday_of_september = day.month == 9 and day.weekday() == 0 and day.day <= 7
        fourth_thursday_of_november = day.month == 11 and day.weekday() == 3 and 22 <= day.day <= 28
        return last_monday_of_may or first_monday_of_september or fourth_thursday_of_november
    return country in {"GB", "IE"} and day.month == 5 and day.weekday() == 0 and day.day <= 7


def workday_factors(days: list[date], country: str) -> np.ndarray:
    """Return how much of an ordinary working day's use each of `days` sees, 0-1, without season."""
    weekday = {5: SATURDAY_FACTOR, 6: SUNDAY_FACTOR}
    return np.array([HOLIDAY_FACTOR if is_holiday(d, country) else weekday.get(d.weekday(), 1.0) for d in days])


def season_factors(days: list[date]) -> np.ndarray:
    """Return the season's share of ordinary use: a dip of 12 % in the summer, of 40 % around the turn of the year."""
    day_of_year = np.array([d.timetuple().tm_yday for d in days], float)
    summer = 0.12 * np.exp(-(((day_of_year - 213) / 24) ** 2))
    from_new_year = np.minimum(day_of_year % 365, 365 - day_of_year % 365)
    return np.asarray(1 - summer - 0.40 * np.exp(-((from_new_year / 6) ** 2)))


def offsets(days: list[date], zone: str) -> np.ndarray:
    """Return what to add to a local time of `zone` to get UTC, in seconds, for each of `days` (at noon)."""
    clock = ZoneInfo(zone)
    noons = [datetime.combine(day, time(12), tzinfo=clock) for day in days]
    return np.array([-int((noon.utcoffset() or timedelta()).total_seconds()) for noon in noons], np.int64)


def epoch_seconds(day: date) -> int:
    """Return the Unix time of 00:00 UTC of `day`."""
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())
