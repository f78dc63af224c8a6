"""Everything that happened with a client as one stream, read a page at a time from any number of sources.

A package adds what it knows with `add_source`, from its AppConfig: milestones, scores and alerts come from above. Each
source reads no more rows than a page needs; a place in the stream stays the same whatever comes on top of it.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of, end_of, start_of
from bellwether.portfolio.models import Client
from bellwether.portfolio.search_words import found_in
from bellwether.portfolio.timeline import Entry
from bellwether.staff.models import StaffUser

BATCH = 2_000
KINDS: dict[str, str] = {
    "activity": "Activities",
    "ticket": "Tickets",
    "score": "Score",
    "churn": "Churn risk",
    "alert": "Alerts",
    "milestone": "Milestones",
    "playbook": "Playbooks",
    "contract": "Contract",
    "survey": "Surveys",
    "contact": "People",
    "note": "Notes",
    "change": "Client record",
    "configuration": "Configuration",
}
"""What a stream can be narrowed to, with its name on the page."""


@dataclass(frozen=True, order=True)
class Place:
    """A place in the stream: what follows is older. `source` and `id` part what happened at the same instant."""

    at: datetime
    source: str
    id: str

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.source}~{self.id}"


def place_of(text: str) -> Place:
    """Return the place that `str(place)` gave; InvalidInputError for anything else."""
    at, source, identity = [*text.split("~"), "", ""][:3]
    with suppress(ValueError):
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is not None and source in {one.name for one in SOURCES}:
            _source(source).pk_of(identity)
            return Place(instant, source, identity)
    raise InvalidInputError("The cursor cannot be read.", {"cursor": "Use next_cursor of the page before."})


@dataclass(frozen=True)
class Item:
    """An entry of the stream. `details` are (label, text) of everything known about it, the record's id is `object_id`,
    `by` who did it, empty where nobody did."""

    place: Place
    kind: str
    entry: Entry
    details: tuple[tuple[str, str], ...] = ()
    object_id: str = ""
    by: str = ""

    @property
    def text(self) -> str:
        """What a search looks in where the words are not kept in an index."""
        return " ".join((self.entry.title, self.entry.detail, self.by, *(text for _, text in self.details)))


@dataclass(frozen=True)
class Person:
    """Somebody to narrow the stream to: `who` is "staff" or "contact"."""

    who: str
    id: UUID


@dataclass(frozen=True)
class Asked:
    """What is asked of the stream of `client` by `user`, who may see it: kinds (none: all), folded words that all have
    to be there, one person, the first and the last day, how many entries after which place. Days are `zone`'s."""

    client: Client
    user: StaffUser
    now: datetime
    zone: ZoneInfo
    kinds: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    person: Person | None = None
    first: date | None = None
    last: date | None = None
    before: Place | None = None
    limit: int = 50
    kept: dict[str, Any] = field(default_factory=dict, compare=False)
    """What sources have read already while one question is answered."""

    @property
    def today(self) -> date:
        """The workspace's day."""
        return day_of(self.now, self.zone)

    @property
    def is_whole(self) -> bool:
        """Whether nothing narrows it but the kinds."""
        return not (self.words or self.person or self.first or self.last)


class Source(Protocol):
    """What adds entries to the stream. `name` parts it from others, `kind` is one of KINDS."""

    name: str
    kind: str

    def read(self, asked: Asked) -> list[Item]:
        """Return the newest `asked.limit` entries after `asked.before`, newest first; none of the future."""
        ...

    def count(self, asked: Asked) -> int:
        """Return how many entries there are, wherever the page stands."""
        ...

    def pk_of(self, identity: str) -> Any:
        """Return the database's key of the id in a place; ValueError for one that cannot be."""
        ...


SOURCES: list[Source] = []


def add_source(source: Source) -> None:
    """Add a source to every stream; one of the same name is replaced, so that adding twice changes nothing."""
    SOURCES[:] = [one for one in SOURCES if one.name != source.name] + [source]


def _source(name: str) -> Source:
    return next(one for one in SOURCES if one.name == name)


@dataclass
class FewEntries:
    """A source of few entries, which are made all at once: `make` returns (entry, details, object id, who, person ids).

    Fit for what a client has at most some hundreds of: contract periods, milestones, changes of the score. Entries of
    days that are still to come are left out. Words are looked for in what is shown.
    """

    name: str
    kind: str
    make: Callable[[Asked], Iterable["Made"]]

    def _all(self, asked: Asked) -> list[Item]:
        if self.name not in asked.kept:
            asked.kept[self.name] = [(self._item(made, asked), made.people) for made in self.make(asked)]
        return [item for item, people in asked.kept[self.name] if _within(item, people, asked)]

    def _item(self, made: "Made", asked: Asked) -> Item:
        at = made.at
        if at is None:
            # A day's own entries stand above what happened on it where their rank says so.
            share = min(max(made.entry.rank, 0.0), 1.0)
            at = start_of(made.entry.on, asked.zone) + timedelta(seconds=round(share * 86_399))
        place = Place(at, self.name, made.entry.key)
        return Item(place, self.kind, made.entry, tuple(made.details), made.object_id, made.by)

    def read(self, asked: Asked) -> list[Item]:
        """Return the newest entries after the place."""
        found = [item for item in self._all(asked) if asked.before is None or item.place < asked.before]
        return sorted(found, key=lambda item: item.place, reverse=True)[: asked.limit]

    def count(self, asked: Asked) -> int:
        """Return how many there are."""
        return len(self._all(asked))

    def pk_of(self, identity: str) -> str:
        """Return the key of an entry."""
        return identity


