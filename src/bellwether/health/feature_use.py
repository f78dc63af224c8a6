"""Feature adoption (formulas.md, section 3): levels of use per client, feature and date. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.common.rounding import NOISE
from bellwether.health.contract_terms import Terms, contract_terms
from bellwether.health.event_sums import EventSums
from bellwether.health.grids import NEVER, Bools, Floats, Grid, Ints, Placed, known, ratio
from bellwether.health.inputs import FeatureSpec, MeasureInputs, MeasureSettings
from bellwether.health.usage_measures import first_days
from bellwether.usage.event_match import COLUMNS

TREND_DAYS = 30
TREND_THRESHOLD = 0.10
LIGHT_BELOW, POWER_ABOVE = 0.25, 0.75


class Level(IntEnum):
    """How far a feature is adopted. A level of LIGHT or more counts as used."""

    NOT_LICENSED = 0
    NOT_CONFIGURED = 1
    NOT_USED = 2
    LIGHT = 3
    ACTIVE = 4
    POWER = 5


LEVEL_NAMES = [level.name for level in Level]


@dataclass(frozen=True)
class FeatureUse:
    """One feature over all clients and wanted dates. `licensed` is what the records say; use is over the own period.

    `expected` is what the tier of the client is expected to do: uses in the period, or a share; not used for "any".
    """

    spec: FeatureSpec
    licensed: Bools
    level: Ints
    use: Ints
    share: Floats  # of the target, NaN where nothing is expected or there is no use to judge
    running: Ints  # events so far, (clients, days of the grid)
    expected: Floats | float


def all_modules(inputs: MeasureInputs, settings: MeasureSettings) -> frozenset[str]:
    """Return every licensed module and every module of the catalogue, lower case."""
    lists = [inputs.clients["licensed_modules"], inputs.contracts["licensed_modules"]]
    named = {module for series in lists for module in series.explode().drop_nulls().unique().to_list()}
    return frozenset(m.lower() for m in named | {feature.module for feature in settings.features} if m)


def feature_uses(
    inputs: MeasureInputs, grid: Grid, settings: MeasureSettings, sums: EventSums, terms: Terms
) -> Iterator[FeatureUse]:
    """Yield each feature of the catalogue, in its order."""
    licences = _Licences(inputs, grid, settings, terms)
    for spec in settings.features:
        licensed, configured = licences.of(spec)
        running = sums.of_events(spec.events, matches=spec.matches, people_only=spec.target != "any")
        use = grid.window(running, spec.days)
        expected = _expected(spec, grid, terms)
        if spec.target == "share":
            good = sums.of_events(spec.events, matches=spec.matches, labels=spec.within, people_only=True)
            share = ratio(grid.window(good, spec.days), use) / expected
        else:
            share = use / expected
        level = _level(spec, licensed, configured, use, share)
        yield FeatureUse(spec, licensed, level, use, share, running, expected)


def _expected(spec: FeatureSpec, grid: Grid, terms: Terms) -> Floats | float:
    """Return what is expected: one number, or (clients, dates) where tiers differ."""
    if not spec.by_tier:
        return spec.value
    tiers = terms.tiers().replace_strict(dict(spec.by_tier), default=spec.value, return_dtype=pl.Float64)
    return tiers.to_numpy().reshape(grid.clients, len(grid.dates))


def _level(spec: FeatureSpec, licensed: Bools, configured: Bools, use: Ints, share: Floats) -> Ints:
    """Return the level. What is used is evidently set up, whatever the records say; shares at a limit are active."""
    power = (share > POWER_ABOVE + NOISE) & (spec.target != "any")
    light = (share < LIGHT_BELOW - NOISE) & (spec.target != "any")
    used = np.where(power, Level.POWER, np.where(light, Level.LIGHT, Level.ACTIVE))
    unused = np.where(configured, Level.NOT_USED, Level.NOT_CONFIGURED)
    return np.where(licensed, np.where(use > 0, used, unused), Level.NOT_LICENSED).astype(np.int64)


def _clients_with_rows(inputs: MeasureInputs, grid: Grid) -> Bools:
    """Return (clients, 1): whether the client has rows that say feature by feature what is licensed."""
    return grid.client_ids.is_in(inputs.adoption["client_id"].unique().implode()).to_numpy()[:, None]


class _Licences:
    """What the records say about the features, placed on the grid once for all of them."""

    def __init__(self, inputs: MeasureInputs, grid: Grid, settings: MeasureSettings, terms: Terms) -> None:
        self._grid, self._terms = grid, terms
        self._said = _clients_with_rows(inputs, grid)
        self._codes = {spec.key: code for code, spec in enumerate(settings.features)}
        rows = inputs.adoption.with_columns(
            pl.col("feature_key").replace_strict(self._codes, default=-1, return_dtype=pl.Int64),
            pl.col("licensed_at", "configured_at").fill_null(date(1970, 1, 1)),
        )
        self._licensed = self._placed(rows, "is_licensed", "licensed_at")
        self._configured = self._placed(rows, "is_configured", "configured_at")

    def of(self, spec: FeatureSpec) -> tuple[Bools, Bools]:
        """Return (clients, dates): licensed and configured. A missing date of either means always."""
        by_module = self._terms.has_module(spec.module.lower())
        licensed = np.where(self._said, self._since(self._licensed, spec), by_module)
        configured = np.where(self._said, self._since(self._configured, spec), True)
        return licensed, configured

    def _placed(self, rows: pl.DataFrame, flag: str, day: str) -> tuple[Placed, Ints]:
        placed = self._grid.place(rows.filter(pl.col(flag)), by="client_id", day=day)
        return placed, placed.frame["feature_key"].to_numpy()

    def _since(self, rows: tuple[Placed, Ints], spec: FeatureSpec) -> Bools:
        placed, codes = rows
        here = codes == self._codes[spec.key]
        latest = self._grid.latest(placed.row[here], placed.column[here], placed.day[here])
        return latest > NEVER  # type: ignore[no-any-return]


def feature_measures(
    inputs: MeasureInputs, grid: Grid, settings: MeasureSettings, sums: EventSums, terms: Terms, first: Ints
) -> dict[str, Floats]:
    """Return the feature measures as (clients, dates) arrays; use is NaN before a client's first event."""
    started = first[:, None] <= grid.wanted
    shape = (grid.clients, len(grid.dates))
    licensed, used, adopted, recent = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    modules: dict[str, Bools] = {}
    for feature in feature_uses(inputs, grid, settings, sums, terms):
        licensed += feature.licensed
        used += feature.level >= Level.LIGHT
        adopted += grid.window(feature.running, None) > 0
        recent += grid.window(feature.running, TREND_DAYS) > 0
        module = feature.spec.module.lower()
        modules[module] = modules.get(module, np.zeros(shape, dtype=bool)) | feature.licensed
    tracked = len(settings.features)
    said = _clients_with_rows(inputs, grid) | (terms.modules() > 0)
    return {
        "features_tracked": np.full(shape, float(tracked)),
        "features_licensed": known(licensed, said),
        "features_used": known(used, started & said),
        "features_adopted": known(adopted, started),
        "feature_share": known(recent / tracked if tracked else np.full(shape, np.nan), started),
        "feature_breadth": known(_breadth(grid, sums, terms, modules, all_modules(inputs, settings)), started),
    }


