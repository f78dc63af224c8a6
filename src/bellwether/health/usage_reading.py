"""The usage of one client over a range: read from the facts and put together, the same for the page and for the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import polars as pl
from django.conf import settings as django_settings
from django.core.cache import BaseCache

from bellwether.common.time import day_of
from bellwether.health.inputs import MeasureSettings
from bellwether.health.loading import workspace_settings
from bellwether.health.published_groups import HELD_BACK, counted_members
from bellwether.health.usage_cohort import Cohort
from bellwether.health.usage_cohort_keeping import cohort
from bellwether.health.usage_comparison import Comparison, Counted, Mask, Peers, comparisons
from bellwether.health.usage_days import UsageDay, counts_of, usage_days
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.usage.anomalies import HISTORY_DAYS
from bellwether.usage.calendar import months_between
from bellwether.usage.client_user_days import ClientUserDays
from bellwether.usage.daily import FIGURES, LEAST_BASELINE_DAYS, MONTH_DAYS, Daily, baselines, daily, figures
from bellwether.usage.event_counts import MODULE_DAYS, modules_used
from bellwether.usage.facts import (
    CLIENT_DAYS,
    facts_path,
    read_client_days,
    read_client_hours,
    read_event_days,
)
from bellwether.usage.hours import Hours, hours
from bellwether.usage.lake import Lake
from bellwether.usage.models import PlatformUser
from bellwether.usage.periods import BASELINE_DAYS, Period
from bellwether.usage.public_holidays import holiday_names
from bellwether.usage.role_sessions import LONGEST_DAYS, RoleSessions, role_sessions
from bellwether.usage.unusual_days import UnusualDay, judge
from bellwether.usage.workspace import workspace_lake

LOOK_BACK_DAYS = max(HISTORY_DAYS, BASELINE_DAYS + MONTH_DAYS, BASELINE_DAYS + MODULE_DAYS)
SILENT_DAYS = 4  # longer than a weekend: then it is the source that is silent, not the clients
KEPT_SECONDS = 60
KINDS = ("client_days", "event_days", "user_days")
DAY_COLUMNS = tuple(name for name in CLIENT_DAYS if name != "actions_by_hour")  # those hours are slow to read
EVENT_COLUMNS = ("date", "event", "module", "label", "is_service", "events")


@dataclass(frozen=True)
class Modules:
    """Modules that people used in the 30 days to the end of the range, of those licensed; None where none is known."""

    used: int
    licensed: int | None
    baseline: float | None


@dataclass(frozen=True)
class Usage:
    """A client's usage over `period`. Days are those of the workspace's time zone, `today` one of them.

    `started` is the day of the client's first event ever, None without any; `newest_event_at` its newest event;
    `silent_since` the newest day with an event of any client, where that is SILENT_DAYS ago or more.
    `figures` and each comparison's values are by name of usage.daily.FIGURES, None where there is nothing to say.
    `total_users` are those known on the last day; `facts` is the version of the facts (see facts_version).
    """

    period: Period
    today: date
    started: date | None
    newest_event_at: datetime | None
    silent_since: date | None
    days: list[UsageDay]
    figures: Mapping[str, float | None]
    comparisons: list[Comparison]
    modules: Modules
    hours: Hours
    roles: list[RoleSessions]
    active_users: int
    total_users: int
    unusual: list[UnusualDay]
    holidays: Mapping[date, str]
    logins_are_events: bool
    working_days: frozenset[int]
    facts: str
    counted: Sequence[str] = field(default_factory=tuple)

    @property
    def baseline(self) -> Comparison:
        """The client's own past."""
        return self.comparisons[0]

    @property
    def empty(self) -> bool:
        """Whether the client has had no event up to the end of the range."""
        return self.started is None or self.started > self.period.last

    @property
    def version(self) -> str:
        """What changes when a figure does."""
        return blake2b(
            repr((self.newest_event_at, self.days, self.roles, self.modules)).encode(), digest_size=8
        ).hexdigest()


def last_day_of(client: Client, today: date) -> date:
    """Return the day on which ranges of `client` end: today, or the day on which it was archived."""
    if client.archived_at is None:
        return today
    return min(today, day_of(client.archived_at, django_settings.BELLWETHER_WORKSPACE_ZONE))


