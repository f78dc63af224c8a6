"""The address of the portfolio page as a question, and back: filters, saved views, order and page live in the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.choices import ContractTier, HealthStatus
from bellwether.portfolio.list_words import FILTERS, LONGEST, SEVERAL, read_filters, whole_number
from bellwether.portfolio.listing import NOT_SCORED, OF_MEASURE, VIEWS, ClientQuery, check

SIZES = (25, 50, 100)
DEFAULT_SIZE = 50
DEFAULT_SORT = "-priority"
SHOWN = ("table", "cards")
OF_PAGE = ("sort", "page", "limit", "show")
KEPT = (*FILTERS, "view", *OF_PAGE)
DEFAULTS = {"sort": DEFAULT_SORT, "page": "1", "limit": str(DEFAULT_SIZE), "show": "table"}
STATUS_LABELS = dict(HealthStatus.choices) | {NOT_SCORED: "N/A"}
TIER_LABELS = dict(ContractTier.choices)


@dataclass(frozen=True)
class Base:
    """The view that an address starts from: `name` as the address writes it, the filters it holds, and the view that
    the reader's portfolio opens with, which needs no name."""

    name: str = "all"
    values: Mapping[str, str] = field(default_factory=dict)
    home: str = "all"


@dataclass(frozen=True)
class Asked:
    """What the address asks for. `ignored` are sentences about what could not be used and was left out.

    `given` holds what is set, by the view or by the address; an address says only what differs from its view.
    """

    query: ClientQuery
    show: str
    given: dict[str, str]
    ignored: tuple[str, ...]
    base: Base = Base()

    def link(self, **changes: object) -> str:
        """Return the address with `changes` (None removes); back on page 1 unless the page is what changes."""
        values: dict[str, object] = {**self.given, "page": "1", **changes}
        view = str(changes.get("view") or self.base.name)
        base = self.base.values if view == self.base.name else {}
        measured = {name for name in (*values, *base) if name.startswith(OF_MEASURE)}
        words: dict[str, str] = {}
        for name in (*FILTERS, "view", *OF_PAGE, *sorted(measured)):
            if name == "view":
                if view != self.base.home:
                    words[name] = view
                continue
            value = "" if values.get(name) is None else str(values[name])
            default = DEFAULTS.get(name, "")
            usual = base.get(name, default)
            if (value or default) != usual:
                words[name] = value
        return "?" + urlencode(words)

    def view_link(self, view: str | None) -> str:
        """Return the address of a saved view: its own filters only, shown as now."""
        to = view or "all"
        if to == self.base.name and self.base.values:
            return self.link(**{name: self.base.values.get(name) for name in (*FILTERS, *self.measures, "sort")})
        return self.link(**dict.fromkeys([*FILTERS, *self.measures]), sort=None, view=to)

    def filters_link(self, filters: Mapping[str, str]) -> str:
        """Return the address that lists all clients with just these filters, shown as now."""
        cleared: dict[str, object] = dict.fromkeys([*FILTERS, *self.measures])
        return self.link(**cleared | {"sort": None, "view": "all"} | dict(filters))

    def sort_link(self, word: str, *, descending_first: bool) -> str:
        """Return the address that sorts by `word`, the other way round if it does so already."""
        first, second = (f"-{word}", word) if descending_first else (word, f"-{word}")
        return self.link(sort=second if self.query.sort == first else first)

    def sorted_by(self, word: str) -> str:
        """Return the value of aria-sort for the column `word`."""
        if self.query.sort.removeprefix("-") != word:
            return "none"
        return "descending" if self.query.sort.startswith("-") else "ascending"

    @property
    def measures(self) -> list[str]:
        """The parameters that filter by custom measures."""
        return [name for name in self.given if name.startswith(OF_MEASURE)]

    @property
    def filtered(self) -> bool:
        """Whether any filter is set beyond what the view itself holds."""
        return any(self.given.get(name) != self.base.values.get(name) for name in self._filters())

    @property
    def changed(self) -> bool:
        """Whether filters or order differ from those of the view."""
        sort = self.base.values.get("sort", DEFAULT_SORT)
        return self.filtered or self.query.sort != sort

    @property
    def kept(self) -> dict[str, str]:
        """What a saved view keeps of this question: view, filters and order; not page, size and look."""
        inner = self.query.view or "all"
        words = {name: self.given[name] for name in (*FILTERS, *self.measures) if self.given.get(name)}
        return words | ({"view": inner} if inner != "all" else {}) | {"sort": self.query.sort}

    def hidden(self, *without: str) -> dict[str, str]:
        """Return what a form has to send along for filters, view, order and look to stay, `without` its own fields."""
        names = (*FILTERS, *self.measures, "sort", "limit", "show")
        words = {name: self.given[name] for name in names if self.given.get(name) and name not in without}
        return words | ({"view": self.base.name} if self.base.name != self.base.home else {})

    def _filters(self) -> list[str]:
        of_view = [name for name in self.base.values if name.startswith(OF_MEASURE)]
        return [*FILTERS, *dict.fromkeys([*self.measures, *of_view])]


