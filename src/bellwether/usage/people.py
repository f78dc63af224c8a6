"""The people at a client, as pages and the API show them: engagement, linked contacts, what they mainly do.

Platform users are pseudonyms with a role; a name appears only where a contact is linked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

import polars as pl
from django.core.cache import BaseCache
from polars._typing import PolarsDataType

from bellwether.common.time import day_of
from bellwether.portfolio.choices import ContactRole
from bellwether.portfolio.models import Client
from bellwether.usage.calendar import months_between
from bellwether.usage.client_user_days import ClientUserDays
from bellwether.usage.engagement import (
    HALVED,
    LOOK_BACK_DAYS,
    NOTABLE_ACTIONS,
    Engagement,
    activity_levels,
    engagement,
)
from bellwether.usage.facts import INSTANT, facts_path
from bellwether.usage.lake import Lake
from bellwether.usage.people_sources import LinkedContact, known_users, linked_contacts

KEPT_SECONDS = 60
DRAWN: dict[str, PolarsDataType] = {
    "user_key": pl.Categorical(),
    "date": pl.Date(),
    "actions": pl.Int32(),
    "sessions": pl.Int32(),
    "is_service": pl.Boolean(),
}
"""What is kept of the user-days to draw them: a third of their size."""

SEGMENTS = ("all", "stakeholders", "inactive", "champions", "potential", "declining")
SORTS = ("name", "role", "last_login", "sessions", "actions", "active_days", "status", "rank")
DEFAULT_SORT = "-sessions"
STATUS_ORDER = {status: place for place, status in enumerate(("rising", "active", "new", "declining", "inactive"))}


@dataclass(frozen=True, kw_only=True)
class Person:
    """A row of PEOPLE (usage.engagement). `name` is that of the contact, else the pseudonym; `levels` are the last 30
    days, 0-5."""

    user_key: str
    name: str
    pseudonym: str
    role: str
    first_seen: date
    last_login: date | None
    last_login_at: datetime | None
    days_since_login: int | None
    sessions: int
    actions: int
    actions_before: int
    active_days: int
    minutes: float
    status: Engagement
    rank: int | None
    is_champion: bool
    is_potential_champion: bool
    is_power_user: bool
    contact: LinkedContact | None
    levels: list[int]

    @property
    def is_stakeholder_inactive(self) -> bool:
        """Whether this is a key contact who has not logged in for 14 days or more (KEY_USER_INACTIVE)."""
        return self.contact is not None and self.contact.is_key and self.status == Engagement.INACTIVE

    @property
    def is_champion_at_risk(self) -> bool:
        """Whether this is a linked champion, still there, with under half the actions of the 30 days before
        (CHAMPION_RISK); fewer than 10 before are too few to say."""
        linked = self.contact is not None and self.contact.is_key and self.contact.role == ContactRole.CHAMPION
        fallen = self.actions_before >= NOTABLE_ACTIONS and self.actions < HALVED * self.actions_before
        return linked and fallen and self.status == Engagement.DECLINING


@dataclass(frozen=True)
class Asked:
    """Which people are wanted: a segment of SEGMENTS, words of a name, a sort of SORTS ("-": descending), a page."""

    segment: str = "all"
    search: str = ""
    sort: str = DEFAULT_SORT
    page: int = 1
    limit: int = 50
    status: str = ""


@dataclass(frozen=True)
class PeoplePage:
    """One page: its rows, how many match, how many there are in each segment, and who is missed.

    `quiet` are the key contacts linked to somebody without a login for 14 days or more, `at_risk` the champions whose
    use has halved; `active` counts those with an action in 30 days.
    """

    rows: list[Person]
    total: int
    page: int
    pages: int
    counts: Mapping[str, int]
    active: int
    quiet: list[Person]
    at_risk: list[Person]


@dataclass(frozen=True)
class People:
    """All people of one client at one time: `frame` is PEOPLE with `name`, `is_key`, `link` (place in `contacts`)."""

    frame: pl.DataFrame
    user_days: pl.DataFrame
    contacts: list[LinkedContact]
    today: date

    def page(self, asked: Asked) -> PeoplePage:
        """Return the page asked for; one beyond the last is the last."""
        frame = self.frame
        conditions = segment_conditions()
        counts = frame.select(**{name: condition.sum() for name, condition in conditions.items()}).row(0, named=True)
        found = frame.filter(conditions[asked.segment])
        if asked.status:
            found = found.filter(pl.col("status") == asked.status)
        if asked.search.strip():
            found = found.filter(_matches(asked.search))
        pages = max(1, -(-found.height // asked.limit))
        page = min(asked.page, pages)
        rows = _sorted(found, asked.sort).slice((page - 1) * asked.limit, asked.limit)
        watched = {Engagement.INACTIVE.value, Engagement.DECLINING.value}
        key_people = self.persons(
            frame.filter(pl.col("is_key") & pl.col("status").is_in(watched)).sort("name"), levels=False
        )
        return PeoplePage(
            rows=self.persons(rows),
            total=found.height,
            page=page,
            pages=pages,
            counts=counts,
            active=int((frame["actions"] > 0).sum()),
            quiet=[person for person in key_people if person.is_stakeholder_inactive],
            at_risk=[person for person in key_people if person.is_champion_at_risk],
        )

    def one(self, user_key: str) -> Person | None:
        """Return the person with that pseudonym, or None."""
        found = self.persons(self.frame.filter(pl.col("user_key") == user_key))
        return found[0] if found else None

    def persons(self, rows: pl.DataFrame, *, levels: bool = True) -> list[Person]:
        """Return the rows of `frame` as persons, in their order."""
        keys = rows["user_key"].to_list()
        drawn = activity_levels(self.user_days, keys, self.today) if levels and keys else {}
        shown = rows.drop("organization_id", "is_key", "text", "is_linked_champion")
        return [
            Person(
                **{k: v for k, v in row.items() if k not in {"link", "status"}},
                status=Engagement(row["status"]),
                contact=None if row["link"] is None else self.contacts[row["link"]],
                levels=drawn.get(row["user_key"], []),
            )
            for row in shown.iter_rows(named=True)
        ]


def people_of(
    client: Client,
    *,
    lake: Lake,
    today: date,
    zone: ZoneInfo,
    cache: BaseCache,
    user_days: ClientUserDays | None = None,
) -> People:
    """Return the people of `client` in two queries, as of `today`, or of the day on which it was archived.

    Their use is kept until the facts change, at most KEPT_SECONDS; who is linked to a contact is as of now. `user_days`
    are those of the client, where the page reads them for other things too; if they are without instants, nobody's
    `last_login_at` is known.
    """
    use = user_days or ClientUserDays(lake, client.organization_id, instants=True)
    today = last_day_of(client, today, zone)
    key = f"people:{client.pk}:{today}:{_version(lake, today)}:{use.instants}"
    kept: tuple[pl.DataFrame, pl.DataFrame] | None = cache.get(key)
    if kept is None:
        kept = _measured(client.organization_id, use, today, zone)
        cache.set(key, kept, KEPT_SECONDS)
    frame, drawn = kept
    contacts, links = linked_contacts(client, today, zone)
    named = frame.join(links, on="user_key", how="left", maintain_order="left").with_columns(
        name=pl.coalesce("contact_name", "pseudonym"),
        is_key=pl.col("is_key").fill_null(False),
        is_linked_champion=pl.col("is_linked_champion").fill_null(False),
    )
    named = named.with_columns(
        is_potential_champion=pl.col("is_potential_champion") & ~pl.col("is_linked_champion"),
        text=pl.concat_str("name", pl.lit(" "), "user_key").str.to_lowercase(),
    )
    return People(named.drop("contact_name"), drawn, contacts, today)


def last_day_of(client: Client, today: date, zone: ZoneInfo) -> date:
    """Return the day as of which the client's people are shown: today, or the day on which it was archived."""
    return today if client.archived_at is None else min(today, day_of(client.archived_at, zone))


