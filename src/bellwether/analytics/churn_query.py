"""Which clients of a churn list are asked for, in which order, and one page of them. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from uuid import UUID

import polars as pl

from bellwether.churn.choices import Category
from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.choices import ContractTier

MOST_PER_PAGE = 200
MOST_DAYS = 3650
DEFAULT_SORT = "-risk"
SORTS: dict[str, pl.Expr] = {
    "risk": pl.col("p90"),
    "p30": pl.col("p30"),
    "p60": pl.col("p60"),
    "loss": pl.col("p90") * pl.col("arr"),
    "change": pl.col("change"),
    "arr": pl.col("arr"),
    "renewal": pl.col("renewal"),
    "renewal_risk": pl.col("renewal_risk"),
    "name": pl.col("name").str.to_lowercase(),
    "csm": pl.concat_str(["csm_first", "csm_last"], separator=" ", ignore_nulls=True).str.to_lowercase(),
}
"""What a list can be ordered by; "loss" is probability x ARR."""


@dataclass(frozen=True)
class ChurnQuery:
    """What to list; filters that are given must all hold.

    `category`: LOW, MEDIUM or HIGH; it and `tier` take several words with commas. `renewal_within`: days from today,
    both ends included. `search`: in name and organisation id. `sort`: one of SORTS, with "-" in front for descending;
    clients without the value come last either way. `page` counts from 1.
    """

    category: str = ""
    tier: str = ""
    industry: str = ""
    csm_id: UUID | None = None
    renewal_within: int | None = None
    search: str = ""
    sort: str = DEFAULT_SORT
    page: int = 1
    limit: int = 50


@dataclass(frozen=True)
class ChurnPage:
    """One page: ROWS. `page` is the page shown, the last one if a later one was asked for."""

    rows: pl.DataFrame
    total: int
    page: int
    pages: int


def check(query: ChurnQuery) -> None:
    """Raise InvalidInputError, with the field, for a word or number that cannot be used."""
    errors: dict[str, str] = {}
    for field, text, known in (
        ("category", query.category, Category.values),
        ("tier", query.tier, ContractTier.values),
        ("sort", query.sort.removeprefix("-"), list(SORTS)),
    ):
        wrong = [word for word in text.split(",") if word not in known] if text else []
        if wrong:
            errors[field] = f"{wrong[0]!r} is not known. Use one of {', '.join(known)}."
    if query.renewal_within is not None and not 0 <= query.renewal_within <= MOST_DAYS:
        errors["renewal_within"] = f"Give 0 to {MOST_DAYS} days."
    if not 1 <= query.limit <= MOST_PER_PAGE:
        errors["limit"] = f"A page holds 1 to {MOST_PER_PAGE} clients."
    if query.page < 1:
        errors["page"] = "Pages count from 1."
    if errors:
        raise InvalidInputError("The list cannot be made: " + " ".join(errors.values()), errors)


def in_scope(rows: pl.DataFrame, query: ChurnQuery, today: date) -> pl.DataFrame:
    """Return the rows that all filters but the category let through: what sums are about."""
    wanted = [pl.lit(value=True)]
    if query.tier:
        wanted.append(pl.col("tier").is_in(query.tier.split(",")))
    if query.industry:
        wanted.append(pl.col("industry") == query.industry)
    if query.csm_id is not None:
        wanted.append(pl.col("csm") == query.csm_id.hex)
    if query.renewal_within is not None:
        wanted.append(pl.col("renewal").is_between(today, today + timedelta(days=query.renewal_within)))
    if query.search:
        text = query.search.lower()
        named = [pl.col(column).str.to_lowercase().str.contains(text, literal=True) for column in _SEARCHED]
        wanted.append(pl.any_horizontal(named))
    return rows.filter(pl.all_horizontal(wanted))


_SEARCHED = ("name", "organization_id")


def listed(rows: pl.DataFrame, query: ChurnQuery) -> pl.DataFrame:
    """Return the predicted rows of the category asked for, in the order asked for; ties by ARR, then name."""
    found = rows.filter(pl.col("as_of").is_not_null())
    if query.category:
        found = found.filter(pl.col("category").is_in(query.category.split(",")))
    return ordered(found, SORTS[query.sort.removeprefix("-")], descending=query.sort.startswith("-"))


def ordered(rows: pl.DataFrame, by: pl.Expr, *, descending: bool) -> pl.DataFrame:
    """Return `rows` in order, those without the value last; ties by ARR, then name."""
    return rows.sort([by, pl.col("arr"), "name", "key"], descending=[descending, True, False, False], nulls_last=True)


def page_of(rows: pl.DataFrame, page: int, limit: int) -> ChurnPage:
    """Return one page of `rows`."""
    pages = max(1, ceil(rows.height / limit))
    shown = min(page, pages)
    return ChurnPage(rows.slice((shown - 1) * limit, limit), rows.height, shown, pages)
