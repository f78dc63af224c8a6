"""The home of a demo: marked as such, never mixed with data that is not of a demo, and emptied only if marked."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from bellwether.common.errors import BellwetherError
from bellwether.demo.plan import DemoPlan

DATABASE_FILES = ("*.sqlite3", "*.sqlite3-wal", "*.sqlite3-shm", "*.sqlite3-journal")
MADE_FOLDERS = ("lake", "demo", "mail")


class DemoHomeError(BellwetherError):
    """The home cannot take the demo; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """What HOME/demo/demo.json says: the plan, the database it went to, and the summary once it is complete."""

    plan: DemoPlan
    database: str
    complete: bool = False
    summary: dict[str, Any] | None = None

    def done(self, summary: dict[str, Any]) -> "Marker":
        """Return the marker of the completed demo."""
        return replace(self, complete=True, summary=summary)


def marker_path(home: Path) -> Path:
    """Return where the marker of a demo home lies."""
    return home / "demo" / "demo.json"


def truth_path(home: Path) -> Path:
    """Return where the planted truth lies; the product never reads it."""
    return home / "demo" / "truth.parquet"


def playbook_truth_path(home: Path) -> Path:
    """Return where the effects planted in playbooks lie; the product never reads it."""
    return home / "demo" / "playbooks.parquet"


def read_marker(home: Path) -> Marker | None:
    """Return the marker of `home`, None if it is no demo home. Raises DemoHomeError for one that cannot be read."""
    path = marker_path(home)
    try:
        data = json.loads(path.read_text("utf-8"))
        plan = data["plan"] | {"today": date.fromisoformat(data["plan"]["today"])}
        return Marker(**(data | {"plan": DemoPlan(**plan)}))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DemoHomeError(
            f"{path} cannot be read ({error}). Choose another --home, or mend or remove the file."
        ) from None


def write_marker(home: Path, marker: Marker) -> None:
    """Write the marker of `home`, whole or not at all."""
    path = marker_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = asdict(marker)
    data["plan"]["today"] = marker.plan.today.isoformat()
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(data, indent=2), "utf-8")
    temporary.replace(path)


def same_demo(marker: Marker, wanted: DemoPlan, *, today_given: bool) -> bool:
    """Tell whether the marked demo is the `wanted` one; the end date counts only if it was asked for."""
    return marker.plan == (wanted if today_given else replace(wanted, today=marker.plan.today))


def empty_home(home: Path) -> None:
    """Remove what a demo made in `home`: databases, lake, mail and the marker last; keys and other files stay.

    Raises DemoHomeError unless the home is marked as a demo's.
    """
    if read_marker(home) is None:
        raise DemoHomeError(f"{home} is not marked as a demo home, so nothing in it is removed. Choose another --home.")
    for pattern in DATABASE_FILES:
        for path in home.glob(pattern):
            path.unlink()
    for name in MADE_FOLDERS:
        if name != "demo":
            shutil.rmtree(home / name, ignore_errors=True)
    shutil.rmtree(home / "demo", ignore_errors=True)
