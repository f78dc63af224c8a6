"""Reads what usage is compared with: figures of all clients over a range, the common season, the newest day.

They are the same for every client of the workspace.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from bellwether.health.usage_comparison import Peers
from bellwether.portfolio.models import Client
from bellwether.usage.anomalies import HISTORY_DAYS, Floats, common_season
from bellwether.usage.calendar import first_of, last_of
from bellwether.usage.daily import COLUMNS, Daily, daily, figures
from bellwether.usage.facts import counted_days, read_client_days, stored_months
from bellwether.usage.lake import Lake
from bellwether.usage.public_holidays import holiday_names

SEASON_FROM = 200
"""So many clients, those with most people, tell the season; more would not tell it better."""
COHORT_COLUMNS = ("organization_id", "date", *COLUMNS)


@dataclass(frozen=True)
class Cohort:
    """`season`: the factor of each day of HISTORY_DAYS before the range and of the range. `newest_day`: the newest day
    with an event of any client, None without any. `first_days`: day of the first event ever by organization_id."""

    peers: Peers
    season: Floats
    newest_day: date | None
    first_days: dict[str, date]


def read_cohort(lake: Lake, first: date, last: date, *, working_days: Collection[int]) -> Cohort:
    """Return what the range `first` to `last` is compared with, in one query; health.usage_cohort_keeping keeps it."""
    begin = first - timedelta(days=HISTORY_DAYS)
    first_days = _first_days(lake)
    active_clients = Client.objects.active().order_by()
    found = {name: of for name, *of in active_clients.values_list("organization_id", "contract_tier", "country")}
    ids = dict(active_clients.values_list("organization_id", "pk"))
    tiers = {name: tier for name, (tier, _) in found.items()}
    rows = read_client_days(lake, begin, last, columns=COHORT_COLUMNS)
    facts = daily(rows, begin, last, first_days=first_days)
    season = _season(facts, begin, last, {name: country for name, (_, country) in found.items()})
    known = figures(facts, first, last, working_days=working_days)
    active = [
        place
        for place, name in enumerate(facts.organization_ids)
        if name in tiers and facts.started[place] <= facts.column(last)
    ]
    peers = Peers(
        rows=[facts.organization_ids[place] for place in active],
        clients=[ids[facts.organization_ids[place]] for place in active],
        tiers=[tiers[facts.organization_ids[place]] for place in active],
        figures={name: values[active] for name, values in known.items()},
    )
    return Cohort(peers, season, _newest_day(lake), first_days)


def _season(facts: Daily, begin: date, last: date, countries: dict[str, str]) -> Floats:
    """Return the common season; a client on a holiday of its country does not count on that day."""
    people = facts.since_start("dau")
    largest = np.argsort(-np.nan_to_num(people).sum(axis=1), kind="stable")[:SEASON_FROM]
    for place in largest:
        for day in holiday_names(countries.get(facts.organization_ids[place], ""), begin, last):
            people[place, (day - begin).days] = np.nan
    return common_season(people[largest])


def _newest_day(lake: Lake) -> date | None:
    for month in reversed(stored_months(lake, "client_hours")):
        days = counted_days(lake, first_of(month), last_of(month))
        if days:
            return days[-1]
    return None


def _first_days(lake: Lake) -> dict[str, date]:
    months = stored_months(lake, "client_days")
    if not months:
        return {}
    days = read_client_days(lake, first_of(months[0]), last_of(months[-1]), columns=("organization_id", "date"))
    return dict(days.group_by("organization_id").agg(pl.col("date").min()).iter_rows())
