"""The facts are the same on every engine, to the byte."""

import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from bellwether.common.progress import NoProgress
from bellwether.usage.engine_duckdb import DuckDBEngine
from bellwether.usage.engines import DUCKDB, EngineChoice
from bellwether.usage.lake import EVENT_SCHEMA, Lake, write_part
from bellwether.usage.refresh import refresh_facts
from tests.usage.rollup_twin import LABELS, Event, event, place, stored, twin
from tests.usage.test_oss_usage import FILE as OSS

BERLIN = ZoneInfo("Europe/Berlin")
SPARK = EngineChoice(name="spark", master="local[2]")
pytestmark = [pytest.mark.slow, pytest.mark.one_database]


@pytest.fixture(scope="module")
def spark() -> Iterator[EngineChoice]:
    """Spark on this machine; it ends with this module, because its Java holds half a gigabyte.

    Java compiles lightly: what it would gain by doing it well is less than what that costs in a minute.
    """
    import shutil

    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("Java is not installed: tools/java.sh says how")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield SPARK
    from pyspark.sql import SparkSession

    if session := SparkSession.getActiveSession():
        session.stop()


def awkward(count: int, seed: int) -> list[Event]:
    """Events about a change of clocks and a new year, in no order, with repeats, bots, nobody, labels and midnights."""
    draw = random.Random(seed)
    starts = [datetime(2026, 3, 28, 21, tzinfo=UTC), datetime(2025, 12, 31, 20, tzinfo=UTC)]
    made = []
    for _ in range(count):
        label = draw.choice(["late", 'qu"ote', "", None, 3, 2.5, True])
        made.append(
            event(
                draw.choice(starts) + timedelta(minutes=draw.randrange(0, 6000), microseconds=draw.randrange(10**6)),
                draw.choice(["ann", "bob", "cid", "dé", "Ann", None]),
                draw.choice(["sturdy", "fading", "Ünwell", ""]),
                is_service=draw.random() < 0.2,
                type=draw.choice(["track", "track", "page", "screen", "identify"]),
                event=draw.choice(["Case Closed", "Case Created", "Ärger"]),
                module=draw.choice(["Cases", "Risk", None]),
                feature=draw.choice(["close", None]),
                role=draw.choice([None, None, "admin", "Member"]),
                properties=draw.choice([json.dumps({"sla_status": label}), None, "{}"]),
                source=draw.choice(["web", "server"]),
            )
        )
    for original in draw.sample(made, count // 10):
        later = timedelta(seconds=draw.randrange(0, 3))
        made.append(original | {"received_at": original["received_at"] + later, "module": "Copy"})
    draw.shuffle(made)
    return made


def facts_by(choice: EngineChoice, root: Path, fill: Callable[[Lake], list[date]]) -> dict[str, bytes]:
    """Return the files of facts that the engine makes of the events that `fill` puts into a new lake."""
    lake = Lake(root)
    refresh_facts(lake, fill(lake), zone=BERLIN, labels=LABELS, progress=NoProgress(), engine=choice)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("facts.parquet")}


def real_months(lake: Lake) -> list[date]:
    """Put three months of the real projects' activity into the lake."""
    events = pl.read_parquet(OSS).filter((pl.col("ts").dt.year() == 2014) & (pl.col("ts").dt.month() <= 3))
    names = {"event_id": "message_id", "client_id": "organization_id", "user_id": "user_key", "is_bot": "is_service"}
    own = {"type": "track", "role": None, "sent_at": None, "source": "oss", "properties": None}
    rows = events.rename(names).with_columns(
        **{name: pl.lit(value) for name, value in own.items()}, original_ts=pl.col("ts"), received_at=pl.col("ts")
    )
    day = pl.col("ts").dt.convert_time_zone("UTC").dt.convert_time_zone(str(BERLIN)).dt.date().alias("day")
    parts = rows.with_columns(day).partition_by("day", as_dict=True)
    for (of_day,), part in parts.items():
        write_part(part.select(EVENT_SCHEMA.names).to_arrow().cast(EVENT_SCHEMA), lake.events_of(of_day) / "p.parquet")
    return sorted(of_day for (of_day,) in parts)


class TestSpark:
    def test_gives_the_facts_of_duckdb(self, tmp_path: Path, spark: EngineChoice) -> None:
        events = awkward(1500, seed=7)
        found = [
            facts_by(choice, tmp_path / choice.name, lambda lake: place(lake, events, zone=BERLIN))
            for choice in (DUCKDB, spark)
        ]
        assert len(found[0]) >= 10
        assert found[0] == found[1]

    @pytest.mark.skipif(not OSS.exists(), reason=f"{OSS} is not there; TEST_DATA names its folder's parent")
    def test_gives_the_facts_of_duckdb_of_months_of_real_activity(self, tmp_path: Path, spark: EngineChoice) -> None:
        found = [facts_by(choice, tmp_path / choice.name, real_months) for choice in (DUCKDB, spark)]
        assert len(found[0]) >= 10
        assert found[0] == found[1]

    def test_gives_an_empty_workspace_no_facts(self, tmp_path: Path, spark: EngineChoice) -> None:
        lake = Lake(tmp_path)
        done = refresh_facts(lake, [date(2026, 3, 1)], zone=BERLIN, labels=LABELS, progress=NoProgress(), engine=spark)
        assert (done.events, done.files) == (0, 0)


class TestDuckDB:
    def test_spills_what_does_not_fit_and_counts_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from benches.bench_rollup import make_events

        days = [date(2026, 1, 1)]
        found = []
        for name, limit in (("roomy", "1GB"), ("tight", "60MB")):
            root = tmp_path / name
            make_events(root, 600_000, 1)
            monkeypatch.setattr("bellwether.usage.engine_duckdb.MEMORY_LIMIT", limit)
            refresh_facts(Lake(root), days, zone=ZoneInfo("UTC"), labels=LABELS, progress=NoProgress())
            found.append({p.parent.parent.name + p.parent.name: p.read_bytes() for p in root.rglob("facts.parquet")})
        assert len(found[0]) >= 5
        assert found[0] == found[1]

    def test_takes_away_what_a_killed_process_left(self, tmp_path: Path) -> None:
        left = tmp_path / ".spill" / "duckdb-4999999"
        left.mkdir(parents=True)
        os.utime(left, (0, 0))
        with DuckDBEngine(Lake(tmp_path)):
            assert not left.exists()


def test_the_awkward_events_are_counted_as_by_hand(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    events = [one | {"label": _label(one)} for one in awkward(400, seed=3)]
    plain = [{name: value for name, value in one.items() if name != "label"} for one in events]
    refresh_facts(lake, place(lake, plain, zone=BERLIN), zone=BERLIN, labels=LABELS, progress=NoProgress())
    assert stored(lake) == twin(events, BERLIN)


def _label(one: Event) -> str | None:
    value = json.loads(one["properties"] or "{}").get("sla_status")
    return value if value is None or isinstance(value, str) else json.dumps(value)
