"""Events in a table of DuckDB or PostgreSQL give the facts that the same events in the lake give."""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import psycopg
import pytest

from bellwether.common.encryption import decrypt, encrypt
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.progress import NoProgress
from bellwether.staff.models import AuditEvent
from bellwether.usage import services, warehouse
from bellwether.usage.dirty import mark_facts
from bellwether.usage.facts import KINDS, read_month, stored_months
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyDate, PlatformUser, WarehouseDay, WarehouseSource
from bellwether.usage.pseudonyms import pseudonym
from bellwether.usage.warehouse_connection import WarehouseError, shown
from bellwether.usage.warehouse_reading import WarehouseTable
from bellwether.usage.warehouse_sweep import read_sources
from tests.homes import with_database
from tests.usage.rollup_twin import Event, event, place

NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
COLUMNS = {
    "id": "message_id",
    "account": "organization_id",
    "person": "user_id",
    "bot": "is_service",
    "kind": "type",
    "name": "event",
    "area": "module",
    "part": "feature",
    "role": "role",
    "happened": "ts",
    "loaded_at": "received_at",
    "props": "properties",
}
pytestmark = pytest.mark.django_db


class Table:
    """A table `events` with the columns of COLUMNS in some database."""

    def __init__(self, url: str, run: Callable[[str, list[Any]], None]) -> None:
        self.url, self.run = url, run

    def make(self, at: str = "timestamptz", props: str = "json") -> None:
        self.run(
            "CREATE TABLE events (id text, account text, person text, bot boolean, kind text, name text, area text,"
            f" part text, role text, happened {at}, loaded_at timestamptz, props {props})",
            [],
        )

    def add(self, events: list[Event]) -> None:
        values: list[Any] = []
        for one in events:
            values += [one["message_id"], one["organization_id"], one["user_key"], one["is_service"], one["type"]]
            values += [one[name] for name in ("event", "module", "feature", "role", "ts", "received_at", "properties")]
        row = f"({', '.join(['%s'] * len(COLUMNS))})"
        self.run(f"INSERT INTO events VALUES {', '.join([row] * len(events))}", values)


@contextmanager
def duckdb_table(folder: Path) -> Iterator[Table]:
    path = folder / "warehouse.duckdb"

    def run(sql: str, values: list[Any]) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(sql.replace("%s", "?"), values)

    yield Table(f"duckdb://{path}", run)


@contextmanager
def postgresql_table() -> Iterator[Table]:
    server = os.environ["BELLWETHER_DATABASE_URL"]
    name = f"warehouse_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(with_database(server, name), autocommit=True) as connection:
                # The warehouse's own zone must not matter.
                admin.execute(f"ALTER DATABASE {name} SET timezone TO 'America/New_York'")

                def run(sql: str, values: list[Any]) -> None:
                    connection.execute(sql, values)

                yield Table(with_database(server, name), run)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(
    params=[
        pytest.param("duckdb", marks=pytest.mark.one_database),
        pytest.param("postgresql", marks=pytest.mark.postgresql_only),
    ],
    ids=["duckdb", "postgresql"],
)
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Table]:
    with duckdb_table(tmp_path) if request.param == "duckdb" else postgresql_table() as made:
        yield made


@pytest.fixture(autouse=True)
def zone(settings: Any) -> None:
    settings.BELLWETHER_WORKSPACE_ZONE = ZONE


def awkward() -> list[Event]:
    """A month with what is hard: a change of clocks, midnights, repeats, labels, bots, nobody, no client, no module."""
    start = datetime(2026, 3, 20, 21, 0, tzinfo=UTC)
    made = [
        event(
            start + timedelta(minutes=37 * n, microseconds=n * 7919),
            ["ann", "bob", "cid", None, "bot-7"][n % 5],
            ["sturdy", "fading", "sturdy", ""][n % 4 if n % 11 else 3],
            is_service=n % 5 == 4,
            type=["track", "page", "identify", "screen"][n % 7 % 4],
            event=["Case Closed", "Case Created", "Signed In"][n % 3],
            module=["Cases", None, "Risk"][n % 3],
            feature=["close", None][n % 2],
            role=["admin", None, "member"][n % 3] if n % 4 == 0 else None,
            properties=json.dumps({"sla_status": ["on_track", None, 3, True][n % 4], "n": n}),
            source="dwh",
        )
        for n in range(400)
    ]
    late = [event(datetime(2026, 3, 28, 22, 50, tzinfo=UTC) + timedelta(minutes=20 * n), "dan") for n in range(30)]
    copies = [one | {"received_at": one["received_at"] + timedelta(hours=1), "user_key": "zoe"} for one in made[::17]]
    return [one | {"source": "dwh"} for one in made + late + copies]


