"""Custom measures made, changed, archived and restored; what follows for scores, lists and facts."""

from typing import Any

import pytest

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.jobs import run_job
from bellwether.common.progress import NoProgress
from bellwether.health.configs import check_definition, configs_in_force, ensure_default_config
from bellwether.health.custom_changes import (
    MOST_MEASURES,
    Draft,
    archive_measure,
    change_measure,
    create_measure,
    restore_measure,
    used_by,
)
from bellwether.health.explain_reading import explained
from bellwether.health.models import ConfigActivation, CustomMeasure, HealthScore, HealthScoreConfig, MeasureValue
from bellwether.health.scorecard import definition_digest, shipped_definition
from bellwether.health.services import score_dates
from bellwether.staff.models import AuditEvent
from bellwether.usage import jobs as _declares_the_jobs  # noqa: F401
from bellwether.usage import services
from bellwether.usage.dirty import mark_facts
from bellwether.usage.lake import Lake
from bellwether.usage.models import CustomFact, DirtyScore
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.usage.rollup_twin import event, place

pytestmark = pytest.mark.django_db
CASES = {"kind": "count", "event": "Case Created"}
PEOPLE = {"kind": "users", "event": "Case Created"}


def draft(definition: Any = None, **given: Any) -> Draft:
    return Draft(**({"name": "Cases made", "definition": definition or CASES} | given))


@pytest.fixture
def usage(clients: Clients, lake: Lake) -> Lake:
    """Sturdy: Ann three cases today and Bob one 40 days ago; Fading: Cy one ten days ago."""
    made = [
        *(event(f"2026-06-30T{hour:02d}:00", "ann") for hour in (1, 2, 3)),
        event("2026-05-21T09:00", "bob"),
        event("2026-06-20T09:00", "cy", "fading"),
    ]
    mark_facts(place(lake, made), now=NOW)
    services.roll_up_dirty(now=NOW, progress=NoProgress())
    return lake


def score_today() -> None:
    score_dates([TODAY], now=NOW, progress=NoProgress())


def stored_values() -> dict[tuple[str, str], float | None]:
    rows = MeasureValue.objects.values_list("measure__slug", "client__organization_id", "value")
    return {(slug, client): value for slug, client, value in rows}


def scorecard_with(slug: str) -> HealthScoreConfig:
    """Return a second version of the default scorecard, in force, whose usage component is ten points a `slug`."""
    ensure_default_config("prd-015", now=NOW)
    definition = shipped_definition("prd-015")
    parts = [
        part | {"formula": {"kind": "scale", "measure": slug, "factor": 10}} if part["key"] == "usage" else part
        for part in definition["components"]
    ]
    definition = definition | {"components": parts}
    check_definition(definition)
    config = HealthScoreConfig.objects.create(
        scorecard="prd-015", version=2, name="With our own", definition=definition,
        digest=definition_digest(definition), is_default=True, created_at=NOW,
    )  # fmt: skip
    in_force(config)
    return config


def in_force(config: HealthScoreConfig) -> None:
    ConfigActivation.objects.create(scorecard=config.scorecard, config=config, activated_at=NOW)


