"""The values of custom measures for any clients and dates, in one vectorised pass. Pure.

Before a client's first event nothing is known (null). After it counts, people and sums are 0 where nothing happened;
days since and last values are null where it never happened (within the window); a ratio is null where its denominator
is not positive. A measure whose facts are still being counted is null for everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from bellwether.common.frames import check_frame
from bellwether.health.contract_terms import contract_terms
from bellwether.health.custom_measures import Definition
from bellwether.health.grids import NEVER, Floats, Grid, Ints, known, ratio
from bellwether.health.inputs import MeasureInputs, Schema
from bellwether.health.usage_measures import NO_DAY, first_days
from bellwether.usage.custom_specs import SCALE

COUNTS: Schema = {
    "organization_id": pl.String,
    "date": pl.Date,
    "measure": pl.String,  # the digest of what is selected
    "events": pl.Int64,
}
DAYS: Schema = {
    "organization_id": pl.String,
    "date": pl.Date,
    "measure": pl.String,  # the digest of the spec
    "events": pl.Int64,
    "total": pl.Int64,
    "last": pl.Float64,
}
USERS: Schema = {
    "organization_id": pl.String,
    "user_key": pl.String,
    "date": pl.Date,
    "measure": pl.String,
    "value": pl.Int64,
}
SPAN = 2**24
"""More days than any grid has: keeps the days of one client apart from those of the next."""


@dataclass(frozen=True, kw_only=True)
class CustomFacts:
    """What custom measures are made of; columns and dtypes are checked when it is built.

    Rows older than the windows may be folded: `counts` and `days` to one row per client and measure on the last day,
    with sums and the last value; `users` to the last day of each. `complete`: the digests of specs whose facts are all
    there.
    """

    counts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COUNTS))
    days: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DAYS))
    users: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=USERS))
    complete: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, schema in (("counts", COUNTS), ("days", DAYS), ("users", USERS)):
            check_frame(getattr(self, name), schema, name=f"Custom facts {name}")


def custom_values(
    definitions: Mapping[str, Definition], inputs: MeasureInputs, facts: CustomFacts, dates: Sequence[date]
) -> pl.DataFrame:
    """Return client_id, date and one Float64 column per slug of `definitions`, in the order of `measuring.measure`."""
    grid = Grid(inputs.clients, dates)
    making = _Making(inputs, facts, grid)
    columns = [
        pl.Series(slug, np.ascontiguousarray(making.values(definition)).ravel(), pl.Float64).fill_nan(None)
        for slug, definition in definitions.items()
    ]
    days = pl.Series("date", grid.dates, pl.Date)
    keys = pl.DataFrame(
        {
            "client_id": grid.client_ids.gather(np.repeat(np.arange(grid.clients), len(grid.dates))),
            "date": days.gather(np.tile(np.arange(len(grid.dates)), grid.clients)),
        }
    )
    return keys.with_columns(columns)


def selection(definition: Definition) -> pl.Expr:
    """Return which rows of event_days a count or days since is about."""
    found = pl.lit(True)
    if definition.events:
        found &= pl.col("event").is_in(list(definition.events))
    if definition.people_only:
        found &= ~pl.col("is_service")
    for name in ("module", "feature"):
        value = getattr(definition, name)
        if value:
            found &= (pl.col(name).str.to_lowercase() == value.lower()).fill_null(False)
    if definition.label:
        found &= (pl.col("label") == definition.label).fill_null(False)
    return found


class _Making:
    """One pass: what several measures ask for is placed on the grid once."""

    def __init__(self, inputs: MeasureInputs, facts: CustomFacts, grid: Grid) -> None:
        self._inputs, self._facts, self._grid = inputs, facts, grid
        self._first = first_days(inputs, grid)[:, None]

    def values(self, definition: Definition) -> Floats:
        """Return (clients, dates), NaN where there is no value."""
        if definition.of is not None:
            return ratio(self._part(definition.of), self._size(definition.per))
        return self._part(definition)

    def _part(self, definition: Definition) -> Floats:
        spec = definition.spec
        if spec is not None and spec.digest not in self._facts.complete:
            return self._nothing()
        if definition.kind == "users" or (spec is not None and spec.keep == "user_values"):
            values = self._people(definition)
        elif definition.kind == "count":
            values = self._count(definition)
        elif definition.kind == "days_since":
            values = self._days_since(definition)
        elif definition.kind == "sum":
            values = self._sum(definition)
        else:
            values = self._last(definition)
        return known(values, self._first <= self._grid.wanted)

    def _size(self, per: object) -> Floats:
        if isinstance(per, Definition):
            return self._part(per)
        if per == "seats":
            return contract_terms(self._inputs, self._grid).seats()
        placed = self._grid.place(self._inputs.client_days, by="organization_id", day="date")
        mau = self._grid.on_day(placed, placed.frame["mau"].to_numpy())
        return known(mau, self._first <= self._grid.wanted)

    def _nothing(self) -> Floats:
        return np.full((self._grid.clients, len(self._grid.dates)), np.nan)

    def _rows(self, definition: Definition) -> pl.DataFrame:
        """Return the days of a count or days since, with `events`."""
        spec = definition.spec
        if spec is None:
            return self._facts.counts.filter(pl.col("measure") == definition.digest)
        return self._facts.days.filter(pl.col("measure") == spec.digest)

    def _count(self, definition: Definition) -> Floats:
        rows = self._rows(definition)
        return self._summed(rows, "events", definition.window).astype(np.float64)

    def _sum(self, definition: Definition) -> Floats:
        return self._summed(self._rows(definition), "total", definition.window) / SCALE

    def _summed(self, rows: pl.DataFrame, column: str, window: int | None) -> Ints:
        """Return the sums of whole numbers over the window: exact, whatever the dates and the order of the rows."""
        placed = self._grid.place(rows, by="organization_id", day="date")
        table = np.zeros((self._grid.clients, self._grid.days), dtype=np.int64)
        np.add.at(table, (placed.row, placed.column), placed.frame[column].fill_null(0).to_numpy())
        return self._grid.window(np.cumsum(table, axis=1), window)

    def _days_since(self, definition: Definition) -> Floats:
        placed = self._grid.place(self._rows(definition).filter(pl.col("events") > 0), by="organization_id", day="date")
        last = self._grid.last_of(placed, placed.day)
        return known(self._grid.wanted - last, last > NEVER)

    def _last(self, definition: Definition) -> Floats:
        rows = self._rows(definition).filter(pl.col("last").is_not_null())
        placed = self._grid.place(rows, by="organization_id", day="date")
        if not len(placed.row):
            return self._nothing()
        positions = placed.row * SPAN + placed.day
        order = np.argsort(positions, kind="stable")
        positions, values = positions[order], placed.frame["last"].to_numpy()[order]
        wanted = np.arange(self._grid.clients)[:, None] * SPAN + self._grid.wanted
        found = np.searchsorted(positions, wanted, side="right") - 1
        at = positions[np.maximum(found, 0)]
        fits = (found >= 0) & (at // SPAN == wanted // SPAN)
        if definition.window is not None:
            fits &= wanted - at < definition.window
        return known(values[np.maximum(found, 0)], fits)

    def _people(self, definition: Definition) -> Floats:
        """Return distinct people, or the sum of each person's last value: a day counts until that person's next one."""
        spec = definition.spec
        person = ["organization_id", "user_key"]
        rows = (
            self._facts.users.filter(pl.col("measure") == (spec.digest if spec else ""))
            .sort(*person, "date")
            .with_columns(pl.col("date").shift(-1).over(person).alias("next"))
        )
        placed = self._grid.place(rows, by="organization_id", day="date")
        until = placed.frame["next"].cast(pl.Int32).cast(pl.Int64).fill_null(NO_DAY).to_numpy()
        if definition.window is not None:
            until = np.minimum(until, placed.day + definition.window)
        if definition.kind == "users":
            return self._grid.cover(placed.row, placed.day, until).astype(np.float64)
        values = placed.frame["value"].fill_null(0).to_numpy()
        return self._grid.cover(placed.row, placed.day, until, values) / SCALE
