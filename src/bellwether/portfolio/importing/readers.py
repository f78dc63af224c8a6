"""Reads CSV, XLSX, JSON Lines and Parquet files in batches of rows with their row numbers, all through one door."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from bellwether.portfolio.importing.delimited import ImportFileError, Layout, checked_header, read_delimited
from bellwether.portfolio.importing.rejects import Reject

__all__ = ["Batch", "ImportFileError", "Layout", "Source", "is_text", "open_source", "sheet_names"]
OTHER_ENDINGS = frozenset({".parquet", ".pq", ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True)
class Batch:
    """Some rows of a file. `rows` are numbers as people see them: a sheet's row (header 1), a line, 1… in Parquet."""

    frame: pl.DataFrame
    rows: list[int]
    unreadable: list[Reject] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """An opened file: its columns, its number of rows if cheap to know, and a function that reads it from the start."""

    path: Path
    columns: list[str]
    total: int | None
    read: Callable[[int], Iterator[Batch]]


def sheet_names(path: Path) -> list[str]:
    """Return the sheets of a workbook, in its order; none for any other file."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return []
    import fastexcel

    try:
        return list(fastexcel.read_excel(path).sheet_names)
    except fastexcel.FastExcelError:
        return []


def is_text(path: Path) -> bool:
    """Return whether `path` is read as delimited text, for which a layout can be chosen."""
    with path.open("rb") as file:
        start = file.read(4)
    return not start.startswith((b"PAR1", b"PK\x03\x04", b"\x1f\x8b")) and path.suffix.lower() not in OTHER_ENDINGS


def open_source(path: Path, *, sheet: str | None = None, layout: Layout | None = None) -> Source:
    """Return the file at `path`, recognised by its ending and, for Parquet and XLSX, by its first bytes.

    `layout` is for delimited text; without it the layout is found out, and the first row must be a header. Raises
    ImportFileError when it cannot be opened, is empty or has no usable header.
    """
    if not path.exists():
        raise ImportFileError(f"There is no file {path}.")
    if path.is_dir():
        raise ImportFileError(f"{path} is a folder. Name one file.")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror}.") from None
    if not start:
        raise ImportFileError(f"{path} is empty.")
    ending = path.suffix.lower()
    if start == b"PAR1" or ending in {".parquet", ".pq"}:
        return _parquet(path)
    if start == b"PK\x03\x04" or ending in {".xlsx", ".xlsm"}:
        return _xlsx(path, sheet)
    if start[:2] == b"\x1f\x8b":
        raise ImportFileError(f"{path} is compressed with gzip. Unpack it first.")
    if ending in {".jsonl", ".ndjson", ".json"}:
        return _json_lines(path)
    columns, read = read_delimited(path, layout)
    return Source(path, columns, None, lambda size: _framed(columns, read(size)))


def _framed(columns: list[str], batches: Iterator[tuple[list[int], list[list[str]], list[Reject]]]) -> Iterator[Batch]:
    schema = dict.fromkeys(columns, pl.String)
    for rows, cells, unreadable in batches:
        yield Batch(pl.DataFrame(cells, schema=schema, orient="row"), rows, unreadable)


def _parquet(path: Path) -> Source:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ImportFileError(f"{path} is not a readable Parquet file: {error}.") from None
    columns = list(_flat(pl.DataFrame(pl.from_arrow(file.schema_arrow.empty_table()))).columns)
    checked_header(columns, path)

    def read(size: int) -> Iterator[Batch]:
        done = 0
        try:
            for batch in file.iter_batches(batch_size=size):
                frame = _flat(pl.DataFrame(pl.from_arrow(batch)))
                yield Batch(frame, list(range(done + 1, done + 1 + frame.height)))
                done += frame.height
        except (pa.ArrowInvalid, OSError) as error:
            raise ImportFileError(f"{path} is damaged after row {done}: {error}.") from None

    return Source(path, columns, file.metadata.num_rows, read)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with nested records as columns named `outer.inner`, and categories as text."""
    while any(isinstance(dtype, pl.Struct) for dtype in frame.dtypes):
        parts: list[pl.Series] = []
        for column in frame.get_columns():
            if isinstance(column.dtype, pl.Struct):
                parts += [inner.alias(f"{column.name}.{inner.name}") for inner in column.struct.unnest().get_columns()]
            else:
                parts.append(column)
        frame = pl.DataFrame(parts)
    texts = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Categorical | pl.Enum)]
    return frame.with_columns(pl.col(texts).cast(pl.String)) if texts else frame