class TestCreate:
    def test_is_checked_stored_recorded_and_scored_today(self, staff: Staff, lake: Lake) -> None:
        row = create_measure(draft(description="What counts"), actor=staff.adam, now=NOW)
        assert (row.slug, row.version, row.updated_by) == ("cases_made", 1, staff.adam)
        assert row.definition["window_days"] == 30
        assert list(DirtyScore.objects.values_list("date", flat=True)) == [TODAY]
        entry = AuditEvent.objects.get(action="measure.create")
        assert (entry.object_id, entry.actor_id) == ("cases_made", staff.adam.pk)
        assert not CustomFact.objects.exists()

    def test_asks_for_the_facts_that_it_needs(self, staff: Staff, lake: Lake) -> None:
        create_measure(draft(PEOPLE), actor=staff.adam, now=NOW)
        create_measure(draft(PEOPLE | {"window_days": 7}, name="In a week"), actor=staff.adam, now=NOW)
        assert CustomFact.objects.count() == 1

    def test_says_every_problem_and_keeps_nothing(self, staff: Staff, lake: Lake) -> None:
        with pytest.raises(InvalidInputError) as caught:
            create_measure(
                Draft(name=" ", slug="dau", definition={"kind": "count", "window_days": 0}), actor=None, now=NOW
            )
        assert set(caught.value.errors) == {"slug", "name", "definition.window_days"}
        assert not CustomMeasure.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_a_slug_is_taken_also_by_an_archived_measure(self, staff: Staff, lake: Lake) -> None:
        archive_measure(create_measure(draft(), actor=None, now=NOW), actor=None, now=NOW)
        with pytest.raises(InvalidInputError, match="another measure"):
            create_measure(draft(), actor=None, now=NOW)

    def test_there_is_a_limit(self, staff: Staff, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bellwether.health.custom_changes.MOST_MEASURES", 1)
        create_measure(draft(), actor=None, now=NOW)
        with pytest.raises(InvalidInputError, match="number 2"):
            create_measure(draft(name="Another"), actor=None, now=NOW)
        assert MOST_MEASURES > 1


class TestChange:
    def test_makes_the_version_grow_only_with_the_definition(self, staff: Staff, lake: Lake) -> None:
        row = create_measure(draft(), actor=staff.adam, now=NOW)
        row = change_measure(row, draft(name="Cases opened"), actor=staff.adam, now=NOW)
        assert (row.name, row.slug, row.version) == ("Cases opened", "cases_made", 1)
        row = change_measure(row, draft(PEOPLE, name="Cases opened"), actor=staff.adam, now=NOW)
        assert row.version == 2
        entry = AuditEvent.objects.filter(action="measure.change").latest("seq")
        assert entry.detail["before"]["definition"]["kind"] == "count"
        assert entry.detail["definition"]["kind"] == "users"

    def test_the_same_again_changes_nothing(self, staff: Staff, lake: Lake) -> None:
        row = create_measure(draft(), actor=staff.adam, now=NOW)
        change_measure(row, draft({"kind": "count", "events": ["Case Created"]}), actor=staff.adam, now=NOW)
        assert AuditEvent.objects.count() == 1

    def test_the_slug_stays(self, staff: Staff, lake: Lake) -> None:
        row = create_measure(draft(), actor=staff.adam, now=NOW)
        with pytest.raises(InvalidInputError, match="stays cases_made"):
            change_measure(row, draft(slug="other"), actor=staff.adam, now=NOW)

    def test_an_archived_one_is_restored_first(self, staff: Staff, lake: Lake) -> None:
        row = archive_measure(create_measure(draft(), actor=None, now=NOW), actor=None, now=NOW)
        with pytest.raises(ConflictError, match="restore it"):
            change_measure(row, draft(name="New"), actor=None, now=NOW)


class TestValues:
    def test_of_today_are_kept_for_every_client_of_the_day(self, clients: Clients, usage: Lake) -> None:
        create_measure(draft(), actor=None, now=NOW)
        create_measure(draft({"kind": "ratio", "of": CASES, "per": "seats"}, name="Each"), actor=None, now=NOW)
        score_today()
        assert stored_values() == {
            ("cases_made", "sturdy"): 3, ("cases_made", "fading"): 1, ("cases_made", "newborn"): None,
            ("cases_made", "elsewhere"): None, ("each", "sturdy"): 0.06, ("each", "fading"): 0.02,
            ("each", "newborn"): None, ("each", "elsewhere"): None,
        }  # fmt: skip

    def test_scoring_again_writes_nothing(
        self, clients: Clients, usage: Lake, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create_measure(draft(), actor=None, now=NOW)
        score_today()
        before = list(MeasureValue.objects.order_by("pk").values())
        monkeypatch.setattr(
            MeasureValue.objects, "bulk_create", lambda rows, **_: pytest.fail(str(rows)) if rows else None
        )
        score_today()
        assert list(MeasureValue.objects.order_by("pk").values()) == before

    def test_of_one_client_are_brought_up_to_date_alone(self, clients: Clients, usage: Lake) -> None:
        create_measure(draft(), actor=None, now=NOW)
        score_dates([TODAY], now=NOW, progress=NoProgress(), client_ids=[clients.fading.pk])
        assert stored_values() == {("cases_made", "fading"): 1}

    def test_from_raw_events_come_once_they_are_counted(self, clients: Clients, usage: Lake) -> None:
        create_measure(draft(PEOPLE | {"window_days": 60}, name="Who made cases"), actor=None, now=NOW)
        score_today()
        assert stored_values()["who_made_cases", "sturdy"] is None
        run_job("measure_backfill", now=NOW)
        score_today()
        assert stored_values()["who_made_cases", "sturdy"] == 2

    def test_of_an_archived_measure_are_removed_and_come_back(self, clients: Clients, usage: Lake) -> None:
        row = create_measure(draft(), actor=None, now=NOW)
        score_today()
        row = archive_measure(row, actor=None, now=NOW)
        assert stored_values() == {}
        score_today()
        assert stored_values() == {}
        restore_measure(row, actor=None, now=NOW)
        score_today()
        assert stored_values()["cases_made", "sturdy"] == 3


class TestArchive:
    def test_forgets_the_facts_and_restoring_counts_them_again(self, clients: Clients, usage: Lake) -> None:
        row = create_measure(draft(PEOPLE), actor=None, now=NOW)
        run_job("measure_backfill", now=NOW)
        assert list(usage.folders(usage.root / "custom_users")) == ["month=2026-05", "month=2026-06"]
        row = archive_measure(row, actor=None, now=NOW)
        run_job("measure_backfill", now=NOW)
        assert not CustomFact.objects.exists()
        restore_measure(row, actor=None, now=NOW)
        assert run_job("measure_backfill", now=NOW)["files"] == 2
        score_today()
        assert stored_values()["cases_made", "sturdy"] == 1

    def test_is_refused_while_a_scorecard_in_force_uses_it(self, clients: Clients, usage: Lake) -> None:
        row = create_measure(draft(), actor=None, now=NOW)
        scorecard_with("cases_made")
        assert used_by()["cases_made"] == [configs_in_force()[0].scorecard.title]
        with pytest.raises(ConflictError, match="is used by"):
            archive_measure(row, actor=None, now=NOW)
        in_force(HealthScoreConfig.objects.get(version=1))
        assert archive_measure(row, actor=None, now=NOW).archived_at == NOW

    def test_twice_is_once(self, staff: Staff, lake: Lake) -> None:
        row = create_measure(draft(), actor=None, now=NOW)
        archive_measure(archive_measure(row, actor=None, now=NOW), actor=None, now=NOW)
        restore_measure(restore_measure(row, actor=None, now=NOW), actor=None, now=NOW)
        actions = list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))
        assert actions == ["measure.create", "measure.archive", "measure.restore"]


