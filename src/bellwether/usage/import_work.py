"""What the worker does for imports in the browser: check a file, import it, take an import back.

A run says in its state what is to be done. Each step may be cut off at any point and is gone on with by the next sweep.
"""

import csv
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from bellwether.common.errors import BellwetherError, ConflictError
from bellwether.common.locks import exclusive
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.portfolio.choices import IMPORT_AT_WORK, ImportState
from bellwether.portfolio.importing.columns import Mapping
from bellwether.portfolio.importing.contradictions import Contradictions
from bellwether.portfolio.importing.kinds import ImportOptions, Kind
from bellwether.portfolio.importing.plan import Plan
from bellwether.portfolio.importing.previews import Preview
from bellwether.portfolio.importing.readers import Source
from bellwether.portfolio.importing.recorder import ChangeRecorder
from bellwether.portfolio.importing.rejects import Rejects, kind_of
from bellwether.portfolio.importing.services import ImportCounts, ImportRecorder, import_records
from bellwether.portfolio.models import Change, ImportRun
from bellwether.portfolio.undoing import take_back
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.import_files import REJECTS, folder_of
from bellwether.usage.import_marks import mark_scores_since
from bellwether.usage.import_through import looked_up
from bellwether.usage.import_wizard import EVENTS, RECORD_KINDS, in_words, mapping_of, plain_source, reading_of
from bellwether.usage.importing import EventCounts, bulk_options, import_events
from bellwether.usage.pseudonyms import pseudonym
from bellwether.usage.workspace import workspace_lake

logger = logging.getLogger(__name__)
EVENT_SOURCE = "import"
REASONS_KEPT = 100
FLAGS_KEPT = 20_000
SAVE_EVERY_SECONDS = 1.0
WAIT_FOR_SCORES = 120.0
FAULT = "The program met a fault. What was stored before it can be undone; the log of the worker says more."


class StopAskedError(BellwetherError):
    """Somebody asked for the import to be stopped."""


class RunProgress:
    """Progress that is kept with the run, at most once a second, and ends the work when it should stop."""

    def __init__(self, run: ImportRun, also: Progress) -> None:
        self.run, self.also, self._saved_at, self._done = run, also, timezone.now(), 0

    def start(self, what: str, total: int | None) -> None:
        """Begin a stage."""
        self._done = 0
        self.also.start(what, self.run.rows_total if total is None else total)

    def advance(self, steps: int = 1) -> None:
        """Say that `steps` more rows are done. Raises StopAskedError when the run should stop."""
        self._done += steps
        self.also.advance(steps)
        now = timezone.now()
        if (now - self._saved_at).total_seconds() >= SAVE_EVERY_SECONDS:
            self._saved_at = now
            self.run.rows_done = self._done
            ImportRun.objects.filter(pk=self.run.pk).update(rows_done=self._done)
            self.stop_if_asked()

    def stop_if_asked(self) -> None:
        """Raise StopAskedError when the run should stop."""
        if ImportRun.objects.filter(pk=self.run.pk, stop_asked=True).exists():
            raise StopAskedError("Stopped.")


def work_off(progress: Progress) -> Counter[str]:
    """Do what runs ask for, the one asked first before the others, until nothing is left; return what was done."""
    done: Counter[str] = Counter()
    while (run := _next()) is not None:
        state = run.state
        try:
            _STEPS[ImportState(state)](run, progress)
        except OperationalError:
            raise
        except StopAskedError:
            _stopped(run)
        except BellwetherError as error:
            _failed(run, in_words(str(error), run))
        except Exception:
            logger.exception("Import %s failed", run.pk)
            _failed(run, FAULT)
        done[state] += 1
    return done


def _next() -> ImportRun | None:
    return ImportRun.objects.filter(state__in=IMPORT_AT_WORK).order_by("started_at", "created_at").first()


def _stopped(run: ImportRun) -> None:
    """Leave a check as if it had never begun, and an import with what it has stored."""
    run.refresh_from_db()
    _mark(run)
    run.stop_asked = False
    run.finished_at = timezone.now()
    run.state = ImportState.MAPPING if run.state == ImportState.CHECKING else ImportState.CANCELLED
    run.save()


