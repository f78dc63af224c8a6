"""`bellwether import`: what an operator types, reads and gets as exit status; and events on their way into the lake."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from bellwether.portfolio.importing.kinds import Kind
from bellwether.portfolio.models import Client, SupportTicket
from bellwether.staff.models import AuditEvent
from bellwether.usage import importing
from bellwether.usage.facts import read_client_days, read_event_days
from bellwether.usage.import_command import KIND_NAMES, RECORD_KINDS, import_file
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyDate, DirtyScore, FeatureAdoption, PlatformUser
from tests.conftest import Clients
from tests.portfolio.importing.files import write_csv, write_json_lines, write_xlsx

pytestmark = pytest.mark.django_db(databases="__all__")

Command = Callable[..., Result]
EVENTS = (
    "event_id,client_id,user_id,ts,event,module,is_bot\n"
    "1,sturdy,u1,2026-06-01T10:00:00Z,Case Created,Cases,false\n"
    "2,sturdy,u2,2026-06-01T23:30:00Z,Case Created,Cases,false\n"
    "3,sturdy,b1,2026-06-02T01:00:00Z,Case Closed,Cases,true\n"
    "4,fading,u1,2026-06-02T02:00:00Z,Case Closed,Cases,false\n"
)


@pytest.fixture
def command() -> Command:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("import")(import_file)

    @app.callback()
    def main() -> None:
        """Keep `import` a command of its own."""

    def run(kind: str, file: Path, *options: str) -> Result:
        return CliRunner().invoke(app, ["import", kind, str(file), *options])

    return run


def last_line(result: Result) -> str:
    return result.stdout.strip().splitlines()[-1]


def stored(lake: Lake) -> pl.DataFrame:
    paths = sorted(lake.root.glob("events/*/*.parquet"))
    return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in paths]) if paths else pl.DataFrame()


class TestRecords:
    def test_counts_in_the_last_line_and_exits_with_0(self, command: Command, tmp_path: Path, lake: Lake):
        result = command("clients", write_csv(tmp_path / "c.csv", "client_id,language\na,Python\nb,C\n"))
        assert last_line(result) == "read 2, created 2, updated 0, unchanged 0, rejected 0"
        assert result.exit_code == 0
        assert "Columns left out: language." in result.stderr
        assert AuditEvent.objects.get().detail["created"] == 2

    def test_exits_with_1_and_tells_the_reasons_when_rows_are_rejected(
        self, command: Command, tmp_path: Path, lake: Lake, clients: Clients
    ):
        file = write_csv(tmp_path / "t.csv", "client_id,opened_at\nsturdy,2026-06-01\nnobody,2026-06-01\n")
        result = command("tickets", file, "--rejects", str(tmp_path / "bad.csv"))
        assert result.exit_code == 1
        assert last_line(result) == "read 2, created 1, updated 0, unchanged 0, rejected 1"
        assert "row 3: organization_id 'nobody' is no client" in result.stderr.replace("(column client_id) ", "")
        assert "nobody,2026-06-01" in (tmp_path / "bad.csv").read_text()

    @pytest.mark.parametrize(
        ("kind", "options", "complaint"),
        [
            ("people", [], "none of clients, contacts, events"),
            ("clients", ["--map", "x"], "THEIRS=OURS"),
            ("clients", ["--map", "nothing=name"], "which the file does not have"),
            ("tickets", [], "No column of the file is opened_at"),
            ("tickets", ["--set", "opened_at=soon"], "'soon' is not a time"),
            ("clients", ["--date-order", "ymd"], "needs dmy or mdy"),
            ("clients", ["--csat-scale", "5"], "LOWEST-HIGHEST"),
            ("clients", ["--time-zone", "Mars"], "Europe/Berlin"),
            ("clients", ["--decimal", "x"], "needs . or ,"),
        ],
    )
    def test_exits_with_2_for_wrong_usage(
        self, command: Command, tmp_path: Path, lake: Lake, kind: str, options: list[str], complaint: str
    ):
        result = command(kind, write_csv(tmp_path / "c.csv", "client_id,code\na,b\n"), *options)
        assert result.exit_code == 2
        assert complaint in " ".join(result.stderr.replace("│", " ").split())
        assert not Client.objects.exists()

    def test_stores_nothing_in_a_dry_run(self, command: Command, tmp_path: Path, lake: Lake, clients: Clients):
        file = write_csv(tmp_path / "t.csv", "client_id,opened_at\nsturdy,2026-06-01\nnobody,2026-06-01\n")
        result = command("tickets", file, "--dry-run")
        assert last_line(result) == "Dry run, nothing stored: read 2, created 1, updated 0, unchanged 0, rejected 1"
        assert not SupportTicket.objects.exists()
        assert not DirtyScore.objects.exists()
        assert not AuditEvent.objects.exists()
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["t.csv"]

    def test_marks_the_scores_from_the_first_day_that_changed(
        self, command: Command, tmp_path: Path, lake: Lake, clients: Clients
    ):
        lake.events_of(date(2026, 1, 1)).mkdir(parents=True)
        command("tickets", write_csv(tmp_path / "t.csv", "client_id,opened_at\nsturdy,2026-06-03\n"))
        assert DirtyScore.objects.order_by("date").first().date == date(2026, 6, 2)
        command("clients", write_csv(tmp_path / "c.csv", "client_id,seats\nsturdy,51\n"))
        assert DirtyScore.objects.order_by("date").first().date == date(2026, 1, 1)

    def test_imports_what_clients_have_licensed(self, command: Command, tmp_path: Path, lake: Lake, clients: Clients):
        rows = [["client", "feature", "licensed", "configured_at"], ["sturdy", "Case creation", "yes", "2026-01-31"]]
        rows += [["sturdy", "teleport", "yes", ""], ["fading", "api_calls", "no", ""]]
        file = write_xlsx(tmp_path / "f.xlsx", rows)
        result = command("features", file)
        assert last_line(result) == "read 3, created 2, updated 0, unchanged 0, rejected 1"
        assert "'teleport' is no feature of the catalogue" in result.stderr
        adoption = FeatureAdoption.objects.get(feature_key="case_creation")
        assert (adoption.is_licensed, adoption.configured_at) == (True, date(2026, 1, 31))
        assert last_line(command("features", file)) == "read 3, created 0, updated 0, unchanged 2, rejected 1"

    def test_knows_every_kind(self):
        assert set(KIND_NAMES) == {*RECORD_KINDS, "events"}
        assert all(isinstance(kind, Kind) for kind in RECORD_KINDS.values())


class TestEvents:
    def test_go_into_the_lake_and_the_facts(self, command: Command, tmp_path: Path, lake: Lake):
        result = command("events", write_csv(tmp_path / "e.csv", EVENTS))
        assert last_line(result) == "read 4, created 4, updated 0, unchanged 0, rejected 0"
        events = stored(lake)
        assert sorted(events["message_id"]) == ["1", "2", "3", "4"]
        assert "u1" not in events["user_key"]
        days = read_client_days(lake, date(2026, 6, 1), date(2026, 6, 2))
        got = {(r["organization_id"], r["date"].day): (r["dau"], r["service_actions"]) for r in days.to_dicts()}
        assert got[("sturdy", 1)] == (2, 0)
        assert got[("sturdy", 2)] == (0, 1)
        assert got[("fading", 2)] == (1, 0)
        assert not DirtyDate.objects.exists()
        assert DirtyScore.objects.filter(date=date(2026, 6, 1)).exists()
        assert PlatformUser.objects.count() == 4

    def test_only_mark_the_days_without_a_rollup(self, command: Command, tmp_path: Path, lake: Lake):
        command("events", write_csv(tmp_path / "e.csv", EVENTS), "--no-rollup")
        assert set(DirtyDate.objects.values_list("date", flat=True)) == {date(2026, 6, 1), date(2026, 6, 2)}

    def test_add_nothing_when_repeated_in_whatever_order(self, command: Command, tmp_path: Path, lake: Lake):
        command("events", write_csv(tmp_path / "e.csv", EVENTS), "--no-rollup")
        head, *rows = EVENTS.splitlines()
        again = write_csv(tmp_path / "again.csv", "\n".join([head, *reversed(rows), "5,sturdy,u1,2026-06-02,New,,"]))
        result = command("events", again, "--no-rollup")
        assert last_line(result) == "read 5, created 1, updated 0, unchanged 4, rejected 0"
        assert stored(lake).height == 5

    def test_keep_equal_lines_without_ids_and_still_repeat(self, command: Command, tmp_path: Path, lake: Lake):
        file = write_json_lines(tmp_path / "e.jsonl", [{"customer_id": "a", "ts": "2026-06-01", "qty": 1}] * 3)
        assert last_line(command("events", file)) == "read 3, created 3, updated 0, unchanged 0, rejected 0"
        assert last_line(command("events", file)) == "read 3, created 0, updated 0, unchanged 3, rejected 0"
        rows = read_event_days(lake, date(2026, 6, 1), date(2026, 6, 1)).to_dicts()
        assert [(row["event"], row["events"]) for row in rows] == [("e", 3)]

    def test_count_the_same_in_a_dry_run(self, command: Command, tmp_path: Path, lake: Lake):
        file = write_csv(tmp_path / "e.csv", EVENTS + "4,fading,u1,2026-06-02,Again,,\n,sturdy,u1,never,x,,\n")
        dry = command("events", file, "--dry-run")
        assert stored(lake).is_empty()
        assert not DirtyDate.objects.exists()
        real = command("events", file, "--no-rollup")
        assert last_line(dry) == "Dry run, nothing stored: " + last_line(real)
        assert last_line(real) == "read 6, created 4, updated 0, unchanged 1, rejected 1"
        assert "row 7: ts 'never' is not a time" in real.stderr
        assert last_line(command("events", file, "--dry-run")).endswith("created 0, updated 0, unchanged 5, rejected 1")

    def test_without_a_client_are_kept_and_said(self, command: Command, tmp_path: Path, lake: Lake):
        text = "event_id,client_id,user_id,ts,event\n1,sturdy,u1,2026-06-01,x\n2,,u1,2026-06-02,x\n3,,,2026-06-02,x\n"
        result = command("events", write_csv(tmp_path / "e.csv", text))
        assert result.exit_code == 0
        assert "1 events name no client and no user whose client is known" in result.stderr
        assert dict(stored(lake).select("message_id", "organization_id").iter_rows()) == {
            "1": "sturdy",
            "2": "sturdy",
            "3": "",
        }

    def test_of_two_systems_may_share_ids(self, command: Command, tmp_path: Path, lake: Lake):
        file = write_csv(tmp_path / "e.csv", EVENTS)
        command("events", file, "--no-rollup")
        result = command("events", file, "--source", "second-system", "--no-rollup")
        assert last_line(result) == "read 4, created 4, updated 0, unchanged 0, rejected 0"

    def test_land_once_however_often_the_import_is_killed(
        self, command: Command, tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ):
        frame = pl.DataFrame(
            {
                "client_id": ["sturdy", "fading"] * 50,
                "user_id": [f"u{n % 7}" for n in range(100)],
                "ts": [datetime(2026, 6, 1 + n % 5, n % 24, tzinfo=UTC) for n in range(100)],
                "event": "x",
            }
        )
        frame.write_parquet(tmp_path / "e.parquet")
        monkeypatch.setattr(importing, "READ_AT_ONCE", 10)
        monkeypatch.setattr(importing, "LAND_AT_ONCE", 20)
        for step in ("land", "assign_earlier_events", "mark_facts", "remember_users"):
            for survived in (0, 1, 2):
                with monkeypatch.context() as patch:
                    patch.setattr(importing, step, killed_after(survived, getattr(importing, step)))
                    assert command("events", tmp_path / "e.parquet").exit_code != 0
        result = command("events", tmp_path / "e.parquet")
        assert result.exit_code == 0
        assert stored(lake).height == 100
        assert stored(lake)["message_id"].n_unique() == 100
        days = read_client_days(lake, date(2026, 6, 1), date(2026, 6, 5))
        assert days["actions"].sum() == 100


def killed_after(calls: int, function: Callable[..., Any]) -> Callable[..., Any]:
    made = []

    def dying(*args: Any, **options: Any) -> Any:
        made.append(1)
        if len(made) > calls:
            raise KeyboardInterrupt
        return function(*args, **options)

    return dying
