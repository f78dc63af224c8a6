"""Makes a back-test: measures once, every scorecard and rule on them, figures by horizon, suggested weights."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl

from bellwether.common.errors import InvalidInputError
from bellwether.common.progress import Progress
from bellwether.common.time import day_of
from bellwether.health.backtest_evaluation import evaluate
from bellwether.health.backtest_outcomes import (
    Followed,
    as_of_dates,
    follow,
    follow_labels,
    horizon_in_name,
    while_clients,
)
from bellwether.health.backtest_parameters import MOST_DATES, Parameters
from bellwether.health.backtest_reading import (
    Rival,
    churns,
    first_day,
    ids_by_organization,
    last_days,
    places,
    rivals,
    watch_of,
)
from bellwether.health.backtest_result import Backtest, Suggestion
from bellwether.health.backtest_rules import RULES, Candidate, combined, of_scores
from bellwether.health.backtest_suggestion import suggest
from bellwether.health.configs import ConfigsInForce
from bellwether.health.engine import score_measures
from bellwether.health.loading import workspace_settings
from bellwether.health.replay import replay_measures
from bellwether.health.scorecard import Scorecard, definition_digest
from bellwether.usage.workspace import workspace_lake

TESTED, IN_USE = "tested", "in-use"
BASIS = ("client_id", "date", "tier", "licensed_user_count", "total_users", "days_since_login", "dau_change")


@dataclass(frozen=True)
class Subject:
    """What is tested: a definition as data and parsed, and the version it is, None for a draft."""

    definition: dict[str, Any]
    card: Scorecard
    version: str | None = None


def make_backtest(
    subject: Subject,
    parameters: Parameters,
    *,
    now: datetime,
    progress: Progress,
    labels: pl.DataFrame | None = None,
) -> Backtest:
    """Return the back-test of `subject` on all clients. Stores nothing.

    `labels` (backtest_outcomes.LABELS) take the place of the recorded outcomes; their days are the as-of days then.
    Raises InvalidInputError where there is no day to look back from, or more than 400.
    """
    started, today = time.perf_counter(), day_of(now, workspace_settings().zone)
    notes: list[str] = []
    dates = _dates(parameters, labels, today)
    cards = _cards(subject, parameters, rivals(now=now))
    measures = _measures(dates, cards, parameters, now, progress)
    gone = churns()
    measures = while_clients(measures.rename({"date": "as_of"}), gone, last_days()).rename({"as_of": "date"})
    measures = measures.sort("client_id", "date")
    rows = measures.select("client_id", pl.col("date").alias("as_of"))
    if labels is None:
        cases = {
            days: (follow(rows, gone, horizon=days, until=today), "outcome churned") for days in parameters.horizons
        }
    else:
        cases = _cases_of_labels(rows, labels, parameters, notes)
    candidates, scored = _candidates(cards, parameters, measures)
    progress.start(f"Comparing {len(candidates)} scores and rules", len(cases) + 1)
    watch = watch_of(rows)
    horizons = []
    for days, (followed, label) in cases.items():
        chosen = _on_rows_of(candidates, rows, followed)
        random = np.random.default_rng(parameters.seed)
        horizons.append(evaluate(followed, chosen, days=days, label=label, watch=watch, random=random, in_use=IN_USE))
        progress.advance()
    shown = parameters.shown_first if labels is None else max(cases)
    suggestion = _suggestion(subject, measures, scored, rows, cases[shown][0], shown, parameters)
    progress.advance()
    if not parameters.as_known:
        notes.append("Scores rest on everything known today: what arrived late is in them.")
    return Backtest(
        scorecard={
            "name": subject.card.name,
            "title": subject.card.title,
            "version": subject.version,
            "digest": definition_digest(subject.definition),
        },
        horizon=shown,
        horizons=horizons,
        suggestion=suggestion,
        first=str(dates[0]),
        last=str(dates[-1]),
        dates=len(dates),
        step_days=parameters.step_days,
        as_known=parameters.as_known,
        outcomes=_outcome_words(parameters, gone),
        notes=notes,
        seconds=round(time.perf_counter() - started, 2),
    )


def _dates(parameters: Parameters, labels: pl.DataFrame | None, today: date) -> list[date]:
    first, last = parameters.first, parameters.last or today
    if labels is not None:
        known = labels.filter(pl.col("as_of").is_between(first or date.min, last))["as_of"].unique().sort().to_list()
        where = "The labels name no day"
    else:
        known = as_of_dates(first or first_day(workspace_lake(), today), last, parameters.step_days)
        where = "There is no as-of day"
    if not known:
        raise InvalidInputError(f"{where} between {first or 'the first facts'} and {last}; take a longer span.")
    if len(known) > MOST_DATES:
        raise InvalidInputError(
            f"{len(known)} as-of days are more than {MOST_DATES}; take a longer step.",
            {"step_days": f"gives {len(known)} days"},
        )
    return known


def _cards(subject: Subject, parameters: Parameters, known: Mapping[str, Rival]) -> dict[str, Rival]:
    """Return by key what is scored: what is tested first, the version in use where that is another, the rest."""
    name = subject.card.name
    title = subject.card.title + (f" ({subject.version})" if subject.version else " (draft)")
    cards = {TESTED: Rival(name, title, subject.card)}
    used = known.get(name)
    if used is not None and (used.card != subject.card or used.in_force):
        cards[IN_USE] = used
    wanted = known if parameters.against is None else parameters.against
    return cards | {other: known[other] for other in wanted if other in known and other != name}


def _measures(
    dates: Sequence[date], cards: Mapping[str, Rival], parameters: Parameters, now: datetime, progress: Progress
) -> pl.DataFrame:
    """Return the measures that the cards and rules read, one row per living client and day."""
    every = [card for rival in cards.values() for card in _all_cards(rival)]
    wanted = {*BASIS, *(slug for card in every for slug in card.measures)}
    frames = [
        frame.select(name for name in frame.columns if name in wanted)
        for frame in replay_measures(dates, now=now, scorecards=every, progress=progress, as_known=parameters.as_known)
    ]
    return pl.concat(frames)


def _all_cards(rival: Rival) -> list[Scorecard]:
    scoped = rival.in_force.by_version.values() if rival.in_force else ()
    return [rival.card, *(config.scorecard for config in scoped)]


def _candidates(
    cards: Mapping[str, Rival], parameters: Parameters, measures: pl.DataFrame
) -> tuple[list[Candidate], pl.DataFrame]:
    """Return every ranking of the rows, what is tested first, and the engine's frame of what is tested."""
    candidates, tested = [], pl.DataFrame()
    for key, rival in cards.items():
        if key == IN_USE and rival.in_force:
            candidates.append(_of_scopes(rival.title, rival.in_force, measures))
            continue
        scored = score_measures(measures, rival.card)
        if key == TESTED:
            tested = scored
        candidates.append(of_scores(key, rival.title, scored, rival.card))
    for key, rule in RULES.items():
        if parameters.against is None or key in parameters.against:
            candidates.append(rule(measures))
    return candidates, tested


