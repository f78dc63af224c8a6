"""The adoption tab, its export, a feature beside it, and the form of licences."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from django.core.cache import caches
from django.test import Client as Browser
from django.urls import reverse

from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.lake import EVENT_SCHEMA, Lake, write_part
from bellwether.usage.models import Feature, FeatureAdoption
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.use_facts import store_use, use

pytestmark = pytest.mark.django_db
USER = "ab12" + "0" * 28


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()


@pytest.fixture
def used(clients: Clients, lake: Lake) -> Client:
    """Sturdy: cases 4 of 10 expected, analytics licensed and not used, exports not set up; six raw events of cases."""
    for key, configured in (("case_creation", True), ("dashboard_views", True), ("report_exports", False)):
        FeatureAdoption.objects.create(
            client=clients.sturdy, feature_key=key, is_licensed=True, licensed_at=date(2025, 1, 1),
            is_configured=configured,
        )  # fmt: skip
    store_use(lake, [use("sturdy", TODAY - timedelta(days=3), "Case Created", 4)])
    Contact.objects.create(client=clients.sturdy, external_id="k", name="Kim Example", user_key=USER)
    raw(lake, TODAY - timedelta(days=3), [("sturdy", USER, "m1"), ("sturdy", USER, "m1"), ("sturdy", USER, "m2"),
        ("sturdy", "cd34" + "0" * 28, "m3"), ("fading", USER, "m4"), ("sturdy", None, "m5")])  # fmt: skip
    found: Client = clients.sturdy
    return found


def raw(lake: Lake, day: date, events: list[tuple[str, str | None, str]]) -> None:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=NOW.tzinfo)
    rows = [
        {"message_id": message, "organization_id": organization, "user_key": user, "is_service": False, "type": "track",
         "event": "Case Created", "role": "Investigator", "ts": at, "received_at": at, "source": "web"}
        for organization, user, message in events
    ]  # fmt: skip
    write_part(pa.Table.from_pylist(rows, schema=EVENT_SCHEMA), lake.events_of(day) / f"{uuid4().hex}.parquet")


def get(user: StaffUser, address: str, **headers: str) -> Any:
    browser = Browser()
    browser.force_login(user)
    return browser.get(address, headers=headers)


def tab(client: Client, query: str = "") -> str:
    return reverse("client_adoption", args=[client.pk]) + query


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def names(response: Any) -> list[str]:
    return re.findall(r'<td class="name"><a [^>]*>([^<]+)</a>', response.content.decode())


class TestTab:
    def test_shows_figures_levels_and_opportunities(self, used: Client, staff: Staff) -> None:
        response = get(staff.ada, tab(used))
        text = text_of(response)
        assert "33%" in text
        assert "1 of 3 licensed features used" in text
        assert len(names(response)) == 10
        assert response.content.decode().count("data-unused") == 2
        assert "Licensed, never set up." in text
        assert AuditEvent.objects.latest("seq").action == "client.adoption"

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("?unused=1", ["Dashboard views", "Report exports"]),
            ("?module=Analytics&level=NOT_USED", ["Dashboard views"]),
            ("?category=Core", ["Case creation", "Investigation workflow"]),
            ("?level=LIGHT", []),
            ("?module=Teleport&level=HUGE&unused=1", ["Dashboard views", "Report exports"]),
        ],
        ids=["unused", "module and level", "category", "nothing", "words that mean nothing"],
    )
    def test_filters(self, query: str, found: list[str], used: Client, staff: Staff) -> None:
        response = get(staff.ada, tab(used, query))
        assert (response.status_code, names(response)) == (200, found)

    def test_sorts(self, used: Client, staff: Staff) -> None:
        assert names(get(staff.ada, tab(used, "?sort=feature")))[:2] == ["API calls", "Attestation campaign"]
        response = get(staff.ada, tab(used, "?sort=-use"))
        assert names(response)[0] == "Case creation"
        assert 'aria-sort="descending"' in response.content.decode()

    def test_shows_binary_flags_in_the_grid(self, used: Client, staff: Staff) -> None:
        text = text_of(get(staff.ada, tab(used, "?view=grid")))
        assert "10% 1 of 10 features adopted" in text
        assert "Used on 27 Jun" in text

    def test_begins_with_the_grid_in_the_operations_preset(self, used: Client, staff: Staff, settings: Any) -> None:
        settings.BELLWETHER_PRESET = "operations"
        assert "features adopted" in text_of(get(staff.ada, tab(used)))

    def test_swaps_only_the_list(self, used: Client, staff: Staff) -> None:
        response = get(staff.ada, tab(used), **{"HX-Request": "true", "HX-Target": "features"})
        assert response.content.decode().strip().startswith('<div class="stack" id="features"')

    def test_explains_what_is_missing(self, clients: Clients, staff: Staff, lake: Lake) -> None:
        assert "No events of this client have arrived" in text_of(get(staff.ada, tab(clients.newborn)))
        store_use(lake, [use("sturdy", TODAY, "Case Created", 4)])
        assert "Nothing is recorded as licensed" in text_of(get(staff.ada, tab(clients.sturdy)))
        Feature.objects.update(archived_at=NOW)
        assert "No features are defined" in text_of(get(staff.ada, tab(clients.sturdy)))

    def test_hides_clients_of_others(self, used: Client, staff: Staff) -> None:
        for name in ("client_adoption", "client_adoption_export", "client_licences"):
            assert get(staff.cleo, reverse(name, args=[used.pk])).status_code == 404

    def test_exports_what_is_shown(self, used: Client, staff: Staff) -> None:
        response = get(staff.ada, reverse("client_adoption_export", args=[used.pk]) + "?unused=1")
        lines = response.content.decode().splitlines()
        assert (len(lines), lines[0].split(",")[:3]) == (3, ["feature_key", "feature_name", "module"])
        assert lines[1].startswith(
            "dashboard_views,Dashboard views,Analytics,Reporting,True,2025-01-01,True,,NOT_USED,0"
        )


class TestFeature:
    def address(self, client: Client, key: str = "case_creation") -> str:
        return reverse("client_adoption_feature", args=[client.pk, key])

    def test_shows_use_over_time_and_what_counts(self, used: Client, staff: Staff) -> None:
        response = get(staff.ada, self.address(used))
        text = text_of(response)
        assert "of 10 expected in 30 days" in text
        assert "Case creation: 4 uses from 1 Jun to 30 Jun, at most 4 a day." in response.content.decode()
        assert "What counts as use Case Created" in text
        assert 'aria-current="true"' in response.content.decode()

    def test_tells_who_uses_it_by_contact_or_pseudonym(self, used: Client, staff: Staff) -> None:
        """m1 lies there twice and counts once; the other client's and nobody's events do not count."""
        text = text_of(get(staff.ada, self.address(used) + "?users=1"))
        assert "2 users in 30 days" in text
        assert re.search(r"Kim Example investigator 2 27 Jun", text)
        assert re.search(r"User CD34 investigator 1 27 Jun", text)

    def test_gives_users_alone_and_the_panel_alone(self, used: Client, staff: Staff) -> None:
        users = get(staff.ada, self.address(used), **{"HX-Request": "true", "HX-Target": "users"})
        assert "<html" not in users.content.decode()
        assert "Kim Example" in text_of(users)
        panel = get(staff.ada, self.address(used), **{"HX-Request": "true", "HX-Target": "feature-panel"})
        assert "<html" not in panel.content.decode()
        assert "What counts as use" in text_of(panel)

    def test_says_so_when_events_cannot_be_read(
        self, used: Client, staff: Staff, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise OSError("gone")

        monkeypatch.setattr("bellwether.dashboard.client_adoption_feature.feature_users", broken)
        response = get(staff.ada, self.address(used) + "?users=1")
        assert (response.status_code, "could not be read just now" in text_of(response)) == (200, True)

    def test_knows_no_other_feature(self, used: Client, staff: Staff) -> None:
        assert get(staff.ada, self.address(used, "teleport")).status_code == 404


class TestLicences:
    def post(self, user: StaffUser, client: Client, name: str = "client_licences", **values: str) -> Any:
        browser = Browser()
        browser.force_login(user)
        given = {key.replace("__", "."): value for key, value in values.items()}
        return browser, browser.post(reverse(name, args=[client.pk]), given)

    def test_saves_one_feature_and_can_be_undone(self, used: Client, staff: Staff) -> None:
        browser, response = self.post(
            staff.ada, used, only="report_exports", licensed__report_exports="1",
            licensed_at__report_exports="2025-01-01", configured__report_exports="1",
            configured_at__report_exports="2026-06-01",
        )  # fmt: skip
        assert response.status_code == 302
        row = FeatureAdoption.objects.get(client=used, feature_key="report_exports")
        assert (row.is_configured, row.configured_at) == (True, date(2026, 6, 1))
        page = browser.get(response.url).content.decode()
        assert "Licences of 1 feature saved. Scores from 1 Jun 2026 on will be made again shortly." in page
        token = re.search(r'name="undo" value="([^"]+)"', page)
        assert token is not None
        browser.post(reverse("client_licences_undo", args=[used.pk]), {"undo": token[1]})
        row.refresh_from_db()
        assert (row.is_configured, row.configured_at) == (False, None)

    def test_licenses_a_module_at_once(self, used: Client, staff: Staff) -> None:
        self.post(staff.ada, used, bulk="license:Disclosures", bulk_date="2026-05-01")
        rows = FeatureAdoption.objects.filter(client=used, is_licensed=True, licensed_at=date(2026, 5, 1))
        assert sorted(rows.values_list("feature_key", flat=True)) == ["campaign_launch", "disclosure_review"]
        assert FeatureAdoption.objects.get(client=used, feature_key="case_creation").licensed_at == date(2025, 1, 1)

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"only": "report_exports", "licensed_at__report_exports": "soon"}, "&#39;soon&#39; is no date"),
            ({"bulk": "license:Teleport"}, "names no action and module"),
            ({"bulk": "license:Disclosures", "bulk_date": "31.2."}, "is no date"),
            ({"only": "report_exports", "licensed__report_exports": "1", "licensed_at__report_exports": "1900-01-01"},
             "give a day from 1990-01-01 on"),
        ],
        ids=["no date", "no module", "no bulk date", "too early"],
    )  # fmt: skip
    def test_keeps_the_form_and_names_what_is_wrong(
        self, values: dict[str, str], words: str, used: Client, staff: Staff
    ) -> None:
        before = list(FeatureAdoption.objects.order_by("feature_key").values())
        _, response = self.post(staff.ada, used, **values)
        assert response.status_code == 422
        assert words in response.content.decode()
        assert list(FeatureAdoption.objects.order_by("feature_key").values()) == before

    def test_is_not_for_others_nor_for_archived_clients(self, used: Client, clients: Clients, staff: Staff) -> None:
        assert self.post(staff.cleo, used, bulk="license:Disclosures")[1].status_code == 404
        assert self.post(staff.cleo, used, "client_licences_undo", undo="x")[1].status_code == 404
        self.post(staff.ada, clients.gone, bulk="license:Disclosures")
        assert not FeatureAdoption.objects.filter(client=clients.gone).exists()
