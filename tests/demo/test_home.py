from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bellwether.demo.home import (
    DemoHomeError,
    Marker,
    empty_home,
    marker_path,
    read_marker,
    same_demo,
    write_marker,
)
from bellwether.demo.plan import DemoPlan

PLAN = DemoPlan(clients=12, days=60, seed=1, today=date(2026, 6, 30))
MARKER = Marker(plan=PLAN, database="sqlite:demo")


class TestReadMarker:
    def test_returns_what_was_written(self, tmp_path: Path) -> None:
        write_marker(tmp_path, MARKER.done({"counts": {"clients": 12}}))
        marker = read_marker(tmp_path)
        assert marker is not None
        assert marker.plan == PLAN
        assert marker.complete
        assert marker.summary == {"counts": {"clients": 12}}

    def test_returns_nothing_for_another_home(self, tmp_path: Path) -> None:
        assert read_marker(tmp_path) is None

    def test_explains_a_marker_that_cannot_be_read(self, tmp_path: Path) -> None:
        write_marker(tmp_path, MARKER)
        marker_path(tmp_path).write_text("{")
        with pytest.raises(DemoHomeError, match="cannot be read"):
            read_marker(tmp_path)


class TestSameDemo:
    def test_ignores_the_end_date_unless_it_was_given(self) -> None:
        tomorrow = replace(PLAN, today=date(2026, 7, 1))
        assert same_demo(MARKER, tomorrow, today_given=False)
        assert not same_demo(MARKER, tomorrow, today_given=True)

    @pytest.mark.parametrize("change", [{"clients": 13}, {"days": 61}, {"seed": 2}, {"preset": "suppliers"}])
    def test_tells_other_demos_apart(self, change: dict[str, int]) -> None:
        assert not same_demo(MARKER, replace(PLAN, **change), today_given=False)


class TestEmptyHome:
    def test_removes_what_the_demo_made_and_keeps_the_rest(self, tmp_path: Path) -> None:
        write_marker(tmp_path, MARKER)
        for name in ("bellwether.sqlite3", "spool.sqlite3-wal", "secret.key", "notes.txt"):
            (tmp_path / name).write_text("x")
        (tmp_path / "lake" / "events").mkdir(parents=True)
        empty_home(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "secret.key"]

    def test_refuses_a_home_without_marker(self, tmp_path: Path) -> None:
        (tmp_path / "bellwether.sqlite3").write_text("x")
        with pytest.raises(DemoHomeError, match="not marked"):
            empty_home(tmp_path)
        assert (tmp_path / "bellwether.sqlite3").exists()
