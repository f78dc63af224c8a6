"""Takes large changes back, such as imports: some hundred records at a time, with few queries for each block.

Every block is a transaction of its own. Doing it again, also after being cut off, changes nothing that is back already.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from auditlog.context import disable_auditlog
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError

from bellwether.common.progress import Progress
from bellwether.portfolio.changes import REFRESHES, Values, derived
from bellwether.portfolio.importing.recorder import snapshots
from bellwether.portfolio.models import Change, ChangeEntry

BLOCK = 500
TRIES = 3
LEFT_KEPT = 500
COMPUTED = frozenset(
    {
        "health.healthscore",
        "health.scoreasseen",
        "health.measurevalue",
        "benchmarks.clientmetrics",
        "milestones.milestone",
        "milestones.milestoneprogress",
        "churn.churnprediction",
    }
)
"""What the product makes of clients by itself: it goes with a client that goes."""
NOTES = frozenset({"portfolio.changeentry", "alerts.alert"})
"""What only remembers records or was found in them: no reason to keep one; it goes when they go."""


@dataclass
class TakenBack:
    """Records put back, and why others were left as they are: the first reasons, and how many in all."""

    restored: int = 0
    left: list[str] = field(default_factory=list)
    left_count: int = 0

    def add(self, other: "TakenBack") -> None:
        """Add what was done elsewhere."""
        self.restored += other.restored
        self.left_count += other.left_count
        self.left += other.left[: LEFT_KEPT - len(self.left)]

    def leave(self, reason: str) -> None:
        """Remember that a record was left alone."""
        self.left_count += 1
        if len(self.left) < LEFT_KEPT:
            self.left.append(reason)


def take_back(change: Change, *, today: date, now: datetime, progress: Progress) -> TakenBack:
    """Put the records of `change` back, the last one first, and return what was done.

    What somebody changed since and what other records refer to is left as it is and told. The change itself is not
    marked as undone: that is the caller's last step.
    """
    done = TakenBack()
    ids = list(change.entries.order_by("-id").values_list("pk", flat=True))
    clients: dict[str, set[UUID]] = defaultdict(set)
    progress.start("Taking back", len(ids))
    for start in range(0, len(ids), BLOCK):
        part = ids[start : start + BLOCK]
        done.add(_block_taken_back(part, clients, now))
        progress.advance(len(part))
    # Only now: in between, clients would get columns that earlier entries do not know.
    with transaction.atomic(), disable_auditlog():
        for label, touched in clients.items():
            if label in REFRESHES:
                REFRESHES[label](sorted(touched), today, now)
    return done


def _block_taken_back(ids: Sequence[int], clients: dict[str, set[UUID]], now: datetime) -> TakenBack:
    """Take some entries back in one transaction; once more where somebody wrote about the same clients meanwhile."""
    for tries_left in reversed(range(TRIES)):
        done = TakenBack()
        try:
            with transaction.atomic(), disable_auditlog():
                entries = list(ChangeEntry.objects.filter(pk__in=ids).order_by("-id"))
                _Block(entries, done, clients, now).run()
        except (ProtectedError, IntegrityError):
            if not tries_left:
                raise
        else:
            break
    return done


class _Block:
    """Some entries of a change, last first, with the records they are about as these are now."""

    def __init__(
        self, entries: Sequence[ChangeEntry], done: TakenBack, clients: dict[str, set[UUID]], now: datetime
    ) -> None:
        self.entries, self.done, self.clients, self.now = entries, done, clients, now
        self.records: dict[tuple[str, str], Any] = {}
        self.current: dict[tuple[str, str], Values] = {}
        self.changed: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.removed: dict[str, list[ChangeEntry]] = defaultdict(list)

    def run(self) -> None:
        """Take the entries back in the open transaction."""
        self._load()
        for entry in self.entries:
            self._decide(entry)
        for label, pks in self.changed.items():
            self._write(label, pks)
        for label, entries in self.removed.items():
            self._remove(label, entries)

    def _load(self) -> None:
        wanted: dict[str, set[str]] = defaultdict(set)
        for entry in self.entries:
            wanted[entry.model].add(entry.object_id)
        for label, pks in wanted.items():
            model: Any = apps.get_model(label)
            found = list(model._default_manager.filter(pk__in=pks).select_for_update())
            for record, values in zip(found, snapshots(found), strict=True):
                self.records[label, str(record.pk)] = record
                self.current[label, str(record.pk)] = values
        self._load_sets()

    def _load_sets(self) -> None:
        """Add the many-to-many sets that the entries speak of to the current values."""
        sets: dict[tuple[str, str], set[str]] = defaultdict(set)
        for entry in self.entries:
            model = apps.get_model(entry.model)
            for name in {*(entry.before or {}), *(entry.after or {})}:
                if model._meta.get_field(name).many_to_many and (entry.model, entry.object_id) in self.current:
                    sets[entry.model, name].add(entry.object_id)
        for (label, name), pks in sets.items():
            found: dict[str, list[Any]] = defaultdict(list)
            manager: Any = apps.get_model(label)._default_manager
            pairs = manager.filter(pk__in=pks, **{f"{name}__isnull": False}).order_by().values_list("pk", name)
            for pk, partner in pairs:
                found[str(pk)].append(str(partner) if isinstance(partner, UUID) else partner)
            for pk in pks:
                self.current[label, pk][name] = sorted(found[pk])

    def _decide(self, entry: ChangeEntry) -> None:
        key = (entry.model, entry.object_id)
        record = self.records.get(key)
        if record is None:
            if entry.before is None:
                self.done.restored += 1
                self._touch(entry)
            else:
                self.done.leave("A record that was changed is no longer there.")
            return
        current = self.current[key]
        after, before = entry.after or {}, entry.before
        differs = [n for n, value in after.items() if current.get(n) != value and not derived(entry.model, n)]
        if before is not None and all(current.get(n) == value for n, value in before.items()):
            self.done.restored += 1
        elif differs:
            self.done.leave(f"{record} was changed since ({', '.join(sorted(differs)[:4])}).")
        elif before is None:
            self.removed[entry.model].append(entry)
        else:
            current.update(before)
            self.changed[entry.model][entry.object_id].update(before)
            self.done.restored += 1
            self._touch(entry)

    def _touch(self, entry: ChangeEntry) -> None:
        if entry.client_id is not None:
            self.clients[entry.model].add(entry.client_id)

    def _write(self, label: str, pks: dict[str, set[str]]) -> None:
        model: Any = apps.get_model(label)
        columns: set[str] = set()
        for pk, names in pks.items():
            record, values = self.records[label, pk], self.current[label, pk]
            for name in names:
                column = model._meta.get_field(name)
                if column.many_to_many:
                    getattr(record, name).set(values[name])
                    continue
                setattr(record, column.attname, _typed(column, values[name]))
                columns.add(name)
            if hasattr(record, "updated_at"):
                record.updated_at = self.now
        if columns:
            kept = {"updated_at"} if any(f.name == "updated_at" for f in model._meta.concrete_fields) else set()
            records = [self.records[label, pk] for pk in pks]
            model._default_manager.bulk_update(records, sorted(columns | kept), batch_size=BLOCK)

    def _remove(self, label: str, entries: Sequence[ChangeEntry]) -> None:
        model: Any = apps.get_model(label)
        pks = {self.records[label, entry.object_id].pk for entry in entries}
        held = _held(model, pks)
        free = []
        for entry in entries:
            record = self.records[label, entry.object_id]
            if record.pk in held:
                self.done.leave(f"{record} stays because of {held[record.pk]}.")
            else:
                free.append(record.pk)
                self.done.restored += 1
                self._touch(entry)
        _remove_computed(model, free, self.now)
        model._default_manager.filter(pk__in=free).delete()


def _typed(column: Any, value: Any) -> Any:
    target = column.target_field if column.is_relation else column
    return target.to_python(value) if value is not None else None


def _held(model: Any, pks: Iterable[Any]) -> dict[Any, str]:
    """Return which of the records others refer to, with these in words ("3 support tickets")."""
    uses: dict[Any, list[str]] = defaultdict(list)
    for relation in model._meta.related_objects:
        other = relation.related_model
        if other._meta.label_lower in COMPUTED | NOTES:
            continue
        name = relation.field.name
        manager: Any = other._default_manager
        counted = manager.filter(**{f"{name}__in": list(pks)}).order_by().values(name).annotate(uses=models.Count("pk"))
        for row in counted:
            words = other._meta.verbose_name if row["uses"] == 1 else other._meta.verbose_name_plural
            uses[row[name]].append(f"{row['uses']} {words}")
    return {pk: " and ".join(sorted(words)) for pk, words in uses.items()}


def _remove_computed(model: Any, pks: Sequence[Any], now: datetime) -> None:
    for relation in model._meta.get_fields(include_hidden=True):
        other = getattr(relation, "related_model", None)
        if relation.auto_created and other is not None and other._meta.label_lower in COMPUTED:
            manager: Any = other._default_manager
            rows = manager.filter(**{f"{relation.field.name}__in": pks})
            if hasattr(rows, "erase"):
                rows.erase(reason="The client was taken back.", now=now)
            else:
                rows._raw_delete(rows.db)
