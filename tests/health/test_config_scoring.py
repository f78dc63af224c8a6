"""Scoring with configurations by scope: whose rows name what, and that dividing the rows changes no score."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.common.progress import NoProgress
from bellwether.health.config_changes import activate, give_up_scope, roll_back, save_config
from bellwether.health.config_scopes import DEFAULT, Scope
from bellwether.health.configs import ensure_default_config, in_force
from bellwether.health.models import HealthScore, HealthScoreConfig
from bellwether.health.scorecard import shipped_definition
from bellwether.health.services import score_dates
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients
from tests.health.test_services import records, usage  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)


def weighted(**weights: float) -> dict[str, Any]:
    """Return the shipped definition with other weights; those not named are 0."""
    definition = shipped_definition("prd-015")
    parts = [part | {"weight": weights.get(part["key"], 0)} for part in definition["components"]]
    return definition | {"components": parts}


def put(definition: dict[str, Any], scope: Scope = DEFAULT) -> HealthScoreConfig:
    ensure_default_config("prd-015", now=NOW - timedelta(days=400))
    config = save_config("prd-015", definition, scope=scope, by=None, now=NOW)
    activate(config, reason="As agreed", by=None, now=NOW)
    return config


def run(*days: date) -> None:
    score_dates(days or [TODAY], now=NOW, progress=NoProgress())


def stored(day: date = TODAY) -> dict[str, tuple[Any, ...]]:
    rows = HealthScore.objects.filter(date=day)
    return {row[0]: row[1:] for row in rows.values_list(
        "client__organization_id", "overall_score", "components", "trend", "previous_score", "coverage", "risk",
        "weights_version",
    )}  # fmt: skip


def versions(day: date = TODAY) -> dict[str, str]:
    return {name: row[-1].removeprefix("prd-015 ") for name, row in stored(day).items()}


class TestScopes:
    def test_the_most_specific_scope_wins(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        Client.objects.filter(organization_id="newborn").update(contract_tier=ContractTier.STARTER)
        Client.objects.filter(organization_id__in=["fading", "elsewhere"]).update(segment="Growth")
        put(weighted(usage=50, support=50), Scope(tier="ENTERPRISE"))
        put(weighted(usage=60, support=40), Scope(segment="Growth"))
        put(weighted(usage=70, support=30), Scope(client_id=clients.elsewhere.pk))
        run()
        assert versions() == {"sturdy": "v2", "fading": "v3", "elsewhere": "v4", "newborn": "v1"}
        row = HealthScore.objects.get(client=clients.sturdy, date=TODAY)
        assert row.overall_score == 100  # usage 100 and support 100, half each
        assert row.weights_snapshot["usage"] == 50
        assert Client.objects.get(pk=clients.sturdy.pk).current_health_score == 100

    def test_a_scope_that_is_given_up_scores_as_before(
        self, clients: Clients, usage: Lake, records: None,  # noqa: F811
    ) -> None:  # fmt: skip
        run()
        before = stored()
        put(weighted(usage=50, support=50), Scope(tier="ENTERPRISE"))
        run()
        assert stored() != before
        give_up_scope("prd-015", Scope(tier="ENTERPRISE"), reason="Not worth it", by=None, now=NOW)
        run()
        assert stored() == before

    def test_the_same_definition_for_one_client_changes_only_the_version(
        self, clients: Clients, usage: Lake, records: None,  # noqa: F811
    ) -> None:  # fmt: skip
        run(*[TODAY - timedelta(days=n) for n in range(40)])
        before = stored()
        put(shipped_definition("prd-015"), Scope(client_id=clients.sturdy.pk))
        run()
        assert versions()["sturdy"] == "v2"
        assert {name: row[:-1] for name, row in stored().items()} == {name: row[:-1] for name, row in before.items()}


class TestDays:
    def test_past_days_keep_what_was_in_force_on_them(
        self, clients: Clients, usage: Lake, records: None,  # noqa: F811
    ) -> None:  # fmt: skip
        run(YESTERDAY, TODAY)
        before = stored(YESTERDAY)
        put(weighted(usage=50, support=50))
        put(weighted(usage=90, support=10), Scope(client_id=clients.sturdy.pk))
        run(YESTERDAY, TODAY)
        assert stored(YESTERDAY) == before
        assert versions() == {"sturdy": "v3", "fading": "v2", "elsewhere": "v2", "newborn": "v2"}

    def test_a_roll_back_gives_exactly_the_former_scores(
        self, clients: Clients, usage: Lake, records: None,  # noqa: F811
    ) -> None:  # fmt: skip
        run(TODAY - timedelta(days=10), TODAY)
        before, current = stored(), list(Client.objects.order_by("pk").values())
        put(weighted(usage=50, support=50))
        run()
        assert stored() != before
        roll_back(DEFAULT, scorecard="prd-015", reason="It was wrong", by=None, now=NOW)
        run()
        assert stored() == before
        assert list(Client.objects.order_by("pk").values()) == current

    def test_the_trend_looks_back_over_a_change_of_configuration(
        self, clients: Clients, usage: Lake, records: None,  # noqa: F811
    ) -> None:  # fmt: skip
        days = [TODAY - timedelta(days=10), TODAY]
        run(*days)
        then = HealthScore.objects.get(client=clients.sturdy, date=days[0]).overall_score
        put(weighted(usage=100))
        HealthScore.objects.all().delete()
        run(*days)  # one pass, both configurations
        row = HealthScore.objects.get(client=clients.sturdy, date=TODAY)
        assert (row.previous_score, row.weights_version) == (then, "prd-015 v2")


class TestQueries:
    def test_their_number_does_not_grow_with_scopes(
        self, clients: Clients, usage: Lake, records: None, django_assert_num_queries: Any,  # noqa: F811
    ) -> None:  # fmt: skip
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        put(weighted(usage=50, support=50), Scope(tier="ENTERPRISE"))
        run()
        with CaptureQueriesContext(connection) as few:
            run()
        for client in (clients.sturdy, clients.fading, clients.elsewhere):
            put(weighted(usage=50, support=50), Scope(client_id=client.pk))
        run()
        with CaptureQueriesContext(connection) as many:
            run()
        reads = [[q for q in found if q["sql"].lstrip().upper().startswith("SELECT")] for found in (few, many)]
        assert len(reads[0]) == len(reads[1])


class TestAssign:
    def test_by_hand(self, clients: Clients) -> None:
        Client.objects.filter(organization_id="fading").update(segment="Growth")
        put(weighted(usage=50, support=50), Scope(tier="ENTERPRISE"))
        put(weighted(usage=60, support=40), Scope(segment="Growth"))
        known = in_force("prd-015", now=NOW)
        frame = pl.DataFrame(
            {
                "client_id": ["a", "b", "c"],
                "tier": ["ENTERPRISE", "ENTERPRISE", "STARTER"],
                "segment": ["", "Growth", ""],
            }
        )
        assert known.assign(frame).to_list() == ["prd-015 v2", "prd-015 v3", "prd-015 v1"]
        assert known.of(Client.objects.get(organization_id="fading")).number == 3
        assert known.assign(frame.reverse()).to_list() == ["prd-015 v1", "prd-015 v3", "prd-015 v2"]
