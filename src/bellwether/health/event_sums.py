"""Events on the grid: what counts, features and modules add up. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl

from bellwether.health.grids import Bools, Floats, Grid, Ints, known, ratio
from bellwether.health.inputs import CountSpec, FeatureSpec, MeasureInputs, MeasureSettings
from bellwether.usage.event_match import COLUMNS, EventMatch

CELLS_AT_ONCE = 20_000_000


@dataclass(frozen=True)
class _Kind:
    """A kind of event and its events per client and day; `module` (lower case) and so on are "" where nobody asks.

    `matches` are those of the catalogue that the events fit.
    """

    event: str
    module: str
    label: str
    is_service: bool
    matches: frozenset[EventMatch]
    daily: Ints


@dataclass(frozen=True)
class _Names:
    """What is asked for, by code: code 0 is "", which stands for everything else."""

    events: list[str]
    modules: list[str]  # lower case
    labels: list[str]
    matches: list[frozenset[EventMatch]]


class EventSums:
    """Running sums of events by kind. Only what the settings and `modules` (lower case) name is kept."""

    def __init__(
        self, inputs: MeasureInputs, grid: Grid, settings: MeasureSettings, modules: Collection[str] = ()
    ) -> None:
        self._grid = grid
        rows, names = _of_interest(inputs.event_days, settings, modules)
        self._kinds = _by_kind(rows, names, grid)

    def of_events(
        self,
        events: Collection[str],
        *,
        matches: frozenset[EventMatch] = frozenset(),
        labels: Collection[str] = (),
        people_only: bool = False,
    ) -> Ints:
        """Return running sums of `events` and of what fits `matches`, of those with a label in `labels` if any."""
        return self._running(
            kind
            for kind in self._kinds
            if (kind.event in events or kind.matches & matches)
            and (not labels or kind.label in labels)
            and not (people_only and kind.is_service)
        )

    def of_module(self, module: str) -> Ints:
        """Return running sums of the events of people in `module` (lower case)."""
        return self._running(kind for kind in self._kinds if kind.module == module and not kind.is_service)

    def _running(self, kinds: Iterable[_Kind]) -> Ints:
        total = np.zeros((self._grid.clients, self._grid.days), dtype=np.int64)
        for kind in kinds:
            total += kind.daily
        return np.cumsum(total, axis=1, out=total)


def _by_kind(rows: pl.DataFrame, names: _Names, grid: Grid) -> list[_Kind]:
    """Return the events of each kind on the grid, added up in one pass over the rows for many kinds at once."""
    placed = grid.place(rows, by="organization_id", day="date")
    sizes = (len(names.events), len(names.modules), len(names.labels), 2, len(names.matches))
    codes = placed.frame["_kind"].to_numpy()
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
            event, module, label, service, fit = np.unravel_index(code, sizes)
            kinds.append(
                _Kind(
                    names.events[event],
                    names.modules[module],
                    names.labels[label],
                    bool(service),
                    names.matches[fit],
                    table,
                )
            )
    return kinds


def _of_interest(
    event_days: pl.DataFrame, settings: MeasureSettings, modules: Collection[str]
) -> tuple[pl.DataFrame, _Names]:
    """Return organization_id, date, events and _kind of the rows that somebody asks for, and the names behind _kind.

    _kind is the code of event, module, label, is_service and matches together (C order over _Names). Every text is
    looked up once: there are millions of rows, and numbers are compared far faster than texts.
    """
    specs: list[CountSpec | FeatureSpec] = [*settings.counts, *settings.features]
    events = {event for spec in specs for event in spec.events}
    labels = {label for count in settings.counts for label in count.where}
    labels |= {label for feature in settings.features for label in feature.within}
    module_of = {event: m.lower() for event, m in settings.module_of_event.items() if m.lower() in modules}
    written = {name: name.lower() for name in event_days["module"].unique().drop_nulls() if name.lower() in modules}
    fits = fitting(event_days, {match for feature in settings.features for match in feature.matches})
    names = _Names(_named(events), _named(modules), _named(labels), fits.sets)
    seen_events, seen_modules = _named(events | set(module_of)), _named(written)
    nameless = len(seen_modules)  # the code of events that carry no module
    module = pl.when(pl.col("module").is_null()).then(nameless).otherwise(_code("module", seen_modules))
    sizes = (len(seen_events), len(seen_modules) + 1, len(names.labels), 2)
    parts = (_code("event", seen_events), module, _code("label", names.labels), pl.col("is_service").fill_null(False))
    seen = reduce(
        lambda code, part: code * part[1] + part[0].cast(pl.UInt32), zip(parts[1:], sizes[1:], strict=True), parts[0]
    )
    own = _lookup(written, seen_modules, names.modules)
    kind, asked = _kind_by_code(sizes, seen_events, own, module_of, names)
    rows = event_days.select("organization_id", "date", "events", seen.alias("_kind"))
    codes = rows["_kind"].to_numpy()
    kinds, wanted = kind[codes], asked[codes]
    if len(fits.sets) > 1:
        kinds, wanted = kinds * len(fits.sets) + fits.of_row, wanted | (fits.of_row > 0)
    return rows.with_columns(pl.Series("_kind", kinds)).filter(pl.Series(wanted)), names


@dataclass(frozen=True)
class Fits:
    """Which matches the rows of a frame fit: the distinct sets, the empty one first, and the place of each row's."""

    sets: list[frozenset[EventMatch]]
    of_row: Ints


