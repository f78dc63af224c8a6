"""Events on the grid: what counts, features and modules add up. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from bellwether.health.grids import Floats, Grid, Ints, Placed, known, ratio
from bellwether.health.inputs import CountSpec, FeatureSpec, MeasureInputs, MeasureSettings

CELLS_AT_ONCE = 20_000_000


@dataclass(frozen=True)
class _Kind:
    """A kind of event and its events per client and day; `module` (lower case) and so on are "" where nobody asks."""

    event: str
    module: str
    label: str
    is_service: bool
    daily: Ints


class EventSums:
    """Running sums of events by kind. Only what the settings and `modules` (lower case) name is kept."""

    def __init__(
        self, inputs: MeasureInputs, grid: Grid, settings: MeasureSettings, modules: Collection[str] = ()
    ) -> None:
        self._grid = grid
        rows = _of_interest(inputs.event_days, settings, modules)
        self._kinds = _by_kind(grid.place(rows, by="organization_id", day="date"), grid)

    def of_events(self, events: Collection[str], *, labels: Collection[str] = (), people_only: bool = False) -> Ints:
        """Return running sums of `events`, of those with a label in `labels` if any are given."""
        return self._running(
            kind
            for kind in self._kinds
            if kind.event in events and (not labels or kind.label in labels) and not (people_only and kind.is_service)
        )

    def of_module(self, module: str) -> Ints:
        """Return running sums of the events of people in `module` (lower case)."""
        return self._running(kind for kind in self._kinds if kind.module == module and not kind.is_service)

    def _running(self, kinds: Iterable[_Kind]) -> Ints:
        total = np.zeros((self._grid.clients, self._grid.days), dtype=np.int64)
        for kind in kinds:
            total += kind.daily
        return np.cumsum(total, axis=1, out=total)


def _by_kind(placed: Placed, grid: Grid) -> list[_Kind]:
    """Return the events of each kind on the grid, added up in one pass over the rows for many kinds at once."""
    columns = [placed.frame[name].to_physical().cast(pl.Int64).to_numpy() for name in _CODES]
    names = [_categories(placed.frame[name]) for name in _CODES[:-1]]
    sizes = [max(len(categories), 1) for categories in names] + [2]
    codes = np.ravel_multi_index(columns, sizes)
    present = np.flatnonzero(np.bincount(codes, minlength=1))
    rank = np.zeros(int(np.prod(sizes)), dtype=np.int64)
    rank[present] = np.arange(len(present))
    size = grid.clients * grid.days
    cells = rank[codes] * size + placed.row * grid.days + placed.column
    events = placed.frame["events"].to_numpy()
    kinds = []
    step = max(1, CELLS_AT_ONCE // max(size, 1))
    for start in range(0, len(present), step):
        some = present[start : start + step]
        here = slice(None) if len(present) <= step else (cells // size >= start) & (cells // size < start + step)
        summed = np.bincount(cells[here] - start * size, weights=events[here], minlength=len(some) * size)
        tables = summed.astype(np.int64).reshape(len(some), grid.clients, grid.days)
        for code, table in zip(some, tables, strict=True):
            event, module, label, service = np.unravel_index(code, sizes)
            kinds.append(_Kind(names[0][event], names[1][module], names[2][label], bool(service), table))
    return kinds


def _categories(column: pl.Series) -> list[str]:
    return list(column.dtype.categories) if isinstance(column.dtype, pl.Enum) else []


_CODES = ("_event", "_module", "_label", "is_service")


def _of_interest(event_days: pl.DataFrame, settings: MeasureSettings, modules: Collection[str]) -> pl.DataFrame:
    """Return organization_id, date, events, is_service and _event, _module, _label as Enum, "" where nobody asks.

    Rows that nobody asks for are dropped. Enums, because millions of rows are compared far faster as small numbers.
    """
    specs: list[CountSpec | FeatureSpec] = [*settings.counts, *settings.features]
    events = {event for spec in specs for event in spec.events}
    labels = {label for count in settings.counts for label in count.where}
    labels |= {label for feature in settings.features for label in feature.within}
    module_of = {event: m.lower() for event, m in settings.module_of_event.items() if m.lower() in modules}
    written = [name for name in event_days["module"].unique().drop_nulls() if name.lower() in modules]
    own = _folded(_asked(pl.col("module"), written), {name: name.lower() for name in written}, modules)
    given = _folded(_asked(pl.col("event"), module_of), module_of, modules)
    return event_days.select(
        "organization_id",
        "date",
        "events",
        "is_service",
        _asked(pl.col("event"), events).alias("_event"),
        pl.when(pl.col("module").is_null()).then(given).otherwise(own).alias("_module"),
        _asked(pl.col("label"), labels).alias("_label"),
    ).filter((pl.col("_event") != "") | (pl.col("_module") != ""))


def _asked(column: pl.Expr, values: Collection[str]) -> pl.Expr:
    """Return the column as Enum of `values`, "" for every other value and for null."""
    return column.cast(pl.Enum(["", *sorted(set(values) - {""})]), strict=False).fill_null("")


def _folded(column: pl.Expr, into: Mapping[str, str], modules: Collection[str]) -> pl.Expr:
    """Return an Enum column with its values replaced as `into` says, as Enum of `modules`."""
    target = pl.Enum(["", *sorted(set(modules) - {""})])
    return column.replace_strict({"": ""} | dict(into), return_dtype=target)


def count_measures(sums: EventSums, grid: Grid, settings: MeasureSettings, first: Ints) -> dict[str, Floats]:
    """Return the measures that count events, NaN before a client's first event and where the preset has no such count.

    `first` is the day number of each client's first event.
    """
    started = first[:, None] <= grid.wanted
    specs = {spec.name: spec for spec in settings.counts}
    cache: dict[str, Floats] = {}

    def count(name: str) -> Floats:
        if name not in cache:
            cache[name] = _count(specs.get(name), sums, grid)
        return cache[name]

    measures = {
        name: count(name)
        for name in ("cases_created", "cases_closed", "cases_on_time", "assignments_total", "assignments_completed")
    }
    measures["cases_overdue"] = (
        count("cases_overdue")
        if "cases_overdue" in specs
        else np.maximum(count("cases_breached") - count("cases_closed_late"), 0)
    )
    measures["campaigns_active"] = np.maximum(count("campaigns_launched") - count("campaigns_closed"), 0)
    measures["form_completion_rate"] = np.minimum(ratio(count("forms_completed"), count("forms_started")), 1)
    measures["journey_performance"] = np.minimum(ratio(count("journeys_completed"), count("journeys_started")), 1)
    return {name: known(values, started) for name, values in measures.items()}


def _count(spec: CountSpec | None, sums: EventSums, grid: Grid) -> Floats:
    if spec is None:
        return np.full((grid.clients, len(grid.dates)), np.nan)
    running = sums.of_events(spec.events, labels=spec.where)
    return grid.window(running, spec.days).astype(np.float64)
