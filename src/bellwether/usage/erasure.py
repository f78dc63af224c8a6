"""Erases one person: what identifies goes, pseudonymous facts stay, so that no figure and no score changes.

    ask (a row with the key) -> spool into the lake -> events -> facts -> database, audit, key forgotten

The row says that it must be done until it is done: a run that is killed is taken up by the next call, by the job
`erasure`, or by the next rollup, before it counts anything.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Q

from bellwether.common.errors import BellwetherError
from bellwether.common.locks import exclusive
from bellwether.common.progress import NoProgress, Progress
from bellwether.portfolio.changes_forgetting import forget_user
from bellwether.portfolio.models import Contact, SurveyResponse
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.erasure_lake import (
    CountedProperties,
    Erased,
    Substitution,
    count_person,
    erase_events,
    erase_facts,
)
from bellwether.usage.flush import flush
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import rollup_lock
from bellwether.usage.landing import index_of
from bellwether.usage.models import CustomFact, Erasure, ErasureState, EventBatch, PlatformUser, RejectedEvent
from bellwether.usage.spool import alias
from bellwether.usage.workspace import workspace_labels, workspace_lake

PATIENCE_SECONDS = 600.0
RETRY_SECONDS = 0.5
AT_ONCE = 500


class ErasureError(BellwetherError):
    """The erasure cannot be done now, or there is nobody to erase; the text says which."""


@dataclass(frozen=True)
class Found:
    """What there is about a person: events and the parts that hold them, rows of facts and their files, and rows of the
    database (users, linked contacts, answers to surveys, rejected events)."""

    events: int = 0
    parts: int = 0
    fact_rows: int = 0
    fact_files: int = 0
    users: int = 0
    contacts: int = 0
    answers: int = 0
    rejects: int = 0

    @property
    def anything(self) -> bool:
        """Return whether there is anything."""
        return any(asdict(self).values())


def find_person(
    user_key: str, *, user_id: str = "", lake: Lake | None = None, progress: Progress | None = None
) -> Found:
    """Return what the lake and the database hold about `user_key`; what waits in the spool is not looked into.

    With the `user_id` that the key was made of, texts that hold the id itself are found as well.
    """
    seen = count_person(lake or workspace_lake(), user_key, progress=progress or NoProgress())
    return Found(
        **asdict(seen),
        users=PlatformUser.objects.filter(user_key=user_key).count(),
        contacts=Contact.objects.filter(user_key=user_key).count(),
        answers=SurveyResponse.objects.filter(_respondent(user_key, user_id)).count(),
        rejects=len(_rejects(user_key, user_id)),
    )


def erase(
    user_key: str,
    *,
    user_id: str = "",
    reason: str = "",
    actor: StaffUser | None,
    now: datetime,
    lake: Lake | None = None,
    progress: Progress | None = None,
) -> Erasure:
    """Erase the person `user_key` and return the row that says so, with counts and without the key.

    Takes up an erasure of the same person that was cut off. `user_id` is used to find texts that hold it, and not kept.
    Raises ErasureError when nothing is known of the person, when another erasure runs, or when the spool stays full.
    """
    lake, progress = lake or workspace_lake(), progress or NoProgress()
    if any(name and name in reason for name in (user_key, user_id)):
        raise ErasureError("The reason names the person. Leave the id out: the reason is kept.")
    with exclusive("erasure") as alone:
        if not alone:
            raise ErasureError("Another erasure is running. Try again when it is done.")
        _empty_spool(lake, now=now, progress=progress)
        texts = _forget_texts(user_key, user_id)
        waiting = Erasure.objects.filter(state=ErasureState.WAITING, user_key=user_key).first()
        if not (waiting or any(texts.values()) or find_person(user_key, lake=lake, progress=progress).anything):
            raise ErasureError("Nothing is stored about this person. Check the id: it is the one that senders give.")
        erasure = waiting or Erasure.objects.create(
            user_key=user_key,
            replacement=secrets.token_hex(16),
            secret=secrets.token_hex(32),
            reason=reason[:300],
            counts=texts,
            requested_at=now,
            requested_by=actor,
        )
        with rollup_lock(lake, wait_seconds=PATIENCE_SECONDS):
            erasure.refresh_from_db()
            if erasure.state == ErasureState.WAITING:  # else a rollup has finished it meanwhile
                _finish(erasure, lake, now=now, progress=progress)
    return erasure


def finish_erasures(lake: Lake, *, now: datetime, progress: Progress) -> int:
    """Finish the erasures that were cut off and return how many. Only for the process that holds the rollup's lock."""
    waiting = list(Erasure.objects.filter(state=ErasureState.WAITING).order_by("requested_at"))
    for erasure in waiting:
        _finish(erasure, lake, now=now, progress=progress)
    return len(waiting)