@dataclass(frozen=True)
class Made:
    """An entry that a FewEntries source made; `people` are the ids of those it is about, `at` its instant if known."""

    entry: Entry
    details: Sequence[tuple[str, str]] = ()
    object_id: str = ""
    by: str = ""
    people: frozenset[Person] = frozenset()
    at: datetime | None = None


def _within(item: Item, people: frozenset[Person], asked: Asked) -> bool:
    on = item.entry.on
    if on > (asked.last or asked.today) or on > asked.today or (asked.first and on < asked.first):
        return False
    if asked.person is not None and asked.person not in people:
        return False
    return not asked.words or found_in(item.text, asked.words)


@dataclass
class ManyRows:
    """A source of any number of rows, one entry each. `rows` returns the rows of the client that the user may see and
    that fit words and person (None: none can); `time` is the field with the instant, `show` makes the item."""

    name: str
    kind: str
    time: str
    rows: Callable[[Asked], QuerySet[Any] | None]
    show: Callable[[list[Any], Asked], list[Made]]
    pk_of: Callable[[str], Any] = UUID
    pk_text: Callable[[Any], str] = field(default=lambda pk: str(pk.hex))

    def _found(self, asked: Asked) -> QuerySet[Any] | None:
        rows = self.rows(asked)
        if rows is None:
            return None
        rows = rows.filter(**{f"{self.time}__lte": asked.now})
        if asked.first is not None:
            rows = rows.filter(**{f"{self.time}__gte": start_of(asked.first, asked.zone)})
        if asked.last is not None:
            rows = rows.filter(**{f"{self.time}__lt": end_of(asked.last, asked.zone)})
        return rows

    def read(self, asked: Asked) -> list[Item]:
        """Return the newest entries after the place, with one query and what `show` needs."""
        rows = self._found(asked)
        if rows is None:
            return []
        before = asked.before
        if before is not None:
            same = Q(**{self.time: before.at})
            if self.name == before.source:
                same &= Q(pk__lt=self.pk_of(before.id))
            elif self.name > before.source:
                same = Q(pk__in=[])
            rows = rows.filter(Q(**{f"{self.time}__lt": before.at}) | same)
        found = list(rows.order_by(f"-{self.time}", "-pk")[: asked.limit])
        return [
            Item(
                Place(getattr(row, self.time), self.name, self.pk_text(row.pk)),
                self.kind,
                made.entry,
                tuple(made.details),
                made.object_id or str(row.pk),
                made.by,
            )
            for row, made in zip(found, self.show(found, asked), strict=True)
        ]

    def count(self, asked: Asked) -> int:
        """Return how many there are, in one query."""
        rows = self._found(asked)
        return 0 if rows is None else rows.order_by().count()


@dataclass(frozen=True)
class StreamPage:
    """One page of the stream, newest first. `next` is the place after which the next page begins, None at the end."""

    items: list[Item]
    next: Place | None


def read_page(asked: Asked) -> StreamPage:
    """Return the page that is asked for: a fixed number of queries, `limit` + 1 rows of each source."""
    more = replace(asked, limit=asked.limit + 1, kept=asked.kept)
    found: list[Item] = []
    for source in _sources(asked):
        found += source.read(more)
    found.sort(key=lambda item: item.place, reverse=True)
    shown = found[: more.limit - 1]
    return StreamPage(shown, shown[-1].place if len(found) >= more.limit else None)


def count_kinds(asked: Asked) -> dict[str, int]:
    """Return how many entries of each kind there are, whatever kinds are asked for; kinds without any are left out."""
    found: dict[str, int] = {}
    for source in SOURCES:
        count = source.count(asked)
        if count:
            found[source.kind] = found.get(source.kind, 0) + count
    return {kind: found[kind] for kind in KINDS if kind in found}


def read_all(asked: Asked, *, at_most: int) -> tuple[list[Item], bool]:
    """Return the newest `at_most` entries for a file, and whether there are more."""
    items: list[Item] = []
    page = StreamPage([], asked.before)
    while True:
        page = read_page(replace(asked, before=page.next, limit=BATCH, kept=asked.kept))
        items += page.items
        if page.next is None or len(items) >= at_most:
            return items[:at_most], len(items) > at_most or page.next is not None


def _sources(asked: Asked) -> list[Source]:
    return [source for source in SOURCES if not asked.kinds or source.kind in asked.kinds]
