"""The facts in plain Python, the slow and obvious way: what the rollup's expressions are held against."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

from bellwether.common.progress import NoProgress
from bellwether.usage import facts
from bellwether.usage.lake import ACTION_TYPES, EVENT_SCHEMA, Lake, write_part
from bellwether.usage.refresh import Refreshed, refresh_facts

Event = dict[str, Any]
UTC_ZONE = ZoneInfo("UTC")
GAP = timedelta(minutes=30)
DAY = timedelta(days=1)
LABELS = {"Case Closed": "sla_status"}
_ids = iter(range(10**9))


def event(ts: str | datetime, user: str | None = "ann", organization: str = "sturdy", **fields: Any) -> Event:
    """Return a track event at `ts` (UTC) with defaults for the rest."""
    instant = ts if isinstance(ts, datetime) else datetime.fromisoformat(ts).replace(tzinfo=UTC)
    defaults: Event = {
        "message_id": f"m{next(_ids)}",
        "organization_id": organization,
        "user_key": user,
        "is_service": False,
        "type": "track",
        "event": "Case Created",
        "module": "Cases",
        "feature": None,
        "role": None,
        "ts": instant,
        "received_at": instant,
        "sent_at": None,
        "original_ts": instant,
        "source": "web",
        "properties": "{}",
    }
    return defaults | fields


def place(lake: Lake, events: Iterable[Event], *, part: str = "p", zone: ZoneInfo = UTC_ZONE) -> list[date]:
    """Write the events straight into the lake, one part a day, repeats and all; return the days."""
    by_day: dict[date, list[Event]] = defaultdict(list)
    for one in events:
        by_day[one["ts"].astimezone(zone).date()].append(one)
    for day, rows in by_day.items():
        write_part(pa.Table.from_pylist(rows, schema=EVENT_SCHEMA), lake.events_of(day) / f"{part}.parquet")
    return sorted(by_day)


def refresh(lake: Lake, days: Iterable[date], zone: ZoneInfo = UTC_ZONE, **more: Any) -> Refreshed:
    return refresh_facts(lake, days, zone=zone, labels=LABELS, progress=NoProgress(), **more)


@dataclass
class Twin:
    """The facts as lists of rows, keyed as the files are."""

    client_days: dict[tuple[date, str], dict[str, Any]] = field(default_factory=dict)
    event_days: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)
    user_days: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)


def twin(events: Iterable[Event], zone: ZoneInfo = UTC_ZONE) -> Twin:
    """Return the facts of `events`, which may hold repeats."""
    kept = [e | {"day": e["ts"].astimezone(zone).date()} for e in _once(events, zone) if e["organization_id"]]
    facts = Twin()
    _user_days(kept, facts)
    _event_days(kept, facts)
    _client_days(kept, facts, zone)
    return facts


def stored(lake: Lake) -> Twin:
    """Return what lies in the lake in the twin's shape."""
    first, last = date(1990, 1, 1), date(2100, 1, 1)
    client_days = facts.read_client_days(lake, first, last)
    event_days = facts.read_event_days(lake, first, last)
    user_days = facts.read_user_days(lake, first, last)
    return Twin(
        _keyed(client_days, facts.KEYS["client_days"]),
        _keyed(event_days, facts.KEYS["event_days"]),
        _keyed(user_days, facts.KEYS["user_days"]),
    )


def _keyed(frame: pl.DataFrame, key: list[str]) -> dict[Any, dict[str, Any]]:
    rows = {tuple(row[name] for name in key): _without(row, key) for row in frame.to_dicts()}
    assert len(rows) == frame.height, "a key stands twice"
    return rows


