"""Industries beside each other: health, adoption, churn, and how they went. The same for page and API."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.conf import settings
from django.core.cache import caches

from bellwether.benchmarks.cohorts import Group, Mask, group_key
from bellwether.benchmarks.metrics import METRICS
from bellwether.benchmarks.models import PeerBenchmark
from bellwether.benchmarks.night import Night, Sight
from bellwether.benchmarks.percentiles import AT_LEAST, Spread, spread
from bellwether.common.time import day_of
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome

KEPT_SECONDS = 60
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Churn:
    """Of `clients` that were there a year ago, `left` had churned by now."""

    clients: int
    left: int

    @property
    def rate(self) -> float:
        """The share that left, 0-1."""
        return self.left / self.clients


@dataclass(frozen=True)
class Industry:
    """An industry, or all of them with the name "". `spreads` maps metric to its spread, None where not shown.

    `hidden` says why nothing is shown. `churn` is None under five clients or where the industry is hidden.
    """

    name: str
    clients: int
    spreads: dict[str, Spread | None]
    churn: Churn | None
    hidden: str


@dataclass(frozen=True)
class TrendPoint:
    """The health of a group on the last night of a month."""

    day: date
    clients: int
    median: float | None
    mean: float | None


def industries(night: Night, sight: Sight, *, now: datetime, own: bool = False) -> list[Industry]:
    """Return all clients and then each industry by its name; with `own` of the viewer's own clients alone.

    Of the own clients every number of them is shown (they are no secret to the viewer), but none is called a group
    of under five; of all, what the rule of privacy allows.
    """
    names = sorted(set(night.roster.classes["industry"]) - {""})
    churned = churn_by_industry(now)
    found = []
    for name in ["", *names]:
        group: Group = (("industry", name),) if name else ()
        mask = night.roster.of(group)
        if own:
            mask &= sight.visible
            if name and not mask.any():
                continue
        found.append(_industry(night, sight, name, group, mask, None if own else churned.get(name), own=own))
    return found


def _industry(
    night: Night, sight: Sight, name: str, group: Group, mask: Mask, churn: Churn | None, *, own: bool
) -> Industry:
    clients = int(mask.sum())
    spreads = {
        metric.key: spread(night.values[metric.key][mask]) if own or sight.allows(group, metric.key) else None
        for metric in METRICS
    }
    hidden = ""
    if clients < AT_LEAST:
        hidden = f"{clients} of {AT_LEAST} clients needed"
    elif not any(spreads.values()):
        hidden = "Beside other groups it would tell about single clients"
    shown = churn is not None and churn.clients >= AT_LEAST and not hidden
    return Industry(name, clients, spreads, churn if shown else None, hidden)


def churn_by_industry(now: datetime) -> dict[str, Churn]:
    """Return the churn of the last 365 days by industry, "" for all: of those with a contract then, who has left."""
    cache = caches["memory"]
    kept: dict[str, Churn] | None = cache.get("benchmarks-churn")
    if kept is not None:
        return kept
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    since = today - YEAR
    churned: dict[object, date] = {}
    for client_id, day in ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED, date__lte=today).values_list(
        "client_id", "date"
    ):
        churned[client_id] = max(day, churned.get(client_id, day))
    counts: dict[str, list[int]] = {}
    for client_id, industry, archived in Client.objects.filter(contract_start_date__lte=since).values_list(
        "pk", "industry", "archived_at"
    ):
        left = churned.get(client_id)
        if (left and left <= since) or (archived and day_of(archived, settings.BELLWETHER_WORKSPACE_ZONE) <= since):
            continue
        for name in {industry, ""}:
            entry = counts.setdefault(name, [0, 0])
            entry[0] += 1
            entry[1] += left is not None
    found = {name: Churn(*entry) for name, entry in counts.items()}
    cache.set("benchmarks-churn", found, KEPT_SECONDS)
    return found


def health_trend(names: list[str], *, metric: str = "health") -> dict[str, list[TrendPoint]]:
    """Return the figures of each month's last night, oldest first, by industry ("" for all)."""
    keys = {group_key((("industry", name),) if name else ()): name for name in names}
    rows = PeerBenchmark.objects.filter(metric=metric, group__in=list(keys)).order_by("date")
    found: dict[str, dict[tuple[int, int], TrendPoint]] = {name: {} for name in names}
    for group, day, peers, median, mean in rows.values_list("group", "date", "peers", "median", "mean"):
        found[keys[group]][day.year, day.month] = TrendPoint(day, peers, median, mean)
    return {name: list(points.values()) for name, points in found.items()}


def best_in_class(night: Night, sight: Sight, name: str, metric: str = "health") -> tuple[float | None, list[str]]:
    """Return the upper quartile of an industry and, for roles that see all clients, who is at or above it.

    Names are at most five, best first.
    """
    group: Group = (("industry", name),)
    mask = night.roster.of(group)
    found = spread(night.values[metric][mask]) if sight.allows(group, metric) else None
    if found is None:
        return None, []
    if not sight.sees_all:
        return found.p75, []
    values = np.where(mask, np.nan_to_num(night.values[metric], nan=-1), -1)
    order = [place for place in np.argsort(-values, kind="stable")[:AT_LEAST] if values[place] >= found.p75]
    ids = {place: client_id for client_id, place in night.places.items()}
    names = dict(Client.objects.filter(pk__in=[ids[int(place)] for place in order]).values_list("pk", "name"))
    return found.p75, [names[ids[int(place)]] for place in order if ids[int(place)] in names]
