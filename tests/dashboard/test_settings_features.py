"""The catalogue of features on its page: read by all, changed by administrators, previewed before it is saved."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client as Browser
from django.urls import reverse

from bellwether.staff.models import StaffUser
from bellwether.usage.catalogue import as_draft, features
from bellwether.usage.catalogue_changes import TIERS, find_feature
from bellwether.usage.catalogue_toml import drafts_from_toml
from bellwether.usage.event_match import EventMatch
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyScore, Feature, FeatureAdoption
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.use_facts import store_use, use

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Tests",
    "events": "commit where feature = tests",
    "target": "expected",
    "expected": "4",
    "period": "month",
}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()


@pytest.fixture
def seen(clients: Clients, lake: Lake) -> Clients:
    """Commits: sturdy 3 to tests and 1 to docs, fading 9 to tests; sturdy 2 cases of 10, licensed."""
    day = TODAY - timedelta(days=2)
    store_use(lake, [
        use("sturdy", day, "commit", 3, feature="tests"), use("sturdy", day, "commit", 1, feature="docs"),
        use("fading", day, "commit", 9, feature="tests"), use("sturdy", day, "Case Created", 2),
    ])  # fmt: skip
    for client in (clients.sturdy, clients.fading):
        for key in ("case_creation", "tests"):
            FeatureAdoption.objects.create(client=client, feature_key=key, is_licensed=True, is_configured=True)
    return clients


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def post(user: StaffUser, key: str = "", **values: str) -> Any:
    address = reverse("settings_feature", args=[key]) if key else reverse("settings_feature_new")
    return signed_in(user).post(address, values)


class TestList:
    def test_shows_use_and_events_that_no_feature_counts(self, seen: Clients, staff: Staff) -> None:
        text = text_of(signed_in(staff.adam).get(reverse("settings_features")))
        assert "Case creation case_creation Case Created 10 a month 1 of 2" in text
        assert "commit 13 at 2 clients" in text
        assert "Add feature" in text

    def test_lets_others_read(self, seen: Clients, staff: Staff) -> None:
        text = text_of(signed_in(staff.ada).get(reverse("settings_features")))
        assert "Only administrators change the catalogue." in text
        assert "Add feature" not in text
        form = signed_in(staff.ada).get(reverse("settings_feature", args=["api_calls"]))
        assert "disabled" in form.content.decode()

    def test_exports_what_can_be_imported(self, seen: Clients, staff: Staff) -> None:
        text = signed_in(staff.adam).get(reverse("settings_features_export")).content.decode()
        assert drafts_from_toml(text, tiers=TIERS) == [as_draft(feature) for feature in features()]


class TestForm:
    def test_suggests_events_that_were_seen(self, seen: Clients, staff: Staff) -> None:
        text = text_of(signed_in(staff.adam).get(reverse("settings_feature_new")))
        assert "commit 13 at 2 clients" in text
        assert "commit where feature = tests 12 at 2 clients" in text
        assert "commit where feature = docs 1 at 1 client" in text

    def test_previews_and_stores_nothing(self, seen: Clients, staff: Staff) -> None:
        """Four expected: sturdy's 3 are 75 %, active; fading's 9 are power."""
        response = post(staff.adam, action="preview", **FORM)
        assert response.status_code == 200
        text = text_of(response)
        assert re.search(r"Active 0 1 .*Power 0 1 ", text)
        assert "Nothing is saved yet." in text
        assert not Feature.objects.filter(key="tests").exists()
        assert not DirtyScore.objects.exists()

    def test_previews_a_change_against_now(self, seen: Clients, staff: Staff) -> None:
        """Of ten expected, sturdy's 2 cases are light; of 2, power. Fading has none."""
        values = FORM | {"name": "Case creation", "events": "Case Created", "expected": "2"}
        text = text_of(post(staff.adam, "case_creation", action="preview", **values))
        assert re.search(r"Not used 1 1 Light 1 0 Active 0 0 Power 0 1 ", text)

    def test_adds_with_picked_events_and_tiers(self, seen: Clients, staff: Staff) -> None:
        values = FORM | {"more": "commit", "expected_ENTERPRISE": "1,000", "module": "Code", "category": "Core"}
        assert post(staff.adam, action="save", **values).status_code == 302
        made = as_draft(find_feature("tests"))
        assert made.events == (EventMatch("commit", feature="tests"), EventMatch("commit"))
        assert made.expected_by_tier == {"ENTERPRISE": 1000.0}
        assert list(DirtyScore.objects.values_list("date", flat=True)) == [TODAY]

    def test_reads_a_share_as_percent(self, seen: Clients, staff: Staff) -> None:
        values = FORM | {"name": "Disclosure review", "events": "Reviewed", "target": "share", "expected": "75%"}
        post(staff.adam, "disclosure_review", within="on_track, warning", **values)
        stored = as_draft(find_feature("disclosure_review"))
        assert (stored.target, stored.expected, stored.within) == ("share", 0.75, ("on_track", "warning"))

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"name": ""}, "Is needed."),
            ({"events": ""}, "Is needed: at least one event"),
            ({"expected": "many"}, "&#39;many&#39; is no number"),
            ({"expected": "-3"}, "Needs to be over 0"),
            ({"expected_STARTER": "x"}, "&#39;x&#39; is no number"),
            ({"target": "share", "expected": "80"}, "the labels of events that count as going well"),
            ({"period": "week"}, "it needs one of month, quarter, year"),
            ({"name": "API calls"}, "there is a feature with the key api_calls already"),
        ],
        ids=str,
    )
    def test_names_what_is_wrong_and_keeps_what_was_typed(
        self, wrong: dict[str, str], words: str, seen: Clients, staff: Staff
    ) -> None:
        response = post(staff.adam, **(FORM | {"description": "Kept text"} | wrong))
        assert response.status_code == 422
        assert words in response.content.decode().replace("&#x27;", "&#39;")
        assert "Kept text" in response.content.decode()
        assert len(features()) == 10

    def test_refuses_others(self, seen: Clients, staff: Staff) -> None:
        for user in (staff.ada, staff.vera):
            assert post(user, **FORM).status_code == 403
            assert post(user, "api_calls", **FORM).status_code == 403
        assert post(staff.adam, "teleport", **FORM).status_code == 404


class TestActions:
    def act(self, user: StaffUser, key: str, action: str) -> int:
        status: int = signed_in(user).post(reverse("settings_feature_action", args=[key, action])).status_code
        return status

    def test_archives_restores_and_moves(self, seen: Clients, staff: Staff) -> None:
        assert self.act(staff.adam, "api_calls", "archive") == 302
        text = text_of(signed_in(staff.adam).get(reverse("settings_features")))
        assert "Archived API calls api_calls Restore" in text
        assert self.act(staff.adam, "api_calls", "restore") == 302
        self.act(staff.adam, "api_calls", "up")
        assert [feature.key for feature in features()][-2:] == ["api_calls", "conversation_volume"]

    def test_refuses_others(self, seen: Clients, staff: Staff) -> None:
        assert self.act(staff.vera, "api_calls", "archive") == 403
        assert self.act(staff.adam, "teleport", "archive") == 404
        assert len(features()) == 10
