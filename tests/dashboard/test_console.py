"""The operations console and the suppliers' page: what they say, who sees it, and where they exist."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.shortcuts import render as plain_render
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse

from bellwether.benchmarks.night import forget_night
from bellwether.benchmarks.nightly import make_night
from bellwether.benchmarks.percentiles import Spread
from bellwether.common.models import JobRun
from bellwether.dashboard.console_benchmarks import ordinal, strip_row
from bellwether.dashboard.homes import portfolio_path, start
from bellwether.health.models import HealthScore, HealthScoreConfig
from bellwether.health.scorecard import definition_digest, shipped_definition
from bellwether.portfolio.models import Client
from bellwether.presets import load_preset
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.lake import Lake
from tests.api.portal_cast import ORGANIZATION, SUPPLIER, keep_score
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
GOOD = ORGANIZATION | {"active_users_30d": 45, "cases_on_time": 12, "assignments_completed": 45, "tickets_30d": 0}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()


@pytest.fixture(autouse=True)
def _keep_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers carry what their template was given, as `shown`."""

    def render(request: Any, template: str, values: Any) -> Any:
        response = plain_render(request, template, values)
        response.shown = values  # type: ignore[attr-defined]
        return response

    monkeypatch.setattr("bellwether.dashboard.client_access.render", render)


@pytest.fixture
def scored(clients: Clients, lake: Lake, settings: Any) -> Clients:
    """Sturdy 97 green, Fading 72 amber, Newborn 100 on 15% of the weight: amber too."""
    settings.BELLWETHER_OTHER_SCORECARDS = ["operations", "suppliers"]
    keep_score(clients.sturdy, "operations", TODAY, GOOD, previous=90)
    keep_score(clients.fading, "operations", TODAY, ORGANIZATION, previous=76)
    keep_score(clients.newborn, "operations", TODAY, {"tickets_30d": 0})
    keep_score(clients.fading, "suppliers", TODAY, SUPPLIER, previous=52)
    return clients


def open_as(user: StaffUser, path: str, **query: str) -> Any:
    browser = Browser()
    browser.force_login(user)
    return browser.get(path, query)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


class TestConsole:
    def test_counts_filter_and_sort(self, staff: Staff, scored: Clients) -> None:
        page = open_as(staff.ada, "/console/")
        context = page.shown
        assert [(tile.label, tile.count) for tile in context["tiles"]] == [
            ("All clients", 3), ("Green: healthy", 1), ("Amber: at risk", 2), ("Red: critical", 0),
        ]  # fmt: skip
        assert [card.name for card in context["cards"]] == ["Newborn", "Sturdy", "Fading"]
        assert open_as(staff.ada, "/console/", sort="score").shown["cards"][0].name == "Fading"
        # Points against the score before: 97 - 90, 72 - 76; Newborn has none before and comes last.
        by_trend = open_as(staff.ada, "/console/", sort="-trend").shown["cards"]
        assert [card.name for card in by_trend] == ["Sturdy", "Fading", "Newborn"]
        assert [card.name for card in open_as(staff.ada, "/console/", light="green").shown["cards"]] == ["Sturdy"]
        found = open_as(staff.ada, "/console/", search="fAd").shown["cards"]
        assert [card.name for card in found] == ["Fading"]
        assert "No client matches" in text(open_as(staff.ada, "/console/", search="zzz"))
        assert open_as(staff.ada, "/console/", sort="secret", light="blue", page="-3").status_code == 200

    def test_says_what_rests_on_no_data(self, staff: Staff, scored: Clients) -> None:
        card = open_as(staff.ada, "/console/", search="newborn").shown["cards"][0]
        assert (card.score, card.look.label, card.held_back) == (100, "Amber", True)
        assert card.thin == "15% of the weight has data"
        assert [part.without for part in card.parts] == [True, True, True, True, False]
        keep_score(scored.elsewhere, "operations", TODAY, {"tickets_30d": 9})
        low = open_as(staff.cleo, "/console/").shown["cards"][0]
        assert (low.look.label, low.thin, low.held_back) == ("Red", "15% of the weight has data", False)

    def test_shows_the_weights_that_a_score_was_made_with(self, staff: Staff, scored: Clients) -> None:
        definition = copy.deepcopy(shipped_definition("operations"))
        for component, weight in zip(definition["components"], (40, 25, 15, 10, 10), strict=True):
            component["weight"] = weight
        HealthScoreConfig.objects.create(
            scorecard="operations", version=2, name="Own", definition=definition, created_at=NOW,
            digest=definition_digest(definition),
        )  # fmt: skip
        HealthScore.objects.filter(client=scored.fading, scorecard="operations").update(weights_version="operations v2")
        cards = {card.name: card for card in open_as(staff.ada, "/console/").shown["cards"]}
        assert [one.part.weight for one in cards["Fading"].parts] == ["40%", "25%", "15%", "10%", "10%"]
        assert [one.part.weight for one in cards["Sturdy"].parts] == ["20%", "25%", "25%", "15%", "15%"]

    def test_shows_only_what_one_may_see(self, staff: Staff, scored: Clients) -> None:
        assert [card.name for card in open_as(staff.cleo, "/console/").shown["cards"]] == ["Elsewhere"]
        assert open_as(staff.cleo, f"/console/{scored.sturdy.pk}/").status_code == 404
        assert Browser().get("/console/").status_code == 302
        assert AuditEvent.objects.filter(action="client.list", actor_id=staff.cleo.pk).count() == 1

    @pytest.mark.parametrize("path", ["/console/", "/console/benchmarks/", "/suppliers/", "/suppliers.csv"])
    def test_is_absent_without_its_scorecard(self, staff: Staff, clients: Clients, settings: Any, path: str) -> None:
        settings.BELLWETHER_OTHER_SCORECARDS = []
        assert open_as(staff.vera, path).status_code == 404
        assert 'title="Console"' not in text(open_as(staff.vera, "/"))

    def test_is_in_the_rail_where_it_is_in_use(self, staff: Staff, scored: Clients) -> None:
        page = text(open_as(staff.vera, "/"))
        assert 'title="Console"' in page
        assert page.index('title="Portfolio"') < page.index('title="Console"')

    def test_before_the_first_score_says_when_it_comes(self, staff: Staff, clients: Clients, settings: Any) -> None:
        settings.BELLWETHER_OTHER_SCORECARDS = ["operations"]
        page = open_as(staff.ada, "/console/")
        assert "Not scored yet." in text(page)
        assert "after the first run of the score job" in text(page)
        assert page.shown["tiles"][-1].label == "No score"

    def test_a_client_that_is_not_scored_any_more_keeps_its_last_score(self, staff: Staff, scored: Clients) -> None:
        keep_score(scored.elsewhere, "operations", TODAY - timedelta(days=9), ORGANIZATION)
        card = open_as(staff.vera, "/console/", search="elsewhere").shown["cards"][0]
        assert (card.score, card.sub) == (72, "Last activity never. Score of 21 Jun")

    def test_many_clients_come_in_pages(self, staff: Staff, scored: Clients) -> None:
        Client.objects.bulk_create(
            Client(organization_id=f"more-{n}", name=f"More {n}", csm_user=staff.ada) for n in range(50)
        )
        first = open_as(staff.ada, "/console/", sort="name")
        assert (len(first.shown["cards"]), first.shown["page"].text) == (48, "1 to 48 of 53 clients")
        assert len(open_as(staff.ada, first.shown["page"].next).shown["cards"]) == 5


