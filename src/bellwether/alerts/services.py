"""Finds alerts in today's figures and keeps them as episodes."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from bellwether.alerts.detecting import detect
from bellwether.alerts.frames import RULES, Rules, typed
from bellwether.alerts.models import Alert
from bellwether.alerts.reading import read_facts
from bellwether.alerts.settings_reading import read_rules
from bellwether.alerts.standing import episodes_of, standing_on
from bellwether.alerts.storing import Stored, store
from bellwether.alerts.waking import wake_snoozed as wake_snoozed
from bellwether.common.errors import ConflictError
from bellwether.common.locks import exclusive
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.staff.audit import record

LOCK = "alerts-evaluate"
LOOK_BACK_DAYS = 14
"""Days that are looked at again each time, for what came in late."""
FIRST_LOOK_DAYS = 120
"""Days that are looked at when nothing is stored yet, so that what holds today has the day on which it began."""


class AlertsBusyError(ConflictError):
    """Another process is looking for alerts just now."""


@dataclass(frozen=True)
class Evaluated:
    """What a look at the figures did: alerts opened, fired again, grown more severe, over, and holding again; how many
    of the opened ones had begun earlier (`earlier`: told in one line), and how many messages and events were told."""

    opened: int = 0
    fired_again: int = 0
    escalated: int = 0
    cleared: int = 0
    reopened: int = 0
    earlier: int = 0
    told: int = 0

    def as_counts(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


def evaluate(*, now: datetime, progress: Progress | None = None) -> Evaluated:
    """Look for alerts of all active clients and store what changed, in one transaction; return what that was.

    Doing it again changes nothing and tells nobody. A kill leaves everything as it was. Raises AlertsBusyError while
    another process is at it.
    """
    progress = progress or NoProgress()
    with exclusive(LOCK) as free:
        if not free:
            raise AlertsBusyError("Alerts are being looked for already. Try again in a minute.")
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        first = first_day(today)
        progress.start("Reading what alerts are found in", None)
        rules = read_rules()
        facts = read_facts(first, today)
        progress.start("Finding alerts", None)
        found = detect(facts, detection_rules(rules), first=first, last=today, standing=standing_on(first))
        with transaction.atomic():
            stored = store(episodes_of(found), rules, first=first, today=today, now=now)
            done = _evaluated(stored)
            if any(done.as_counts().values()):
                record(actor=None, action="alert.evaluate", object_type="alert", detail=done.as_counts(), now=now)
    return done


def _evaluated(stored: Stored) -> Evaluated:
    return Evaluated(
        opened=len(stored.opened),
        fired_again=stored.fired_again,
        escalated=len(stored.escalated),
        cleared=len(stored.cleared),
        reopened=stored.reopened,
        earlier=stored.earlier,
        told=stored.told,
    )


def detection_rules(rules: pl.DataFrame) -> Rules:
    """Return the rules of settings_resolving.RULES as detectors read them."""
    return Rules(typed(rules.unnest("thresholds"), RULES))


def first_day(today: date) -> date:
    """Return the first day to look at: LOOK_BACK_DAYS ago, earlier after a standstill, FIRST_LOOK_DAYS at most."""
    earliest = today - timedelta(days=FIRST_LOOK_DAYS)
    last: date | None = Alert.objects.aggregate(last=Max("last_fired_on"))["last"]
    if last is None:
        return earliest
    return max(earliest, min(today, last) - timedelta(days=LOOK_BACK_DAYS))
