"""The events that arrived after a day they belong before, and what their clients' days come to without them.

A *cell* is one client's day. For an as-of day only cells matter that hold an event received after it; with as-of days a
month apart these are few. One pass over the events finds the cells of all as-of days and keeps their events, each once;
what was known on one of the days is then counted from these alone, by the queries of the rollup.

Memory stays within the engine's limit (usage.engine_duckdb); what does not fit spills to the lake's local folder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import polars as pl
from polars._typing import PolarsDataType

from bellwether.common.time import end_of
from bellwether.usage.calendar import OffsetSpan, microseconds, utc_offsets
from bellwether.usage.counting import COUNTED, Batch, Facts, as_facts, batches, day_sql, each_once
from bellwether.usage.custom_facts import CUSTOM_KINDS, KEPT_IN, as_custom_facts
from bellwether.usage.custom_specs import FactSpec, facts_sql
from bellwether.usage.engine_duckdb import DuckDBEngine
from bellwether.usage.facts import KINDS
from bellwether.usage.known_facts import CELL
from bellwether.usage.lake import Lake, LakePath
from bellwether.usage.tallies import tallied_days, tallies_of

COLUMNS = "organization_id, date, user_key, is_service, type, event, module, feature, role, ts, source, message_id"

_OF_CELLS = "SELECT * FROM all_{kind} SEMI JOIN cells USING (organization_id, date)"
_BETWEEN = "\x1f"
_LATE_CELLS = (
    "SELECT l.organization_id, l.date, p.place, p.as_of FROM late_cells l JOIN places p "
    "ON l.date <= p.as_of AND l.last > p.place"
)


@dataclass(frozen=True)
class Recounted:
    """`cells` (organization_id, date) that held less on the as-of day than now, and all facts of these as known then,
    by kind; user_days have no linked sessions yet."""

    cells: pl.DataFrame
    facts: Facts


class LateEvents:
    """The late events of a lake for the ascending as-of `days`; a context manager.

    `labels` and `zone` as for the rollup; `specs` are the facts of custom measures that are wanted too.
    """

    def __init__(
        self,
        lake: Lake,
        days: Sequence[date],
        *,
        zone: ZoneInfo,
        labels: Mapping[str, str],
        specs: Sequence[FactSpec] = (),
    ) -> None:
        self.lake, self.zone = lake, zone
        self.days = sorted(set(days))
        self._labels, self._specs = dict(labels), list(specs)
        self._places = {day: place for place, day in enumerate(self.days)}
        self._ends = [microseconds(end_of(day, zone)) for day in self.days]
        self._tallied = tallied_days(lake)

    def __enter__(self) -> Self:
        self._open = DuckDBEngine(self.lake)
        self.engine = self._open.__enter__()
        try:
            self._gather()
        except BaseException:
            self.engine.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def counted(self, day: date) -> Recounted:
        """Return what the cells with later events came to at the end of `day`, one of the as-of days."""
        place, engine = self._places[day], self.engine
        engine.keep("cells", f"SELECT {', '.join(CELL)} FROM late_cells WHERE date <= DATE '{day}' AND last > {place}")
        cells = engine.frame("SELECT * FROM cells ORDER BY ALL")
        if cells.is_empty():
            kinds = (*COUNTED, *CUSTOM_KINDS)
            return Recounted(cells, {kind: pl.DataFrame(schema=KINDS[kind]) for kind in kinds})
        engine.keep(
            "known_events",
            f"SELECT * FROM late_events SEMI JOIN cells USING ({', '.join(CELL)}) WHERE known_on <= {place}",
        )
        tallied = self._see_tallies(cells)
        queries = day_sql(engine.dialect, "known_events", self._offsets, tuple(sorted(self._labels.items())), tallied)
        for name in ("slots", "kinds", "roles"):
            engine.keep(name, queries[name])
        facts = {kind: as_facts(kind, engine.frame(queries[kind])) for kind in COUNTED}
        parts = {kind: [pl.DataFrame(schema=KINDS[kind])] for kind in CUSTOM_KINDS}
        for spec in self._specs:
            kind = KEPT_IN[spec.keep]
            parts[kind].append(
                as_custom_facts(kind, engine.frame(facts_sql(spec, "known_events", labels=self._labels)))
            )
        return Recounted(cells, facts | {kind: pl.concat(frames) for kind, frames in parts.items()})

    def counted_together(self, days: Sequence[date]) -> Recounted:
        """Return the same as `counted` for several as-of days in one pass; cells and facts have a column `as_of`."""
        engine = self.engine
        self._see_places(days)
        engine.keep("cells", _LATE_CELLS)
        cells = engine.frame("SELECT organization_id, date, as_of FROM cells ORDER BY ALL")
        if cells.is_empty():
            none = {kind: pl.DataFrame(schema={**KINDS[kind], "as_of": pl.Date}) for kind in COUNTED}
            return Recounted(cells, none)
        # Each as-of day has its own copy of the client, so that one run of the rollup's queries counts them all.
        copied = f"SELECT e.* REPLACE (e.organization_id || '{_BETWEEN}' || c.place AS organization_id)"
        engine.keep(
            "known_events",
            f"{copied} FROM late_events e JOIN cells c USING (organization_id, date) WHERE e.known_on <= c.place",
        )
        tallied = self._see_tallies(cells, f"{copied} FROM all_{{kind}} e JOIN cells c USING (organization_id, date)")
        queries = day_sql(engine.dialect, "known_events", self._offsets, tuple(sorted(self._labels.items())), tallied)
        for name in ("slots", "kinds", "roles"):
            engine.keep(name, queries[name])
        return Recounted(cells, {kind: self._apart(as_facts(kind, engine.frame(queries[kind]))) for kind in COUNTED})

    def _see_places(self, days: Sequence[date]) -> None:
        places = {"place": [self._places[day] for day in days], "as_of": list(days)}
        self.engine.see_frame("places", pl.DataFrame(places, schema={"place": pl.Int64, "as_of": pl.Date}))

    def _apart(self, facts: pl.DataFrame) -> pl.DataFrame:
        """Return facts of copies of clients with the client and `as_of`, the day that the copy was made for."""
        parts = pl.col("organization_id").str.split(_BETWEEN)
        place = parts.list.last().cast(pl.Int64)
        return facts.with_columns(
            parts.list.slice(0, parts.list.len() - 1).list.join(_BETWEEN).alias("organization_id"),
            place.replace_strict({at: day for day, at in self._places.items()}, return_dtype=pl.Date).alias("as_of"),
        )

    def _gather(self) -> None:
        """Keep the events of all cells that any of the as-of days needs.

        `known_on` is the place of the first as-of day at whose end an event was there; `last` the latest of a cell.
        """
        engine = self.engine
        ends = pl.DataFrame({"ends": self._ends, "at": range(1, len(self._ends) + 1)})
        engine.see_frame("as_of", ends.cast(pl.Int64))
        engine.see_frame("no_event", pl.DataFrame(schema=_LATE))
        engine.keep("late_events", "SELECT * FROM no_event")
        for batch in batches(self.lake, [day for day in self.lake.event_dates() if day <= self.days[-1]]):
            if batch.paths:
                self._gather_batch(batch)
        engine.keep(
            "late_cells",
            f"SELECT {', '.join(CELL)}, MAX(known_on) AS last FROM late_events GROUP BY {', '.join(CELL)}",
        )
        first, last = self.days[0], self.days[-1]
        if engine.number("SELECT COUNT(*) FROM late_cells"):
            first, last = engine.frame("SELECT MIN(date) AS first, MAX(date) AS last FROM late_cells").row(0)
        earliest, *changes = utc_offsets(first, last, self.zone)
        self._offsets = (OffsetSpan(0, earliest.seconds), *changes)

    def _gather_batch(self, batch: Batch) -> None:
        engine = self.engine
        due = [next(end for end, at in zip(self._ends, self.days, strict=True) if at >= day) for day in batch.days]
        engine.see_frame("due", pl.DataFrame({"date": batch.days, "ends": due}))
        engine.see("raw", batch.paths)
        late = engine.keep(
            "batch_cells",
            "SELECT DISTINCT organization_id, date FROM raw JOIN due USING (date) "
            "WHERE organization_id <> '' AND epoch_us(received_at) >= ends",
        )
        if not late:
            return
        touched = {f"date={day}" for day in engine.frame("SELECT DISTINCT date FROM batch_cells")["date"]}
        _, _, once = each_once(engine, Batch(batch.days, [path for path in batch.paths if path.parent.name in touched]))
        wanted = "properties" if self._specs else self._labelled()
        engine.add(
            "late_events",
            f"SELECT {COLUMNS}, {wanted} AS properties, COALESCE(a.at, 0) AS known_on "
            f"FROM (SELECT * FROM {once} SEMI JOIN batch_cells USING (organization_id, date)) e "
            "ASOF LEFT JOIN as_of a ON epoch_us(e.received_at) >= a.ends",
        )

    def _labelled(self) -> str:
        if not self._labels:
            return "NULL"
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(self._labels))
        return f"CASE WHEN event IN ({names}) THEN properties END"

    def _see_tallies(self, cells: pl.DataFrame, of_cells: str = _OF_CELLS) -> tuple[str, ...]:
        """Make known what warehouses counted in the `cells`, as it is now: their rows do not say when they came."""
        found: dict[str, list[LakePath]] = {}
        for day in cells["date"].unique().sort():
            for source in self._tallied.get(day, ()):
                for kind, path, _ in tallies_of(self.lake, source, day):
                    found.setdefault(kind, []).append(path)
        for kind, paths in found.items():
            self.engine.see(f"all_{kind}", paths)
            self.engine.keep(f"tallied_{kind}", of_cells.format(kind=kind))
        return tuple(sorted(found))


_INSTANT = pl.Datetime("us", "UTC")
_LATE: dict[str, PolarsDataType] = {
    "organization_id": pl.String, "date": pl.Date, "user_key": pl.String, "is_service": pl.Boolean, "type": pl.String,
    "event": pl.String, "module": pl.String, "feature": pl.String, "role": pl.String, "ts": _INSTANT,
    "source": pl.String, "message_id": pl.String, "properties": pl.String, "known_on": pl.Int64,
}  # fmt: skip
