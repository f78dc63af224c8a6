"""The health score page: drafts in the address, who may publish, what the preview says, undo, comparing, editing."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import caches
from django.test import Client as Browser

from bellwether.common.models import JobRun
from bellwether.dashboard.scorecard_form import read_asked, read_scope, scope_text
from bellwether.dashboard.scorecard_versions import change_words
from bellwether.health.config_scopes import Scope
from bellwether.health.configs import in_force
from bellwether.health.models import ConfigActivation, HealthScoreConfig
from bellwether.health.scorecard import shipped_definition
from bellwether.health.simulation_drafts import draft_definition
from bellwether.health.simulation_reading import forget
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, Clients, Staff
from tests.health.test_services import records, usage  # noqa: F401
from tests.health.test_simulations import TILTED, go_live, make_draft, score_today, stored

PAGE, PREVIEW, SAVE = "/health-score/", "/health-score/preview/", "/health-score/save/"
COMPONENTS = "/health-score/components/"
DRAFT = "?" + urlencode({f"w.{key}": value for key, value in TILTED.items()})
NINETY_NINE = "?w.usage=24"


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()
    forget()
    yield
    forget()


@pytest.fixture
def scored(clients: Clients, usage: Any, records: None) -> Clients:  # noqa: F811
    score_today()
    return clients


def as_user(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def version_in_use() -> int:
    return in_force("prd-015", now=NOW).default.number


@pytest.mark.django_db
class TestLooking:
    def test_everybody_sees_it_and_reads_who_publishes(self, scored: Clients, staff: Staff) -> None:
        for user in (staff.ada, staff.ed, staff.vera):
            answer = as_user(user).get(PAGE)
            assert answer.status_code == 200
            assert "Version 1 is in use." in text_of(answer)
            assert "Only administrators save and publish" in text_of(answer)
            assert "Publish version" not in text_of(answer)
        assert AuditEvent.objects.filter(action="scorecard.read").count() == 3

    def test_a_draft_lives_in_the_address(self, scored: Clients, staff: Staff) -> None:
        seen = text_of(as_user(staff.adam).get(PAGE + DRAFT))
        assert "Draft of version 2. Version 1 stays in use until you publish." in seen
        assert "Version 1: 25%" in seen
        assert "Publish version 2" in seen

    def test_a_draft_that_changes_nothing_lists_nobody(self, scored: Clients, staff: Staff) -> None:
        for address in (PAGE, PREVIEW + "?w.usage=25"):
            seen = text_of(as_user(staff.ada).get(address))
            assert "Move a slider or a threshold to see what it would do" in seen
            assert "Largest changes" not in seen
        assert "Largest changes" in text_of(as_user(staff.ada).get(PREVIEW + DRAFT))

    def test_shows_only_the_own_clients(self, scored: Clients, staff: Staff) -> None:
        assert "Elsewhere" not in text_of(as_user(staff.ada).get(PAGE + DRAFT + "&show=all"))
        assert "0 scored clients on 30 Jun" in text_of(as_user(staff.cleo).get(PAGE))  # Elsewhere has too little data

    def test_the_preview_follows_and_keeps_the_address(self, scored: Clients, staff: Staff) -> None:
        answer = as_user(staff.ada).get(PREVIEW + DRAFT, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert answer["HX-Replace-Url"].startswith(PAGE + "?w.usage=5")
        assert "hx-swap-oob" in answer.content.decode()
        back = as_user(staff.ada).get(PREVIEW + "?w.usage=25")  # as it is: nothing to keep
        assert back["HX-Replace-Url"] == PAGE

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            (NINETY_NINE, "The weights sum to 99%."),
            ("?w.usage=", "Usage is empty; give a number."),
            ("?w.usage=often", "Usage is not a number."),
            ("?w.usage=-5", "Usage is -5; a weight is from 0 to 100."),
            ("?t.healthy=50", "Healthy is 50, below monitor at 60"),
            ("?w.mood=5", "is no component of this version"),
            ("?scope=tier:GOLD", "The address names no tier, segment or client."),
        ],
        ids=["sum", "empty", "word", "negative", "order", "unknown", "scope"],
    )
    def test_what_cannot_be_used_is_said(self, scored: Clients, staff: Staff, query: str, words: str) -> None:
        answer = as_user(staff.adam).get(PREVIEW + query)
        assert answer.status_code == 200
        assert words in text_of(answer)
        assert re.search(r"<button class=\"btn primary\"[^>]* disabled", answer.content.decode())

    @pytest.mark.parametrize("query", ["?config=6f1d7a3e-0000-4000-8000-000000000000"])
    def test_what_is_not_there_is_404(self, scored: Clients, staff: Staff, query: str) -> None:
        assert as_user(staff.adam).get(PAGE + query).status_code == 404
        elsewhere = f"?scope=client:{scored.elsewhere.pk}"
        assert as_user(staff.ada).get(PAGE + elsewhere).status_code == 404
        assert as_user(staff.cleo).get(PAGE + elsewhere).status_code == 200

    def test_a_client_is_found_by_name(self, scored: Clients, staff: Staff) -> None:
        browser = as_user(staff.ada)
        assert browser.get(PAGE + "?client=fad")["Location"] == f"{PAGE}?scope=client%3A{scored.fading.pk}"
        assert "No client is called" in text_of(browser.get(PAGE + "?client=elsewhere", follow=True))
        assert "fits several clients: Newborn, Sturdy" in text_of(browser.get(PAGE + "?client=r", follow=True))

    def test_a_workspace_without_scores(self, staff: Staff) -> None:
        assert "No scored clients" in text_of(as_user(staff.adam).get(PAGE))

    def test_exports_every_change(self, scored: Clients, staff: Staff) -> None:
        answer = as_user(staff.vera).get("/health-score/changes.csv" + DRAFT)
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert rows
        assert all(row["score_now"] != row["score_draft"] for row in rows)
        assert rows[0]["annual_recurring_revenue"] == "120000.00"
        assert AuditEvent.objects.get(action="scorecard.export").detail["count"] == len(rows)
        assert as_user(staff.vera).get("/health-score/changes.csv?w.usage=x").status_code == 422


@pytest.mark.django_db
class TestPublishing:
    @pytest.mark.parametrize("action", ["save", "publish"])
    def test_only_administrators_save_and_publish(self, scored: Clients, staff: Staff, action: str) -> None:
        for user in (staff.ada, staff.vera):
            answer = as_user(user).post(SAVE, {"draft": DRAFT, "action": action, "reason": "why"})
            assert answer.status_code == 403
        assert HealthScoreConfig.objects.count() == 1

    @pytest.mark.parametrize(
        ("draft", "reason", "words"),
        [
            (NINETY_NINE, "why", "they must sum to 100%"),
            (DRAFT, "", "Give a reason"),
            ("", "why", "It says the same as what is in use."),
        ],
        ids=["sum", "reason", "same"],
    )
    def test_what_cannot_be_published_says_why(
        self, scored: Clients, staff: Staff, draft: str, reason: str, words: str
    ) -> None:
        answer = as_user(staff.adam).post(SAVE, {"draft": draft, "action": "publish", "reason": reason}, follow=True)
        assert words in text_of(answer)
        assert HealthScoreConfig.objects.count() == 1
        assert version_in_use() == 1

    def test_a_saved_draft_changes_nothing_and_can_be_published_later(self, scored: Clients, staff: Staff) -> None:
        browser = as_user(staff.adam)
        seen = browser.post(SAVE, {"draft": DRAFT, "action": "save"}, follow=True)
        assert "Version 2 is saved as a draft." in text_of(seen)
        assert version_in_use() == 1
        saved = HealthScoreConfig.objects.get(version=2)
        assert saved.definition["components"][0]["weight"] == 5
        assert "Draft of version 2" in text_of(seen)
        browser.post(SAVE, {"draft": f"?config={saved.pk}", "action": "publish", "reason": "It holds"})
        assert version_in_use() == 2
        assert HealthScoreConfig.objects.count() == 2  # the draft itself, no copy

    def test_publishing_gives_the_preview_and_can_be_undone(self, scored: Clients, staff: Staff) -> None:
        browser = as_user(staff.adam)
        before = stored()
        rows = csv.DictReader(io.StringIO(browser.get("/health-score/changes.csv" + DRAFT).content.decode()))
        shown = {row["name"]: int(row["score_draft"]) for row in rows}
        answer = browser.post(SAVE, {"draft": DRAFT, "action": "publish", "reason": "Churn review"})
        activation = ConfigActivation.objects.order_by("-pk")[0]
        assert f"published={activation.pk}" in answer["Location"]
        assert JobRun.objects.filter(name="score", state="queued").count() == 1
        seen = browser.get(answer["Location"])
        assert "Version 2 is in use." in text_of(seen)
        assert "Undo" in text_of(seen)
        assert "Churn review" in text_of(seen)
        score_today()
        assert shown.items() <= {name: score for name, (score, _) in stored().items()}.items()
        browser.post("/health-score/undo/", {"activation": activation.pk})
        score_today()
        assert version_in_use() == 1
        assert stored() == before
        again = browser.post("/health-score/undo/", {"activation": activation.pk}, follow=True)
        assert "nothing was undone" in text_of(again)
        assert as_user(staff.vera).post("/health-score/undo/", {"activation": activation.pk}).status_code == 403

    def test_an_old_version_is_restored_with_its_effect_shown(self, scored: Clients, staff: Staff) -> None:
        first = HealthScoreConfig.objects.get(version=1)
        go_live(make_draft(first.definition, Scope(), weights=TILTED), staff)
        browser = as_user(staff.adam)
        page = browser.get(PAGE)
        assert "Restore" in text_of(page)
        assert "Publish version 1" in text_of(browser.get(f"{PAGE}?config={first.pk}"))
        browser.post(SAVE, {"draft": f"?config={first.pk}", "action": "publish", "reason": "Back"})
        assert version_in_use() == 1

    def test_a_scope_of_its_own(self, scored: Clients, staff: Staff) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(segment="Growth")
        browser = as_user(staff.adam)
        forget()
        page = browser.get(PAGE + "?scope=segment:Growth")
        assert "Version 1 is in use for segment Growth: the one of all clients." in text_of(page)
        browser.post(SAVE, {"draft": f"{DRAFT}&scope=segment:Growth", "action": "publish", "reason": "Shorter cycles"})
        configs = in_force("prd-015", now=NOW)
        assert configs.default.number == 1
        assert configs.scoped[Scope(segment="Growth")].number == 2
        tabs = re.search(r"<nav class=\"tabs\".*?</nav>", browser.get(PAGE).content.decode(), re.S)
        assert tabs is not None
        assert re.findall(r"(\w+) <span class=\"count\">(\d+)", tabs[0]) == [("Default", "3"), ("Growth", "1")]
        given_up = browser.post(SAVE, {"draft": "?scope=segment:Growth", "action": "give_up"}, follow=True)
        assert "Segment Growth has no version of its own any more." in text_of(given_up)
        assert in_force("prd-015", now=NOW).scoped == {}
        newest = ConfigActivation.objects.order_by("-pk")[0]
        browser.post("/health-score/undo/", {"activation": newest.pk})
        assert set(in_force("prd-015", now=NOW).scoped) == {Scope(segment="Growth")}
        refused = browser.post(SAVE, {"draft": "", "action": "give_up"}, follow=True)
        assert "All clients need a configuration" in text_of(refused)


@pytest.mark.django_db
class TestComponents:
    def form(self, **changes: str) -> dict[str, str]:
        return {"draft": "", "action": "save"} | changes

    def test_changes_a_formula_into_a_draft(self, scored: Clients, staff: Staff) -> None:
        answer = as_user(staff.adam).post(
            COMPONENTS, self.form(**{"c3.p0.start": "7, 100", "c5.p0.target": "0.8", "c0.weight": "25"}), follow=True
        )
        assert "Version 2 is saved as a draft." in text_of(answer)
        made = HealthScoreConfig.objects.get(version=2).definition
        assert made["components"][3]["formula"]["parts"][0]["start"] == [7, 100]
        assert made["components"][5]["formula"]["parts"][0]["target"] == 0.8
        assert made["components"][1] == shipped_definition("prd-015")["components"][1]
        assert "Relationship measured anew, outcomes measured anew" in text_of(answer)

    def test_removes_and_adds_components(self, scored: Clients, staff: Staff) -> None:
        added = {"new.label": "Stickiness", "new.measure": "stickiness", "new.weight": "10", "new.kind": "linear",
                 "new.none": "0", "new.full": "0.5"}  # fmt: skip
        as_user(staff.adam).post(COMPONENTS, self.form(**{"c5.remove": "1"}, **added))
        made = HealthScoreConfig.objects.get(version=2).definition["components"]
        assert [component["key"] for component in made][-1] == "stickiness"
        assert made[-1]["formula"] == {"kind": "linear", "measure": "stickiness", "start": [0, 0], "end": [0.5, 100]}
        assert "outcome" not in {component["key"] for component in made}

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"c0.weight": "26"}, "The weights sum to 101; they must sum to 100."),
            ({"c0.measure": "mood"}, "reads the unknown measures mood"),
            ({"c3.p0.start": "soon"}, "is a value and its points"),
            ({"c3.p0.start": "95, 100"}, "begins at a higher value"),
            ({"c5.p0.target": "0"}, "is more than 0"),
            ({"c4.p1.values": "current 100"}, "without a colon"),
            ({"new.label": "Half a component"}, "choose a measure"),
            ({"as": "text", "text": "{"}, "neither JSON nor TOML"),
            ({"as": "text", "text": '{"title": "x"}'}, "has no list of components"),
        ],
        ids=["sum", "measure", "pair", "order", "zero", "colon", "half", "json", "no_components"],
    )
    def test_what_cannot_be_used_is_named(
        self, scored: Clients, staff: Staff, changes: dict[str, str], words: str
    ) -> None:
        answer = as_user(staff.adam).post(COMPONENTS, self.form(**changes))
        assert answer.status_code == 422
        assert words in text_of(answer).replace("&#39;", "'")
        assert HealthScoreConfig.objects.count() == 1

    def test_as_text_and_previewed_by_anybody(self, scored: Clients, staff: Staff) -> None:
        text = 'title = "Two"\n' + "\n".join(
            f'[[components]]\nkey = "{key}"\nlabel = "{key}"\nweight = 50\n'
            f'formula = {{ kind = "scale", measure = "{key}", factor = 100 }}'
            for key in ("stickiness", "seat_use")
        )
        trend = '\n[trend]\nagainst = "window"\ndays = 30\nat_least = 7\nthreshold = 5\nup = "UP"\ndown = "DOWN"\n'
        body = {"draft": "", "as": "text", "text": text + trend + 'flat = "FLAT"\n'}
        seen = as_user(staff.ada).post(COMPONENTS, body | {"action": "preview"})
        assert seen.status_code == 200
        assert "change status" in text_of(seen) or "changes status" in text_of(seen)
        assert as_user(staff.ada).post(COMPONENTS, body | {"action": "save"}).status_code == 403
        as_user(staff.adam).post(COMPONENTS, body | {"action": "save"})
        assert HealthScoreConfig.objects.get(version=2).definition["name"] == "prd-015"

    def test_compares_two_versions(self, scored: Clients, staff: Staff) -> None:
        first = HealthScoreConfig.objects.get(version=1)
        go_live(make_draft(first.definition, Scope(), weights=TILTED), staff)
        second = HealthScoreConfig.objects.get(version=2)
        answer = as_user(staff.ada).get(f"/health-score/compare/?a={first.pk}&b={second.pk}")
        assert "Version 1 and version 2" in text_of(answer)
        assert "Support +25" in text_of(answer)
        assert as_user(staff.ada).get("/health-score/compare/?a=x").status_code == 404
        elsewhere = HealthScoreConfig.objects.create(
            scorecard="prd-015", version=3, name="x", definition=first.definition, digest="x", created_at=NOW,
            applies_to_client=scored.elsewhere, is_active=False,
        )  # fmt: skip
        assert as_user(staff.ada).get(f"/health-score/compare/?a={elsewhere.pk}").status_code == 404


@pytest.mark.one_database
class TestWords:
    def test_scopes_in_the_address(self) -> None:
        for text in ("", "tier:ENTERPRISE", "segment:Mid market", "client:6f1d7a3e-0000-4000-8000-000000000000"):
            scope = read_scope(text)
            assert scope is not None
            assert scope_text(scope) == text
        assert read_scope("tier:gold") is None
        assert read_scope("client:7") is None

    def test_reads_numbers_with_a_comma(self) -> None:
        asked = read_asked({"w.usage": "12,5", "w.support": "1e999", "t.healthy": "80", "x": "1"})
        assert asked.weights == {"usage": 12.5}
        assert asked.problems == {"weights.support": "is not a number."}
        assert asked.query() == "?w.usage=12.5&t.healthy=80"

    def test_a_change_in_a_few_words(self) -> None:
        before = shipped_definition("prd-015")
        after = draft_definition(before, weights={"usage": 20, "support": 20}, thresholds={"healthy": 85})
        assert change_words(before, after) == "Usage −5, support +5, healthy from 85"
        assert change_words(before, before) == ""
