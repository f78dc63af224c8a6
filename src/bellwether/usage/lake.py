"""The lake: Parquet files of events and daily facts. Where they lie, what columns they have, how a part is written.

    events/date=YYYY-MM-DD/<part>.parquet     raw events; parts are immutable, duplicates are dropped at read
    client_days/month=YYYY-MM/<part>.parquet  facts; a month's file is replaced as a whole
    event_days/month=YYYY-MM/<part>.parquet
    user_days/month=YYYY-MM/<part>.parquet

    ids/day=YYYY-MM-DD/<part>.parquet         which messages landed lately, see usage.ids

`date` is the workspace day of the corrected event time `ts`.

The lake lies in a folder or on an object store (docs/adr/0013). This module alone knows which: whoever lists, reads,
writes or removes a file of the lake asks it. What must be local either way (locks, spilled rows, copies of remote
files) lies in `Lake.folder`.
"""

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from bellwether.common.file_lock import file_lock
from bellwether.usage.lake_copies import Copies, version_of
from bellwether.usage.lake_errors import asking_the_store

INSTANT = pa.timestamp("us", tz="UTC")

EVENT_SCHEMA = pa.schema(
    [
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("organization_id", pa.string(), nullable=False),  # "" while no account is known
        pa.field("user_key", pa.string()),  # pseudonym; null for events of nobody
        pa.field("is_service", pa.bool_(), nullable=False),  # bots: stored, never counted as people
        pa.field("type", pa.string(), nullable=False),  # track, page, screen: actions; identify, group, alias: not
        pa.field("event", pa.string(), nullable=False),
        pa.field("module", pa.string()),
        pa.field("feature", pa.string()),
        pa.field("role", pa.string()),  # of the user, from identify and group traits
        pa.field("ts", INSTANT, nullable=False),  # corrected for skew, never after received_at
        pa.field("received_at", INSTANT, nullable=False),
        pa.field("sent_at", INSTANT),
        pa.field("original_ts", INSTANT),
        pa.field("source", pa.string(), nullable=False),
        pa.field("properties", pa.string()),  # JSON without names, e-mails, phones and addresses
    ]
)
"""One accepted event. (source, message_id) identifies it: the earliest received one counts."""

ACTION_TYPES = ("track", "page", "screen")

LakePath = Path | UPath
"""A file or folder of the lake; what is read from it is asked of the Lake."""

Stamp = tuple[str | int, int]
"""What tells one version of a file from another: its time or tag, and its size in bytes."""

Guard = Callable[..., AbstractContextManager[bool]]


def _unguarded(name: str, *, wait_seconds: float | None) -> AbstractContextManager[bool]:
    return nullcontext(True)


