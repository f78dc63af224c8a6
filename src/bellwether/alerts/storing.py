"""Stores what detectors found: opens, updates, escalates and ends alerts, and says who is to be told of what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
from django.conf import settings
from django.db.models import Q

from bellwether.alerts.choices import OPEN, AlertEventKind, AlertStatus
from bellwether.alerts.defaults import RESPOND_WITHIN
from bellwether.alerts.levels import is_silent, respond_by
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.naming import name_for, names_of
from bellwether.alerts.news import News, tell_news
from bellwether.alerts.reconciling import RANK, Differences, Episode, Kept, differences
from bellwether.alerts.words import description, root_causes, title
from bellwether.portfolio.models import Client

NEWS_DAYS = 7
"""What began longer ago when it is first found is told in one line a person, not one by one."""
BATCH = 200
CHANGEABLE = (
    "severity",
    "severity_rank",
    "title",
    "description",
    "trigger_metric",
    "trigger_value",
    "trigger_threshold",
    "related_entity_type",
    "related_entity_id",
    "evidence",
    "root_cause",
    "status",
    "assigned_to_id",
    "respond_by",
    "snoozed_until",
    "resolved_at",
    "escalated_at",
    "last_fired_on",
    "times_fired",
    "ended_on",
    "is_silent",
)


@dataclass
class Stored:
    """What changed, and how much of it was told."""

    opened: list[Alert] = field(default_factory=list)
    escalated: list[Alert] = field(default_factory=list)
    cleared: list[Alert] = field(default_factory=list)
    fired_again: int = 0
    reopened: int = 0
    earlier: int = 0
    told: int = 0


@dataclass(frozen=True)
class Rule:
    """What holds for a client and a type now: severity at opening, media told at once, hours to respond within, whether
    nobody is told, whether it is on."""

    severity: str
    media: tuple[str, ...]
    hours: int | None
    silent: bool
    enabled: bool = True


NO_RULE = Rule("LOW", (), None, silent=True, enabled=False)


@dataclass
class Storing:
    """One pass over the differences; everything it needs was read before it begins."""

    clients: Mapping[UUID, Client]
    rules: Mapping[tuple[str, str], Rule]
    names: Mapping[tuple[str, str], str]
    rows: dict[UUID, Alert]
    by_hand: frozenset[UUID]
    first_time: bool
    today: date
    now: datetime
    result: Stored = field(default_factory=Stored)
    events: list[AlertEvent] = field(default_factory=list)
    before: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    news: list[News] = field(default_factory=list)

    def run(self, found: Differences) -> None:
        """Apply the differences to rows in memory."""
        self.before = {pk: {name: getattr(row, name) for name in CHANGEABLE} for pk, row in self.rows.items()}
        for pk, day, episode in found.clear:
            self._clear(self.rows[pk], day, episode)
        for pk, episode in found.revive:
            self._revive(self.rows[pk], episode)
        for pk, episode in found.hold:
            self._hold(self.rows[pk], episode)
        for episode in found.open:
            self._open(episode)
        self._explain()

    def changed(self) -> dict[frozenset[str], list[Alert]]:
        """Return the stored rows that are others than before, by the fields that differ."""
        found: dict[frozenset[str], list[Alert]] = defaultdict(list)
        for pk, row in self.rows.items():
            fields = frozenset(name for name, value in self.before[pk].items() if getattr(row, name) != value)
            if fields:
                found[fields].append(row)
        return found

    def _rule(self, row: Alert) -> Rule:
        return self.rules.get((row.client_id.hex, row.alert_type), NO_RULE)

    def _event(self, row: Alert, kind: AlertEventKind, **detail: Any) -> None:
        self.events.append(AlertEvent(alert=row, kind=kind, at=self.now, detail=detail))

    def _open(self, episode: Episode) -> None:
        client = self.clients[UUID(episode.client_id)]
        row = new_alert(episode, client, now=self.now)
        rule = self._rule(row)
        self._describe(row, episode)
        row.is_silent = rule.silent
        earlier = self.first_time or (self.today - episode.opened_on).days >= NEWS_DAYS
        self._event(row, AlertEventKind.OPENED, **({"earlier": True} if earlier else {}))
        self.result.opened.append(row)
        if episode.cleared_on is not None:
            row.status, row.resolved_at, row.ended_on = AlertStatus.RESOLVED, self.now, episode.cleared_on
            self._event(row, AlertEventKind.CLEARED, on=episode.cleared_on.isoformat())
            return
        self.result.earlier += earlier
        if not row.is_silent:
            row.respond_by = self._respond_by(row, rule)
            self.news.append(News(row, client, rule.media, "earlier" if earlier else "opened"))

    def _hold(self, row: Alert, episode: Episode) -> None:
        rule = self._rule(row)
        if row.is_silent and not rule.silent and row.status in OPEN:
            earlier = (self.today - row.opened_on).days >= NEWS_DAYS
            row.respond_by = self._respond_by(row, rule)
            self.news.append(News(row, self.clients[row.client_id], rule.media, "earlier" if earlier else "opened"))
        row.is_silent = rule.silent
        if episode.times_fired > row.times_fired:
            self._event(row, AlertEventKind.UPDATED, on=episode.last_fired_on.isoformat(), times=episode.times_fired)
            row.times_fired = episode.times_fired
            self.result.fired_again += 1
        row.last_fired_on = max(row.last_fired_on, episode.last_fired_on)
        grown = RANK[episode.severity] < row.severity_rank
        self._describe(row, episode)
        if grown:
            self._escalate(row, episode, rule)
        self._hand_over(row)

    def _escalate(self, row: Alert, episode: Episode, rule: Rule) -> None:
        detail = {"from": row.severity, "to": episode.severity}
        row.severity, row.severity_rank, row.escalated_at = episode.severity, RANK[episode.severity], self.now
        self._event(row, AlertEventKind.ESCALATED, **detail)
        self.result.escalated.append(row)
        if row.status == AlertStatus.SNOOZED:
            row.status, row.snoozed_until = AlertStatus.NEW, None
        if row.status in OPEN and not row.is_silent:
            row.respond_by = self._respond_by(row, rule)
            self.news.append(News(row, self.clients[row.client_id], rule.media, "escalated"))

    def _clear(self, row: Alert, day: date, episode: Episode | None) -> None:
        row.ended_on = day
        self._event(row, AlertEventKind.CLEARED, on=day.isoformat(), **({} if episode else {"reason": self._why(row)}))
        if row.status in OPEN:
            row.status, row.resolved_at, row.snoozed_until = AlertStatus.RESOLVED, self.now, None
            if not row.is_silent:
                self.news.append(News(row, row.client, (), "cleared"))
        self.result.cleared.append(row)

    def _why(self, row: Alert) -> str:
        """Return why nothing of an alert is found any more."""
        if row.client_id not in self.clients:
            return "client archived"
        return "no longer found" if self._rule(row).enabled else "switched off"

    def _revive(self, row: Alert, episode: Episode) -> None:
        row.ended_on = None
        if row.status == AlertStatus.RESOLVED and row.resolved_by_id is None:
            row.status = AlertStatus.ACKNOWLEDGED if row.acknowledged_at else AlertStatus.NEW
            row.resolved_at = None
        self._event(row, AlertEventKind.REOPENED, reason="holds again")
        self.result.reopened += 1
        self._hold(row, episode)

    def _describe(self, row: Alert, episode: Episode) -> None:
        """Put an episode's numbers and words on its row, where they differ."""
        name = name_for(episode, self.clients[row.client_id], self.names)
        row.trigger_metric, row.trigger_value = episode.metric[:100], episode.value[:100]
        row.trigger_threshold, row.evidence = episode.threshold[:100], episode.evidence
        row.related_entity_type, row.related_entity_id = episode.related_type[:40], episode.related_id[:200]
        row.title = title(episode, name)[:200]
        row.description = description(episode, name)

    def _respond_by(self, row: Alert, rule: Rule) -> datetime | None:
        if rule.hours is None:
            return None
        worse = row.severity_rank < RANK[rule.severity]
        return respond_by(
            self.now,
            min(rule.hours, RESPOND_WITHIN[row.severity]) if worse else rule.hours,
            severity=row.severity,
            working_days=settings.BELLWETHER_WORKING_DAYS,
            zone=settings.BELLWETHER_WORKSPACE_ZONE,
        )

    def _hand_over(self, row: Alert) -> None:
        """Give an alert that nobody assigned by hand to whoever looks after its client now."""
        csm = self.clients[row.client_id].csm_user_id
        if row.assigned_to_id != csm and row.pk not in self.by_hand and row.status in OPEN:
            self._event(row, AlertEventKind.ASSIGNED, to=str(csm or ""), reason="client handed over")
            row.assigned_to_id = csm

    def _explain(self) -> None:
        """Name the cause that joins alerts of a client."""
        rows = [*self.rows.values(), *self.result.opened]
        running = [row for row in rows if row.ended_on is None]
        causes = root_causes(
            (str(row.pk), row.client_id.hex, row.alert_type, row.opened_on, row.evidence) for row in running
        )
        for row in running:
            row.root_cause = causes.get(str(row.pk), "")


