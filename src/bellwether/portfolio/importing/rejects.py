"""Rows that an import could not take, each with its reason, kept in a file that can be mended and imported again."""

import csv
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from bellwether.common.errors import BellwetherError

FIRST_SHOWN = 5


class RejectsFileError(BellwetherError):
    """The rejects file cannot be written."""


@dataclass(frozen=True)
class Reject:
    """A row of the file that was not taken. `row` is its number as a spreadsheet shows it (header 1)."""

    row: int
    reason: str
    cells: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"


def rejects_path(source: Path, chosen: Path | None) -> Path:
    """Return where the rejects of `source` go: `chosen`, else beside it, else here if that folder is read-only."""
    if chosen is not None:
        return chosen
    name = f"{source.name}.rejects.csv"
    folder = source.absolute().parent
    # The mode is asked as well, because an administrator's process may write where nobody should.
    writable = bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)
    return (folder if writable else Path.cwd()) / name


def kind_of(reason: str) -> str:
    """Return a reason without the cell and row that make it one of its kind."""
    return re.sub(r"\brow \d+", "row …", re.sub(r"'.*'", "'…'", reason, flags=re.DOTALL))


class Rejects:
    """Counts rejects, keeps the first few for the terminal, and writes all to a CSV file that is made when needed."""

    def __init__(self, source: Path, columns: Sequence[str], *, chosen: Path | None, write: bool) -> None:
        self._source, self._columns, self._chosen, self._write = source, list(columns), chosen, write
        self._file: TextIO | None = None
        self._writer: Any = None
        self.path: Path | None = None
        self.count = 0
        self.first: list[Reject] = []
        self.tally: Counter[str] = Counter()

    def add(self, reject: Reject) -> None:
        """Count and write one reject."""
        self.count += 1
        self.tally[kind_of(reject.reason)] += 1
        if len(self.first) < FIRST_SHOWN:
            self.first.append(reject)
        if self._write:
            if self._writer is None:
                self._open()
            cells = ["" if reject.cells.get(c) is None else str(reject.cells[c]) for c in self._columns]
            self._writer.writerow([reject.row, reject.reason, *cells])

    def _open(self) -> None:
        self.path = rejects_path(self._source, self._chosen)
        try:
            self._file = self.path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise RejectsFileError(
                f"The rejects file {self.path} cannot be written: {error.strerror}. Choose another with --rejects PATH."
            ) from None
        self._writer = csv.writer(self._file)
        self._writer.writerow(["row", "reason", *self._columns])

    def close(self) -> None:
        """Close the file, if one was made."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
