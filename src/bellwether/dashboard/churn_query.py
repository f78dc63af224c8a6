"""The address of the churn list as a question, and back: filters, order and page live in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from bellwether.analytics.churn_query import DEFAULT_SORT, ChurnQuery, check
from bellwether.common.errors import InvalidInputError
from bellwether.common.text import storable_text
from bellwether.portfolio.list_words import whole_number

NAMES = ("category", "tier", "industry", "csm_id", "renewal_within", "search")


@dataclass(frozen=True)
class Asked:
    """What the address asks for, at `path`. `ignored` are sentences about what could not be used and was left out."""

    query: ChurnQuery
    path: str
    ignored: tuple[str, ...] = ()

    @property
    def given(self) -> dict[str, str]:
        """The filters that are set, by name."""
        values = {name: getattr(self.query, name) for name in NAMES}
        return {name: str(value) for name, value in values.items() if value not in ("", None)}

    def link(self, path: str = "", **changes: object) -> str:
        """Return the address with `changes` (None takes a choice away); back on page 1 unless that is what changes."""
        values: dict[str, object] = {**self.given, "sort": self.query.sort, "page": 1} | changes
        standard = {"sort": DEFAULT_SORT, "page": 1}
        kept = {name: value for name, value in values.items() if value not in ("", None, standard.get(name))}
        return (path or self.path) + (f"?{urlencode(kept)}" if kept else "")

    def sort_link(self, word: str, *, descending_first: bool = True) -> str:
        """Return the address that sorts by `word`, the other way round if it does so already."""
        first, second = (f"-{word}", word) if descending_first else (word, f"-{word}")
        return self.link(sort=second if self.query.sort == first else first)

    def sorted_by(self, word: str) -> str:
        """Return the value of aria-sort for the column `word`."""
        if self.query.sort.removeprefix("-") != word:
            return "none"
        return "descending" if self.query.sort.startswith("-") else "ascending"


def read_asked(values: Mapping[str, str], path: str) -> Asked:
    """Return the question in the address. Never fails: what cannot be used is left out and said in `ignored`."""
    ignored: list[str] = []
    fields: dict[str, object] = {
        name: storable_text(values.get(name, "").strip(), 200) for name in ("category", "tier", "industry", "search")
    }
    fields["sort"] = values.get("sort", "").strip() or DEFAULT_SORT
    for name in ("renewal_within", "page"):
        text = values.get(name, "").strip()
        if text:
            number = whole_number(text)
            if number is None:
                ignored.append(f"{name} needs a whole number, not {text[:40]!r}.")
            else:
                fields[name] = number
    if values.get("csm_id", "").strip():
        try:
            fields["csm_id"] = UUID(values["csm_id"].strip())
        except ValueError:
            ignored.append("csm_id needs the id of a member of staff.")
    query = ChurnQuery(**fields)  # type: ignore[arg-type]
    try:
        check(query)
    except InvalidInputError as error:
        ignored.extend(error.errors.values())
        standard = ChurnQuery()
        query = replace(query, **{name: getattr(standard, name) for name in error.errors})
    return Asked(query, path, tuple(ignored))