def fitting(event_days: pl.DataFrame, matches: Collection[EventMatch]) -> Fits:
    """Return which of `matches` each row of `event_days` (event, module, feature) fits.

    Every text is looked up once and the rest is a small table, as for kinds.
    """
    if not matches:
        return Fits([frozenset()], np.zeros(event_days.height, dtype=np.int64))
    wanted = {column: _named({getattr(match, column) for match in matches}) for column in COLUMNS}
    sizes = tuple(len(values) for values in wanted.values())
    codes = [event_days.select(_code(column, values)).to_series().to_numpy() for column, values in wanted.items()]
    sets: dict[frozenset[EventMatch], int] = {frozenset(): 0}
    table = np.zeros(sizes, dtype=np.int64)
    for place in np.ndindex(sizes):
        values = dict(zip(COLUMNS, (names[at] for names, at in zip(wanted.values(), place, strict=True)), strict=True))
        fits = frozenset(m for m in matches if all(getattr(m, c) in ("", values[c]) for c in COLUMNS))
        table[place] = sets.setdefault(fits, len(sets))
    return Fits(list(sets), table[tuple(code.astype(np.int64) for code in codes)])


def _kind_by_code(
    sizes: tuple[int, int, int, int], events: list[str], own: Ints, module_of: Mapping[str, str], names: _Names
) -> tuple[Ints, Bools]:
    """Return the kind for each code of what was seen, and whether anybody asks: a small table, not work per row."""
    event, module, label, service = np.indices(sizes)
    given = _lookup(module_of, events, names.modules)[event]
    modules = np.where(module == sizes[1] - 1, given, np.append(own, 0)[module])
    asked = _lookup({name: name for name in names.events}, events, names.events)[event]
    kind = ((asked * len(names.modules) + modules) * len(names.labels) + label) * 2 + service
    return kind.ravel(), ((asked > 0) | (modules > 0)).ravel()


def _named(names: Collection[str]) -> list[str]:
    return ["", *sorted(set(names) - {""})]


def _code(column: str, names: list[str]) -> pl.Expr:
    """Return the place of each value in `names`, 0 for null and every value that is not among them."""
    return pl.col(column).cast(pl.Enum(names), strict=False).to_physical().fill_null(0).cast(pl.UInt32)


def _lookup(into: Mapping[str, str], names: list[str], targets: list[str]) -> Ints:
    """Return for each place in `names` the place in `targets` of what `into` says, 0 where it says nothing."""
    place = {target: index for index, target in enumerate(targets)}
    return np.array([place[into[name]] if name in into else 0 for name in names], dtype=np.int64)


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