def new_alert(episode: Episode, client: Client, *, now: datetime) -> Alert:
    """Return an unsaved row of an episode without its words."""
    return Alert(
        client=client,
        alert_type=episode.alert_type,
        subject=episode.subject,
        severity=episode.severity,
        severity_rank=RANK[episode.severity],
        arr=client.annual_recurring_revenue,
        assigned_to_id=client.csm_user_id,
        opened_on=episode.opened_on,
        last_fired_on=episode.last_fired_on,
        times_fired=episode.times_fired,
        created_at=now,
        updated_at=now,
    )


def store(episodes: Iterable[Episode], rules: pl.DataFrame, *, first: date, today: date, now: datetime) -> Stored:
    """Bring the stored alerts in line with `episodes` of the days from `first` to `today`; return what changed.

    Call it in a transaction. A fixed number of queries, and as many batches as there are changes.
    """
    clients = {row.pk: row for row in Client.objects.active()}
    found = [one for one in episodes if UUID(one.client_id) in clients]
    rows = {row.pk: row for row in _kept(first)}
    work = Storing(
        clients=clients,
        rules=_rules(rules, found, rows.values(), now),
        names=names_of(found),
        rows=rows,
        by_hand=_assigned_by_hand(),
        first_time=not rows and not Alert.objects.exists(),
        today=today,
        now=now,
    )
    since = today - timedelta(days=NEWS_DAYS)
    kept = [
        Kept(
            id=row.pk,
            client_id=row.client_id.hex,
            alert_type=row.alert_type,
            subject=row.subject,
            opened_on=row.opened_on,
            ended_on=row.ended_on,
        )
        for row in rows.values()
    ]
    work.run(differences(kept, found, today=today, since=since))
    for fields, changed in work.changed().items():
        _update(fields, changed, today, now)
    Alert.objects.bulk_create(work.result.opened, batch_size=BATCH)
    AlertEvent.objects.bulk_create(work.events, batch_size=500)
    work.result.told = tell_news(work.news, now=now)
    return work.result


