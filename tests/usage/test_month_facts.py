"""A month that does not fit into memory gives the facts, and the bytes, of one that does."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bellwether.usage import counting
from bellwether.usage.lake import Lake
from tests.usage.rollup_twin import Event, event, place, refresh, stored, twin


def restless() -> list[Event]:
    """Ann never pauses for three days over the end of a month, Bob acts about each midnight, and a bot does too."""
    start = datetime(2026, 1, 29, 22, tzinfo=UTC)
    ann = [event(start + timedelta(minutes=25 * n), "ann") for n in range(180)]
    bob = [
        event(datetime(2026, 1, 20, 23, 50, tzinfo=UTC) + timedelta(days=n, minutes=m), "bob", module=f"M{m}")
        for n in range(14)
        for m in (0, 15, 50)
    ]
    return (
        ann + bob + [one | {"message_id": f"x{i}", "user_key": "bot", "is_service": True} for i, one in enumerate(bob)]
    )


def files(lake: Lake) -> dict[str, bytes]:
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in lake.root.rglob("facts.parquet")}


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwether.usage.month_facts.ROWS_AT_ONCE", 3)
    monkeypatch.setattr("bellwether.usage.month_facts.ROWS_IN_MEMORY", 0)
    monkeypatch.setattr("bellwether.usage.counting.BATCH_BYTES", 1)


def test_a_month_that_comes_in_runs_of_days_has_the_facts_of_the_twin(tmp_path: Path, tight: None) -> None:
    lake = Lake(tmp_path)
    refresh(lake, place(lake, restless()))
    assert stored(lake) == twin(restless())
    assert list((tmp_path / ".spill").iterdir()) == []


def test_the_file_does_not_depend_on_how_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("bellwether.usage.fact_files.ROWS_IN_GROUP", 5)
    whole = Lake(tmp_path / "whole")
    refresh(whole, place(whole, restless()))
    request.getfixturevalue("tight")
    parcels = Lake(tmp_path / "parcels")
    for number in range(3):
        refresh(parcels, place(parcels, restless()[number::3], part=f"p{number}"))
    assert files(parcels) == files(whole)


def test_a_day_that_is_counted_again_without_change_writes_nothing(tmp_path: Path, tight: None) -> None:
    lake = Lake(tmp_path)
    days = place(lake, restless())
    refresh(lake, days)
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("facts.parquet")}
    assert refresh(lake, [date(2026, 1, 30)]).files == 0
    assert {path: path.stat().st_mtime_ns for path in lake.root.rglob("facts.parquet")} == before


def test_counting_by_texts_gives_what_counting_by_codes_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_code, by_text = Lake(tmp_path / "code"), Lake(tmp_path / "text")
    refresh(by_code, place(by_code, restless()))
    monkeypatch.setattr(counting, "_codes_differ", lambda engine, queries: False)
    refresh(by_text, place(by_text, restless()))
    assert files(by_text) == files(by_code)
