"""What the demo's sources sent day by day, and what of it could not be used: the history behind the page about data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import polars as pl

from bellwether.demo.behaviour import World
from bellwether.demo.delivery import SERVICE_SOURCE, SOURCE
from bellwether.usage.intake_events import rejected
from bellwether.usage.source_tally import LAG_BOUNDS, LAG_KEYS, Tally

EVENTS_PER_BATCH = 15
REJECT_DAYS = 21
RELEASE_DAYS = 6
"""So many days ago the invented web app got a release whose timestamps cannot be read."""

USUAL_SHARE, RELEASE_SHARE = 0.0006, 0.004


@dataclass(frozen=True)
class Refused:
    """A rejected event: when and by which source it was sent, why it was refused, and the scrubbed sample."""

    received_at: datetime
    source: str
    message_id: str
    reason: str
    sample: dict[str, Any]


def source_days(world: World, messages: pl.DataFrame, *, zone: ZoneInfo) -> dict[tuple[str, date], Tally]:
    """Return what each source sent by day of receipt; `messages` are demo.delivery's, in the order of receipt."""
    rows = messages.select(
        _instants(pl.col("received")).dt.convert_time_zone(str(zone)).dt.date().alias("day"),
        pl.Series(world.users.is_service).gather(messages["user"]).alias("service"),
        pl.col("message").is_first_distinct().alias("new"),
        pl.sum_horizontal(((pl.col("received") - pl.col("ts")) > bound).cast(pl.UInt8) for bound in LAG_BOUNDS).alias(
            "bucket"
        ),
        "received",
    )
    counted = rows.group_by("service", "day", "new", "bucket").agg(pl.len(), pl.col("received").max().alias("last"))
    found: dict[tuple[str, date], Tally] = {}
    for service, day, new, bucket, count, last in counted.sort("service", "day", "new", "bucket").iter_rows():
        one = found.setdefault((SERVICE_SOURCE if service else SOURCE, day), Tally())
        one.received(datetime.fromtimestamp(last, UTC))
        if new:
            one.events += count
            one.lags[LAG_KEYS[bucket]] = count
        else:
            one.duplicates += count
    for one in found.values():
        one.batches = -(-(one.events + one.duplicates) // EVENTS_PER_BATCH)
    return found


def refused_events(world: World, days: dict[tuple[str, date], Tally], *, until: datetime) -> list[Refused]:
    """Return the rejected events of the last three weeks, oldest first, and count them in `days`."""
    rng = world.plan.stream("rejects")
    today = world.plan.today
    found: list[Refused] = []
    for (source, day), one in sorted(days.items()):
        age = (today - day).days
        if not 0 <= age < REJECT_DAYS or one.last_received_at is None:
            continue
        share = RELEASE_SHARE if source == SOURCE and age < RELEASE_DAYS else USUAL_SHARE
        number = int(rng.poisson(share * one.events))
        latest = min(one.last_received_at, until)
        ago = [timedelta(seconds=float(at)) for at in rng.uniform(0, 8 * 3600, number)]
        found += [_refused(rng, source, latest - one_ago, age) for one_ago in ago]
        one.rejected = number
    return sorted(found, key=lambda one: (one.received_at, one.message_id))


def _refused(rng: np.random.Generator, source: str, at: datetime, age: int) -> Refused:
    released = source == SOURCE and age < RELEASE_DAYS and rng.random() < 0.85
    reason, event = BAD_TIMES if released else OTHERS[int(rng.integers(len(OTHERS)))]
    message_id = f"bad-{rng.integers(16**8):08x}"
    made = rejected(msgspec.Raw(msgspec.json.encode({**event, "messageId": message_id})), reason)
    return Refused(at, source, made.message_id, made.reason, made.sample)


def _instants(seconds: pl.Expr) -> pl.Expr:
    return (seconds * 1_000_000).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))


BAD_TIMES: tuple[str, dict[str, Any]] = (
    "timestamp: is not an ISO 8601 time",
    {
        "type": "track",
        "event": "Report Exported",
        "userId": "u",
        "timestamp": "29/02/2026 14.05",
        "properties": {"module": "Analytics", "format": "xlsx"},
    },
)
OTHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "event: missing, a track event needs its name",
        {"type": "track", "userId": "u", "properties": {"module": "Case Management", "step": 2}},
    ),
    ("groupId: missing", {"type": "group", "userId": "u", "traits": {"plan": "enterprise"}}),
    (
        "userId: missing, and neither anonymousId nor an account is given",
        {"type": "track", "event": "Dashboard Viewed", "properties": {"widget": "open cases"}},
    ),
)


def as_rows(found: list[Refused]) -> Iterator[dict[str, Any]]:
    """Yield the columns of each rejected event; `origin` makes it one that is kept once."""
    for number, one in enumerate(found):
        yield {"origin": f"demo:{number}", **{name: getattr(one, name) for name in Refused.__dataclass_fields__}}
