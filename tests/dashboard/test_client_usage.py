"""The usage tab of a client, as staff get it."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.usage.daily_facts import back, keep_events, keep_people, keep_user_day

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()


def steady(working: int, weekend: int = 1, days: int = 200, last: date = TODAY) -> dict[date, int]:
    return {day: working if day.isoweekday() <= 5 else weekend for day in back(last, days)}


@pytest.fixture
def used(lake: Lake, clients: Clients) -> Client:
    """The sturdy client: 10 people on working days, 20 in the week, 30 in the month, for 200 days."""
    keep_people(lake, "sturdy", steady(10), wau=20, mau=30)
    keep_user_day(lake, "sturdy", "u1", TODAY, role="Analyst", sessions=2)
    keep_events(lake, "sturdy", TODAY, "Case Created", 4, module="Case Management")
    return clients.sturdy


def get(user: StaffUser, client: Client, query: str = "", name: str = "client_usage", **headers: Any) -> Any:
    browser = Browser()
    browser.force_login(user)
    return browser.get(reverse(name, args=[client.pk]) + query, headers=headers)


def text_of(response: Any) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


class TestPage:
    def test_shows_figures_baseline_and_change(self, used: Client, staff: Staff, lake: Lake) -> None:
        people = steady(10) | {day: 4 for day in back(TODAY, 7) if day.isoweekday() <= 5}
        keep_people(lake, "elsewhere", people, wau=20, mau=30)
        page = text_of(get(staff.vera, Client.objects.get(organization_id="elsewhere"), "?range=7"))
        # five working days with 4 people each, against 10 in the 90 days before
        assert "Daily active users 4 today so far 4 down 60% baseline 10" in page
        assert "Weekly active users 20" in page
        assert "Monthly active users 30" in page
        assert "Session length 10.0 min" in page
        assert "Actions per session 3.0" in page
        assert "Power users 6" in page

    def test_shows_hours_roles_activity_and_time_zone(self, used: Client, staff: Staff) -> None:
        page = text_of(get(staff.ada, used))
        assert "Busiest: Monday 09:00 to 10:00" in page  # five of both in June, Monday is the earlier one
        assert "UTC, the workspace's time zone" in page
        assert "Analyst 1" in page
        assert "Usage to 12:00" in page
        cases = text_of(get(staff.ada, used, "?show=cases"))
        assert "Cases per day" in cases
        assert "Total cases 4" in cases
        assert "Peak day Tue 30 Jun" in cases

    @pytest.mark.parametrize(
        ("preset", "series"),
        [
            ("ethico", ["Sessions", "Cases", "Campaign responses", "Actions"]),
            ("operations", ["Logins", "Cases", "Campaign responses", "Actions"]),
            ("suppliers", ["Logins", "Forms", "Journeys", "Actions"]),
        ],
    )
    def test_the_bars_show_what_the_preset_counts(
        self, used: Client, staff: Staff, settings: Any, preset: str, series: list[str]
    ) -> None:
        settings.BELLWETHER_PRESET = preset
        page = get(staff.ada, used).content.decode()
        shown = re.search(r'aria-label="What the bars show">(.*?)</div>', page, re.DOTALL)
        assert shown
        assert re.findall(r">([^<]+)</a>", shown[1]) == series

    def test_marks_an_unusual_day_with_what_was_expected(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        people = steady(20)
        people[TODAY - timedelta(days=7)] = 2
        keep_people(lake, "sturdy", people, wau=30, mau=40)
        response = get(staff.ada, clients.sturdy)
        page = text_of(response)
        assert "Tue 23 Jun Fewer than expected 2 people came; 10 to 34 were expected" in page
        assert 'class="unusual"' in response.content.decode()

    def test_names_a_holiday_instead(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        people = steady(20)
        people[date(2026, 5, 25)] = 0
        keep_people(lake, "sturdy", people, wau=30, mau=40)
        Client.objects.filter(pk=clients.sturdy.pk).update(country="DE")
        page = text_of(get(staff.ada, clients.sturdy, "?range=90"))
        assert "Pentecost Monday, a public holiday of the client's country. Nobody came" in page
        assert "Fewer than expected" not in page

    def test_a_long_range_is_drawn_in_weeks(self, used: Client, staff: Staff) -> None:
        page = text_of(get(staff.ada, used, "?range=365"))
        assert "Sessions per week" in page
        assert "The first event of this client is of 13 Dec 2025" in page

    def test_compares_with_what_was_chosen(self, used: Client, staff: Staff, lake: Lake) -> None:
        for number in range(5):
            Client.objects.create(
                organization_id=f"peer-{number}", name=f"Peer {number}", contract_tier=used.contract_tier
            )
            keep_people(lake, f"peer-{number}", steady(20 + 10 * number), mau=90)
        everything = text_of(get(staff.vera, used, "?compare=best"))
        assert "down 83% Best of Enterprise 60" in everything
        assert "Enterprise average 5 clients" in everything
        own = text_of(get(staff.ada, used, "?compare=best"))
        assert "down 80% Upper quartile of Enterprise 50" in own
        assert "Best of" not in own

    def test_says_that_no_client_sends_events(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        keep_people(lake, "sturdy", steady(10, last=TODAY - timedelta(days=5)))
        assert "No events from any client since 25 Jun, 5 days ago" in text_of(get(staff.ada, clients.sturdy))

    def test_a_client_without_usage_says_so(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        response = get(staff.ada, clients.newborn)
        assert response.status_code == 200
        assert "No event of this client has arrived yet" in text_of(response)

    def test_an_archived_client_ends_on_its_last_day(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        keep_people(lake, "gone", steady(10, last=date(2026, 5, 1)), mau=12)
        page = text_of(get(staff.ada, clients.gone))
        assert "Active users, 2 Apr to 1 May" in page
        assert "Daily active users 10 baseline" not in page
        assert "No events from any client since 1 May" in page

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("?start=2026-13-01", "is not a date"),
            ("?start=2026-06-20&end=2026-06-10", "is after the end"),
            ("?end=2027-01-01", "is after today"),
        ],
        ids=["no date", "backwards", "future"],
    )
    def test_dates_that_cannot_be_used_are_told_at_their_field(
        self, used: Client, staff: Staff, query: str, words: str
    ) -> None:
        response = get(staff.ada, used, query)
        assert response.status_code == 200
        assert words in text_of(response)
        assert 'aria-invalid="true"' in response.content.decode()

    def test_unknown_choices_are_the_usual_ones(self, used: Client, staff: Staff) -> None:
        page = text_of(get(staff.ada, used, "?range=12&compare=moon&show=nothing"))
        assert "Active users, 1 Jun to 30 Jun" in page

    def test_a_swap_gets_the_figures_only(self, used: Client, staff: Staff) -> None:
        response = get(staff.ada, used, "?range=7", **{"HX-Request": "true", "HX-Target": "usage"})
        assert response.content.decode().strip().startswith('<div class="usage"')

    def test_others_clients_do_not_exist(self, used: Client, staff: Staff) -> None:
        for name in ("client_usage", "client_usage_live", "client_usage_export"):
            assert get(staff.cleo, used, name=name).status_code == 404

    def test_is_written_down_once(self, used: Client, staff: Staff) -> None:
        get(staff.ada, used, "?range=7")
        (row,) = AuditEvent.objects.filter(action="client.usage")
        assert (row.actor, row.client_id) == (staff.ada.email, used.pk)
        assert row.detail == {"from": "2026-06-24", "to": "2026-06-30"}

    def test_queries_do_not_grow_with_clients(self, used: Client, staff: Staff, lake: Lake) -> None:
        def count() -> int:
            caches["memory"].clear()
            browser = Browser()
            browser.force_login(staff.vera)
            with CaptureQueriesContext(connection) as queries:
                browser.get(reverse("client_usage", args=[used.pk]))
            return len(queries)

        count()
        before = count()
        for number in range(8):
            Client.objects.create(organization_id=f"more-{number}", name=f"More {number}", contract_tier="STARTER")
            keep_people(lake, f"more-{number}", steady(5))
        assert count() == before


class TestLive:
    def version(self, user: StaffUser, client: Client) -> str:
        found = re.search(r"version=([0-9a-f]+)", get(user, client).content.decode())
        assert found
        return found[1]

    def test_nothing_new_answers_without_content_and_is_not_written_down(self, used: Client, staff: Staff) -> None:
        version = self.version(staff.ada, used)
        response = get(staff.ada, used, f"?version={version}", "client_usage_live")
        assert (response.status_code, response.content) == (204, b"")
        assert not AuditEvent.objects.filter(action="client.usage_live").exists()

    def test_nothing_is_read_while_no_fact_changes(
        self, used: Client, staff: Staff, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = re.search(r"facts=([0-9a-f]+)", get(staff.ada, used).content.decode())
        assert found
        monkeypatch.setattr("bellwether.dashboard.client_usage_page.usage_of", None)
        assert get(staff.ada, used, f"?facts={found[1]}", "client_usage_live").status_code == 204

    def test_a_new_event_answers_with_the_figures(self, used: Client, staff: Staff, lake: Lake) -> None:
        version = self.version(staff.ada, used)
        at = datetime(2026, 6, 30, 11, 59, tzinfo=UTC)
        keep_events(lake, "sturdy", TODAY, "Case Closed", 1, last_ts=at + timedelta(minutes=1))
        for _ in range(2):
            response = get(staff.ada, used, f"?version={version}", "client_usage_live")
            assert response.status_code == 200
            assert 'id="usage"' in response.content.decode()
        assert AuditEvent.objects.filter(action="client.usage_live").count() == 1

    def test_events_of_other_clients_are_nothing_new(self, used: Client, staff: Staff, lake: Lake) -> None:
        version = self.version(staff.ada, used)
        keep_people(lake, "elsewhere", {TODAY: 3})
        assert get(staff.ada, used, f"?version={version}", "client_usage_live").status_code == 204


class TestExport:
    def test_has_a_row_for_each_day(self, used: Client, staff: Staff) -> None:
        response = get(staff.ada, used, "?range=7", "client_usage_export")
        assert response["Content-Type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert [row["date"] for row in rows] == [f"2026-06-{day}" for day in range(24, 31)]
        assert rows[-1]["daily_active_users"] == "10"
        assert rows[-1]["session_seconds"] == "6000"
        assert rows[-1]["cases_created"] == "4"
        assert AuditEvent.objects.filter(action="client.usage_export").count() == 1

    def test_runs_no_formula(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        Client.objects.filter(pk=clients.sturdy.pk).update(organization_id="=cmd|' /C calc'!A0")
        rows = get(staff.ada, clients.sturdy, "?range=7", "client_usage_export").content.decode().splitlines()
        assert all(row.startswith("'=cmd") for row in rows[1:])

    def test_dates_that_cannot_be_used_answer_with_the_reason(self, used: Client, staff: Staff) -> None:
        response = get(staff.ada, used, "?start=never", "client_usage_export")
        assert response.status_code == 400
        assert "is not a date" in response.content.decode()
