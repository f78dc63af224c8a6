"""What a warehouse counted of its events, kept in the lake until the day looks different there.

    tallies/source=<name>/date=YYYY-MM-DD/{slots,kinds,roles}.parquet

A tally has what each user did in each half hour (`slots`), of each kind (`kinds`), and which roles were told (`roles`):
just enough to put the counts of several sources together exactly (docs/adr/0015). Users are pseudonyms, events none.
"""

from collections.abc import Iterable
from datetime import date
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow.parquet as pq
from polars._typing import PolarsDataType

from bellwether.usage.lake import Lake, LakePath
from bellwether.usage.lake_files import put_file, scratch_folder

_USER: dict[str, PolarsDataType] = {
    "date": pl.Date(),
    "organization_id": pl.String(),
    "user_key": pl.String(),
    "is_service": pl.Boolean(),
}
_COUNTS: dict[str, PolarsDataType] = {"n": pl.Int64(), "first_us": pl.Int64(), "last_us": pl.Int64()}

TALLIES: dict[str, dict[str, PolarsDataType]] = {
    "slots": _USER | {"slot": pl.Int64(), "hour": pl.Int64(), "is_action": pl.Boolean()} | _COUNTS,
    "kinds": _USER | dict.fromkeys(("event", "module", "feature", "label"), pl.String()) | _COUNTS,
    "roles": _USER | {"role": pl.String(), "us": pl.Int64()},
}
"""Columns of each kind of tally as `rollup` counts them. In the files `date` is that of the folder."""


def tally_path(lake: Lake, source: str, day: date, kind: str) -> LakePath:
    """Return the file of the tally `kind` of `source` and `day`, which may not exist."""
    return lake.root / "tallies" / f"source={source}" / f"date={day.isoformat()}" / f"{kind}.parquet"


def tallied_days(lake: Lake, source: str | None = None) -> dict[date, list[str]]:
    """Return the days that have tallies, ascending, each with its sources; of one `source` if given."""
    sources = [source] if source else [name.removeprefix("source=") for name in lake.folders(lake.root / "tallies")]
    found: dict[date, list[str]] = {}
    for name in sources:
        for folder in lake.folders(lake.root / "tallies" / f"source={name}"):
            found.setdefault(date.fromisoformat(folder.removeprefix("date=")), []).append(name)
    return dict(sorted(found.items()))


def tallies_of(lake: Lake, source: str, day: date) -> list[tuple[str, LakePath, int]]:
    """Return the kinds of the tallies of `source` on `day`, with their files and these' sizes in bytes."""
    folder = tally_path(lake, source, day, "slots").parent
    return [(path.name.removesuffix(".parquet"), path, size) for path, size in lake.files(folder)]


def remove_tallies(lake: Lake, source: str, days: Iterable[date]) -> int:
    """Remove the tallies of `source` on the `days`; return how many files went."""
    return lake.remove(tally_path(lake, source, day, kind) for day in sorted(days) for kind in TALLIES)


class TallyWriter:
    """Takes the tallies of some days of a source in any order and number of frames, and stores them all at the end.

    A context manager. What was added lies in local files until `store`, so that memory stays small and what was stored
    before stays whole if the warehouse goes away in between.
    """

    def __init__(self, lake: Lake, source: str) -> None:
        self._lake, self._source = lake, source
        self._writers: dict[tuple[date, str], pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        self._scratch = scratch_folder(self._lake)
        self._folder = self._scratch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()
        self._scratch.__exit__(kind, error, trace)

    def add(self, kind: str, rows: pl.DataFrame) -> None:
        """Add `rows` of the tally `kind`, with the columns of TALLIES."""
        for (day,), of_day in rows.partition_by("date", as_dict=True, include_key=False).items():
            table = of_day.to_arrow()
            writer = self._writers.get((day, kind))
            if writer is None:
                path = self._folder / f"{day}-{kind}.parquet"
                writer = self._writers[day, kind] = pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)

    def store(self, days: Iterable[date]) -> None:
        """Replace all tallies of the source on the `days` by what was added; days without any have none then."""
        for day in sorted(days):
            for kind in TALLIES:
                path = tally_path(self._lake, self._source, day, kind)
                writer = self._writers.pop((day, kind), None)
                if writer is None:
                    self._lake.remove([path])
                    continue
                writer.close()
                put_file(self._folder / f"{day}-{kind}.parquet", path)
            self._lake.remove_folder(tally_path(self._lake, self._source, day, "slots").parent)
