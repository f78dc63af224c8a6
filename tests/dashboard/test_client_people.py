"""The people of a client, as staff see them: who may, what they read, what they link and take back."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.conf import settings
from django.core import signing
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bellwether.common.time import day_of
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.lake import Lake
from bellwether.usage.models import PlatformUser
from bellwether.usage.people_links import SALT
from tests.conftest import Clients, Staff
from tests.usage.people_cast import cast_days, day_row, key, noon, put_days, put_events

pytestmark = pytest.mark.django_db
TOP, STEADY, DECLINING, RISING, AWAY, GONE = (key(n) for n in (0x4C19, 0x9A02, 0x71E5, 0xF00D, 0xB3F7, 0x5E1F))
PLACES = {
    "client_people": (),
    "client_people_export": (),
    "client_people_activities": (),
    "client_people_links": (),
    "client_person": (TOP,),
}


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    caches["memory"].clear()
    yield
    caches["memory"].clear()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


@pytest.fixture
def busy(clients: Clients, lake: Lake, today: date) -> Client:
    """The sturdy client with the cast's people."""
    put_days(lake, cast_days("sturdy", today))
    return clients.sturdy


def contact(client: Client, name: str = "Mara Lindqvist", role: str = "CHAMPION", **fields: Any) -> Contact:
    values: dict[str, Any] = {"email": "mara@sturdy.example", "phone": "+1 555 0100"}
    made: Contact = Contact.objects.create(client=client, name=name, role=role, **(values | fields))
    return made


