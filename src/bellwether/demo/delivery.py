"""How events reach the product: with message ids, clocks, repetitions and delays, as tables of the lake's schema."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pyarrow as pa

from bellwether.demo.behaviour import IDENTIFY, World
from bellwether.usage.lake import EVENT_SCHEMA

SOURCE, SERVICE_SOURCE = "web-app", "integrations"
DUPLICATE_SHARE = 0.004
LATE_SHARE = 0.008
SKEWED_SHARE = 0.02


def deliver(world: World, events: pl.DataFrame, *, until: datetime) -> pl.DataFrame:
    """Return the messages of `events` received up to `until`, in the order of receipt, as Unix seconds.

    Most arrive within seconds, some a few days late, and some twice with the same message id.
    """
    rng = world.plan.stream("delivery")
    count = events.height
    delay = rng.uniform(0.2, 20.0, count)
    late = rng.random(count) < LATE_SHARE
    delay[late] = rng.uniform(0.3, 5.0, int(late.sum())) * 86_400
    skew = np.where(rng.random(count) < SKEWED_SHARE, rng.normal(0, 240, count), 0.0)
    sent = events.with_row_index("message").with_columns(received=pl.col("ts") + delay, skew=skew)
    again = sent.filter(pl.Series(rng.random(count) < DUPLICATE_SHARE))
    soon = rng.random(again.height) < 0.6
    wait = np.where(soon, rng.uniform(1, 90, again.height), rng.uniform(1, 12, again.height) * 3600)
    repeated = again.with_columns(received=pl.col("received") + wait)
    return pl.concat([sent, repeated]).filter(pl.col("received") <= until.timestamp()).sort("received", "message")


def tables(world: World, messages: pl.DataFrame, user_keys: list[str]) -> Iterator[tuple[str, pa.Table]]:
    """Yield a name and a table of EVENT_SCHEMA for each month of receipt; `user_keys` are the users' pseudonyms."""
    lookup = _Lookup(world, user_keys)
    month = pl.from_epoch((pl.col("received") * 1_000_000).cast(pl.Int64), time_unit="us").dt.strftime("%Y-%m")
    for (name,), part in messages.with_columns(month=month).partition_by("month", as_dict=True).items():
        yield f"demo-{name}", lookup.table(part)


class _Lookup:
    """Texts by position, so that a table is made by gathering and no text is built per event."""

    def __init__(self, world: World, user_keys: list[str]) -> None:
        kinds, companies = world.catalogue.kinds, world.companies
        identify = len(kinds)
        self.prefix = f"bw{world.plan.seed}-"
        self.organization = pl.Series([c.organization_id for c in companies])
        self.user_key = pl.Series(user_keys)
        self.role = pl.Series(world.users.role)
        self.is_service = pl.Series(world.users.is_service)
        self.type = pl.Series([*(k.type for k in kinds), "identify"])
        self.event = pl.Series([*(k.name for k in kinds), "identify"])
        self.module = pl.Series([*(k.module for k in kinds), None], dtype=pl.String)
        self.feature = pl.Series([*(k.feature for k in kinds), None], dtype=pl.String)
        self.identify = identify
        texts: list[str | None] = []
        self.offset: list[int] = []
        for number in range(len(kinds)):
            self.offset.append(len(texts))
            values = world.catalogue.properties(number)
            name = world.catalogue.labels.get(kinds[number].name, "")
            texts += [_properties(kinds[number].module, kinds[number].feature, name, value) for value in values]
        self.offset.append(len(texts))
        self.properties = pl.Series([*texts, None], dtype=pl.String)

    def table(self, part: pl.DataFrame) -> pa.Table:
        """Return the messages of `part` as a table of EVENT_SCHEMA."""
        kind = part["kind"].cast(pl.Int64).replace(IDENTIFY, self.identify)
        is_identify = kind == self.identify
        text = pl.Series(np.array(self.offset)[kind.to_numpy()] + part["label"].cast(pl.Int64).clip(0).to_numpy())
        user = part["user"]
        is_service = self.is_service.gather(user)
        original = part["ts"] + part["skew"]
        frame = pl.DataFrame(
            {
                "message_id": part.select(pl.concat_str(pl.lit(self.prefix), "message")).to_series(),
                "organization_id": self.organization.gather(part["client"]),
                "user_key": self.user_key.gather(user),
                "is_service": is_service,
                "type": self.type.gather(kind),
                "event": self.event.gather(kind),
                "module": self.module.gather(kind),
                "feature": self.feature.gather(kind),
                "role": self.role.gather(user)
                .to_frame("r")
                .select(pl.when(is_identify).then(pl.col("r")).otherwise(None))
                .to_series(),
                "ts": _instants(part["ts"]),
                "received_at": _instants(part["received"]),
                "sent_at": _instants(part["received"] + part["skew"]),
                "original_ts": _instants(original),
                "source": pl.Series([SOURCE, SERVICE_SOURCE]).gather(is_service.cast(pl.Int64)),
                "properties": self.properties.gather(text),
            }
        )
        return frame.to_arrow().cast(EVENT_SCHEMA)


def _properties(module: str | None, feature: str | None, label: str, value: str | None) -> str | None:
    fields = {"module": module, "feature": feature, label: value}
    given = {key: text for key, text in fields.items() if key and text}
    return json.dumps(given, separators=(",", ":")) if given else None


def _instants(seconds: pl.Series) -> pl.Series:
    return (seconds * 1_000_000).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))


def seen_between(messages: pl.DataFrame) -> dict[int, tuple[datetime, datetime]]:
    """Return when each user was seen first and last (UTC), by position."""
    seen = messages.group_by("user").agg(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
    return {user: (datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC)) for user, a, b in seen.iter_rows()}
