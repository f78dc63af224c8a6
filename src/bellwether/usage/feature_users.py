"""Who uses a feature at one client, counted from the raw events: the facts do not say who did what. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb

from bellwether.usage.event_match import COLUMNS, EventMatch
from bellwether.usage.lake import ACTION_TYPES, Lake
from bellwether.usage.recent_parts import recent_parts

WINDOW_DAYS = 30
MOST_USERS = 200
MEMORY_LIMIT = "512MB"


@dataclass(frozen=True)
class FeatureUser:
    """A user of the product by pseudonym, how often the feature was used, and when last."""

    user_key: str
    role: str
    is_service: bool
    uses: int
    last_used: datetime


@dataclass(frozen=True)
class FeatureUsers:
    """How many users there are, the MOST_USERS that use the feature most, and how many of WINDOW_DAYS days had events.

    `days` 0: no raw events of this window are kept, so nothing is known. `since`: the first day that was counted, where
    the window holds more events than are read for a page (usage.recent_parts).
    """

    users: int
    first: list[FeatureUser]
    days: int
    since: date | None = None


def feature_users(
    lake: Lake, organization_id: str, today: date, matches: list[EventMatch], *, services: bool
) -> FeatureUsers:
    """Return who used what fits `matches` in the 30 days that end today; service users count only if `services`.

    Each message counts once, however often it lies in the lake. Memory is bounded by MEMORY_LIMIT; what is more goes to
    disk. Raises duckdb.Error or OSError where the events cannot be read.
    """
    recent = recent_parts(lake, today, days=WINDOW_DAYS)
    local = [str(path) for path in lake.local(recent.paths)]
    if not local or not matches:
        return FeatureUsers(0, [], recent.days if local else 0)
    fits, values = _condition(matches)
    people = "" if services else "AND NOT is_service"
    # The condition is made of column names of ours and numbered parameters; values never become SQL.
    sql = f"""
        WITH uses AS (
            SELECT user_key, any_value(is_service) AS is_service, max(role) AS role, max(ts) AS ts
            FROM read_parquet($paths, hive_partitioning = false)
            WHERE organization_id = $client AND user_key IS NOT NULL AND list_contains($types, type) {people}
                AND ({fits})
            GROUP BY user_key, source, message_id
        )
        SELECT user_key, max(role), bool_and(is_service), count(*) AS n, epoch_us(max(ts)), count(*) OVER ()
        FROM uses GROUP BY user_key ORDER BY n DESC, user_key LIMIT {MOST_USERS}
    """
    given = {"paths": local, "client": organization_id, "types": list(ACTION_TYPES), **values}
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(lake.folder / ".spill"),
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET preserve_insertion_order = false")
        rows = connection.execute(sql, given).fetchall()
    found = [
        FeatureUser(key, role or "", bool(service), int(uses), _instant(last))
        for key, role, service, uses, last, _ in rows
    ]
    return FeatureUsers(int(rows[0][5]) if rows else 0, found, recent.days, recent.since)


def _condition(matches: list[EventMatch]) -> tuple[str, dict[str, str]]:
    """Return the condition on event, module and feature, and its parameters."""
    parts: list[str] = []
    values: dict[str, str] = {}
    for number, match in enumerate(sorted(matches)):
        asked = {column: getattr(match, column) for column in COLUMNS if getattr(match, column)}
        values |= {f"{column}_{number}": value for column, value in asked.items()}
        parts.append("(" + " AND ".join(f"{column} = ${column}_{number}" for column in asked) + ")")
    return " OR ".join(parts), values


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
