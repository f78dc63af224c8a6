"""The index of recent message ids: which (source, message_id) landed in the last 30 days, whatever day they landed on.

A retried message can be given another corrected time, even on another day, so looking into one day of the lake is not
enough. Each landing leaves one small Parquet file with the 128-bit hashes of its ids; `tidy` merges them per day and
forgets old days. A hash found twice does no harm: the index is a set, so a crash in the middle of a merge changes
nothing.

    ids/day=YYYY-MM-DD/<part>.parquet     lo, hi: halves of BLAKE2b(source, message_id); part: who landed it
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b

import numpy as np
import polars as pl

from bellwether.usage.lake import Lake, LakePath, write_part

KEEP = timedelta(days=30)
MERGE_FROM = 32
KEY = ("lo", "hi")
SEPARATOR = "\x1f"


def hashed_ids(sources: Iterable[str], message_ids: Iterable[str]) -> pl.DataFrame:
    """Return the columns `lo` and `hi` (UInt64), one row per message: the hash under which the index knows it."""
    digests = b"".join(
        [
            blake2b(f"{source}{SEPARATOR}{message_id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for source, message_id in zip(sources, message_ids, strict=True)
        ]
    )
    halves = np.frombuffer(digests, dtype="<u8").reshape(-1, 2)
    return pl.DataFrame({"lo": halves[:, 0], "hi": halves[:, 1]}, schema={"lo": pl.UInt64, "hi": pl.UInt64})


@dataclass(frozen=True)
class RecentIds:
    """The index of `lake`, as of `today` (UTC): ids received in the 30 days before are remembered, older are not."""

    lake: Lake
    today: date

    @property
    def root(self) -> LakePath:
        """Return the folder of the index."""
        return self.lake.ids

    @property
    def since(self) -> datetime:
        """Return the naive UTC instant from which received ids are remembered."""
        return datetime.combine(self.today - KEEP, time.min)

    def known(self, keys: pl.DataFrame, *, but_part: str) -> pl.DataFrame:
        """Return which of `keys` (lo, hi) landed before under another part than `but_part`, each once."""
        files = self._files()
        if not files or keys.is_empty():
            return keys.select(KEY).clear()
        seen = self.lake.scan(files).filter(pl.col("part") != but_part).select(KEY)
        return seen.join(keys.lazy().select(KEY), on=KEY, how="semi").unique().collect(engine="streaming")

    def add(self, keys: pl.DataFrame, *, part: str) -> None:
        """Remember `keys` (lo, hi, received_at) as landed by `part`, durably; doing it again replaces the entry."""
        recent = keys.filter(pl.col("received_at").dt.replace_time_zone(None) >= self.since)
        if not recent.is_empty():
            _write(recent.select(*KEY, part=pl.lit(part)), self._folder(self.today) / f"{part}.parquet")

    def tidy(self) -> None:
        """Forget what is too old and merge a day's files when there are many; only under the landing's lock."""
        for name in self._days():
            folder = self.root / name
            files = [path for path, _ in self.lake.files(folder)]
            if date.fromisoformat(name.removeprefix("day=")) < self.today - KEEP:
                self.lake.remove(files)
                self.lake.remove_folder(folder)
            elif len(files) >= MERGE_FROM:
                merged = self.lake.scan(files).collect().sort("part", *KEY)
                _write(merged, folder / f"merged-{uuid.uuid4().hex}.parquet")
                self.lake.remove(files)

    def _days(self) -> list[str]:
        return [name for name in self.lake.folders(self.root) if name.startswith("day=")]

    def _files(self) -> list[LakePath]:
        oldest = self._folder(self.today - KEEP).name
        return [path for name in self._days() if name >= oldest for path, _ in self.lake.files(self.root / name)]

    def _folder(self, day: date) -> LakePath:
        return self.root / f"day={day.isoformat()}"


def _write(frame: pl.DataFrame, path: LakePath) -> None:
    write_part(frame.to_arrow(), path)
