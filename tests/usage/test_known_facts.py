"""The facts as known on a day are those of a lake into which nothing came after it."""

import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bellwether.common.progress import NoProgress
from bellwether.common.time import end_of
from bellwether.usage.custom_facts import refresh_custom_facts
from bellwether.usage.custom_specs import FactSpec
from bellwether.usage.facts import KEYS, KINDS, read_month, stored_months
from bellwether.usage.kept import EVENTS, keep_from
from bellwether.usage.known_counting import KnownFactsReader
from bellwether.usage.known_facts import KnownFacts, exact_from
from bellwether.usage.lake import Lake
from bellwether.usage.late_events import LateEvents
from tests.usage.rollup_twin import LABELS, Event, event, place, refresh

SPECS = [
    FactSpec(keep="days", types=("track",), attribute="amount"),
    FactSpec(keep="users", types=("track", "page"), events=("Case Closed",)),
    FactSpec(keep="user_values", types=("track",), attribute="amount"),
]
AS_OF = [date(2026, 1, 31), date(2026, 2, 9), date(2026, 3, 1), date(2026, 7, 15)]
COMPARED = ("user_days", "event_days", "client_hours", "client_days", "custom_days", "custom_users")


def filled(folder: Path, events: Iterable[Event], zone: ZoneInfo) -> Lake:
    lake = Lake(folder)
    days = place(lake, events, zone=zone)
    refresh(lake, days, zone)
    refresh_custom_facts(lake, days, SPECS, labels=LABELS, progress=NoProgress())
    return lake


def whole(lake: Lake, kind: str, known: KnownFacts | None = None) -> pl.DataFrame:
    months = stored_months(lake, kind)
    rows = pl.concat([pl.DataFrame(schema=KINDS[kind]), *(read_month(lake, kind, month) for month in months)])
    if known is not None and months:
        rows = known.applied(kind, rows.lazy(), months).collect()
    return rows.sort(KEYS[kind], nulls_last=False)


def check(events: list[Event], zone: ZoneInfo, days: list[date]) -> int:
    """Compare every kind of facts on each of the as-of days; return how many cells were counted anew."""
    cells = 0
    with tempfile.TemporaryDirectory() as folder:
        lake = filled(Path(folder) / "all", events, zone)
        with LateEvents(lake, days, zone=zone, labels=LABELS, specs=SPECS) as late:
            reader = KnownFactsReader(late)
            for day in days:
                known = reader.on(day)
                cells += known.cells.height
                then = [one for one in events if one["received_at"] < end_of(day, zone)]
                other = filled(Path(folder) / str(day), then, zone)
                for kind in COMPARED:
                    expected = whole(other, kind).filter(pl.col("date") <= day)
                    assert_frame_equal(whole(lake, kind, known), expected, check_exact=True)
    return cells


def late(ts: str, received: str, user: str = "ann", organization: str = "sturdy", **more: object) -> Event:
    received_at = datetime.fromisoformat(received).replace(tzinfo=UTC)
    return event(ts, user, organization, received_at=received_at, **more)


