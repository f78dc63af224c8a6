"""Changes that can be undone: what staff do to records is kept with the values before, and taken back whole or not at
all.

    with changing(user, kind="contact.changed", summary="Mara Lindqvist changed", today=today, now=now) as work:
        work.make(contact)  # a new record
        work.keep(other)
        other.title = "CFO"
        work.save(other)
        work.remove(ticket)

Scope is the caller's matter: it passes records of clients that the user may see. `undo` checks it again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core import serializers
from django.db import models, transaction
from django.db.models import ProtectedError
from django.shortcuts import get_object_or_404

from bellwether.common.errors import ConflictError
from bellwether.portfolio.importing.effects import refresh_contracts, refresh_last_contacts
from bellwether.portfolio.models import Change, ChangeEntry, Client
from bellwether.portfolio.telling import tell_entries
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

UNDO_FOR = timedelta(days=7)
BATCH = 500
# Not what somebody changed: kept by the product itself.
CREATED = "created_at"
NEVER = frozenset({CREATED, "updated_at"})

Values = dict[str, Any]
Refresh = Callable[[Sequence[UUID], date, datetime], None]
REFRESHES: dict[str, Refresh] = {
    "portfolio.activity": lambda ids, today, now: refresh_last_contacts(ids, now=now),
    "portfolio.contractperiod": lambda ids, today, now: refresh_contracts(ids, today=today, now=now),
}
"""What brings clients' own columns in step after records of a model changed, by the model's label."""


def snapshot(record: models.Model) -> Values:
    """Return the values of a saved record as JSON knows them, many-to-many ids sorted; times by themselves left out."""
    text = serializers.serialize("json", [record])
    values: Values = json.loads(text)[0]["fields"]
    return {name: _as_stored(record, name, value) for name, value in values.items() if name not in NEVER}


def _as_stored(record: models.Model, name: str, value: Any) -> Any:
    """Return a value as the database gives it back: sets sorted, decimals with all of their places."""
    kind = record._meta.get_field(name)
    if kind.many_to_many:
        return sorted(value)
    if isinstance(kind, models.DecimalField) and value is not None:
        return str(Decimal(value).quantize(Decimal(1).scaleb(-kind.decimal_places)))
    return value


@dataclass
class Changing:
    """The change in hand. Records are written through it; `entries` become rows when it ends.

    `change` is what was stored, once the block has ended; None where nothing changed.
    """

    actor: StaffUser | None
    change: Change | None = None
    entries: list[ChangeEntry] = field(default_factory=list)
    clients: dict[str, set[UUID]] = field(default_factory=dict)
    _before: dict[tuple[str, str], Values] = field(default_factory=dict)

    def keep(self, record: models.Model) -> None:
        """Note the values of a record before they change; call it after locking, before changing."""
        self._before[_key(record)] = snapshot(record)

    def make(self, record: models.Model, many: Mapping[str, Iterable[Any]] | None = None) -> None:
        """Store a new record, then its many-to-many sets `many`, by name."""
        record.save(force_insert=True)
        self._set(record, many)
        self._note(record, None, snapshot(record))

    def save(self, record: models.Model, many: Mapping[str, Iterable[Any]] | None = None) -> list[str]:
        """Store a record noted with `keep` and return the names of the fields that changed; none changed: no entry."""
        before = self._before.pop(_key(record))
        record.save()
        self._set(record, many)
        after = snapshot(record)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            self._note(record, {n: before[n] for n in changed}, {n: after[n] for n in changed})
        return changed

    def remove(self, record: models.Model) -> None:
        """Delete a record for which no archive exists; its values stay with the change, and since when it was known."""
        before = snapshot(record)
        made = getattr(record, CREATED, None)
        if made is not None:
            before[CREATED] = made.isoformat()
        self._note(record, before, None)
        record.delete()

    def note(self, record: models.Model, before: Values | None, after: Values | None) -> None:
        """Add what a bulk write did to one record: values as `snapshot` gives them, of the changed fields alone."""
        self._note(record, before, after)

    def _note(self, record: models.Model, before: Values | None, after: Values | None) -> None:
        label, pk = _key(record)
        client_id = record.pk if isinstance(record, Client) else getattr(record, "client_id", None)
        if client_id is not None:
            self.clients.setdefault(label, set()).add(client_id)
        self.entries.append(ChangeEntry(client_id=client_id, model=label, object_id=pk, before=before, after=after))

    def _set(self, record: models.Model, many: Mapping[str, Iterable[Any]] | None) -> None:
        for name, values in (many or {}).items():
            getattr(record, name).set(values)


@contextmanager
def changing(actor: StaffUser | None, *, kind: str, summary: str, today: date, now: datetime) -> Iterator[Changing]:
    """Write records in one transaction with what is needed to undo it, a line in the access log, and the columns that
    follow from them.

    `kind` is the verb of the access log ("contact.changed"), `summary` what the reader is told. Nothing is stored or
    logged when nothing changed.
    """
    with transaction.atomic():
        work = Changing(actor)
        yield work
        if not work.entries:
            return
        change = Change.objects.create(made_by=actor, made_at=now, kind=kind[:60], summary=summary[:300])
        for entry in work.entries:
            entry.change = change
        ChangeEntry.objects.bulk_create(work.entries, batch_size=BATCH)
        _refresh(work.clients, today, now)
        work.change = change
        tell_entries(work.entries, now=now)
        _log(actor, kind, change, work.entries, now)


def _refresh(clients: Mapping[str, set[UUID]], today: date, now: datetime) -> None:
    for label, ids in clients.items():
        if label in REFRESHES:
            REFRESHES[label](sorted(ids), today, now)


def _log(actor: StaffUser | None, kind: str, change: Change, entries: Sequence[ChangeEntry], now: datetime) -> None:
    clients = {entry.client_id for entry in entries}
    first = entries[0]
    detail: Values = {"change": str(change.pk), "count": len(entries)}
    if len(entries) == 1:
        detail["fields"] = sorted((first.after or first.before or {}).keys())
    audit.record(
        actor=actor,
        action=kind,
        object_type=first.model.partition(".")[2],
        object_id=first.object_id if len(entries) == 1 else "",
        client_id=clients.pop() if len(clients) == 1 else None,
        detail=detail,
        now=now,
    )


PutBack = Callable[[Sequence[ChangeEntry], datetime, bool], tuple[list[ChangeEntry], list[str]]]
TOGETHER: dict[str, PutBack] = {}
"""What takes all entries of a change back in few queries, by the kind of the change. Given the entries and whether a
part is enough, it returns those put back and why others were not; without leave for a part it writes all or nothing."""


AfterUndo = Callable[[Sequence[ChangeEntry], StaffUser, datetime], None]
TAKEN_BACK: dict[str, AfterUndo] = {}
"""What is done, in the same transaction, after records of a model were put back, by the model's label."""


