"""DuckDB in this process, with bounded memory: what does not fit spills to the lake's local folder."""

import os
import secrets
import shutil
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ibis
import polars as pl

from bellwether.usage.lake import Lake, LakePath

MEMORY_LIMIT = "1GB"
"""What the engine may take before it spills to disk."""

LEFT_BEHIND_SECONDS = 86_400

SORTED_AT_ONCE = 4_000_000
"""Hashes that are sorted outside of the engine's memory: 32 MB of them."""


class DuckDBEngine:
    """See engines.Engine; a context manager."""

    dialect = "duckdb"

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._spill = lake.folder / ".spill"
        self._memory_limit = MEMORY_LIMIT

    def __enter__(self) -> Self:
        self._spill.mkdir(parents=True, exist_ok=True)
        _sweep(self._spill)
        # Of its own: two engines, also of one process, must not take each other's spilled rows for theirs.
        self._folder = self._spill / f"duckdb-{secrets.token_hex(4)}-{os.getpid()}"
        self.connection = ibis.duckdb.connect(
            memory_limit=self._memory_limit,
            temp_directory=str(self._folder),
            preserve_insertion_order=False,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.disconnect()

    def see(self, name: str, paths: Sequence[LakePath], *, first: date = date.min, last: date = date.max) -> None:
        """Make the rows of the Parquet files `paths` known; see engines.Engine."""
        self._forget(name)
        files = f"{name}_files"
        self.connection.read_parquet(
            [str(path) for path in self._lake.local(paths)], table_name=files, hive_partitioning=True
        )
        between = (
            "" if (first, last) == (date.min, date.max) else f" WHERE date BETWEEN DATE '{first}' AND DATE '{last}'"
        )
        self._run(f'CREATE OR REPLACE TEMPORARY VIEW "{name}" AS SELECT * FROM "{files}"{between}')

    def see_frame(self, name: str, frame: pl.DataFrame) -> None:
        """Make the rows of `frame` known as `name`."""
        self._forget(name)
        self.connection.con.register(name, frame.to_arrow())

    def keep(self, name: str, sql: str) -> int:
        """Compute the query `sql` now and keep it as the table `name`; returns how many rows it has."""
        self._run(f'CREATE OR REPLACE TEMPORARY TABLE "{name}" AS {sql}')
        return self.number(f'SELECT COUNT(*) FROM "{name}"')

    def add(self, name: str, sql: str) -> None:
        """Add the rows of the query `sql` to the table `name`, which `keep` made."""
        self._run(f'INSERT INTO "{name}" {sql}')

    def number(self, sql: str) -> int:
        """Return the one number that the query `sql` gives."""
        return int(self._run(sql)[0][0])

    def differ(self, name: str, column: str, rows: int) -> bool:
        """Return whether all values differ for sure; see engines.Engine."""
        if rows > SORTED_AT_ONCE:
            return self.number(f'SELECT COUNT(DISTINCT hash("{column}")) FROM "{name}"') == rows
        hashes = self.connection.con.sql(f'SELECT hash("{column}") AS h FROM "{name}"').fetchnumpy()["h"]
        hashes.sort()  # half the cost of the engine's own distinct count
        return not bool((hashes[1:] == hashes[:-1]).any())

    def frame(self, sql: str) -> pl.DataFrame:
        """Return the rows of the query `sql`."""
        return pl.DataFrame(self.connection.con.sql(sql).to_arrow_table())

    def _forget(self, name: str) -> None:
        self._run(f'DROP VIEW IF EXISTS "{name}"')

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.connection.raw_sql(sql).fetchall()
        return rows


def _sweep(spill: Path) -> None:
    """Remove what killed processes have left behind: not what is young, for another machine's process may write it."""
    for folder in spill.glob("*-*"):
        try:
            if time.time() - folder.stat().st_mtime > LEFT_BEHIND_SECONDS:
                os.kill(int(folder.name.rpartition("-")[2]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, OSError):
            continue
