"""The files of imports in the browser: kept below BELLWETHER_HOME for a week, readable by the product alone."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

from bellwether.common.errors import InvalidInputError

MOST_BYTES = 50 * 2**20
MOST_FILES = 20
ENDINGS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".json", ".parquet", ".pq"})
REJECTS = "rejects.csv"


def folder_of(run_id: UUID) -> Path:
    """Return the folder of an import; it need not exist."""
    return Path(settings.BELLWETHER_HOME) / "imports" / str(run_id)


def stored_name(file_name: str) -> str:
    """Return the name under which a file is kept: never the sender's, only its ending if that says how to read it.

    Raises InvalidInputError for endings that cannot be read, with what to do.
    """
    ending = Path(file_name).suffix.lower()
    if ending == ".xls":
        raise InvalidInputError(f"{file_name} is in the old Excel format. Save it as .xlsx or .csv.")
    if ending in {".zip", ".gz", ".7z"}:
        raise InvalidInputError(f"{file_name} is packed. Unpack it and send the files in it.")
    if ending and ending not in ENDINGS:
        raise InvalidInputError(f"{file_name} cannot be read. Send CSV, XLSX, JSON Lines or Parquet.")
    return f"source{ending or '.csv'}"


def keep(run_id: UUID, name: str, shown: str, chunks: Iterable[bytes]) -> int:
    """Store the bytes of a file under the folder of an import and return how many there are.

    Raises InvalidInputError when it is larger than 50 MB or empty; nothing is kept then.
    """
    folder = folder_of(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    size = 0
    try:
        with (folder / name).open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > MOST_BYTES:
                    raise InvalidInputError(
                        f"{shown} is larger than {MOST_BYTES // 2**20} MB. Split it, or import it with the command "
                        "bellwether import, which has no limit."
                    )
                file.write(chunk)
        if not size:
            raise InvalidInputError(f"{shown} is empty.")
    except InvalidInputError:
        drop(run_id)
        raise
    return size


def drop(run_id: UUID) -> bool:
    """Remove the folder of an import; return whether there was one."""
    folder = folder_of(run_id)
    found = folder.exists()
    shutil.rmtree(folder, ignore_errors=True)
    return found
