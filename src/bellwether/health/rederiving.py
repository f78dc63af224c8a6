"""Stored scores made again from their inputs and definition, compared column by column with ==. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from bellwether.health.canonical import seal_of
from bellwether.health.coverage import component_data, intervals, shares
from bellwether.health.engine import score_measures
from bellwether.health.held_values import HELD
from bellwether.health.measures import MEASURES_BY_SLUG, Unit
from bellwether.health.score_rows import REASON_LENGTH, SEALED
from bellwether.health.scorecard import Scorecard

DERIVED = (
    "overall_score", "status", "trend", "trend_change", "risk", "coverage", "no_score_reason", "components",
    "interval_low", "interval_high", "component_data", "weights_snapshot",
)  # fmt: skip
SINCE_SEALS = ("interval_low", "interval_high", "component_data")
"""Columns that rows from before seals do not have."""


@dataclass(frozen=True)
class Difference:
    """A column that is stored as one value and comes out as another."""

    column: str
    stored: Any
    again: Any


def measures_frame(rows: Sequence[tuple[date, int | None, Mapping[str, Any]]], scorecard: Scorecard) -> pl.DataFrame:
    """Return the frame of measures that rows (date, previous score, inputs) were scored from, one row each."""
    columns: dict[str, pl.Series] = {
        "client_id": pl.Series([""] * len(rows), dtype=pl.String),
        "date": pl.Series([day for day, _, _ in rows], dtype=pl.Date),
        "previous_score": pl.Series([previous for _, previous, _ in rows], dtype=pl.Int32),
    }
    names: set[str] = set().union(*(inputs.keys() for _, _, inputs in rows)) if rows else set()
    for name in sorted(names - {"previous_score"}):
        slug = name.removesuffix(HELD)
        measure = MEASURES_BY_SLUG.get(slug)
        if measure is None and slug not in scorecard.measures:
            continue
        kind: Any = pl.Float64
        if measure is not None:
            kind = pl.String if measure.unit is Unit.WORD else pl.Int64 if measure.whole else pl.Float64
        columns[name] = pl.Series([inputs.get(name) for _, _, inputs in rows], dtype=kind, strict=False)
    return pl.DataFrame(columns)


def rederive(rows: Sequence[tuple[date, int | None, Mapping[str, Any]]], scorecard: Scorecard) -> list[dict[str, Any]]:
    """Return what DERIVED columns the rows (date, previous score, inputs) must have; component_data is a JSON text."""
    measures = measures_frame(rows, scorecard)
    scored = score_measures(measures, scorecard)
    given = shares(measures, scorecard)
    between = intervals(scored, given, scorecard)
    texts = component_data(measures, given, scorecard)
    again = []
    for row, interval, text in zip(
        scored.iter_rows(named=True), between.iter_rows(named=True), texts.to_list(), strict=True
    ):
        again.append(
            {
                "overall_score": row["score"],
                "no_score_reason": row["no_score_reason"][:REASON_LENGTH],
                "components": {component.key: row[component.key] for component in scorecard.components},
                "component_data": text,
                "weights_snapshot": scorecard.weights,
                **{name: row[name] for name in ("status", "trend", "trend_change", "risk", "coverage")},
                **interval,
            }
        )
    return again


def compared(stored: Mapping[str, Any], again: Mapping[str, Any], columns: Iterable[str]) -> list[Difference]:
    """Return the `columns` in which the two are not the same, by == and type of nothing else; components by key."""
    found = []
    for name in columns:
        old, new = stored[name], again[name]
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += [
                Difference(f"{name}.{key}", old.get(key), new.get(key))
                for key in sorted({*old, *new})
                if key not in old or key not in new or old[key] != new[key]
            ]
        elif old != new:
            found.append(Difference(name, old, new))
    return found


def seal_holds(stored: Mapping[str, Any]) -> bool:
    """Return whether the row (every column of SEALED and the seal) has the seal that belongs to it."""
    return bool(seal_of({name: stored[name] for name in SEALED}) == stored["seal"])
