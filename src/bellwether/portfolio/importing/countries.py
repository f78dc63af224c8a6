"""Countries by code or name. Names and codes are those of the time zone database (ISO 3166)."""

from functools import cache
from importlib.resources import files
from typing import Any

from bellwether.portfolio.importing.values import Parser, Reading, folded, plain

OTHER_NAMES = {
    "USA": "US",
    "United States of America": "US",
    "UK": "GB",
    "United Kingdom": "GB",
    "Great Britain": "GB",
    "England": "GB",
    "Scotland": "GB",
    "Wales": "GB",
    "South Korea": "KR",
    "Republic of Korea": "KR",
    "Russian Federation": "RU",
    "Czechia": "CZ",
    "The Netherlands": "NL",
    "Holland": "NL",
    "EIRE": "IE",
    "Republic of Ireland": "IE",
    "Deutschland": "DE",
    "UAE": "AE",
    "RSA": "ZA",
    "Viet Nam": "VN",
    "Turkiye": "TR",
    "Macedonia": "MK",
    "Hong Kong SAR": "HK",
    "Ivory Coast": "CI",
}


@cache
def country_codes() -> dict[str, str]:
    """Return every known name and code of a country, folded, with its two-letter code."""
    known: dict[str, str] = {}
    for line in files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            code, name = line.split("\t", 1)
            known[folded(name)] = known[code.lower()] = code
    return known | {folded(name): code for name, code in OTHER_NAMES.items()}


def _country(value: Any, reading: Reading) -> str:
    try:
        return country_codes()[folded(plain(value))]
    except KeyError:
        raise ValueError("is not a country (give its name or two-letter code)") from None


COUNTRY = Parser("country, as name or two-letter code", _country)
