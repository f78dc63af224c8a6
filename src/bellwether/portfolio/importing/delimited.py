"""Reads delimited text: finds out encoding and delimiter, and keeps reading after a row that makes no sense."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
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


def read_delimited(path: Path) -> tuple[list[str], Callable[[int], Rows]]:
    """Return the columns of a delimited file and a function that reads its rows in batches of a size.

    Each batch is (row numbers, cells, unreadable rows). Raises ImportFileError without a usable header.
    """
    csv.field_size_limit(LARGEST_CELL)
    encoding = detect_encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        delimiter = detect_delimiter(file.read(SAMPLE))
    with path.open(encoding=encoding, newline="") as file:
        try:
            header = next((row for row in csv.reader(file, delimiter=delimiter) if any(row)), None)
        except csv.Error as error:
            raise ImportFileError(f"{path} is no delimited text: {error}.") from None
    if header is None:
        raise ImportFileError(f"{path} is empty: it has no header.")
    columns = checked_header(header, path)

    def read(size: int) -> Rows:
        with path.open(encoding=encoding, newline="") as file:
            yield from _batches(csv.reader(file, delimiter=delimiter), columns, size)

    return columns, read


def _batches(reader: "csv.Reader", columns: list[str], size: int) -> Rows:  # type: ignore[name-defined]
    rows: list[int] = []
    cells: list[list[str]] = []
    unreadable: list[Reject] = []
    width = len(columns)
    number = 0
    seen_header = False
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
