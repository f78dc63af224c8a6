"""Keeps what usage is compared with: the worker makes it anew when facts change, pages take what is there.

To compute it takes about a second at a thousand clients. So no page waits for it while an older one is at hand.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from threading import Lock, Thread

from django.core.cache import BaseCache, caches
from django.db import connection

from bellwether.health.usage_cohort import Cohort, read_cohort
from bellwether.portfolio.models import Client
from bellwether.usage.anomalies import HISTORY_DAYS
from bellwether.usage.calendar import months_between
from bellwether.usage.facts import facts_path
from bellwether.usage.lake import Lake

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60
AT_HAND_SECONDS = 900
WORKER_AT_IT_SECONDS = 180
"""What the worker has stored lately is taken though facts have changed since: it will make it anew itself."""

SHARED_SECONDS, AGAIN_SECONDS = 86_400, 3_600
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class _Kept:
    """A cohort, when it was made and last looked after (seconds since 1970), and what it was made of."""

    cohort: Cohort
    made_at: float
    seen_at: float
    facts: str = ""
    clients: str = ""


def cohort(lake: Lake, first: date, last: date, *, working_days: Collection[int], cache: BaseCache) -> Cohort:
    """Return what the range `first` to `last` is compared with.

    `cache` is that of this process, which keeps it for FRESH_SECONDS. After that comes what the worker has stored, and
    else the older one, at most AT_HAND_SECONDS old, while one thread makes a new one. Only where there is neither does
    the caller wait, and of several callers one computes.
    """
    key, now = _key(lake, first, last, working_days), time.time()
    kept: _Kept | None = cache.get(key)
    if kept is not None and now - kept.seen_at < FRESH_SECONDS:
        return kept.cohort
    stored = _stored(key, lake, first, last)
    if stored is not None:
        _keep(cache, key, stored, now)
        return stored

    def anew() -> Cohort:
        made = read_cohort(lake, first, last, working_days=working_days)
        _keep(cache, key, made, time.time())
        return made

    if kept is None or now - kept.made_at > AT_HAND_SECONDS:
        return _waited_for(cache, key, anew)
    if _ONE_AT_A_TIME.acquire(blocking=False):
        _keep(cache, key, kept.cohort, kept.made_at)  # others need not look again meanwhile
        Thread(target=_beside, args=(anew,), name="usage-cohort", daemon=True).start()
    return kept.cohort


def store_cohort(lake: Lake, first: date, last: date, *, working_days: Collection[int]) -> bool:
    """Make the cohort of a range and store it for all processes, unless it rests on the same facts and clients as that
    which is stored; return whether it was made."""
    key, now = _key(lake, first, last, working_days), time.time()
    facts, clients = facts_version(lake, first, last), _clients_version()
    kept: _Kept | None = caches["default"].get(key)
    if kept is not None and (kept.facts, kept.clients) == (facts, clients) and now - kept.made_at < AGAIN_SECONDS:
        return False
    made = read_cohort(lake, first, last, working_days=working_days)
    caches["default"].set(key, _Kept(made, now, now, facts, clients), SHARED_SECONDS)
    return True


def facts_version(lake: Lake, first: date, last: date) -> str:
    """Return what changes when a fact does that the cohort of a range rests on; no file is opened."""
    months = months_between(first - timedelta(days=HISTORY_DAYS), last)
    found = [lake.stamp(facts_path(lake, kind, month)) for kind in ("client_days", "client_hours") for month in months]
    return blake2b(repr(found).encode(), digest_size=8).hexdigest()


def _clients_version() -> str:
    rows = Client.objects.active().order_by("pk").values_list("organization_id", "pk", "contract_tier", "country")
    return blake2b(repr(list(rows)).encode(), digest_size=8).hexdigest()


def _stored(key: str, lake: Lake, first: date, last: date) -> Cohort | None:
    """Return what the worker has stored, if it is of these facts or so young that the worker is about to renew it."""
    kept: _Kept | None = caches["default"].get(key)
    if kept is None:
        return None
    young = time.time() - kept.made_at < WORKER_AT_IT_SECONDS
    return kept.cohort if young or kept.facts == facts_version(lake, first, last) else None


def _waited_for(cache: BaseCache, key: str, anew: Callable[[], Cohort]) -> Cohort:
    with _ONE_AT_A_TIME:
        kept: _Kept | None = cache.get(key)
        if kept is not None and time.time() - kept.made_at < FRESH_SECONDS:  # another thread has just made it
            return kept.cohort
        return anew()


def _beside(anew: Callable[[], Cohort]) -> None:
    try:
        anew()
    except Exception:
        logger.exception("The figures of all clients could not be made anew; pages go on with older ones")
    finally:
        _ONE_AT_A_TIME.release()
        connection.close()


def _keep(cache: BaseCache, key: str, cohort: Cohort, made_at: float) -> None:
    cache.set(key, _Kept(cohort, made_at, time.time()), 2 * AT_HAND_SECONDS)


def _key(lake: Lake, first: date, last: date, working_days: Collection[int]) -> str:
    where = blake2b(repr((lake.name, sorted(working_days))).encode(), digest_size=8).hexdigest()
    return f"usage-cohort-2:{where}:{first}:{last}"
