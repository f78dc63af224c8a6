"""Reads the use of all clients, for peers and for the catalogue. The worker makes it, all processes share it."""

import json
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any

import polars as pl
from django.conf import settings as django_settings
from django.core.cache import BaseCache, caches

from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.health.adoption import TREND_WINDOW_DAYS, PortfolioUse, TierUse, portfolio_of
from bellwether.health.feature_use import feature_levels
from bellwether.health.inputs import MeasureSettings
from bellwether.health.loading import load_use, workspace_settings
from bellwether.health.reading_use import KeptUse
from bellwether.portfolio.models import Client

KEPT_SECONDS = 60
OLDER_SECONDS = 3_600
CLIENTS_AT_ONCE = 250
MADE_AGAIN = timedelta(minutes=30)
PAUSE_TIMES = 20
"""The worker makes them no sooner than twenty times as long as the last time took after that."""

_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class _Kept:
    """What a process keeps, and until when (monotonic seconds) it is good without another look."""

    use: PortfolioUse
    good_until: float


def portfolio_use(settings: MeasureSettings, *, day: date, cache: BaseCache) -> PortfolioUse:
    """Return the use of all clients that are not archived on `day`, kept in `cache` for KEPT_SECONDS.

    It is what the worker made last, today or yesterday. Without a worker it is made here, by one thread at a time;
    where there are older figures of the day, the others go on with those.
    """
    key = f"{_key(settings)}:{day}"
    older: _Kept | None = cache.get(key)
    if older and monotonic() < older.good_until:
        return older.use
    if not _ONE_AT_A_TIME.acquire(blocking=older is None) and older:
        return older.use
    try:
        newer: _Kept | None = cache.get(key)
        if newer and monotonic() < newer.good_until:
            return newer.use
        use = _shared(settings, day) or read_portfolio(settings, day)
        cache.set(key, _Kept(use, monotonic() + KEPT_SECONDS), OLDER_SECONDS)
        return use
    finally:
        _ONE_AT_A_TIME.release()


def keep_portfolio_use(*, now: datetime) -> int:
    """Make the use of all clients for the other processes if anything it follows from may have changed.

    Returns how many clients were read, 0 if what is there still holds.
    """
    settings = workspace_settings()
    day = day_of(now, django_settings.BELLWETHER_WORKSPACE_ZONE)
    shared = caches["default"]
    before: dict[str, Any] | None = shared.get(_key(settings))
    basis = f"{day} {_last_work()}"
    if before and before["day"] == day.isoformat():
        age = now - datetime.fromisoformat(before["made_at"])
        if before["basis"] == basis and timedelta(0) <= age < MADE_AGAIN:
            return 0
        if timedelta(0) <= age < PAUSE_TIMES * timedelta(seconds=before["seconds"]):
            return 0
    started = monotonic()
    clients = Client.objects.active().count()
    use = read_portfolio(settings, day)
    made = {
        "day": day.isoformat(),
        "basis": basis,
        "made_at": now.isoformat(),
        "seconds": monotonic() - started,
        "use": as_bytes(use),
    }
    shared.set(_key(settings), made, OLDER_SECONDS)
    return clients


def read_portfolio(settings: MeasureSettings, day: date, *, kept: KeptUse | None = None) -> PortfolioUse:
    """Return the use of all clients that are not archived on `day`; `kept` for another catalogue than the current.

    Clients are read CLIENTS_AT_ONCE at a time, so that a large portfolio needs no more memory than a small one.
    """
    active = Client.objects.active().order_by("organization_id").values_list("pk", "contract_tier")
    tiers = {client_id.hex: str(tier) for client_id, tier in active}
    ids, parts = list(tiers), []
    for start in range(0, len(ids), CLIENTS_AT_ONCE):
        # The same span of days as for one client, so that both share the months that are kept.
        loaded = load_use(
            [day - timedelta(days=TREND_WINDOW_DAYS), day],
            settings,
            client_ids=ids[start : start + CLIENTS_AT_ONCE],
            kept=kept,
        )
        levels = feature_levels(loaded.inputs, [day], settings, with_last_use=False)
        parts.append(levels.select("client_id", "feature_key", "level", "use", "share", "licensed"))
    return portfolio_of(pl.concat(parts), tiers) if parts else PortfolioUse({}, {}, {})


def as_bytes(use: PortfolioUse) -> bytes:
    """Return the use as bytes, about eighty a client and ten features; from_bytes gives the same back."""
    return zlib.compress(json.dumps(asdict(use)).encode(), level=1)


def from_bytes(content: bytes) -> PortfolioUse:
    """Return the use that as_bytes made `content` from."""
    read = PortfolioUse(**json.loads(zlib.decompress(content)))
    return replace(read, tiers={tier: TierUse(**use) for tier, use in read.tiers.items()})  # type: ignore[arg-type]


def _shared(settings: MeasureSettings, day: date) -> PortfolioUse | None:
    """Return what the worker made for `day`, or the day before while that of the day is not there yet."""
    made: dict[str, Any] | None = caches["default"].get(_key(settings))
    if made is None or not timedelta(0) <= day - date.fromisoformat(made["day"]) <= timedelta(days=1):
        return None
    return from_bytes(made["use"])


def _key(settings: MeasureSettings) -> str:
    """Return a name that is the same for the same catalogue."""
    return f"portfolio-use:{sha256(repr(settings.features).encode()).hexdigest()[:16]}"


def _last_work() -> str:
    """Return when facts were last counted or scores last made; licences and contracts that change owe scores."""
    done = JobRun.objects.filter(name__in=["rollup", "score"], state=JobState.DONE, finished_at__isnull=False)
    last = done.order_by("-finished_at").values_list("finished_at", flat=True).first()
    return last.isoformat() if last else ""