def pseudonyms(keys: pl.Expr) -> pl.Expr:
    """Return what pages call each of the distinct `keys`: "User 4C19", or with eight digits where four are not enough
    to tell the users of a client apart."""
    digits = keys.str.to_uppercase()
    short = digits.str.slice(0, 4)
    told = pl.when(short.is_duplicated()).then(digits.str.slice(0, 8)).otherwise(short)
    return pl.concat_str(pl.lit("User "), told)


def pseudonym_name(user_key: str) -> str:
    """Return what pages call a user who is not told apart from others: "User 4C19"; see `pseudonyms`."""
    return f"User {user_key[:4].upper()}"


def days_of(people: People, user_key: str) -> pl.DataFrame:
    """Return the user-days of one person in the last LOOK_BACK_DAYS days, ascending by date."""
    return people.user_days.filter((pl.col("user_key") == user_key) & ~pl.col("is_service")).sort("date")


def segment_conditions() -> dict[str, pl.Expr]:
    """Return for each of SEGMENTS which rows of People.frame are in it."""
    status = pl.col("status")
    return {
        "all": pl.col("user_key").is_not_null(),
        "stakeholders": pl.col("link").is_not_null(),
        "inactive": status == Engagement.INACTIVE.value,
        "champions": pl.col("is_champion"),
        "potential": pl.col("is_potential_champion"),
        "declining": status == Engagement.DECLINING.value,
    }