def usage_of(
    client: Client,
    period: Period,
    *,
    user: StaffUser,
    now: datetime,
    cache: BaseCache,
    user_days: ClientUserDays | None = None,
) -> Usage:
    """Return the usage of `client` over `period`, in a fixed number of queries.

    `user` is the reader, who may not be shown every group. `user_days` are those of the client, where the page reads
    them for other things too. The cache keeps the client's own figures until its facts change, at most KEPT_SECONDS;
    how old what it is compared with may be says health.usage_cohort_keeping.
    """
    zone = django_settings.BELLWETHER_WORKSPACE_ZONE
    lake, today = workspace_lake(), day_of(now, zone)
    facts = facts_version(lake, period)
    known = cohort(lake, period.first, period.last, working_days=django_settings.BELLWETHER_WORKING_DAYS, cache=cache)
    key = _key(client, period, today, facts)
    own: _Own | None = cache.get(key)
    if own is None:
        use = user_days or ClientUserDays(lake, client.organization_id)
        own = _own(client, period, lake=lake, today=today, known=known, use=use)
        cache.set(key, own, KEPT_SECONDS)
    return Usage(
        comparisons=comparisons(
            client.organization_id,
            client.contract_tier,
            str(client.get_contract_tier_display()),
            own=own.baseline,
            no_own=own.no_baseline,
            peers=known.peers,
            sees_all=user.sees_all_clients,
            counted=_counted(user, client.contract_tier, known.peers),
            held_back=HELD_BACK,
        ),
        silent_since=_silent_since(known.newest_day, today),
        facts=facts,
        **own.values,
    )


def _counted(user: StaffUser, tier: str, peers: Peers) -> Counted:
    """Return who counts for `user`; most figures have the same clients, for which it is asked once."""
    asked: dict[tuple[str, bytes, bytes], Mask | None] = {}

    def counted(kind: Literal["tier", "all"], members: Mask, reporting: Mask) -> Mask | None:
        if user.sees_all_clients:
            return members
        key = (kind, members.tobytes(), reporting.tobytes())
        if key not in asked:
            among = [one for one, inside in zip(peers.clients, members, strict=True) if inside]
            of = [one for one, inside in zip(peers.clients, reporting, strict=True) if inside]
            found = counted_members(user, kind, tier if kind == "tier" else "", members=among, reporting=of)
            asked[key] = None if found is None else members & np.array([one in found for one in peers.clients], bool)
        return asked[key]

    return counted


