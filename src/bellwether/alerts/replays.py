"""Replays rules over the past of this workspace, beside candidates for other thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.conf import settings as django_settings

from bellwether.alerts.defaults import KIND, SEVERITIES
from bellwether.alerts.detecting import DETECTORS, detect
from bellwether.alerts.frames import Facts, Rules
from bellwether.alerts.reading import read_facts
from bellwether.alerts.replaying import Replay, replay
from bellwether.alerts.settings_reading import read_rules
from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.portfolio.models import Client

YEAR_DAYS = 364
"""52 weeks: as many of each weekday."""
WARM_UP_DAYS = 120
"""Days before a replay that are looked at, so that what held when it begins is not counted as news: as many as the job
looks at the first time."""


@dataclass(frozen=True)
class Comparison:
    """What the rules in force would have meant, and a candidate where one is given."""

    present: Replay
    candidate: Replay | None = None


def replay_rules(
    *,
    now: datetime,
    types: Sequence[str] = (),
    first: date | None = None,
    last: date | None = None,
    thresholds: Mapping[str, Mapping[str, float]] | None = None,
    candidate: Rules | None = None,
    facts: Facts | None = None,
) -> Comparison:
    """Return what alerts of `types` (all by default) would have meant from `first` to `last`, by default the 52 weeks
    before today, with the settings in force.

    A candidate is given as rules, or as other `thresholds` (by type and name) for all clients, turned on. Alerts that
    would have been kept silently (alert level, no media) are left out; mutes are not looked at. `facts`, if given, are
    those of `facts_for`. Clients that left are part of it. Raises InvalidInputError for days, types or thresholds that
    there are not.
    """
    wanted = _known_types(types)
    begin, end = span_of(first, last, now=now)
    given = facts if facts is not None else facts_for(begin, end, types=wanted)
    rules = present_rules()
    if thresholds:
        candidate = (candidate or rules).enabled(thresholds)
        for alert_type, values in thresholds.items():
            checked(alert_type, values)
            candidate = candidate.with_thresholds(alert_type, values)
    return Comparison(
        replay(given, rules, first=begin, last=end, warm_up=WARM_UP_DAYS, types=wanted),
        replay(given, candidate, first=begin, last=end, warm_up=WARM_UP_DAYS, types=wanted) if candidate else None,
    )


def facts_for(first: date, last: date, *, types: Sequence[str] = (), anew: bool = False) -> Facts:
    """Return the facts that `types` need for a replay from `first` to `last`; `anew`: with scores made anew."""
    return read_facts(first - timedelta(days=WARM_UP_DAYS), last, types=_known_types(types), anew=anew)


def open_now(*, now: datetime, types: Sequence[str] = ()) -> pl.DataFrame:
    """Return the EPISODES that are open today under the rules in force, found anew; the most severe first."""
    today = day_of(now, django_settings.BELLWETHER_WORKSPACE_ZONE)
    first = today - timedelta(days=YEAR_DAYS - 1)
    wanted = _known_types(types)
    found = detect(read_facts(first, today, types=wanted), present_rules().only(wanted), first=first, last=today)
    rank = pl.col("severity").replace_strict({name: place for place, name in enumerate(SEVERITIES)})
    return found.filter(pl.col("cleared_on").is_null()).sort(
        rank, "opened_on", "client_id", descending=[False, True, False]
    )


def present_rules() -> Rules:
    """Return the settings in force for all clients, those that left too, without alerts that nobody is told of."""
    return told(read_rules(Client.objects.all()))


def told(rules: pl.DataFrame) -> Rules:
    """Return `rules` (settings_resolving.RULES) without those that are kept silently."""
    return Rules(rules.filter(pl.col("media").list.len() > 0))


def checked(alert_type: str, thresholds: Mapping[str, float]) -> None:
    """Raise InvalidInputError unless `alert_type` is one and has `thresholds` of these names within their bounds."""
    if alert_type not in KIND:
        raise InvalidInputError(f"There is no type of alert {alert_type!r}; there are {', '.join(KIND)}.")
    known = {one.name: one for one in KIND[alert_type].thresholds}
    for name, value in thresholds.items():
        if name not in known:
            there = ", ".join(known) or "none"
            raise InvalidInputError(f"{alert_type} has no threshold {name!r}; there are {there}.")
        one = known[name]
        if not one.least <= value <= one.most or (one.whole and value != int(value)):
            kind = "a whole number" if one.whole else "a number"
            raise InvalidInputError(f"{name} must be {kind} from {one.least:g} to {one.most:g}, not {value:g}.")


def _known_types(types: Sequence[str]) -> list[str]:
    unknown = [name for name in types if name not in KIND]
    if unknown:
        raise InvalidInputError(f"There is no type of alert {unknown[0]!r}; there are {', '.join(KIND)}.")
    return list(types) or list(DETECTORS)


def span_of(first: date | None, last: date | None, *, now: datetime) -> tuple[date, date]:
    """Return the days of a replay: by default the 52 weeks before today. Raises InvalidInputError for wrong ones."""
    today = day_of(now, django_settings.BELLWETHER_WORKSPACE_ZONE)
    end = last or today - timedelta(days=1)
    begin = first or end - timedelta(days=YEAR_DAYS - 1)
    if begin > end:
        raise InvalidInputError(f"The first day ({begin}) must not be after the last one ({end}).")
    if end > today:
        raise InvalidInputError(f"The last day ({end}) must not be after today ({today}).")
    return begin, end
