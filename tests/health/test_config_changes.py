"""Saving and activating configurations: checked, numbered, recorded, idempotent, and nothing lost in between."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

import bellwether.health.jobs  # noqa: F401 (declares the job that scores)
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.jobs import run_job
from bellwether.health.config_changes import SameConfigError, activate, give_up_scope, roll_back, save_config
from bellwether.health.config_reading import versions
from bellwether.health.config_scopes import DEFAULT, Scope
from bellwether.health.configs import ensure_default_config, in_force
from bellwether.health.models import ConfigActivation, HealthScore, HealthScoreConfig
from bellwether.health.scorecard import shipped_definition
from bellwether.staff.models import AuditEvent
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyScore
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.test_config_scoring import weighted

ENTERPRISE = Scope(tier="ENTERPRISE")


def save(definition: dict[str, Any], scope: Scope = DEFAULT, **given: Any) -> HealthScoreConfig:
    return save_config("prd-015", definition, scope=scope, by=given.pop("by", None), now=NOW, **given)


@pytest.mark.django_db
class TestSave:
    def test_makes_a_draft_that_changes_nothing(self, staff: Staff) -> None:
        first = ensure_default_config("prd-015", now=NOW)
        made = save(weighted(usage=50, support=50), reason="Try", based_on=first, by=staff.adam)
        assert (made.version, made.is_active, made.previous_version, made.created_by) == (2, False, first, staff.adam)
        assert in_force("prd-015", now=NOW).default.number == 1
        assert [(v.row.version, v.draft, v.active) for v in versions("prd-015", now=NOW)] == [
            (2, True, False), (1, False, True)
        ]  # fmt: skip
        assert list(AuditEvent.objects.values_list("action", flat=True)) == ["config.save"]
        assert not DirtyScore.objects.exists()

    def test_the_same_again_is_said(self) -> None:
        first = ensure_default_config("prd-015", now=NOW)
        same = shipped_definition("prd-015") | {"minimum_coverage": 0.50}
        parts = [part | {"weight": float(part["weight"])} for part in same["components"]]
        with pytest.raises(SameConfigError, match="version 1"):
            save(same | {"components": parts}, based_on=first)
        assert save(same, ENTERPRISE, based_on=first).version == 2  # for others it is news

    @pytest.mark.parametrize(
        ("definition", "scope", "field"),
        [
            (weighted(usage=99.9), DEFAULT, "weights"),
            (weighted(usage=100) | {"name": "operations"}, DEFAULT, "name"),
            (weighted(usage=100) | {"thresholds": {"healthy": 50}}, DEFAULT, "thresholds.monitor"),
            (weighted(usage=100) | {"title": float("nan")}, DEFAULT, "definition"),
            ({}, DEFAULT, "title"),
            (weighted(usage=100), Scope(tier="GOLD"), "applies_to_tier"),
            (weighted(usage=100), Scope(segment="Nobody"), "applies_to_segment"),
        ],
        ids=["sum", "name", "thresholds", "nan", "empty", "tier", "segment"],
    )
    def test_what_cannot_be_used_is_refused_by_field(
        self, clients: Clients, definition: dict[str, Any], scope: Scope, field: str
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            save(definition, scope)
        assert field in caught.value.errors
        assert not HealthScoreConfig.objects.exists()

    def test_measures_are_named(self) -> None:
        definition = weighted(usage=100)
        definition["components"][0]["formula"] = {"kind": "scale", "measure": "nobody_knows", "factor": 1}
        definition["components"][1]["formula"] = {"kind": "scale", "measure": "payment_status", "factor": 1}
        with pytest.raises(InvalidInputError) as caught:
            save(definition)
        assert "unknown measures nobody_knows" in caught.value.errors["components.usage.formula"]

    def test_a_client_that_one_does_not_see_is_none(self, clients: Clients, staff: Staff) -> None:
        with pytest.raises(InvalidInputError) as caught:
            save(weighted(usage=100), Scope(client_id=clients.elsewhere.pk), by=staff.ada)
        assert caught.value.errors == {"applies_to_client": "there is no such client."}

    def test_two_scopes_at_once_are_refused(self) -> None:
        with pytest.raises(InvalidInputError):
            Scope(tier="ENTERPRISE", segment="Growth")


@pytest.mark.django_db
class TestActivate:
    def test_marks_today_and_is_recorded_once(self, staff: Staff) -> None:
        made = save(weighted(usage=100))
        first = activate(made, reason="Better", by=staff.adam, now=NOW)
        assert list(DirtyScore.objects.values_list("date", flat=True)) == [TODAY]
        assert activate(made, reason="Better", by=staff.adam, now=NOW) == first
        assert ConfigActivation.objects.count() == 2  # the shipped one and this one
        assert list(HealthScoreConfig.objects.filter(is_active=True)) == [made]
        assert AuditEvent.objects.filter(action="config.activate").count() == 1

    def test_needs_a_reason(self) -> None:
        with pytest.raises(InvalidInputError) as caught:
            activate(save(weighted(usage=100)), reason=" ", by=None, now=NOW)
        assert "reason" in caught.value.errors

    def test_what_was_scored_is_not_lost_when_the_process_ends_after_it(self, clients: Clients, lake: Lake) -> None:
        activate(save(weighted(usage=100)), reason="Better", by=None, now=NOW)
        # Nothing but the database knows of it: the next run of the job finds the mark.
        run_job("score", now=NOW)
        assert set(HealthScore.objects.values_list("weights_version", flat=True)) == {"prd-015 v2"}
        assert not DirtyScore.objects.exists()

    def test_a_clock_that_goes_back_does_not_undo_it(self) -> None:
        late = save(weighted(usage=100))
        activate(late, reason="One", by=None, now=NOW)
        early = save(weighted(support=100))
        activate(early, reason="Two", by=None, now=NOW.replace(hour=1))
        assert in_force("prd-015", now=NOW).default.number == early.version


@pytest.mark.django_db
class TestUndo:
    def test_roll_back_and_forth(self) -> None:
        made = save(weighted(usage=100))
        activate(made, reason="Better", by=None, now=NOW)
        for expected in (1, 2, 1):
            roll_back(DEFAULT, scorecard="prd-015", reason="Undo", by=None, now=NOW)
            assert in_force("prd-015", now=NOW).default.number == expected

    def test_of_a_scope_that_had_nothing_before(self) -> None:
        activate(save(weighted(usage=100), ENTERPRISE), reason="Theirs", by=None, now=NOW)
        assert roll_back(ENTERPRISE, scorecard="prd-015", reason="No", by=None, now=NOW).config is None
        assert in_force("prd-015", now=NOW).scoped == {}

    def test_of_nothing_is_refused(self) -> None:
        with pytest.raises(ConflictError):
            roll_back(DEFAULT, scorecard="prd-015", reason="Undo", by=None, now=NOW)
        with pytest.raises(ConflictError):
            give_up_scope("prd-015", DEFAULT, reason="None", by=None, now=NOW)
        assert give_up_scope("prd-015", ENTERPRISE, reason="None", by=None, now=NOW) is None


@pytest.mark.postgresql_only  # the tests' SQLite lies in memory, where a second writer is refused at once
@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_once_get_two_versions() -> None:
    ensure_default_config("prd-015", now=NOW)
    start, made = threading.Barrier(2), []

    def work(part: str) -> None:
        try:
            start.wait(5)
            made.append(save(weighted(**{part: 100})).version)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[part]) for part in ("usage", "support")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [2, 3]


@pytest.mark.django_db
class TestPastDays:
    def test_are_scored_anew_where_that_is_asked_for_and_exactly_restored(self) -> None:
        ensure_default_config("prd-015", now=NOW - timedelta(days=60))
        two, three = save(weighted(usage=100)), save(weighted(support=100))
        activate(two, reason="Ten days ago", by=None, now=NOW - timedelta(days=10))

        def held() -> list[int]:
            days = [TODAY - timedelta(days=n) for n in (40, 20, 5, 0)]
            return [in_force("prd-015", on=day, now=NOW).default.number for day in days]

        assert held() == [1, 1, 2, 2]
        DirtyScore.objects.all().delete()
        activate(three, reason="Since a month", by=None, now=NOW, since=TODAY - timedelta(days=30))
        assert held() == [1, 3, 3, 3]
        assert DirtyScore.objects.count() == 31
        roll_back(DEFAULT, scorecard="prd-015", reason="Undo", by=None, now=NOW)
        assert held() == [1, 1, 2, 2]

    def test_after_today_are_refused(self) -> None:
        with pytest.raises(InvalidInputError) as caught:
            activate(save(weighted(usage=100)), reason="x", by=None, now=NOW, since=TODAY + timedelta(days=1))
        assert "after today" in caught.value.errors["since"]
