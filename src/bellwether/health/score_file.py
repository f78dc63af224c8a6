"""Scoring a table of measures without a database: a CSV in, scores out (architecture, section 11)."""

import csv
import io
import json
import math
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from bellwether.common.errors import InvalidInputError
from bellwether.health.engine import score_measures
from bellwether.health.scorecard import Scorecard

WORDS = ("tier", "payment_status")
SEATS = ("tier", "licensed_user_count", "total_users")
MAY_BE_NEGATIVE = ("dau_change", "days_to_renewal")
NO_DATE = date(1970, 1, 1)


@dataclass(frozen=True)
class Reject:
    """A row that was not scored. `row` counts from 2, the line after the heading in a table program."""

    row: int
    client_id: str
    reason: str


@dataclass(frozen=True)
class ScoredFile:
    """Scores of a file, in its order, with the rows that could not be scored and the columns that were not read."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    rejects: list[Reject]
    ignored_columns: tuple[str, ...]


def score_table(text: str, scorecard: Scorecard) -> ScoredFile:
    """Return the scores of a CSV with a client_id column and measures under their names; an empty cell is null.

    Raises InvalidInputError when the table has no heading, no client_id or none of the scorecard's measures. A row with
    a cell that is not a number where one is needed is rejected with the reason; the other rows are scored.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    heading = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = heading
    wanted = {*scorecard.measures, *(SEATS if "expected_dau" in scorecard.measures else ()), "previous_score"}
    _check_heading(heading, wanted, scorecard)
    present = [name for name in heading if name in wanted]
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for number, raw in enumerate(reader, start=2):
        client_id = (raw.get("client_id") or "").strip()
        values, problems = _read_row(raw, present)
        if not client_id:
            problems.insert(0, "client_id is empty")
        if None in raw:
            problems.append("has more cells than the heading")
        if problems:
            rejects.append(Reject(number, client_id, "; ".join(problems)))
        else:
            rows.append({"client_id": client_id, "date": NO_DATE, **values})
    keys = tuple(component.key for component in scorecard.components)
    columns = ("client_id", *keys, "score", "status", "trend", "risk", "coverage")
    ignored = tuple(name for name in heading if name not in wanted and name != "client_id")
    return ScoredFile(columns, _score(rows, present, scorecard), rejects, ignored)


def _check_heading(heading: list[str], wanted: set[str], scorecard: Scorecard) -> None:
    if "client_id" not in heading:
        raise InvalidInputError(f"The table needs a column client_id; it has {', '.join(heading) or 'no heading'}.")
    twice = sorted({name for name in heading if heading.count(name) > 1})
    if twice:
        raise InvalidInputError(f"The heading names {', '.join(twice)} more than once; keep one of each.")
    if not wanted.intersection(heading):
        known = ", ".join(sorted(scorecard.measures))
        raise InvalidInputError(f"No column is a measure of scorecard {scorecard.name}. It reads: {known}.")


def _read_row(raw: dict[str, Any], present: list[str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    problems = []
    for name in present:
        text = (raw.get(name) or "").strip()
        if not text:
            values[name] = None
        elif name in WORDS:
            values[name] = text
        else:
            try:
                values[name] = _number(name, text)
            except ValueError as error:
                problems.append(f"{name} {text!r} {error}")
    return values, problems


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("is not a number") from None
    if not math.isfinite(number):
        raise ValueError("is not a finite number")
    if number < 0 and name not in MAY_BE_NEGATIVE:
        raise ValueError("is negative")
    if name == "previous_score" and number > 100:
        raise ValueError("is over 100")
    return number


def _score(rows: list[dict[str, Any]], present: list[str], scorecard: Scorecard) -> list[dict[str, Any]]:
    schema: dict[str, Any] = {"client_id": pl.String, "date": pl.Date, "previous_score": pl.Float64}
    schema |= {name: pl.String if name in WORDS else pl.Float64 for name in present}
    frame = pl.DataFrame([{"previous_score": None, **row} for row in rows], schema=schema)
    scores = score_measures(frame.with_columns(pl.col("previous_score").round(0)), scorecard)
    keys = [component.key for component in scorecard.components]
    whole = [pl.col(c.key).cast(pl.Int64) for c in scorecard.components if c.whole]
    return (
        scores.with_columns(whole).select("client_id", *keys, "score", "status", "trend", "risk", "coverage").to_dicts()
    )


def to_csv(scored: ScoredFile) -> str:
    """Return the scores as CSV; null is an empty cell."""
    target = io.StringIO()
    writer = csv.DictWriter(target, scored.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(scored.rows)
    return target.getvalue()


def to_json(scored: ScoredFile) -> str:
    """Return the scores as a JSON array of objects; missing values are null, an absent word is null too."""
    rows = [{key: None if value == "" else value for key, value in row.items()} for row in scored.rows]
    return json.dumps(rows, indent=2, ensure_ascii=False)
