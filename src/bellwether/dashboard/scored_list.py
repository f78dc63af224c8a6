"""A list of clients on one scorecard as its page shows it: what the address asks for, the counts, the cards. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from bellwether.common.text import storable_text

SORTS = {"score": "Score", "name": "Name", "trend": "Trend"}
DEFAULT_SORT = "-score"
DESCENDING_FIRST = frozenset({"score", "trend"})
PAGE_SIZE = 48
LONGEST = 200
NONE = "none"
T = TypeVar("T")
Value = Callable[[T], float | str | None]


@dataclass(frozen=True)
class ListAsked:
    """What the address asks for. `chosen` is one of the filter's words or empty; `sort` has "-" in front to go down."""

    path: str
    of: str
    chosen: str
    search: str
    sort: str
    page: int

    def link(self, **changes: object) -> str:
        """Return the address with `changes`; None takes a choice away. Back on page 1 unless that is what changes."""
        values = {self.of: self.chosen, "search": self.search, "sort": self.sort, "page": "1"} | changes
        standard = {"sort": DEFAULT_SORT, "page": "1"}
        kept = {name: str(v) for name, v in values.items() if v not in (None, "") and str(v) != standard.get(name)}
        return f"{self.path}?{urlencode(kept)}" if kept else self.path


@dataclass(frozen=True)
class Tile:
    """A count that filters the list; `status` is a data-status word."""

    label: str
    note: str
    count: int
    status: str
    href: str
    current: bool


@dataclass(frozen=True)
class SortLink:
    """A way to order the list; `direction` is up, down, or empty where it is not the one in force."""

    text: str
    href: str
    direction: str


@dataclass(frozen=True)
class Paged:
    """A page of the list: the rows, which they are in words, and the addresses before and after; empty without."""

    rows: list[object]
    text: str
    previous: str
    next: str


def read_list(values: Mapping[str, str], *, path: str, of: str, words: Sequence[str]) -> ListAsked:
    """Return the question in the address; what cannot be used is left out."""
    sort = values.get("sort", "")
    page = values.get("page", "")
    chosen = values.get(of, "")
    return ListAsked(
        path=path,
        of=of,
        chosen=chosen if chosen in {*words, NONE} else "",
        search=storable_text(values.get("search", "").strip(), LONGEST),
        sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
        page=int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 7 and int(page) else 1,
    )


def narrowed(
    rows: Sequence[T], asked: ListAsked, *, word: Callable[[T], str | None], name: Callable[[T], str]
) -> list[T]:
    """Return the rows that the search and the filter let through, in their order."""
    wanted = asked.search.casefold()
    return [
        row
        for row in rows
        if (not asked.chosen or (word(row) or NONE) == asked.chosen) and wanted in name(row).casefold()
    ]


def ordered(rows: Sequence[T], asked: ListAsked, values: Mapping[str, Value[T]]) -> list[T]:
    """Return `rows` (ordered by name) in the order asked for; those without the value come last either way."""
    key = values[asked.sort.removeprefix("-")]
    known = [row for row in rows if key(row) is not None]
    unknown = [row for row in rows if key(row) is None]
    return sorted(known, key=key, reverse=asked.sort.startswith("-")) + unknown  # type: ignore[arg-type]


def sort_links(asked: ListAsked) -> list[SortLink]:
    """Return the ways to order; the one in force turns round."""
    links = []
    for word, text in SORTS.items():
        first, second = (f"-{word}", word) if word in DESCENDING_FIRST else (word, f"-{word}")
        current = asked.sort.removeprefix("-") == word
        direction = ("down" if asked.sort.startswith("-") else "up") if current else ""
        links.append(SortLink(text, asked.link(sort=second if asked.sort == first else first), direction))
    return links


def paged(rows: Sequence[T], asked: ListAsked, *, one: str, many: str) -> Paged:
    """Return the page asked for, the last one if it lies behind it."""
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    page = min(asked.page, pages)
    first = (page - 1) * PAGE_SIZE
    shown = list(rows[first : first + PAGE_SIZE])
    what = one if len(rows) == 1 else many
    text = f"{first + 1:,} to {first + len(shown):,} of {len(rows):,} {what}" if pages > 1 else f"{len(rows):,} {what}"
    return Paged(
        rows=list(shown),
        text=text,
        previous=asked.link(page=page - 1) if page > 1 else "",
        next=asked.link(page=page + 1) if page < pages else "",
    )
