"""A lake on an object store: the same facts, byte for byte, as of a lake in a folder."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from bellwether.common.progress import NoProgress
from bellwether.config import doctor
from bellwether.health.inputs import settings_from_preset
from bellwether.health.reading_facts import FoldedPast, read_facts
from bellwether.presets import load_preset
from bellwether.usage import compaction, facts, flush, services
from bellwether.usage.erasure import erase
from bellwether.usage.ids import MERGE_FROM
from bellwether.usage.lake import Lake, lake_at, write_part
from bellwether.usage.lake_copies import Copies
from bellwether.usage.lake_errors import LakeStoreError
from bellwether.usage.lake_trial import LakeUnusableError, try_out
from bellwether.usage.landing import index_of
from bellwether.usage.models import EventBatch
from bellwether.usage.spool import store as spool
from bellwether.usage.spool_format import Batch, SpooledEvent, microseconds, pack
from bellwether.usage.workspace import workspace_lake
from tests.usage.object_store import Store, running_store
from tests.usage.rollup_twin import event, place, refresh, stored, twin

pytestmark = pytest.mark.one_database  # about the store; what the database adds is tested with the flush and the rollup

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as running:
        yield running


@pytest.fixture
def remote(store: Store, tmp_path: Path) -> Lake:
    return store.lake(f"of-{tmp_path.name}", tmp_path / "work")


def prefix_of(lake: Lake) -> str:
    return lake.name.split("/", 3)[3]


def send(number: int, at: datetime, user: str = "ann", **fields: Any) -> None:
    defaults: dict[str, Any] = {
        "organization_id": "acme", "is_service": False, "type": "track", "event": "E", "module": "M", "feature": None,
        "role": None, "sent_at": None, "original_ts": None, "properties": None,
    }  # fmt: skip
    one = SpooledEvent(message_id=f"m{number}", user_key=user, ts=microseconds(at), **(defaults | fields))
    spool([(at, "web", 1, pack(Batch([one], [], "")))])


def send_weeks() -> None:
    """Spool some weeks of events: over a month's end, a session over midnight, one without a client at first."""
    for number in range(60):
        at = NOW - (number % 40) * DAY + timedelta(minutes=number * 7)
        send(number, at, f"user{number % 5}", event=f"E{number % 3}")
    send(100, datetime(2026, 5, 31, 23, 50, tzinfo=UTC))
    send(101, datetime(2026, 6, 1, 0, 10, tzinfo=UTC))
    send(102, NOW - 3 * DAY, "late", organization_id="")
    send(103, NOW - 2 * DAY, "late")


def flushed(lake: Lake, at: datetime = NOW) -> flush.Flushed:
    return flush.flush(lake=lake, zone=UTC_ZONE, now=at)


def events_in(lake: Lake) -> pl.DataFrame:
    parts = [path for day in lake.event_dates() for path, _ in lake.parts_of(day)]
    return lake.scan(parts).collect().sort("message_id")


def facts_in_folder(lake: Lake) -> dict[str, bytes]:
    assert isinstance(lake.root, Path)
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in lake.root.rglob("facts.parquet")}


def facts_in_store(store: Store, lake: Lake) -> dict[str, bytes]:
    return {name: content for name, content in store.content(prefix_of(lake)).items() if name.endswith("facts.parquet")}


