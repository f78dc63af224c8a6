"""The commands that look after the lake."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bellwether.common.errors import BellwetherError
from bellwether.usage import lake_commands
from bellwether.usage.kept import EVENTS, keep_from
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyScore
from tests.usage.rollup_twin import event, place, stored, twin

pytestmark = pytest.mark.django_db(databases="__all__")


def run(*arguments: str) -> Any:
    app = typer.Typer()
    lake_commands.register(app)
    return CliRunner().invoke(app, arguments)


def told(*arguments: str) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return str(done.output)


def refused(*arguments: str) -> str:
    error = run(*arguments).exception
    assert isinstance(error, BellwetherError)
    return str(error)


@pytest.fixture
def made(lake: Lake) -> list[dict[str, Any]]:
    events = [event(datetime(2026, month, 2, hour, tzinfo=UTC), f"u{hour}") for month in (1, 2, 3) for hour in (8, 9)]
    place(lake, events[::2], part="a")
    place(lake, events[1::2], part="b")
    return events


class TestRollup:
    def test_counts_all(self, lake: Lake, made: list[dict[str, Any]]) -> None:
        assert "3 days counted: 6 events, 0 copies" in told("rollup", "--all")
        assert stored(lake) == twin(made)
        assert DirtyScore.objects.filter(date=date(2026, 1, 2)).exists()

    def test_counts_a_span(self, lake: Lake, made: list[dict[str, Any]]) -> None:
        assert "1 days counted: 2 events" in told("rollup", "--from", "2026-02-01", "--to", "2026-02-28")
        assert stored(lake) == twin(made[2:4])

    def test_mends_facts_that_were_lost(self, lake: Lake, made: list[dict[str, Any]]) -> None:
        told("rollup", "--all")
        for kind in ("user_days", "client_days", "event_days"):
            lake.remove([lake.facts_of(kind, "2026-02") / "facts.parquet"])
        told("rollup", "--all")
        assert stored(lake) == twin(made)

    def test_wants_to_know_which_days(self, lake: Lake) -> None:
        assert "Say which days" in refused("rollup")
        assert "Say which days" in refused("rollup", "--all", "--from", "2026-01-01")
        assert "exchange them" in refused("rollup", "--from", "2026-02-01", "--to", "2026-01-01")

    def test_refuses_to_lose_facts_whose_events_are_gone(self, lake: Lake, made: list[dict[str, Any]]) -> None:
        told("rollup", "--all")
        before = stored(lake)
        lake.remove([path for path, _ in lake.parts_of(date(2026, 2, 2))])
        assert "events of 1 days from 2026-02-02" in refused("rollup", "--all")
        assert stored(lake) == before
        told("rollup", "--all", "--forget")
        assert stored(lake) == twin(made[:2] + made[4:])

    def test_leaves_alone_what_the_retention_took(self, lake: Lake, made: list[dict[str, Any]]) -> None:
        told("rollup", "--all")
        before = stored(lake)
        lake.remove([path for path, _ in lake.parts_of(date(2026, 1, 2))])
        keep_from(lake, EVENTS, date(2026, 2, 1))
        assert "2 days counted" in told("rollup", "--all", "--forget")
        assert stored(lake) == before
        assert "take --from 2026-02-01 or later" in refused("rollup", "--from", "2026-01-01")


class TestCompact:
    def test_reports_what_it_did(self, lake: Lake, made: list[dict[str, Any]]) -> None:
        assert "1 days: 2 parts became 1" in told("compact", "--from", "2026-02-01", "--to", "2026-02-28")
        assert "2 days: 4 parts became 2" in told("compact")
        assert "0 days" in told("compact")
