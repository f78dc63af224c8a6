"""What rules would have meant over past days: how many alerts, for whom, and how many came before a churn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

import polars as pl

from bellwether.alerts.detecting import DETECTORS, detect
from bellwether.alerts.frames import Facts, Rules

HORIZONS = (30, 60, 90)
"""Days within which a churn may follow an alert."""
CHURNED = "CHURNED"
SCORE_TYPES = frozenset({"HEALTH_DROP", "CRITICAL_HEALTH"})
USE_TYPES = frozenset(
    {"USAGE_DECLINE", "CONTRACT_UTILIZATION_LOW", "FEATURE_ABANDONED", "KEY_USER_INACTIVE", "CHAMPION_RISK"}
)
SETTLING_DAYS = 14
"""A replay begins so many days after its facts do: what held when they began was no news."""
WEEK_DAYS = 7
Z95 = 1.959964


@dataclass(frozen=True)
class Precision:
    """Of `decided` alerts (those whose horizon is over) `followed` came at most `days` before a churn of the client.

    `share` and its 95 % interval (Wilson) are 0-1, None where nothing is decided. Alerts of one client are not
    independent, so the interval is rather too narrow. `base` is the same share for any client on any day.
    """

    days: int
    decided: int
    followed: int
    share: float | None
    low: float | None
    high: float | None
    base: float | None = None


@dataclass(frozen=True)
class Load:
    """What rules of one type, or of all ("" as type), came to. A week is 7 days; `per_csm_week` is None without CSMs.

    `churns` are the churns of the span, `warned` those with an alert in the 90 days before; `lead_days` is the median
    from the first of those alerts to the churn, None without any.
    """

    alert_type: str
    alerts: int
    clients: int
    per_week: float
    per_csm_week: float | None
    precision: tuple[Precision, ...]
    churns: int
    warned: int
    lead_days: float | None


@dataclass(frozen=True)
class Replay:
    """What rules would have meant from `first` to `last`. `csms` counts who looks after the clients today.

    `by_week` has week (its first day), alert_type and alerts; `by_csm` csm (null: nobody), alert_type, alerts and
    per_week; `by_client` client_id, alerts, alert_types, last_opened_on and churned_on (null: not in the span), most
    alerts first. `episodes` are the EPISODES that opened.
    """

    first: date
    last: date
    weeks: float
    csms: int
    total: Load
    types: tuple[Load, ...]
    by_week: pl.DataFrame
    by_csm: pl.DataFrame
    by_client: pl.DataFrame
    episodes: pl.DataFrame

    def of(self, alert_type: str) -> Load | None:
        """Return the load of a type, None where it was not asked for."""
        return next((one for one in self.types if one.alert_type == alert_type), None)


def replay(
    facts: Facts,
    rules: Rules,
    *,
    first: date,
    last: date,
    warm_up: int = 0,
    types: Sequence[str] = (),
    until: date | None = None,
) -> Replay:
    """Return what `rules` would have meant from `first` to `last`, with `facts` of these days and `warm_up` before.

    Only alerts that opened from `first` on count: what held before was no news. `types`: those alone, by default all
    of the rules. `until` (by default `last`) is the last day of which it is known who churned. A replay does not begin
    before the facts do: weeks of which nothing is known would make the load look small.
    """
    wanted = list(types) or [name for name in DETECTORS if not rules.of(name).is_empty()]
    first = min(max(first, _known_from(facts, wanted, first)), last)
    found = detect(facts, rules.only(wanted), first=first - timedelta(days=warm_up), last=last)
    return summed(found, facts, first=first, last=last, types=wanted, until=until)


def _known_from(facts: Facts, types: Sequence[str], first: date) -> date:
    """Return the first day with enough days of facts before it for all of `types`; `first` where there is no source."""
    sources = {"scores": SCORE_TYPES, "usage": USE_TYPES}
    begins = [getattr(facts, name)["date"].min() for name, needed_by in sources.items() if needed_by & set(types)]
    found = [day for day in begins if isinstance(day, date)]
    latest = max(found, default=first)
    return latest + timedelta(days=SETTLING_DAYS) if latest > first - timedelta(days=SETTLING_DAYS) else first


def summed(
    episodes: pl.DataFrame, facts: Facts, *, first: date, last: date, types: Sequence[str], until: date | None = None
) -> Replay:
    """Return the Replay of `episodes` (EPISODES) that opened from `first` to `last`, found or stored, in `facts`."""
    until = until or last
    weeks = ((last - first).days + 1) / WEEK_DAYS
    opened = episodes.filter(pl.col("opened_on").is_between(first, last) & pl.col("alert_type").is_in(list(types)))
    opened = opened.join(facts.clients.select("client_id", "csm"), on="client_id", how="left")
    churns = facts.outcomes.filter(pl.col("outcome") == CHURNED).select("client_id", churned_on="date")
    csms = facts.clients["csm"].drop_nulls().n_unique()
    bases = {
        days: _base(facts.clients, churns, first, min(last, until - timedelta(days=days)), days) for days in HORIZONS
    }
    loads = [_load(name, opened, churns, first, last, until, weeks, csms, bases) for name in ["", *types]]
    week = pl.lit(first) + pl.duration(days=(pl.col("opened_on") - first).dt.total_days() // WEEK_DAYS * WEEK_DAYS)
    inside = (
        churns.filter(pl.col("churned_on").is_between(first, until))
        .group_by("client_id")
        .agg(pl.col("churned_on").max())
    )
    return Replay(
        first=first,
        last=last,
        weeks=weeks,
        csms=csms,
        total=loads[0],
        types=tuple(loads[1:]),
        by_week=opened.group_by(week.alias("week"), "alert_type").agg(alerts=pl.len()).sort("week", "alert_type"),
        by_csm=opened.group_by("csm", "alert_type")
        .agg(alerts=pl.len())
        .with_columns(per_week=pl.col("alerts") / weeks)
        .sort("csm", "alert_type", nulls_last=True),
        by_client=opened.group_by("client_id")
        .agg(
            alerts=pl.len(),
            alert_types=pl.col("alert_type").unique().sort(),
            last_opened_on=pl.col("opened_on").max(),
        )
        .join(inside, on="client_id", how="left")
        .sort("alerts", "client_id", descending=[True, False]),
        episodes=opened.drop("csm"),
    )


def _load(
    alert_type: str,
    opened: pl.DataFrame,
    churns: pl.DataFrame,
    first: date,
    last: date,
    until: date,
    weeks: float,
    csms: int,
    bases: dict[int, float | None],
) -> Load:
    mine = opened.filter(pl.col("alert_type") == alert_type) if alert_type else opened
    pairs = mine.select("client_id", "opened_on").join(churns, on="client_id", how="inner")
    pairs = pairs.with_columns(lead=(pl.col("churned_on") - pl.col("opened_on")).dt.total_days())
    pairs = pairs.filter(pl.col("lead").is_between(1, HORIZONS[-1]))
    inside = churns.filter(pl.col("churned_on").is_between(first + timedelta(days=1), until))
    warned = pairs.group_by("client_id", "churned_on").agg(pl.col("lead").max())
    warned = warned.join(inside, on=["client_id", "churned_on"], how="semi")
    lead = warned["lead"].median()
    return Load(
        alert_type=alert_type,
        alerts=mine.height,
        clients=mine["client_id"].n_unique(),
        per_week=mine.height / weeks,
        per_csm_week=mine.filter(pl.col("csm").is_not_null()).height / weeks / csms if csms else None,
        precision=tuple(_precision(mine, churns, days, until, bases[days]) for days in HORIZONS),
        churns=inside.height,
        warned=warned.height,
        lead_days=float(lead) if isinstance(lead, int | float) else None,
    )


def _precision(mine: pl.DataFrame, churns: pl.DataFrame, days: int, until: date, base: float | None) -> Precision:
    decided = mine.filter(pl.col("opened_on") <= until - timedelta(days=days)).with_row_index("alert")
    pairs = decided.select("alert", "client_id", "opened_on").join(churns, on="client_id", how="inner")
    lead = (pl.col("churned_on") - pl.col("opened_on")).dt.total_days()
    followed = pairs.filter(lead.is_between(1, days))["alert"].n_unique()
    if not decided.height:
        return Precision(days, 0, 0, None, None, None, base)
    low, high = wilson(followed, decided.height)
    return Precision(days, decided.height, followed, followed / decided.height, low, high, base)


def _base(clients: pl.DataFrame, churns: pl.DataFrame, first: date, last: date, days: int) -> float | None:
    """Return the share of client-days from `first` to `last` that a churn follows within `days`; None without any."""
    if last < first:
        return None
    span = (last - first).days + 1
    begins = pl.max_horizontal("first_day", pl.lit(first))
    ends = pl.min_horizontal(pl.lit(last), "last_day")
    lived = clients.select("client_id", begins=begins, ends=ends).filter(pl.col("ends") >= pl.col("begins"))
    total = lived.select(((pl.col("ends") - pl.col("begins")).dt.total_days() + 1).sum()).item()
    if not total or not span:
        return None
    before = churns.join(lived, on="client_id", how="inner").select(
        since=pl.max_horizontal("begins", pl.col("churned_on") - pl.duration(days=days)),
        upto=pl.min_horizontal("ends", pl.col("churned_on") - pl.duration(days=1)),
    )
    warned = before.select(((pl.col("upto") - pl.col("since")).dt.total_days() + 1).clip(0).sum()).item()
    return float(warned or 0) / float(total)


def wilson(hits: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of hits / number (over 0). Source: Wilson, JASA 22 (1927), 209-212."""
    share, spread = hits / number, Z95**2 / number
    middle = share + spread / 2
    half = Z95 * sqrt(share * (1 - share) / number + spread / (4 * number))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))