def _without(row: dict[str, Any], key: list[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in key}


def _once(events: Iterable[Event], zone: ZoneInfo) -> list[Event]:
    copies: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for one in events:
        copies[one["ts"].astimezone(zone).date(), one["source"], one["message_id"]].append(one)
    order = ["received_at", "sent_at", "ts", *EVENT_SCHEMA.names]
    return [min(group, key=lambda one: [(one[name] is None, one[name]) for name in order]) for group in copies.values()]


def _is_action(one: Event) -> bool:
    return one["type"] in ACTION_TYPES


def _sessions(instants: list[datetime]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for instant in sorted(instants):
        if found and instant - found[-1][1] <= GAP:
            found[-1] = (found[-1][0], instant)
        else:
            found.append((instant, instant))
    return found


def _user_days(events: list[Event], facts: Twin) -> None:
    days: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    of_user: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for one in events:
        if one["user_key"] is not None:
            days[one["day"], one["organization_id"], one["user_key"], one["is_service"]].append(one)
            if _is_action(one) and not one["is_service"]:
                of_user[one["organization_id"], one["user_key"]].append(one)
    started: dict[tuple[Any, ...], list[timedelta]] = defaultdict(list)
    for (organization, user), acts in of_user.items():
        day_of = {act["ts"]: act["day"] for act in acts}
        for begin, end in _sessions([act["ts"] for act in acts]):
            started[day_of[begin], organization, user, False].append(end - begin)
    for key, rows in days.items():
        acts = [row for row in rows if _is_action(row)]
        roles = sorted(
            ((row["ts"], row["role"]) for row in rows if row["role"]), key=lambda r: (-r[0].timestamp(), r[1])
        )
        facts.user_days[key] = {
            "actions": len(acts),
            "sessions": len(started[key]),
            "session_seconds": sum(started[key], timedelta()) // timedelta(seconds=1),
            "role": roles[0][1] if roles else None,
            "modules": len({act["module"] for act in acts if act["module"] is not None}),
            "first_ts": min(row["ts"] for row in rows),
            "last_ts": max(row["ts"] for row in rows),
        }


def _event_days(events: list[Event], facts: Twin) -> None:
    kinds: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for one in filter(_is_action, events):
        label = one.get("label")
        kinds[
            one["day"],
            one["organization_id"],
            one["event"],
            one["module"],
            one["feature"],
            label if one["event"] in LABELS else None,
            one["is_service"],
        ].append(one)
    for key, rows in kinds.items():
        facts.event_days[key] = {
            "events": len(rows),
            "users": len({row["user_key"] for row in rows if row["user_key"] is not None}),
            "first_ts": min(row["ts"] for row in rows),
            "last_ts": max(row["ts"] for row in rows),
        }


def _client_days(events: list[Event], facts: Twin, zone: ZoneInfo) -> None:
    for organization in {one["organization_id"] for one in events}:
        own = [one for one in events if one["organization_id"] == organization]
        people = [one for one in own if not one["is_service"] and one["user_key"] is not None]
        active: dict[date, set[str]] = defaultdict(set)
        for one in filter(_is_action, people):
            active[one["day"]].add(one["user_key"])
        first_seen: dict[str, date] = {}
        for one in people:
            first_seen[one["user_key"]] = min(one["day"], first_seen.get(one["user_key"], one["day"]))
        day, end = min(one["day"] for one in own), max(one["day"] for one in own) + 30 * DAY
        while day <= end:
            windows = [len(set().union(*(active[day - n * DAY] for n in range(w)))) for w in (1, 7, 30)]
            of_day = [one for one in own if one["day"] == day]
            if windows[2] or of_day:
                facts.client_days[day, organization] = _client_day(
                    day, organization, of_day, windows, first_seen, zone, facts
                )
            day += DAY


def _client_day(
    day: date,
    organization: str,
    of_day: list[Event],
    windows: list[int],
    first_seen: dict[str, date],
    zone: ZoneInfo,
    facts: Twin,
) -> dict[str, Any]:
    users = [row for key, row in facts.user_days.items() if key[:2] == (day, organization) and not key[3]]
    known = [one for one in of_day if one["user_key"] is not None and _is_action(one)]
    hours = [0] * 24
    for one in known:
        if not one["is_service"]:
            hours[one["ts"].astimezone(zone).hour] += 1
    return {
        "dau": windows[0],
        "wau": windows[1],
        "mau": windows[2],
        "total_users": sum(seen <= day for seen in first_seen.values()),
        "new_users": sum(seen == day for seen in first_seen.values()),
        "sessions": sum(row["sessions"] for row in users),
        "session_seconds": sum(row["session_seconds"] for row in users),
        "actions": sum(not one["is_service"] for one in known),
        "service_actions": sum(one["is_service"] for one in known),
        "actions_by_hour": hours,
    }
