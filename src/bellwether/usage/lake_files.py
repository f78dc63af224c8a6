"""Local files on their way to the lake."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bellwether.usage.lake import Lake, LakePath


@contextmanager
def scratch_folder(lake: Lake) -> Iterator[Path]:
    """Give a local folder on the lake's disk that goes away; those of killed processes go when an engine starts."""
    spill = lake.folder / ".spill"
    spill.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="scratch-", suffix=f"-{os.getpid()}", dir=spill) as folder:
        yield Path(folder)


def put_file(file: Path, path: LakePath) -> None:
    """Move a local file, which lies on the lake's disk if the lake is a folder, to its place in one step."""
    if not isinstance(path, Path):
        path.fs.put_file(str(file), path.path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as written:
        os.fsync(written.fileno())
    file.replace(path)
