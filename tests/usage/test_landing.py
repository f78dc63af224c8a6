"""The door into the lake: each message once, whatever is repeated, and nothing half done."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pytest

from bellwether.usage import landing
from bellwether.usage.ids import MERGE_FROM, RecentIds, hashed_ids
from bellwether.usage.lake import EVENT_SCHEMA, Lake
from bellwether.usage.landing import Landed, LandingError, index_of, land

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
TODAY = date(2026, 6, 30)


def events(
    *messages: tuple[str, datetime], received_at: datetime = NOON, source: str = "web", **columns: Any
) -> pa.Table:
    rows = [
        {
            "message_id": message_id, "organization_id": "acme", "user_key": "u", "is_service": False, "type": "track",
            "event": "E", "ts": ts, "received_at": received_at, "source": source,
        } | columns
        for message_id, ts in messages
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def bring(table: pa.Table, lake: Lake, part: str, *, today: date = TODAY, **options: Any) -> Landed:
    return land(table, lake=lake, part=part, index=index_of(lake, today), zone=options.pop("zone", UTC_ZONE), **options)


def stored(lake: Lake) -> list[tuple[str, str]]:
    """Return (day, message) of every row of every part."""
    rows = []
    for path in sorted((lake.root / "events").glob("*/*.parquet")):
        ids = pl.read_parquet(path, hive_partitioning=False)["message_id"]
        rows.extend((path.parent.name.removeprefix("date="), message_id) for message_id in ids)
    return sorted(rows)


class TestLand:
    def test_writes_one_part_a_day_and_says_what_is_new(self, lake: Lake):
        done = bring(events(("a", NOON), ("b", NOON - timedelta(days=1))), lake, "p1")
        assert done == Landed(2, 0, [date(2026, 6, 29), TODAY])
        assert stored(lake) == [("2026-06-29", "b"), ("2026-06-30", "a")]

    def test_uses_the_days_of_the_workspace(self, lake: Lake):
        late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
        assert bring(events(("a", late)), lake, "p1", zone=ZoneInfo("Europe/Berlin")).dates == [date(2026, 7, 1)]

    def test_drops_what_landed_under_another_part(self, lake: Lake):
        bring(events(("a", NOON)), lake, "p1")
        assert bring(events(("a", NOON), ("b", NOON)), lake, "p2") == Landed(1, 1, [TODAY])
        assert stored(lake) == [("2026-06-30", "a"), ("2026-06-30", "b")]

    def test_keeps_the_first_even_if_the_retry_falls_on_another_day(self, lake: Lake):
        bring(events(("a", NOON - timedelta(days=3))), lake, "p1", check_lake=False)
        assert bring(events(("a", NOON)), lake, "p2", check_lake=False) == Landed(0, 1, [])
        assert stored(lake) == [("2026-06-27", "a")]

    def test_knows_the_same_id_of_another_source_as_another_message(self, lake: Lake):
        bring(events(("a", NOON)), lake, "p1")
        assert bring(events(("a", NOON), source="mobile"), lake, "p2").new_rows == 1

    def test_keeps_the_earliest_received_of_repetitions_within_one_landing(self, lake: Lake):
        early = events(("a", NOON - timedelta(days=1)), received_at=NOON - timedelta(minutes=1))
        assert bring(pa.concat_tables([events(("a", NOON)), early]), lake, "p1") == Landed(1, 1, [date(2026, 6, 29)])

    def test_replaces_itself_when_done_again(self, lake: Lake):
        table = events(("a", NOON), ("b", NOON - timedelta(days=1)))
        first = bring(table, lake, "p1")
        again = bring(table, lake, "p1")
        assert again == Landed(0, 2, first.dates)
        assert len(stored(lake)) == 2

    def test_finds_old_events_of_a_repeated_import_under_another_name(self, lake: Lake):
        old = events(("a", NOON - timedelta(days=4000)), received_at=NOON - timedelta(days=4000))
        bring(old, lake, "import-1")
        assert bring(old, lake, "import-2") == Landed(0, 1, [])

    def test_does_not_remember_ids_received_more_than_30_days_ago(self, lake: Lake):
        old = events(("a", NOON - timedelta(days=31)), received_at=NOON - timedelta(days=31))
        bring(old, lake, "p1")
        assert bring(old, lake, "p2", check_lake=False).new_rows == 1

    @pytest.mark.parametrize("broken", ["write_part", "add"])
    def test_is_whole_after_a_crash_at_any_step(self, lake: Lake, monkeypatch: pytest.MonkeyPatch, broken: str):
        table = events(*[(f"m{n}", NOON - timedelta(days=n)) for n in range(4)])
        original, calls = landing.write_part, []

        def fail_second(rows: pa.Table, path: Any) -> None:
            calls.append(path)
            if len(calls) > 2:
                raise OSError("no space left")
            original(rows, path)

        def fail(*_: Any, **__: Any) -> None:
            raise OSError("no space left")

        with monkeypatch.context() as patch:
            if broken == "write_part":
                patch.setattr(landing, "write_part", fail_second)
            else:
                patch.setattr(RecentIds, "add", fail)
            with pytest.raises(OSError, match="no space"):
                bring(table, lake, "p1", check_lake=False)
        bring(table, lake, "p1", check_lake=False)
        assert [message for _, message in stored(lake)] == ["m3", "m2", "m1", "m0"]
        assert bring(table, lake, "p2", check_lake=False).new_rows == 0

    def test_of_nothing_writes_nothing(self, lake: Lake):
        assert bring(EVENT_SCHEMA.empty_table(), lake, "p1") == Landed(0, 0, [])
        assert lake.event_dates() == []

    def test_refuses_a_missing_column_by_name(self, lake: Lake):
        with pytest.raises(LandingError, match="lack the columns source"):
            bring(events(("a", NOON)).drop_columns(["source"]), lake, "p1")

    def test_refuses_nulls_where_none_may_be(self, lake: Lake):
        table = events(("a", NOON)).set_column(0, "message_id", pa.array([None], pa.string()))
        with pytest.raises(LandingError, match="nulls in message_id"):
            bring(table, lake, "p1")

    @pytest.mark.parametrize("part", ["", "../x", "a/b", ".hidden"])
    def test_refuses_a_part_that_is_no_file_name(self, lake: Lake, part: str):
        with pytest.raises(LandingError, match="cannot be a file name"):
            bring(events(("a", NOON)), lake, part)


def remembered(index: RecentIds, *message_ids: str, but_part: str = "") -> int:
    return index.known(hashed_ids(["web"] * len(message_ids), message_ids), but_part=but_part).height


def remember(index: RecentIds, part: str, *message_ids: str, at: datetime = NOON) -> None:
    keys = hashed_ids(["web"] * len(message_ids), message_ids)
    index.add(keys.with_columns(received_at=pl.lit(at, dtype=pl.Datetime("us", "UTC"))), part=part)


class TestRecentIds:
    def test_knows_what_another_part_added(self, lake: Lake):
        index = index_of(lake, TODAY)
        remember(index, "p1", "a", "b")
        assert remembered(index, "a", "b", "c") == 2
        assert remembered(index, "a", "b", "c", but_part="p1") == 0

    def test_still_knows_after_files_were_merged(self, lake: Lake):
        index = index_of(lake, TODAY)
        for number in range(MERGE_FROM + 1):
            remember(index, f"p{number}", f"m{number}")
        index.tidy()
        assert len(list(index.root.glob("*/*.parquet"))) == 1
        assert remembered(index, *[f"m{n}" for n in range(MERGE_FROM + 1)]) == MERGE_FROM + 1
        assert remembered(index, "m3", but_part="p3") == 0

    def test_forgets_after_30_days(self, lake: Lake):
        remember(index_of(lake, TODAY), "p1", "a")
        later = index_of(lake, TODAY + timedelta(days=31))
        assert remembered(later, "a") == 0
        later.tidy()
        assert list(later.root.glob("*")) == []

    def test_keeps_for_30_days(self, lake: Lake):
        remember(index_of(lake, TODAY), "p1", "a")
        later = index_of(lake, TODAY + timedelta(days=30))
        later.tidy()
        assert remembered(later, "a") == 1


class TestHashedIds:
    def test_tells_source_and_message_apart_where_they_touch(self):
        both = hashed_ids(["ab", "a"], ["c", "bc"])
        assert both.row(0) != both.row(1)
