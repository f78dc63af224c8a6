"""Compaction of days that are over: fewer parts, the same facts."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.common.jobs import run_job
from bellwether.common.progress import NoProgress
from bellwether.usage import compaction, lake_jobs
from bellwether.usage.closed_days import compact_closed_days
from bellwether.usage.compaction import Compacted, compact_whole_day
from bellwether.usage.lake import Lake
from tests.usage.rollup_twin import Event, event, place, refresh, stored, twin

DAY, TODAY = date(2026, 3, 2), date(2026, 3, 4)
NIGHT = datetime(2026, 3, 4, 1, 47, tzinfo=UTC)


def copies_of(one: Event, number: int, chance: random.Random) -> list[Event]:
    """Return copies of a message that differ in when they were received and sent, and in what they say."""
    made = []
    for _ in range(number):
        received = one["ts"] + timedelta(seconds=chance.randrange(3))
        sent = chance.choice([None, one["ts"], one["ts"] + timedelta(seconds=1)])
        kinds = {"event": chance.choice(["A", "B"]), "module": chance.choice([None, "M", "N"])}
        made.append(one | {"received_at": received, "sent_at": sent} | kinds)
    return made


def raw(lake: Lake) -> pl.DataFrame:
    return lake.scan([path for day in lake.event_dates() for path, _ in lake.parts_of(day)]).collect()


def three_days(lake: Lake) -> list[Event]:
    made = [event(f"2026-03-0{day}T{hour:02d}:00", f"u{hour % 3}") for day in (2, 3, 4) for hour in range(6)]
    for number in range(3):
        place(lake, made[number::3], part=f"flush-{number}")
    return made


class TestCompactClosedDays:
    def test_leaves_one_part_of_each_day_but_today(self, lake: Lake) -> None:
        made = three_days(lake)
        done = compact_closed_days(lake, today=TODAY, progress=NoProgress())
        assert (done.days, done.parts_before, done.parts_after, done.repeats) == (2, 6, 2, 0)
        assert [len(lake.parts_of(day)) for day in lake.event_dates()] == [1, 1, 3]
        refresh(lake, lake.event_dates())
        assert stored(lake) == twin(made)

    def test_finds_nothing_the_second_time(self, lake: Lake) -> None:
        three_days(lake)
        compact_closed_days(lake, today=TODAY, progress=NoProgress())
        assert compact_closed_days(lake, today=TODAY, progress=NoProgress()) == Compacted()

    def test_keeps_to_the_days_asked_for(self, lake: Lake) -> None:
        three_days(lake)
        compact_closed_days(lake, today=TODAY, progress=NoProgress(), first=date(2026, 3, 3), last=date(2026, 3, 3))
        assert [len(lake.parts_of(day)) for day in lake.event_dates()] == [3, 1, 3]

    @pytest.mark.parametrize("seed", range(5))
    def test_drops_copies_for_good_and_keeps_the_one_that_counts(self, lake: Lake, seed: int) -> None:
        chance = random.Random(seed)
        made = [event(f"2026-03-02T{n % 24:02d}:00", f"u{n % 4}") for n in range(20)]
        told = [copy for one in made for copy in copies_of(one, chance.randrange(1, 4), chance)]
        chance.shuffle(told)
        for number in range(4):
            place(lake, told[number::4], part=f"flush-{number}")
        refresh(lake, [DAY])
        before = stored(lake)
        assert before == twin(told)
        done = compact_whole_day(lake, DAY)
        assert done.repeats == len(told) - 20
        assert raw(lake).height == 20
        assert refresh(lake, [DAY]).repeats == 0
        assert stored(lake) == before

    def test_merges_no_more_at_once_than_memory_allows(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        made = three_days(lake)
        (_, size), *_ = lake.parts_of(DAY)
        monkeypatch.setattr(compaction, "MOST_BYTES", 2 * size + 200)
        done = compact_whole_day(lake, DAY)
        assert (done.parts_before, done.parts_after) == (3, 2)
        refresh(lake, lake.event_dates())
        assert stored(lake) == twin(made)

    @pytest.mark.parametrize("step", ["write_part", "remove"])
    def test_counts_nothing_twice_after_a_crash(self, lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        made = three_days(lake)

        def crash(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(*((compaction, "write_part") if step == "write_part" else (Lake, "remove")), crash)
            with pytest.raises(KeyboardInterrupt):
                compact_whole_day(lake, DAY)
        refresh(lake, lake.event_dates())
        assert stored(lake) == twin(made)
        compact_whole_day(lake, DAY)
        assert len(lake.parts_of(DAY)) == 1
        refresh(lake, lake.event_dates())
        assert stored(lake) == twin(made)

    def test_sweeps_up_what_a_killed_writer_left(self, lake: Lake) -> None:
        three_days(lake)
        left = lake.events_of(DAY) / ".flush-9.parquet.77.tmp"
        left.write_text("half")
        compact_whole_day(lake, DAY)
        assert not left.exists()


@pytest.mark.django_db(databases="__all__")
class TestJob:
    def test_runs_at_night_and_reports(self, lake: Lake) -> None:
        three_days(lake)
        counts = run_job("compact", now=NIGHT)
        assert (counts["days"], counts["parts_before"], counts["parts_after"]) == (2, 6, 2)
        assert not any(run_job("compact", now=NIGHT).values())
        assert lake_jobs.compact is not None
