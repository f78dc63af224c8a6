"""Compares parsed rows with what is stored and decides, row by row, what an import will do. Reads only.

A plan is made for a chunk of rows with a fixed number of queries, whatever the number of rows.
"""

import copy
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Model, Q

from bellwether.portfolio.importing.kinds import ImportOptions, Kind, Lookups, Prepared, RowContext, RowError, Values
from bellwether.portfolio.importing.rejects import Reject
from bellwether.portfolio.importing.rows import ParsedRow
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import StaffUser

DERIVED = "derived-"

Key = tuple[UUID | None, str]
Action = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class PlannedRow:
    """What becomes of a row that can be used: its record, which for an unchanged or repeated row is the stored one or
    None, and the columns that change."""

    row: int
    action: Action
    record: Any
    changed: tuple[str, ...] = ()
    repeated: bool = False


@dataclass
class Plan:
    """What to do for one chunk. `links` are the wanted many-to-many partners of a record, by its primary key, `linked`
    those it has. `before` holds a copy of each record that is updated, as it was."""

    create: list[Any] = field(default_factory=list)
    update: dict[Any, Any] = field(default_factory=dict)
    before: dict[Any, Any] = field(default_factory=dict)
    linked: dict[Any, set[Any]] = field(default_factory=dict)
    rows: list[PlannedRow] = field(default_factory=list)
    parsed: list[ParsedRow] = field(default_factory=list)
    clients: dict[str, Client] = field(default_factory=dict)
    changed_columns: set[str] = field(default_factory=set)
    new_clients: list[Client] = field(default_factory=list)
    links: dict[Any, list[Any]] = field(default_factory=dict)
    unchanged: int = 0
    rejects: list[Reject] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)
    affected: date | None = None

    def affect(self, day: date | None) -> None:
        """Remember the first day whose scores the plan changes; None means every day."""
        self.affected = min(self.affected or date.max, day or date.min)


@dataclass
class Memory:
    """What an import remembers from chunk to chunk, so that the file's own repetitions are seen."""

    seen: dict[Key, tuple[int, bytes]] = field(default_factory=dict)
    taken: dict[tuple[Any, ...], tuple[int, Key]] = field(default_factory=dict)
    occurrences: Counter[tuple[UUID | None, str]] = field(default_factory=Counter)
    made_clients: dict[str, Client] = field(default_factory=dict)


