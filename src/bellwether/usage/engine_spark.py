"""Spark: on this machine (local[*]), on a cluster's master, or behind a Spark Connect server. Nothing is fetched.

The workers read the lake's files by their paths, so the lake's folder must be there on each of them.
"""

import logging
from collections.abc import Sequence
from datetime import date
from types import TracebackType
from typing import Any, Self

import polars as pl

from bellwether.common.errors import BellwetherError
from bellwether.usage.lake import Lake, LakePath

SHUFFLE_PARTITIONS_HERE = 4
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


class SparkError(BellwetherError):
    """Spark is not installed, or does not start."""


class SparkEngine:
    """See engines.Engine; a context manager. The session stays for the next engine of this process."""

    dialect = "pyspark"

    def __init__(self, lake: Lake, *, master: str, remote: str = "") -> None:
        self._lake, self._master, self._remote = lake, master, remote
        self._kept: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._session = _session(self._master, self._remote)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for rows in self._kept.values():
            rows.unpersist()
        self._kept.clear()

    def see(self, name: str, paths: Sequence[LakePath], *, first: date = date.min, last: date = date.max) -> None:
        """Make the rows of the Parquet files `paths` known; see engines.Engine."""
        files = self._lake.local(paths)
        # The folder above the hive folders: Spark takes columns from what lies below it.
        base = files[0].parent
        while "=" in base.name:
            base = base.parent
        rows = self._session.read.option("basePath", str(base)).parquet(*map(str, files))
        if (first, last) != (date.min, date.max):
            rows = rows.where(f"date BETWEEN DATE '{first}' AND DATE '{last}'")
        rows.createOrReplaceTempView(name)

    def see_frame(self, name: str, frame: pl.DataFrame) -> None:
        """Make the rows of `frame` known as `name`."""
        self._session.createDataFrame(_plain(frame)).createOrReplaceTempView(name)

    def keep(self, name: str, sql: str) -> int:
        """Compute the query `sql` now and keep its rows as `name`, in memory and on disk; returns how many."""
        rows = self._session.sql(sql).persist()
        count = rows.count()
        rows.createOrReplaceTempView(name)
        if name in self._kept:
            self._kept.pop(name).unpersist()
        self._kept[name] = rows
        return int(count)

    def number(self, sql: str) -> int:
        """Return the one number that the query `sql` gives."""
        return int(self._session.sql(sql).first()[0])

    def differ(self, name: str, column: str, rows: int) -> bool:
        """Return whether all values differ for sure; see engines.Engine."""
        return self.number(f"SELECT COUNT(DISTINCT XXHASH64({column})) FROM {name}") == rows

    def frame(self, sql: str) -> pl.DataFrame:
        """Return the rows of the query `sql`."""
        return pl.DataFrame(self._session.sql(sql).toArrow())


def _session(master: str, remote: str) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkError(
            "Spark is not installed. Install bellwether[spark], or set BELLWETHER_ENGINE=duckdb."
        ) from None
    logging.getLogger("py4j").setLevel(logging.WARNING)
    builder = SparkSession.builder.appName("bellwether")
    settings = dict(SETTINGS)
    if remote:
        builder = builder.remote(remote)
    else:
        builder = builder.master(master)
        if master.startswith("local"):
            settings |= {
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.driver.host": "127.0.0.1",
                "spark.sql.shuffle.partitions": str(SHUFFLE_PARTITIONS_HERE),
            }
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        where = remote or master
        raise SparkError(f"Spark does not start on {where}: {reason} It needs Java 17 (JAVA_HOME or java).") from error


def _plain(frame: pl.DataFrame) -> Any:
    """Return `frame` as an Arrow table of types that Spark knows: no views, no large texts."""
    import pyarrow as pa

    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    fields = [pa.field(f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(fields))