@pytest.mark.django_db(databases="__all__")
class TestLakeOnAStore:
    def test_has_the_same_facts_byte_for_byte(
        self, store: Store, remote: Lake, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compaction, "MANY", 2)
        monkeypatch.setattr(flush, "BATCHES_PER_PART", 20)
        made = {}
        for one in (lake, remote):
            send_weeks()
            counts = flushed(one)
            send(1, NOW)  # a message that landed before
            again = flushed(one)
            touched = services.roll_up(one, counts.dates, progress=NoProgress())
            made[one.name] = (counts, again.duplicates, touched, events_in(one).rows())
        assert made[lake.name] == made[remote.name]
        assert facts_in_store(store, remote) == facts_in_folder(lake)
        assert len(facts_in_folder(lake)) >= 10

    def test_keeps_nothing_but_locks_and_copies_beside_the_store(self, remote: Lake) -> None:
        send_weeks()
        services.roll_up(remote, flushed(remote).dates, progress=NoProgress())
        assert {path.name for path in remote.folder.iterdir()} <= {".landing.lock", ".rollup.lock", ".spill", "copies"}

    @pytest.mark.parametrize("broken", ["write_part", "add", "assign_earlier_events", "mark_facts", "remember_users"])
    def test_lands_each_message_once_after_a_crash(
        self, remote: Lake, monkeypatch: pytest.MonkeyPatch, broken: str
    ) -> None:
        send_weeks()

        def fail(*_: Any, **__: Any) -> None:
            raise OSError("the store is gone")

        place_of = {
            "write_part": "bellwether.usage.landing.write_part",
            "add": "bellwether.usage.ids.RecentIds.add",
        }.get(broken, f"bellwether.usage.flush.{broken}")
        with monkeypatch.context() as patch:
            patch.setattr(place_of, fail)
            with pytest.raises(OSError, match="the store is gone"):
                flushed(remote)
        assert EventBatch.objects.count() == 64
        flushed(remote)
        assert events_in(remote)["message_id"].sort().to_list() == sorted(
            [f"m{n}" for n in range(60)] + ["m100", "m101", "m102", "m103"]
        )
        assert "" not in events_in(remote)["organization_id"].to_list()

    def test_is_the_workspaces_when_the_settings_say_so(self, store: Store, tmp_path: Path, settings: Any) -> None:
        settings.BELLWETHER_LAKE = store.location(f"set-{tmp_path.name}")
        settings.BELLWETHER_LAKE_OPTIONS = store.options
        settings.BELLWETHER_HOME = tmp_path
        send_weeks()
        flushed(workspace_lake())
        assert services.roll_up_dirty(now=NOW, progress=NoProgress()).events == 64
        assert workspace_lake().is_remote
        assert list(tmp_path.glob("lake-work/*/copies"))
        (finding, _) = doctor._lake(NOW)
        assert (finding.serious, "days of events" in finding.state) == (False, True)

    def test_is_left_without_a_trace_of_who_was_erased(self, store: Store, remote: Lake) -> None:
        for number in range(6):
            send(number, NOW - number * 9 * DAY, ("ann-the-first", "bob")[number % 2], properties='{"a":1}')
        services.roll_up(remote, flushed(remote).dates, progress=NoProgress())
        before = facts.read_client_days(remote, date(2026, 5, 1), date(2026, 7, 31))
        assert erase("ann-the-first", actor=None, now=NOW, lake=remote).counts["events"] == 3
        for files in (store.content(prefix_of(remote)).values(), copied(remote)):
            assert not [body for body in files if b"ann-the-first" in pl.read_parquet(body).write_ndjson().encode()]
        services.roll_up(remote, remote.event_dates(), progress=NoProgress())
        assert facts.read_client_days(remote, date(2026, 5, 1), date(2026, 7, 31)).equals(before)


def copied(lake: Lake) -> list[bytes]:
    return [path.read_bytes() for path in (lake.folder / "copies").rglob("*.parquet")]