class Planner:
    """Plans the chunks of one import of one kind."""

    def __init__(self, kind: Kind, given: frozenset[str], options: ImportOptions) -> None:
        self.kind, self.given, self.options = kind, given, options
        self.memory = Memory()
        self.staff = {user.email.lower(): user for user in StaffUser.objects.all()}

    def plan(self, rows: Sequence[ParsedRow]) -> Plan:
        """Return what to do for `rows`. Writes nothing."""
        plan = Plan()
        good = []
        for row in rows:
            if row.reason:
                plan.rejects.append(Reject(row.row, row.reason, row.cells))
            else:
                good.append(row)
        plan.parsed = good
        clients = plan.clients = self._clients(good, plan)
        lookups = Lookups(staff=self.staff, contacts=self._contacts(clients))
        prepared = [item for row in good if (item := self._prepare(row, clients, lookups, plan))]
        stored, holders = self._stored(prepared), self._holders(prepared)
        linked = self._linked(list(stored.values()) + [h for h in holders.values() if h.pk])
        for item in prepared:
            self._decide(item, plan, stored, holders, linked)
        return plan

    def _clients(self, rows: Iterable[ParsedRow], plan: Plan) -> dict[str, Client]:
        """Return the clients that the rows name, by the name they use; makes missing ones if the options say so."""
        if self.kind.model is Client:
            return {}
        wanted = {row.values["organization_id"] for row in rows}
        found = {c.organization_id: c for c in Client.objects.filter(organization_id__in=wanted)}
        found |= {name: c for name, c in self.memory.made_clients.items() if name in wanted}
        for others in (("salesforce_account_id", "hubspot_company_id"), ("name",)):
            if missing := wanted - found.keys():
                found |= _clients_by(others, missing)
        if missing := wanted - found.keys():
            found |= _clients_by_salesforce_id(missing)
        if self.options.create_clients:
            for name in sorted(wanted - found.keys()):
                found[name] = self.memory.made_clients[name] = Client(organization_id=name, name=name)
                plan.new_clients.append(found[name])
        return found

    def _contacts(self, clients: dict[str, Client]) -> dict[tuple[UUID, str], Contact]:
        if not self.kind.needs_contacts or not clients:
            return {}
        found = Contact.objects.filter(client_id__in={c.pk for c in clients.values()}).exclude(email="")
        found = found.select_related("merged_into").order_by("-created_at", "pk")
        return {(c.client_id, c.email.lower()): c.merged_into or c for c in found}

    def _prepare(self, row: ParsedRow, clients: dict[str, Client], lookups: Lookups, plan: Plan) -> "Item | None":
        client = clients.get(row.values["organization_id"])
        try:
            if client is None and self.kind.model is not Client:
                raise RowError(
                    f"organization_id '{row.values['organization_id']}' is no client "
                    "(import clients first, or add --create-clients)"
                )
            context = RowContext(client=client, given=self.given, lookups=lookups, options=self.options)
            prepared = self.kind.prepare(row.values, context)
            return self._keyed(row, client, prepared)
        except RowError as error:
            plan.rejects.append(Reject(row.row, str(error), row.cells))
            return None

    def _keyed(self, row: ParsedRow, client: Client | None, prepared: Prepared) -> "Item":
        """Return the row with its natural key; a repetition of the key with other content raises RowError."""
        given = row.values.get(self.kind.key_column) or ""
        owner = client.pk if client else None
        key = (owner, given or self._derived(owner, row.values, prepared.columns))
        fingerprint = hashlib.blake2b(repr((sorted(prepared.columns.items()), prepared.links)).encode()).digest()
        first, same = self.memory.seen.setdefault(key, (row.row, fingerprint))
        if first != row.row and same != fingerprint:
            raise RowError(f"has the same key as row {first} ({self.kind.key_text}) but other values")
        return Item(row, client, prepared, key, derived=not given, repeated=first != row.row)

    def _derived(self, owner: UUID | None, values: Values, columns: dict[str, Any]) -> str:
        """Return an external id made of the identity of the row; equal rows of a kind with `repeats` are counted."""
        parts = []
        for name in self.kind.identity:
            for option in name.split("|"):
                part = columns.get(option) or values.get(option)
                if part:
                    break
            parts.append(_canonical(part))
        base = DERIVED + hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
        if not self.kind.repeats:
            return base
        self.memory.occurrences[owner, base] += 1
        count = self.memory.occurrences[owner, base]
        return base if count == 1 else f"{base}-{count}"

    def _stored(self, items: "Sequence[Item]") -> dict[Key, Any]:
        """Return what is stored under the keys of `items`."""
        manager: Any = self.kind.model._default_manager
        column = self.kind.key_column
        found = manager.filter(**{f"{column}__in": {item.key[1] for item in items}})
        if self.kind.model is Client:
            return {(None, getattr(record, column)): record for record in found}
        found = found.filter(client_id__in={item.key[0] for item in items})
        return {(record.client_id, getattr(record, column)): record for record in found}

    def _holders(self, items: "Sequence[Item]") -> dict[tuple[Any, ...], Any]:
        """Return the stored records of the clients of `items` by the columns that no two of them may share."""
        if not self.kind.unique or not items:
            return {}
        manager: Any = self.kind.model._default_manager
        found = manager.filter(client_id__in={item.key[0] for item in items})
        return {(r.client_id, *(getattr(r, name) for name in self.kind.unique)): r for r in found}

    def _linked(self, records: Sequence[Model]) -> dict[Any, set[Any]]:
        """Return the partners that `records` are linked with: names of tags, ids of contacts."""
        linked: dict[Any, set[Any]] = defaultdict(set)
        if self.kind.link and records:
            partner = "name" if self.kind.link == "tags" else "pk"
            manager: Any = self.kind.model._default_manager
            of = manager.filter(pk__in={r.pk for r in records}, **{f"{self.kind.link}__isnull": False})
            for pk, value in of.order_by().values_list("pk", f"{self.kind.link}__{partner}"):
                linked[pk].add(value)
        return linked

    def _decide(
        self,
        item: "Item",
        plan: Plan,
        stored: dict[Key, Any],
        holders: dict[tuple[Any, ...], Any],
        linked: dict[Any, set[Any]],
    ) -> None:
        if item.repeated:
            plan.unchanged += 1
            plan.rows.append(PlannedRow(item.row.row, "unchanged", None, repeated=True))
            return
        record = stored.get(item.key)
        try:
            record = self._claim(item, record, holders)
        except RowError as error:
            plan.rejects.append(Reject(item.row.row, str(error), item.row.cells))
            return
        if record is None:
            self._create(item, plan)
        else:
            self._update(item, record, plan, linked)

    def _claim(self, item: "Item", record: Any, holders: dict[tuple[Any, ...], Any]) -> Any:
        """Return the record to change: the stored one, or a nameless one that holds the same unique columns.

        Raises RowError when another record, stored or earlier in the file, holds them.
        """
        if not self.kind.unique:
            return record
        place = (item.key[0], *(item.prepared.columns.get(name) for name in self.kind.unique))
        what = " and ".join(self.kind.unique)
        row, key = self.memory.taken.setdefault(place, (item.row.row, item.key))
        if key != item.key:
            raise RowError(f"row {row} has the same {what} for this client")
        holder = holders.get(place)
        if holder is None or (record is not None and holder.pk == record.pk):
            return record
        nameless = not holder.external_id or holder.external_id.startswith(DERIVED)
        if record is None and (nameless or item.derived):
            if not item.derived:
                item.prepared.columns["external_id"] = item.key[1]
            return holder
        raise RowError(f"the client has another record with this {what}: {holder.external_id}")

    def _create(self, item: "Item", plan: Plan) -> None:
        columns = item.prepared.on_create | item.prepared.columns
        owner = {} if self.kind.model is Client else {"client": item.client}
        record: Any = self.kind.model(**(owner | {self.kind.key_column: item.key[1]} | columns))
        if item.client is not None:
            plan.touched.add(item.client.pk)
        plan.create.append(record)
        plan.rows.append(PlannedRow(item.row.row, "created", record, tuple(columns)))
        plan.affect(self.kind.affected(record))
        if item.prepared.links:
            plan.links[record.pk] = item.prepared.links

    def _update(self, item: "Item", record: Any, plan: Plan, linked: dict[Any, set[Any]]) -> None:
        before = self.kind.affected(record)
        changed = {name: value for name, value in item.prepared.columns.items() if _differs(record, name, value)}
        wanted = item.prepared.links
        relink = wanted is not None and set(wanted) != linked.get(record.pk, set())
        if not changed and not relink:
            plan.unchanged += 1
            plan.rows.append(PlannedRow(item.row.row, "unchanged", record))
            return
        plan.before.setdefault(record.pk, copy.copy(record))
        plan.rows.append(PlannedRow(item.row.row, "updated", record, tuple(changed)))
        for name, value in changed.items():
            setattr(record, name, value)
        record.updated_at = self.options.now
        plan.update[record.pk] = record
        plan.changed_columns |= changed.keys()
        if relink:
            plan.links[record.pk] = wanted or []
            plan.linked[record.pk] = linked.get(record.pk, set())
        if self.kind.model is not Client:
            plan.touched.add(record.client_id)
        plan.affect(before)
        plan.affect(self.kind.affected(record))


