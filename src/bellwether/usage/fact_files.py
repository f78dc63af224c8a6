"""Writes a month of facts that may be larger than memory: day by day, into one file that is put in place at the end."""

import filecmp
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow.parquet as pq

from bellwether.usage.facts import KEYS, KINDS, facts_path
from bellwether.usage.lake import Lake
from bellwether.usage.lake_files import put_file, scratch_folder

ROWS_IN_GROUP = 100_000
"""A group of rows of the file ends with the day that makes it this long: the same facts are the same bytes."""


class MonthWriter:
    """Takes the facts `kind` of `month` in frames of whole days, ascending; a context manager."""

    def __init__(self, lake: Lake, kind: str, month: str) -> None:
        self._lake, self._kind, self._path = lake, kind, facts_path(lake, kind, month)
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pl.DataFrame] = []
        self._count = 0

    def __enter__(self) -> Self:
        self._folder = scratch_folder(self._lake)
        self._file = self._folder.__enter__() / "facts.parquet"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        self._folder.__exit__(kind, error, trace)

    def add(self, rows: pl.DataFrame) -> None:
        """Add the rows of some days, in any order, all later than those before."""
        ordered = rows.select([pl.col(name).cast(dtype) for name, dtype in KINDS[self._kind].items()])
        ordered = ordered.sort(KEYS[self._kind], nulls_last=False)
        for of_day in ordered.partition_by("date", maintain_order=True):
            self._waiting.append(of_day)
            self._count += of_day.height
            if self._count >= ROWS_IN_GROUP:
                self._write()

    def store(self) -> bool:
        """Put the file in the place of the month's, or leave that alone if it holds the same; whether it changed."""
        self._write()
        if self._writer is None:
            return self._lake.remove([self._path]) > 0
        self._writer.close()
        self._writer = None
        if any(filecmp.cmp(self._file, there, shallow=False) for there in self._lake.local([self._path])):
            return False
        put_file(self._file, self._path)
        return True

    def _write(self) -> None:
        if not self._waiting:
            return
        table = pl.concat(self._waiting).rechunk().to_arrow()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=table.num_rows)
        self._waiting, self._count = [], 0


def store_days(lake: Lake, kind: str, month: str, frames: Iterable[pl.DataFrame]) -> bool:
    """Replace the facts `kind` of `month` by those of `frames` (whole days, ascending); whether that changed it."""
    with MonthWriter(lake, kind, month) as writer:
        for frame in frames:
            writer.add(frame)
        return writer.store()
