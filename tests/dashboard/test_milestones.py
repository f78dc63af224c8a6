"""The pages of milestones: what clients reached and what comes next, one with its mail, and the settings."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from bellwether.milestones.definitions import definitions
from bellwether.milestones.models import Milestone, MilestoneDefinition, MilestoneProgress
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
FIRST = ["Sturdy created its first case", "Elsewhere created its first case"]
FORM = {"name": "Went live", "sentence": "{client} is live", "kind": "go_live", "enabled": "on"}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def reach(client: Client, key: str, days: int, **fields: Any) -> Milestone:
    row = next(one for one in definitions() if one.key == key)
    values: dict[str, Any] = {
        "name": row.name,
        "sentence": row.sentence.replace("{client}", client.name),
        "detail": {"value": 1, "target": 1, "rule": row.rule, "version": 1},
        "detected_at": NOW,
    }
    made: Milestone = Milestone.objects.create(
        client=client, milestone_type=key, achieved_on=TODAY - timedelta(days=days), **{**values, **fields}
    )
    return made


@pytest.fixture
def known(clients: Clients) -> Clients:
    """Sturdy: first case 3 days ago, go-live 200 days ago; Elsewhere (Cleo's): first case 5 days ago, or before."""
    reach(clients.sturdy, "first_case", 3)
    reach(clients.sturdy, "go_live", 200)
    reach(clients.elsewhere, "first_case", 5, exact=False)
    steps = [{"key": "cases_100", "value": 92, "target": 100, "share": 0.92, "expected_on": "2026-07-04"}]
    MilestoneProgress.objects.create(
        client=clients.sturdy, steps=steps, next_key="cases_100", next_share=0.92, next_on="2026-07-04", computed_at=NOW
    )
    return clients


@pytest.fixture
def browse(client: Any) -> Callable[[StaffUser], Browser]:
    def signed_in(user: StaffUser) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    return signed_in


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def sentences(response: Any) -> list[str]:
    return re.findall(r'<small class="muted sentence">([^<]+)</small>', response.content.decode())


Browse = Callable[[StaffUser], Browser]


class TestPage:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", FIRST),
            ("?days=0&type=go_live", ["Sturdy went live"]),
            ("?search=elsew", ["Elsewhere created its first case"]),
            ("?state=celebrated", []),
            (
                "?days=nonsense&csm=nobody&client=x&page=-1&state=?",
                ["Sturdy created its first case", "Elsewhere created its first case"],
            ),
        ],
        ids=["lately", "type", "search", "celebrated", "nonsense"],
    )
    def test_filters(self, staff: Staff, known: Clients, browse: Browse, query: str, expected: list[str]) -> None:
        assert sentences(browse(staff.vera).get(reverse("milestones") + query)) == expected

    def test_shows_the_own_clients_and_what_comes_next(self, staff: Staff, known: Clients, browse: Browse) -> None:
        browser = browse(staff.cleo)
        assert sentences(browser.get(reverse("milestones"))) == ["Elsewhere created its first case"]
        assert "by 25 Jun" in text_of(browser.get(reverse("milestones")))
        assert "Sturdy" not in text_of(browser.get(reverse("milestones") + "?show=coming"))
        coming = text_of(browse(staff.ada).get(reverse("milestones") + "?show=coming"))
        assert "Sturdy 100th case" in coming
        assert "92 of 100 4 Jul, in 4 days" in coming

    def test_of_one_client_which_one_must_see(self, staff: Staff, known: Clients, browse: Browse) -> None:
        address = reverse("client_milestones", args=[known.sturdy.pk])
        assert browse(staff.cleo).get(address).status_code == 404
        found = browse(staff.ada).get(address, follow=True)
        assert sentences(found) == ["Sturdy created its first case", "Sturdy went live"]

    def test_takes_as_many_queries_for_many_rows(
        self, staff: Staff, known: Clients, browse: Browse, django_assert_max_num_queries: Any
    ) -> None:
        for n in range(30):
            other = Client.objects.create(organization_id=f"o{n}", name=f"Other {n}", csm_user=staff.ada)
            reach(other, "go_live", n)
        browser = browse(staff.ada)
        browser.get(reverse("milestones"))
        with django_assert_max_num_queries(24):
            assert len(sentences(browser.get(reverse("milestones")))) == 31

    def test_exports_what_is_shown_safe_for_spreadsheets(self, staff: Staff, known: Clients, browse: Browse) -> None:
        Client.objects.filter(pk=known.sturdy.pk).update(name="=cmd()")
        lines = browse(staff.ada).get(reverse("milestones_export") + "?days=0").content.decode().splitlines()
        assert len(lines) == 3
        assert lines[1].startswith("'=cmd(),sturdy,Ada Example,First case,first_case,")
        coming = browse(staff.ada).get(reverse("milestones_export") + "?show=coming").content.decode().splitlines()
        assert coming[1] == "'=cmd(),sturdy,Ada Example,100th case,cases_100,92,100,2026-07-04"
        assert AuditEvent.objects.filter(action="milestone.export").count() == 2

    def test_the_overview_and_the_timeline_of_the_client_tell_them(
        self, staff: Staff, known: Clients, browse: Browse, lake: Lake
    ) -> None:
        page = text_of(browse(staff.ada).get(reverse("client", args=[known.sturdy.pk])))
        assert "Milestones 100th case 92 of 100" in page
        stream = text_of(browse(staff.ada).get(reverse("client_timeline", args=[known.sturdy.pk])))
        assert "Milestone: First case" in stream


