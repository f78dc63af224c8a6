"""Scores of past dates made anew without storing them, as a back-test needs them."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

import polars as pl

from bellwether.health.chunks import HISTORY_DAYS, in_chunks, records_of
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.custom_scoring import customs_of, with_customs
from bellwether.health.engine import score_measures, with_expected_dau
from bellwether.health.loading import load_inputs, workspace_settings
from bellwether.health.measuring import lifetimes, living, measure
from bellwether.health.scorecard import Scorecard
from bellwether.health.storing import SCORES
from bellwether.portfolio.models import Client


def score_frames(
    dates: Iterable[date], *, now: datetime, scorecard: Scorecard | None = None
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield (measures, scores) of `dates` in ascending chunks without storing anything, as a back-test needs them.

    Only scores of the pass itself serve the trend. `scorecard` defaults to the workspace's main one as configured.
    """
    settings, main = workspace_settings(), main_scorecard()
    card = scorecard or active_config(main, now=now).scorecard
    history = pl.DataFrame(schema=SCORES)
    customs = customs_of([card])
    chunks = list(in_chunks(sorted(set(dates)), Client.objects.count()))
    records = records_of(chunks, settings)
    for chunk in chunks:
        loaded = load_inputs(chunk, settings, now=now, scorecard=main, records=records)
        measures = with_customs(measure(loaded.inputs, chunk, settings), customs, loaded.inputs, chunk)
        measures = living(measures, lifetimes(loaded.inputs))
        measures = with_expected_dau(measures, card)
        scored = score_measures(measures, card, history=history)
        since = chunk[-1] - timedelta(days=HISTORY_DAYS)
        history = pl.concat([history, scored.select(list(SCORES))]).filter(pl.col("date") > since)
        yield measures, scored
