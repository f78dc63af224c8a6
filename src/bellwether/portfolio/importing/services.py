"""Imports a file of client records: read, parse, plan and store, chunk by chunk."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from bellwether.common.progress import Progress
from bellwether.portfolio.importing.columns import Mapping, map_columns
from bellwether.portfolio.importing.kind_activities import ACTIVITIES
from bellwether.portfolio.importing.kind_clients import CLIENTS
from bellwether.portfolio.importing.kind_contacts import CONTACTS
from bellwether.portfolio.importing.kind_contracts import CONTRACTS, OUTCOMES
from bellwether.portfolio.importing.kind_support import SURVEYS, TICKETS
from bellwether.portfolio.importing.kinds import ImportOptions, Kind
from bellwether.portfolio.importing.plan import Plan, Planner
from bellwether.portfolio.importing.readers import Source
from bellwether.portfolio.importing.rejects import Rejects
from bellwether.portfolio.importing.rows import RowReader
from bellwether.portfolio.importing.store import Recorder, store
from bellwether.staff.audit import record

CHUNK = 1_000
KINDS: tuple[Kind, ...] = (CLIENTS, CONTACTS, TICKETS, SURVEYS, CONTRACTS, OUTCOMES, ACTIVITIES)

Pairs = Sequence[tuple[str, str]]


class ImportRecorder(Recorder, Protocol):
    """A recorder that also knows how far an earlier try of the same import came, and what it had counted."""

    chunks_done: int
    counts: "ImportCounts"


@dataclass
class ImportCounts:
    """What an import did. `read` = created + updated + unchanged + rejected. `affected` is the first day whose scores
    changed (date.min: every day), None if nothing changed."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    clients_created: int = 0
    affected: date | None = None

    @property
    def line(self) -> str:
        """The last line of the command."""
        return (
            f"read {self.read}, created {self.created}, updated {self.updated}, "
            f"unchanged {self.unchanged}, rejected {self.rejected}"
        )


def map_source(kind: Kind, source: Source, *, maps: Pairs, constants: Pairs) -> tuple[Mapping, list[str]]:
    """Return how the columns of `source` are read as `kind`, and what the operator should know about it.

    Raises MappingError when required fields are missing or `maps` and `constants` name what does not exist.
    """
    mapping = map_columns(source.columns, kind.fields, given=maps, constants=constants, infer=kind.infer)
    told = dict(constants)
    guessed = [f"Every row gets {n} {v}." for n, v in mapping.constants.items() if n not in told]
    return mapping, guessed + kind.notices(mapping.ignored)


def import_records(
    kind: Kind,
    source: Source,
    mapping: Mapping,
    *,
    options: ImportOptions,
    rejects: Rejects,
    progress: Progress,
    recorder: ImportRecorder | None = None,
    watch: Callable[[Plan], None] = lambda plan: None,
) -> ImportCounts:
    """Import the rows of `source` as `kind` and return what was done; a dry run counts the same and stores nothing.

    Each chunk of rows is stored whole or not at all, so that an import that was cut off is mended by running it again.
    `recorder` keeps what is needed to undo it and says which chunks an earlier try has stored; those are read again for
    their rejects alone. `watch` sees every plan before it is stored.
    """
    counts = copy.copy(recorder.counts) if recorder else ImportCounts()
    reader = RowReader(kind.fields, mapping, options.reading)
    planner = Planner(kind, mapping.given, options)
    progress.start(f"Reading {kind.name}", source.total)
    for number, batch in enumerate(source.read(CHUNK)):
        for reject in batch.unreadable:
            rejects.add(reject)
        rows = zip(batch.rows, batch.frame.iter_rows(named=True), strict=True)
        plan = planner.plan(list(reader.read(rows)))
        watch(plan)
        stored_before = recorder is not None and number < recorder.chunks_done
        if not stored_before:
            _count(counts, plan, len(batch.rows) + len(batch.unreadable))
            if recorder is not None:
                recorder.counts = counts
            if not options.dry_run:
                store(plan, kind, options, recorder)
        for reject in sorted(plan.rejects, key=lambda reject: reject.row):
            rejects.add(reject)
        progress.advance(len(batch.rows) + len(batch.unreadable))
    counts.rejected = rejects.count
    return counts


def _count(counts: ImportCounts, plan: Plan, read: int) -> None:
    counts.read += read
    counts.created += len(plan.create)
    counts.updated += len(plan.update)
    counts.unchanged += plan.unchanged
    counts.clients_created += len(plan.new_clients)
    if plan.affected is not None:
        counts.affected = min(counts.affected or date.max, plan.affected)


def record_import(kind: str, path: Path, counts: ImportCounts, mapping: Mapping, *, now: datetime) -> None:
    """Leave one row about the import in the access log."""
    numbers = {name: getattr(counts, name) for name in ("read", "created", "updated", "unchanged", "rejected")}
    detail = {"file": path.name, "columns": mapping.columns, **numbers, "clients_created": counts.clients_created}
    record(actor=None, action="records.import", object_type=kind, object_id=path.name, detail=detail, now=now)
