"""Makes the facts as known on past days (usage.known_facts) from those of today and the late events.

The cells with late events are counted anew (usage.late_events), and what follows from them (sessions over midnight,
people of 7 and 30 days, people ever seen) is made again for their clients alone. The result equals the facts of a lake
into which the later events never came, up to the as-of day.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from bellwether.usage.calendar import first_of, month_of, months_between
from bellwether.usage.counting import Facts
from bellwether.usage.facts import KINDS, facts_path, stored_months
from bellwether.usage.known_facts import BY_CELL, BY_CLIENT, CELL, KnownFacts
from bellwether.usage.late_events import LateEvents, Recounted
from bellwether.usage.linking import passing
from bellwether.usage.rolling import LOOKBACK, count_client_days
from bellwether.usage.sessions import USER, continues, link_sessions

DAY = timedelta(days=1)
RECENT_DAYS = 150


class KnownFactsReader:
    """Makes the KnownFacts of the as-of days of `late`, which is open."""

    def __init__(self, late: LateEvents) -> None:
        self._late, self._lake, self._engine = late, late.lake, late.engine
        paths = [facts_path(self._lake, "user_months", month) for month in stored_months(self._lake, "user_months")]
        if paths:
            self._engine.see("user_months", paths)
        else:
            self._engine.see_frame("user_months", pl.DataFrame(schema=KINDS["user_months"]))
        self._engine.keep("first_sights", "SELECT organization_id, user_key, first_date FROM user_months")

    def on(self, day: date) -> KnownFacts:
        """Return what differs for the as-of `day`."""
        counted = self._late.counted(day)
        groups = [self._group(day, counted, *group) for group in self._groups(day, counted.cells)]
        since = pl.concat([_NONE_SINCE, *(since for since, _ in groups)])
        rows = {kind: pl.concat([_empty(kind), *(facts[kind] for _, facts in groups)]) for kind in BY_CLIENT}
        return KnownFacts(day, counted.cells, since, {kind: counted.facts[kind] for kind in BY_CELL} | rows)

    def _groups(self, day: date, cells: pl.DataFrame) -> Iterator[tuple[list[str], date]]:
        """Yield clients with the first day on which anything of theirs differs: those of the last months together, and
        those with older differences, so that one event of years ago does not make everybody's years again."""
        crossing = pl.DataFrame({"organization_id": self._crossing(day)}, schema={"organization_id": pl.String})
        starts = pl.concat([cells, crossing.with_columns(date=pl.lit(day + DAY))])
        starts = starts.group_by("organization_id").agg(pl.col("date").min())
        recent = pl.col("date") >= day - timedelta(days=RECENT_DAYS)
        for of_group in (starts.filter(recent), starts.filter(~recent)):
            if not of_group.is_empty():
                yield of_group["organization_id"].sort().to_list(), of_group.select(pl.col("date").min()).item()

    def _crossing(self, day: date) -> list[str]:
        """Return the clients with a person whose session of `day` goes on after midnight."""
        both = self._stored("user_days", day, day + DAY)
        acting = both.filter((pl.col("fragments") > 0) & ~pl.col("is_service")).sort(*USER, "date")
        return acting.filter(continues())["organization_id"].unique().to_list()

    def _group(self, day: date, counted: Recounted, clients: list[str], start: date) -> tuple[pl.DataFrame, Facts]:
        since = start - DAY  # a session that goes on into the first day belongs to the day before, or further back
        while passing(
            self._stored("user_days", since - DAY, since - DAY, clients),
            self._stored("user_days", since, since, clients),
        ):
            since -= DAY
        first = min(since - LOOKBACK - DAY, first_of(month_of(start)))
        users = link_sessions(self._known("user_days", first, day, clients, counted)).select(list(KINDS["user_days"]))
        hours = self._known("client_hours", since - LOOKBACK, day, clients, counted)
        fresh = self._new_users(day, counted.cells, clients, users)
        self._engine.see_frame("user_days", users.filter(pl.col("date") >= since - LOOKBACK))
        self._engine.see_frame("client_hours", hours)
        client_days = count_client_days(self._engine, since, day, fresh)
        table = pl.DataFrame({"organization_id": clients}, schema={"organization_id": pl.String})
        replaced = {"user_days": users.filter(pl.col("date") >= since), "client_days": client_days}
        return table.with_columns(since=pl.lit(since, pl.Date)), replaced

    def _known(self, kind: str, first: date, last: date, clients: list[str], counted: Recounted) -> pl.DataFrame:
        stored = self._stored(kind, first, last, clients).join(counted.cells, on=CELL, how="anti")
        mine = pl.col("organization_id").is_in(clients) & pl.col("date").is_between(first, last)
        return pl.concat([stored, counted.facts[kind].filter(mine).select(stored.columns)])

    def _stored(self, kind: str, first: date, last: date, clients: list[str] | None = None) -> pl.DataFrame:
        wanted = pl.col("date").is_between(first, last)
        if clients is not None:
            wanted &= pl.col("organization_id").is_in(clients)
        paths = [facts_path(self._lake, kind, month) for month in months_between(first, last)]
        with self._lake.opened(paths) as files:
            if not files:
                return _empty(kind)
            return pl.scan_parquet(files, hive_partitioning=False).filter(wanted).select(list(KINDS[kind])).collect()

    def _new_users(self, day: date, cells: pl.DataFrame, clients: list[str], users: pl.DataFrame) -> pl.DataFrame:
        """Return how many people each of `clients` saw for the first time on which day, as known on `day`."""
        month = pl.col("date").dt.truncate("1mo").alias("month")
        months = cells.filter(pl.col("organization_id").is_in(clients)).select("organization_id", month).unique()
        counted = (
            users.filter(~pl.col("is_service"))
            .with_columns(month)
            .join(months, on=["organization_id", "month"], how="semi")
            .group_by("organization_id", "user_key", "month")
            .agg(first_date=pl.col("date").min())
            .drop("month")
        )
        self._engine.see_frame("clients_of_group", pl.DataFrame({"organization_id": clients}))
        self._engine.see_frame("counted_months", months)
        self._engine.see_frame("counted_sights", counted)
        return self._engine.frame(
            f"""
            WITH sights AS (
                SELECT s.* FROM first_sights s SEMI JOIN clients_of_group USING (organization_id)
                ANTI JOIN counted_months m
                    ON m.organization_id = s.organization_id AND m.month = date_trunc('month', s.first_date)
                WHERE s.first_date <= DATE '{day}'
                UNION ALL SELECT organization_id, user_key, first_date FROM counted_sights
            ), firsts AS (
                SELECT organization_id, user_key, MIN(first_date) AS date FROM sights
                GROUP BY organization_id, user_key
            )
            SELECT organization_id, date, COUNT(*) AS new_users FROM firsts GROUP BY organization_id, date
            """
        )


_NONE_SINCE = pl.DataFrame(schema={"organization_id": pl.String, "since": pl.Date})


def _empty(kind: str) -> pl.DataFrame:
    return pl.DataFrame(schema=KINDS[kind])
