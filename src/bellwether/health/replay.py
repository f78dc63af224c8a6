"""Scores of past dates made anew without storing them, as a back-test needs them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

import polars as pl

from bellwether.common.progress import NoProgress, Progress
from bellwether.health.chunks import HISTORY_DAYS, in_chunks, records_of
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.custom_measures import Custom
from bellwether.health.custom_scoring import customs_of, facts_of, with_customs
from bellwether.health.engine import score_measures, with_expected_dau
from bellwether.health.inputs import MeasureSettings
from bellwether.health.loading import load_inputs, workspace_settings
from bellwether.health.measuring import lifetimes, living, measure
from bellwether.health.scorecard import Scorecard
from bellwether.health.storing import SCORES
from bellwether.portfolio.models import Client
from bellwether.usage.workspace import workspace_labels, workspace_lake


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
    settings, main = workspace_settings(), main_scorecard()
    watched = progress or NoProgress()
    wanted = sorted(set(dates))
    if not wanted:
        return
    customs = customs_of(scorecards)
    watched.start(f"Measuring {len(wanted)} days", len(wanted))
    if as_known:
        yield from _known_measures(wanted, settings, customs, main, now, watched)
        return
    chunks = list(in_chunks(wanted, Client.objects.count()))
    records = records_of(chunks, settings)
    for chunk in chunks:
        loaded = load_inputs(chunk, settings, now=now, scorecard=main, records=records)
        measures = with_customs(measure(loaded.inputs, chunk, settings), customs, loaded.inputs, chunk)
        yield living(measures, lifetimes(loaded.inputs))
        watched.advance(len(chunk))


def _known_measures(
    dates: Sequence[date],
    settings: MeasureSettings,
    customs: Sequence[Custom],
    main: str,
    now: datetime,
    progress: Progress,
) -> Iterator[pl.DataFrame]:
    from bellwether.usage.known_counting import KnownFactsReader  # counts with Ibis, which web processes do without
    from bellwether.usage.late_events import LateEvents

    with LateEvents(
        workspace_lake(), dates, zone=settings.zone, labels=workspace_labels(), specs=facts_of(customs)
    ) as late:
        reader = KnownFactsReader(late)
        for day in dates:
            known = reader.on(day)
            loaded = load_inputs([day], settings, now=now, scorecard=main, as_known=known)
            measures = measure(loaded.inputs, [day], settings)
            measures = with_customs(measures, customs, loaded.inputs, [day], as_known=known)
            yield living(measures, lifetimes(loaded.inputs))
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