class TestReading:
    def test_gives_measures_what_a_folder_gives(self, remote: Lake, lake: Lake) -> None:
        made = [event(NOW - n * 11 * DAY, f"u{n % 3}") for n in range(40)]
        for one in (lake, remote):
            refresh(one, place(one, made))
        measures = settings_from_preset(load_preset("ethico"), working_days=frozenset({1, 2, 3, 4, 5}), zone=UTC_ZONE)
        past = FoldedPast()
        for first in (date(2026, 6, 1), date(2026, 6, 20)):  # the second reading meets what the first one folded
            given = [
                read_facts(one, first, date(2026, 6, 30), measures, past=kept)
                for one, kept in ((lake, FoldedPast()), (remote, past))
            ]
            order = ["organization_id"]
            assert given[0].client_days.equals(given[1].client_days)
            assert given[0].last_seen.sort(order).equals(given[1].last_seen.sort(order))

    def test_sees_what_another_process_replaced(self, store: Store, remote: Lake, tmp_path: Path) -> None:
        other = store.lake(prefix_of(remote), tmp_path / "another-machine")
        days = place(remote, [event("2026-06-01T10:00", "ann")])
        refresh(remote, days)
        assert facts.read_client_days(other, days[0], days[0])["dau"].to_list() == [1]
        place(remote, [event("2026-06-01T10:00", "ann"), event("2026-06-01T11:00", "bob")])
        refresh(remote, days)
        assert facts.read_client_days(other, days[0], days[0])["dau"].to_list() == [2]

    def test_takes_away_the_facts_of_events_that_are_gone(self, store: Store, remote: Lake) -> None:
        days = place(remote, [event("2026-06-01T10:00")])
        refresh(remote, days)
        paths = [path for path, _ in remote.parts_of(days[0])]
        assert remote.remove([*paths, remote.root / "nothing.parquet"]) == 1
        refresh(remote, days)
        assert facts_in_store(store, remote) == {}
        assert stored(remote) == twin([])

    def test_fetches_each_version_of_a_file_once(self, remote: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        days = place(remote, [event("2026-06-01T10:00")])
        (path, _) = remote.parts_of(days[0])[0]
        filesystem, fetched = remote.root.fs, []  # type: ignore[union-attr]
        original = filesystem.cat_file

        def counted(path: str, **options: Any) -> bytes:
            fetched.append(path)
            return bytes(original(path, **options))

        monkeypatch.setattr(filesystem, "cat_file", counted)
        for _ in range(3):
            assert remote.read(path).height == 1
        assert len(fetched) == 1

    def test_holds_a_copy_that_is_read_while_the_original_is_replaced(self, remote: Lake) -> None:
        days = place(remote, [event("2026-06-01T10:00", "ann")])
        (path, _) = remote.parts_of(days[0])[0]
        with remote.opened([path]) as files:
            place(remote, [event("2026-06-01T10:00", "bob")])
            assert pl.read_parquet(files[0])["user_key"].to_list() == ["ann"]
        assert remote.read(path)["user_key"].to_list() == ["bob"]


class TestCopies:
    def test_are_given_up_when_there_are_too_many(self, remote: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        for day in place(remote, [event(f"2026-06-{n:02d}T10:00") for n in range(1, 6)]):
            remote.local([path for path, _ in remote.parts_of(day)])
        copies = Copies(remote.root.fs, remote.root.path, remote.folder / "copies")  # type: ignore[union-attr]
        assert copies.tidy(0) == 0  # they were read a moment ago
        monkeypatch.setattr("bellwether.usage.lake_copies.IN_USE_SECONDS", -1)
        assert copies.tidy(10**9) == 0
        monkeypatch.setattr("bellwether.usage.lake_copies.UNREAD_SECONDS", 1800)
        old = sorted(copies.folder.rglob("*.parquet"))[:2]
        for path in old:
            os.utime(path, (time.time() - 3600,) * 2)
        assert copies.tidy(10**9) == 2  # nobody read them for so long
        assert copies.tidy(0) == 3
        assert remote.read(remote.parts_of(date(2026, 6, 1))[0][0]).height == 1


class TestIndexOfIds:
    def test_is_merged_and_forgotten_as_in_a_folder(self, remote: Lake, store: Store) -> None:
        index = index_of(remote, NOW.date())
        keys = pl.DataFrame({"lo": [1], "hi": [2]}, schema={"lo": pl.UInt64, "hi": pl.UInt64})
        for number in range(MERGE_FROM):
            index.add(keys.with_columns(received_at=pl.lit(NOW)), part=f"p{number}")
        index.tidy()
        assert len(store.content(f"{prefix_of(remote)}/ids")) == 1
        assert index.known(keys, but_part="other").height == 1
        index_of(remote, NOW.date() + 31 * DAY).tidy()
        assert store.content(f"{prefix_of(remote)}/ids") == {}


class TestTryOut:
    def test_is_content_with_a_store_and_leaves_nothing(self, remote: Lake, store: Store) -> None:
        try_out(remote)
        assert store.content(prefix_of(remote)) == {}

    def test_is_content_with_a_folder_and_leaves_nothing(self, lake: Lake) -> None:
        try_out(lake)
        assert isinstance(lake.root, Path)
        assert list(lake.root.iterdir()) == []

    def test_says_that_there_is_no_bucket(self, store: Store, tmp_path: Path) -> None:
        lake = lake_at("s3://no-such-bucket/x", options=store.options, work=tmp_path)
        with pytest.raises(LakeUnusableError, match="no such bucket") as caught:
            try_out(lake)
        assert "Make the bucket" in caught.value.cure

    def test_says_that_the_store_does_not_answer(self, tmp_path: Path) -> None:
        options = {
            "endpoint_url": "http://127.0.0.1:9",
            "key": "an-id",
            "secret": "a-secret",
            "config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1},
        }
        with pytest.raises(LakeUnusableError, match="does not answer"):
            try_out(lake_at("s3://bucket/x", options=options, work=tmp_path))

    def test_of_a_store_that_is_gone_is_one_clear_error_anywhere(self, tmp_path: Path) -> None:
        options = {
            "endpoint_url": "http://127.0.0.1:9",
            "key": "an-id",
            "secret": "a-secret",
            "config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1},
        }
        gone = lake_at("s3://bucket/y", options=options, work=tmp_path)
        path = gone.root / "x.parquet"
        for ask in (
            gone.event_dates,
            lambda: gone.read(path),
            lambda: gone.stamp(path),
            lambda: gone.remove([path]),
            lambda: write_part(pl.DataFrame({"a": [1]}).to_arrow(), path),
        ):
            with pytest.raises(LakeStoreError, match="bellwether doctor") as caught:
                ask()
            assert "a-secret" not in str(caught.value)

    def test_says_that_a_file_is_in_the_way(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(LakeUnusableError, match="leads through a file"):
            try_out(Lake(tmp_path / "file"))