def _failed(run: ImportRun, error: str) -> None:
    run.refresh_from_db()
    with suppress(BellwetherError):
        _mark(run)
    run.state = ImportState.MAPPING if run.state == ImportState.CHECKING else ImportState.FAILED
    run.error, run.finished_at, run.stop_asked = error, timezone.now(), False
    run.save()


def _mark(run: ImportRun) -> None:
    if affected := run.counts.get("affected"):
        now = timezone.now()
        mark_scores_since(date.fromisoformat(affected), day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), now)


def check(run: ImportRun, progress: Progress | None = None) -> None:
    """Read the whole file as it would be imported, store nothing, and keep what was found with the run."""
    now = run.started_at or timezone.now()
    told = RunProgress(run, progress or NoProgress())
    found = _Reading(run, now, told).read(dry_run=True)
    ImportRun.objects.filter(pk=run.pk).update(
        check_result=found, state=ImportState.CHECKED, error="", finished_at=timezone.now(), rows_done=found["read"]
    )
    run.refresh_from_db()


def carry_out(run: ImportRun, progress: Progress | None = None) -> None:
    """Import the file, chunk by chunk with what is needed to undo it; go on behind what an earlier try has stored."""
    now = run.started_at or timezone.now()
    if run.change is None and run.kind != EVENTS:
        summary = f"{run.kind.capitalize()} imported from {run.file_name}"
        run.change = Change.objects.create(
            made_by=run.made_by, made_at=now, kind="records.import", summary=summary[:300]
        )
        run.save(update_fields=["change"])
    told = RunProgress(run, progress or NoProgress())
    told.stop_if_asked()
    found = _Reading(run, now, told).read(dry_run=False)
    run.refresh_from_db()
    run.counts |= {name: found[name] for name in COUNTED if name in found}
    run.result |= {
        name: found[name] for name in ("tally", "warnings", "unknown", "clients", "churned") if name in found
    }
    run.rows_done = found["read"]
    _mark(run)
    run.state, run.error, run.finished_at, run.stop_asked = ImportState.DONE, "", timezone.now(), False
    run.save()
    detail = {"file": run.file_name, "import": str(run.pk), "columns": run.settings.get("columns")}
    detail |= {name: run.counts[name] for name in COUNTED if name in run.counts}
    audit.record(
        actor=run.made_by, action="records.import", object_type=run.kind, object_id=run.pk, detail=detail, now=now
    )


COUNTED = ("read", "created", "updated", "unchanged", "rejected", "clients_created", "unassigned")


def undo(run: ImportRun, progress: Progress | None = None) -> None:
    """Take the import back, record by record; what was changed since or is in use stays, and the run says so."""
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    if run.change is None:
        raise ConflictError("There is nothing to undo.")
    with _scores_resting(run):
        done = take_back(run.change, today=today, now=now, progress=RunProgress(run, progress or NoProgress()))
    Change.objects.filter(pk=run.change.pk).update(undone_at=now, undone_by=run.undone_by)
    run.refresh_from_db()
    run.result["undo"] = {"restored": done.restored, "left": done.left, "left_count": done.left_count}
    _mark(run)
    run.state, run.undone_at, run.error = ImportState.UNDONE, now, ""
    run.save()
    detail = {"import": str(run.pk), "restored": done.restored, "left": done.left_count}
    audit.record(
        actor=run.undone_by,
        action="records.import.undo",
        object_type=run.kind,
        object_id=run.pk,
        detail=detail,
        now=now,
    )


@contextmanager
def _scores_resting(run: ImportRun) -> Iterator[None]:
    """Keep the scoring job from writing about clients that go. Waits two minutes for it at most: it tries again itself
    when clients are gone under its hands."""
    if run.kind != "clients" and not run.counts.get("clients_created"):
        yield
        return
    deadline = time.monotonic() + WAIT_FOR_SCORES
    while True:
        with exclusive("job-score") as free:
            if free or time.monotonic() >= deadline:
                yield
                return
        time.sleep(0.5)