def _breadth(
    grid: Grid, sums: EventSums, terms: Terms, of_features: dict[str, Bools], modules: frozenset[str]
) -> Floats:
    """Return licensed modules used in 30 days over licensed ones; without named modules those of licensed features."""
    named = terms.modules() > 0
    shape = named.shape
    licensed, used = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for module in sorted(modules):
        has = np.where(named, terms.has_module(module), of_features.get(module, np.zeros(shape, dtype=bool)))
        if has.any():
            licensed += has
            used += has & (grid.window(sums.of_module(module), TREND_DAYS) > 0)
    return ratio(used, licensed)


def feature_levels(
    inputs: MeasureInputs, dates: Sequence[date], settings: MeasureSettings, *, with_last_use: bool = True
) -> pl.DataFrame:
    """Return one row per client, date and feature of the catalogue, for few dates.

    Columns: client_id, date, feature_key, level (a Level's name; null while the client has no events yet), use (events
    in the feature's period), expected (uses in the period or a share, by the tier of the date; null for "any"), share
    (use over what is expected, null if none), use_30d, use_before_30d (the 30 days before), use_trend (INCREASING over
    +10 %, DECREASING under -10 %, STABLE, NO_USE), last_used (date; null throughout unless `with_last_use`), ever_used,
    licensed.
    """
    grid = Grid(inputs.clients, dates)
    terms = contract_terms(inputs, grid)
    sums = EventSums(inputs, grid, settings)
    started = (first_days(inputs, grid)[:, None] <= grid.wanted).ravel()
    found: dict[str, list[npt.NDArray[Any]]] = {}
    for feature in feature_uses(inputs, grid, settings, sums, terms):
        last = _last_used(feature, inputs, grid) if with_last_use else np.full_like(feature.use, NEVER)
        expected = np.nan if feature.spec.target == "any" else feature.expected
        columns = {
            "level": feature.level,
            "use": feature.use,
            "expected": np.broadcast_to(np.asarray(expected, dtype=np.float64), feature.use.shape),
            "share": feature.share,
            "use_30d": grid.window(feature.running, TREND_DAYS),
            "use_before_30d": grid.window(feature.running, TREND_DAYS, before=TREND_DAYS),
            "last_used": last,
            "ever_used": grid.window(feature.running, None) > 0,
            "licensed": feature.licensed,
            "_started": started,
        }
        for name, values in columns.items():
            found.setdefault(name, []).append(values.ravel())
    if not found:
        return _no_levels()
    keys = grid_keys(grid)
    names = pl.Series("feature_key", [spec.key for spec in settings.features], pl.String)
    whole = pl.DataFrame({name: np.concatenate(parts) for name, parts in found.items()}).with_columns(
        *pl.concat([keys] * len(names)).get_columns(),
        names.gather(np.repeat(np.arange(len(names)), keys.height)),
        pl.Series("level", np.array(LEVEL_NAMES)[np.concatenate(found["level"])], pl.String),
        pl.col("expected", "share").fill_nan(None),
    )
    trend = _trend(pl.col("use_30d"), pl.col("use_before_30d"))
    return whole.select(
        "client_id", "date", "feature_key",
        pl.when("_started").then("level").alias("level"),
        "use", "expected", "share", "use_30d", "use_before_30d",
        trend.alias("use_trend"),
        pl.when(pl.col("last_used") > NEVER).then("last_used").cast(pl.Int32).cast(pl.Date).alias("last_used"),
        "ever_used", "licensed",
    )  # fmt: skip


