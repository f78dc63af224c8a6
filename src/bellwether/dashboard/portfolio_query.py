"""The address of the portfolio page as a question, and back: filters, saved views, order and page live in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from bellwether.common.errors import InvalidInputError
from bellwether.dashboard.portfolio_measures import read_measures, written
from bellwether.portfolio.choices import ContractTier, HealthStatus
from bellwether.portfolio.listing import NOT_SCORED, OF_MEASURE, ClientQuery, check

SIZES = (25, 50, 100)
DEFAULT_SIZE = 50
DEFAULT_SORT = "-priority"
SHOWN = ("table", "cards")
TEXT_FILTERS = ("search", "health_status", "tier", "industry", "segment", "region", "tag")
KEPT = (*TEXT_FILTERS, "csm_id", "ae_id", "renewal_within", "view", "sort", "page", "limit", "show")
FILTERS = (*TEXT_FILTERS, "csm_id", "ae_id", "renewal_within")
DEFAULTS = {"sort": DEFAULT_SORT, "page": "1", "limit": str(DEFAULT_SIZE), "view": "all", "show": "table"}
STATUS_LABELS = dict(HealthStatus.choices) | {NOT_SCORED: "N/A"}
TIER_LABELS = dict(ContractTier.choices)
LONGEST = 200


@dataclass(frozen=True)
class Asked:
    """What the address asks for. `ignored` are sentences about what could not be used and was left out."""

    query: ClientQuery
    show: str
    given: dict[str, str]
    ignored: tuple[str, ...]

    def link(self, **changes: object) -> str:
        """Return the address with `changes` (None removes); back on page 1 unless the page is what changes."""
        values: dict[str, object] = {**self.given, "page": "1", **changes}
        names = (*KEPT, *sorted(name for name in values if name.startswith(OF_MEASURE)))
        kept = {name: str(values[name]) for name in names if values.get(name) not in (None, "")}
        return "?" + urlencode({name: value for name, value in kept.items() if value != DEFAULTS.get(name)})

    def view_link(self, view: str) -> str:
        """Return the address of a saved view: its own filters only, shown as now."""
        return self.link(**dict.fromkeys([*FILTERS, *self.measures]), sort=None, view=view)

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
        """Whether any filter is set; a saved view is none."""
        return any(self.given.get(name) for name in (*FILTERS, *self.measures))


def read_query(values: Mapping[str, str]) -> Asked:
    """Return the question in the address. Never fails: what cannot be used is left out and said in `ignored`."""
    given = {name: values[name].strip()[:LONGEST] for name in KEPT if values.get(name, "").strip()}
    ignored: list[str] = []
    fields: dict[str, object] = {name: given[name] for name in TEXT_FILTERS if name in given}
    measures = read_measures(values, ignored)
    given |= {name: written(wanted) for name, wanted in measures.items()}
    fields["measures"] = tuple(measures.values())
    for name in ("view", "sort"):
        if name in given:
            fields[name] = given[name]
    for name in ("page", "limit", "renewal_within"):
        if name in given:
            if given[name].isascii() and given[name].isdigit() and len(given[name]) < 7:
                fields[name] = int(given[name])
            else:
                ignored.append(f"{name} needs a whole number, not {given.pop(name)!r}.")
    for name in ("csm_id", "ae_id"):
        if name in given:
            try:
                fields[name] = UUID(given[name])
            except ValueError:
                ignored.append(f"{name} needs the id of a member of staff, not {given.pop(name)!r}.")
    if fields.get("limit", DEFAULT_SIZE) not in SIZES:
        ignored.append(f"limit can be {', '.join(map(str, SIZES))}.")
        del fields["limit"], given["limit"]
    show = given.get("show", "table")
    if show not in SHOWN:
        ignored.append(f"show can be {' or '.join(SHOWN)}.")
        show = given.pop("show") and "table"
    query = ClientQuery(**fields)  # type: ignore[arg-type]
    try:
        check(query)
    except InvalidInputError as error:
        ignored.extend(error.errors.values())
        wrong = ["measures" if name == "measure" else name for name in error.errors]
        for name in (*error.errors, *(measures if "measures" in wrong else ())):
            given.pop(name, None)
        query = replace(query, **{name: getattr(ClientQuery(), name) for name in wrong})
    return Asked(query, show, given, tuple(ignored))