def _update(fields: frozenset[str], rows: Sequence[Alert], today: date, now: datetime) -> None:
    """Write the fields of rows that differ. That an alert held one more day is no change that people are shown."""
    if fields == {"last_fired_on"} and all(row.last_fired_on == today for row in rows):
        for start in range(0, len(rows), 500):
            part = [row.pk for row in rows[start : start + 500]]
            Alert.objects.filter(pk__in=part).update(last_fired_on=today)
        return
    for row in rows:
        row.updated_at = now
    names = [name.removesuffix("_id") if name == "assigned_to_id" else name for name in sorted(fields)]
    Alert.objects.bulk_update(rows, [*names, "updated_at"], batch_size=BATCH)


def _kept(first: date) -> Sequence[Alert]:
    """Return the alerts that run, and those that ended from `first` on."""
    wanted = Q(ended_on__isnull=True) | Q(ended_on__gte=first)
    return list(Alert.objects.filter(wanted).select_for_update(of=("self",)).select_related("client").order_by("pk"))


def _assigned_by_hand() -> frozenset[UUID]:
    events = AlertEvent.objects.filter(
        kind=AlertEventKind.ASSIGNED, actor__isnull=False, alert__ended_on__isnull=True
    ).order_by()
    return frozenset(events.values_list("alert_id", flat=True))


def _rules(
    rules: pl.DataFrame, found: Iterable[Episode], rows: Iterable[Alert], now: datetime
) -> dict[tuple[str, str], Rule]:
    """Return what holds for the clients and types that there are alerts of."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in found:
        wanted[one.client_id].add(one.alert_type)
    for row in rows:
        wanted[row.client_id.hex].add(row.alert_type)
    pairs = [(client, kind) for client, kinds in wanted.items() for kind in kinds]
    needed = pl.DataFrame(pairs, schema={"client_id": pl.String, "alert_type": pl.String}, orient="row")
    return {
        (row["client_id"], row["alert_type"]): Rule(
            row["severity"],
            tuple(row["media"] or ()),
            row["respond_within_hours"],
            is_silent(row["level"], enabled=row["enabled"], muted_until=row["muted_until"], now=now),
            row["enabled"],
        )
        for row in rules.join(needed, on=["client_id", "alert_type"], how="semi").to_dicts()
    }
