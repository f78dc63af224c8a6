"""What stands in the event lane of the health trend beside a client's records: versions and days scored again. Pure.

Everything else comes as entries of the timeline: an entry with a `weight` is marked, whatever it is made from.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from bellwether.health.score_changes import ScoreDay
from bellwether.portfolio.timeline import Entry, Group
from bellwether.web.formatting import plural

CONFIG_WEIGHT, RESCORED_WEIGHT = 8, 2


def version_changes(series: Sequence[ScoreDay]) -> list[tuple[date, str, str]]:
    """Return (day, version before, version) where consecutive scores were made with different versions."""
    named = [point for point in series if point.version]
    return [
        (after.day, before.version, after.version)
        for before, after in pairwise(named)
        if before.version != after.version
    ]


def number_of(version: str) -> int | None:
    """Return the number in "prd-015 v7"; None where there is none."""
    number = version.rpartition(" v")[2]
    return int(number) if number.isdigit() else None


def config_entries(series: Sequence[ScoreDay], reasons: Mapping[int, str]) -> list[Entry]:
    """Return an entry for each version that came into force; `reasons` say why by version number."""
    found = []
    for on, before, version in version_changes(series):
        number, earlier = number_of(version), number_of(before)
        name = f"Version {number}" if number is not None else version
        reason = reasons.get(number, "").rstrip(".") if number is not None else ""
        instead = f"In place of version {earlier}." if earlier is not None else f"In place of {before}."
        found.append(
            Entry(
                key=f"config-{on.isoformat()}",
                on=on,
                group=Group.SCORE,
                icon="sliders-horizontal",
                title=f"{name} of the health score came into force",
                detail=f"{instead} {reason}." if reason else instead,
                rank=0.1,
                weight=CONFIG_WEIGHT,
                mark=f"{name} came into force",
            )
        )
    return found


def rescored_entries(seen: Sequence[tuple[date, int | None]], scores: Mapping[date, int | None]) -> list[Entry]:
    """Return an entry for each run of days that were scored again after late data; `seen` are the scores before it."""
    runs: list[list[tuple[date, int | None]]] = []
    for day, score in seen:
        if runs and runs[-1][-1][0] == day - timedelta(days=1):
            runs[-1].append((day, score))
        else:
            runs.append([(day, score)])
    return [_rescored(run, scores) for run in runs]


def _rescored(run: Sequence[tuple[date, int | None]], scores: Mapping[date, int | None]) -> Entry:
    day, before = run[-1]
    title = "Scored again after late data" if len(run) == 1 else f"{len(run)} days scored again after late data"
    return Entry(
        key=f"rescored-{day.isoformat()}",
        on=day,
        group=Group.SCORE,
        icon="history",
        title=title,
        detail=f"The last of them: {_points(scores.get(day))} instead of {_points(before)}.",
        rank=0.2,
        weight=RESCORED_WEIGHT,
        mark=f"{plural(len(run), 'day')} scored again",
    )


def _points(score: int | None) -> str:
    return "no score" if score is None else str(score)