def known(events: list[Event], key: bytes) -> list[Event]:
    """Return the events as the lake has them: with pseudonyms."""
    return [one | {"user_key": None if one["user_key"] is None else pseudonym(one["user_key"], key)} for one in events]


def add(table: Table, name: str = "dwh", **more: Any) -> WarehouseSource:
    check = warehouse.check_source(table.url, "events", now=NOW, given=list(COLUMNS.items()))
    return warehouse.add_source(name, table.url, "events", check.mapping, actor=None, now=NOW, **more)


def roll_up() -> None:
    services.roll_up_dirty(now=NOW, progress=NoProgress())
    assert not DirtyDate.objects.exists()


def everything(lake: Lake) -> dict[str, dict[str, list[dict[str, Any]]]]:
    return {
        kind: {month: read_month(lake, kind, month).to_dicts() for month in stored_months(lake, kind)} for kind in KINDS
    }


def facts_of_lake(events: list[Event], folder: Path, settings: Any) -> dict[str, Any]:
    """Return what the same events give when they lie in a lake of their own."""
    lake = Lake(folder / "another-lake")
    days = place(lake, known(events, settings.BELLWETHER_PSEUDONYM_KEY), zone=ZONE)
    before = settings.BELLWETHER_LAKE
    settings.BELLWETHER_LAKE = str(lake.root)
    services.roll_up(lake, days, progress=NoProgress())
    settings.BELLWETHER_LAKE = before
    return everything(lake)


