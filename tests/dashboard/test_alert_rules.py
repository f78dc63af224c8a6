"""The pages of alert settings: what holds for whom, the form with its replay, level and mute of a client."""

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bellwether.alerts.models import AlertSetting
from bellwether.alerts.settings_changes import Place, mute, save
from bellwether.alerts.settings_checking import Asked
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from tests.conftest import NOW, Clients, Staff
from tests.dashboard.client_builders import score

pytestmark = pytest.mark.django_db
LIST, DROP = "/settings/alerts/", "/settings/alerts/health_drop/"
LATER = NOW + timedelta(days=30)
FORM = {"enabled": "", "severity": "", "respond": "", "own_media": ""}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()


@pytest.fixture
def browse() -> Callable[[StaffUser], Browser]:
    def signed_in(user: StaffUser) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    return signed_in


def text(answer: Any) -> str:
    """The words of a page, with single spaces."""
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(html.unescape(plain).split())


def at(client: Client) -> Place:
    from bellwether.alerts.choices import SettingScope

    return Place(SettingScope.CLIENT, client=client)


class TestList:
    def test_shows_the_eleven_kinds_and_says_who_changes_them(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        page = browse(staff.ada).get(LIST)
        words = text(page)
        assert page.content.decode().count('class="name kind"') == 11
        assert "10 points or more below its highest value of the 7 days before" in words
        assert "Only the VPs and administrators" in words
        assert "Only the VPs" not in text(browse(staff.vera).get(LIST))

    def test_a_tier_shows_what_it_inherits_and_what_is_its_own(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        browser = browse(staff.vera)
        browser.post(DROP, {**FORM, "t_points": "12"})
        browser.post(DROP + "?tier=ENTERPRISE", {**FORM, "t_points": "20"})
        assert "20 points or more" in text(browser.get(LIST + "?tier=ENTERPRISE"))
        assert "Not the default: drop of at least 20 points (10)" in text(browser.get(LIST + "?tier=ENTERPRISE"))
        everybody = text(browser.get(LIST))
        assert "12 points or more" in everybody
        assert "Drop of at least 20 points" in everybody  # among the settings of their own
        assert "20 points or more" in text(browser.get(f"{LIST}?client={clients.sturdy.pk}"))

    def test_others_clients_and_unknown_places_do_not_exist(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        browser = browse(staff.cleo)
        for query in (f"client={clients.sturdy.pk}", "client=x", "tier=GOLD", "segment=Nowhere"):
            assert browser.get(f"{LIST}?{query}").status_code == 404
        assert browser.get("/settings/alerts/no_such_kind/").status_code == 404
        assert browser.get("/settings/alerts/HEALTH_DROP/").status_code == 404

    def test_own_settings_of_others_clients_are_not_listed(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        save(at(clients.sturdy), [Asked("HEALTH_DROP", {"is_enabled": False})], actor=staff.ada, now=NOW)
        mute(clients.sturdy, until=LATER, reason="Merger", actor=staff.ada, now=NOW)
        assert "Sturdy" in text(browse(staff.ada).get(LIST))
        assert "Sturdy" not in text(browse(staff.cleo).get(LIST))

    def test_takes_as_many_queries_for_many_clients_as_for_one(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        browser, counts = browse(staff.vera), []
        for client in (clients.sturdy, clients.fading, clients.newborn):
            save(at(client), [Asked("HEALTH_DROP", {"is_enabled": False})], actor=staff.ada, now=NOW)
            mute(client, until=LATER, reason="Merger", actor=staff.ada, now=NOW)
            browser.get(LIST)
            with CaptureQueriesContext(connection) as queries:
                browser.get(LIST)
            counts.append(len(queries))
        assert counts[0] == counts[2] <= 16


class TestRule:
    def test_saves_and_the_message_can_undo(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        browser = browse(staff.vera)
        form = {**FORM, "enabled": "off", "t_points": "15", "severity": "CRITICAL", "respond": "2", "own_media": "on"}
        page = browser.post(DROP, {**form, "media": ["EMAIL", "IN_APP"]}, follow=True)
        row = AlertSetting.objects.get()
        assert (row.is_enabled, row.thresholds, row.severity, row.respond_within_hours, row.media) == (
            False, {"points": 15}, "CRITICAL", 2, ["IN_APP", "EMAIL"],
        )  # fmt: skip
        found = re.search(r'action="(/changes/[^"]+)"', page.content.decode())
        assert found
        browser.post(found.group(1), {"next": LIST})
        assert not AlertSetting.objects.filter(is_enabled=False).exists()

    @pytest.mark.parametrize(("typed", "field"), [
        ({"t_points": "many"}, "thresholds-points"), ({"t_points": "61"}, "thresholds-points"),
        ({"t_points": "nan"}, "thresholds-points"), ({"respond": "1.5"}, "respond_within_hours"),
        ({"respond": "0"}, "respond_within_hours"), ({"severity": "LOUD"}, "severity"),
    ], ids=["word", "range", "nan", "fraction", "zero", "severity"])  # fmt: skip
    def test_bad_input_is_marked_and_nothing_is_saved(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser], typed: dict[str, str], field: str
    ) -> None:
        page = browse(staff.adam).post(DROP, {**FORM, **typed})
        assert page.status_code == 422
        assert f'id="{field}-error"' in page.content.decode()
        assert not AlertSetting.objects.exists()

    def test_only_those_who_may_save(self, staff: Staff, clients: Clients, browse: Callable[..., Browser]) -> None:
        browser = browse(staff.ada)
        assert browser.get(DROP).status_code == 200
        assert browser.post(DROP, {**FORM, "enabled": "off"}).status_code == 403
        own = f"{DROP}?client={clients.sturdy.pk}"
        assert browser.post(own, {**FORM, "enabled": "off"}).status_code == 302
        assert browse(staff.cleo).post(own, {**FORM, "enabled": "on"}).status_code == 404
        assert list(AlertSetting.objects.values_list("client", "is_enabled")) == [(clients.sturdy.pk, False)]

    def test_back_to_inherited(self, staff: Staff, clients: Clients, browse: Callable[..., Browser]) -> None:
        browser = browse(staff.vera)
        browser.post(DROP, {**FORM, "t_points": "15"})
        browser.post(DROP + "reset/", {})
        assert AlertSetting.objects.get().thresholds == {}
        assert browse(staff.ada).post(DROP + "reset/", {}).status_code == 403

    def test_all_kinds_at_once(self, staff: Staff, clients: Clients, browse: Callable[..., Browser]) -> None:
        browser = browse(staff.vera)
        browser.post("/settings/alerts/all/?tier=ENTERPRISE", {**FORM, "enabled": "off"})
        assert AlertSetting.objects.get().alert_type == ""
        assert text(browser.get(LIST + "?tier=ENTERPRISE")).count(" Off") == 11


class TestReplay:
    @pytest.fixture
    def fell(self, clients: Clients) -> Clients:
        """The score of Sturdy fell by 12 within a day, eight weeks ago."""
        for day, value in (
            (date(2025, 5, 1), 80.0),
            (date(2026, 4, 30), 80.0),
            (date(2026, 5, 1), 68.0),
            (date(2026, 5, 2), 68.0),
        ):
            score(clients.sturdy, day, dict.fromkeys(("usage", "adoption", "support"), value), now=NOW)
        return clients

    def test_shows_the_rule_in_force_and_what_is_typed(
        self, staff: Staff, fell: Clients, browse: Callable[..., Browser]
    ) -> None:
        browser = browse(staff.ada)
        present = text(browser.get(DROP + "replay/"))
        assert "In force" in present
        assert "1 alert in all." in present
        assert "Sturdy" in present
        typed = text(browser.get(DROP + "replay/", {**FORM, "t_points": "15"}))
        assert "As typed, not saved" in typed
        assert "0 alerts in all instead of 1: 100% fewer." in typed
        same = text(browser.get(DROP + "replay/", {**FORM, "t_points": "10"}))
        assert "As many alerts as with the rule in force: 1 alert in all." in same
        assert not AlertSetting.objects.exists()

    def test_all_kinds_together(self, staff: Staff, fell: Clients, browse: Callable[..., Browser]) -> None:
        browser, address = browse(staff.vera), "/settings/alerts/all/replay/"
        assert "Sturdy" in text(browser.get(address))
        off = text(browser.get(address, {**FORM, "enabled": "off"}))
        assert "As typed, not saved" in off
        assert "No alerts" in off

    def test_others_see_none_of_it(self, staff: Staff, fell: Clients, browse: Callable[..., Browser]) -> None:
        page = text(browse(staff.cleo).get(DROP + "replay/"))
        assert "Sturdy" not in page
        assert "0 alerts in all." in page
        address = f"{DROP}replay/?client={fell.sturdy.pk}"
        assert browse(staff.cleo).get(address).status_code == 404

    def test_csms_are_named_to_those_who_see_all(
        self, staff: Staff, fell: Clients, browse: Callable[..., Browser]
    ) -> None:
        assert "By CSM" in text(browse(staff.vera).get(DROP + "replay/"))
        assert "By CSM" not in text(browse(staff.ada).get(DROP + "replay/"))

    def test_bad_input_is_said_in_its_place(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        page = browse(staff.vera).get(DROP + "replay/", {**FORM, "t_points": "99"})
        assert page.status_code == 200
        assert "Give a whole number from 1 to 60." in text(page)

    def test_works_without_javascript(self, staff: Staff, fell: Clients, browse: Callable[..., Browser]) -> None:
        page = browse(staff.ada).get(DROP, {**FORM, "t_points": "12", "preview": "1"})
        assert "As many alerts as with the rule in force: 1 alert in all." in text(page)
        assert 'value="12"' in page.content.decode()


class TestClient:
    def test_level_and_mute_are_saved_together_and_undone_together(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        browser = browse(staff.ada)
        address = reverse("client_alert_settings", args=[clients.sturdy.pk])
        assert "Dashboard only" in text(browser.get(address))
        page = browser.post(address, {"level": "PROACTIVE", "until": "2026-07-10", "reason": "Migration"}, follow=True)
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.alert_level == "PROACTIVE"
        assert AlertSetting.objects.get().mute_reason == "Migration"
        found = re.search(r'action="(/changes/[^"]+)"', page.content.decode())
        assert found
        browser.post(found.group(1))
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.alert_level == "DASHBOARD_ONLY"
        assert not AlertSetting.objects.exists()

    def test_mute_one_kind_and_tell_it_again(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        browser = browse(staff.ada)
        address = reverse("client_alert_mute", args=[clients.sturdy.pk])
        assert 'value="HEALTH_DROP" selected' in browser.get(address + "?type=HEALTH_DROP").content.decode()
        given = {"alert_type": "HEALTH_DROP", "until": "2026-07-10", "reason": "Merger"}
        said = text(browser.post(address, given, follow=True))
        assert "Health drop of Sturdy muted until 10 Jul 2026" in said
        assert "Merger" in text(browser.get("/alerts/muted/"))
        assert "Merger" not in text(browse(staff.cleo).get("/alerts/muted/"))
        browser.post(reverse("client_alert_unmute", args=[clients.sturdy.pk]), {"alert_type": "HEALTH_DROP"})
        assert "Merger" not in text(browser.get("/alerts/muted/"))

    @pytest.mark.parametrize(("given", "sentence"), [
        ({"until": "2026-06-30", "reason": "x"}, "Give a day after today."),
        ({"until": "2026-07-10", "reason": ""}, "This field is required."),
        ({"until": "soon", "reason": "x"}, "Write the date like 2026-02-12."),
    ], ids=["past", "no-reason", "no-date"])  # fmt: skip
    def test_a_mute_that_cannot_be(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser], given: dict[str, str], sentence: str
    ) -> None:
        page = browse(staff.ada).post(reverse("client_alert_mute", args=[clients.sturdy.pk]), given)
        assert page.status_code == 422
        assert sentence in text(page)
        assert not AlertSetting.objects.exists()

    def test_others_clients_do_not_exist(self, staff: Staff, clients: Clients, browse: Callable[..., Browser]) -> None:
        browser = browse(staff.cleo)
        for name in ("client_alert_settings", "client_alert_mute"):
            assert browser.get(reverse(name, args=[clients.sturdy.pk])).status_code == 404
            assert browser.post(reverse(name, args=[clients.sturdy.pk]), {"level": "NONE"}).status_code == 404
        assert browser.post(reverse("client_alert_unmute", args=[clients.sturdy.pk])).status_code == 404
        assert browser.get(reverse("client_alert_rule", args=[clients.sturdy.pk, "health_drop"])).status_code == 404

    def test_the_way_from_an_alert_to_its_rule(
        self, staff: Staff, clients: Clients, browse: Callable[..., Browser]
    ) -> None:
        page = browse(staff.ada).get(reverse("client_alert_rule", args=[clients.sturdy.pk, "health_drop"]), follow=True)
        assert page.status_code == 200
        assert "Health drop for Sturdy." in text(page)