def _xlsx(path: Path, sheet: str | None) -> Source:
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise ImportFileError(f"{path} has no sheet {sheet!r}; it has {', '.join(names)}.")
        chosen = sheet if sheet is not None else 0
        top = pl.DataFrame(book.load_sheet(chosen, header_row=None, n_rows=1, dtypes="string").to_polars())
        # Each column gets the type that all its cells agree on, text if they do not.
        loaded = book.load_sheet(chosen, header_row=None, skip_rows=1, schema_sample_rows=None)
        body = pl.DataFrame(loaded.to_polars())
    except fastexcel.FastExcelError as error:
        raise ImportFileError(f"{path} is not a readable workbook: {str(error).splitlines()[0]}.") from None
    if not top.height:
        raise ImportFileError(f"{path} is empty: its sheet has no header.")
    columns = checked_header([str(name) if name is not None else "" for name in top.row(0)], path)
    if not body.height:
        body = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    body.columns = columns

    def read(size: int) -> Iterator[Batch]:
        for start in range(0, body.height, size):
            part = body.slice(start, size)
            numbered = part.with_row_index("\x00row", offset=start + 2)
            kept = numbered.filter(pl.any_horizontal(pl.col(columns).is_not_null()))
            yield Batch(kept.drop("\x00row"), kept["\x00row"].to_list())

    return Source(path, columns, body.height, read)


def _json_lines(path: Path) -> Source:
    columns, total = _json_columns(path)
    if not columns:
        raise ImportFileError(f"{path} holds no JSON objects, one a line.")

    def read(size: int) -> Iterator[Batch]:
        records: list[dict[str, Any]] = []
        rows: list[int] = []
        unreadable: list[Reject] = []
        for number, line in _lines(path):
            record = _json_object(line)
            if isinstance(record, str):
                unreadable.append(Reject(number, record))
            else:
                records.append(record)
                rows.append(number)
            if len(records) + len(unreadable) >= size:
                yield _json_batch(columns, records, rows, unreadable)
                records, rows, unreadable = [], [], []
        if records or unreadable:
            yield _json_batch(columns, records, rows, unreadable)

    return Source(path, columns, total, read)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{path} is not UTF-8 text, as JSON must be: {error.reason}.") from None


def _json_columns(path: Path) -> tuple[list[str], int]:
    columns: dict[str, None] = {}
    total = 0
    for number, line in _lines(path):
        if number == 1 and line.lstrip().startswith("["):
            raise ImportFileError(f"{path} is one JSON list. Write one object a line (JSON Lines).")
        total += 1
        record = _json_object(line)
        if isinstance(record, dict):
            columns.update(dict.fromkeys(record))
    return list(columns), total


def _json_object(line: str) -> dict[str, Any] | str:
    """Return a line's object with nested objects as `outer.inner`, or the reason why it has none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"the line is not JSON ({error})"
    if not isinstance(record, dict):
        return "the line is not a JSON object"
    flat: dict[str, Any] = {}
    _flatten(record, "", flat)
    return flat


def _flatten(record: dict[str, Any], prefix: str, flat: dict[str, Any]) -> None:
    for name, value in record.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{name}.", flat)
        elif isinstance(value, list):
            flat[prefix + name] = json.dumps(value, ensure_ascii=False)
        else:
            flat[prefix + name] = value


def _json_batch(columns: list[str], records: list[dict[str, Any]], rows: list[int], bad: list[Reject]) -> Batch:
    return Batch(pl.DataFrame([_series(c, [r.get(c) for r in records]) for c in columns]), rows, bad)


def _series(name: str, values: list[Any]) -> pl.Series:
    """Return a column of one type: as given if all cells agree, numbers as floats, anything mixed as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float} and all(value is None or abs(value) < 2**53 for value in values):
        return pl.Series(name, values, dtype=pl.Float64)
    texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pl.Series(name, texts, dtype=pl.String)
