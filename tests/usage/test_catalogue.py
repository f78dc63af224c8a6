"""The catalogue of features: checked, changed, archived, imported; read once per import."""

from pathlib import Path
from typing import Any

import pytest
import typer
from auditlog.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio.importing.values import Reading
from bellwether.presets import PRESETS, load_preset
from bellwether.staff.models import AuditEvent
from bellwether.usage import catalogue_changes as changes
from bellwether.usage.catalogue import as_draft, features
from bellwether.usage.catalogue_data import FeatureDraft, draft_from_data, key_of
from bellwether.usage.catalogue_toml import catalogue_toml, drafts_from_toml
from bellwether.usage.event_match import EventMatch
from bellwether.usage.feature_commands import register
from bellwether.usage.kind_features import FEATURES
from bellwether.usage.models import DirtyScore
from tests.conftest import NOW, TODAY, Staff

TIERS = changes.TIERS
MINIMAL: dict[str, Any] = {"name": "Bulk export", "events": ["Export Run"], "expected": 5}


def draft(**more: Any) -> FeatureDraft:
    return draft_from_data(MINIMAL | more, tiers=TIERS)


class TestDraftFromData:
    def test_makes_a_key_from_the_name(self) -> None:
        assert (draft().key, key_of("Gift & disclosures (new)")) == ("bulk_export", "gift_disclosures_new")

    @pytest.mark.parametrize("preset", PRESETS)
    def test_reads_what_presets_say_and_writes_the_same(self, preset: str) -> None:
        tables = load_preset(preset)["features"]
        drafts = [draft_from_data(table, tiers=TIERS) for table in tables]
        assert drafts_from_toml(catalogue_toml(drafts), tiers=TIERS) == drafts
        assert [one.key for one in drafts] == [table["key"] for table in tables]
        assert all(one.category for one in drafts)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": 3}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"key": "Not A Key"}, "key"),
            ({"events": []}, "events"),
            ({"events": [""]}, "events"),
            ({"events": [{"event": "a", "colour": "b"}]}, "events"),
            ({"expected": 0}, "expected"),
            ({"expected": "5"}, "expected"),
            ({"expected": float("nan")}, "expected"),
            ({"target": "share", "expected": 80, "within": ["ok"]}, "expected"),
            ({"target": "share", "expected": 0.8}, "within"),
            ({"target": "often"}, "target"),
            ({"period": "week"}, "period"),
            ({"expected_by_tier": {"GOLD": 3}}, "expected_by_tier.GOLD"),
            ({"expected_by_tier": {"STARTER": -1}}, "expected_by_tier.STARTER"),
            ({"colour": "red"}, "colour"),
        ],
        ids=str,
    )
    def test_names_the_field_that_is_wrong(self, wrong: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            draft(**wrong)
        assert list(caught.value.errors) == [field]

    def test_names_every_wrong_feature_of_a_file(self) -> None:
        text = '[[features]]\nname = "A"\nevents = ["a"]\nexpected = 0\n'
        text += '[[features]]\nkey = "b"\nname = "B"\nexpected = 1\n'
        with pytest.raises(InvalidInputError) as caught:
            drafts_from_toml(text, tiers=TIERS)
        assert list(caught.value.errors) == ["features.1.expected", "features.b.events"]

    @pytest.mark.parametrize("text", ["", "features = 3", "[[features", "x = 1"], ids=repr)
    def test_refuses_a_file_without_features(self, text: str) -> None:
        with pytest.raises(InvalidInputError):
            drafts_from_toml(text, tiers=TIERS)


class TestChanges:
    def test_adds_at_the_end_with_history_log_and_due_scores(self, staff: Staff) -> None:
        made = changes.add_feature(
            draft(events=["Export Run", {"event": "export", "feature": "bulk"}]), actor=staff.adam, now=NOW
        )
        assert features()[-1] == made
        assert as_draft(made).events == (EventMatch("Export Run"), EventMatch("export", feature="bulk"))
        event = AuditEvent.objects.latest("seq")
        assert (event.action, event.object_id, event.actor) == ("feature.added", "bulk_export", staff.adam.email)
        assert list(DirtyScore.objects.values_list("date", flat=True)) == [TODAY]
        assert LogEntry.objects.get_for_object(made).count() == 1

    def test_refuses_a_key_that_is_taken(self, staff: Staff) -> None:
        with pytest.raises(InvalidInputError) as caught:
            changes.add_feature(draft(key="case_creation"), actor=staff.adam, now=NOW)
        assert list(caught.value.errors) == ["key"]

    def test_changes_once_and_keeps_the_key(self, staff: Staff) -> None:
        case = as_draft(changes.find_feature("case_creation"))
        wanted = draft(key="case_creation", name="Cases", module=case.module)
        assert changes.change_feature("case_creation", wanted, actor=staff.adam, now=NOW)
        count = AuditEvent.objects.count()
        assert not changes.change_feature("case_creation", wanted, actor=staff.adam, now=NOW)
        assert AuditEvent.objects.count() == count
        assert as_draft(changes.find_feature("case_creation")) == wanted
        with pytest.raises(InvalidInputError):
            changes.change_feature("case_creation", draft(key="other"), actor=staff.adam, now=NOW)
        with pytest.raises(changes.NoSuchFeatureError):
            changes.change_feature("nothing", draft(key="nothing"), actor=staff.adam, now=NOW)

    def test_archives_and_restores(self, staff: Staff) -> None:
        assert changes.archive_feature("api_calls", actor=staff.adam, now=NOW)
        assert not changes.archive_feature("api_calls", actor=staff.adam, now=NOW)
        assert "api_calls" not in [feature.key for feature in features()]
        assert changes.restore_feature("api_calls", actor=staff.adam, now=NOW)
        assert "api_calls" in [feature.key for feature in features()]

    def test_keeps_the_last_feature(self, staff: Staff) -> None:
        first, *others = [feature.key for feature in features()]
        for key in others:
            changes.archive_feature(key, actor=staff.adam, now=NOW)
        with pytest.raises(ConflictError):
            changes.archive_feature(first, actor=staff.adam, now=NOW)

    def test_moves_by_one_and_marks_no_score(self, staff: Staff) -> None:
        before = [feature.key for feature in features()]
        assert changes.move_feature(before[1], down=False, actor=staff.adam, now=NOW)
        assert [feature.key for feature in features()] == [before[1], before[0], *before[2:]]
        assert not changes.move_feature(before[1], down=False, actor=staff.adam, now=NOW)
        assert not DirtyScore.objects.exists()

    def test_imports_what_differs_and_restores(self, staff: Staff) -> None:
        changes.archive_feature("api_calls", actor=staff.adam, now=NOW)
        api, cases = (as_draft(changes.find_feature(key)) for key in ("api_calls", "case_creation"))
        done = changes.import_features([draft(), api, cases], actor=None, now=NOW)
        assert (done.added, done.changed, done.unchanged) == (["bulk_export"], ["api_calls"], ["case_creation"])
        with pytest.raises(InvalidInputError):
            changes.import_features([draft(), draft()], actor=None, now=NOW)

    def test_replaces_the_catalogue(self, staff: Staff) -> None:
        cases = as_draft(changes.find_feature("case_creation"))
        done = changes.import_features([draft(), cases], actor=None, now=NOW, replace=True)
        assert len(done.archived) == 9
        assert [feature.key for feature in features()] == ["case_creation", "bulk_export"]


def test_an_import_reads_the_catalogue_once(db: None) -> None:
    read = next(field for field in FEATURES.fields if field.name == "feature_key").parser.read
    reading = Reading()
    assert read("Case creation", reading) == "case_creation"
    with CaptureQueriesContext(connection) as queries:
        assert [read(word, reading) for word in ("CASE_CREATION", "api calls")] == ["case_creation", "api_calls"]
    assert len(queries) == 0
    with pytest.raises(ValueError, match="is no feature of the catalogue"):
        read("Nothing", reading)
    with CaptureQueriesContext(connection) as queries:
        read("Case creation", Reading())
    assert len(queries) == 1


class TestCommands:
    def run(self, *words: str) -> Any:
        app = typer.Typer()
        app.callback()(lambda: None)
        register(app)
        return CliRunner().invoke(app, ["features", *words])

    def test_exports_what_it_imports(self, staff: Staff, tmp_path: Path) -> None:
        file = tmp_path / "features.toml"
        file.write_text(self.run("export").stdout, "utf-8")
        again = self.run("import", str(file))
        assert (again.exit_code, again.stdout) == (0, "0 added, 0 changed, 10 unchanged, 0 archived.\n")
        file.write_text(catalogue_toml([draft()]), "utf-8")
        assert self.run("import", str(file), "--replace").stdout.startswith(
            "1 added, 0 changed, 0 unchanged, 10 archived."
        )
        listed = self.run("list").stdout.splitlines()
        assert (listed[-2], listed[-1]) == (
            "bulk_export  -  5 expected a month  Export Run",
            "1 feature, 10 archived.",
        )

    def test_stores_nothing_of_a_file_with_a_fault(self, staff: Staff, tmp_path: Path) -> None:
        file = tmp_path / "features.toml"
        file.write_text(catalogue_toml([draft()]) + '[[features]]\nname = "B"\n', "utf-8")
        assert isinstance(self.run("import", str(file)).exception, InvalidInputError)
        assert len(features()) == 10