@dataclass
class Item:
    """A row on its way: its client, its columns, its natural key, and whether the file had it before."""

    row: ParsedRow
    client: Client | None
    prepared: Prepared
    key: Key
    derived: bool
    repeated: bool


def _clients_by(columns: Sequence[str], wanted: set[str]) -> dict[str, Client]:
    """Return the clients that exactly one client has a name of `wanted` for in one of `columns`."""
    condition = Q()
    for column in columns:
        condition |= Q(**{f"{column}__in": wanted})
    pairs = {(getattr(c, column), c.pk): c for c in Client.objects.filter(condition) for column in columns}
    uses = Counter(name for name, _ in pairs)
    return {name: c for (name, _), c in pairs.items() if name in wanted and uses[name] == 1}


_SALESFORCE_ACCOUNT = re.compile(r"001[A-Za-z0-9]{12}([A-Z0-5]{3})?")


def _clients_by_salesforce_id(wanted: set[str]) -> dict[str, Client]:
    """Return the clients whose Salesforce id is one of `wanted` in its other length: 18 characters are the 15 and three
    that tell upper from lower case."""
    ids = {name: name[:15] for name in wanted if _SALESFORCE_ACCOUNT.fullmatch(name)}
    if not ids:
        return {}
    columns = ("organization_id", "salesforce_account_id")
    like = Q()
    for column in columns:
        like |= Q(**{f"{column}__startswith": "001"})
    found: dict[str, set[Client]] = defaultdict(set)
    for client in Client.objects.filter(like):
        for column in columns:
            if _SALESFORCE_ACCOUNT.fullmatch(getattr(client, column)):
                found[getattr(client, column)[:15]].add(client)
    return {name: next(iter(found[short])) for name, short in ids.items() if len(found[short]) == 1}


def _canonical(part: Any) -> str:
    return part.isoformat() if isinstance(part, date | datetime) else str(part or "").casefold()


def _differs(record: Any, name: str, value: Any) -> bool:
    """Return whether a column would change. A record that is archived already keeps its instant."""
    current = getattr(record, name)
    if name == "archived_at" and current is not None and value is not None:
        return False
    return bool(current != value)
