"""What the columns of a file hold, from its first rows. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bellwether.portfolio.importing.readers import Source
from bellwether.portfolio.importing.values import is_empty, plain

LOOKED_AT = 5_000
CELLS_KEPT = 1_000
SHOWN = 4
LONGEST_SHOWN = 80
_NUMERIC_DATE = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/]\d{4}\b", re.ASCII)


@dataclass(frozen=True)
class ColumnProfile:
    """A column: how many of the rows looked at have a value, and up to 1,000 of these values."""

    name: str
    rows: int
    filled: int
    cells: tuple[Any, ...]

    @property
    def samples(self) -> list[str]:
        """Up to four different values, shortened."""
        texts = list(dict.fromkeys(plain(cell) for cell in self.cells))[:SHOWN]
        return [text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…" for text in texts]


def profiles(source: Source, *, rows: int = LOOKED_AT) -> dict[str, ColumnProfile]:
    """Return the profile of every column of `source` from its first `rows` rows, by name, in the file's order."""
    cells: dict[str, list[Any]] = {name: [] for name in source.columns}
    filled = dict.fromkeys(source.columns, 0)
    looked_at = 0
    for batch in source.read(rows):
        looked_at += batch.frame.height
        for name in batch.frame.columns:
            values = [value for value in batch.frame[name].to_list() if not is_empty(value)]
            filled[name] += len(values)
            cells[name] += values[: CELLS_KEPT - len(cells[name])]
        if looked_at >= rows:
            break
    return {name: ColumnProfile(name, looked_at, filled[name], tuple(cells[name])) for name in source.columns}


@dataclass(frozen=True)
class DateOrderFound:
    """Which of day and month comes first in dates such as 03/04/2026. `order` is "" where nothing decides; `day_first`
    and `month_first` count the dates that can only be read so, `either` those that can be read both ways."""

    order: Literal["", "dmy", "mdy"]
    day_first: int
    month_first: int
    either: int


def date_order(cells: Iterable[Any]) -> DateOrderFound:
    """Return what the dates among `cells` say about their order; contradicting ones decide nothing."""
    day_first = month_first = either = 0
    for cell in cells:
        match = _NUMERIC_DATE.match(str(cell).strip()) if isinstance(cell, str) else None
        if match is None:
            continue
        first, second = int(match[1]), int(match[2])
        if first > 12 >= second:
            day_first += 1
        elif second > 12 >= first:
            month_first += 1
        elif first != second:
            either += 1
    order: Literal["", "dmy", "mdy"] = ""
    if day_first and not month_first:
        order = "dmy"
    elif month_first and not day_first:
        order = "mdy"
    return DateOrderFound(order, day_first, month_first, either)


SCALES = ((1.0, 5.0), (0.0, 10.0), (0.0, 100.0))


def csat_scale(cells: Iterable[Any]) -> tuple[float, float]:
    """Return the usual CSAT scale that the numbers among `cells` fit: 1-5, 0-10 or 0-100."""
    numbers = []
    for cell in cells:
        try:
            numbers.append(float(str(cell).strip().replace(",", ".")))
        except ValueError:
            continue
    for low, high in SCALES:
        if numbers and low <= min(numbers) and max(numbers) <= high:
            return low, high
    return SCALES[-1]


def joining_columns(
    wanted: Iterable[str], others: Mapping[str, ColumnProfile], client_columns: Sequence[str]
) -> tuple[str, str]:
    """Return the column of another file that holds the values `wanted`, and the one that names the client in it.

    Both are "" where no column shares a value with them or none names a client.
    """
    texts = set(wanted)
    target = next((name for name in client_columns if name in others), "")
    best, most = "", 0
    for name, profile in others.items():
        shared = len({plain(cell) for cell in profile.cells} & texts)
        if name != target and shared > most:
            best, most = name, shared
    return (best, target) if best and target else ("", "")