def facts_version(lake: Lake, period: Period) -> str:
    """Return what changes when a fact of any client does that a reading of `period` rests on; no file is opened."""
    found = [
        (month, kind, lake.stamp(facts_path(lake, kind, month)))
        for month in months_between(period.first - timedelta(days=LOOK_BACK_DAYS), period.last)
        for kind in KINDS
    ]
    return blake2b(repr(found).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class _Own:
    """What does not depend on the reader."""

    values: Mapping[str, Any]
    baseline: Mapping[str, float | None]
    no_baseline: str


def _key(client: Client, period: Period, today: date, version: str) -> str:
    parts = (client.pk, client.country, client.licensed_modules, period, today, version)
    return f"usage-own:{blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"


def _own(client: Client, period: Period, *, lake: Lake, today: date, known: Cohort, use: ClientUserDays) -> _Own:
    settings = workspace_settings()
    begin, last = period.first - timedelta(days=LOOK_BACK_DAYS), period.last
    ids = [client.organization_id]
    rows = read_client_days(lake, begin, last, organization_ids=ids, columns=DAY_COLUMNS)
    events = read_event_days(lake, begin, last, organization_ids=ids, columns=EVENT_COLUMNS)
    by_hour = read_client_hours(lake, period.first, last, organization_ids=ids)
    facts = daily(rows, begin, last, first_days=_with_own(known.first_days, client, rows), clients=ids)
    starts = int(facts.started[0])
    started = begin + timedelta(days=starts) if starts < facts.days else None
    holidays = holiday_names(client.country, begin, last) if client.country else {}
    judged = judge(
        facts.since_start("dau")[0],
        begins=begin,
        first=period.first,
        last=last,
        holidays=holidays,
        unfinished=[today],
        season=_aligned(known.season, facts),
    )
    counts = counts_of(settings, events, period.first, last)
    values = {
        "period": period,
        "today": today,
        "started": started,
        "newest_event_at": _newest(client, lake, events),
        "days": usage_days(rows, by_hour, period, started, counts, judged.intervals),
        "figures": _of_first(figures(facts, period.first, last, working_days=settings.working_days)),
        "modules": _modules(client, events, period, settings, started),
        "hours": hours(by_hour, period.first, last),
        **_people(client, period, use),
        "total_users": _total_users(rows, last),
        "unusual": judged.unusual,
        "holidays": {day: name for day, name in holidays.items() if day >= period.first},
        "logins_are_events": bool(settings.login_events),
        "working_days": frozenset(settings.working_days),
        "counted": tuple(counts),
    }
    first, end = period.baseline
    usual = _of_first(baselines(facts, first, end, working_days=settings.working_days))
    return _Own(values, usual, _no_baseline(started, period))


def _with_own(first_days: Mapping[str, date], client: Client, rows: pl.DataFrame) -> dict[str, date]:
    """Return the client's first day; its first event may be younger than what is kept of all clients."""
    found = [first_days[client.organization_id]] if client.organization_id in first_days else []
    seen = rows["date"].min()
    found += [seen] if isinstance(seen, date) else []
    return {client.organization_id: min(found)} if found else {}


def _aligned(season: np.ndarray, facts: Daily) -> np.ndarray:
    """Return the season on the days of `facts`, which may begin earlier: 1.0 there."""
    return np.concatenate([np.ones(max(0, facts.days - len(season))), season[-facts.days :]])


def _of_first(values: Mapping[str, np.ndarray]) -> dict[str, float | None]:
    return {name: float(values[name][0]) if np.isfinite(values[name][0]) else None for name in FIGURES}


def _no_baseline(started: date | None, period: Period) -> str:
    if started is None:
        return "The client has no usage yet."
    if (period.first - started).days < LEAST_BASELINE_DAYS:
        return (
            f"Its first event is of {started}: a baseline needs {LEAST_BASELINE_DAYS} days of usage before the range."
        )
    return ""


def _modules(
    client: Client, events: pl.DataFrame, period: Period, settings: MeasureSettings, started: date | None
) -> Modules:
    first, end = period.baseline
    used = modules_used(
        events,
        first,
        period.last,
        licensed=client.licensed_modules or (),
        module_of_event=settings.module_of_event,
    )
    usual = None
    if started is not None and not _no_baseline(started, period):
        usual = float(used[max(0, (started - first).days) : (end - first).days + 1].mean())
    return Modules(int(used[-1]), len(set(client.licensed_modules)) if client.licensed_modules else None, usual)


def _people(client: Client, period: Period, use: ClientUserDays) -> dict[str, Any]:
    roles_first = max(period.first, period.last - timedelta(days=LONGEST_DAYS - 1))
    first = min(period.first, roles_first - timedelta(days=BASELINE_DAYS))
    users = use.between(first, period.last)
    named = PlatformUser.objects.filter(organization_id=client.organization_id).exclude(role="")
    active = users.filter(~pl.col("is_service"), pl.col("actions") > 0, pl.col("date") >= period.first)
    roles = role_sessions(
        users, period.first, period.last, known_roles=dict(named.values_list("user_key", "role").order_by())
    )
    return {"roles": roles, "active_users": active["user_key"].n_unique()}


def _newest(client: Client, lake: Lake, events: pl.DataFrame) -> datetime | None:
    """Return the client's newest event: of the facts read, or the one noted when it was last scored.

    Instants are slow to read, as no two are alike: those of the newest day suffice.
    """
    day, at = events["date"].max(), None
    if isinstance(day, date):
        ids = [client.organization_id]
        at = read_event_days(lake, day, day, organization_ids=ids, columns=("last_ts",))["last_ts"].max()
    found = [at for at in (at, client.last_activity_at) if isinstance(at, datetime)]
    return max(found, default=None)


def _total_users(rows: pl.DataFrame, last: date) -> int:
    known = rows.filter(pl.col("date") <= last)["total_users"].max()
    return int(known) if isinstance(known, int) else 0


def _silent_since(newest: date | None, today: date) -> date | None:
    return newest if newest is not None and (today - newest).days >= SILENT_DAYS else None
