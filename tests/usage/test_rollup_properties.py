"""Whatever events come, in whatever order and parcels: the facts are those of the plain-Python twin."""

import json
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwether.usage.lake import Lake
from tests.usage.rollup_twin import Event, event, place, refresh, stored, twin

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"]
ANCHORS = [
    datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 45, tzinfo=UTC),  # Berlin loses an hour
    datetime(2026, 4, 4, 14, 30, tzinfo=UTC),  # Lord Howe gains half an hour
    datetime(2025, 12, 31, 23, 50, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 40, tzinfo=UTC),  # Berlin gains an hour
]

instants = st.builds(
    lambda anchor, days, minutes, odd: anchor + timedelta(days=days, minutes=minutes, microseconds=odd),
    st.sampled_from(ANCHORS),
    st.sampled_from([0, 0, 0, 1, 6, 7, 29, 30, 40]),
    st.integers(-90, 90),
    st.sampled_from([0, 0, 1, 999_999]),
)


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    made = draw(st.lists(one_event(), min_size=1, max_size=40))
    copies = draw(st.lists(st.tuples(st.sampled_from(made), st.integers(-40, 40), st.integers(0, 3)), max_size=6))
    for original, minutes, delay in copies:
        moved = original["ts"] + timedelta(minutes=minutes)
        made.append(original | {"ts": moved, "received_at": original["received_at"] + timedelta(seconds=delay)})
    return made


@st.composite
def one_event(draw: st.DrawFn) -> Event:
    name, label = draw(st.sampled_from([("Case Closed", "late"), ("Case Closed", None), ("Case Created", "late")]))
    return event(
        draw(instants),
        draw(st.sampled_from(["ann", "bob", "cid", None])),
        draw(st.sampled_from(["sturdy", "sturdy", "fading", ""])),
        is_service=draw(st.sampled_from([False, False, False, True])),
        type=draw(st.sampled_from(["track", "track", "page", "screen", "identify", "group", "alias"])),
        event=name,
        label=label,
        module=draw(st.sampled_from(["Cases", "Risk", None])),
        role=draw(st.sampled_from([None, None, "admin", "member"])),
        properties=json.dumps({"sla_status": label}),
        source=draw(st.sampled_from(["web", "server"])),
    )


def whole(lake: Lake) -> dict[str, bytes]:
    """Return every file of facts in the lake with its bytes."""
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in lake.root.glob("*/month=*/facts.parquet")}


@pytest.mark.slow
class TestFacts:
    @given(events(), st.sampled_from(ZONES))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def test_are_those_of_the_twin(self, made: list[Event], zone_name: str) -> None:
        zone = ZoneInfo(zone_name)
        with tempfile.TemporaryDirectory() as folder:
            lake = Lake(Path(folder))
            refresh(lake, place(lake, made, zone=zone), zone)
            assert stored(lake) == twin(made, zone)

    @given(events(), st.sampled_from(ZONES), st.randoms(use_true_random=False), st.integers(2, 4))
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    def test_are_the_same_to_the_byte_whenever_the_events_come(
        self, made: list[Event], zone_name: str, random: "object", parcels: int
    ) -> None:
        zone = ZoneInfo(zone_name)
        with tempfile.TemporaryDirectory() as folder:
            at_once, bit_by_bit = Lake(Path(folder) / "a"), Lake(Path(folder) / "b")
            refresh(at_once, place(at_once, made, zone=zone), zone)
            shuffled = list(made)
            random.shuffle(shuffled)  # type: ignore[attr-defined]
            for parcel in range(parcels):
                days: list[date] = place(bit_by_bit, shuffled[parcel::parcels], part=f"p{parcel}", zone=zone)
                refresh(bit_by_bit, days, zone)
            assert whole(bit_by_bit) == whole(at_once)