def flat(values: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of an address with one text each: several of a filter that takes several with commas."""
    read: object = getattr(values, "getlist", None)
    if read is None:
        return dict(values)
    several: dict[str, Sequence[str]] = {name: values.getlist(name) for name in values}  # type: ignore[attr-defined]
    return {
        name: ",".join(dict.fromkeys(filter(None, texts))) if name in SEVERAL else texts[-1]
        for name, texts in several.items()
        if texts
    }


def read_query(given: Mapping[str, str], base: Base = Base()) -> Asked:
    """Return the question in the address. Never fails: what cannot be used is left out and said in `ignored`.

    `base` is the view that the address names, where that is one of the reader's saved views, or opens with.
    """
    values = flat(given)
    own = {name: text for name, text in values.items() if name != "view" or base.name in VIEWS}
    inner = base.values.get("view", "") if base.name not in VIEWS else own.get("view", "").strip() or base.name
    merged = {**{name: text for name, text in base.values.items() if name != "view"}, **own}
    read = read_filters(merged)
    kept, ignored, fields = dict(read.given), list(read.ignored), dict(read.fields)
    for name in OF_PAGE:
        if merged.get(name, "").strip():
            kept[name] = merged[name].strip()[:LONGEST]
    if inner and inner != "all":
        kept["view"] = fields["view"] = inner[:LONGEST]
    if "sort" in kept:
        fields["sort"] = kept["sort"]
    for name in ("page", "limit"):
        if name in kept:
            number = whole_number(kept[name])
            if number is None:
                ignored.append(f"{name} needs a whole number, not {kept.pop(name)!r}.")
            else:
                fields[name] = number
    if fields.get("limit", DEFAULT_SIZE) not in SIZES:
        ignored.append(f"limit can be {', '.join(map(str, SIZES))}.")
        del fields["limit"], kept["limit"]
    show = kept.get("show", "table")
    if show not in SHOWN:
        ignored.append(f"show can be {' or '.join(SHOWN)}.")
        show = kept.pop("show") and "table"
    query, wrong = _usable(ClientQuery(**fields), ignored)  # type: ignore[arg-type]
    for name in wrong:
        kept.pop(name, None)
    if "measure" in wrong:
        kept = {name: text for name, text in kept.items() if not name.startswith(OF_MEASURE)}
    if base.name in VIEWS:
        base = replace(base, name=query.view or "all")
    return Asked(query, show, kept, tuple(ignored), base)


def _usable(query: ClientQuery, ignored: list[str]) -> tuple[ClientQuery, list[str]]:
    """Return the query without what cannot be used, and the names of that; sentences about it go to `ignored`."""
    try:
        check(query)
    except InvalidInputError as error:
        ignored.extend(error.errors.values())
        fields = ["measures" if name == "measure" else name for name in error.errors]
        return replace(query, **{name: getattr(ClientQuery(), name) for name in fields}), list(error.errors)
    return query, []
