"""Filters of the list of clients as an address or a saved view writes them, and back to what they ask for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from uuid import UUID

from bellwether.portfolio.listing import ClientQuery
from bellwether.portfolio.measure_limits import read_measures, written

TEXTS = ("search", "health_status", "tier", "industry", "segment", "region", "tag", "renewal_month", "follow_up",
         "churn_category")  # fmt: skip
PEOPLE = ("csm_id", "ae_id")
NUMBERS = (
    "renewal_within", "score_min", "score_max", "change_max", "churn_min", "churn_max", "no_contact", "quiet",
)  # fmt: skip
AMOUNTS = ("arr_min", "arr_max")
SEVERAL = ("health_status", "tier", "churn_category")
"""Filters that take more than one word, with commas."""
FILTERS = (*TEXTS, *PEOPLE, *NUMBERS, *AMOUNTS)
LONGEST = 200
LARGEST = Decimal(10) ** 12


@dataclass(frozen=True)
class Written:
    """Filters that were read: the fields of a ClientQuery, the same as text, and sentences about what was left out."""

    fields: dict[str, object]
    given: dict[str, str]
    ignored: list[str]


def read_filters(values: Mapping[str, str]) -> Written:
    """Return the filters in `values`. Never fails: what is no number or no id is left out and said in `ignored`.

    Whether words are known is checked with the query as a whole (listing.check).
    """
    given = {name: values[name].strip()[:LONGEST] for name in FILTERS if values.get(name, "").strip()}
    ignored: list[str] = []
    fields: dict[str, object] = {name: given[name] for name in TEXTS if name in given}
    measures = read_measures(values, ignored)
    given |= {name: written(wanted) for name, wanted in measures.items()}
    fields["measures"] = tuple(measures.values())
    for name in NUMBERS:
        if name in given:
            number = whole_number(given[name])
            if number is None:
                ignored.append(f"{name} needs a whole number, not {given.pop(name)!r}.")
            else:
                fields[name] = number
    for name in AMOUNTS:
        if name in given:
            amount = _amount(given[name])
            if amount is None:
                ignored.append(f"{name} needs an amount in dollars, not {given.pop(name)!r}.")
            else:
                fields[name] = amount
    for name in PEOPLE:
        if name in given:
            try:
                fields[name] = UUID(given[name])
            except ValueError:
                ignored.append(f"{name} needs the id of a member of staff, not {given.pop(name)!r}.")
    return Written(fields, given, ignored)


def query_of(values: Mapping[str, str]) -> ClientQuery:
    """Return the query that a saved view keeps; what it can no longer use is left out."""
    read = read_filters(values)
    more = {name: values[name] for name in ("view", "sort") if values.get(name)}
    return ClientQuery(**read.fields, **more)  # type: ignore[arg-type]


def whole_number(text: str) -> int | None:
    """Return a whole number of at most six digits, with or without a minus; None for anything else."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 7 else None


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.replace(",", "").removeprefix("$"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) <= LARGEST else None
