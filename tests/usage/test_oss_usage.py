"""Real activity of 57 organisations: imported by the command, counted a second time by hand.

Four of the eighteen years by default; all of them with TEST_WHOLE_HISTORY=1, which takes some minutes. The second count
reads the original file with PyArrow and counts with Python's sets; it shares nothing with the pipeline
but the rules: a time after its receipt is moved to the receipt, bots are no people, a day is a day of UTC.
"""

import os
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from bellwether.usage import facts
from bellwether.usage.commands import register
from bellwether.usage.lake import Lake

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TEST_DATA", PROJECT.parent / "shared" / "data"))
FILE = DATA / "oss-usage" / "events.parquet"
WHOLE = bool(os.environ.get("TEST_WHOLE_HISTORY"))
YEARS = (2000, 2100) if WHOLE else (2017, 2020)
ALWAYS = date(2000, 1, 1), date(2100, 1, 1)
DAY = timedelta(days=1)
GAP = timedelta(minutes=30)
MAPS = ("client_id=organization_id", "event_id=message_id", "is_bot=is_service")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_database,  # the import and the count are the same; only the marks lie in the database
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.skipif(not FILE.exists(), reason=f"{FILE} is not there; TEST_DATA names its folder's parent"),
]


@dataclass
class SecondCount:
    people: dict[str, dict[date, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    instants: dict[tuple[str, str], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    actions: Counter[tuple[str, date]] = field(default_factory=Counter)
    bot_actions: Counter[tuple[str, date]] = field(default_factory=Counter)
    hours: Counter[tuple[str, date, int]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, date, str, str, str, bool]] = field(default_factory=Counter)
    users_of_kind: dict[tuple[str, date, str, str, str, bool], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The events that were received in YEARS, in a file of their own."""
    table = pq.read_table(FILE)
    received = pc.year(table["received_at"])
    first, last = YEARS
    path = tmp_path_factory.mktemp("events") / "events.parquet"
    pq.write_table(table.filter(pc.and_(pc.greater_equal(received, first), pc.less_equal(received, last))), path)
    return path


def count_again(file: Path) -> SecondCount:
    columns = ["client_id", "user_id", "ts", "received_at", "event", "module", "feature", "is_bot"]
    table = pq.read_table(file, columns=columns).to_pydict()
    counted = SecondCount()
    for client, user, sent, received, event, module, feature, is_bot in zip(*table.values(), strict=True):
        instant = min(sent, received)
        day = instant.date()
        kind = (client, day, event, module, feature, is_bot)
        counted.kinds[kind] += 1
        counted.users_of_kind[kind].add(user)
        if is_bot:
            counted.bot_actions[client, day] += 1
        else:
            counted.people[client][day].add(user)
            counted.instants[client, user].append(instant)
            counted.actions[client, day] += 1
            counted.hours[client, day, instant.hour] += 1
    return counted


def windows(active: dict[date, set[str]], length: int) -> Iterator[tuple[date, int]]:
    """Yield the number of distinct users of the `length` days ending on each day, while there are any."""
    held: dict[str, int] = {}
    days: deque[set[str]] = deque()
    day = min(active)
    while day <= max(active) + 29 * DAY:
        days.append(active.get(day, set()))
        for user in days[-1]:
            held[user] = held.get(user, 0) + 1
        for user in days.popleft() if len(days) > length else ():
            held[user] -= 1
            if not held[user]:
                del held[user]
        yield day, len(held)
        day += DAY


def sessions(counted: SecondCount) -> dict[tuple[str, date], tuple[int, int]]:
    """Return how many sessions of a client start on a day and how many whole seconds each user's last, summed."""
    number: Counter[tuple[str, date]] = Counter()
    of_user: Counter[tuple[str, str, date]] = Counter()
    for (client, user), instants in counted.instants.items():
        begin = before = None
        for instant in sorted(instants):
            if before is None or instant - before > GAP:
                begin = instant
                number[client, begin.date()] += 1
            elif begin is not None:
                of_user[client, user, begin.date()] += (instant - before) // timedelta(microseconds=1)
            before = instant
    seconds: Counter[tuple[str, date]] = Counter()
    for (client, _, day), microseconds in of_user.items():
        seconds[client, day] += microseconds // 1_000_000
    return {key: (count, seconds[key]) for key, count in number.items()}


@pytest.fixture(scope="module")
def counted(file: Path) -> SecondCount:
    return count_again(file)


@pytest.fixture(scope="module")
def imported(  # type: ignore[no-untyped-def]
    file: Path, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker
) -> Iterator[Lake]:
    """The lake after `bellwether import events`; the rows that it left in the database are taken back."""
    from django.conf import settings
    from django.db import transaction

    before, root = settings.BELLWETHER_LAKE, tmp_path_factory.mktemp("oss") / "lake"
    app = typer.Typer()
    register(app)
    with django_db_blocker.unblock():
        settings.BELLWETHER_LAKE = str(root)
        with transaction.atomic():
            maps = [word for each in MAPS for word in ("--map", each)]
            done = CliRunner().invoke(app, ["import", "events", str(file), *maps], catch_exceptions=False)
            rows = pq.read_metadata(file).num_rows
            assert rows > 50_000
            assert done.output.splitlines()[-1] == f"read {rows}, created {rows}, updated 0, unchanged 0, rejected 0"
            yield Lake(root)
            transaction.set_rollback(True)
        settings.BELLWETHER_LAKE = before


class TestClientDays:
    def test_agree_with_the_second_count_on_every_client_and_day(self, imported: Lake, counted: SecondCount) -> None:
        expected: dict[tuple[str, date], dict[str, int]] = defaultdict(dict)
        first_days: dict[str, list[date]] = {}
        for client, active in counted.people.items():
            first_seen: dict[str, date] = {}
            for day in sorted(active):
                for user in active[day]:
                    first_seen.setdefault(user, day)
            first_days[client] = sorted(first_seen.values())
            for name, length in (("dau", 1), ("wau", 7), ("mau", 30)):
                for day, users in windows(active, length):
                    expected[client, day][name] = users
        of_sessions = sessions(counted)
        for client, day in {*counted.bot_actions, *expected}:
            row = {"dau": 0, "wau": 0, "mau": 0} | expected[client, day]
            row["total_users"] = bisect_right(first_days[client], day)
            row["new_users"] = row["total_users"] - bisect_left(first_days[client], day)
            row["actions"] = counted.actions[client, day]
            row["service_actions"] = counted.bot_actions[client, day]
            row["sessions"], row["session_seconds"] = of_sessions.get((client, day), (0, 0))
            expected[client, day] = row
        rows = {key: row for key, row in expected.items() if row["mau"] or row["actions"] or row["service_actions"]}
        frame = facts.read_client_days(imported, *ALWAYS).drop("actions_by_hour")
        assert frame["organization_id"].n_unique() == len({client for client, _ in rows}) >= 40
        assert frame.height == len(rows) > 40_000
        for stored in frame.iter_rows(named=True):
            key = (stored.pop("organization_id"), stored.pop("date"))
            assert stored == rows[key], key

    def test_agree_on_the_hours(self, imported: Lake, counted: SecondCount) -> None:
        frame = facts.read_client_days(imported, *ALWAYS).select("organization_id", "date", "actions_by_hour")
        stored = {
            (client, day, hour): actions
            for client, day, hours in frame.iter_rows()
            for hour, actions in enumerate(hours)
            if actions
        }
        assert stored == dict(counted.hours)


class TestEventDays:
    def test_agree_with_the_second_count_on_every_kind_of_event(self, imported: Lake, counted: SecondCount) -> None:
        frame = facts.read_event_days(imported, *ALWAYS)
        key = ["organization_id", "date", "event", "module", "feature", "is_service"]
        assert frame["label"].null_count() == frame.height
        assert {tuple(row[:6]): row[6] for row in frame.select(*key, "events").iter_rows()} == dict(counted.kinds)
        users = {kind: len(names) for kind, names in counted.users_of_kind.items()}
        assert {tuple(row[:6]): row[6] for row in frame.select(*key, "users").iter_rows()} == users
        assert frame["events"].sum() == sum(counted.kinds.values())