def _no_levels() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "client_id": pl.String, "date": pl.Date, "feature_key": pl.String, "level": pl.String, "use": pl.Int64,
            "expected": pl.Float64, "share": pl.Float64, "use_30d": pl.Int64, "use_before_30d": pl.Int64,
            "use_trend": pl.String, "last_used": pl.Date, "ever_used": pl.Boolean, "licensed": pl.Boolean,
        }
    )  # fmt: skip


def _last_used(feature: FeatureUse, inputs: MeasureInputs, grid: Grid) -> Ints:
    rows = inputs.event_days.filter(fits(feature.spec))
    if feature.spec.target != "any":
        rows = rows.filter(~pl.col("is_service"))
    placed = grid.place(rows, by="organization_id", day="date")
    return grid.last_of(placed, placed.day)


def fits(spec: FeatureSpec) -> pl.Expr:
    """Return whether a row of EVENT_DAYS is use of the feature, by its event, module and feature."""
    named = pl.col("event").is_in(sorted(spec.events))
    for match in sorted(spec.matches):
        asked = [pl.col(column) == value for column in COLUMNS if (value := getattr(match, column))]
        named = named | pl.all_horizontal(*asked)
    return named.fill_null(value=False)


def _trend(now: pl.Expr, before: pl.Expr) -> pl.Expr:
    """Return the trend word of use in the last 30 days against the 30 before."""
    word = (
        pl.when((now == 0) & (before == 0))
        .then(pl.lit("NO_USE"))
        .when(now > before * (1 + TREND_THRESHOLD) + NOISE)
        .then(pl.lit("INCREASING"))
        .when(now < before * (1 - TREND_THRESHOLD) - NOISE)
        .then(pl.lit("DECREASING"))
    )
    return word.otherwise(pl.lit("STABLE"))


def grid_keys(grid: Grid) -> pl.DataFrame:
    """Return client_id and date of every cell of a (clients, dates) array, client by client."""
    dates = pl.Series("date", grid.dates, pl.Date)
    return pl.DataFrame(
        {
            "client_id": grid.client_ids.gather(np.repeat(np.arange(grid.clients), len(grid.dates))),
            "date": dates.gather(np.tile(np.arange(len(grid.dates)), grid.clients)),
        }
    )
