"""Which account an event belongs to when it does not say, and which users of the product are known.

A user's last known account resolves events without one. Events of a user whom nobody assigned yet stay under the empty
account in the lake; once the user's account becomes known, they are moved there.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from django.db import transaction

from bellwether.common.time import day_of, days_between
from bellwether.usage.lake import EVENT_SCHEMA, Lake, write_part
from bellwether.usage.models import PlatformUser

CHUNK = 2_000
UNASSIGNED = ""
KNOWN = {"user_key": pl.String, "known_organization": pl.String}
ROLES = {"organization_id": pl.String, "user_key": pl.String, "known_role": pl.String}


def resolve(events: pl.DataFrame, *, organizations: pl.DataFrame, roles: pl.DataFrame) -> pl.DataFrame:
    """Return `events` with the account and the role filled in where an event does not say them, in the order of time.

    The account is the one of the user's event before, else the last known one (`organizations`: user_key,
    known_organization), else the one of the user's next event. The role is the one of the event before, else the last
    known one (`roles`: organization_id, user_key, known_role); "" stays for a role that was cleared.
    """
    rows = events.sort("ts", maintain_order=True).join(organizations, on="user_key", how="left", maintain_order="left")
    said = pl.when(pl.col("organization_id") != UNASSIGNED).then(pl.col("organization_id"))
    before, after = said.forward_fill().over("user_key"), said.backward_fill().over("user_key")
    guessed = pl.coalesce(before, "known_organization", after, pl.lit(UNASSIGNED))
    account = pl.when(pl.col("user_key").is_null()).then(pl.col("organization_id")).otherwise(guessed)
    rows = rows.with_columns(account.alias("organization_id")).drop("known_organization")
    person = ["organization_id", "user_key"]
    rows = rows.join(roles, on=person, how="left", maintain_order="left")
    role = pl.coalesce(pl.col("role").forward_fill().over(person), "known_role")
    return rows.with_columns(pl.when(pl.col("user_key").is_not_null()).then(role).alias("role")).drop("known_role")


def resolved(events: pl.DataFrame) -> pl.DataFrame:
    """Return `events` resolved by what the database knows of their users; see `resolve`."""
    organizations: dict[str, tuple[str, datetime]] = {}
    roles: list[tuple[str, str, str]] = []
    for user in _users_of(events):
        if user.organization_id != UNASSIGNED:
            latest = organizations.get(user.user_key)
            if latest is None or user.last_seen_at > latest[1]:
                organizations[user.user_key] = (user.organization_id, user.last_seen_at)
        if user.role:
            roles.append((user.organization_id, user.user_key, user.role))
    known = [(key, organization) for key, (organization, _) in organizations.items()]
    return resolve(
        events,
        organizations=pl.DataFrame(known, schema=KNOWN, orient="row"),
        roles=pl.DataFrame(roles, schema=ROLES, orient="row"),
    )


def remember_users(events: pl.DataFrame) -> None:
    """Note the users of the resolved `events`: account, role, whether a service, first and last seen.

    Doing it again changes nothing; an older event does not replace a newer role. A user who was unassigned before and
    has an account now is no longer kept as unassigned: call `assign_earlier_events` first.
    """
    known = {(user.organization_id, user.user_key): user for user in _users_of(events)}
    rows = [_merged(row, known.get((row["organization_id"], row["user_key"]))) for row in _summary(events)]
    assigned = {row.user_key for row in rows if row.organization_id != UNASSIGNED}
    with transaction.atomic():
        PlatformUser.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["organization_id", "user_key"],
            update_fields=["role", "is_service", "first_seen_at", "last_seen_at"],
            batch_size=CHUNK,
        )
        for chunk in _chunks(sorted(assigned)):
            PlatformUser.objects.filter(organization_id=UNASSIGNED, user_key__in=chunk).delete()


def assign_earlier_events(events: pl.DataFrame, *, lake: Lake, zone: ZoneInfo) -> list[date]:
    """Move earlier unassigned events of users whose account the resolved `events` tell to that account.

    Each part of the lake that holds such events is replaced as a whole, so a crash leaves it old or new. Returns the
    days that hold events of these users: they owe new facts. Only under the landing's lock.
    """
    named = events.filter((pl.col("organization_id") != UNASSIGNED) & pl.col("user_key").is_not_null())
    accounts = named.group_by("user_key").agg(account=pl.col("organization_id").sort_by("ts").last())
    waiting = [user for user in _users_of(accounts) if user.organization_id == UNASSIGNED]
    days: set[date] = set()
    for user in waiting:
        days.update(days_between(day_of(user.first_seen_at, zone), day_of(user.last_seen_at, zone)))
    accounts = accounts.filter(pl.col("user_key").is_in([user.user_key for user in waiting]))
    return [day for day in sorted(days) if lake.parts_of(day) and _assign_day(lake, day, accounts)]


def _assign_day(lake: Lake, day: date, accounts: pl.DataFrame) -> bool:
    """Assign the events of one day; tell whether the day holds any event of the users of `accounts`."""
    found = False
    for path, _ in lake.parts_of(day):
        theirs = lake.scan([path]).join(accounts.lazy(), on="user_key", how="semi")
        counts = theirs.select(pl.len().alias("all"), (pl.col("organization_id") == UNASSIGNED).sum().alias("open"))
        total, open_ones = counts.collect().row(0)
        found = found or total > 0
        if open_ones:
            rows = lake.read(path)
            rows = rows.join(accounts, on="user_key", how="left", maintain_order="left")
            mine = (pl.col("organization_id") == UNASSIGNED) & pl.col("account").is_not_null()
            account = pl.when(mine).then(pl.col("account")).otherwise(pl.col("organization_id"))
            rows = rows.with_columns(account.alias("organization_id")).select(EVENT_SCHEMA.names)
            write_part(rows.to_arrow().cast(EVENT_SCHEMA), path)
    return found


def _summary(events: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one row for each (organization_id, user_key) of `events`, ordered, with what they say of the user."""
    people = events.filter(pl.col("user_key").is_not_null()).sort("ts", maintain_order=True)
    rows = people.group_by("organization_id", "user_key").agg(
        first=pl.col("ts").first(),
        last=pl.col("ts").last(),
        role=pl.col("role").drop_nulls().last(),
        is_service=pl.col("is_service").any(),
    )
    assigned = rows.filter(pl.col("organization_id") != UNASSIGNED)
    still_open = rows.filter(pl.col("organization_id") == UNASSIGNED).join(assigned, on="user_key", how="anti")
    return pl.concat([assigned, still_open]).sort("user_key", "organization_id").to_dicts()


def _merged(row: dict[str, Any], known: PlatformUser | None) -> PlatformUser:
    first, last = row["first"].astimezone(UTC), row["last"].astimezone(UTC)
    role, is_service = row["role"], row["is_service"]
    if known is not None:
        if role is None or (last < known.last_seen_at and known.role):
            role = known.role
        first, last = min(first, known.first_seen_at), max(last, known.last_seen_at)
        is_service = is_service or known.is_service
    return PlatformUser(
        organization_id=row["organization_id"],
        user_key=row["user_key"],
        role=role or "",
        is_service=is_service,
        first_seen_at=first,
        last_seen_at=last,
    )


def _users_of(events: pl.DataFrame) -> Iterator[PlatformUser]:
    keys = events["user_key"].drop_nulls().unique().sort().to_list()
    for chunk in _chunks(keys):
        yield from PlatformUser.objects.filter(user_key__in=chunk)


def _chunks(values: list[str]) -> Iterable[list[str]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
