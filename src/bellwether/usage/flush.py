"""The flush: what the spool holds goes to the lake, and only what is safely there is deleted (docs/adr/0003).

    claim batches -> land their events as one part -> assign earlier events -> mark the days -> remember the users
    -> keep the rejects -> count what each source sent -> delete batches and claim in one transaction

Every step may be done again. The claim, kept beside the spool, fixes which batches make up which part, so a
killed flush is repeated with the same events under the same name.
"""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from django.db import transaction
from django.db.models import F, Q

from bellwether.common.locks import exclusive
from bellwether.common.progress import NoProgress, Progress
from bellwether.usage.dirty import mark_facts
from bellwether.usage.identity import assign_earlier_events, remember_users, resolved
from bellwether.usage.ids import RecentIds
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import landing_lock
from bellwether.usage.landing import index_of, land
from bellwether.usage.models import EventBatch, FlushClaim, RejectedEvent, WriteKey
from bellwether.usage.source_days import count_flush, landed_rows
from bellwether.usage.source_tally import tally
from bellwether.usage.spool import alias
from bellwether.usage.spool_format import Batch, Reject, to_frame, unpack

log = logging.getLogger(__name__)

EVENTS_PER_PART = 250_000
BATCHES_PER_PART = 5_000
PARTS_PER_FLUSH = 40
IDS_PER_QUERY = 500
KEPT_REJECTS = 20_000

Loaded = tuple[datetime, str, Batch]


@dataclass(frozen=True)
class Flushed:
    """What a flush did: batches taken, events new in the lake, duplicates dropped, rejects kept, days that changed."""

    batches: int = 0
    events: int = 0
    duplicates: int = 0
    rejected: int = 0
    dates: frozenset[date] = frozenset()

    def __add__(self, other: "Flushed") -> "Flushed":
        return Flushed(
            self.batches + other.batches,
            self.events + other.events,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            self.dates | other.dates,
        )


def flush(*, lake: Lake, zone: ZoneInfo, now: datetime, progress: Progress | None = None) -> Flushed:
    """Bring what the spool holds at `now` into the `lake`, days being those of `zone`, and return what was done.

    Returns at once when another process is flushing. Takes at most 40 parts of 250,000 events, so that it ends.
    """
    progress = progress or NoProgress()
    done = Flushed()
    with exclusive("flush") as alone:
        if not alone or not EventBatch.objects.exists():
            return done
        index = index_of(lake, now.astimezone(UTC).date())
        progress.start("Flushing events to the lake", None)
        for _ in range(PARTS_PER_FLUSH):
            claim = FlushClaim.objects.order_by("id").first() or _claim(now)
            if claim is None:
                break
            finished = _finish(claim, lake=lake, index=index, zone=zone, now=now)
            progress.advance(finished.batches)
            done += finished
        with landing_lock(lake):
            index.tidy()
        if done.rejected:
            _forget_old_rejects()
    return done


def _claim(now: datetime) -> FlushClaim | None:
    """Note durably which waiting batches, oldest first, become the next part; None when nothing waits."""
    ids: list[int] = []
    events = 0
    for batch_id, count in EventBatch.objects.order_by("id").values_list("id", "event_count")[:BATCHES_PER_PART]:
        if ids and events + count > EVENTS_PER_PART:
            break
        ids.append(batch_id)
        events += count
    if not ids:
        return None
    part = f"flush-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"
    return FlushClaim.objects.create(part=part, batch_ids=ids, claimed_at=now)


def _finish(claim: FlushClaim, *, lake: Lake, index: RecentIds, zone: ZoneInfo, now: datetime) -> Flushed:
    batches = _load(claim, lake)
    arrived = to_frame(batches)
    new, duplicates, dates = 0, 0, set[date]()
    events, fresh = arrived, None
    if arrived.height:
        events = resolved(arrived)
        landable = events.with_columns(pl.col("role").replace("", None))
        landed = land(landable.to_arrow(), lake=lake, part=claim.part, index=index, zone=zone, check_lake=False)
        fresh = landed_rows(events, landed, lake=lake, part=claim.part, index=index)
        with landing_lock(lake):
            earlier = assign_earlier_events(events, lake=lake, zone=zone)
        new, duplicates, dates = landed.new_rows, landed.duplicates, {*landed.dates, *earlier}
        mark_facts(dates, now=now)
        remember_users(events)
    rejected = _keep_rejects(batches, claim.part)
    requests = [(at, source, len(batch.rejects)) for at, source, batch in batches]
    count_flush(claim.part, tally(events, fresh, requests, zone=zone))
    _note_use(batches)
    _release(claim)
    return Flushed(len(batches), new, duplicates, rejected, frozenset(dates))


def _load(claim: FlushClaim, lake: Lake) -> list[Loaded]:
    """Return the claimed batches in the order of their ids. One that cannot be read is put aside as a file, said in the
    log and among the rejects; the rest goes on."""
    loaded: list[Loaded] = []
    for ids in _chunks(claim.batch_ids):
        for row in EventBatch.objects.filter(id__in=ids).order_by("id"):
            try:
                batch = unpack(bytes(row.payload))
            except msgspec.DecodeError:
                path = _put_aside(row, lake)
                log.error(
                    "Batch %s of %s (%s events) cannot be read; kept in %s", row.pk, row.source, row.event_count, path
                )
                batch = Batch([], [Reject("", "spool: the stored batch cannot be read", {"file": path.name})])
            loaded.append((row.received_at, row.source, batch))
    return loaded


def _put_aside(row: EventBatch, lake: Lake) -> Path:
    path = lake.folder / "unreadable" / f"batch-{row.pk}-{row.received_at:%Y%m%dT%H%M%S%f}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(row.payload))
    return path


def _keep_rejects(batches: list[Loaded], part: str) -> int:
    """Store the rejects, each under the name of the part and its number, so that a repetition adds none."""
    rejects = [(at, source, reject) for at, source, batch in batches for reject in batch.rejects]
    RejectedEvent.objects.bulk_create(
        [
            RejectedEvent(
                origin=f"{part}:{number}",
                received_at=at,
                source=source,
                message_id=reject.message_id,
                reason=reject.reason[:300],
                sample=reject.sample,
            )
            for number, (at, source, reject) in enumerate(rejects)
        ],
        ignore_conflicts=True,
        batch_size=IDS_PER_QUERY,
    )
    return len(rejects)


def _forget_old_rejects() -> None:
    """Keep the newest 20,000 rejects: a sender that is wrong all day must not fill the disk."""
    oldest_kept = RejectedEvent.objects.order_by("-id").values_list("id", flat=True)[KEPT_REJECTS:][:1].first()
    if oldest_kept is not None:
        RejectedEvent.objects.filter(id__lte=oldest_kept).delete()


def _note_use(batches: list[Loaded]) -> None:
    """Note when each write key was last used, and by which library."""
    used: dict[str, tuple[datetime, str]] = {}
    for at, source, batch in batches:
        used[source] = (at, batch.library or used.get(source, (at, ""))[1])
    for source, (at, library) in used.items():
        keys = WriteKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=at), source=source)
        keys.update(last_used_at=at, last_library=library or F("last_library"))


def _release(claim: FlushClaim) -> None:
    with transaction.atomic(using=alias()):
        for ids in _chunks(claim.batch_ids):
            EventBatch.objects.filter(id__in=ids).delete()
        claim.delete()


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    return (ids[start : start + IDS_PER_QUERY] for start in range(0, len(ids), IDS_PER_QUERY))