class TestScorecards:
    def test_score_with_it_and_say_with_which_version(self, clients: Clients, usage: Lake) -> None:
        create_measure(draft(), actor=None, now=NOW)
        scorecard_with("cases_made")
        score_today()
        row = HealthScore.objects.get(client=clients.sturdy, date=TODAY)
        assert row.inputs["cases_made"] == 3
        assert row.inputs["cases_made.version"] == 1
        assert row.components["usage"] == 30
        explanation = explained(clients.sturdy, TODAY).explanation
        assert explanation.differences == []
        (usage_part,) = [part for part in explanation.components if part.key == "usage"]
        assert usage_part.inputs == {"cases_made": 3, "cases_made.version": 1}
        assert "cases made" in usage_part.formula

    def test_past_days_since_its_activation_are_scored_with_it_too(self, clients: Clients, usage: Lake) -> None:
        create_measure(draft(), actor=None, now=NOW)
        day = TODAY.replace(day=1)
        config = scorecard_with("cases_made")
        ConfigActivation.objects.filter(config=config).update(activated_at=NOW.replace(day=1))
        score_dates([day, TODAY], now=NOW, progress=NoProgress())
        assert HealthScore.objects.get(client=clients.sturdy, date=day).inputs["cases_made"] == 1  # bob's of 21 May

    def test_scores_of_before_can_be_explained_when_it_is_archived(self, clients: Clients, usage: Lake) -> None:
        row = create_measure(draft(), actor=None, now=NOW)
        scorecard_with("cases_made")
        score_today()
        in_force(HealthScoreConfig.objects.get(version=1))
        archive_measure(row, actor=None, now=NOW)
        explanation = explained(clients.sturdy, TODAY).explanation
        assert explanation.version == "prd-015 v2"
        assert explanation.differences == []

    def test_that_read_unknown_or_archived_measures_are_refused(self, clients: Clients, usage: Lake) -> None:
        with pytest.raises(InvalidInputError) as caught:
            scorecard_with("nobody_knows")
        assert "unknown measures nobody_knows" in caught.value.errors["components.usage.formula"]
        archive_measure(create_measure(draft(), actor=None, now=NOW), actor=None, now=NOW)
        with pytest.raises(InvalidInputError) as caught:
            scorecard_with("cases_made")
        assert "restore it" in caught.value.errors["components.usage.formula"]