class TestOne:
    def test_mail_and_address_which_is_revealed_on_request(self, staff: Staff, known: Clients, browse: Browse) -> None:
        Contact.objects.create(client=known.sturdy, name="Mara Lindqvist", email="mara@sturdy.example", is_primary=True)
        found = Milestone.objects.get(client=known.sturdy, milestone_type="first_case")
        browser = browse(staff.ada)
        page = browser.get(reverse("milestone", args=[found.pk]))
        assert "Hello Mara," in text_of(page)
        assert "mara@sturdy" not in text_of(page)
        assert "mailto:" not in page.content.decode()
        revealed = browser.post(reverse("milestone_reveal", args=[found.pk])).content.decode()
        assert 'href="mailto:mara@sturdy.example?subject=Sturdy%3A%20First%20case&amp;body=' in revealed
        assert AuditEvent.objects.get(action="contact.reveal").client_id == known.sturdy.pk

    def test_is_celebrated_once_and_can_be_taken_back(self, staff: Staff, known: Clients, browse: Browse) -> None:
        found = Milestone.objects.get(client=known.sturdy, milestone_type="first_case")
        browser = browse(staff.ada)
        page = browser.post(reverse("milestone_celebrate", args=[found.pk]), follow=True)
        assert "marked as celebrated. Undo" in text_of(page)
        assert "It was celebrated before." in text_of(
            browser.post(reverse("milestone_celebrate", args=[found.pk]), follow=True)
        )
        found.refresh_from_db()
        assert found.celebrated_by == staff.ada

    def test_of_clients_that_one_does_not_see_there_are_none(
        self, staff: Staff, known: Clients, browse: Browse
    ) -> None:
        found = Milestone.objects.get(client=known.sturdy, milestone_type="first_case")
        browser = browse(staff.cleo)
        assert browser.get(reverse("milestone", args=[found.pk])).status_code == 404
        for name in ("milestone_celebrate", "milestone_reveal"):
            assert browser.post(reverse(name, args=[found.pk])).status_code == 404
        found.refresh_from_db()
        assert found.celebrated_at is None


class TestSettings:
    def test_all_read_and_administrators_change(self, staff: Staff, known: Clients, browse: Browse) -> None:
        page = text_of(browse(staff.ada).get(reverse("settings_milestones")))
        assert "First case 1 × Case Created 1 On" in page
        address = reverse("settings_milestone", args=["go_live"])
        assert browse(staff.ada).get(address).status_code == 200
        assert browse(staff.ada).post(address, FORM).status_code == 403
        assert browse(staff.ada).get(reverse("settings_milestone_new")).status_code == 403
        browse(staff.adam).post(address, FORM)
        assert MilestoneDefinition.objects.get(key="go_live").name == "Went live"

    def test_previews_before_it_saves(self, staff: Staff, known: Clients, browse: Browse, lake: Lake) -> None:
        """Sturdy, Fading and Elsewhere began on 1 July 2024, Newborn five days ago; Gone left before its 2 years."""
        form = FORM | {"name": "700 days", "kind": "time", "days": "700"}
        shown = text_of(browse(staff.adam).post(reverse("settings_milestone_new"), form | {"preview": "1"}))
        assert "3 clients reached it, the first on 1 Jun 2026, the last on 1 Jun 2026" in shown
        assert "Newborn 5 of 700 days" in shown
        assert not MilestoneDefinition.objects.filter(name="700 days").exists()
        browse(staff.adam).post(reverse("settings_milestone_new"), form)
        assert MilestoneDefinition.objects.get(name="700 days").rule == {"kind": "time", "days": 700}

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": "First case"}, "name"),
            ({"kind": "uses", "times": "often"}, "times"),
            ({"kind": "seat_use", "at_least": "most"}, "at_least"),
            ({"sentence": "It is live"}, "sentence"),
            ({"mail_text": "{{ secret }}"}, "mail_text"),
        ],
        ids=["name", "times", "at_least", "sentence", "mail"],
    )
    def test_bad_input_names_its_field_and_keeps_what_was_typed(
        self, staff: Staff, known: Clients, browse: Browse, changes: dict[str, str], field: str
    ) -> None:
        response = browse(staff.adam).post(reverse("settings_milestone_new"), FORM | {"name": "Typed"} | changes)
        assert response.status_code == 422
        assert f'id="{field}-error"' in response.content.decode()

    def test_a_share_of_seats_is_typed_in_percent(self, staff: Staff, known: Clients, browse: Browse) -> None:
        form = FORM | {"name": "Seats 30", "kind": "seat_use", "at_least": "30%"}
        browse(staff.adam).post(reverse("settings_milestone_new"), form)
        row = MilestoneDefinition.objects.get(name="Seats 30")
        assert row.rule == {"kind": "seat_use", "at_least": 0.3}
        page = browse(staff.adam).get(reverse("settings_milestone", args=[row.key])).content.decode()
        assert 'name="at_least" type="text" value="30"' in page

    def test_the_order_can_be_changed(self, staff: Staff, known: Clients, browse: Browse) -> None:
        first, second = (row.key for row in definitions()[:2])
        browse(staff.adam).post(reverse("settings_milestone_action", args=[second, "up"]))
        assert [row.key for row in definitions()[:2]] == [second, first]
        assert browse(staff.adam).post(reverse("settings_milestone_action", args=["none", "up"])).status_code == 404
