"""One change for many clients: tags, segment, CSM, account executive. Planned first, then made as one undoable change.

The number of queries depends on how many clients there are by batches alone. The per-record history has no line of it
(as for imports); the access log and the change have.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bellwether.common.errors import InvalidInputError
from bellwether.common.text import storable_text
from bellwether.portfolio.changes import TOGETHER, changing
from bellwether.portfolio.client_changes import UNSET, Unset, check_ae, check_csm
from bellwether.portfolio.models import Change, ChangeEntry, Client, Tag
from bellwether.staff.models import StaffUser

KIND = "client.bulk_changed"
BATCH = 500
MOST_TAGS, LONGEST_TAG, LONGEST_SEGMENT = 50, 60, 100
CHANGED, UNCHANGED, NOT_FOUND, REFUSED = "changed", "unchanged", "not_found", "refused"


@dataclass(frozen=True, kw_only=True)
class BulkChange:
    """What to change on each client: tags to add and to remove, a segment ("" takes it away), people (None: nobody)."""

    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    segment: str | Unset = UNSET
    csm_id: UUID | Unset | None = UNSET
    ae_id: UUID | Unset | None = UNSET

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be changed."""
        people = (self.segment, self.csm_id, self.ae_id)
        return not (self.add_tags or self.remove_tags) and all(value is UNSET for value in people)


@dataclass(frozen=True)
class RowResult:
    """What happens to one client: `result` is changed, unchanged, not_found or refused; `detail` says why not."""

    client_id: UUID
    name: str
    result: str
    detail: str = ""


@dataclass(frozen=True)
class BulkPlan:
    """The rows in the order asked for. `values` holds the new values of those that change, by client id."""

    rows: tuple[RowResult, ...]
    before: Mapping[UUID, dict[str, Any]]
    after: Mapping[UUID, dict[str, Any]]

    def count(self, result: str) -> int:
        """Return how many rows have this result."""
        return sum(row.result == result for row in self.rows)


def clean_change(change: BulkChange, actor: StaffUser) -> BulkChange:
    """Return the change with tidy texts. Raises InvalidInputError naming the field, NotAllowedError for the role."""
    errors: dict[str, str] = {}
    tags: dict[str, tuple[str, ...]] = {}
    for name in ("add_tags", "remove_tags"):
        given = [storable_text(tag).strip() for tag in getattr(change, name)]
        tags[name] = tuple(dict.fromkeys(filter(None, given)))
        if any(len(tag) > LONGEST_TAG for tag in tags[name]):
            errors[name] = f"A tag has at most {LONGEST_TAG} characters."
        elif len(tags[name]) > MOST_TAGS:
            errors[name] = f"Give at most {MOST_TAGS} tags."
    both = set(tags["add_tags"]) & set(tags["remove_tags"])
    if both:
        errors["remove_tags"] = f"{', '.join(sorted(both))} cannot be added and removed at once."
    segment = change.segment if change.segment is UNSET else storable_text(str(change.segment)).strip()
    if segment is not UNSET and len(str(segment)) > LONGEST_SEGMENT:
        errors["segment"] = f"A segment has at most {LONGEST_SEGMENT} characters."
    cleaned = BulkChange(**tags, segment=segment, csm_id=change.csm_id, ae_id=change.ae_id)
    if not errors and cleaned.is_empty:
        errors[""] = "Give at least one thing to change."
    if errors:
        raise InvalidInputError("The clients cannot be changed. " + " ".join(errors.values()), errors)
    if change.csm_id is not UNSET:
        check_csm(actor, change.csm_id)
    if change.ae_id is not UNSET:
        check_ae(actor, change.ae_id)
    return cleaned


def plan_bulk(user: StaffUser, ids: Sequence[UUID], change: BulkChange) -> BulkPlan:
    """Return what `change`, a clean one, would do to each of `ids`; nothing is written. Ids given twice count once."""
    return _plan(user, ids, change, lock=False)


