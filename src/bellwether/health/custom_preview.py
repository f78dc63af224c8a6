"""What a measure would come to, before it is saved: sample clients and the spread over the reader's portfolio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np
import polars as pl
from django.core.cache import BaseCache

from bellwether.health.configs import main_scorecard
from bellwether.health.custom_measures import Definition
from bellwether.health.custom_reading import FoldedMonths, read_custom_facts
from bellwether.health.custom_text import basis, sentence
from bellwether.health.custom_values import DAYS, USERS, CustomFacts, custom_values
from bellwether.health.inputs import MeasureInputs
from bellwether.health.loading import load_inputs, workspace_settings
from bellwether.health.measures import Unit
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.usage.custom_specs import FactSpec
from bellwether.usage.custom_wants import complete_facts
from bellwether.usage.workspace import workspace_labels, workspace_lake

KEPT_SECONDS = 60
MOST_RAW_DAYS = 92
BINS = 8
_PAST = FoldedMonths()


@dataclass(frozen=True)
class Sample:
    """A client with its value; `place` says why it is shown: highest, middle, lowest or no value."""

    client_id: UUID
    name: str
    value: float | None
    place: str


@dataclass(frozen=True)
class Bin:
    """How many clients have a value from `low` up to but without `high`; the last bin holds its upper end too.

    `whole`: all values are whole numbers, and so are the limits.
    """

    low: float
    high: float
    clients: int
    whole: bool = False


@dataclass(frozen=True)
class Preview:
    """The measure on `day` over the clients that the reader sees. Quartiles and bins are of those with a value.

    `note` says where the preview sees less than the measure will; else it is empty.
    """

    sentence: str
    basis: str
    needs_raw: bool
    unit: Unit
    day: date
    clients: int
    with_value: int
    samples: tuple[Sample, ...]
    quartiles: tuple[float, float, float] | None
    bins: tuple[Bin, ...]
    note: str


def preview(definition: Definition, user: StaffUser, *, today: date, now: datetime, cache: BaseCache) -> Preview:
    """Return what `definition` comes to today for the active clients that `user` sees."""
    facts, note = _facts(definition, today, cache)
    values = custom_values({"value": definition}, _inputs(today, now, cache), facts, [today])
    found: dict[str, float | None] = dict(values.select("client_id", "value").iter_rows())
    names = Client.objects.visible_to(user).active().order_by("name", "pk").values_list("pk", "name")
    rows = [(pk, name, found.get(pk.hex)) for pk, name in names]
    known = np.array([value for _, _, value in rows if value is not None], dtype=np.float64)
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]).tolist() if len(known) else (0.0, 0.0, 0.0)
    return Preview(
        sentence=sentence(definition),
        basis=basis(definition),
        needs_raw=definition.needs_raw,
        unit=definition.unit,
        day=today,
        clients=len(rows),
        with_value=len(known),
        samples=tuple(samples(rows)),
        quartiles=(low, middle, high) if len(known) else None,
        bins=tuple(spread(known.tolist())),
        note=note,
    )


def samples(rows: Sequence[tuple[UUID, str, float | None]]) -> list[Sample]:
    """Return up to eight of `rows` (id, name, value): two each of highest, middle, lowest and without a value."""
    ranked = sorted((row for row in rows if row[2] is not None), key=lambda row: (-(row[2] or 0.0), row[1]))
    middle = len(ranked) // 2
    places = {
        "highest": ranked[:2],
        "middle": ranked[max(2, middle - 1) : max(2, middle - 1) + 2] if len(ranked) > 4 else ranked[2:-2],
        "lowest": ranked[max(2, len(ranked) - 2) :],
        "no value": [row for row in rows if row[2] is None][:2],
    }
    shown: list[Sample] = []
    for place, chosen in places.items():
        shown += [
            Sample(pk, name, value, place)
            for pk, name, value in chosen
            if pk not in {sample.client_id for sample in shown}
        ]
    return shown


def spread(values: Sequence[float]) -> list[Bin]:
    """Return how `values` spread over at most BINS bins of equal width; a single one where all are the same."""
    if not values:
        return []
    low, high = min(values), max(values)
    whole = all(value == int(value) for value in values)
    if low == high:
        return [Bin(low, high, len(values), whole)]
    count = min(BINS, int(high - low) + 1) if whole else BINS
    width = (high - low + 1) / count if whole else (high - low) / count
    if whole:
        width = float(np.ceil(width))
    places = np.minimum(((np.array(values) - low) / width).astype(np.int64), count - 1)
    counted = np.bincount(places, minlength=count).tolist()
    bins = [
        Bin(low + place * width, low + (place + 1) * width, clients, whole) for place, clients in enumerate(counted)
    ]
    return [one for one in bins if one.low <= high]


def _inputs(today: date, now: datetime, cache: BaseCache) -> MeasureInputs:
    """Return the clients, their terms and days; at most KEPT_SECONDS old."""
    key = f"measure-preview-inputs:{today}"
    kept: MeasureInputs | None = cache.get(key)
    if kept is None:
        loaded = load_inputs([today], workspace_settings(), now=now, scorecard=main_scorecard()).inputs
        kept = MeasureInputs(clients=loaded.clients, contracts=loaded.contracts, client_days=loaded.client_days)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _facts(definition: Definition, today: date, cache: BaseCache) -> tuple[CustomFacts, str]:
    """Return the facts for the preview, and what is missing in them. Raw events are counted now if they were not yet,
    over the window, but at most MOST_RAW_DAYS days."""
    complete = complete_facts()
    lake = workspace_lake()
    stored = read_custom_facts(lake, [today], [definition], complete=complete, past=_PAST)
    open_parts = [part for part in definition.parts if part.spec is not None and part.spec.digest not in complete]
    if not open_parts:
        return stored, ""
    reaches = [part.window or LONG for part in open_parts]
    days = min(max(reaches), MOST_RAW_DAYS)
    counted: dict[str, pl.DataFrame] = {}
    for part in open_parts:
        if part.spec is not None:
            for kind, frame in _counted(part.spec, today, days, cache).items():
                counted[kind] = pl.concat([counted[kind], frame]) if kind in counted else frame
    ready = frozenset(part.spec.digest for part in open_parts if part.spec is not None)
    # What is stored of an incomplete spec would count twice.
    fresh = CustomFacts(
        counts=stored.counts,
        days=_joined(stored.days, counted["custom_days"], DAYS, complete),
        users=_joined(stored.users, counted["custom_users"], USERS, complete),
        complete=complete | ready,
    )
    short = max(reaches) > MOST_RAW_DAYS
    note = (
        f"The preview looks at the last {days} days of raw events only; saved, it counts all it says." if short else ""
    )
    return fresh, note


LONG = 10**6
"""Days of a window without end."""


def _joined(
    stored: pl.DataFrame, counted: pl.DataFrame, schema: Mapping[str, object], complete: frozenset[str]
) -> pl.DataFrame:
    kept = stored.filter(pl.col("measure").is_in(sorted(complete)))
    return pl.concat([kept, counted.select(list(schema))])


def _counted(spec: FactSpec, today: date, days: int, cache: BaseCache) -> dict[str, pl.DataFrame]:
    key = f"measure-preview-facts:{spec.digest}:{today}:{days}"
    kept: dict[str, pl.DataFrame] | None = cache.get(key)
    if kept is None:
        from bellwether.usage.custom_facts import count_days  # brings what counts into the process, see usage.jobs

        wanted = [today - timedelta(days=n) for n in range(days)]
        kept = count_days(workspace_lake(), wanted, [spec], labels=workspace_labels())
        cache.set(key, kept, KEPT_SECONDS)
    return kept
