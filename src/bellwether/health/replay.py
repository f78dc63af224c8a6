"""Scores of past dates made anew without storing them, as a back-test needs them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from bellwether.common.progress import NoProgress, Progress
from bellwether.health.chunks import HISTORY_DAYS, in_chunks, records_of
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.custom_measures import Custom
from bellwether.health.custom_scoring import customs_of, facts_of, with_customs
from bellwether.health.engine import score_measures, with_expected_dau
from bellwether.health.inputs import MeasureInputs, MeasureSettings
from bellwether.health.loading import load_inputs, workspace_settings
from bellwether.health.measuring import lifetimes, living, measure
from bellwether.health.scorecard import Scorecard
from bellwether.health.storing import SCORES
from bellwether.portfolio.models import Client
from bellwether.usage.known_facts import KnownFacts
from bellwether.usage.workspace import workspace_labels, workspace_lake


@dataclass(frozen=True)
class Replayed:
    """Some days: the measures of the clients living on them, what these were made of, and what was known then.

    `known` is None in hindsight, else that of the only day.
    """

    days: list[date]
    measures: pl.DataFrame
    inputs: MeasureInputs
    known: KnownFacts | None


def replay_measures(
    dates: Iterable[date],
    *,
    now: datetime,
    scorecards: Sequence[Scorecard],
    progress: Progress | None = None,
    as_known: bool = False,
) -> Iterator[pl.DataFrame]:
    """Yield the measures of `dates` in ascending chunks, one row per client living on the day, once for all scorecards.

    The frames have what every one of `scorecards` reads, custom measures included; expected_dau, which differs by
    scorecard, is left to the engine. `progress` counts the dates. With `as_known` each date is measured from what was
    known at its end (docs/reference/as-known.md), else from everything that is known today.
    """
    for replayed in replay(dates, now=now, scorecards=scorecards, progress=progress, as_known=as_known):
        yield replayed.measures


def replay(
    dates: Iterable[date],
    *,
    now: datetime,
    scorecards: Sequence[Scorecard] = (),
    progress: Progress | None = None,
    as_known: bool = False,
    client_ids: Iterable[str] | None = None,
) -> Iterator[Replayed]:
    """Yield the same with what the measures were made of, for all clients or some (32 hex digits)."""
    settings, main = workspace_settings(), main_scorecard()
    watched = progress or NoProgress()
    wanted = sorted(set(dates))
    ids = None if client_ids is None else sorted(client_ids)
    if not wanted:
        return
    customs = customs_of(scorecards)
    watched.start(f"Measuring {len(wanted)} days", len(wanted))
    if as_known:
        yield from _known(wanted, settings, customs, main, now, watched, ids)
        return
    chunks = list(in_chunks(wanted, Client.objects.count()))
    records = records_of(chunks, settings, ids)
    for chunk in chunks:
        loaded = load_inputs(chunk, settings, now=now, scorecard=main, records=records, client_ids=ids)
        measures = with_customs(measure(loaded.inputs, chunk, settings), customs, loaded.inputs, chunk)
        yield Replayed(chunk, living(measures, lifetimes(loaded.inputs)), loaded.inputs, None)
        watched.advance(len(chunk))


def _known(
    dates: Sequence[date],
    settings: MeasureSettings,
    customs: Sequence[Custom],
    main: str,
    now: datetime,
    progress: Progress,
    ids: list[str] | None,
) -> Iterator[Replayed]:
    from bellwether.usage.known_counting import KnownFactsReader  # counts with Ibis, which web processes do without
    from bellwether.usage.late_events import LateEvents

    with LateEvents(
        workspace_lake(), dates, zone=settings.zone, labels=workspace_labels(), specs=facts_of(customs)
    ) as late:
        reader = KnownFactsReader(late)
        for day in dates:
            known = reader.on(day)
            loaded = load_inputs([day], settings, now=now, scorecard=main, as_known=known, client_ids=ids)
            measures = measure(loaded.inputs, [day], settings)
            measures = with_customs(measures, customs, loaded.inputs, [day], as_known=known)
            yield Replayed([day], living(measures, lifetimes(loaded.inputs)), loaded.inputs, known)
            progress.advance()


def score_frames(
    dates: Iterable[date], *, now: datetime, scorecard: Scorecard | None = None, as_known: bool = False
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield (measures, scores) of `dates` in ascending chunks without storing anything.

    Only scores of the pass itself serve the trend; with `as_known` they are what was stored then. `scorecard` defaults
    to the workspace's main one as configured. `as_known` as for `replay_measures`.
    """
    card = scorecard or active_config(main_scorecard(), now=now).scorecard
    history = pl.DataFrame(schema=SCORES)
    for frame in replay_measures(dates, now=now, scorecards=[card], as_known=as_known):
        if frame.is_empty():
            continue
        measures = with_expected_dau(frame, card)
        scored = score_measures(measures, card, history=history)
        history = pl.concat([history, scored.select(list(SCORES))]).filter(
            pl.col("date") > pl.col("date").max() - timedelta(days=HISTORY_DAYS)
        )
        yield measures, scored