class TestKnownFacts:
    def test_an_event_counts_from_the_day_on_which_it_arrived(self) -> None:
        made = [
            event("2026-01-20 09:00"),
            late("2026-01-20 10:00", "2026-02-05 10:00", user="bob"),
            late("2026-01-30 10:00", "2026-03-05 10:00", user="cid"),
        ]
        assert check(made, ZoneInfo("UTC"), AS_OF) == 4  # on 31 January both days, on 9 February and on 1 March one

    def test_a_session_ends_where_the_day_ends(self) -> None:
        made = [event("2026-01-31 23:50"), event("2026-02-01 00:10"), event("2026-02-01 00:30")]
        assert check(made, ZoneInfo("UTC"), AS_OF) == 0

    def test_a_session_through_whole_days_is_cut_where_it_began(self) -> None:
        start = datetime(2026, 1, 29, 22, tzinfo=UTC)
        made = [event(start + timedelta(minutes=25 * n), organization="sturdy") for n in range(200)]
        check(made, ZoneInfo("UTC"), [date(2026, 1, 30), date(2026, 1, 31)])

    def test_the_first_copy_of_a_message_wins(self) -> None:
        made = [
            event("2026-01-20 09:00", message_id="same"),
            late("2026-01-20 11:00", "2026-02-20 09:00", message_id="same"),
            late("2026-01-21 11:00", "2026-02-20 09:00", message_id="twice"),
            late("2026-01-21 12:00", "2026-04-20 09:00", message_id="twice"),
        ]
        check(made, ZoneInfo("UTC"), AS_OF)

    def test_people_ever_seen_are_those_known_then(self) -> None:
        made = [
            event("2025-03-01 09:00", "old"),
            late("2025-03-02 09:00", "2026-02-01 00:00", "ann"),
            event("2025-06-02 09:00", "ann"),
            event("2026-01-31 12:00", "ann"),
            late("2026-01-31 12:00", "2026-01-31 23:59:59", "bob"),
            late("2026-01-31 12:00", "2026-02-01 00:00:00", "cid"),
        ]
        check(made, ZoneInfo("UTC"), AS_OF)

    def test_days_are_those_of_the_workspace(self) -> None:
        # 09:30 UTC of the 31st is 22:45 of Kathmandu's day before midnight only until 18:15 UTC.
        made = [event("2026-01-31 09:30"), late("2026-01-31 09:40", "2026-01-31 18:16")]
        assert check(made, ZoneInfo("Asia/Kathmandu"), AS_OF) == 1
        assert check(made, ZoneInfo("UTC"), AS_OF) == 0

    def test_says_from_when_on_it_is_exact(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path)
        assert exact_from(lake) is None
        keep_from(lake, EVENTS, date(2026, 2, 1))
        assert exact_from(lake) == date(2026, 2, 1)


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    made = draw(st.lists(one_event(), min_size=1, max_size=30))
    copies = draw(st.lists(st.tuples(st.sampled_from(made), st.integers(-40, 40), st.integers(-9, 60)), max_size=5))
    for original, minutes, days in copies:
        moved = original["ts"] + timedelta(minutes=minutes)
        arrived = max(moved, original["received_at"] + timedelta(days=days))
        made.append(original | {"ts": moved, "received_at": arrived})
    return made


@st.composite
def one_event(draw: st.DrawFn) -> Event:
    day = draw(st.sampled_from([*AS_OF, date(2026, 2, 1), date(2025, 7, 1), date(2026, 2, 10)]))
    ts = datetime(day.year, day.month, day.day, 0, tzinfo=UTC) + timedelta(minutes=draw(st.integers(-60, 1500)))
    delay = draw(st.sampled_from([0, 0, 0, 1, 60 * 24, 60 * 24 * 20, 60 * 24 * 300])) + draw(st.integers(0, 100))
    name = draw(st.sampled_from(["Case Closed", "Case Created"]))
    return event(
        ts,
        draw(st.sampled_from(["ann", "bob", "cid", None])),
        draw(st.sampled_from(["sturdy", "sturdy", "fading", ""])),
        received_at=ts + timedelta(minutes=delay),
        is_service=draw(st.sampled_from([False, False, False, True])),
        type=draw(st.sampled_from(["track", "track", "page", "identify"])),
        event=name,
        module=draw(st.sampled_from(["Cases", "Risk", None])),
        role=draw(st.sampled_from([None, None, "admin", "member"])),
        properties=json.dumps(
            {"sla_status": draw(st.sampled_from(["late", "on_track"])), "amount": draw(st.integers(0, 9))}
        ),
        source=draw(st.sampled_from(["web", "server"])),
    )


@pytest.mark.slow
class TestAnyEvents:
    @given(events(), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"]))
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    def test_are_known_as_if_the_later_ones_had_never_come(self, made: list[Event], zone_name: str) -> None:
        check(made, ZoneInfo(zone_name), AS_OF[:3])
