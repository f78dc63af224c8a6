"""Events on the grid: what counts, features and modules add up. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from bellwether.health.grids import Floats, Grid, Ints, known, ratio
from bellwether.health.inputs import CountSpec, FeatureSpec, MeasureInputs, MeasureSettings


@dataclass(frozen=True)
class _Kind:
    """The rows of one kind of event: where they lie on the grid and how many events each stands for.

    `event`, `module` (lower case) and `label` are "" where nobody asks for them.
    """

    event: str
    module: str
    label: str
    is_service: bool
    cells: Ints
    events: Ints


class EventSums:
    """Running sums of events by kind. Only what the settings and `modules` (lower case) name is kept."""

    def __init__(
        self, inputs: MeasureInputs, grid: Grid, settings: MeasureSettings, modules: Collection[str] = ()
    ) -> None:
        self._grid = grid
        rows = _of_interest(inputs.event_days, settings, modules)
        placed = grid.place(rows, by="organization_id", day="date")
        cells = pl.Series("cell", placed.row * grid.days + placed.column)
        kinds = placed.frame.select(*_CODES, "events").with_columns(cells)
        self._kinds = [
            _Kind(
                str(event), str(module), str(label), bool(service), part["cell"].to_numpy(), part["events"].to_numpy()
            )
            for (event, module, label, service), part in kinds.partition_by(
                _CODES, as_dict=True, include_key=False
            ).items()
        ]

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
        size = self._grid.clients * self._grid.days
        total = np.zeros(size, dtype=np.float64)
        for kind in kinds:
            total += np.bincount(kind.cells, weights=kind.events, minlength=size)
        table = total.astype(np.int64).reshape(self._grid.clients, self._grid.days)
        return np.cumsum(table, axis=1, out=table)


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