@dataclass(frozen=True)
class Undone:
    """What `undo` did: records put back, and a sentence about each one that was left alone."""

    change: Change
    restored: int
    left: tuple[str, ...] = ()


def undoable(change: Change, user: StaffUser, now: datetime) -> bool:
    """Return whether `user` may still take the change back: it is the own one, not undone, not older than a week."""
    return change.made_by_id == user.pk and change.undone_at is None and now - change.made_at <= UNDO_FOR


def undo(
    user: StaffUser, change_id: UUID, *, today: date, now: datetime, partial: bool = False, seen: bool = True
) -> Undone:
    """Take a change of `user` back and return what was done. Nothing happens twice: undone is a ConflictError.

    A record that somebody changed since is a ConflictError and nothing is undone; with `partial` such records are left
    as they are and told. Http404 for another's change, or, while `seen` is asked for, one about a client that the user
    no longer sees.
    """
    with transaction.atomic():
        change: Change = get_object_or_404(Change.objects.select_for_update(), pk=change_id, made_by=user)
        if change.undone_at is not None:
            raise ConflictError("This was undone already.")
        if now - change.made_at > UNDO_FOR:
            raise ConflictError("This is more than a week old and can no longer be undone. Change it by hand.")
        entries = list(change.entries.all())
        if seen:
            _check_seen(user, entries)
        left: list[str] = []
        restored: list[ChangeEntry] = []
        if change.kind in TOGETHER:
            restored, left = TOGETHER[change.kind](entries, now, partial)
            if left and not partial:
                raise ConflictError(left[0])
            entries = []
        for entry in reversed(entries):
            reason = _put_back(entry, now)
            if not reason:
                restored.append(entry)
            elif partial:
                left.append(reason)
            else:
                raise ConflictError(reason)
        change.undone_at, change.undone_by = now, user
        change.save(update_fields=["undone_at", "undone_by"])
        clients: dict[str, set[UUID]] = {}
        for entry in restored:
            if entry.client_id is not None:
                clients.setdefault(entry.model, set()).add(entry.client_id)
        _refresh(clients, today, now)
        for label, after in TAKEN_BACK.items():
            if ours := [entry for entry in restored if entry.model == label]:
                after(ours, user, now)
        tell_entries(restored, now=now, undone=True)
        if restored:
            _log(user, "change.undone", change, restored, now)
    return Undone(change, len(restored), tuple(left))