def apply_bulk(
    user: StaffUser,
    ids: Sequence[UUID],
    change: BulkChange,
    *,
    today: date,
    now: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[BulkPlan, Change | None]:
    """Make `change`, a clean one, on those of `ids` that the user sees; return what happened and the undoable change.

    Whole or not at all. `progress` is called with the number of clients written.
    """
    with transaction.atomic():
        plan = _plan(user, ids, change, lock=True)
        summary = describe(change, plan.count(CHANGED))
        with changing(user, kind=KIND, summary=summary, today=today, now=now) as work:
            pks = list(plan.after)
            for start in range(0, len(pks), BATCH):
                batch = pks[start : start + BATCH]
                _write(batch, plan, change, now)
                for pk in batch:
                    work.note(Client(pk=pk), plan.before[pk], plan.after[pk])
                progress(len(batch))
    return plan, work.change


def describe(change: BulkChange, count: int) -> str:
    """Return the change in words: "Tag Expansion added to 12 clients"."""
    clients = f"{count:,} client{'' if count == 1 else 's'}"
    said = []
    for tags, word in ((change.add_tags, "added to"), (change.remove_tags, "removed from")):
        if tags:
            said.append(f"tag{'' if len(tags) == 1 else 's'} {', '.join(tags)} {word}")
    if change.segment is not UNSET:
        said.append(f"segment {change.segment} set for" if change.segment else "segment taken from")
    for person, word in ((change.csm_id, "CSM"), (change.ae_id, "account executive")):
        if person is not UNSET:
            said.append(f"{word} {_name(person)} set for" if person else f"{word} taken from")
    text = ", ".join(said)
    return f"{text[:1].upper()}{text[1:]} {clients}"


def _name(person: Any) -> str:
    found = StaffUser.objects.filter(pk=person).first()
    return found.name if found else ""


def _batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _plan(user: StaffUser, ids: Sequence[UUID], change: BulkChange, *, lock: bool) -> BulkPlan:
    wanted = list(dict.fromkeys(ids))
    clients: dict[UUID, Client] = {}
    tags: dict[UUID, set[int]] = {}
    with_tags = bool(change.add_tags or change.remove_tags)
    for batch in _batches(wanted):
        seen = Client.objects.visible_to(user).filter(pk__in=batch)
        seen = seen.order_by("pk").select_for_update(of=("self",)) if lock else seen
        clients |= {client.pk: client for client in seen}
        if with_tags:
            for pk, tag in Client.tags.through.objects.filter(client_id__in=batch).values_list("client_id", "tag_id"):
                tags.setdefault(pk, set()).add(tag)
    known = _tags(change, make=lock)
    rows, before, after = [], {}, {}
    for pk in wanted:
        client = clients.get(pk)
        if client is None:
            rows.append(RowResult(pk, "", NOT_FOUND, "There is no such client, or you do not see it."))
            continue
        if client.archived_at is not None:
            rows.append(RowResult(pk, client.name, REFUSED, "It is archived; archived clients are not changed."))
            continue
        old, new = _values(client, tags.get(pk, set()), change, known)
        if new:
            before[pk], after[pk] = old, new
            rows.append(RowResult(pk, client.name, CHANGED))
        else:
            rows.append(RowResult(pk, client.name, UNCHANGED, "It is so already."))
    return BulkPlan(tuple(rows), before, after)


def _tags(change: BulkChange, *, make: bool) -> dict[str, int]:
    """Return the ids of the tags by name; those to add are made, or stand for themselves while only planning."""
    if make and change.add_tags:
        Tag.objects.bulk_create([Tag(name=name) for name in change.add_tags], ignore_conflicts=True)
    names = (*change.add_tags, *change.remove_tags)
    known = dict(Tag.objects.filter(name__in=names).values_list("name", "pk")) if names else {}
    return {name: known.get(name, -place) for place, name in enumerate(change.add_tags, start=1)} | known


def _values(
    client: Client, tags: set[int], change: BulkChange, known: Mapping[str, int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values before and after of the fields that change, as changes keep them."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    wanted = (tags | {known[name] for name in change.add_tags}) - {
        known[name] for name in change.remove_tags if name in known
    }
    if wanted != tags:
        before["tags"], after["tags"] = sorted(tags), sorted(wanted)
    if change.segment is not UNSET and change.segment != client.segment:
        before["segment"], after["segment"] = client.segment, change.segment
    for field, person in (("csm_user", change.csm_id), ("ae_user", change.ae_id)):
        now = getattr(client, f"{field}_id")
        if person is not UNSET and person != now:
            before[field], after[field] = str(now) if now else None, str(person) if person else None
    return before, after


def _write(batch: Sequence[UUID], plan: BulkPlan, change: BulkChange, now: datetime) -> None:
    columns: dict[str, Any] = {"updated_at": now}
    if change.segment is not UNSET:
        columns["segment"] = change.segment
    if change.csm_id is not UNSET:
        columns["csm_user_id"] = change.csm_id
    if change.ae_id is not UNSET:
        columns["ae_user_id"] = change.ae_id
    Client.objects.filter(pk__in=batch).update(**columns)
    retagged = [pk for pk in batch if "tags" in plan.after[pk]]
    through = Client.tags.through
    links = [
        through(client_id=pk, tag_id=tag)
        for pk in retagged
        for tag in set(plan.after[pk]["tags"]) - set(plan.before[pk]["tags"])
    ]
    through.objects.bulk_create(links, ignore_conflicts=True)
    gone = {tag for pk in retagged for tag in set(plan.before[pk]["tags"]) - set(plan.after[pk]["tags"])}
    if gone:
        through.objects.filter(client_id__in=retagged, tag_id__in=gone).delete()


def put_back(entries: Sequence[ChangeEntry], now: datetime, partial: bool) -> tuple[list[ChangeEntry], list[str]]:
    """Give clients the values back that they had before a bulk change, in batches; see changes.TOGETHER."""
    back: list[ChangeEntry] = []
    left: list[str] = []
    current: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for batch in _batches([UUID(entry.object_id) for entry in entries]):
        for client in Client.objects.filter(pk__in=batch).order_by("pk").select_for_update(of=("self",)):
            names[str(client.pk)] = client.name
            people = {name: getattr(client, f"{name}_id") for name in ("csm_user", "ae_user")}
            current[str(client.pk)] = {
                "segment": client.segment,
                "tags": [],
                **{name: str(person) if person else None for name, person in people.items()},
            }
        for pk, tag in Client.tags.through.objects.filter(client_id__in=batch).values_list("client_id", "tag_id"):
            current[str(pk)]["tags"].append(tag)
    for entry in entries:
        now_held = current.get(entry.object_id)
        if now_held is None:
            left.append("A client that was changed is no longer there.")
        elif any(_plain(now_held[name]) != _plain(value) for name, value in (entry.after or {}).items()):
            left.append(f"{names[entry.object_id]} was changed since. Undo that first, or change it by hand.")
        else:
            back.append(entry)
    if left and not partial:
        return [], left
    _restore(back, now)
    return back, left


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _restore(entries: Sequence[ChangeEntry], now: datetime) -> None:
    """Write the values before, one query for each value of a field and batch. People and tags that are gone stay so."""
    by_value: dict[tuple[str, Any], list[UUID]] = {}
    add: list[Any] = []
    remove: dict[int, list[UUID]] = {}
    through = Client.tags.through
    known = set(Tag.objects.values_list("pk", flat=True))
    people = {str(pk) for pk in StaffUser.objects.values_list("pk", flat=True)}
    for entry in entries:
        pk, before, after = UUID(entry.object_id), entry.before or {}, entry.after or {}
        for name, value in before.items():
            if name == "tags":
                wanted, held = set(value) & known, set(after["tags"])
                add.extend(through(client_id=pk, tag_id=tag) for tag in wanted - held)
                for tag in held - wanted:
                    remove.setdefault(tag, []).append(pk)
            elif name == "segment":
                by_value.setdefault((name, value), []).append(pk)
            else:
                by_value.setdefault((f"{name}_id", value if value in people else None), []).append(pk)
    for (column, value), ids in by_value.items():
        for batch in _batches(ids):
            Client.objects.filter(pk__in=batch).update(**{column: value, "updated_at": now})
    for tag, ids in remove.items():
        for batch in _batches(ids):
            through.objects.filter(tag_id=tag, client_id__in=batch).delete()
    through.objects.bulk_create(add, batch_size=BATCH, ignore_conflicts=True)


TOGETHER[KIND] = put_back
