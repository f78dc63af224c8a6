"""The alerts of the demo's last year, found by the detectors, and what its staff did about them. From the seed."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.alerts.choices import OPEN, AlertEventKind, AlertStatus
from bellwether.alerts.defaults import KIND, RESPOND_WITHIN
from bellwether.alerts.detecting import detect
from bellwether.alerts.levels import respond_by
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.naming import name_for, names_of
from bellwether.alerts.reading import read_facts
from bellwether.alerts.reconciling import Episode
from bellwether.alerts.services import LOOK_BACK_DAYS, detection_rules
from bellwether.alerts.settings_reading import read_rules
from bellwether.alerts.standing import episodes_of, keep_checkpoint, still_open
from bellwether.alerts.storing import new_alert
from bellwether.alerts.words import root_causes, words
from bellwether.common.progress import Progress
from bellwether.common.time import start_of
from bellwether.demo.alert_notes import DISMISSED, RESOLVED
from bellwether.demo.plan import DemoPlan
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.models import Client

HISTORY_DAYS = 365
ANSWERED = {"CRITICAL": 1.0, "HIGH": 0.93, "MEDIUM": 0.8, "LOW": 0.6}
"""How many alerts of a severity somebody does something about."""
SLOWNESS = {"CRITICAL": 0.4, "HIGH": 1.0, "MEDIUM": 2.2, "LOW": 7.0}
SETTLED_AFTER = timedelta(days=21)
"""What holds longer than this was mostly settled by hand: with a plan, not with the figures."""
SNOOZED, PUT_AWAY = 0.08, 0.09


@dataclass
class History:
    """Rows to be stored."""

    alerts: list[Alert]
    events: list[AlertEvent]


def make_alerts(plan: DemoPlan, *, until: datetime, progress: Progress) -> int:
    """Store the alerts of the last year up to the instant `until`, handled as the staff would, and return how many.

    They are those that a replay finds, so that the next look finds nothing else. Nobody is told of them.
    """
    if plan.days <= LOOK_BACK_DAYS:
        return 0
    progress.start("Finding the alerts of the last year", None)
    found = _find(plan, until)
    clients = {row.pk: row for row in Client.objects.select_related("csm_user")}
    episodes = [one for one in episodes_of(found) if UUID(one.client_id) in clients]
    grown = {
        (row["client_id"], row["alert_type"], row["subject"], row["opened_on"]): row["escalated_on"]
        for row in found.filter(pl.col("escalated_on").is_not_null()).to_dicts()
    }
    names = names_of(episodes)
    history = History([], [])
    for one in episodes:
        client = clients[UUID(one.client_id)]
        said = words(one, name_for(one, client, names))
        _Told(plan, one, client, until, history).run(said, grown.get((*one.key, one.opened_on)))
    running = [row for row in history.alerts if row.ended_on is None]
    causes = root_causes(
        (str(row.pk), row.client_id.hex, row.alert_type, row.opened_on, row.evidence) for row in running
    )
    for row in running:
        row.root_cause = causes.get(str(row.pk), "")
    progress.start("Storing alerts", len(history.alerts))
    with transaction.atomic():
        Alert.objects.bulk_create(history.alerts, batch_size=500)
        AlertEvent.objects.bulk_create(sorted(history.events, key=lambda event: event.at), batch_size=1_000)
    return len(history.alerts)


def _find(plan: DemoPlan, until: datetime) -> pl.DataFrame:
    """Return the EPISODES of the last year, and keep where looking goes on from."""
    start = max(plan.first, plan.today - timedelta(days=HISTORY_DAYS - 1))
    again = max(start, plan.today - timedelta(days=LOOK_BACK_DAYS))
    rules = detection_rules(read_rules(Client.objects.all()))
    facts = read_facts(start, plan.today, rules=rules, today=plan.today)
    before = detect(facts, rules, first=start, last=again - timedelta(days=1))
    standing = still_open(before)
    keep_checkpoint(again, standing, now=until)
    since = detect(facts, rules, first=again, last=plan.today, standing=standing)
    return pl.concat([before.filter(pl.col("cleared_on").is_not_null()), since])


class _Told:
    """One episode becoming an alert with its history."""

    def __init__(self, plan: DemoPlan, episode: Episode, client: Client, until: datetime, history: History) -> None:
        self.episode, self.client, self.until, self.history = episode, client, until, history
        self.zone = settings.BELLWETHER_WORKSPACE_ZONE
        name = ("alert", *episode.key, episode.opened_on)
        self.random = plan.stream(*name)
        csm = client.csm_user_id
        self.pace = 1.5 + 5.0 * float(plan.stream("alert pace", csm).random()) if csm else 6.0
        self.alert = new_alert(episode, client, now=self._instant(episode.opened_on))
        self.alert.pk = plan.uuid(*name)
        self.own: list[AlertEvent] = []

    def run(self, said: Any, grown_on: date | None) -> None:
        """Fill in the row and add it with its events."""
        alert, episode = self.alert, self.episode
        alert.title, alert.description = said.title[:200], said.description
        alert.trigger_metric, alert.trigger_value = episode.metric[:100], episode.value[:100]
        alert.trigger_threshold, alert.evidence = episode.threshold[:100], episode.evidence
        alert.related_entity_type, alert.related_entity_id = episode.related_type[:40], episode.related_id[:200]
        alert.ended_on = episode.cleared_on
        alert.is_silent = self.client.alert_level == AlertLevel.NONE
        self._event(AlertEventKind.OPENED, alert.created_at)
        self._fire_again()
        start = alert.created_at
        if grown_on is not None:
            start = alert.escalated_at = max(start, self._instant(grown_on))
            grown: dict[str, Any] = {"from": KIND[alert.alert_type].severity, "to": alert.severity}
            self._event(AlertEventKind.ESCALATED, start, **grown)
        if not alert.is_silent:
            alert.respond_by = respond_by(
                start,
                RESPOND_WITHIN[alert.severity],
                severity=alert.severity,
                working_days=settings.BELLWETHER_WORKING_DAYS,
                zone=self.zone,
            )
            if self.client.csm_user_id:
                self._answer()
        self._clear()
        alert.updated_at = max((event.at for event in self.own), default=alert.created_at)
        self.history.alerts.append(alert)
        self.history.events.extend(self.own)

    def _event(self, kind: AlertEventKind, at: datetime, *, by_csm: bool = False, **detail: Any) -> None:
        actor = self.client.csm_user if by_csm else None
        self.own.append(AlertEvent(alert=self.alert, kind=kind, at=at, actor=actor, detail=detail))

    def _instant(self, day: date) -> datetime:
        """Return an instant of a day, when the figures of the morning are in; before `until`."""
        at = start_of(day, self.zone) + timedelta(hours=5 + 9 * float(self.random.random()))
        return min(at, self.until - timedelta(minutes=5 + 90 * float(self.random.random())))

    def _fire_again(self) -> None:
        days = (self.episode.last_fired_on - self.episode.opened_on).days
        for number in range(1, min(self.episode.times_fired, 4)):
            day = self.episode.opened_on + timedelta(days=max(1, round(days * number / self.episode.times_fired)))
            at = min(max(self._instant(day), self.alert.created_at), self.until)
            self._event(AlertEventKind.UPDATED, at, on=day.isoformat(), times=number + 1)

    def _end(self) -> datetime:
        """Return until when somebody could do something: the end of the episode, or now."""
        cleared = self.episode.cleared_on
        return self.until if cleared is None else min(self.until, start_of(cleared, self.zone) + timedelta(hours=6))

    def _answer(self) -> None:
        alert = self.alert
        if self.random.random() > ANSWERED[alert.severity]:
            return
        hours = self.pace * SLOWNESS[alert.severity] * float(self.random.lognormal(0.0, 0.6))
        at = self._at_work(alert.created_at + timedelta(hours=hours))
        if at >= self._end():
            return
        alert.first_response_at = at
        fate = float(self.random.random())
        if fate < PUT_AWAY:
            alert.status, alert.dismissed_at, alert.dismissed_by_id = AlertStatus.DISMISSED, at, self.client.csm_user_id
            self._event(AlertEventKind.DISMISSED, at, by_csm=True, reason=self._pick(DISMISSED[alert.alert_type]))
            return
        if fate < PUT_AWAY + SNOOZED:
            back = at + timedelta(days=7)
            self._event(AlertEventKind.SNOOZED, at, by_csm=True, until=back.isoformat())
            if back >= self._end():
                alert.status, alert.snoozed_until = AlertStatus.SNOOZED, back
                return
            self._event(AlertEventKind.RETURNED, back, until=back.isoformat())
            at = self._at_work(back + timedelta(hours=2))
            if at >= self._end():
                return
        alert.status, alert.acknowledged_at = AlertStatus.ACKNOWLEDGED, at
        alert.acknowledged_by_id = self.client.csm_user_id
        self._event(AlertEventKind.ACKNOWLEDGED, at, by_csm=True)
        self._settle(at)

    def _settle(self, since: datetime) -> None:
        """Resolve by hand, sooner or later; what holds long nearly always."""
        long_ago = self.until - since > SETTLED_AFTER
        likely = 0.85 if self.alert.alert_type in {"NPS_DETRACTOR", "RENEWAL_APPROACHING"} else 0.45
        if self.random.random() > max(likely, 0.9 if long_ago and self.episode.cleared_on is None else 0.0):
            return
        at = self._at_work(since + timedelta(days=float(self.random.gamma(2.0, 3.0))))
        if at >= self._end():
            return
        note = self._pick(RESOLVED[self.alert.alert_type])
        self.alert.status, self.alert.resolved_at = AlertStatus.RESOLVED, at
        self.alert.resolved_by_id, self.alert.resolution_notes = self.client.csm_user_id, note
        self._event(AlertEventKind.RESOLVED, at, by_csm=True, note=note)

    def _clear(self) -> None:
        cleared = self.episode.cleared_on
        if cleared is None:
            return
        at = max(self._end(), max((event.at for event in self.own), default=self.alert.created_at))
        self._event(AlertEventKind.CLEARED, at, on=cleared.isoformat())
        if self.alert.status in OPEN:
            self.alert.status, self.alert.resolved_at, self.alert.snoozed_until = AlertStatus.RESOLVED, at, None

    def _at_work(self, at: datetime) -> datetime:
        """Return the next instant at which people work: 8:30 to 18 on working days."""
        local = at.astimezone(self.zone)
        late = local.time() > time(18)
        if late:
            local = datetime.combine(local.date() + timedelta(days=1), time(8, 30), self.zone)
        while settings.BELLWETHER_WORKING_DAYS and local.isoweekday() not in settings.BELLWETHER_WORKING_DAYS:
            local = datetime.combine(local.date() + timedelta(days=1), time(8, 30), self.zone)
        if local.time() < time(8, 30):
            local = datetime.combine(local.date(), time(8, 30), self.zone)
        spread = timedelta(minutes=40 * float(self.random.random()))
        return max(at, local.astimezone(at.tzinfo)) + spread

    def _pick(self, texts: tuple[str, ...]) -> str:
        return texts[int(self.random.integers(len(texts)))]
