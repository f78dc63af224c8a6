"""Custom measures in the address of the list: `m.<slug>=10..` keeps clients with ten and more. Pure.

Written as `10..`, `..5`, `3..8`, `7` (exactly) or `*` (any value). A form may send measure, measure_min and measure_max
instead.
"""

from collections.abc import Mapping
from math import isfinite

from bellwether.portfolio.listing import MEASURE_SORT, OF_MEASURE, MeasureFilter

FORM_FIELDS = ("measure", "measure_min", "measure_max")
ANY = "*"


def read_measures(values: Mapping[str, str], ignored: list[str]) -> dict[str, MeasureFilter]:
    """Return the filters in the address by parameter; sentences about what could not be used go to `ignored`."""
    found: dict[str, MeasureFilter] = {}
    asked = {name: text.strip() for name, text in values.items() if name.startswith(OF_MEASURE) and text.strip()}
    slug, low, high = (values.get(name, "").strip() for name in FORM_FIELDS)
    if slug:
        asked[OF_MEASURE + slug] = f"{low}..{high}" if low or high else ANY
    for name, text in asked.items():
        limits = _limits(text)
        if limits is None or not MEASURE_SORT.fullmatch(name):
            ignored.append(f"{name[:80]} needs limits such as 10.. or 3..8, not {text[:40]!r}.")
        else:
            found[name] = MeasureFilter(name.removeprefix(OF_MEASURE), *limits)
    return found


def written(wanted: MeasureFilter) -> str:
    """Return the filter as the address writes it."""
    low, high = (_number(limit) for limit in (wanted.minimum, wanted.maximum))
    if not low and not high:
        return ANY
    return low if low == high else f"{low}..{high}"


def limits_text(wanted: MeasureFilter) -> str:
    """Return the limits for people: "at least 10", "3 to 8"."""
    low, high = (_number(limit) for limit in (wanted.minimum, wanted.maximum))
    if low and high:
        return low if low == high else f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else "any value"


def _limits(text: str) -> tuple[float | None, float | None] | None:
    if text == ANY:
        return None, None
    parts = text.split("..") if ".." in text else [text, text]
    if len(parts) != 2 or not any(parts):
        return None
    try:
        low, high = (float(part) if part.strip() else None for part in parts)
    except ValueError:
        return None
    return (low, high) if all(limit is None or isfinite(limit) for limit in (low, high)) else None


def _number(limit: float | None) -> str:
    return "" if limit is None else f"{limit:.10g}"