def _matches(search: str) -> pl.Expr:
    """Return which rows hold every word of `search` in name or pseudonym."""
    words = search.lower().split()
    return pl.all_horizontal(pl.col("text").str.contains(word, literal=True) for word in words)


def _sorted(rows: pl.DataFrame, sort: str) -> pl.DataFrame:
    word, descending = sort.removeprefix("-"), sort.startswith("-")
    order: Sequence[pl.Expr | str] = {
        "name": [pl.col("link").is_null(), pl.col("text")],
        "status": [pl.col("status").replace_strict(STATUS_ORDER, return_dtype=pl.Int32)],
    }.get(word, [word])
    ways = [False, descending] if word == "name" else [descending] * len(order)
    # Ties go to the more engaged, the later seen, then to the pseudonym, so that pages never overlap.
    ties = [pl.col("rank"), pl.col("last_login"), pl.col("user_key")]
    return rows.sort([*order, *ties], descending=[*ways, False, True, False], nulls_last=True)


def _version(lake: Lake, today: date) -> str:
    """Return what changes with the facts that are read; nothing for a lake that would have to be asked over a network,
    whose people are as old as KEPT_SECONDS says."""
    if lake.is_remote:
        return ""
    months = months_between(today - timedelta(days=LOOK_BACK_DAYS - 1), today)
    stamps = [lake.stamp(facts_path(lake, "user_days", month)) for month in months]
    return blake2b(repr(stamps).encode(), digest_size=8).hexdigest()


def _measured(
    organization_id: str, use: ClientUserDays, today: date, zone: ZoneInfo
) -> tuple[pl.DataFrame, pl.DataFrame]:
    user_days = use.between(today - timedelta(days=LOOK_BACK_DAYS - 1), today)
    read = user_days if use.instants else user_days.with_columns(last_ts=pl.lit(None, INSTANT))
    frame = engagement(read, today, known=known_users(zone, organization_id=organization_id))
    if not use.instants:
        frame = frame.with_columns(last_login_at=pl.lit(None, INSTANT))
    frame = frame.with_columns(pseudonym=pseudonyms(pl.col("user_key")))
    return frame, user_days.select(*[pl.col(name).cast(dtype) for name, dtype in DRAWN.items()])
