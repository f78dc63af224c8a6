"""Scores of past dates made anew without storing them, as a back-test needs them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

import polars as pl

from bellwether.common.progress import NoProgress, Progress
from bellwether.health.chunks import HISTORY_DAYS, in_chunks, records_of
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.custom_scoring import customs_of, with_customs
from bellwether.health.engine import score_measures, with_expected_dau
from bellwether.health.loading import load_inputs, workspace_settings
from bellwether.health.measuring import lifetimes, living, measure
from bellwether.health.scorecard import Scorecard
from bellwether.health.storing import SCORES
from bellwether.portfolio.models import Client


def replay_measures(
    dates: Iterable[date], *, now: datetime, scorecards: Sequence[Scorecard], progress: Progress | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the measures of `dates` in ascending chunks, one row per client living on the day, once for all scorecards.

    The frames have what every one of `scorecards` reads, custom measures included; expected_dau, which differs by
    scorecard, is left to the engine. `progress` counts the dates.
    """
    settings, main = workspace_settings(), main_scorecard()
    watched = progress or NoProgress()
    wanted = sorted(set(dates))
    customs = customs_of(scorecards)
    chunks = list(in_chunks(wanted, Client.objects.count()))
    records = records_of(chunks, settings)
    watched.start(f"Measuring {len(wanted)} days", len(wanted))
    for chunk in chunks:
        loaded = load_inputs(chunk, settings, now=now, scorecard=main, records=records)
        measures = with_customs(measure(loaded.inputs, chunk, settings), customs, loaded.inputs, chunk)
        yield living(measures, lifetimes(loaded.inputs))
        watched.advance(len(chunk))


def score_frames(
    dates: Iterable[date], *, now: datetime, scorecard: Scorecard | None = None
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield (measures, scores) of `dates` in ascending chunks without storing anything.

    Only scores of the pass itself serve the trend. `scorecard` defaults to the workspace's main one as configured.
    """
    card = scorecard or active_config(main_scorecard(), now=now).scorecard
    history = pl.DataFrame(schema=SCORES)
    for frame in replay_measures(dates, now=now, scorecards=[card]):
        if frame.is_empty():
            continue
        measures = with_expected_dau(frame, card)
        scored = score_measures(measures, card, history=history)
        history = pl.concat([history, scored.select(list(SCORES))]).filter(
            pl.col("date") > pl.col("date").max() - timedelta(days=HISTORY_DAYS)
        )
        yield measures, scored
