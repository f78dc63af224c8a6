"""The access log: who read or changed what, in rows that are only ever added and that a hash chains together.

`record` appends, `verify` proves that nothing was changed, removed, inserted or moved since.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, router, transaction
from django.db.models import Max

from bellwether.common.errors import BellwetherError
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.text import storable_text
from bellwether.staff import append_only
from bellwether.staff.chain import GENESIS, Link, link_hash, storable
from bellwether.staff.models import AuditEvent, AuditHead, StaffUser

SYSTEM = "system"
ADVISORY_LOCK = 0x62656C6C  # any number that nothing else in the database locks
BATCH = 5_000
MOST_FINDINGS = 50
# The head moves with every append and is read with every append: written out, because the ORM would take half the time.
_FIRST_HEAD = "INSERT INTO staff_audithead (id, seq, hash) VALUES (1, %s, %s)"
_MOVE_HEAD = "UPDATE staff_audithead SET seq = %s, hash = %s WHERE id = 1"


def record(
    *,
    actor: StaffUser | None,
    action: str,
    object_type: str = "",
    object_id: object = "",
    client_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
    now: datetime,
) -> AuditEvent:
    """Append one row to the access log and return it.

    `actor` None means the product itself. `action` is a verb with its object, such as "client.read"; a list is one row
    with its count in `detail`. Inside a transaction the row commits with it: call this last there, because other
    appends wait until that transaction ends.
    """
    alias = router.db_for_write(AuditEvent) or "default"
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        if connections[alias].vendor == "postgresql":
            # SQLite begins every transaction with BEGIN IMMEDIATE (config.settings), which is this lock already.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute("SELECT seq, hash FROM staff_audithead WHERE id = 1")
        last_seq, last_hash = cursor.fetchone() or (0, GENESIS)
        link = Link(
            seq=last_seq + 1,
            at=now,
            actor_id=actor.pk if actor else None,
            actor=storable_text(actor.email if actor else SYSTEM, 200),
            action=storable_text(action, 60),
            object_type=storable_text(object_type, 40),
            object_id=storable_text(str(object_id), 64),
            client_id=client_id,
            detail=storable(detail or {}),
            previous_hash=last_hash,
        )
        event = AuditEvent(**vars(link), hash=link_hash(link))
        event.save(using=alias, force_insert=True)
        cursor.execute(_MOVE_HEAD if last_seq else _FIRST_HEAD, [event.seq, event.hash])
    return event


@dataclass(frozen=True)
class Finding:
    """One thing wrong with the log: the row it shows at (None: the log as a whole) and a sentence."""

    seq: int | None
    message: str


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `head` is "seq:hash" of the last row, to be noted where nobody can change it."""

    rows: int
    head: str
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether every row is as it was written."""
        return not self.findings


def verify(*, progress: Progress | None = None, known_head: str | None = None) -> Verification:
    """Walk the whole chain in batches and return what is wrong with it; at most MOST_FINDINGS findings.

    `known_head` is a "seq:hash" noted earlier, kept outside the database: a log that was rewritten as a whole is
    consistent in itself and only differs from that. Rows appended meanwhile are left for the next time.
    """
    progress = progress or NoProgress()
    newest = AuditEvent.objects.aggregate(newest=Max("seq"))["newest"] or 0
    head = AuditHead.objects.first() or AuditHead(seq=0, hash=GENESIS)
    progress.start("Verifying the access log", head.seq)
    findings: list[Finding] = []
    rows, last_seq, last_hash = 0, 0, GENESIS
    known_seq, known_hash = _parse_head(known_head)
    for event in _events():
        if event.seq > max(head.seq, newest):
            break
        if len(findings) < MOST_FINDINGS:
            findings += _check(event, last_seq, last_hash)
        if event.seq == known_seq and event.hash != known_hash:
            findings.append(Finding(event.seq, f"row {event.seq} is not the one noted as head {known_head}"))
        rows, last_seq, last_hash = rows + 1, event.seq, event.hash
        progress.advance()
    findings += _check_head(head, last_seq, last_hash, known_seq)
    for trigger in sorted(append_only.missing(connections[router.db_for_write(AuditEvent) or "default"])):
        findings.append(Finding(None, f"the trigger {trigger} is missing, so rows could be changed"))
    return Verification(rows=rows, head=f"{last_seq}:{last_hash}", findings=tuple(findings[: MOST_FINDINGS + 10]))


def _events() -> Iterator[AuditEvent]:
    """Return every row in order, fetched in batches by key so that no cursor stays open."""
    last: int | None = None
    while True:
        rows = AuditEvent.objects.order_by("seq")
        batch = list((rows if last is None else rows.filter(seq__gt=last))[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1].seq


def _check(event: AuditEvent, last_seq: int, last_hash: str) -> list[Finding]:
    """Return what is wrong with `event`, given the row before it."""
    findings = []
    if event.seq < 1:
        findings.append(Finding(event.seq, f"row {event.seq} was inserted before the beginning"))
    elif event.seq != last_seq + 1:
        gone = f"row {last_seq + 1} is" if event.seq == last_seq + 2 else f"rows {last_seq + 1} to {event.seq - 1} are"
        findings.append(Finding(event.seq, f"{gone} missing"))
    elif event.previous_hash != last_hash:
        other = AuditEvent.objects.filter(hash=event.previous_hash).exclude(pk=event.seq).first()
        reason = f"it belongs after row {other.seq}" if other else "the row before it was replaced, or it was inserted"
        findings.append(Finding(event.seq, f"row {event.seq} does not continue row {last_seq}: {reason}"))
    if link_hash(event) != event.hash:
        findings.append(Finding(event.seq, f"row {event.seq} was changed: its content does not give its hash"))
    return findings


def _check_head(head: AuditHead, last_seq: int, last_hash: str, known_seq: int) -> list[Finding]:
    """Return what is wrong with the end of the log."""
    if last_seq < head.seq:
        return [Finding(None, f"rows after {last_seq} are missing: the log once reached row {head.seq}")]
    if last_seq > head.seq:
        return [Finding(last_seq, f"rows after {head.seq} were inserted: the log never wrote them")]
    if last_hash != head.hash:
        return [Finding(last_seq, f"row {last_seq} was replaced: its hash is not the one last written")]
    if known_seq > last_seq:
        return [Finding(None, f"rows after {last_seq} are missing: row {known_seq} was noted as head")]
    return []


class BadHeadError(BellwetherError):
    """The noted head is not of the form seq:hash."""


def _parse_head(text: str | None) -> tuple[int, str]:
    if text is None:
        return 0, ""
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or len(digest) != 64:
        raise BadHeadError(f"{text!r} is no head; give it as the last verification printed it, seq:hash.")
    return int(seq), digest
