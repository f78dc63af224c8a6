"""The command from an empty folder to scored clients, as people run it: in processes of its own."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.homes import make_migrated

pytestmark = [pytest.mark.slow, pytest.mark.one_database]
ARGUMENTS = ("--clients", "30", "--days", "100", "--seed", "7", "--today", "2026-06-30", "--no-serve")


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_") and k != "DJANGO_SETTINGS_MODULE"
    }
    command = [sys.executable, "-m", "bellwether", "demo", "--home", str(home), *arguments]
    return subprocess.run(command, env=environment, cwd=home.parent, capture_output=True, text=True, timeout=300)


ACTIVE = "SELECT organization_id, current_health_score FROM portfolio_client WHERE archived_at IS NULL"
CLIENTS = "SELECT id, organization_id, annual_recurring_revenue, current_health_score FROM portfolio_client ORDER BY id"
SCORES = "SELECT client_id, date, overall_score, inputs FROM health_healthscore ORDER BY client_id, date"
ALERTS = "SELECT id, status, severity, created_at, first_response_at, ended_on FROM alerts_alert ORDER BY id"


@dataclass(frozen=True)
class Made:
    home: Path
    output: str

    def query(self, sql: str) -> list[tuple]:
        with sqlite3.connect(f"file:{self.home}/bellwether.sqlite3?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    home = tmp_path_factory.mktemp("demo") / "home"
    done = run(home, *ARGUMENTS)
    assert done.returncode == 0, done.stderr
    return Made(home, done.stdout)


class TestDemo:
    def test_prints_logins_for_all_roles_and_the_password(self, made: Made) -> None:
        for word in ("jane.okafor@larkfield.example", "SENIOR_CSM", "VP_SALES", "ADMIN", "larks-sing-at-dawn"):
            assert word in made.output
        assert made.output.splitlines()[-1].startswith("Ready: 30 clients, ")

    def test_scores_every_client_but_newborns_today(self, made: Made) -> None:
        scored = dict(made.query(ACTIVE))
        newborn = set(truth(made).filter(pl.col("story") == "newborn")["organization_id"])
        assert newborn
        assert {name for name, score in scored.items() if score is None} == newborn

    def test_scores_fading_clients_below_healthy_ones(self, made: Made) -> None:
        scores = pl.DataFrame(made.query(ACTIVE), schema=["organization_id", "score"], orient="row").drop_nulls()
        now = truth(made).sort("date").group_by("organization_id").last().join(scores, on="organization_id")
        latent, story = pl.col("latent_health"), pl.col("story")
        healthy = now.filter((story == "steady") & (latent > 80))["score"]
        falling = now.filter(story.is_in(["fading", "champion_left"]) & (latent < 60))["score"]
        assert len(healthy) > 2
        assert len(falling) > 0
        assert falling.mean() < healthy.mean() - 15  # type: ignore[operator]
        assert now.select(pl.corr("latent_health", "score")).item() > 0.6

    def test_keeps_the_truth_out_of_the_tables(self, made: Made) -> None:
        tables = [name for (name,) in made.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {row[1] for table in tables for row in made.query(f'PRAGMA table_info("{table}")')}
        assert not columns & {"story", "latent_health", "churn_cause", "change_begins", "champion_leaves"}
        texts = json.dumps(made.query("SELECT * FROM portfolio_client"), default=str)
        assert not any(story in texts for story in ("champion_left", "support_trouble", "uncontacted", "latent"))

    def test_makes_no_key_and_no_token(self, made: Made) -> None:
        assert made.query("SELECT count(*) FROM usage_writekey") == [(0,)]
        assert made.query("SELECT count(*) FROM staff_apitoken") == [(0,)]

    def test_leaves_no_work_for_the_jobs(self, made: Made) -> None:
        assert made.query("SELECT count(*) FROM usage_dirtydate") == [(0,)]
        assert made.query("SELECT count(*) FROM usage_dirtyscore") == [(0,)]

    def test_drops_the_repeated_events_at_the_lakes_door(self, made: Made) -> None:
        events = pl.scan_parquet(made.home / "lake" / "events" / "**" / "*.parquet", hive_partitioning=False)
        ids = events.select("source", "message_id").collect()
        summary = json.loads((made.home / "demo" / "demo.json").read_text())["summary"]
        assert ids.height == ids.n_unique() == summary["counts"]["events"]
        assert summary["counts"]["repeated events dropped"] > 0

    def test_finds_everything_done_when_asked_again(self, made: Made) -> None:
        before = made.query("SELECT id, client_id, date, overall_score FROM health_healthscore")
        again = run(made.home, *ARGUMENTS)
        assert again.returncode == 0, again.stderr
        assert again.stdout == made.output
        assert made.query("SELECT id, client_id, date, overall_score FROM health_healthscore") == before

    def test_refuses_another_demo_and_says_how_to_start_over(self, made: Made) -> None:
        other = run(made.home, "--clients", "31", "--days", "100", "--no-serve")
        assert other.returncode == 1
        assert "--fresh" in other.stderr
        assert made.query("SELECT count(*) FROM portfolio_client") == [(30,)]


class TestFresh:
    def test_replaces_a_marked_demo_by_equal_content_for_equal_arguments(self, made: Made, tmp_path: Path) -> None:
        home = tmp_path / "home"
        make_migrated(home)
        first = run(home, "--clients", "4", "--days", "31", "--today", "2026-06-30", "--no-serve")
        assert first.returncode == 0, first.stderr
        again = run(home, *ARGUMENTS, "--fresh")
        assert again.returncode == 0, again.stderr
        assert Made(home, again.stdout).query(CLIENTS) == made.query(CLIENTS)
        assert Made(home, again.stdout).query(SCORES) == made.query(SCORES)
        assert Made(home, again.stdout).query(ALERTS) == made.query(ALERTS) != []

    def test_never_touches_a_home_with_other_data(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        environment = os.environ | {
            "BELLWETHER_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "bellwether.config.settings",
        }
        program = [sys.executable, "-m", "bellwether"]
        add = [*program, "user", "add", "eve@example.org", "--name", "Eve Other"]
        make_migrated(home)
        subprocess.run(add, env=environment, check=True, capture_output=True)
        done = run(home, *ARGUMENTS, "--fresh")
        assert done.returncode == 1
        assert "1 members of staff" in done.stderr
        assert Made(home, "").query("SELECT email FROM staff_staffuser") == [("eve@example.org",)]


def truth(made: Made) -> pl.DataFrame:
    return pl.read_parquet(made.home / "demo" / "truth.parquet")
