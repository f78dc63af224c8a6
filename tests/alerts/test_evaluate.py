"""Storing what detectors found, with detectors that find what the test says."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from django.utils import timezone

from bellwether.alerts import services
from bellwether.alerts.choices import AlertEventKind, AlertStatus, SettingScope
from bellwether.alerts.escalating import escalate_unanswered
from bellwether.alerts.frames import CLIENTS, EPISODES, Facts, empty, typed
from bellwether.alerts.handling import dismiss, snooze
from bellwether.alerts.jobs import alerts, remove_old
from bellwether.alerts.models import Alert, AlertEvent, AlertSetting
from bellwether.alerts.services import AlertsBusyError, evaluate, wake_snoozed
from bellwether.common.jobs import JobContext
from bellwether.common.locks import exclusive
from bellwether.common.models import JobRun, JobState
from bellwether.health.models import HealthScore
from bellwether.notifications.models import Notification
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.models import Client
from bellwether.webhooks.endpoints import add_endpoint
from bellwether.webhooks.models import WebhookEvent
from tests.alerts.making import an_alert
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
Find = Callable[..., None]


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def found(client: Client, **values: Any) -> dict[str, Any]:
    return {
        "client_id": client.pk.hex,
        "alert_type": "HEALTH_DROP",
        "subject": "",
        "severity": "HIGH",
        "opened_on": TODAY,
        "last_fired_on": TODAY,
        "times_fired": 1,
        "evidence": '{"from": 69, "to": 58, "days": 7}',
    } | values


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Find:
    """Let detectors find the given episodes from now on."""

    def say(*episodes: dict[str, Any]) -> None:
        frame = (
            typed(pl.DataFrame(list(episodes), schema_overrides=EPISODES), EPISODES) if episodes else empty(EPISODES)
        )
        monkeypatch.setattr(services, "detect", lambda *_, **__: frame)

    monkeypatch.setattr(services, "read_facts", lambda *_, **__: Facts(clients=empty(CLIENTS)))
    return say


@pytest.fixture
def proactive(clients: Clients) -> Client:
    """A proactive client of Ada, in a workspace that has alerts already."""
    Client.objects.update(alert_level=AlertLevel.PROACTIVE)
    an_alert(clients.elsewhere, "PAYMENT_ISSUE", ended_on=ago(30), status=AlertStatus.RESOLVED, opened_on=ago(40))
    clients.sturdy.refresh_from_db()
    return clients.sturdy


def kinds(alert: Alert) -> list[str]:
    return list(alert.events.values_list("kind", flat=True))


def told(user: Any) -> list[str]:
    return list(
        Notification.objects.filter(user=user, kind="alert").order_by("created_at").values_list("title", flat=True)
    )


class TestOpening:
    def test_stores_what_was_found_and_tells_whoever_looks_after_the_client(
        self, proactive: Client, staff: Staff, find: Find
    ) -> None:
        find(found(proactive))
        done = evaluate(now=NOW)
        alert = Alert.objects.get(client=proactive)
        assert (done.opened, done.earlier) == (1, 0)
        assert alert.description == "Health fell 11 points in 7 days, from 69 to 58."
        assert [alert.assigned_to, alert.arr, alert.severity_rank] == [staff.ada, 120000, 1]
        assert alert.respond_by == NOW + timedelta(hours=8)  # Tuesday noon
        assert kinds(alert) == [AlertEventKind.OPENED]
        assert told(staff.ada) == ["Sturdy: Health fell 11 points in 7 days"]
        assert told(staff.cleo) == []
        assert Notification.objects.get(kind="alert").href == f"/alerts/{alert.pk}/"

    def test_doing_it_again_changes_nothing_and_tells_nobody(self, proactive: Client, staff: Staff, find: Find) -> None:
        find(found(proactive))
        evaluate(now=NOW)
        before = Alert.objects.get(client=proactive).updated_at
        done = evaluate(now=NOW + timedelta(minutes=5))
        assert set(done.as_counts().values()) == {0}
        assert Alert.objects.get(client=proactive).updated_at == before
        assert AlertEvent.objects.filter(alert__client=proactive).count() == 1
        assert len(told(staff.ada)) == 1

    def test_the_first_look_tells_one_line_a_person(self, clients: Clients, staff: Staff, find: Find) -> None:
        find(found(clients.sturdy), found(clients.fading), found(clients.fading, alert_type="USAGE_DECLINE"))
        done = evaluate(now=NOW)
        assert (done.opened, done.earlier) == (3, 3)
        assert told(staff.ada) == ["3 alerts of 2 clients in your inbox"]

    def test_what_began_long_ago_is_told_in_one_line_too(self, proactive: Client, staff: Staff, find: Find) -> None:
        find(found(proactive, opened_on=ago(7)))
        evaluate(now=NOW)
        assert told(staff.ada) == ["1 alert of 1 client in your inbox"]

    def test_a_client_without_alerts_keeps_them_silently(self, proactive: Client, staff: Staff, find: Find) -> None:
        Client.objects.filter(pk=proactive.pk).update(alert_level=AlertLevel.NONE)
        find(found(proactive))
        evaluate(now=NOW)
        alert = Alert.objects.get(client=proactive)
        assert (alert.is_silent, alert.respond_by) == (True, None)
        assert told(staff.ada) == []
        Client.objects.filter(pk=proactive.pk).update(alert_level=AlertLevel.DASHBOARD_ONLY)
        evaluate(now=NOW)
        alert.refresh_from_db()
        assert (alert.is_silent, len(told(staff.ada))) == (False, 1)

    def test_a_mute_ends_by_itself(self, proactive: Client, staff: Staff, find: Find) -> None:
        AlertSetting.objects.create(
            scope=SettingScope.WORKSPACE, muted_until=NOW + timedelta(hours=1), created_at=NOW, updated_at=NOW
        )
        find(found(proactive))
        evaluate(now=NOW)
        assert told(staff.ada) == []
        evaluate(now=NOW + timedelta(hours=1))
        assert len(told(staff.ada)) == 1

    def test_archived_clients_have_none(self, clients: Clients, proactive: Client, find: Find) -> None:
        find(found(clients.gone))
        assert evaluate(now=NOW).opened == 0


class TestLater:
    def test_what_grew_more_severe_is_told_again_once(self, proactive: Client, staff: Staff, find: Find) -> None:
        find(found(proactive))
        evaluate(now=NOW)
        snooze([Alert.objects.get(client=proactive)], NOW + timedelta(days=1), staff.ada, NOW)
        find(found(proactive, severity="CRITICAL", times_fired=2))
        later = NOW + timedelta(hours=1)
        done = evaluate(now=later)
        evaluate(now=later)
        alert = Alert.objects.get(client=proactive)
        assert (done.escalated, done.fired_again) == (1, 1)
        assert (alert.severity, alert.status, alert.escalated_at) == ("CRITICAL", AlertStatus.NEW, later)
        assert alert.respond_by == later + timedelta(hours=4)
        assert len(told(staff.ada)) == 2

    def test_what_cleared_is_resolved_by_itself(self, proactive: Client, find: Find) -> None:
        find(found(proactive, opened_on=ago(2)))
        evaluate(now=NOW)
        find(found(proactive, opened_on=ago(2), cleared_on=TODAY))
        assert evaluate(now=NOW).cleared == 1
        alert = Alert.objects.get(client=proactive)
        assert (alert.status, alert.ended_on, alert.resolved_by) == (AlertStatus.RESOLVED, TODAY, None)
        assert kinds(alert)[-1] == AlertEventKind.CLEARED

    def test_a_dismissed_one_stays_silent_until_it_cleared(self, proactive: Client, staff: Staff, find: Find) -> None:
        find(found(proactive, opened_on=ago(2)))
        evaluate(now=NOW)
        dismiss([Alert.objects.get(client=proactive)], staff.ada, NOW)
        find(found(proactive, opened_on=ago(2), severity="CRITICAL", times_fired=3))
        evaluate(now=NOW)
        assert Alert.objects.get(client=proactive).status == AlertStatus.DISMISSED
        find(found(proactive, opened_on=ago(2), cleared_on=ago(1)), found(proactive))
        evaluate(now=NOW)
        rows = list(Alert.objects.filter(client=proactive).order_by("opened_on"))
        assert [(row.status, row.ended_on) for row in rows] == [
            (AlertStatus.DISMISSED, ago(1)),
            (AlertStatus.NEW, None),
        ]
        assert len(told(staff.ada)) == 2

    def test_alerts_of_an_archived_client_end(self, proactive: Client, find: Find) -> None:
        find(found(proactive))
        evaluate(now=NOW)
        Client.objects.filter(pk=proactive.pk).update(archived_at=NOW)
        assert evaluate(now=NOW).cleared == 1
        assert AlertEvent.objects.latest("id").detail["reason"] == "client archived"

    def test_a_client_that_is_handed_over_takes_its_alerts_along(
        self, proactive: Client, staff: Staff, find: Find
    ) -> None:
        find(found(proactive))
        evaluate(now=NOW)
        Client.objects.filter(pk=proactive.pk).update(csm_user=staff.cleo)
        evaluate(now=NOW)
        assert Alert.objects.get(client=proactive).assigned_to == staff.cleo

    def test_alerts_with_one_cause_are_joined(self, proactive: Client, find: Find) -> None:
        find(found(proactive, alert_type="CHAMPION_RISK"), found(proactive, alert_type="USAGE_DECLINE"))
        evaluate(now=NOW)
        assert set(Alert.objects.filter(client=proactive).values_list("root_cause", flat=True)) == {"people"}


class TestFaults:
    def test_one_that_breaks_off_leaves_nothing_and_the_next_tells_once(
        self, proactive: Client, staff: Staff, find: Find, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find(found(proactive))

        def broken(**_: Any) -> None:
            raise OSError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(services, "record", broken)
            with pytest.raises(OSError, match="disk"):
                evaluate(now=NOW)
        assert not Alert.objects.filter(client=proactive).exists()
        assert told(staff.ada) == []
        evaluate(now=NOW)
        assert len(told(staff.ada)) == 1

    @pytest.mark.sqlite_only
    def test_two_at_once_are_refused(self, proactive: Client, find: Find) -> None:
        find(found(proactive))
        with exclusive("alerts-evaluate"), pytest.raises(AlertsBusyError):
            evaluate(now=NOW)

    def test_the_number_of_queries_does_not_grow(
        self, clients: Clients, proactive: Client, find: Find, django_assert_max_num_queries: Any
    ) -> None:
        types = ("HEALTH_DROP", "USAGE_DECLINE", "SUPPORT_SPIKE", "CONTRACT_UTILIZATION_LOW")
        everybody = (clients.sturdy, clients.fading, clients.newborn, clients.elsewhere)
        find(*(found(client, alert_type=kind) for client in everybody for kind in types))
        with django_assert_max_num_queries(40):
            assert evaluate(now=NOW).opened == 16


class TestTellingTheOutside:
    def test_of_each_once(self, proactive: Client, staff: Staff, find: Find) -> None:
        add_endpoint("https://hooks.example.com/a", event_types=[], description="", actor=staff.adam, now=NOW)
        find(found(proactive))
        evaluate(now=NOW)
        find(found(proactive, severity="CRITICAL"))
        evaluate(now=NOW)
        find()
        evaluate(now=NOW)
        evaluate(now=NOW)
        types = list(WebhookEvent.objects.order_by("created_at", "event_type").values_list("event_type", flat=True))
        assert sorted(types) == ["alert.escalated", "alert.opened", "alert.resolved"]


class TestByTheClock:
    def test_a_snoozed_one_returns_on_time(self, proactive: Client, staff: Staff) -> None:
        alert = an_alert(proactive, assigned_to=staff.ada)
        until = NOW + timedelta(days=1)
        snooze([alert], until, staff.ada, NOW)
        assert wake_snoozed(until - timedelta(seconds=1)) == 0
        assert (wake_snoozed(until), wake_snoozed(until)) == (1, 0)
        alert.refresh_from_db()
        assert (alert.status, alert.snoozed_until) == (AlertStatus.NEW, None)
        assert kinds(alert)[-1] == AlertEventKind.RETURNED
        assert told(staff.ada) == ["Sturdy: back from snooze: Health fell 11 points in 7 days"]

    def test_an_unanswered_critical_one_goes_to_the_senior_once(self, proactive: Client, staff: Staff) -> None:
        an_alert(proactive, "CRITICAL_HEALTH", severity="CRITICAL", respond_by=NOW)
        an_alert(proactive, "HEALTH_DROP", severity="HIGH", respond_by=NOW)
        later = NOW + timedelta(minutes=1)
        assert (escalate_unanswered(NOW), escalate_unanswered(later), escalate_unanswered(later)) == (0, 1, 0)
        assert len(told(staff.ben)) == 1
        assert (told(staff.ada), told(staff.vera)) == ([], [])

    def test_without_a_senior_it_goes_to_the_vp(self, proactive: Client, clients: Clients, staff: Staff) -> None:
        an_alert(clients.elsewhere, severity="CRITICAL", respond_by=NOW)
        escalate_unanswered(NOW + timedelta(minutes=1))
        assert len(told(staff.vera)) == 1

    def test_an_answered_one_does_not(self, proactive: Client) -> None:
        an_alert(proactive, severity="CRITICAL", respond_by=NOW, first_response_at=NOW)
        assert escalate_unanswered(NOW + timedelta(minutes=1)) == 0


class TestKeeping:
    def test_removes_what_ended_long_ago(self, clients: Clients, settings: Any) -> None:
        made = NOW - timedelta(days=500)
        old: dict[str, Any] = {"created_at": made, "opened_on": ago(500), "status": AlertStatus.RESOLVED}
        an_alert(clients.sturdy, ended_on=ago(366), **old)
        an_alert(clients.fading, ended_on=ago(365), **old)
        an_alert(clients.newborn, created_at=made, opened_on=ago(500))
        settings.BELLWETHER_KEEP_ALERTS_DAYS = 0
        assert remove_old(NOW) == 0
        settings.BELLWETHER_KEEP_ALERTS_DAYS = 365
        assert (remove_old(NOW), remove_old(NOW)) == (1, 0)
        assert set(Alert.objects.values_list("client__name", flat=True)) == {"Fading", "Newborn"}


class TestWhenTheJobLooks:
    @pytest.fixture
    def looked(self, clients: Clients, find: Find) -> Any:
        """When the last look began; nothing was changed since."""
        find()
        HealthScore.objects.create(
            client=clients.sturdy, scorecard="prd-015", date=TODAY, overall_score=70, coverage=1, created_at=NOW
        )
        return JobRun.objects.create(
            name="alerts", state=JobState.DONE, started_at=timezone.now() + timedelta(seconds=1), created_at=NOW
        ).started_at

    def runs(self, now: Any) -> bool:
        return alerts(JobContext(now=now, name="alerts")) is not None

    def test_not_while_nothing_changed(self, looked: Any) -> None:
        assert not self.runs(looked + timedelta(minutes=59))
        assert self.runs(looked + timedelta(hours=1))

    def test_after_scores(self, looked: Any) -> None:
        finished = looked + timedelta(seconds=3)
        JobRun.objects.create(name="score", state=JobState.DONE, created_at=NOW, finished_at=finished)
        assert self.runs(finished + timedelta(seconds=3))

    def test_after_a_record_changed(self, looked: Any, clients: Clients) -> None:
        Client.objects.filter(pk=clients.sturdy.pk).update(updated_at=looked + timedelta(seconds=3))
        assert self.runs(looked + timedelta(seconds=6))

    def test_when_a_mute_ends(self, looked: Any) -> None:
        until = looked + timedelta(minutes=5)
        AlertSetting.objects.create(scope=SettingScope.WORKSPACE, muted_until=until, created_at=NOW, updated_at=NOW)
        assert not self.runs(until - timedelta(seconds=1))
        assert self.runs(until)