@dataclass(frozen=True)
class Lake:
    """The lake under `root`. One on an object store needs `work`, a local folder of its own.

    `guard` (name, wait_seconds) gives a lock that holds between machines too; the value says whether it is held.
    """

    root: LakePath
    work: Path | None = None
    guard: Guard = field(default=_unguarded, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Return where the lake lies, for people."""
        return str(self.root)

    @property
    def is_remote(self) -> bool:
        """Return whether the lake lies on an object store."""
        return not isinstance(self.root, Path)

    @property
    def folder(self) -> Path:
        """Return the local folder for what belongs to the lake and cannot lie on an object store."""
        if self.work is not None:
            return self.work
        if isinstance(self.root, Path):
            return self.root
        raise ValueError(f"The lake {self.name} needs a local folder for its locks.")

    @property
    def ids(self) -> LakePath:
        """Return the folder of the index of recent message ids."""
        return self.root / "ids"

    def events_of(self, day: date) -> LakePath:
        """Return the folder of the events of `day`, which may not exist."""
        return self.root / "events" / f"date={day.isoformat()}"

    def facts_of(self, kind: str, month: str) -> LakePath:
        """Return the folder of the facts `kind` (client_days, event_days or user_days) of `month` (YYYY-MM)."""
        return self.root / kind / f"month={month}"

    def event_dates(self) -> list[date]:
        """Return the days that have events, ascending."""
        names = self.folders(self.root / "events")
        return sorted(date.fromisoformat(name.removeprefix("date=")) for name in names if "=" in name)

    def parts_of(self, day: date) -> list[tuple[LakePath, int]]:
        """Return the parts of the events of `day` with their sizes in bytes, ordered by name."""
        return self.files(self.events_of(day))

    def folders(self, folder: LakePath, *, holding: str = "") -> list[str]:
        """Return the names of the folders in `folder`, which may not exist, ascending; those with a file `holding`.

        On an object store a folder is nothing but the files in it, so `holding` must be the only kind of file there.
        """
        if isinstance(folder, Path):
            try:
                with os.scandir(folder) as entries:
                    return sorted(e.name for e in entries if os.path.exists(f"{e.path}/{holding}"))
            except FileNotFoundError:
                return []
        return sorted(info["name"].rsplit("/", 1)[-1] for info in _listed(folder) if info["type"] == "directory")

    def files(self, folder: LakePath) -> list[tuple[LakePath, int]]:
        """Return the Parquet files in `folder`, which may not exist, with their sizes in bytes, ordered by name."""
        if isinstance(folder, Path):
            try:
                with os.scandir(folder) as entries:
                    found = [(e.name, e.stat().st_size) for e in entries if _is_part(e.name)]
            except FileNotFoundError:
                return []
        else:
            named = [(info["name"].rsplit("/", 1)[-1], info["size"]) for info in _listed(folder)]
            found = [(name, size) for name, size in named if _is_part(name)]
        return [(folder / name, size) for name, size in sorted(found)]

    def exists(self, path: LakePath) -> bool:
        """Return whether the file `path` exists."""
        return self.stamp(path) is not None

    def stamp(self, path: LakePath) -> Stamp | None:
        """Return what tells this version of the file `path` from others, None if there is no such file."""
        try:
            if isinstance(path, Path):
                status = path.stat()
                return status.st_mtime_ns, status.st_size
            with asking_the_store():
                info = path.fs.info(path.path)
        except FileNotFoundError:
            return None
        return version_of(info), info["size"]

    def local(self, paths: Sequence[LakePath]) -> list[Path]:
        """Return local files that hold what `paths` hold now, with the same folders above; those that exist.

        Of a lake in a folder they are the files themselves, which may be replaced while they are read.
        """
        if self.is_remote:
            return [copy for copy in self._copies.of([_key(path) for path in paths]) if copy is not None]
        return [path for path in paths if isinstance(path, Path) and path.exists()]

    @contextmanager
    def opened(self, paths: Sequence[LakePath]) -> Iterator[list[IO[bytes]]]:
        """Give those of the files `paths` that exist, held open, so that one that is replaced is not seen half."""
        with ExitStack() as stack:
            files: list[IO[bytes]] = []
            for path in self.local(paths) if self.is_remote else paths:
                try:
                    files.append(stack.enter_context(path.open("rb")))
                except FileNotFoundError:
                    continue
            yield files

    def scan(self, paths: Sequence[LakePath]) -> pl.LazyFrame:
        """Return the rows of the files `paths`, which exist, without columns made of folders."""
        return pl.scan_parquet(self.local(paths), hive_partitioning=False)

    def read(self, path: LakePath) -> pl.DataFrame:
        """Return the rows of the file `path`, which exists, without columns made of folders."""
        return pl.read_parquet(self.local([path]), hive_partitioning=False)

    def remove(self, paths: Iterable[LakePath]) -> int:
        """Remove those of the files `paths` that exist; return how many did."""
        removed = 0
        for path in paths:
            try:
                if isinstance(path, Path):
                    path.unlink()
                else:
                    with asking_the_store():
                        path.fs.info(path.path)  # a store removes what does not exist without a word
                        path.fs.rm_file(path.path)
            except FileNotFoundError:
                continue
            removed += 1
        return removed

    def remove_folder(self, folder: LakePath) -> None:
        """Remove `folder` if nothing is in it any more; on an object store there is nothing to remove."""
        if isinstance(folder, Path):
            with suppress(OSError):
                folder.rmdir()

    def sweep(self, folder: LakePath) -> int:
        """Remove what killed writers left half written in `folder`; return how many files.

        Only under the lock of those who write there.
        """
        left = sorted(folder.glob(".*.tmp")) if isinstance(folder, Path) else []
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def forget_copies(self, path: LakePath) -> int:
        """Remove the local copies of all versions of the file `path`; return how many. None of a lake in a folder."""
        return self._copies.forget(_key(path)) if self.is_remote else 0

    def lock(self, name: str, *, wait_seconds: float | None) -> AbstractContextManager[bool]:
        """Hold the lake's lock `name` (see usage.lake_locks); the value says whether it is held.

        A file keeps the processes of one machine apart and the `guard` those of several. Waits up to `wait_seconds`,
        None for as long as it takes. Either lock is gone with the process that held it, however it ends.
        """
        return _held(self.folder / f".{name}.lock", name, self.guard, wait_seconds)

    def tidy_copies(self) -> int:
        """Remove local copies that nobody has read for long, if there are too many; return how many."""
        return self._copies.tidy() if self.is_remote else 0

    @cached_property
    def _copies(self) -> Copies:
        if isinstance(self.root, Path):
            raise TypeError(f"The lake {self.name} is a folder: its files need no copies.")
        return Copies(self.root.fs, self.root.path, self.folder / "copies")


def lake_at(
    location: str,
    *,
    options: Mapping[str, Any] | None = None,
    work: Path | None = None,
    guard: Guard = _unguarded,
) -> Lake:
    """Return the lake at `location`: a folder, or a URL of an object store such as s3://bucket/prefix.

    `options` go to the store's file system (endpoint, credentials); `work` is the local folder that a lake on a store
    needs. Nothing is asked of the store here.
    """
    url = urlsplit(location)
    if url.scheme == "file":
        return Lake(Path(unquote(url.path)), guard=guard)
    if "://" not in location:
        return Lake(Path(location), guard=guard)
    # What was listed a moment ago may have been changed by another process since.
    return Lake(UPath(location, **({"use_listings_cache": False} | dict(options or {}))), work=work, guard=guard)


def write_part(table: pa.Table, path: LakePath) -> None:
    """Write `table` to `path` so that a crash leaves either the whole part or none.

    In a folder: temporary name, sync, rename. On an object store: one request, which either takes place or does not.
    """
    if not isinstance(path, Path):
        content = io.BytesIO()
        pq.write_table(table, content, compression="zstd")
        with asking_the_store():
            path.fs.pipe_file(path.path, content.getvalue())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _held(path: Path, name: str, guard: Guard, wait_seconds: float | None) -> Iterator[bool]:
    deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
    with file_lock(path, wait_seconds=wait_seconds) as here:
        if not here:
            yield False
            return
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        with guard(f"lake-{name}", wait_seconds=left) as everywhere:
            yield everywhere


def _is_part(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith(".")


def _key(path: LakePath) -> str:
    return str(path.path) if isinstance(path, UPath) else str(path)


def _listed(folder: UPath) -> list[dict[str, Any]]:
    try:
        with asking_the_store():
            found: list[dict[str, Any]] = folder.fs.ls(folder.path, detail=True)
    except FileNotFoundError:
        return []
    return found