_STEPS: dict[ImportState, Callable[[ImportRun, Progress], None]] = {
    ImportState.CHECKING: check,
    ImportState.IMPORTING: carry_out,
    ImportState.UNDOING: undo,
}


class _Reading:
    """One pass over the file of a run."""

    def __init__(self, run: ImportRun, now: datetime, progress: RunProgress) -> None:
        self.run, self.now, self.progress = run, now, progress
        self.mapping = mapping_of(run)
        self.source = looked_up(plain_source(run), run, self.mapping.columns.get("organization_id"))
        self.source = Source(self.source.path, self.source.columns, run.rows_total, self.source.read)

    def read(self, *, dry_run: bool) -> dict[str, Any]:
        """Return what the pass found, as JSON keeps it. The rejects are written beside the file."""
        path = folder_of(self.run.pk) / REJECTS
        path.unlink(missing_ok=True)
        with Rejects(self.source.path, self.source.columns, chosen=path, write=True) as rejects:
            if self.run.kind == EVENTS:
                found = self._events(rejects, dry_run)
            else:
                found = self._records(RECORD_KINDS[self.run.kind], rejects, dry_run)
        tally = [[in_words(reason, self.run), count] for reason, count in rejects.tally.most_common(REASONS_KEPT)]
        return {**found, "rejected": rejects.count, "tally": tally}

    def _records(self, kind: Kind, rejects: Rejects, dry_run: bool) -> dict[str, Any]:
        run = self.run
        key: bytes = settings.BELLWETHER_PSEUDONYM_KEY
        options = ImportOptions(
            now=self.now,
            today=day_of(self.now, settings.BELLWETHER_WORKSPACE_ZONE),
            reading=reading_of(run),
            dry_run=dry_run,
            create_clients=bool(run.settings.get("create_clients")),
            pseudonym=lambda user_id: pseudonym(user_id, key),
        )
        odd = Contradictions(run.kind, run.columns, churned_elsewhere=_flagged_in_batch(run))
        preview = Preview(kind, self.mapping)
        clients: set[str] = set()
        recorder: ImportRecorder | None = None if dry_run or run.change is None else ChangeRecorder(run, run.change)

        def watch(plan: Plan) -> None:
            self.progress.stop_if_asked()
            odd.watch(plan)
            preview.watch(plan)
            clients.update(str(pk) for pk in _clients_with_records(plan))

        counts = import_records(
            kind,
            self.source,
            self.mapping,
            options=options,
            rejects=rejects,
            progress=self.progress,
            recorder=recorder,
            watch=watch,
        )
        return {
            **_numbers(counts),
            "rows": preview.rows,
            "fields": preview.fields,
            "warnings": odd.warnings(),
            "unknown": odd.unknown_clients(),
            "churned": sorted(odd.flagged)[:FLAGS_KEPT],
            "clients": len(clients),
            **({"affected": counts.affected.isoformat()} if counts.affected else {}),
        }

    def _events(self, rejects: Rejects, dry_run: bool) -> dict[str, Any]:
        run, reading = self.run, reading_of(self.run)
        name = run.file_name.rpartition(".")[0] or run.file_name
        options = bulk_options(
            self.mapping,
            left_out=frozenset(),
            source=EVENT_SOURCE,
            now=self.now,
            pseudonym_key=settings.BELLWETHER_PSEUDONYM_KEY,
            service_pattern=settings.BELLWETHER_SERVICE_USER_PATTERN,
            event=name,
            zone=reading.zone,
            date_order=reading.date_order,
        )
        counts = import_events(
            self.source,
            options=options,
            lake=workspace_lake(),
            zone=settings.BELLWETHER_WORKSPACE_ZONE,
            dry_run=dry_run,
            rejects=rejects,
            progress=self.progress,
        )
        return {
            "read": counts.read,
            "created": counts.created,
            "updated": 0,
            "unchanged": counts.unchanged,
            "unassigned": counts.unassigned,
            "rows": [],
            "fields": [],
            "warnings": _event_warnings(counts, self.mapping, name),
            "unknown": [],
        }