def _check_seen(user: StaffUser, entries: Sequence[ChangeEntry]) -> None:
    wanted = {entry.client_id for entry in entries if entry.client_id is not None}
    seen = set(Client.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True))
    if wanted - seen:
        get_object_or_404(Client.objects.none(), pk=None)


def _put_back(entry: ChangeEntry, now: datetime) -> str:
    """Put one record back; return why not, empty when done."""
    model: Any = apps.get_model(entry.model)
    record = model._default_manager.filter(pk=entry.object_id).select_for_update().first()
    if entry.after is None:
        return _recreate(model, entry) if record is None else f"{record} is there again."
    if record is None:
        return "" if entry.before is None else "A record that was changed is no longer there."
    current = snapshot(record)
    if any(current[name] != value for name, value in entry.after.items() if not derived(entry.model, name)):
        return f"{record} was changed since. Undo that first, or change it by hand."
    if entry.before is not None:
        _write(model, entry, {**current, **entry.before})
        return ""
    return _unmake(record, now)


# Columns of records that the product brings in step by itself: a new value there is nobody's edit.
FOLLOWING = {
    "portfolio.contact": {"last_csm_contact", "last_platform_login", "engagement_status"},
    "portfolio.client": {
        "last_csm_contact_at",
        "last_activity_at",
        "scored_on",
        "churn_risk_score",
        "churn_low",
        "churn_high",
        "churn_category",
        "churn_is_band",
        "churn_change",
        "churn_reason",
        "churn_predicted_on",
        "current_health_score",
    },
}


def derived(label: str, name: str) -> bool:
    """Return whether the product keeps a column by itself, so that a new value there is nobody's edit."""
    return name in FOLLOWING.get(label, ()) or (label == "portfolio.client" and name.startswith("health_"))


def _unmake(record: models.Model, now: datetime) -> str:
    name = str(record)
    try:
        with transaction.atomic():
            record.delete()
    except ProtectedError:
        if not hasattr(record, "archived_at"):
            return f"{name} is used by other records by now."
        record.archived_at = now
        record.save()
    return ""


def _recreate(model: Any, entry: ChangeEntry) -> str:
    """Store a removed record again. It is known since it was first stored, which replays of past scores ask."""
    before = entry.before or {}
    _write(model, entry, before)
    if CREATED in before:
        known_since = datetime.fromisoformat(before[CREATED])
        model._default_manager.filter(pk=entry.object_id).update(**{CREATED: known_since})
    return ""


def _write(model: Any, entry: ChangeEntry, values: Values) -> None:
    """Store a whole record. Values in the serialised form go through Django's own reader, so that types come back."""
    stored = [{"model": entry.model, "pk": entry.object_id, "fields": values}]
    for loaded in serializers.deserialize("python", stored):
        record: Any = loaded.object
        exists = model._default_manager.filter(pk=entry.object_id).first()
        if exists is not None:
            for one in model._meta.concrete_fields:
                if one.name in values:
                    setattr(exists, one.attname, getattr(record, one.attname))
            exists.save()
            record = exists
        else:
            record.save(force_insert=True)
        for name, ids in (loaded.m2m_data or {}).items():
            getattr(record, name).set(ids)


def _key(record: models.Model) -> tuple[str, str]:
    return record._meta.label_lower, str(record.pk)
