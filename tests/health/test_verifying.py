"""Seals and scores made again: a change of any column by hand is found, untouched rows pass."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.common.progress import NoProgress
from bellwether.health.canonical import canonical_text, number_texts
from bellwether.health.models import HealthScore, HealthScoreConfig, ScoreAsSeen
from bellwether.health.services import score_dates
from bellwether.health.verifying import verify_scores
from bellwether.portfolio.models import SupportTicket, SurveyResponse
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients
from tests.health.test_services import INSTANT, records, usage  # noqa: F401 (fixtures)


def run(*dates: Any, now: Any = NOW) -> int:
    return score_dates(dates or [TODAY], now=now, progress=NoProgress()).changed


def faults() -> list[str]:
    return [text for fault in verify_scores(sample=None, seed=1).faults for text in fault.faults]


@pytest.mark.one_database
class TestCanonicalText:
    @pytest.mark.parametrize(
        "value", [0.0, -0.0, 5.0, 0.1 + 0.2, 1e-4, 9.9e-5, 1e-7, 1e15, 1e16, 100 / 3, 1.7976931348623157e308]
    )
    def test_is_the_same_from_polars_and_from_python(self, value: float) -> None:
        assert number_texts(pl.Series([value])).to_list() == [canonical_text(value)]

    def test_sorts_keys_and_knows_no_negative_zero(self) -> None:
        assert canonical_text({"b": -0.0, "a": [1, None, "é"]}) == '{"a":[1,null,"é"],"b":0.0}'


TAMPERED: list[dict[str, Any]] = [
    {"overall_score": 97}, {"status": "MONITOR"}, {"trend": "UP"}, {"trend_change": 3}, {"previous_score": 12},
    {"risk": "LOW"}, {"coverage": 0.5}, {"no_score_reason": "So it is"}, {"weights_version": "prd-015 v9"},
    {"config_digest": "0" * 64}, {"interval_low": 1}, {"interval_high": 99}, {"component_data": {}},
    {"notable_events": ["A fair"]}, {"weights_snapshot": {"usage": 100}}, {"seal": "f" * 64},
]  # fmt: skip


@pytest.mark.django_db
class TestVerifyScores:
    def test_untouched_rows_hold(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        run(*[TODAY - timedelta(days=n) for n in range(40)])
        found = verify_scores(sample=None, seed=1)
        assert found.faults == []
        assert (found.checked > 100, found.without_seal) == (True, 0)

    @pytest.mark.parametrize("change", TAMPERED, ids=lambda change: next(iter(change)))
    def test_finds_a_change_of_each_column(
        self,
        change: dict[str, Any],
        clients: Clients,
        usage: Lake,  # noqa: F811
        records: None,  # noqa: F811
    ) -> None:
        run()
        HealthScore.objects.filter(client=clients.sturdy).update(**change)
        found = verify_scores(sample=None, seed=1)
        assert [fault.client for fault in found.faults] == ["Sturdy"]

    def test_finds_changes_inside_components_and_inputs(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        run()
        row = HealthScore.objects.get(client=clients.sturdy)
        row.components["contract"] += 1e-13
        row.save()
        assert "the seal does not fit the row" in faults()
        assert any(text.startswith("components.contract is stored as") for text in faults())
        row.components["contract"] = 93.75
        row.inputs["stickiness"] = 0.5  # no component reads it
        row.save()
        assert faults() == ["the seal does not fit the row"]

    def test_finds_a_changed_definition(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        run()
        config = HealthScoreConfig.objects.get()
        config.definition["components"][0]["weight"] = 26
        config.save()
        assert all("the definition of prd-015 v1 was changed" in text for text in faults())
        assert len(faults()) == HealthScore.objects.count()

    def test_makes_rows_without_a_seal_again(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        run()
        HealthScore.objects.update(seal="", config_digest="", component_data={}, interval_low=None, interval_high=None)
        found = verify_scores(sample=None, seed=1)
        assert (found.without_seal, found.faults) == (HealthScore.objects.count(), [])
        HealthScore.objects.filter(client=clients.sturdy).update(overall_score=1)
        assert faults() == ["overall_score is stored as 1 and comes out as 89"]

    def test_draws_the_same_sample_from_the_same_seed(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        run()
        assert verify_scores(sample=2, seed=7).checked == 2


@pytest.mark.django_db
class TestScoreAsSeen:
    def test_keeps_the_first_row_that_late_data_replaced(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        yesterday = TODAY - timedelta(days=1)
        run(yesterday, TODAY)
        before = HealthScore.objects.get(client=clients.sturdy, date=yesterday)
        for number in (1, 2):
            SupportTicket.objects.create(
                client=clients.sturdy, priority="urgent", opened_at=INSTANT, external_id=f"late{number}"
            )
            later = NOW + timedelta(hours=number)
            assert run(yesterday, TODAY, now=later) >= 2
        seen = ScoreAsSeen.objects.get()  # neither today's row nor the second change
        assert (seen.client, seen.date, seen.overall_score) == (clients.sturdy, yesterday, before.overall_score)
        assert (seen.components, seen.inputs) == (before.components, before.inputs)
        assert seen.replaced_at == NOW + timedelta(hours=1)
        assert seen.weights_version == "prd-015 v1"

    def test_costs_nothing_where_nothing_changed(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        days = [TODAY - timedelta(days=n) for n in range(10)]
        run(*days)
        assert run(*days, now=NOW + timedelta(hours=1)) == 0
        assert not ScoreAsSeen.objects.exists()


@pytest.mark.django_db
class TestStoredCoverage:
    def test_says_what_each_component_rests_on(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        run()
        row = HealthScore.objects.get(client=clients.sturdy)
        # support 70 of 100 (no CSAT), contract 80 of 100 (no renewal signal), outcome 50 (no assignments).
        data = row.component_data
        assert {key: one["coverage"] for key, one in data.items()} == {
            "usage": 1, "adoption": 1, "support": 0.7, "relationship": 1, "contract": 0.8, "outcome": 0.5,
        }  # fmt: skip
        assert data["usage"] == {"as_of": TODAY.isoformat(), "coverage": 1, "reason": "", "stale_days": 0}
        assert data["relationship"]["stale_days"] == 10
        assert data["support"]["reason"] == "No value for CSAT, 90 days"
        # Missing weight: 15 * 0.3 + 15 * 0.2 + 10 * 0.5 = 12.5. At 0: 100 * 25 + 50 * 20 + 100 * 10.5 + 100 * 15
        # + 93.75 * 12 + 100 * 5 = 7675, so 76.75 to 89.25.
        assert (row.interval_low, row.overall_score, row.interval_high) == (76, 89, 90)

    def test_names_the_age_of_answers(self, clients: Clients, usage: Lake, records: None) -> None:  # noqa: F811
        SurveyResponse.objects.all().delete()
        SurveyResponse.objects.create(
            client=clients.sturdy, kind="NPS", score=9, answered_at=NOW - timedelta(days=212), respondent="kim"
        )
        run()
        data = HealthScore.objects.get(client=clients.sturdy).component_data["contract"]
        assert (data["stale_days"], data["as_of"]) == (212, (TODAY - timedelta(days=212)).isoformat())
