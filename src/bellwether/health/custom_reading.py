"""Reads the facts that custom measures need: the months their windows reach in full, older ones folded.

A month's fold is kept in the process until its file changes, so that "so far" and "since" cost no more each day.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import IO

import polars as pl

from bellwether.health.custom_measures import Definition
from bellwether.health.custom_values import COUNTS, DAYS, USERS, CustomFacts, selection
from bellwether.health.inputs import Schema
from bellwether.usage.facts import facts_path, stored_months
from bellwether.usage.known_facts import KnownFacts
from bellwether.usage.lake import Lake, Stamp

PERSON = ["organization_id", "user_key"]
Fold = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass
class FoldedMonths:
    """What was folded so far, by lake, kind, month and digest. One per process is enough."""

    months: dict[tuple[str, str, str, str], tuple[Stamp | None, pl.DataFrame]] = field(default_factory=dict)


def read_custom_facts(
    lake: Lake,
    dates: Sequence[date],
    definitions: Iterable[Definition],
    *,
    complete: frozenset[str],
    past: FoldedMonths | None = None,
    known: KnownFacts | None = None,
) -> CustomFacts:
    """Return what the values of `definitions` on `dates` are made of. `complete`: digests whose facts are all there.

    With `known`, what was known on its day, which is all of `dates` then.
    """
    parts = sorted({part for definition in definitions for part in definition.parts}, key=repr)
    reader = _Reader(lake, min(dates), max(dates), past or FoldedMonths(), known)
    counted = {part.digest: part for part in parts if part.spec is None}
    of_days = {part for part in parts if part.spec is not None and part.spec.keep == "days"}
    of_users = {part for part in parts if part.spec is not None and part.spec.keep != "days"}
    return CustomFacts(
        counts=reader.counts(counted, [part for part in parts if part.spec is None]),
        days=reader.kept("custom_days", DAYS, of_days, _fold_days),
        users=reader.kept("custom_users", USERS, of_users, _fold_users),
        complete=complete,
    )


@dataclass(frozen=True)
class _Reader:
    lake: Lake
    first: date
    last: date
    past: FoldedMonths
    known: KnownFacts | None = None

    def counts(self, selected: dict[str, Definition], parts: Collection[Definition]) -> pl.DataFrame:
        """Return COUNTS of the selections by digest."""

        def rows(month: str, digests: Collection[str]) -> pl.DataFrame:
            chosen = {digest: selection(selected[digest]) for digest in sorted(digests)}
            with self.lake.opened([facts_path(self.lake, "event_days", month)]) as files:
                if not files:
                    return pl.DataFrame(schema=COUNTS)
                found = self._scan("event_days", month, files).filter(pl.any_horizontal(chosen.values()))
                events = found.select(
                    "organization_id", "date", "event", "module", "feature", "label", "is_service", "events"
                ).collect()
            return pl.concat(
                events.filter(condition)
                .group_by("organization_id", "date")
                .agg(pl.col("events").sum())
                .select(
                    pl.lit(digest).alias("measure") if name == "measure" else pl.col(name).cast(dtype)
                    for name, dtype in COUNTS.items()
                )
                for digest, condition in chosen.items()
            )

        return self._read("event_days", COUNTS, parts, {part: part.digest for part in parts}, rows, _fold_counts)

    def kept(self, kind: str, schema: Schema, parts: Collection[Definition], fold: Fold) -> pl.DataFrame:
        """Return the stored facts `kind` of the parts."""

        def rows(month: str, digests: Collection[str]) -> pl.DataFrame:
            with self.lake.opened([facts_path(self.lake, kind, month)]) as files:
                if not files:
                    return pl.DataFrame(schema=schema)
                found = self._scan(kind, month, files)
                return found.filter(pl.col("measure").is_in(sorted(digests))).select(list(schema)).collect()

        names = {part: part.spec.digest for part in parts if part.spec is not None}
        return self._read(kind, schema, parts, names, rows, fold)

    def _scan(self, kind: str, month: str, files: list[IO[bytes]]) -> pl.LazyFrame:
        stored = pl.scan_parquet(files, hive_partitioning=False)
        return stored if self.known is None else self.known.applied(kind, stored, [month])

    def _read(
        self,
        kind: str,
        schema: Schema,
        parts: Collection[Definition],
        names: dict[Definition, str],
        rows: Callable[[str, Collection[str]], pl.DataFrame],
        fold: Fold,
    ) -> pl.DataFrame:
        if not parts:
            return pl.DataFrame(schema=schema)
        reach = max((part.window or 0) for part in parts)
        recent = (self.first - timedelta(days=reach + 1)).strftime("%Y-%m")
        months = [month for month in stored_months(self.lake, kind) if month <= self.last.strftime("%Y-%m")]
        far_back = {names[part] for part in parts if part.window is None}
        found = [pl.DataFrame(schema=schema)]
        for month in months:
            if month >= recent:
                found.append(rows(month, set(names.values())))
            elif far_back:
                found += self._folded(kind, month, far_back, rows, fold)
        return pl.concat(found)

    def _folded(
        self,
        kind: str,
        month: str,
        digests: Collection[str],
        rows: Callable[[str, Collection[str]], pl.DataFrame],
        fold: Fold,
    ) -> list[pl.DataFrame]:
        if self.known is not None and self.known.touches(kind, month):
            return [fold(rows(month, digests))]
        stamp = self.lake.stamp(facts_path(self.lake, kind, month))
        keys = {digest: (self.lake.name, kind, month, digest) for digest in digests}
        unknown = [d for d, key in keys.items() if key not in self.past.months or self.past.months[key][0] != stamp]
        if unknown:
            fresh = fold(rows(month, unknown))
            for digest in unknown:
                self.past.months[keys[digest]] = (stamp, fresh.filter(pl.col("measure") == digest))
        return [self.past.months[key][1] for key in keys.values()]


def _fold_counts(rows: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.filter(pl.col("events") > 0)
        .group_by("organization_id", "measure")
        .agg(pl.col("date").max(), pl.col("events").sum())
        .select(list(COUNTS))
    )


def _fold_days(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per client and measure: the last value of the month on its last day, with the sums."""
    return (
        rows.sort("date")
        .group_by("organization_id", "measure")
        .agg(
            pl.col("date").max(),
            pl.col("events").sum(),
            pl.col("total").sum(),
            pl.col("last").drop_nulls().last(),
        )
        .select(list(DAYS))
    )


def _fold_users(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("date").group_by(*PERSON, "measure").agg(pl.col("date", "value").last()).select(list(USERS))
