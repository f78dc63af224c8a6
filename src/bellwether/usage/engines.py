"""What the rollup asks of an engine, and the choice of one: DuckDB in this process, or Spark here or on a cluster.

The rollup's expressions are made into the engine's SQL once; the engine only runs them. Which engine counts makes no
difference to any fact.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import ibis
import polars as pl
from ibis.expr.types import Expr

from bellwether.usage.lake import Lake, LakePath
from bellwether.usage.rollup.events import JsonText


class Engine(Protocol):
    """Runs queries over files of the lake and frames. `dialect` is Ibis' name of its SQL."""

    dialect: str

    def see(self, name: str, paths: Sequence[LakePath], *, first: date = date.min, last: date = date.max) -> None:
        """Make the rows of the Parquet files `paths`, with the columns of their hive folders, known as `name`: all, or
        those whose date is from `first` to `last`."""

    def see_frame(self, name: str, frame: pl.DataFrame) -> None:
        """Make the rows of `frame` known as `name`."""

    def keep(self, name: str, sql: str) -> int:
        """Compute the query `sql` now and keep its rows as `name`; returns how many there are."""

    def number(self, sql: str) -> int:
        """Return the one number that the query `sql` gives."""

    def differ(self, name: str, column: str, rows: int) -> bool:
        """Return whether the values of `column` in `name`, which has `rows` rows, all differ for sure.

        Hashes are compared: they cost less than values, and two values with one hash only make the answer no.
        """

    def frame(self, sql: str) -> pl.DataFrame:
        """Return the rows of the query `sql`."""


@dataclass(frozen=True, kw_only=True)
class EngineChoice:
    """Which engine rolls up: duckdb, or spark on `master` or on the Spark Connect server `remote` (sc://host:port)."""

    name: str = "duckdb"
    master: str = "local[*]"
    remote: str = ""


DUCKDB = EngineChoice()


def engine_for(lake: Lake, choice: EngineChoice = DUCKDB) -> AbstractContextManager[Engine]:
    """Return the engine of `choice`, which is open within a `with`."""
    if choice.name == "spark":
        from bellwether.usage.engine_spark import SparkEngine

        return SparkEngine(lake, master=choice.master, remote=choice.remote)
    from bellwether.usage.engine_duckdb import DuckDBEngine

    return DuckDBEngine(lake)


def to_sql(expression: Expr, dialect: str = "duckdb") -> str:
    """Return `expression` in the SQL of an engine."""
    return str(ibis.to_sql(expression, dialect=dialect))


@ibis.udf.scalar.builtin
def get_json_object(value: str, path: str) -> str:  # type: ignore[empty-body]
    """Spark's own."""


@ibis.udf.scalar.builtin
def json_extract_string(value: str, path: str) -> str:  # type: ignore[empty-body]
    """DuckDB's own."""


@ibis.udf.scalar.builtin
def json_extract_path_text(value: ibis.expr.datatypes.json, key: str) -> str:  # type: ignore[empty-body]
    """PostgreSQL's own."""


def json_text(dialect: str) -> JsonText | None:
    """Return how a property of a JSON column becomes text where Ibis' own way does not do; None where it does."""
    if dialect == "postgres":
        return lambda column, key: json_extract_path_text(column.cast("json"), key)
    if dialect == "duckdb":  # Reads the text once, where Ibis' way reads it twice.
        return lambda column, key: json_extract_string(column.cast("string"), f'$."{key}"')
    if dialect == "pyspark":
        return lambda column, key: get_json_object(column, f"$['{key}']")
    return None