def _numbers(counts: ImportCounts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ("read", "created", "updated", "unchanged", "clients_created")}


def _clients_with_records(plan: Plan) -> set[Any]:
    found = {getattr(row.record, "client_id", None) or row.record.pk for row in plan.rows if row.record is not None}
    return found - {None}


def _flagged_in_batch(run: ImportRun) -> list[str]:
    """Return the clients that the file of clients of the same batch flags as churned."""
    if run.kind != "outcomes":
        return []
    others = ImportRun.objects.filter(batch=run.batch, kind="clients").exclude(pk=run.pk)
    return next(
        (found for one in others if (found := one.result.get("churned") or one.check_result.get("churned"))), []
    )


def _event_warnings(counts: EventCounts, mapping: Mapping, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if counts.unassigned:
        text = f"{counts.unassigned:,} events name a client that does not exist: they are kept, but counted nowhere."
        found.append({"text": text, "count": counts.unassigned, "examples": []})
    if "event" not in mapping.given:
        text = f"No column names the event: every row is called {name}. Give Event a value of your own to change that."
        found.append({"text": text, "count": counts.read, "examples": []})
    if not mapping.given & {"user_id", "anonymous_id"}:
        text = "No column names the user: these events count as activity, but for no active user."
        found.append({"text": text, "count": counts.read, "examples": []})
    return found


def rejected_rows(run: ImportRun, *, reason: str, first: int, count: int) -> tuple[list[dict[str, str]], int]:
    """Return some rejected rows of a run from the `first`th on, and how many there are; `reason` picks those whose
    reason is of that kind (as in the tally)."""
    path = folder_of(run.pk) / REJECTS
    if not path.exists():
        return [], 0
    found, total = [], 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            said = in_words(row["reason"] or "", run)
            if reason and in_words(kind_of(row["reason"] or ""), run) != reason:
                continue
            if first <= total < first + count:
                found.append({**row, "reason": said})
            total += 1
    return found, total


def request_check(run: ImportRun, *, now: datetime) -> None:
    """Have the worker check the run."""
    _begin(run, ImportState.CHECKING, (ImportState.MAPPING, ImportState.CHECKED), now)


def request_import(run: ImportRun, *, user: StaffUser, now: datetime, before: dict[str, Any] | None = None) -> None:
    """Have the worker import the run. `before` is kept with the result. Raises ConflictError unless it can begin."""
    mapping_of(run)
    with_before = {**run.result, **({"before": before} if before is not None else {})}
    ImportRun.objects.filter(pk=run.pk).update(result=with_before, made_by=user)
    ready = (ImportState.MAPPING, ImportState.CHECKED, ImportState.CANCELLED, ImportState.FAILED)
    _begin(run, ImportState.IMPORTING, ready, now)


def request_undo(run: ImportRun, *, user: StaffUser | None, now: datetime) -> None:
    """Have the worker take the import back. Raises ConflictError where that cannot be done."""
    if run.change is None:
        raise ConflictError(
            "Events cannot be undone: they are counted together with all others once they are stored."
            if run.kind == EVENTS
            else "There is nothing to undo."
        )
    ImportRun.objects.filter(pk=run.pk).update(undone_by=user)
    _begin(run, ImportState.UNDOING, (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED), now)


def _begin(run: ImportRun, state: ImportState, from_states: tuple[ImportState, ...], now: datetime) -> None:
    begun = ImportRun.objects.filter(pk=run.pk, state__in=from_states).update(
        state=state, started_at=now, finished_at=None, stop_asked=False, error="", rows_done=0
    )
    run.refresh_from_db()
    if not begun:
        raise ConflictError(f"This import is {ImportState(run.state).label.lower()}: that cannot be done now.")


def ask_to_stop(run: ImportRun) -> None:
    """Ask the worker to stop after the chunk in hand."""
    ImportRun.objects.filter(pk=run.pk, state__in=(ImportState.CHECKING, ImportState.IMPORTING)).update(stop_asked=True)
