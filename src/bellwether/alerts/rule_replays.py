"""What a rule would have meant over the past year in one place, in force and as somebody wants to set it.

A reader who does not see all clients gets the figures of the own ones: what they say about others would be theirs.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from django.conf import settings as django_settings
from django.core.cache import caches

from bellwether.alerts.defaults import KIND
from bellwether.alerts.frames import Facts, Rules
from bellwether.alerts.replaying import Replay, replay
from bellwether.alerts.replays import WARM_UP_DAYS, YEAR_DAYS, facts_for, told
from bellwether.alerts.settings_changes import Place
from bellwether.alerts.settings_reading import read_clients, read_settings
from bellwether.alerts.settings_resolving import Setting, effective, settings_frame, with_drafts
from bellwether.common.time import day_of
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

KEY = "alert-replay-facts"
KEPT_SECONDS = 120


@dataclass(frozen=True)
class RuleReplay:
    """The replay of one kind of alert in a place for a reader. `candidate` is None where nothing else was asked for.

    `clients`: how many clients it is about, those that left in the span among them. `names`: of clients with alerts,
    by id (32 hex); `csms`: names of those who look after clients, by id (32 hex), empty for readers who do not see all.
    """

    alert_type: str
    first: date
    last: date
    clients: int
    present: Replay
    candidate: Replay | None
    names: dict[str, tuple[str, bool]]
    csms: dict[str, str]

    @property
    def shown(self) -> Replay:
        """The candidate, else what is in force."""
        return self.candidate or self.present


def replay_rule(
    user: StaffUser, place: Place, alert_type: str, drafts: Sequence[Setting], *, now: datetime
) -> RuleReplay:
    """Return what a kind of alert ("": all kinds together) came to in the 52 weeks before today, in force and with
    `drafts` in their places.

    Alerts that nobody would have been told of (level, no media) are left out; mutes are not looked at. The facts are
    kept for KEPT_SECONDS, so that trying another threshold is quick. Where figures begin later, so does the replay.
    """
    today = day_of(now, django_settings.BELLWETHER_WORKSPACE_ZONE)
    last = today - timedelta(days=1)
    first = last - timedelta(days=YEAR_DAYS - 1)
    rows = list(_seen(user, place).values_list("pk", "name", "archived_at"))
    ids = {pk.hex for pk, _, _ in rows}
    facts = _facts(first, last, alert_type).of(ids)
    settings = read_settings()
    clients = read_clients(_seen(user, place))
    present = _replayed(facts, settings, clients, alert_type, first, last)
    candidate = None
    wanted = with_drafts(settings, drafts)
    if drafts and _said(wanted) != _said(settings):
        candidate = _replayed(facts, wanted, clients, alert_type, first, last)
    csms = {}
    if user.sees_all_clients:
        wanted_csms = set(facts.clients["csm"].drop_nulls())
        csms = {one.pk.hex: one.name for one in StaffUser.objects.filter(pk__in=wanted_csms)}
    return RuleReplay(
        alert_type=alert_type,
        first=present.first,
        last=last,
        clients=facts.clients.height,
        present=present,
        candidate=candidate,
        names={pk.hex: (name, archived is not None) for pk, name, archived in rows},
        csms=csms,
    )


def _seen(user: StaffUser, place: Place) -> Any:
    rows = Client.objects.visible_to(user)
    if place.client is not None:
        return rows.filter(pk=place.client.pk)
    if place.scope == "TIER":
        return rows.filter(contract_tier=place.value)
    return rows.filter(segment=place.value) if place.scope == "SEGMENT" else rows


def _said(settings: Collection[Setting]) -> set[tuple[object, ...]]:
    """Return what settings say about who is alerted when, without what a replay does not look at."""
    return {(*one.place, one.is_enabled, tuple(sorted(one.thresholds.items())), one.severity, one.media)
            for one in settings}  # fmt: skip


def _types(alert_type: str) -> list[str]:
    return [alert_type] if alert_type else list(KIND)


def _facts(first: date, last: date, alert_type: str) -> Facts:
    """Return the facts of all clients; only those of the newest question are kept, as they are large."""
    asked = (alert_type, first, last)
    kept = caches["memory"].get(KEY)
    if kept is not None and kept[0] == asked:
        found: Facts = kept[1]
        return found
    facts = facts_for(first, last, types=_types(alert_type))
    caches["memory"].set(KEY, (asked, facts), KEPT_SECONDS)
    return facts


def _replayed(
    facts: Facts, settings: Collection[Setting], clients: pl.DataFrame, alert_type: str, first: date, last: date
) -> Replay:
    rules: Rules = told(effective(settings_frame(settings), clients))
    return replay(facts, rules, first=first, last=last, warm_up=WARM_UP_DAYS, types=_types(alert_type))
