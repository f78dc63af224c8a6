"""Finds alerts in today's figures and keeps them as episodes."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.alerts.detecting import detect
from bellwether.alerts.frames import RULES, Rules, typed
from bellwether.alerts.reading import read_facts
from bellwether.alerts.settings_reading import read_rules
from bellwether.alerts.standing import episodes_of, keep_checkpoint, read_checkpoint, still_open
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
"""Days that are looked at in the first look, so that what holds today has the day on which it began."""


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
        look = look_at(today, progress)
        with transaction.atomic():
            stored = store(episodes_of(look.found), look.rules, first=look.first, today=today, now=now)
            if look.moved:
                keep_checkpoint(look.first, look.standing, now=now)
            done = _evaluated(stored)
            if any(done.as_counts().values()):
                record(actor=None, action="alert.evaluate", object_type="alert", detail=done.as_counts(), now=now)
    return done


@dataclass(frozen=True)
class Look:
    """What detectors found on the days from `first` on (EPISODES), under which rules (settings_resolving.RULES), and
    what was open when `first` began; `moved`: that is another day than the checkpoint's."""

    found: pl.DataFrame
    rules: pl.DataFrame
    first: date
    standing: pl.DataFrame
    moved: bool


def look_at(today: date, progress: Progress) -> Look:
    """Look at the last LOOK_BACK_DAYS again, going on from what was open when they began.

    That is found from the checkpoint on, or from FIRST_LOOK_DAYS ago without one: so each day is looked at with what
    came before it, and detecting day by day finds what a replay over all days does.
    """
    progress.start("Reading what alerts are found in", None)
    from_day, standing = read_checkpoint(today - timedelta(days=FIRST_LOOK_DAYS))
    first = max(from_day, today - timedelta(days=LOOK_BACK_DAYS))
    rules = read_rules()
    detection = detection_rules(rules)
    facts = read_facts(min(from_day, today), today, rules=detection, today=today)
    progress.start("Finding alerts", None)
    if from_day < first:
        before = detect(facts, detection, first=from_day, last=first - timedelta(days=1), standing=standing)
        standing = still_open(before)
    found = detect(facts, detection, first=min(first, today), last=today, standing=standing)
    return Look(found, rules, first, standing, moved=from_day < first)


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
    return Rules(typed(rules, RULES))