class TestFacts:
    def test_are_those_of_the_same_events_in_the_lake(
        self, table: Table, lake: Lake, tmp_path: Path, settings: Any
    ) -> None:
        table.make()
        table.add(awkward())
        add(table)
        done = read_sources(now=NOW)
        assert done.failed == 0
        roll_up()
        found, expected = everything(lake), facts_of_lake(awkward(), tmp_path, settings)
        assert len(found["user_days"]["2026-03"]) > 30
        assert any(row["label"] for row in found["event_days"]["2026-03"])
        assert found == expected

    def test_merge_with_what_lies_in_the_lake(self, table: Table, lake: Lake, tmp_path: Path, settings: Any) -> None:
        events = awkward()
        table.make()
        # Every message on one side only, every user on both, sessions cut in two.
        ids = {one["message_id"] for one in events if int(one["message_id"][1:]) % 2}
        table.add([one for one in events if one["message_id"] in ids])
        here = [one for one in events if one["message_id"] not in ids]
        mark_facts(place(lake, known(here, settings.BELLWETHER_PSEUDONYM_KEY), zone=ZONE), now=NOW)
        add(table)
        read_sources(now=NOW)
        roll_up()
        assert everything(lake) == facts_of_lake(events, tmp_path, settings)

    def test_keep_no_id_of_a_user(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add([event("2026-03-28T10:00", "ann.smith.17@mail.example")])
        add(table)
        read_sources(now=NOW)
        roll_up()
        files = [path.read_bytes() for path in lake.root.rglob("*") if path.is_file()]
        assert len(files) > 5
        assert not any(b"ann.smith" in content for content in files)
        assert PlatformUser.objects.get().organization_id == "sturdy"

    def test_tell_the_users_of_the_product(self, table: Table, lake: Lake, settings: Any) -> None:
        table.make()
        table.add([event("2026-03-28T10:00", "ann", role="admin"), event("2026-03-29T11:00", "ann")])
        table.add([event("2026-03-29T11:00", "deploy-bot")])
        add(table)
        read_sources(now=NOW)
        ann = PlatformUser.objects.get(user_key=pseudonym("ann", settings.BELLWETHER_PSEUDONYM_KEY))
        assert (ann.role, ann.is_service) == ("admin", False)
        assert ann.first_seen_at == datetime(2026, 3, 28, 10, tzinfo=UTC)
        assert ann.last_seen_at == datetime(2026, 3, 29, 11, tzinfo=UTC)
        bot = PlatformUser.objects.get(user_key=pseudonym("deploy-bot", settings.BELLWETHER_PSEUDONYM_KEY))
        assert bot.is_service


class TestChanges:
    def test_an_unchanged_table_is_not_counted_again(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add(awkward())
        add(table)
        first = read_sources(now=NOW)
        roll_up()
        again = read_sources(now=NOW + timedelta(minutes=5))
        assert (first.days > 5, again.days, DirtyDate.objects.count()) == (True, 0, 0)

    def test_late_rows_within_the_lookback_are_found(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add([event("2026-04-09T10:00")])
        add(table)
        read_sources(now=NOW)
        roll_up()
        table.add([event("2026-04-09T15:00", "bob")])
        assert read_sources(now=NOW + timedelta(minutes=5)).days == 1
        roll_up()
        (row,) = [r for r in everything(lake)["client_days"]["2026-04"] if r["date"] == date(2026, 4, 9)]
        assert row["dau"] == 2

    def test_older_late_rows_are_found_on_the_next_day(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add([event("2026-03-09T10:00"), event("2026-04-09T10:00")])
        add(table)
        read_sources(now=NOW)
        table.add([event("2026-03-09T15:00", "bob")])
        assert read_sources(now=NOW + timedelta(hours=1)).days == 0
        assert read_sources(now=NOW + timedelta(days=1)).days == 1

    def test_deleted_rows_take_their_facts_with_them(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add([event("2026-04-08T10:00"), event("2026-04-09T10:00"), event("2026-04-09T11:00", "bob")])
        add(table)
        read_sources(now=NOW)
        roll_up()
        table.run("DELETE FROM events WHERE person = 'bob' OR happened < '2026-04-09 00:00:00+00'", [])
        read_sources(now=NOW + timedelta(minutes=5))
        roll_up()
        assert [row["date"] for row in everything(lake)["user_days"]["2026-04"]] == [date(2026, 4, 9)]
        assert WarehouseDay.objects.count() == 1

    def test_days_that_are_named_are_counted_whether_changed_or_not(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add([event("2026-03-09T10:00"), event("2026-04-09T10:00")])
        add(table)
        read_sources(now=NOW)
        done = read_sources(now=NOW, name="dwh", first=date(2026, 3, 1), last=date(2026, 3, 31))
        assert done.days == 1

    def test_removing_a_source_takes_its_facts_away(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add([event("2026-04-09T10:00")])
        mark_facts(place(lake, [event("2026-04-09T12:00", "own")]), now=NOW)
        add(table)
        read_sources(now=NOW)
        roll_up()
        assert len(everything(lake)["user_days"]["2026-04"]) == 2
        assert warehouse.remove_source("dwh", actor=None, now=NOW) == 1
        roll_up()
        assert [row["user_key"] for row in everything(lake)["user_days"]["2026-04"]] == ["own"]
        assert not WarehouseDay.objects.exists()
        assert not list(lake.root.rglob("tallies/*/*/*.parquet"))


class TestTroubles:
    def test_a_source_that_is_down_keeps_its_facts_and_its_error_and_the_others_go_on(
        self, lake: Lake, tmp_path: Path
    ) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        with duckdb_table(tmp_path / "a") as down, duckdb_table(tmp_path / "b") as up:
            for one, name in ((down, "alpha"), (up, "beta")):
                one.make()
                one.add([event("2026-04-09T10:00", name)])
                add(one, name)
            read_sources(now=NOW)
            roll_up()
            before = everything(lake)
            (tmp_path / "a" / "warehouse.duckdb").rename(tmp_path / "a" / "gone")
            up.add([event("2026-04-09T11:00", "late")])
            done = read_sources(now=NOW + timedelta(minutes=5))
            roll_up()
            assert (done.sources, done.failed, done.days) == (2, 1, 1)
            alpha, beta = WarehouseSource.objects.order_by("name")
            assert "cannot be reached" in alpha.last_error
            assert beta.last_error == ""
            assert len(everything(lake)["user_days"]["2026-04"]) == len(before["user_days"]["2026-04"]) + 1
            (tmp_path / "a" / "gone").rename(tmp_path / "a" / "warehouse.duckdb")
            read_sources(now=NOW + timedelta(minutes=10))
            assert WarehouseSource.objects.get(name="alpha").last_error == ""

    def test_a_column_that_goes_away_is_named(self, table: Table, lake: Lake) -> None:
        table.make()
        table.add([event("2026-04-09T10:00")])
        add(table)
        table.run("ALTER TABLE events RENAME COLUMN account TO customer", [])
        assert read_sources(now=NOW).failed == 1
        assert "organization_id: the table has no column 'account'" in WarehouseSource.objects.get().last_error

    def test_a_reader_that_dies_half_way_leaves_what_was_there(
        self, table: Table, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table.make()
        table.add([event("2026-04-09T10:00")])
        add(table)
        read_sources(now=NOW)
        roll_up()
        before = everything(lake)
        table.add([event("2026-04-09T11:00", "bob")])
        whole = WarehouseTable.tallies

        def torn(*given: Any) -> Iterator[Any]:
            yield next(whole(*given))
            raise WarehouseError("the line went dead")

        monkeypatch.setattr(WarehouseTable, "tallies", torn)
        assert read_sources(now=NOW + timedelta(minutes=5)).failed == 1
        assert not DirtyDate.objects.exists()
        services.roll_up_dates(date(2026, 4, 9), date(2026, 4, 9), now=NOW)
        assert everything(lake) == before
        monkeypatch.undo()
        assert read_sources(now=NOW + timedelta(minutes=10)).days == 1


class TestMapping:
    def test_finds_columns_by_their_names_and_says_what_the_table_holds(self, table: Table) -> None:
        table.run("CREATE TABLE events (account_id text, user_id int, event_name text, occurred_at timestamptz)", [])
        table.run("INSERT INTO events VALUES ('sturdy', 1, 'Signed In', '2026-04-10 09:00:00+00')", [])
        table.run("INSERT INTO events VALUES ('sturdy', 2, 'Signed In', '2026-04-10 10:00:00+00')", [])
        table.run("INSERT INTO events VALUES ('sturdy', 2, 'Signed In', NULL)", [])
        table.run("INSERT INTO events VALUES ('sturdy', 2, 'Signed In', '2027-04-10 10:00:00+00')", [])
        check = warehouse.check_source(table.url, "events", now=NOW)
        assert check.mapping.columns == {
            "organization_id": "account_id",
            "user_id": "user_id",
            "event": "event_name",
            "ts": "occurred_at",
        }
        assert check.days == [(date(2026, 4, 10), 2)]
        assert (check.users, check.clients, check.lag_seconds) == (2, 1, 7200.0)
        assert (check.without_time, check.later) == (1, 1)

    def test_names_every_field_that_cannot_be_used(self, table: Table) -> None:
        table.run("CREATE TABLE events (account_id text, happened text, bot date)", [])
        with pytest.raises(InvalidInputError) as raised:
            warehouse.check_source(
                table.url, "events", now=NOW, given=[("happened", "ts"), ("bot", "is_service")], zone="Berlin"
            )
        assert set(raised.value.errors) == {"ts", "is_service", "zone"}
        assert "needs a timestamp" in raised.value.errors["ts"]

    def test_says_that_there_is_no_such_table(self, table: Table) -> None:
        table.make()
        with pytest.raises(WarehouseError, match="no table 'evnts'"):
            warehouse.check_source(table.url, "evnts", now=NOW)

    def test_reads_times_without_a_zone_in_the_zone_that_is_named(self, table: Table, lake: Lake) -> None:
        table.run("CREATE TABLE events (account text, person text, happened timestamp)", [])
        # Berlin's clocks go from 2 to 3 on 29 March 2026: 01:59 is 00:59 UTC, 03:00 is 01:00 UTC.
        for at in ("2026-03-29 01:59", "2026-03-29 03:00", "2026-07-01 00:30"):
            table.run("INSERT INTO events VALUES ('sturdy', 'ann', %s)", [at])
        now = datetime(2026, 8, 1, tzinfo=UTC)
        given = [("account", "organization_id"), ("person", "user_id"), ("happened", "ts")]
        check = warehouse.check_source(table.url, "events", now=now, given=given, zone="Europe/Berlin")
        warehouse.add_source("dwh", table.url, "events", check.mapping, actor=None, now=now)
        read_sources(now=now)
        services.roll_up_dirty(now=now, progress=NoProgress())
        march, july = (everything(lake)["user_days"][month] for month in ("2026-03", "2026-07"))
        assert march[0]["session_seconds"] == 60
        assert july[0]["date"] == date(2026, 7, 1)
        assert july[0]["first_ts"] == datetime(2026, 6, 30, 22, 30, tzinfo=UTC)

    def test_reads_numbers_since_1970_and_one_value_for_all(self, table: Table, lake: Lake) -> None:
        table.run("CREATE TABLE logs (person int, happened bigint)", [])
        table.run("INSERT INTO logs VALUES (7, 1775728800000)", [])  # 2026-04-09 10:00 UTC
        check = warehouse.check_source(
            table.url,
            "logs",
            now=NOW,
            given=[("person", "user_id"), ("happened", "ts")],
            constants=[("organization_id", "sturdy"), ("module", "Logs")],
            unit="ms",
        )
        warehouse.add_source("logs", table.url, "logs", check.mapping, actor=None, now=NOW)
        read_sources(now=NOW)
        roll_up()
        (row,) = everything(lake)["event_days"]["2026-04"]
        assert (row["organization_id"], row["event"], row["module"]) == ("sturdy", "logs", "Logs")
        assert row["first_ts"] == datetime(2026, 4, 9, 10, tzinfo=UTC)

    def test_takes_a_label_from_a_column_of_its_own(self, table: Table, lake: Lake) -> None:
        table.run("CREATE TABLE events (account_id text, user_id text, event text, ts timestamptz, sla text)", [])
        table.run("INSERT INTO events VALUES ('sturdy', 'ann', 'Case Closed', '2026-04-09 10:00+00', 'late')", [])
        check = warehouse.check_source(table.url, "events", now=NOW, given=[("sla", "properties.sla_status")])
        warehouse.add_source("dwh", table.url, "events", check.mapping, actor=None, now=NOW)
        read_sources(now=NOW)
        roll_up()
        assert everything(lake)["event_days"]["2026-04"][0]["label"] == "late"


class TestKeeping:
    def test_the_password_is_neither_shown_nor_stored_in_clear(self, settings: Any) -> None:
        url = "postgresql://reader:s3cret@warehouse.example:5433/analytics?sslmode=require"
        assert shown(url) == "postgresql://reader@warehouse.example:5433/analytics"
        from bellwether.usage.warehouse_mapping import TableMapping

        mapping = TableMapping(columns={"ts": "happened"}, constants={"organization_id": "x"})
        source = warehouse.add_source("dwh", url, "events", mapping, actor=None, now=NOW)
        source.refresh_from_db()
        assert b"s3cret" not in bytes(source.connection)
        assert decrypt(source.connection) == url
        assert "s3cret" not in json.dumps(AuditEvent.objects.get(action="usage.source.add").detail)

    def test_an_old_key_is_left_behind_by_the_next_read(self, lake: Lake, tmp_path: Path, settings: Any) -> None:
        with duckdb_table(tmp_path) as table:
            table.make()
            settings.BELLWETHER_ENCRYPTION_KEYS = ["o" * 32]
            add(table)
            settings.BELLWETHER_ENCRYPTION_KEYS = ["n" * 32, "o" * 32]
            assert read_sources(now=NOW).failed == 0
            settings.BELLWETHER_ENCRYPTION_KEYS = ["n" * 32]
            assert read_sources(now=NOW).failed == 0

    def test_a_name_is_taken_once_and_must_be_plain(self, lake: Lake, tmp_path: Path) -> None:
        with duckdb_table(tmp_path) as table:
            table.make()
            add(table)
            with pytest.raises(ConflictError, match="already"):
                add(table)
            with pytest.raises(InvalidInputError, match="name"):
                add(table, "data warehouse")

    def test_what_cannot_be_decrypted_says_so(self, lake: Lake, tmp_path: Path, settings: Any) -> None:
        with duckdb_table(tmp_path) as table:
            table.make()
            source = add(table)
            settings.BELLWETHER_ENCRYPTION_KEYS = ["x" * 32]
            source.connection = encrypt(table.url)
            source.save()
            settings.BELLWETHER_ENCRYPTION_KEYS = ["y" * 32]
            assert read_sources(now=NOW).failed == 1
            assert "BELLWETHER_ENCRYPTION_KEYS" in WarehouseSource.objects.get().last_error

    def test_the_connection_cannot_write(self, table: Table) -> None:
        from bellwether.usage.warehouse_connection import connected

        table.make()
        with pytest.raises(WarehouseError, match=r"read.only"), connected(table.url) as connection:
            connection.raw_sql("DELETE FROM events")
