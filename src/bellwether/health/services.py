"""Scoring: load, measure, score, store. One pass for all clients and any dates; doing it again changes no row."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import polars as pl
from django.db import transaction

from bellwether.common.errors import InvalidInputError
from bellwether.common.progress import Progress
from bellwether.common.rounding import half_up
from bellwether.common.time import day_of
from bellwether.health.chunks import HISTORY_DAYS, in_chunks, records_of
from bellwether.health.config_parts import clients_to_assign, configs_on, divide
from bellwether.health.configs import ActiveConfig, Timeline, main_scorecard, timeline
from bellwether.health.custom_measures import Custom
from bellwether.health.custom_scoring import customs_of, with_customs
from bellwether.health.custom_storing import keep_values
from bellwether.health.engine import score_parts, with_expected_dau
from bellwether.health.held_values import held_slugs
from bellwether.health.holding import with_held
from bellwether.health.inputs import MeasureSettings
from bellwether.health.loading import Loaded, load_inputs, workspace_settings
from bellwether.health.measuring import lifetimes, living, measure
from bellwether.health.notable import notable_events
from bellwether.health.score_rows import score_rows
from bellwether.health.score_telling import tell_scores
from bellwether.health.scorecard import Scorecard
from bellwether.health.scorecards_in_use import scorecards_in_use
from bellwether.health.storing import (
    CURRENT,
    current_values,
    read_scores,
    sparklines,
    store_current,
    store_scores,
)
from bellwether.portfolio.models import Client

THIN = ("interval_low", "interval_high", "component_data")
"""The columns of a score row that say where data are missing."""

ROWS_AT_ONCE = 20_000
"""Rows that are written as texts and stored at once: of more, the texts alone would fill the memory."""


@dataclass(frozen=True)
class ScoreCounts:
    """What a pass did. `scored` and `unscored` are (client, date) pairs of the main scorecard with and without a score;
    `changed` counts rows of any scorecard that were new or differed, `clients` those whose current columns changed."""

    dates: int = 0
    scored: int = 0
    unscored: int = 0
    changed: int = 0
    clients: int = 0

    def __add__(self, other: "ScoreCounts") -> "ScoreCounts":
        return ScoreCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as jobs report them."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


class ScoreDateError(InvalidInputError):
    """Dates that cannot be scored."""


def score_dates(
    dates: Iterable[date],
    *,
    now: datetime,
    progress: Progress,
    scorecards: Sequence[str] | None = None,
    client_ids: Iterable[UUID] | None = None,
    readings: pl.DataFrame | None = None,
) -> ScoreCounts:
    """Score all clients (or `client_ids`) on `dates` and store what differs; return the counts.

    Clients are scored from the day they are known (contract, first event or record) to the day they leave. The first of
    `scorecards` (default: the workspace's main one alone) keeps the clients' current columns, if it is the main one.
    `readings` (health.inputs.READINGS) gives payment status and renewal signal of past days where a source has that
    history. Raises ScoreDateError for dates after today, InvalidInputError for an unusable scorecard.
    """
    settings = workspace_settings()
    wanted, today = sorted(set(dates)), day_of(now, settings.zone)
    if wanted and wanted[-1] > today:
        raise ScoreDateError(f"{wanted[-1]} cannot be scored: it is after today, {today}.")
    main = main_scorecard()
    lines = [timeline(name, now=now) for name in scorecards or [main]]
    ids = None if client_ids is None else [client.hex for client in client_ids]
    chunks = list(in_chunks(wanted, len(ids) if ids is not None else Client.objects.count()))
    progress.start(f"Scoring {len(wanted)} days", len(wanted))
    total, newest = ScoreCounts(), _Newest()
    records = records_of(chunks, settings, ids)
    customs = customs_of(config.scorecard for line in lines for config in configs_on(line, wanted))
    assigned_by = clients_to_assign(lines, ids)
    for chunk in chunks:
        loaded = load_inputs(
            chunk, settings, now=now, scorecard=main, client_ids=ids, readings=readings, records=records
        )
        measures = with_customs(measure(loaded.inputs, chunk, settings), customs, loaded.inputs, chunk)
        measures = with_held(
            living(measures, lifetimes(loaded.inputs)),
            {slug for line in lines for config in configs_on(line, chunk) for slug in held_slugs(config.scorecard)},
            scorecard=main,
            ids=ids,
            everyone=partial(_measures_of_all, chunk, customs, settings, now, main),
        )
        total += _score_chunk(loaded, measures, chunk, lines, assigned_by, customs, settings, now, newest)
        progress.advance(len(chunk))
    if chunks and day_of(now, settings.zone) == chunks[-1][-1]:
        keep_values(loaded.inputs, chunks[-1][-1])
    return total + ScoreCounts(clients=_update_clients(newest, main, settings, ids, now))


def _measures_of_all(
    dates: Sequence[date], customs: Sequence[Custom], settings: MeasureSettings, now: datetime, main: str
) -> pl.DataFrame:
    """Return the measures of all clients, which say whether a source is still there for any of them."""
    inputs = load_inputs(dates, settings, now=now, scorecard=main).inputs
    measures = with_customs(measure(inputs, dates, settings), customs, inputs, dates)
    return living(measures, lifetimes(inputs))


class _Newest:
    """The newest row of the main scorecard per client with its configuration, and when its people were last seen."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, ActiveConfig] = {}
        self.last_seen: dict[str, datetime] = {}

    def take(self, scored: pl.DataFrame, rows: pl.DataFrame, config: ActiveConfig) -> None:
        """Keep the newest row of each client; chunks come in the order of their dates, parts of them need not.

        `rows` are those that `scored` is stored as, in its order.
        """
        places = scored.select("client_id", "date").with_row_index("at").group_by("client_id", maintain_order=True)
        at = places.agg(pl.col("at").get(pl.col("date").arg_max()))["at"]
        latest = scored[at].with_columns(rows[name][at] for name in THIN)
        for row in latest.iter_rows(named=True):
            client = row["client_id"]
            if client not in self.rows or row["date"] >= self.rows[client]["date"]:
                self.rows[client], self.configs[client] = row, config

    def see(self, loaded: Loaded) -> None:
        """Keep when people were last seen."""
        seen = loaded.inputs.clients.join(loaded.last_seen, on="organization_id").select("client_id", "last_ts")
        self.last_seen |= dict(seen.drop_nulls().iter_rows())


def _score_chunk(
    loaded: Loaded,
    measures: pl.DataFrame,
    dates: Sequence[date],
    lines: Sequence[Timeline],
    assigned_by: pl.DataFrame,
    customs: Sequence[Custom],
    settings: MeasureSettings,
    now: datetime,
    newest: _Newest,
) -> ScoreCounts:
    notable = notable_events(loaded.inputs, dates, settings)
    counts = ScoreCounts(dates=len(dates))
    newest.see(loaded)
    for index, line in enumerate(lines):
        parts = [
            (config, with_expected_dau(rows, config.scorecard))
            for config, rows in divide(measures, line, dates, assigned_by)
        ]
        history = _history([config.scorecard for config, _ in parts], dates)
        every = score_parts([(given, config.scorecard) for config, given in parts], history=history)
        for (config, given), scored in zip(parts, every, strict=True):
            card = config.scorecard
            versions = {custom.slug: custom.version for custom in customs if custom.slug in card.measures}
            for some, read in zip(scored.iter_slices(ROWS_AT_ONCE), given.iter_slices(ROWS_AT_ONCE), strict=True):
                rows = score_rows(
                    some,
                    read,
                    scorecard=card,
                    version=config.version,
                    digest=config.digest,
                    notable=notable,
                    customs=versions,
                )
                counts += ScoreCounts(changed=store_scores(rows, now=now))
                if line.scorecard == main_scorecard():
                    newest.take(some, rows, config)
            if index == 0:
                unscored = scored["score"].null_count()
                counts += ScoreCounts(scored=scored.height - unscored, unscored=unscored)
    return counts


def _history(cards: Sequence[Scorecard], dates: Sequence[date]) -> pl.DataFrame:
    """Return the stored scores of a scorecard that the trend rules of its configurations may compare with."""
    firsts, lasts = [], []
    for rule in {card.trend for card in cards}:
        window = rule.against == "window"
        firsts.append(dates[0] - timedelta(days=rule.days if window else HISTORY_DAYS))
        lasts.append(dates[-1] - timedelta(days=rule.at_least if window else 1))
    return read_scores(cards[0].name, min(firsts), max(lasts))


def _update_clients(newest: _Newest, main: str, settings: MeasureSettings, ids: list[str] | None, now: datetime) -> int:
    """Bring the clients' current columns to their newest score; return how many clients changed."""
    if not newest.rows:
        return 0
    before = current_values(ids)
    scored_on, last_activity = CURRENT.index("scored_on"), CURRENT.index("last_activity_at")
    rows = {
        client: row
        for client, row in newest.rows.items()
        if client in before and (before[client][scored_on] is None or row["date"] >= before[client][scored_on])
    }
    ends = pl.DataFrame(
        {"client_id": list(rows), "date": [row["date"] for row in rows.values()]},
        schema={"client_id": pl.String, "date": pl.Date},
    )
    lines = sparklines(main, ends)
    wanted = {
        client: _current(
            row,
            newest.configs[client],
            lines.get(client, []),
            newest.last_seen.get(client, before[client][last_activity]),
        )
        for client, row in rows.items()
    }
    with transaction.atomic():
        changed = store_current(wanted, before)
        tell_scores(wanted, before, now=now)
    return changed


def _current(
    row: dict[str, Any], config: ActiveConfig, line: list[int | None], last_seen: datetime | None
) -> tuple[Any, ...]:
    """Return a client's current columns (storing.CURRENT) from its newest scored row."""
    rule = config.scorecard.trend
    words = {rule.up: "UP", rule.down: "DOWN", rule.flat: "FLAT"}
    components = {
        component.key: None if row[component.key] is None else half_up(row[component.key])
        for component in config.scorecard.components
    }
    known = json.loads(row["component_data"])
    missing = [c.key for c in config.scorecard.components if known[c.key]["coverage"] < 1]
    return (
        row["score"], row["health_status"], words.get(row["trend"]), row["trend_change"], row["coverage"],
        row["interval_low"], row["interval_high"], missing, row["no_score_reason"][:200], components, line,
        row["date"], last_seen,
    )  # fmt: skip


def score_client_today(client_id: UUID, *, now: datetime, progress: Progress) -> ScoreCounts:
    """Score one client today, as after a click on refresh; return the counts."""
    today = day_of(now, workspace_settings().zone)
    return score_dates([today], now=now, progress=progress, scorecards=scorecards_in_use(), client_ids=[client_id])
