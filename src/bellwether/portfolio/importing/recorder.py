"""Keeps what an import does, chunk by chunk, as a Change that can be undone (portfolio.changes)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core import serializers
from django.db import models

from bellwether.portfolio.changes import NEVER, Values
from bellwether.portfolio.importing.effects import FROM_PERIOD
from bellwether.portfolio.importing.kinds import Kind
from bellwether.portfolio.importing.plan import Plan
from bellwether.portfolio.importing.services import ImportCounts
from bellwether.portfolio.models import (
    Activity,
    Change,
    ChangeEntry,
    Client,
    Contact,
    ContractPeriod,
    ImportRun,
    Tag,
)

AT_ONCE = 500
FOLLOWS: dict[type[models.Model], tuple[tuple[type[models.Model], tuple[str, ...]], ...]] = {
    ContractPeriod: ((Client, tuple(FROM_PERIOD)),),
    Activity: ((Client, ("last_csm_contact_at",)), (Contact, ("last_csm_contact",))),
}
"""Columns of clients and contacts that follow from records of a model, and change with them."""


def snapshots(records: Sequence[models.Model]) -> list[Values]:
    """Return the columns of saved records as JSON knows them, in their order; many-to-many sets are left out.

    As `changes.snapshot`, for many records at once and without a query.
    """
    if not records:
        return []
    names = [f.name for f in records[0]._meta.concrete_fields if not f.primary_key and f.name not in NEVER]
    rows: list[dict[str, Any]] = json.loads(serializers.serialize("json", records, fields=names))
    return [row["fields"] for row in rows]


class ChangeRecorder:
    """Writes the entries of `run.change` and how far the run is, in the transaction of each chunk."""

    def __init__(self, run: ImportRun, change: Change) -> None:
        self.run, self.change = run, change
        self.chunks_done = run.chunks_done
        self.counts = ImportCounts(**{name: run.counts.get(name, 0) for name in COUNTED})
        if affected := run.counts.get("affected"):
            self.counts.affected = date.fromisoformat(affected)
        self._followers: dict[tuple[type[models.Model], UUID], Values] = {}
        self._chunk = run.chunks_done

    def before(self, plan: Plan, kind: Kind) -> None:
        """Note the columns that follow from what the chunk will write."""
        self._followers = self._following(plan, kind)

    def after(self, plan: Plan, kind: Kind) -> None:
        """Store an entry for each record made or changed, and that the chunk is done."""
        entries = [*_made(plan.new_clients, {}, kind), *_made(plan.create, plan.links, kind)]
        entries += _changed(plan, kind)
        entries += self._followed(plan, kind)
        for entry in entries:
            entry.change = self.change
        ChangeEntry.objects.bulk_create(entries, batch_size=AT_ONCE)
        self._chunk += 1
        self.run.chunks_done = self._chunk
        self.run.counts = {name: getattr(self.counts, name) for name in COUNTED}
        if self.counts.affected is not None:
            self.run.counts["affected"] = self.counts.affected.isoformat()
        self.run.rows_done = self.counts.read
        self.run.save(update_fields=["chunks_done", "counts", "rows_done"])

    def _following(self, plan: Plan, kind: Kind) -> dict[tuple[type[models.Model], UUID], Values]:
        found: dict[tuple[type[models.Model], UUID], Values] = {}
        for model, names in FOLLOWS.get(kind.model, ()):
            manager: Any = model._default_manager
            scope = {"pk__in": plan.touched} if model is Client else {"client_id__in": plan.touched}
            records = list(manager.filter(**scope))
            for record, values in zip(records, snapshots(records), strict=True):
                found[model, record.pk] = {name: values[name] for name in names}
        return found

    def _followed(self, plan: Plan, kind: Kind) -> list[ChangeEntry]:
        entries = []
        for (model, pk), after in self._following(plan, kind).items():
            before = self._followers.get((model, pk))
            names = [name for name in after if before is not None and after[name] != before[name]]
            if before is not None and names:
                owner = pk if model is Client else None
                entries.append(
                    ChangeEntry(
                        client_id=owner,
                        model=model._meta.label_lower,
                        object_id=str(pk),
                        before={name: before[name] for name in names},
                        after={name: after[name] for name in names},
                    )
                )
        return entries


COUNTED = ("read", "created", "updated", "unchanged", "rejected", "clients_created")


def _made(records: Sequence[models.Model], links: Mapping[Any, Iterable[Any]], kind: Kind) -> list[ChangeEntry]:
    many = _partner_ids(links, kind)
    entries = []
    for record, values in zip(records, snapshots(records), strict=True):
        if record.pk in many:
            values[kind.link] = many[record.pk]
        entries.append(_entry(record, None, values))
    return entries


def _changed(plan: Plan, kind: Kind) -> list[ChangeEntry]:
    records = list(plan.update.values())
    before = snapshots([plan.before[record.pk] for record in records])
    linked = _partner_ids({pk: plan.linked.get(pk, set()) for pk in plan.links if pk in plan.update}, kind)
    links = _partner_ids({pk: partners for pk, partners in plan.links.items() if pk in plan.update}, kind)
    entries = []
    for record, old, new in zip(records, before, snapshots(records), strict=True):
        if record.pk in links:
            old[kind.link], new[kind.link] = linked[record.pk], links[record.pk]
        names = [name for name in new if new[name] != old[name]]
        if names:
            entries.append(_entry(record, {n: old[n] for n in names}, {n: new[n] for n in names}))
    return entries


def _partner_ids(links: Mapping[Any, Iterable[Any]], kind: Kind) -> dict[Any, list[Any]]:
    """Return the ids of many-to-many partners as `changes.snapshot` writes them."""
    if kind.link != "tags":
        return {pk: sorted(str(partner) for partner in partners) for pk, partners in links.items()}
    names = {name for partners in links.values() for name in partners}
    ids = dict(Tag.objects.filter(name__in=names).values_list("name", "pk")) if names else {}
    return {pk: sorted(ids[name] for name in partners) for pk, partners in links.items()}


def _entry(record: models.Model, before: Values | None, after: Values | None) -> ChangeEntry:
    owner = record.pk if isinstance(record, Client) else getattr(record, "client_id", None)
    return ChangeEntry(
        client_id=owner, model=record._meta.label_lower, object_id=str(record.pk), before=before, after=after
    )
