"""What is shown before a draft is published is what every client gets when it is."""

from typing import Any

import polars as pl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bellwether.common.progress import NoProgress
from bellwether.dashboard.scorecard_form import Asked
from bellwether.dashboard.scorecard_saving import publish, save_draft
from bellwether.dashboard.scorecard_state import state_of
from bellwether.health.config_scopes import DEFAULT, Scope
from bellwether.health.models import CustomMeasure, HealthScore, HealthScoreConfig
from bellwether.health.services import score_dates
from bellwether.health.simulation import Effect
from bellwether.health.simulation_reading import forget, scored_portfolio
from bellwether.health.simulations import Draft, effect_of, make_draft
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.test_services import records, usage  # noqa: F401

pytestmark = pytest.mark.django_db
CARD = "prd-015"
TILTED = {"usage": 5, "adoption": 5, "support": 40, "relationship": 35, "contract": 10, "outcome": 5}


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    forget()


@pytest.fixture
def scored(clients: Clients, usage: Lake, records: None) -> Clients:  # noqa: F811
    score_today()
    return clients


def score_today() -> None:
    score_dates([TODAY], now=NOW, progress=NoProgress())


def base() -> dict[str, Any]:
    definition: dict[str, Any] = HealthScoreConfig.objects.get(version=1).definition
    return definition


def rows(effect: Effect) -> dict[str, tuple[Any, ...]]:
    """Return (score, band) of the draft by client."""
    return {row["name"]: (row["score_draft"], row["status_draft"]) for row in effect.changes.iter_rows(named=True)}


def stored() -> dict[str, tuple[Any, ...]]:
    """Return (score, band) as the clients' columns have them."""
    found = Client.objects.active().filter(scored_on=TODAY).values_list("name", "current_health_score", "health_status")
    return {name: (score, status) for name, score, status in found}


def go_live(draft: Draft, staff: Staff) -> None:
    state = state_of(staff.adam, Asked(scope=draft.scope), now=NOW)
    saved = save_draft(draft, state, actor=staff.adam, reason="", now=NOW)
    publish(saved, actor=staff.adam, reason="Tried", now=NOW)
    score_today()


class TestExactness:
    def test_the_version_in_use_gives_what_is_stored(self, scored: Clients, staff: Staff) -> None:
        effect = effect_of(make_draft(base(), DEFAULT), CARD, staff.vera, now=NOW)
        assert effect.clients == 4  # Gone has left
        assert effect.changed == 0
        assert rows(effect) == stored()

    @pytest.mark.parametrize(
        "changes",
        [{"weights": TILTED}, {"thresholds": {"healthy": 95, "monitor": 90, "at_risk": 50}}],
        ids=["weights", "thresholds"],
    )
    def test_publishing_gives_what_was_shown(self, scored: Clients, staff: Staff, changes: dict[str, Any]) -> None:
        draft = make_draft(base(), DEFAULT, **changes)
        effect = effect_of(draft, CARD, staff.vera, now=NOW)
        assert effect.changed > 0
        go_live(draft, staff)
        assert stored() == rows(effect)
        assert effect_of(draft, CARD, staff.vera, now=NOW).changed == 0  # read anew, now it is in use

    def test_so_does_another_formula_and_another_expectation(self, scored: Clients, staff: Staff) -> None:
        definition = make_draft(base(), DEFAULT).definition
        definition["components"][0]["formula"] = {"kind": "scale", "measure": "stickiness", "factor": 100}
        definition["components"][1]["formula"] = {"kind": "ratio", "measure": "dau_avg_30d", "of": "expected_dau"}
        definition["expected_daily_rate"]["enterprise"] = 0.9
        draft = make_draft(definition, DEFAULT)
        effect = effect_of(draft, CARD, staff.vera, now=NOW)
        go_live(draft, staff)
        assert stored() == rows(effect)
        assert HealthScore.objects.get(client=scored.sturdy, date=TODAY).inputs["expected_dau"] == 45

    def test_so_does_a_custom_measure_that_no_scorecard_read(self, scored: Clients, staff: Staff) -> None:
        CustomMeasure.objects.create(
            slug="cases_made", name="Cases made", created_at=NOW, updated_at=NOW,
            definition={"kind": "count", "event": "Case Created", "window_days": 30},
        )  # fmt: skip
        score_today()
        definition = make_draft(base(), DEFAULT).definition
        definition["components"][0]["formula"] = {"kind": "scale", "measure": "cases_made", "factor": 2}
        draft = make_draft(definition, DEFAULT)
        effect = effect_of(draft, CARD, staff.vera, now=NOW)
        assert effect.changed > 0
        go_live(draft, staff)
        assert stored() == rows(effect)


