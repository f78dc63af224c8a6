"""Keeps contacts in step with the platform users that they are: their last login, and how engaged they are."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from bellwether.common.time import day_of
from bellwether.portfolio.choices import EngagementStatus
from bellwether.portfolio.models import Contact
from bellwether.usage.calendar import months_between
from bellwether.usage.engagement import LOOK_BACK_DAYS, PERSON, Engagement, engagement
from bellwether.usage.facts import USER_DAYS, facts_path
from bellwether.usage.lake import Lake
from bellwether.usage.people_sources import known_users

BATCH = 500
STATUSES = {
    Engagement.INACTIVE.value: EngagementStatus.INACTIVE.value,
    Engagement.DECLINING.value: EngagementStatus.DECLINING.value,
}


def refresh_contacts(lake: Lake, *, now: datetime, zone: ZoneInfo) -> int:
    """Bring `last_platform_login` and `engagement_status` of all linked contacts up to date; return how many changed.

    A login never moves back: an import may know a later one. Contacts without a link, and those of archived clients,
    are left alone, and so is somebody of whom no use is known. Two queries and one for each 500 changes.
    """
    linked = {
        contact.pk: contact
        for contact in Contact.objects.filter(archived_at__isnull=True, client__archived_at__isnull=True)
        .exclude(user_key="")
        .only("user_key", "last_platform_login", "engagement_status", "client__organization_id")
        .select_related("client")
    }
    if not linked:
        return 0
    people = _people({contact.user_key for contact in linked.values()}, lake, now=now, zone=zone)
    found = {(client, key): (login, status) for client, key, login, status in people.iter_rows()}
    changed = []
    for contact in linked.values():
        login, status = found.get((contact.client.organization_id, contact.user_key), (None, ""))
        if status and _apply(contact, login, STATUSES.get(status, EngagementStatus.ACTIVE.value)):
            changed.append(contact)
    Contact.objects.bulk_update(changed, ["last_platform_login", "engagement_status"], batch_size=BATCH)
    return len(changed)


def _apply(contact: Contact, login: datetime | None, status: str) -> bool:
    before = (contact.last_platform_login, contact.engagement_status)
    if login is not None and (contact.last_platform_login is None or login > contact.last_platform_login):
        contact.last_platform_login = login
    contact.engagement_status = status
    return before != (contact.last_platform_login, contact.engagement_status)


def _people(user_keys: set[str], lake: Lake, *, now: datetime, zone: ZoneInfo) -> pl.DataFrame:
    """Return client, user, last login and status of these users, over all clients, read once."""
    today = day_of(now, zone)
    first = today - timedelta(days=LOOK_BACK_DAYS - 1)
    keys = sorted(user_keys)
    paths = [facts_path(lake, "user_days", month) for month in months_between(first, today)]
    with lake.opened(paths) as files:
        wanted = pl.col("user_key").is_in(keys) & pl.col("date").is_between(first, today)
        days = (
            pl.scan_parquet(files, hive_partitioning=False).filter(wanted).select(list(USER_DAYS)).collect()
            if files
            else pl.DataFrame(schema=USER_DAYS)
        )
    people = engagement(days, today, known=known_users(zone, user_keys=keys))
    return people.select(*PERSON, "last_login_at", "status")