class TestConsoleClient:
    def test_shows_everything_about_one(self, staff: Staff, scored: Clients) -> None:
        keep_score(scored.fading, "operations", TODAY - timedelta(days=1), ORGANIZATION, previous=76)
        page = open_as(staff.ada, f"/console/{scored.fading.pk}/")
        said = text(page)
        assert "Health 72 of 100, amber" in said
        assert "against the score before, 76" in said
        assert "Risk low" in said
        assert [row.score for row in page.shown["history"]["rows"]] == ["72", "72"]
        assert "No usage yet" in said
        assert "Nothing yet" in said

    def test_a_client_without_score_says_why(self, staff: Staff, scored: Clients) -> None:
        said = text(open_as(staff.vera, f"/console/{scored.elsewhere.pk}/"))
        assert "No score has been made yet." in said
        assert "No scores in this period" in said

    def test_sets_the_alert_level_and_undoes_it(self, staff: Staff, scored: Clients) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        path = f"/console/{scored.fading.pk}/"
        page = browser.post(f"{path}alerts/", {"level": "PROACTIVE"}, follow=True)
        scored.fading.refresh_from_db()
        assert scored.fading.alert_level == "PROACTIVE"
        assert "Alerts of Fading: proactive." in text(page)
        assert page.shown["undo"] == "DASHBOARD_ONLY"
        page = browser.post(f"{path}alerts/", {"level": page.shown["undo"], "undo": "1"}, follow=True)
        scored.fading.refresh_from_db()
        assert scored.fading.alert_level == "DASHBOARD_ONLY"
        assert page.shown["undo"] == ""
        assert "is no alert level" in text(browser.post(f"{path}alerts/", {"level": "LOUD"}, follow=True))
        assert AuditEvent.objects.filter(action="client.changed").count() == 2

    def test_others_may_not_change_it(self, staff: Staff, scored: Clients) -> None:
        browser = Browser()
        browser.force_login(staff.cleo)
        assert browser.post(f"/console/{scored.fading.pk}/alerts/", {"level": "NONE"}).status_code == 404
        assert browser.post(f"/console/{scored.fading.pk}/refresh/").status_code == 404
        assert not JobRun.objects.exists()

    def test_asks_for_new_scores_and_says_how_far_they_are(self, staff: Staff, scored: Clients) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        page = browser.post(f"/console/{scored.fading.pk}/refresh/", follow=True)
        assert "Waiting for a worker" in text(page)
        run = JobRun.objects.get(name="health_refresh")
        JobRun.objects.filter(pk=run.pk).update(state="done", finished_at=NOW)
        state = browser.get(f"/console/{scored.fading.pk}/refresh/{run.pk}/")
        assert state["HX-Refresh"] == "true"
        assert browser.get(f"/console/{scored.sturdy.pk}/refresh/{run.pk}/").status_code == 404


