"""What each person at a client mainly does, counted from the raw events: the facts do not hold it. Pure.

Source: US-015-012, "primary activities". Repeated messages are counted as they lie in the lake: they hardly change what
somebody does most.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from bellwether.usage.engagement import WINDOW_DAYS
from bellwether.usage.lake import ACTION_TYPES, Lake
from bellwether.usage.recent_parts import recent_parts

MOST_NAMED = 2
LEAST_SHARE = 0.1
MEMORY_LIMIT = "512MB"
_SQL = """
SELECT user_key, module, event, count(*) AS n
FROM read_parquet($paths, hive_partitioning = false)
WHERE organization_id = $client AND NOT is_service AND user_key IS NOT NULL AND list_contains($types, type)
GROUP BY ALL
"""


@dataclass(frozen=True)
class MainActivities:
    """Up to two words for each pseudonym, the most frequent first; `events` are how many of the client were counted."""

    by_user: Mapping[str, tuple[str, ...]]
    events: int


def main_activities(
    lake: Lake, organization_id: str, today: date, *, modules: Mapping[str, str], without: frozenset[str] = frozenset()
) -> MainActivities:
    """Return what the people of the client mainly did in the last 30 days, as far as their raw events are kept.

    An event counts for its module, else for the module that `modules` names for it. Those who used no module get the
    names of their events, except those in `without` (signing in). A second word needs a tenth of the person's actions.
    Of very many events those of the newest days are read (usage.recent_parts). Memory is bounded by MEMORY_LIMIT; what
    is more goes to disk.
    """
    local = [str(path) for path in lake.local(recent_parts(lake, today, days=WINDOW_DAYS).paths)]
    if not local:
        return MainActivities({}, 0)
    spill = str(lake.folder / ".spill")
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": spill}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        values = {"paths": local, "client": organization_id, "types": list(ACTION_TYPES)}
        counts = pl.DataFrame(connection.sql(_SQL, params=values).to_arrow_table())
    return MainActivities(named(counts, modules=modules, without=without), int(counts["n"].sum()))


def named(
    counts: pl.DataFrame, *, modules: Mapping[str, str], without: frozenset[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """Return up to two words for each user of `counts` (user_key, module, event, n); see `main_activities`."""
    by_event = pl.col("event").replace_strict(dict(modules), default=None, return_dtype=pl.String)
    module = pl.coalesce(pl.col("module").replace("", None), by_event)
    told = counts.with_columns(module=module).filter(pl.col("module").is_not_null() | ~pl.col("event").is_in(without))
    told = told.with_columns(has_module=pl.col("module").is_not_null(), word=pl.coalesce("module", "event"))
    summed = told.group_by("user_key", "has_module", "word").agg(pl.col("n").sum())
    of_best = summed.filter(pl.col("has_module") == pl.col("has_module").any().over("user_key"))
    shares = of_best.with_columns(share=pl.col("n") / pl.col("n").sum().over("user_key"))
    first = shares.sort("user_key", "n", "word", descending=[False, True, False])
    kept = first.filter(
        (pl.int_range(pl.len()).over("user_key") == 0)
        | ((pl.int_range(pl.len()).over("user_key") < MOST_NAMED) & (pl.col("share") >= LEAST_SHARE))
    )
    words = kept.group_by("user_key", maintain_order=True).agg("word")
    return {key: tuple(found) for key, found in words.iter_rows()}
