"""What each source sent, counted once: also when the flush or an import is killed and done again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from bellwether.usage import flush as flush_module
from bellwether.usage import importing
from bellwether.usage.flush import flush
from bellwether.usage.import_command import import_file
from bellwether.usage.keys import add_key
from bellwether.usage.lake import Lake
from bellwether.usage.models import CountedPart, SourceDay
from bellwether.usage.source_days import landed_rows
from bellwether.usage.source_tally import lag_quantile, merged_lags
from bellwether.usage.spool import store
from bellwether.usage.spool_format import Batch, Reject, SpooledEvent, microseconds, pack

pytestmark = pytest.mark.django_db(databases="__all__")

NOW = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def event(
    message_id: str, *, ago: float = 1, account: str = "acme", user: str | None = "u1", **more: Any
) -> SpooledEvent:
    values: dict[str, Any] = {
        "is_service": False, "type": "track", "event": "E", "module": None, "feature": None, "role": None,
        "sent_at": None, "original_ts": None, "properties": None,
    }  # fmt: skip
    ts = microseconds(NOW - timedelta(seconds=ago))
    return SpooledEvent(message_id=message_id, organization_id=account, user_key=user, ts=ts, **(values | more))


def spooled(*events: SpooledEvent, rejects: int = 0, source: str = "web", at: datetime = NOW) -> None:
    bad = [Reject(f"r{n}", "event: missing", {}) for n in range(rejects)]
    store([(at, source, len(events), pack(Batch(list(events), bad)))])


def flushed(lake: Lake, zone: str = "UTC") -> None:
    flush(lake=lake, zone=ZoneInfo(zone), now=NOW)


def numbers(row: SourceDay) -> tuple[int, int, int, int]:
    return row.batches, row.events, row.duplicates, row.rejected


class TestFlush:
    def test_counts_by_source_and_day_of_receipt(self, lake: Lake) -> None:
        spooled(event("a"), event("b", account="", user="nobody"), rejects=2)
        spooled(event("c", user=None))
        spooled(event("d"), source="server")
        flushed(lake)
        web, server = SourceDay.objects.get(source="web"), SourceDay.objects.get(source="server")
        assert numbers(web) == (2, 3, 0, 2)
        assert (web.unassigned, web.userless, web.ahead, web.date) == (1, 1, 0, date(2026, 6, 30))
        assert numbers(server) == (1, 1, 0, 0)
        assert web.last_received_at == NOW

    def test_takes_the_day_from_the_workspace(self, lake: Lake) -> None:
        spooled(event("a"))
        spooled(event("b"), at=NOW - 4 * HOUR)
        flushed(lake, "Europe/Berlin")  # 01:30 of the next day, and 21:30
        assert sorted(SourceDay.objects.values_list("date", "events")) == [
            (date(2026, 6, 30), 1),
            (date(2026, 7, 1), 1),
        ]

    def test_sorts_lags_by_their_upper_bounds(self, lake: Lake) -> None:
        seconds = (0, 10, 11, 60, 61, 600, 3_600, 3_601, 86_401, 604_800, 604_801)
        spooled(*[event(f"m{n}", ago=ago) for n, ago in enumerate(seconds)])
        flushed(lake)
        assert SourceDay.objects.get().lags == {
            "10": 2, "60": 2, "600": 2, "3600": 1, "86400": 1, "604800": 2, "more": 1,
        }  # fmt: skip

    def test_counts_repetitions_as_duplicates_of_their_source(self, lake: Lake) -> None:
        spooled(event("a"), event("b"), event("b"))
        flushed(lake)
        spooled(event("a"), event("c"))
        spooled(event("a"), source="server")  # another source: another message
        flushed(lake)
        assert numbers(SourceDay.objects.get(source="web")) == (2, 3, 2, 0)
        assert numbers(SourceDay.objects.get(source="server")) == (1, 1, 0, 0)

    def test_counts_requests_of_which_nothing_could_be_used(self, lake: Lake) -> None:
        spooled(rejects=3)
        flushed(lake)
        assert numbers(SourceDay.objects.get()) == (1, 0, 0, 3)

    def test_notices_senders_whose_clock_is_ahead_of_itself(self, lake: Lake) -> None:
        later = microseconds(NOW + HOUR)
        spooled(
            event("a", ago=0, sent_at=microseconds(NOW), original_ts=later),
            event("b", ago=0, sent_at=later, original_ts=later),  # a clock that is wrong, but agrees with itself
            event("c", ago=0, original_ts=later),
        )
        flushed(lake)
        assert SourceDay.objects.get().ahead == 2

    @pytest.mark.parametrize(
        "step", ["mark_facts", "remember_users", "_keep_rejects", "count_flush", "_note_use", "_release"]
    )
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_counts_once_when_it_fails_at_a_step_and_is_done_again(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str, when: str
    ) -> None:
        monkeypatch.setattr(flush_module, "EVENTS_PER_PART", 3)
        add_key("web", now=NOW - HOUR)
        spooled(event("z"))
        flushed(lake)
        spooled(event("a"), event("b"), event("z"), rejects=1)
        spooled(event("c"), event("a"), event("d"))
        original = getattr(flush_module, step)

        def crash(*given: Any, **named: Any) -> Any:
            if when == "after":
                original(*given, **named)
            raise OSError("killed")

        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(flush_module, step, crash)
                with pytest.raises(OSError, match="killed"):
                    flushed(lake)
        flushed(lake)
        row = SourceDay.objects.get()
        assert numbers(row) == (3, 5, 2, 1)
        assert row.lags == {"10": 5}

    def test_counts_what_came_first_when_a_compaction_took_the_part(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spooled(event("z"))
        flushed(lake)
        spooled(event("a"), event("a"), event("z"))

        def compacted(*given: Any, **named: Any) -> Any:
            for path in Path(str(lake.root)).glob("events/*/*.parquet"):
                path.unlink()
            return original(*given, **named)

        original = landed_rows
        monkeypatch.setattr(flush_module, "landed_rows", compacted)
        flushed(lake)
        assert numbers(SourceDay.objects.get()) == (2, 2, 2, 0)


def imported(path: Path, *options: str) -> str:
    import typer

    app = typer.Typer()
    app.command()(import_file)
    return CliRunner().invoke(app, ["events", str(path), *options, "--no-rollup"]).output


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text("organization_id,user_id,event,ts\nacme,u1,E,2026-01-01\nacme,,E,2026-01-02\nacme,u2,E,never\n")
    return path


class TestImport:
    def test_counts_on_the_day_of_the_import(self, lake: Lake, file: Path) -> None:
        imported(file, "--source", "old-portal")
        row = SourceDay.objects.get()
        assert (row.source, *numbers(row)) == ("old-portal", 1, 2, 0, 1)
        assert (row.userless, row.last_part) == (1, "")
        assert CountedPart.objects.count() == 1

    def test_counts_nothing_when_it_is_done_again(self, lake: Lake, file: Path) -> None:
        imported(file)
        imported(file)
        assert numbers(SourceDay.objects.get()) == (1, 2, 0, 1)

    def test_counts_what_an_earlier_file_had_as_duplicates(self, lake: Lake, file: Path) -> None:
        imported(file)
        file.write_text(file.read_text() + "acme,u3,E,2026-01-03\n")
        imported(file)
        assert numbers(SourceDay.objects.get())[1:3] == (3, 2)

    def test_counts_once_when_it_fails_before_or_after_counting(
        self, lake: Lake, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*given: Any, **named: Any) -> None:
            raise OSError("killed")

        for step in ("count_import", "mark_facts"):
            with monkeypatch.context() as patch:
                patch.setattr(importing, step, crash)
                imported(file)
        imported(file)
        assert numbers(SourceDay.objects.get()) == (1, 2, 0, 1)

    def test_leaves_the_flush_of_the_same_source_countable(
        self, lake: Lake, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
        spooled(event("a"))

        def crash(*given: Any) -> None:
            raise OSError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(flush_module, "_release", crash)
            with pytest.raises(OSError, match="killed"):
                flushed(lake)
        imported(file, "--source", "web")
        flushed(lake)
        assert numbers(SourceDay.objects.get()) == (2, 3, 0, 1)


class TestLags:
    def test_gives_the_bucket_of_a_quantile(self) -> None:
        lags = {"10": 50, "60": 45, "more": 5}
        assert [lag_quantile(lags, share) for share in (0.5, 0.51, 0.95, 0.96)] == ["10", "60", "60", "more"]
        assert lag_quantile({}, 0.5) is None

    def test_adds_up_in_the_order_of_the_bounds(self) -> None:
        assert list(merged_lags([{"more": 1}, {"60": 2, "10": 0}, {"60": 1}]).items()) == [("60", 3), ("more", 1)]