class TestBenchmarks:
    def test_places_a_client_by_value_and_tells_its_rank(self) -> None:
        # Quartiles 40, 60 and 80: the scale reaches from 20 to 100.
        row = strip_row("loginRate", Spread(6, 40.0, 60.0, 80.0, 60.0, 0.0, 100.0), 70.0, 66.6, "Sturdy")
        assert [(mark.at, mark.text) for mark in row.marks] == [(25.0, "40%"), (50.0, "60%"), (75.0, "80%")]
        assert (row.me and row.me.at, row.percentile, row.reason) == (62.5, "67th", "")
        assert row.sentence == ("Login rate, weekly: 25th percentile 40%, median 60%, 75th percentile 80%; Sturdy 70%.")
        far = strip_row("loginRate", Spread(6, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0), 99.0, 100.0, "Sturdy")
        assert far.me is not None
        assert far.me.at == 100.0

    @pytest.mark.parametrize(
        ("rank", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (12.5, "13th"), (0, "0th"), (21, "21st")]
    )
    def test_ordinals(self, rank: float, text: str) -> None:
        assert ordinal(rank) == text

    def test_before_the_first_night_and_for_small_groups(self, staff: Staff, scored: Clients) -> None:
        assert "No benchmarks yet" in text(open_as(staff.vera, "/console/benchmarks/"))
        keep_score(scored.sturdy, "prd-015", TODAY, {})
        make_night(now=NOW)
        forget_night()
        said = text(open_as(staff.vera, "/console/benchmarks/", client=str(scored.sturdy.pk)))
        assert "Privacy notice" in said
        assert "at least 5 peers" in said

    def test_offers_only_clients_that_one_may_see(self, staff: Staff, scored: Clients) -> None:
        page = open_as(staff.cleo, "/console/benchmarks/", client=str(scored.sturdy.pk))
        assert [client.name for client in page.shown["clients"]] == ["Elsewhere"]
        assert page.shown["chosen"] is None


class TestSuppliers:
    def test_shows_risk_and_what_to_do(self, staff: Staff, scored: Clients) -> None:
        page = open_as(staff.ada, "/suppliers/", risk="critical")
        assert [(tile.label, tile.count) for tile in page.shown["tiles"]] == [
            ("All suppliers", 3), ("Healthy", 0), ("At risk", 0), ("Critical", 1), ("No score", 2),
        ]  # fmt: skip
        [card] = page.shown["cards"]
        # 39.875 points are stored as 40, but critical: the risk is that of the points before rounding.
        assert (card.score, card.look.label, card.last_login, card.days_active) == (40, "Critical", "9 days ago", 0)
        assert card.href == reverse("client", args=[scored.fading.pk])
        assert "The score fell 12 points in 30 days" in text(page)

    def test_exports_what_the_filters_let_through(self, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(name="@SUM(A1)")
        page = open_as(staff.ada, "/suppliers/", risk="critical")
        lines = open_as(staff.ada, page.shown["export"]).content.decode().splitlines()
        assert len(lines) == 2
        assert lines[1].startswith("fading,'@SUM(A1),40,critical,-12,2026-06-21,0,ENTERPRISE,1.0,2026-06-30")
        assert AuditEvent.objects.get(action="client.export").detail["count"] == 1

    def test_shows_only_what_one_may_see(self, staff: Staff, scored: Clients) -> None:
        assert [card.name for card in open_as(staff.cleo, "/suppliers/").shown["cards"]] == ["Elsewhere"]


class TestFirstPage:
    @pytest.mark.parametrize(
        ("preset", "home", "path"),
        [
            ("ethico", "portfolio", ""),
            ("operations", "console", "portfolio/"),
            ("suppliers", "suppliers", "portfolio/"),
        ],
    )
    def test_is_the_presets(self, settings: Any, staff: Staff, preset: str, home: str, path: str) -> None:
        address = reverse(home)
        assert load_preset(preset)["workspace"].get("home", "portfolio") == home
        assert portfolio_path(home) == path
        settings.BELLWETHER_HOME_PAGE = home
        request = RequestFactory().get("/")
        request.user = staff.ada
        assert start(request)["Location"] == address
