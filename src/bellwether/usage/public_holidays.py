"""Public holidays of a client's country, by name. Pure: the calendars are those of the library `holidays`.

Nationwide holidays only: in which state or canton a client's people work is not known.
"""

from datetime import date
from functools import lru_cache

import holidays

LANGUAGE = "en_US"


def holiday_names(country: str, first: date, last: date) -> dict[date, str]:
    """Return the name of each holiday of `country` (ISO 3166, two letters) from `first` to `last`, both included.

    Empty for an empty or unknown country. Names are English where the calendar has them, else the country's own.
    """
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        found |= _of_year(country.strip().upper(), year)
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}


@lru_cache(maxsize=512)
def _of_year(country: str, year: int) -> dict[date, str]:
    if not country or country not in holidays.list_supported_countries(include_aliases=True):
        return {}
    languages = holidays.list_localized_countries().get(country, [])
    calendar = holidays.country_holidays(country, years=year, language=LANGUAGE if LANGUAGE in languages else None)
    return {day: str(name) for day, name in calendar.items()}
