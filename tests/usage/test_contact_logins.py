"""Linked contacts follow their platform users: last login and engagement, in few statements."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bellwether.common.jobs import run_job
from bellwether.common.models import JobRun, JobState
from bellwether.portfolio.models import Client, Contact
from bellwether.usage import people_jobs
from bellwether.usage.contact_logins import refresh_contacts
from bellwether.usage.lake import Lake
from bellwether.usage.models import PlatformUser
from tests.conftest import NOW, TODAY, Clients
from tests.usage.people_cast import cast_days, day_row, key, noon, put_days

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("UTC")


def contact(client: Client, user_key: str, **fields: Any) -> Contact:
    made: Contact = Contact.objects.create(client=client, name=user_key[:4], user_key=user_key, **fields)
    return made


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


class TestRefresh:
    def test_tells_login_and_engagement_of_each_linked_contact(self, clients: Clients, lake: Lake) -> None:
        put_days(lake, cast_days("sturdy", TODAY))
        made = {n: contact(clients.sturdy, key(n)) for n in (0x4C19, 0x71E5, 0x5E1F)}
        assert refresh_contacts(lake, now=NOW, zone=ZONE) == 3
        for one in made.values():
            one.refresh_from_db()
        assert [(one.last_platform_login, one.engagement_status) for one in made.values()] == [
            (noon(ago(0)), "ACTIVE"),
            (noon(ago(5)), "DECLINING"),
            (noon(ago(21)), "INACTIVE"),
        ]
        assert refresh_contacts(lake, now=NOW, zone=ZONE) == 0

    def test_never_moves_a_login_back(self, clients: Clients, lake: Lake) -> None:
        put_days(lake, cast_days("sturdy", TODAY))
        later = noon(ago(20))
        mara = contact(clients.sturdy, key(0x5E1F), last_platform_login=later)
        refresh_contacts(lake, now=NOW, zone=ZONE)
        mara.refresh_from_db()
        assert mara.last_platform_login == later

    def test_a_user_of_the_same_key_elsewhere_is_somebody_else(self, clients: Clients, lake: Lake) -> None:
        put_days(lake, [day_row("elsewhere", key(1), TODAY)])
        mara = contact(clients.sturdy, key(1))
        assert refresh_contacts(lake, now=NOW, zone=ZONE) == 0
        mara.refresh_from_db()
        assert (mara.last_platform_login, mara.engagement_status) == (None, None)

    def test_somebody_who_came_long_ago_is_inactive(self, clients: Clients, lake: Lake) -> None:
        PlatformUser.objects.create(
            organization_id="sturdy", user_key=key(1), first_seen_at=noon(ago(400)), last_seen_at=noon(ago(200))
        )
        mara = contact(clients.sturdy, key(1))
        refresh_contacts(lake, now=NOW, zone=ZONE)
        mara.refresh_from_db()
        assert (mara.last_platform_login, mara.engagement_status) == (noon(ago(200)), "INACTIVE")

    def test_leaves_others_alone(self, clients: Clients, lake: Lake) -> None:
        put_days(lake, cast_days("sturdy", TODAY) + cast_days("gone", TODAY))
        contact(clients.sturdy, "")
        contact(clients.sturdy, key(0x4C19), archived_at=NOW)
        contact(clients.gone, key(0x4C19))
        assert refresh_contacts(lake, now=NOW, zone=ZONE) == 0

    def test_takes_a_fixed_number_of_queries(self, clients: Clients, lake: Lake) -> None:
        users = [key(n + 1) for n in range(60)]
        put_days(lake, [day_row("sturdy", user, TODAY) for user in users])
        for user in users:
            contact(clients.sturdy, user)
        with CaptureQueriesContext(connection) as taken:
            assert refresh_contacts(lake, now=NOW, zone=ZONE) == 60
        sent = [query["sql"].split(" ", 1)[0] for query in taken.captured_queries]
        assert [verb for verb in sent if verb in {"SELECT", "UPDATE"}] == ["SELECT", "SELECT", "UPDATE"]


class TestJob:
    def run(self, now: datetime) -> bool:
        before = JobRun.objects.filter(name=people_jobs.NAME).count()
        run_job(people_jobs.NAME, now=now)
        return JobRun.objects.filter(name=people_jobs.NAME).count() > before

    def test_looks_after_a_rollup_and_once_an_hour(self, clients: Clients, lake: Lake) -> None:
        assert self.run(NOW)
        assert not self.run(NOW + timedelta(minutes=5))
        finished = NOW + timedelta(minutes=6)
        JobRun.objects.create(name="rollup", state=JobState.DONE, created_at=finished, finished_at=finished)
        assert self.run(NOW + timedelta(minutes=7))
        assert not self.run(NOW + timedelta(minutes=8))
        assert self.run(NOW + timedelta(minutes=68))