class TestScopes:
    def test_a_draft_for_some_leaves_the_others(self, scored: Clients, staff: Staff) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(segment="Growth")
        forget()
        for scope, names in (
            (Scope(segment="Growth"), {"Fading"}),
            (Scope(client_id=scored.sturdy.pk), {"Sturdy"}),
            (Scope(tier="ENTERPRISE"), {"Sturdy", "Fading", "Newborn", "Elsewhere"}),
            (Scope(tier="STARTER"), set()),
        ):
            effect = effect_of(make_draft(base(), scope, weights=TILTED), CARD, staff.vera, now=NOW)
            assert set(effect.changes.filter(pl.col("touched"))["name"]) == names
            assert effect.clients == 4

    @pytest.mark.parametrize("kind", ["segment", "tier", "client"])
    def test_publishing_for_some_gives_what_was_shown(self, scored: Clients, staff: Staff, kind: str) -> None:
        Client.objects.filter(pk=scored.sturdy.pk).update(segment="Growth")
        scopes = {
            "segment": Scope(segment="Growth"), "tier": Scope(tier="ENTERPRISE"),
            "client": Scope(client_id=scored.sturdy.pk),
        }  # fmt: skip
        draft = make_draft(base(), scopes[kind], weights=TILTED)
        effect = effect_of(draft, CARD, staff.vera, now=NOW)
        assert effect.changed > 0
        go_live(draft, staff)
        assert stored() == rows(effect)

    def test_the_narrower_scope_keeps_its_own(self, scored: Clients, staff: Staff) -> None:
        go_live(make_draft(base(), Scope(client_id=scored.fading.pk), weights=TILTED), staff)
        effect = effect_of(make_draft(base(), DEFAULT, weights=TILTED), CARD, staff.vera, now=NOW)
        assert set(effect.changes.filter(pl.col("touched"))["name"]) == {"Sturdy", "Newborn", "Elsewhere"}


class TestWhoSees:
    def test_everybody_tries_it_on_the_own_clients(self, scored: Clients, staff: Staff) -> None:
        draft = make_draft(base(), DEFAULT, weights=TILTED)
        seen = {
            name: set(rows(effect_of(draft, CARD, getattr(staff, name), now=NOW)))
            for name in ("ada", "cleo", "ed", "vera", "adam")
        }
        everybody = {"Sturdy", "Fading", "Newborn", "Elsewhere"}
        assert seen == {
            "ada": everybody - {"Elsewhere"}, "cleo": {"Elsewhere"}, "ed": {"Sturdy"}, "vera": everybody,
            "adam": everybody,
        }  # fmt: skip

    def test_what_is_kept_is_read_anew_when_something_changed(self, scored: Clients, staff: Staff) -> None:
        scored_portfolio(CARD, staff.vera)
        with CaptureQueriesContext(
            connection,
        ) as warm:
            scored_portfolio(CARD, staff.vera)
        assert len(warm) == 4
        assert not any("inputs" in query["sql"] for query in warm)
        client = scored.sturdy
        client.annual_recurring_revenue = 1
        client.save()
        assert scored_portfolio(CARD, staff.vera).standing.filter(pl.col("name") == "Sturdy")["arr"].to_list() == [1.0]
        HealthScore.objects.filter(client=client).delete()
        assert "Sturdy" not in set(scored_portfolio(CARD, staff.vera).standing["name"])

    def test_a_workspace_without_scores(self, clients: Clients, staff: Staff) -> None:
        state = state_of(staff.vera, Asked(scope=DEFAULT), now=NOW)
        assert state.effect is not None
        assert (state.effect.clients, state.effect.day) == (0, None)