def browser_of(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def get(user: StaffUser, client: Client, query: str = "", *, name: str = "client_people", **headers: Any) -> Any:
    return browser_of(user).get(reverse(name, args=[client.pk, *PLACES[name]]) + query, headers=headers)


def link(user: StaffUser, client: Client, person: str, contact_id: object = "", **more: str) -> Any:
    values = {"user": person, "contact": str(contact_id)} | more
    return browser_of(user).post(reverse("client_people_link", args=[client.pk]), values, follow=True)


def undo(user: StaffUser, client: Client, token: str) -> Any:
    return browser_of(user).post(reverse("client_people_undo", args=[client.pk]), {"token": token}, follow=True)


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def names(response: Any) -> list[str]:
    """Return the names in the table, from the top."""
    page = response.content.decode()
    return re.findall(r"<a [^>]*data-stop data-person[^>]*>([^<]+)</a>", page)


def pills(response: Any) -> dict[str, str]:
    """Return the engagement of each row by name."""
    found = re.findall(
        r'data-stop data-person[^>]*>([^<]+)</a>.*?<span class="pill"[^>]*><svg.*?</svg>([^<]+)</span></td>',
        response.content.decode(),
        flags=re.S,
    )
    return dict(found)


def token_in(response: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', response.content.decode())
    assert found, "no way back is offered"
    return found[1]


class TestWhoSees:
    @pytest.mark.parametrize("name", list(PLACES))
    def test_the_csm_does_and_another_does_not(self, staff: Staff, busy: Client, name: str) -> None:
        assert get(staff.ada, busy, name=name).status_code == 200
        assert get(staff.cleo, busy, name=name).status_code == 404

    @pytest.mark.parametrize("name", list(PLACES))
    def test_visitors_sign_in_first(self, busy: Client, name: str) -> None:
        response = Browser().get(reverse(name, args=[busy.pk, *PLACES[name]]))
        assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, "/accounts/login/")

    def test_nobody_links_at_a_client_one_may_not_see(self, staff: Staff, busy: Client) -> None:
        mara = contact(busy)
        assert link(staff.cleo, busy, TOP, mara.pk).status_code == 404
        assert undo(staff.cleo, busy, "x").status_code == 404
        mara.refresh_from_db()
        assert mara.user_key == ""

    def test_reading_is_written_down(self, staff: Staff, busy: Client) -> None:
        for name in PLACES:
            get(staff.ada, busy, name=name)
        actions = set(AuditEvent.objects.filter(client_id=busy.pk).values_list("action", flat=True))
        assert actions == {"client.people", "client.people_export", "client.people_links", "client.person"}


class TestTable:
    def test_shows_pseudonyms_by_sessions_with_role_login_and_engagement(self, staff: Staff, busy: Client) -> None:
        response = get(staff.ada, busy)
        assert names(response) == ["User 4C19", "User F00D", "User 9A02", "User 5E1F", "User B3F7", "User 71E5"]
        text = text_of(response)
        assert "6 users, 6 active in 30 days. 2 have not logged in for 14 days or more." in text
        assert "Policy manager 16 d ago 2" in text
        assert "0B07" not in text  # a service is nobody

    def test_says_how_engaged_each_is(self, staff: Staff, busy: Client) -> None:
        assert pills(get(staff.ada, busy)) == {
            "User 4C19": "Active",
            "User F00D": "Rising",
            "User 9A02": "Active",
            "User 71E5": "Declining",
            "User 5E1F": "Inactive",
            "User B3F7": "Inactive",
        }

    def test_draws_thirty_days(self, staff: Staff, busy: Client) -> None:
        page = get(staff.ada, busy).content.decode()
        assert page.count('<i data-q="') == 6 * 30
        assert 'aria-label="15 active days of the last 30, 150 actions. Darker means more actions on that day."' in page

    def test_names_only_those_who_are_linked_and_never_shows_an_address(self, staff: Staff, busy: Client) -> None:
        contact(busy, user_key=STEADY, role="ADMIN", name="Tom Adeyemi")
        page = get(staff.ada, busy).content.decode()
        assert "Tom Adeyemi" in page
        assert "User 9A02" not in page
        assert "@sturdy" not in page
        assert "555 0100" not in page

    def test_a_key_contact_who_is_away_stands_on_top(self, staff: Staff, busy: Client) -> None:
        contact(busy, user_key=GONE)
        response = get(staff.ada, busy)
        assert pills(response)["Mara Lindqvist"] == "Stakeholder inactive"
        text = text_of(response)
        assert "1 key contact has not logged in for 14 days or more." in text
        assert "Mara Lindqvist (Champion, 21 d)" in text

    def test_a_champion_whose_use_has_halved_stands_on_top(self, staff: Staff, busy: Client) -> None:
        contact(busy, user_key=DECLINING)
        text = text_of(get(staff.ada, busy))
        assert "1 champion uses the product less than half as much as in the 30 days before." in text
        assert "Mara Lindqvist (Champion, 4 actions, 56 before)" in text

    def test_other_roles_do_not_stand_there(self, staff: Staff, busy: Client) -> None:
        contact(busy, user_key=DECLINING, role="ADMIN")
        assert "half as much" not in text_of(get(staff.ada, busy))

    @pytest.mark.parametrize("fields", [{"role": "USER"}, {"is_active": False}], ids=["no key role", "left"])
    def test_other_contacts_who_are_away_are_just_inactive(
        self, staff: Staff, busy: Client, fields: dict[str, Any]
    ) -> None:
        contact(busy, user_key=GONE, **fields)
        response = get(staff.ada, busy)
        assert pills(response)["Mara Lindqvist"] == "Inactive"
        assert "key contact" not in text_of(response)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("?people=inactive", ["Mara Lindqvist", "User B3F7"]),
            ("?people=champions", ["User 4C19"]),
            ("?people=declining", ["User 71E5"]),
            ("?people=potential", ["User F00D"]),
            ("?people=stakeholders", ["Mara Lindqvist"]),
            ("?people_search=4c1", ["User 4C19"]),
            ("?people_search=LIND", ["Mara Lindqvist"]),
            ("?people_sort=last_login", ["Mara Lindqvist", "User B3F7", "User 71E5"]),
            ("?people_sort=name", ["Mara Lindqvist", "User 4C19", "User 71E5"]),
            ("?people=nonsense&people_sort=x&people_page=zero", ["User 4C19", "User F00D", "User 9A02"]),
            ("?people_page=99", ["User 4C19", "User F00D", "User 9A02"]),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_can_be_narrowed_and_sorted(self, staff: Staff, busy: Client, query: str, found: list[str]) -> None:
        contact(busy, user_key=GONE)
        shown = names(get(staff.ada, busy, query))
        assert shown[: len(found)] == found
        assert len(shown) == len(found) or len(shown) == 6

    def test_a_linked_champion_is_no_potential_one(self, staff: Staff, busy: Client) -> None:
        contact(busy, user_key=RISING)
        assert names(get(staff.ada, busy, "?people=potential")) == []

    def test_says_so_when_nobody_matches(self, staff: Staff, busy: Client) -> None:
        text = text_of(get(staff.ada, busy, "?people_search=nobody"))
        assert "No user matches" in text
        assert "Show all users" in text

    def test_is_empty_before_the_first_event(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        text = text_of(get(staff.ada, clients.newborn))
        assert "No users yet" in text
        assert "Link a contact" not in text

    def test_knows_users_who_have_not_come_for_long(self, staff: Staff, busy: Client, today: date) -> None:
        PlatformUser.objects.create(
            organization_id="sturdy",
            user_key=key(0xAAAA),
            role="Auditor",
            first_seen_at=noon(today - timedelta(days=400)),
            last_seen_at=noon(today - timedelta(days=200)),
        )
        assert "User AAAA Auditor 200 d ago 0" in text_of(get(staff.ada, busy))

    def test_an_archived_client_is_shown_as_of_its_last_day(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        put_days(lake, cast_days("gone", date(2026, 5, 1)))
        response = get(staff.ada, clients.gone)
        assert pills(response)["User 4C19"] == "Active"
        assert "Link a contact" not in text_of(response)

    def test_new_facts_are_shown_at_once(self, staff: Staff, busy: Client, lake: Lake, today: date) -> None:
        get(staff.ada, busy)
        put_days(lake, [*cast_days("sturdy", today), day_row("sturdy", key(0xBEEF), today)])
        assert "User BEEF" in names(get(staff.ada, busy))

    def test_tells_users_apart_whose_pseudonyms_begin_alike(
        self, staff: Staff, clients: Clients, lake: Lake, today: date
    ) -> None:
        users = ["abcd1111" + "0" * 24, "abcd2222" + "0" * 24, "beef" + "0" * 28]
        put_days(lake, [day_row("sturdy", user, today, 3 - n) for n, user in enumerate(users)])
        response = get(staff.ada, clients.sturdy)
        assert names(response) == ["User ABCD1111", "User ABCD2222", "User BEEF"]

    def test_for_a_swap_there_is_only_the_table(self, staff: Staff, busy: Client) -> None:
        page = get(staff.ada, busy, **{"HX-Request": "true"}).content.decode()
        assert "<html" not in page
        assert 'id="people"' in page

    def test_the_card_of_the_usage_tab_has_eight_rows_and_links_to_it(
        self, staff: Staff, busy: Client, lake: Lake, today: date
    ) -> None:
        rows = cast_days("sturdy", today)
        rows += [day_row("sturdy", key(n), today, 1) for n in range(1, 12)]
        put_days(lake, rows)
        response = get(staff.ada, busy, "?card=1&days=90", **{"HX-Request": "true"})
        assert len(names(response)) == 8
        page = response.content.decode()
        assert f"{reverse('client_usage', args=[busy.pk])}?days=90&amp;people=inactive#people" in page
        assert "Show all" in page

    @pytest.mark.parametrize("people", [3, 120])
    def test_takes_a_fixed_number_of_queries(
        self, staff: Staff, clients: Clients, lake: Lake, today: date, people: int
    ) -> None:
        put_days(lake, [day_row("sturdy", key(n + 1), today, 1) for n in range(people)])
        for number in range(people // 3):
            contact(clients.sturdy, f"Contact {number}", user_key=key(number + 1))
        browser = browser_of(staff.ada)
        address = reverse("client_people", args=[clients.sturdy.pk])
        with CaptureQueriesContext(
            connection,
        ) as taken:
            browser.get(address)
        reads = [q for q in taken.captured_queries if q["sql"].startswith("SELECT") and "audit" not in q["sql"]]
        tables = [q["sql"] for q in reads if "platformuser" in q["sql"] or "portfolio_contact" in q["sql"]]
        assert len(tables) == 2


class TestMainlyDoes:
    def test_is_loaded_after_the_table_and_kept(self, staff: Staff, busy: Client, lake: Lake, today: date) -> None:
        first = get(staff.ada, busy).content.decode()
        assert 'class="skeleton"' in first
        events = [("sturdy", TOP, today, "Case Created", "Case Management")] * 6
        events += [("sturdy", TOP, today - timedelta(days=29), "Dashboard Viewed", "Analytics")] * 3
        events += [("sturdy", TOP, today, "Policy Read", "Policies")] * 2
        events += [("sturdy", TOP, today - timedelta(days=30), "Old", "Long ago")] * 50
        events += [("elsewhere", TOP, today, "Other", "Somebody else")] * 50
        events += [("sturdy", STEADY, today, "Signed In", None), ("sturdy", STEADY, today, "Shared", None)]
        put_events(lake, events)
        query = f"?user={TOP}&user={STEADY}&user={AWAY}"
        page = get(staff.ada, busy, query, name="client_people_activities").content.decode()
        assert f'<span id="does-{TOP}" hx-swap-oob="true">Case Management, Analytics</span>' in page
        assert f'<span id="does-{STEADY}" hx-swap-oob="true">Shared</span>' in page
        assert f'<span id="does-{AWAY}" hx-swap-oob="true">–</span>' in page
        again = get(staff.ada, busy).content.decode()
        assert "Case Management, Analytics" in again
        assert 'class="skeleton"' not in again

    def test_stands_in_the_page_where_there_is_no_javascript(
        self, staff: Staff, busy: Client, lake: Lake, today: date
    ) -> None:
        assert "people_does=1" in get(staff.ada, busy).content.decode()
        put_events(lake, [("sturdy", TOP, today, "Case Created", "Case Management")])
        assert "Case Management" in text_of(get(staff.ada, busy, "?people_does=1"))

    def test_says_why_it_is_not_known(self, staff: Staff, busy: Client) -> None:
        page = get(staff.ada, busy, f"?user={TOP}", name="client_people_activities").content.decode()
        assert f'<span id="does-{TOP}" hx-swap-oob="true">–</span>' in page
        assert "The events of the last 30 days are not kept here" in page

    def test_is_not_asked_for_where_nobody_did_anything(
        self, staff: Staff, clients: Clients, lake: Lake, today: date
    ) -> None:
        put_days(lake, [day_row("sturdy", key(1), today - timedelta(days=60))])
        page = get(staff.ada, clients.sturdy).content.decode()
        assert "people/does/" not in page
        assert "not kept" not in page

    def test_what_is_no_pseudonym_never_comes_back(self, staff: Staff, busy: Client) -> None:
        response = get(staff.ada, busy, "?user=%22%3E%3Cscript%3E", name="client_people_activities")
        assert "script" not in response.content.decode()


class TestPerson:
    def test_shows_weeks_facts_and_role(self, staff: Staff, busy: Client) -> None:
        text = text_of(get(staff.ada, busy, name="client_person"))
        assert "User 4C19" in text
        assert "Investigator" in text
        assert "Champion by use" in text
        assert "Active on 30 of the last 90 days." in text
        assert "150, 150 in the 30 d before" in text

    def test_for_the_drawer_there_is_only_the_person(self, staff: Staff, busy: Client) -> None:
        page = get(staff.ada, busy, name="client_person", **{"HX-Request": "true"}).content.decode()
        assert "<html" not in page
        assert 'method="dialog"' in page

    @pytest.mark.parametrize("user", [key(0xDEAD), key(0xB07), "x"])
    def test_nobody_is_404(self, staff: Staff, busy: Client, user: str) -> None:
        response = browser_of(staff.ada).get(reverse("client_person", args=[busy.pk, user]))
        assert response.status_code == 404

    def test_a_person_of_another_client_is_404(
        self, staff: Staff, busy: Client, clients: Clients, lake: Lake, today: date
    ) -> None:
        put_days(lake, [*cast_days("sturdy", today), day_row("elsewhere", key(0xE15E), today)])
        response = browser_of(staff.vera).get(reverse("client_person", args=[busy.pk, key(0xE15E)]))
        assert response.status_code == 404


class TestLinking:
    def test_names_the_user_writes_it_down_and_offers_a_way_back(self, staff: Staff, busy: Client, today: date) -> None:
        mara = contact(busy, last_platform_login=None)
        response = link(staff.ada, busy, GONE, mara.pk)
        assert "Mara Lindqvist is linked to user 5E1F." in text_of(response)
        mara.refresh_from_db()
        assert mara.user_key == GONE
        assert mara.last_platform_login == noon(today - timedelta(days=21))
        event = AuditEvent.objects.get(action="contact.linked")
        assert (event.actor_id, event.object_id) == (staff.ada.pk, str(mara.pk))
        assert event.detail == {"links": [{"contact": str(mara.pk), "user": ["", GONE[:8]]}]}
        entry = LogEntry.objects.get_for_object(mara).filter(action=LogEntry.Action.UPDATE).get()
        assert entry.changes["user_key"][1] == GONE[:8]
        undone = undo(staff.ada, busy, token_in(response))
        assert "The link is as it was before." in text_of(undone)
        mara.refresh_from_db()
        assert (mara.user_key, mara.last_platform_login) == ("", None)
        assert AuditEvent.objects.filter(action="contact.link_undone").count() == 1

    def test_no_name_stands_in_the_address(self, staff: Staff, busy: Client) -> None:
        mara = contact(busy)
        values = {"user": GONE, "contact": str(mara.pk)}
        response = browser_of(staff.ada).post(reverse("client_people_link", args=[busy.pk]), values)
        token = parse_qs(urlsplit(response.headers["Location"]).query)["people_undo"][0]
        assert "Mara" not in str(signing.loads(token, salt=SALT))

    def test_doing_it_again_changes_nothing(self, staff: Staff, busy: Client) -> None:
        mara = contact(busy)
        link(staff.ada, busy, GONE, mara.pk)
        link(staff.ada, busy, GONE, mara.pk)
        assert AuditEvent.objects.filter(action="contact.linked").count() == 1

    def test_a_user_has_one_contact_and_a_contact_one_user(self, staff: Staff, busy: Client) -> None:
        mara, tom = contact(busy), contact(busy, "Tom Adeyemi", "ADMIN", user_key=STEADY)
        link(staff.ada, busy, GONE, mara.pk)
        response = link(staff.ada, busy, GONE, tom.pk)
        mara.refresh_from_db()
        tom.refresh_from_db()
        assert (mara.user_key, tom.user_key) == ("", GONE)
        undo(staff.ada, busy, token_in(response))
        mara.refresh_from_db()
        tom.refresh_from_db()
        assert (mara.user_key, tom.user_key) == (GONE, STEADY)

    def test_can_be_taken_away(self, staff: Staff, busy: Client) -> None:
        mara = contact(busy, user_key=GONE)
        response = link(staff.ada, busy, GONE)
        assert "Mara Lindqvist is no longer linked to user 5E1F." in text_of(response)
        mara.refresh_from_db()
        assert mara.user_key == ""
        assert AuditEvent.objects.filter(action="contact.unlinked").count() == 1

    def test_undoing_what_was_changed_since_leaves_it(self, staff: Staff, busy: Client) -> None:
        mara = contact(busy)
        token = token_in(link(staff.ada, busy, GONE, mara.pk))
        link(staff.ben, busy, STEADY, mara.pk)
        undone = browser_of(staff.ada).post(
            reverse("client_people_undo", args=[busy.pk]), {"token": token}, follow=True
        )
        assert "has been changed since" in text_of(undone)
        mara.refresh_from_db()
        assert mara.user_key == STEADY

    @pytest.mark.parametrize("token", ["", "x", "eyJ4IjoxfQ:1abc:def"])
    def test_a_token_that_is_not_ours_does_nothing(self, staff: Staff, busy: Client, token: str) -> None:
        undone = browser_of(staff.ada).post(
            reverse("client_people_undo", args=[busy.pk]), {"token": token}, follow=True
        )
        assert "too long ago" in text_of(undone)

    def test_a_token_of_another_client_does_nothing(self, staff: Staff, busy: Client, clients: Clients) -> None:
        mara = contact(busy)
        token = token_in(link(staff.ada, busy, GONE, mara.pk))
        undo(staff.vera, clients.fading, token)
        mara.refresh_from_db()
        assert mara.user_key == GONE

    def test_contacts_and_users_of_others_are_404(self, staff: Staff, busy: Client, clients: Clients) -> None:
        mara, other = contact(busy), contact(clients.elsewhere, "Not yours")
        gone = contact(busy, "Archived", archived_at=timezone.now())
        assert link(staff.ada, busy, GONE, other.pk).status_code == 404
        assert link(staff.ada, busy, GONE, gone.pk).status_code == 404
        assert link(staff.ada, busy, GONE, uuid4()).status_code == 404
        assert link(staff.ada, busy, GONE, "x").status_code == 404
        assert link(staff.ada, busy, key(0xDEAD), mara.pk).status_code == 404
        assert not Contact.objects.exclude(user_key="").exists()
        assert not AuditEvent.objects.filter(action="contact.linked").exists()

    def test_archived_clients_are_left_alone(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        put_days(lake, cast_days("gone", date(2026, 5, 1)))
        mara = contact(clients.gone)
        assert "archived clients are not changed" in text_of(link(staff.ada, clients.gone, GONE, mara.pk))
        mara.refresh_from_db()
        assert mara.user_key == ""

    def test_needs_the_token_against_forged_requests(self, staff: Staff, busy: Client) -> None:
        browser = Browser(enforce_csrf_checks=True)
        browser.force_login(staff.ada)
        response = browser.post(reverse("client_people_link", args=[busy.pk]), {"user": GONE, "contact": ""})
        assert response.status_code == 403

    @pytest.mark.parametrize(
        "back", ["https://evil.example/", "//evil.example/x", "/settings/features/", "javascript:alert(1)"]
    )
    def test_goes_back_to_pages_of_the_client_only(self, staff: Staff, busy: Client, back: str) -> None:
        values = {"user": GONE, "contact": "", "back": back}
        response = browser_of(staff.ada).post(reverse("client_people_link", args=[busy.pk]), values)
        assert response.headers["Location"].startswith(reverse("client_people", args=[busy.pk]) + "?people_undo=")

    def test_goes_back_to_the_tab_with_its_choices(self, staff: Staff, busy: Client) -> None:
        usage = reverse("client_usage", args=[busy.pk])
        values = {"user": GONE, "contact": "", "back": f"{usage}?days=90&people_undo=old#people"}
        response = browser_of(staff.ada).post(reverse("client_people_link", args=[busy.pk]), values)
        assert response.headers["Location"].startswith(f"{usage}?days=90&people_undo=")
        assert "old" not in response.headers["Location"]


class TestSuggestions:
    def test_come_from_titles_logins_and_roles(self, staff: Staff, busy: Client, today: date) -> None:
        contact(busy, "Mara Lindqvist", "EXECUTIVE_SPONSOR", title="Compliance lead")
        contact(busy, "Rosa Beltran", "USER", last_platform_login=noon(today - timedelta(days=16)))
        text = text_of(get(staff.ada, busy, name="client_people_links"))
        assert re.search(
            r"Mara Lindqvist .*? User 5E1F Chief compliance officer, 21 d ago\. “compliance” in title", text
        )
        assert re.search(r"Rosa Beltran .*? User B3F7 Policy manager, 16 d ago\. Same last login\.", text)

    def test_leave_out_who_is_linked(self, staff: Staff, busy: Client, today: date) -> None:
        contact(busy, "Tom Adeyemi", "ADMIN", user_key=AWAY)
        contact(busy, "Rosa Beltran", "USER", last_platform_login=noon(today - timedelta(days=16)))
        text = text_of(get(staff.ada, busy, name="client_people_links"))
        assert "1 of 2 contacts linked to a user." in text
        assert "Not linked, no suggestion." in text


class TestExport:
    def rows(self, user: StaffUser, client: Client) -> list[dict[str, str]]:
        response = get(user, client, name="client_people_export")
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(response.content.decode())))

    def test_holds_everybody_by_pseudonym(self, staff: Staff, busy: Client, today: date) -> None:
        contact(busy, user_key=GONE)
        rows = self.rows(staff.ada, busy)
        assert rows[0]["user"] == TOP
        assert len(rows) == 6
        mara = next(row for row in rows if row["user"] == GONE)
        assert mara["contact"] == "Mara Lindqvist"
        assert mara["contact_role"] == "CHAMPION"
        assert mara["last_login"] == (today - timedelta(days=21)).isoformat()
        assert (mara["days_since_login"], mara["sessions_30d"], mara["status"]) == ("21", "2", "inactive")
        assert not any("@" in value for row in rows for value in row.values())

    def test_runs_as_no_formula(self, staff: Staff, clients: Clients, lake: Lake, today: date) -> None:
        put_days(lake, [day_row("sturdy", key(1), today, role='=HYPERLINK("x")')])
        contact(clients.sturdy, "@SUM(A1)", user_key=key(1))
        row = self.rows(staff.ada, clients.sturdy)[0]
        assert row["role"] == '\'=HYPERLINK("x")'
        assert row["contact"] == "'@SUM(A1)"
