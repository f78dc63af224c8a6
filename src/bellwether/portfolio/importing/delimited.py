"""Reads delimited text: finds out encoding and delimiter, and keeps reading after a row that makes no sense."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.importing.rejects import Reject

DELIMITERS = ",;\t|"
LARGEST_CELL = 16 * 2**20
SAMPLE = 64 * 1024

Rows = Iterator[tuple[list[int], list[list[str]], list[Reject]]]


class ImportFileError(InvalidInputError):
    """A file to import cannot be opened or understood as a whole."""


def detect_encoding(path: Path) -> str:
    """Return utf-16 (by its mark), utf-8-sig if the whole file is UTF-8 with or without mark, cp1252 or latin-1."""
    with path.open("rb") as file:
        start = file.read(2)
    if start in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    return next((name for name in ("utf-8-sig", "cp1252") if _decodes(path, name)), "latin-1")


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(2**20):
                pass
    except UnicodeError:
        return False
    return True


def detect_delimiter(sample: str) -> str:
    """Return the mark that splits the first lines of `sample` into the same number of cells, most cells first."""
    lines = sample.splitlines(keepends=True)
    lines = lines[:-1] if len(lines) > 1 and len(sample) >= SAMPLE else lines
    best, most = ",", (0.0, 0)
    for mark in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines[:50], delimiter=mark) if row)
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        fit = (count / max(sum(widths.values()), 1), width)
        if width > 1 and fit > most:
            best, most = mark, fit
    return best


def checked_header(header: list[str], path: Path) -> list[str]:
    """Return the trimmed column names, nameless ones as `column N`. Raises ImportFileError for a name given twice."""
    names = [name.strip() or f"column {place}" for place, name in enumerate(header, start=1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        where = ", ".join(f"{n!r} ({' and '.join(str(i) for i, m in enumerate(names, 1) if m == n)})" for n in twice)
        raise ImportFileError(f"{path} has columns with the same name: {where}. Rename or remove them.")
    return names


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a text file is laid out; None means: find out. `header` False: its first row is data already."""

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = True


def detect_layout(path: Path, given: Layout | None = None) -> Layout:
    """Return the layout of a text file with everything known: what is `given`, and the rest as it looks."""
    given = given or Layout(header=None)
    csv.field_size_limit(LARGEST_CELL)
    encoding = given.encoding or detect_encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(SAMPLE)
    except (UnicodeError, LookupError):
        raise ImportFileError(f"{path} is not text in {encoding}. Choose another encoding.") from None
    delimiter = given.delimiter or detect_delimiter(sample)
    header = given.header if given.header is not None else looks_like_header(sample, delimiter)
    return Layout(encoding=encoding, delimiter=delimiter, header=header)


_DATA = re.compile(r"[-+(]?[$€£]?\d[\d.,:%/\-TZ ]*\)?|[^@\s]+@[^@\s]+\.[^@\s]+|true|false", re.IGNORECASE)


def looks_like_header(sample: str, delimiter: str) -> bool:
    """Return whether the first row names columns: none of its cells is a number, date, e-mail or truth."""
    lines = sample.splitlines(keepends=True)[:50]
    try:
        first = next((row for row in csv.reader(lines, delimiter=delimiter) if any(row)), [])
    except csv.Error:
        return True
    cells = [cell.strip() for cell in first if cell.strip()]
    return bool(cells) and not any(_DATA.fullmatch(cell) for cell in cells)


def read_delimited(path: Path, layout: Layout | None = None) -> tuple[list[str], Callable[[int], Rows]]:
    """Return the columns of a delimited file and a function that reads its rows in batches of a size.

    Each batch is (row numbers, cells, unreadable rows). Without a header the columns are called `column 1` and so on.
    Raises ImportFileError without a usable header.
    """
    layout = detect_layout(path, layout or Layout())
    encoding, delimiter = layout.encoding, layout.delimiter or ","
    with path.open(encoding=encoding, newline="") as file:
        try:
            header = next((row for row in csv.reader(file, delimiter=delimiter) if any(row)), None)
        except csv.Error as error:
            raise ImportFileError(f"{path} is no delimited text: {error}.") from None
        except UnicodeError:
            raise ImportFileError(f"{path} is not text in {encoding}. Choose another encoding.") from None
    if header is None:
        raise ImportFileError(f"{path} is empty: it has no header.")
    columns = checked_header(header if layout.header else [""] * len(header), path)

    def read(size: int) -> Rows:
        with path.open(encoding=encoding, newline="") as file:
            yield from _batches(csv.reader(file, delimiter=delimiter), columns, size, seen_header=not layout.header)

    return columns, read


def _batches(reader: "csv.Reader", columns: list[str], size: int, *, seen_header: bool = False) -> Rows:  # type: ignore[name-defined]
    rows: list[int] = []
    cells: list[list[str]] = []
    unreadable: list[Reject] = []
    width = len(columns)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            unreadable.append(Reject(number, f"the row cannot be read ({error})"))
            continue
        if not any(row):
            continue
        if not seen_header:
            seen_header = True
            continue
        if len(row) == width:
            rows.append(number)
            cells.append(row)
        else:
            reason = f"the row has {len(row)} cells, the header {width}"
            unreadable.append(Reject(number, reason, dict(zip(columns, row, strict=False))))
        if len(rows) + len(unreadable) >= size:
            yield rows, cells, unreadable
            rows, cells, unreadable = [], [], []
    if rows or unreadable:
        yield rows, cells, unreadable
