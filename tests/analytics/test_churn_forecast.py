"""What predictions add up to, worked by hand, and lists of them."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from bellwether.analytics.churn_forecast import coming_quarter, outlook, parts_by, quarter_name, renewal_quarters
from bellwether.analytics.churn_query import ChurnQuery, check, in_scope, listed, page_of
from bellwether.analytics.churn_reading import ROWS
from bellwether.common.errors import InvalidInputError

pytestmark = pytest.mark.one_database

TODAY = date(2026, 11, 21)
JANE = UUID(int=1)


def row(name: str, p90: float | None, arr: float | None = 100.0, **fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(ROWS) | {
        "key": name.lower(), "name": name, "organization_id": f"org-{name.lower()}", "tier": "STARTER",
        "industry": "Retail", "arr": arr, "reason": "", "csm": "",
    }  # fmt: skip
    if p90 is not None:
        for column, p in (("p30", p90 / 3), ("p60", p90 / 2), ("p90", p90)):
            values |= {column: p, f"{column}_low": p, f"{column}_high": p}
        values |= {
            "as_of": TODAY, "category": "HIGH" if p90 > 0.5 else "MEDIUM" if p90 >= 0.2 else "LOW",
            "precision": "FIGURE", "precision_reason": "",
        }  # fmt: skip
    return values | fields


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=ROWS)


BOOK = frame(
    row("Ash", 0.6, 1000.0), row("Birch", 0.3, 2000.0, tier="ENTERPRISE"), row("Cedar", 0.1, None), row("Dogwood", None)
)


def test_sums_by_category_and_in_all() -> None:
    found = outlook(BOOK, TODAY)
    assert (found.clients, found.predicted) == (4, 3)
    assert {word: (part.clients, part.arr, part.expected) for word, part in found.by_category.items()} == {
        "HIGH": (1, 1000.0, 600.0), "MEDIUM": (1, 2000.0, 600.0), "LOW": (1, 0.0, 0.0)
    }  # fmt: skip
    assert found.loss is not None
    assert (found.loss.arr.mean, found.loss.whole) == (1200.0, 3000.0)
    assert found.loss.clients.mean == pytest.approx(1.0)
    assert found.loss.nobody == pytest.approx(0.4 * 0.7 * 0.9)


def test_nothing_predicted_foretells_nothing() -> None:
    found = outlook(frame(row("Dogwood", None)), TODAY)
    assert (found.loss, found.quarter, found.is_band) == (None, None, False)


def test_a_sum_is_a_band_where_most_of_it_rests_on_bands() -> None:
    thin = {"precision": "BAND", "precision_reason": "Too thin"}
    assert outlook(frame(row("Ash", 0.2, 100.0, **thin), row("Birch", 0.2, 90.0)), TODAY).is_band
    assert not outlook(frame(row("Ash", 0.2, 90.0, **thin), row("Birch", 0.2, 100.0)), TODAY).is_band


@pytest.mark.parametrize(
    ("today", "first", "last", "name"),
    [
        (date(2026, 11, 21), date(2027, 1, 1), date(2027, 3, 31), "Q1 2027"),
        (date(2027, 1, 1), date(2027, 4, 1), date(2027, 6, 30), "Q2 2027"),
        (date(2027, 9, 30), date(2027, 10, 1), date(2027, 12, 31), "Q4 2027"),
    ],
    ids=["November", "New Year", "September"],
)
def test_the_coming_calendar_quarter(today: date, first: date, last: date, name: str) -> None:
    assert coming_quarter(today) == (first, last)
    assert quarter_name(first) == name


def test_the_calendar_quarter_goes_on_with_the_last_hazard() -> None:
    """A tenth of those left goes in every 30 days; 1 January is day 41, 31 March day 130."""
    even = row("Ash", 0.271, 1000.0, p30=0.1, p30_low=0.1, p30_high=0.1, p60=0.19, p60_low=0.19, p60_high=0.19)
    found = outlook(frame(even), TODAY)
    assert found.quarter is not None
    assert found.quarter.arr.mean == pytest.approx(1000 * (0.9 ** (40 / 30) - 0.9 ** (130 / 30)))


def test_renewals_by_quarter() -> None:
    soon, later = TODAY + timedelta(days=20), date(2027, 7, 5)
    risk = {"renewal_risk": 0.25, "renewal_low": 0.25, "renewal_high": 0.25}
    found = renewal_quarters(
        frame(
            row("Ash", 0.1, 1000.0, renewal=soon, renewal_on=soon - timedelta(days=1), **risk),
            row("Birch", 0.1, 400.0, renewal=soon, renewal_on=soon - timedelta(days=30), **risk),
            row("Cedar", 0.1, 600.0, renewal=later, renewal_on=later, **risk),
            row("Dogwood", None, renewal=TODAY - timedelta(days=1)),
        ),
        TODAY,
    )
    assert [one.name for one in found] == ["Q4 2026", "Q1 2027", "Q2 2027", "Q3 2027"]
    assert [(one.clients, one.arr, one.known, one.far) for one in found] == [
        (2, 1400.0, 1000.0, 0.0), (0, 0.0, 0.0, 0.0), (0, 0.0, 0.0, 0.0), (1, 600.0, 600.0, 600.0)
    ]  # fmt: skip
    assert found[0].first == TODAY
    assert [one.loss.arr.mean if one.loss else None for one in found] == [250.0, None, None, 150.0]


def test_by_tier() -> None:
    assert {tier: part.clients for tier, part in parts_by(BOOK, "tier").items()} == {"ENTERPRISE": 1, "STARTER": 2}


NAMES: list[tuple[ChurnQuery, list[str]]] = [
    (ChurnQuery(), ["Ash", "Birch", "Cedar"]),
    (ChurnQuery(sort="risk"), ["Cedar", "Birch", "Ash"]),
    (ChurnQuery(sort="-loss"), ["Birch", "Ash", "Cedar"]),
    (ChurnQuery(sort="arr"), ["Ash", "Birch", "Cedar"]),
    (ChurnQuery(category="HIGH,LOW"), ["Ash", "Cedar"]),
    (ChurnQuery(tier="ENTERPRISE"), ["Birch"]),
    (ChurnQuery(search="ORG-C"), ["Cedar"]),
    (ChurnQuery(search="("), []),
]


@pytest.mark.parametrize(("query", "names"), NAMES, ids=[str(place) for place in range(len(NAMES))])
def test_filters_and_order(query: ChurnQuery, names: list[str]) -> None:
    book = BOOK.with_columns((pl.col("p90") * pl.when(pl.col("name") == "Birch").then(1.01).otherwise(1)).alias("p90"))
    assert listed(in_scope(book, query, TODAY), query)["name"].to_list() == names


def test_filters_by_person_and_renewal() -> None:
    book = frame(
        row("Ash", 0.1, csm=JANE.hex, renewal=TODAY), row("Birch", 0.1, renewal=TODAY + timedelta(days=31)),
        row("Cedar", 0.1, renewal=TODAY - timedelta(days=1)),
    )  # fmt: skip
    assert in_scope(book, ChurnQuery(csm_id=JANE), TODAY)["name"].to_list() == ["Ash"]
    assert in_scope(book, ChurnQuery(renewal_within=30), TODAY)["name"].to_list() == ["Ash"]
    assert in_scope(book, ChurnQuery(renewal_within=31), TODAY)["name"].to_list() == ["Ash", "Birch"]


def test_pages() -> None:
    page = page_of(BOOK, 9, 3)
    assert (page.page, page.pages, page.total, page.rows["name"].to_list()) == (2, 2, 4, ["Dogwood"])


def test_every_wrong_word_is_named() -> None:
    with pytest.raises(InvalidInputError) as caught:
        check(ChurnQuery(category="HIGH,huge", tier="x", sort="-size", renewal_within=-1, limit=0, page=0))
    assert set(caught.value.errors) == {"category", "tier", "sort", "renewal_within", "limit", "page"}