def _of_scopes(title: str, used: ConfigsInForce, measures: pl.DataFrame) -> Candidate:
    """Return the candidate of what is in force, each client scored by the configuration of its scope."""
    versions = used.assign(places(measures))
    parts = []
    for version, config in used.by_version.items():
        scored = score_measures(measures, config.scorecard)
        parts.append(((versions == version).to_numpy(), of_scores(IN_USE, title, scored, config.scorecard)))
    return combined(IN_USE, title, parts)


def _cases_of_labels(
    rows: pl.DataFrame, labels: pl.DataFrame, parameters: Parameters, notes: list[str]
) -> dict[int, tuple[Followed, str]]:
    column = parameters.labels.column if parameters.labels else "label"
    days = horizon_in_name(column) or parameters.shown_first
    found = labels.join(ids_by_organization(), on="organization_id", how="left")
    unknown = found.filter(pl.col("client_id").is_null())["organization_id"].n_unique()
    if unknown:
        notes.append(f"{unknown} clients of the labels are not clients here; their rows were left out.")
    given = found.drop_nulls("client_id").select("client_id", "as_of", "label")
    followed = follow_labels(rows, given)
    missing = given.height - followed.rows.height
    if missing:
        notes.append(f"{missing} rows of the labels are about days on which the client was not scored; left out.")
    notes.append(
        "The labels do not say when exactly clients left: a loss is dated on the last day labelled 1 of its run, so "
        "lead times are at least what is shown."
    )
    return {days: (followed, column)}


def _on_rows_of(candidates: Sequence[Candidate], rows: pl.DataFrame, followed: Followed) -> list[Candidate]:
    """Return the candidates on the rows of `followed`, which are some of `rows` in their order."""
    if followed.rows.height == rows.height:
        return list(candidates)
    at = rows.with_row_index("row").join(
        followed.rows, on=["client_id", "as_of"], how="inner", maintain_order="right"
    )["row"].to_numpy()  # fmt: skip
    return [Candidate(c.key, c.kind, c.title, c.flag, c.values[at], c.flagged[at]) for c in candidates]


def _suggestion(
    subject: Subject,
    measures: pl.DataFrame,
    scored: pl.DataFrame,
    rows: pl.DataFrame,
    followed: Followed,
    horizon: int,
    parameters: Parameters,
) -> Suggestion:
    labels = rows.with_row_index("row").join(
        followed.rows, on=["client_id", "as_of"], how="inner", maintain_order="right"
    )  # fmt: skip
    return suggest(
        measures[labels["row"]],
        scored[labels["row"]],
        labels.drop("row"),
        subject.definition,
        subject.card,
        horizon=horizon,
        random=np.random.default_rng(parameters.seed),
    )


def _outcome_words(parameters: Parameters, gone: pl.DataFrame) -> str:
    if parameters.labels:
        return f"{parameters.labels.column} from a file"
    return f"{gone.height} recorded outcomes “churned”"
