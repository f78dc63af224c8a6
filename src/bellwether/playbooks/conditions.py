"""Whether conditions hold: for all clients at once, and for one client at a step. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from bellwether.playbooks.definition import Condition
from bellwether.playbooks.frames import TriggerFacts
from bellwether.playbooks.vocabulary import MEASURE


@dataclass(frozen=True, kw_only=True)
class SinceEnrolment:
    """What happened to a client since it was enrolled; `score_change` is None where a score is missing."""

    logged_in: bool = False
    contacted: bool = False
    score_change: float | None = None


@dataclass(frozen=True)
class Failing:
    """The clients for which conditions fail, each with the place of the first one that does."""

    places: Mapping[str, int] = field(default_factory=dict)


def failing(conditions: Sequence[Condition], facts: TriggerFacts) -> Failing:
    """Return which clients fail, by client id (32 hex), and which condition is the first that they fail."""
    rows = facts.clients.select("client_id")
    if not conditions:
        return Failing()
    wide = with_measures(facts, [one.field for one in conditions])
    checks = [_holds(one, facts.today).fill_null(False).alias(f"c{place}") for place, one in enumerate(conditions)]
    checked = wide.select("client_id", *checks)
    places: dict[str, int] = {}
    for place in reversed(range(len(conditions))):
        places |= dict.fromkeys(checked.filter(~pl.col(f"c{place}"))["client_id"].to_list(), place)
    return Failing({client: places[client] for client in rows["client_id"].to_list() if client in places})


def holds(condition: Condition, values: Mapping[str, object], since: SinceEnrolment | None = None) -> bool:
    """Return whether a condition holds for one client. `values` are by field, None or absent where not known."""
    name = condition.field
    asked = {
        "logged_in": since.logged_in, "contacted": since.contacted, "score_change": since.score_change
    } if since else {}  # fmt: skip
    value = asked.get(name, values.get(name))
    match condition.operator:
        case "yes" | "no":
            return bool(value) == (condition.operator == "yes")
        case "known":
            return (value not in (None, "", [])) == bool(condition.value)
        case "in" | "not_in":
            wanted = {one.casefold() for one in condition.value} if isinstance(condition.value, tuple) else set()
            given = value if isinstance(value, list | tuple) else [value]
            found = any(str(one).casefold() in wanted for one in given if one is not None)
            return found == (condition.operator == "in")
    if not isinstance(value, int | float) or not isinstance(condition.value, int | float):
        return False
    return value >= condition.value if condition.operator == "at_least" else value <= condition.value


def values_of(facts: TriggerFacts, names: Sequence[str], client_ids: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return the values that `holds` asks for, by client id (32 hex), for some clients."""
    wide = with_measures(facts, names).filter(pl.col("client_id").is_in(list(client_ids)))
    dated = wide.with_columns(
        days_to_renewal=_days(pl.col("renewal_on"), facts.today, ahead=True),
        days_since_login=_days(pl.col("last_login"), facts.today),
        days_since_contact=_days(pl.col("last_contact"), facts.today),
        tag=pl.col("tags"),
    )
    return {str(row["client_id"]): row for row in dated.to_dicts()}


def with_measures(facts: TriggerFacts, names: Sequence[str]) -> pl.DataFrame:
    """Return the clients with a column for each "measure:<name>" among `names`."""
    wide = facts.clients
    for name in sorted({one for one in names if one.startswith(MEASURE)}):
        found = facts.measures.filter(pl.col("measure") == name.removeprefix(MEASURE))
        wide = wide.join(found.select("client_id", pl.col("value").alias(name)), on="client_id", how="left")
    return wide


def _holds(condition: Condition, today: date) -> pl.Expr:
    name = condition.field
    column = {
        "days_to_renewal": _days(pl.col("renewal_on"), today, ahead=True),
        "days_since_login": _days(pl.col("last_login"), today),
        "days_since_contact": _days(pl.col("last_contact"), today),
    }.get(name, pl.col("tags" if name == "tag" else name))
    if condition.operator == "known":
        listed = name == "tag"
        there = column.list.len() > 0 if listed else column.is_not_null() & (column.cast(pl.String) != "")
        return there.fill_null(False) == bool(condition.value)
    if condition.operator in {"in", "not_in"}:
        values = condition.value if isinstance(condition.value, tuple) else ()
        wanted = [one.casefold() for one in values]
        if name == "tag":
            inside = column.list.eval(pl.element().str.to_lowercase().is_in(wanted)).list.any()
        else:
            inside = column.str.to_lowercase().is_in(wanted)
        return inside.fill_null(False) == (condition.operator == "in")
    level = condition.value if isinstance(condition.value, int | float) else 0
    return column >= level if condition.operator == "at_least" else column <= level


def _days(column: pl.Expr, today: date, *, ahead: bool = False) -> pl.Expr:
    """Return the days from a day to today, or from today to it where it lies ahead."""
    distance = (column - pl.lit(today)) if ahead else (pl.lit(today) - column)
    return distance.dt.total_days()
