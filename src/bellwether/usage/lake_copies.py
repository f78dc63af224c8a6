"""Local copies of the files of a lake that lies on an object store: each version is fetched once, in one request.

A copy is named by what the store calls the version of the file, so a file that was replaced is another copy, and one
that is being read stays whole whatever happens to the original. The path below the root is kept, because engines read
the day of an event off it.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem

from bellwether.usage.lake_errors import asking_the_store

FETCHERS = 8
MOST_BYTES = 4 * 2**30
"""What copies may take; the longest unread ones go first."""

UNREAD_SECONDS = 7 * 86_400
"""A copy that nobody read for so long goes, however few there are: it may be all that is left of what was erased."""

TIDY_EVERY_SECONDS = 3_600

IN_USE_SECONDS = 600
"""A copy read so short a time ago is never removed: somebody may be at it."""


def version_of(info: dict[str, Any]) -> str:
    """Return what tells the version of a file from any other, of what fsspec's `info` or `ls` says about it."""
    for name in ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "last_modified", "mtime", "created"):
        if info.get(name):
            return f"{info[name]}".strip('"')
    raise ValueError(f"The file system of {info.get('name')} does not say which version a file has.")


@dataclass(frozen=True)
class Copies:
    """Copies under `folder` of the files below `root` (a path) of `filesystem`."""

    filesystem: AbstractFileSystem
    root: str
    folder: Path

    def of(self, paths: Sequence[str]) -> list[Path | None]:
        """Return a copy of the present version of each of `paths`, None for one that does not exist."""
        if len(paths) < 2:
            return [self._copy(path) for path in paths]
        with ThreadPoolExecutor(min(FETCHERS, len(paths))) as pool:
            return list(pool.map(self._copy, paths))

    def forget(self, path: str) -> int:
        """Remove the copies of all versions of `path`; return how many."""
        one = self._place(path, "")
        copies = sorted(one.parent.glob(f"{one.name.split('@')[0]}@*"))
        for copy in copies:
            copy.unlink(missing_ok=True)
        return len(copies)

    def tidy(self, most_bytes: int = MOST_BYTES) -> int:
        """Remove copies unread for a week, and more until the rest takes `most_bytes` at most; return how many went."""
        kept = sorted(
            (status.st_mtime, status.st_size, path)
            for path in self.folder.rglob("*.parquet")
            if (status := _status(path)) is not None
        )
        total, removed = sum(size for _, size, _ in kept), 0
        for read_at, size, path in kept:
            unread = time.time() - read_at
            if unread < IN_USE_SECONDS or (total <= most_bytes and unread < UNREAD_SECONDS):
                break
            path.unlink(missing_ok=True)
            total, removed = total - size, removed + 1
        return removed

    def _copy(self, path: str) -> Path | None:
        try:
            version = self._version(path)
            while True:
                copy = self._place(path, version)
                if _was_read_now(copy):
                    return copy
                with asking_the_store():
                    content = self.filesystem.cat_file(path)
                before, version = version, self._version(path)
                if version == before:  # else it was replaced meanwhile, and the name would not be that of the content
                    _write(content, copy)
                    self._tidy_now_and_then()
                    return copy
        except FileNotFoundError:
            return None

    def _version(self, path: str) -> str:
        with asking_the_store():
            return version_of(self.filesystem.info(path))

    def _tidy_now_and_then(self) -> None:
        mark = self.folder / ".tidied"
        try:
            due = time.time() - mark.stat().st_mtime > TIDY_EVERY_SECONDS
        except FileNotFoundError:
            due = True
        if due:
            mark.touch()
            self.tidy()

    def _place(self, path: str, version: str) -> Path:
        below = Path(path.removeprefix(self.root).lstrip("/"))
        mark = blake2b(version.encode(), digest_size=12).hexdigest()
        return self.folder / below.with_name(f"{below.stem}@{mark}{below.suffix}")


def _was_read_now(copy: Path) -> bool:
    """Note that `copy` is read now; tell whether it is there."""
    try:
        os.utime(copy)
    except FileNotFoundError:
        return False
    return True


def _write(content: bytes, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(copy)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