def _finish(erasure: Erasure, lake: Lake, *, now: datetime, progress: Progress) -> None:
    person = Substitution(
        user_key=erasure.user_key,
        replacement=erasure.replacement,
        secret=bytes.fromhex(erasure.secret),
        counted=CountedProperties(workspace_labels(), _measured_properties()),
    )

    def note(done: Erased) -> None:
        for name, number in asdict(done).items():
            erasure.counts[name] = erasure.counts.get(name, 0) + number
        erasure.save(update_fields=["counts"])

    _sweep_scratch(lake)
    index = index_of(lake, now.date())
    erase_events(lake, person, index=index, now=now, progress=progress, note=note)
    note(erase_facts(lake, person, progress=progress))
    with _wiped(), transaction.atomic():
        counts = {
            "users": PlatformUser.objects.filter(user_key=person.user_key).update(user_key=person.replacement),
            "contacts": Contact.objects.filter(user_key=person.user_key).update(user_key=""),
            "answers": SurveyResponse.objects.filter(respondent=person.user_key).update(respondent=person.replacement),
        }
        forget_user(person.user_key, replacement=person.replacement)
        for name, number in counts.items():
            erasure.counts[name] = erasure.counts.get(name, 0) + number
        erasure.user_key, erasure.secret = "", ""
        erasure.state, erasure.completed_at = ErasureState.DONE, now
        erasure.save()
        record(
            actor=erasure.requested_by,
            action="person.erase",
            object_type="erasure",
            object_id=erasure.pk,
            detail={**erasure.counts, "reason": erasure.reason},
            now=now,
        )


def _empty_spool(lake: Lake, *, now: datetime, progress: Progress) -> None:
    """Bring everything to the lake that was accepted before `now`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while EventBatch.objects.filter(received_at__lte=now).exists():
        done = flush(lake=lake, zone=settings.BELLWETHER_WORKSPACE_ZONE, now=now, progress=progress)
        if not done.batches:  # another process is at it
            if time.monotonic() >= deadline:
                raise ErasureError("Events of before still wait to be flushed. Try again when the flush has ended.")
            time.sleep(RETRY_SECONDS)


def _forget_texts(user_key: str, user_id: str) -> dict[str, int]:
    """Replace what holds the id or the key as a text; return counts."""
    rejects = _rejects(user_key, user_id)
    for start in range(0, len(rejects), AT_ONCE):
        RejectedEvent.objects.filter(pk__in=rejects[start : start + AT_ONCE]).update(sample={}, message_id="")
    answers = SurveyResponse.objects.filter(respondent=user_id) if user_id else SurveyResponse.objects.none()
    return {"rejects": len(rejects), "answers": answers.update(respondent=secrets.token_hex(16))}


def _respondent(user_key: str, user_id: str) -> Q:
    return Q(respondent__in=[name for name in (user_key, user_id) if name])


def _rejects(user_key: str, user_id: str) -> list[int]:
    """Return the rejects whose sample or message id holds the id or the key."""
    names = [name for name in (user_key, user_id) if name]
    rows = RejectedEvent.objects.values_list("pk", "message_id", "sample").iterator(chunk_size=AT_ONCE)
    return [pk for pk, message_id, sample in rows if any(name in message_id or _holds(sample, name) for name in names)]


def _holds(value: Any, name: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(part, name) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_holds(part, name) for part in value)
    return name in str(value)


def _measured_properties() -> frozenset[str]:
    """Return the properties that custom measures count."""
    names: set[str] = set()
    for spec in CustomFact.objects.exclude(spec={}).values_list("spec", flat=True):
        names |= {spec["attribute"], *(condition["attribute"] for condition in spec["where"])} - {""}
    return frozenset(names)


def _sweep_scratch(lake: Lake) -> None:
    """Remove the local files of rollups that were killed. Where several machines share the folder, and one cannot say
    whether another's process lives, the rollup removes them itself after an hour."""
    if connections[DEFAULT_DB_ALIAS].vendor != "sqlite":
        return
    for folder in (lake.folder / ".spill").glob("*-*"):
        try:
            os.kill(int(folder.name.rpartition("-")[2]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, OSError):
            continue


@contextmanager
def _wiped() -> Iterator[None]:
    """With SQLite, leave nothing of what the block replaces in the free parts of its files."""
    files = [connections[name] for name in {DEFAULT_DB_ALIAS, alias()} if connections[name].vendor == "sqlite"]
    for connection in files:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
    yield
    for connection in files:
        if connection.in_atomic_block:
            continue
        with connection.cursor() as cursor:
            if connection.alias != DEFAULT_DB_ALIAS:
                cursor.execute("VACUUM")  # the spool is nearly empty: its free pages hold what was flushed
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
