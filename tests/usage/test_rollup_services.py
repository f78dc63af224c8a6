from datetime import UTC, date, datetime, timedelta

import pytest

from bellwether.common.jobs import run_job
from bellwether.common.models import JobRun
from bellwether.common.progress import NoProgress
from bellwether.usage import facts, services
from bellwether.usage import jobs as _declares_the_job  # noqa: F401
from bellwether.usage.dirty import mark_facts
from bellwether.usage.lake import Lake
from bellwether.usage.lake_locks import RollupBusyError, rollup_lock
from bellwether.usage.models import DirtyDate, DirtyScore
from tests.usage.rollup_twin import event, place, stored, twin

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
TODAY = date(2026, 6, 30)
pytestmark = pytest.mark.django_db


def days_from(first: str, count: int) -> set[date]:
    return {date.fromisoformat(first) + timedelta(days=n) for n in range(count)}


def scores_owed() -> set[date]:
    return set(DirtyScore.objects.values_list("date", flat=True))


class TestRollUpDirty:
    def test_does_nothing_while_nothing_is_marked(self, lake: Lake) -> None:
        place(lake, [event("2026-06-29T09:00")])
        assert services.roll_up_dirty(now=NOW, progress=NoProgress()).days == 0
        assert stored(lake).client_days == {}

    def test_makes_the_facts_and_settles_the_marks(self, lake: Lake) -> None:
        made = [event("2026-01-05T09:00"), event("2026-01-06T09:00", "bob")]
        mark_facts(place(lake, made), now=NOW)
        assert services.roll_up_dirty(now=NOW, progress=NoProgress()).days == 2
        assert stored(lake) == twin(made)
        assert not DirtyDate.objects.exists()

    def test_marks_the_scores_of_every_day_after(self, lake: Lake) -> None:
        mark_facts(place(lake, [event("2025-01-05T09:00")]), now=NOW)
        services.roll_up_dirty(now=NOW, progress=NoProgress())
        # With the day before, whose last session it may go on.
        assert scores_owed() == days_from("2025-01-04", (TODAY - date(2025, 1, 4)).days + 1)

    def test_marks_no_score_of_a_day_to_come(self, lake: Lake) -> None:
        mark_facts(place(lake, [event("2026-06-29T09:00")]), now=NOW)
        services.roll_up_dirty(now=NOW, progress=NoProgress())
        assert scores_owed() == days_from("2026-06-28", 3)

    def test_keeps_a_mark_that_was_made_meanwhile(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        (day,) = place(lake, [event("2026-06-29T09:00")])
        mark_facts([day], now=NOW)
        refresh = services.refresh_facts

        def slow_refresh(*given, **named):  # type: ignore[no-untyped-def]
            done = refresh(*given, **named)
            mark_facts([day], now=NOW)
            return done

        monkeypatch.setattr(services, "refresh_facts", slow_refresh)
        services.roll_up_dirty(now=NOW, progress=NoProgress())
        assert list(DirtyDate.objects.values_list("date", flat=True)) == [day]

    def test_leaves_the_marks_when_it_fails(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        mark_facts(place(lake, [event("2026-06-29T09:00")]), now=NOW)

        def fail(*_, **__):  # type: ignore[no-untyped-def]
            raise OSError("disk full")

        monkeypatch.setattr(services, "refresh_facts", fail)
        with pytest.raises(OSError, match="disk full"):
            services.roll_up_dirty(now=NOW, progress=NoProgress())
        assert DirtyDate.objects.count() == 1

    def test_waits_for_its_turn_while_another_rolls_up(self, lake: Lake) -> None:
        mark_facts(place(lake, [event("2026-06-29T09:00")]), now=NOW)
        with rollup_lock(lake, wait_seconds=0):
            assert services.roll_up_dirty(now=NOW, progress=NoProgress()).days == 0
        assert DirtyDate.objects.exists()
        assert services.roll_up_dirty(now=NOW, progress=NoProgress()).days == 1

    def test_cuts_days_where_the_workspace_does(self, lake: Lake, settings) -> None:  # type: ignore[no-untyped-def]
        from zoneinfo import ZoneInfo

        settings.BELLWETHER_WORKSPACE_ZONE = zone = ZoneInfo("Asia/Tokyo")
        made = [event("2026-06-01T16:00")]  # one o'clock of 2 June in Tokyo
        mark_facts(place(lake, made, zone=zone), now=NOW)
        services.roll_up_dirty(now=NOW, progress=NoProgress())
        (row,) = facts.read_client_days(lake, date(2026, 6, 2), date(2026, 6, 2)).to_dicts()
        assert row["actions_by_hour"][1] == 1


class TestRollUp:
    def test_returns_the_days_that_may_have_changed(self, lake: Lake) -> None:
        days = place(lake, [event("2026-03-02T09:00")])
        touched = services.roll_up(lake, days, progress=NoProgress())
        assert set(touched) == days_from("2026-03-01", 31)
        assert not DirtyScore.objects.exists()

    def test_says_who_is_in_the_way(self, lake: Lake) -> None:
        with (
            rollup_lock(lake, wait_seconds=0),
            pytest.raises(RollupBusyError, match="Another process is rolling up the lake"),
        ):
            services.roll_up(lake, [TODAY], progress=NoProgress(), wait_seconds=0)


class TestRollUpDates:
    def test_counts_unmarked_days_of_the_range_and_no_others(self, lake: Lake) -> None:
        place(lake, [event("2026-03-02T09:00"), event("2026-05-02T09:00")])
        done = services.roll_up_dates(date(2026, 3, 1), date(2026, 3, 31), now=NOW)
        assert done.days == 1
        assert facts.read_user_days(lake, date(2026, 5, 1), date(2026, 5, 31)).is_empty()
        assert date(2026, 3, 2) in scores_owed()

    def test_takes_the_facts_of_vanished_days_away_only_when_told_to(self, lake: Lake) -> None:
        (day,) = place(lake, [event("2026-03-02T09:00")])
        services.roll_up_dates(day, day, now=NOW)
        (lake.events_of(day) / "p.parquet").unlink()
        with pytest.raises(services.EventsGoneError, match="events of 1 days from 2026-03-02"):
            services.roll_up_dates(day, day, now=NOW)
        assert stored(lake).client_days != {}
        services.roll_up_dates(day, day, now=NOW, forget=True)
        assert stored(lake).client_days == {}

    def test_settles_the_marks_of_its_range_only(self, lake: Lake) -> None:
        mark_facts(place(lake, [event("2026-03-02T09:00"), event("2026-05-02T09:00")]), now=NOW)
        services.roll_up_dates(date(2026, 3, 1), date(2026, 3, 31), now=NOW)
        assert list(DirtyDate.objects.values_list("date", flat=True)) == [date(2026, 5, 2)]

    def test_does_nothing_in_an_empty_lake(self, lake: Lake) -> None:
        assert services.roll_up_dates(date(2026, 1, 1), TODAY, now=NOW).days == 0


class TestJob:
    def test_leaves_a_row_with_what_it_counted_and_none_when_idle(self, lake: Lake) -> None:
        mark_facts(place(lake, [event("2026-06-29T09:00"), event("2026-06-29T09:01", organization="")]), now=NOW)
        counts = run_job("rollup", now=NOW)
        assert counts["events"] == 2
        assert counts["unassigned"] == 1
        run_job("rollup", now=NOW)
        assert JobRun.objects.filter(name="rollup").count() == 1
