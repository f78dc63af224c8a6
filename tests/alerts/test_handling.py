"""What staff do with alerts."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.http import Http404

from bellwether.alerts import handling
from bellwether.alerts.choices import AlertEventKind, AlertStatus
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.responses import response_this_month, responses_by_csm
from bellwether.alerts.selectors import InboxQuery, Tab, chosen, counts, fired_lately, inbox, new_count, visible
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.progress import NoProgress
from bellwether.portfolio import activities
from bellwether.portfolio.activity_drafts import ActivityDraft
from bellwether.portfolio.changes import changing, undo
from bellwether.portfolio.models import Client
from bellwether.portfolio.undoing import take_back
from bellwether.staff.models import AuditEvent
from bellwether.webhooks.models import WebhookEndpoint, WebhookEvent
from tests.alerts.making import an_alert
from tests.conftest import NOW, TODAY, Clients, Staff

LATER = NOW + timedelta(days=1)
Does = Callable[..., handling.Handled]
ACTS: dict[str, tuple[Callable[[list[Alert], Any], handling.Handled], AlertStatus]] = {
    "acknowledge": (lambda alerts, who: handling.acknowledge(alerts, who, NOW), AlertStatus.ACKNOWLEDGED),
    "snooze": (lambda alerts, who: handling.snooze(alerts, LATER, who, NOW), AlertStatus.SNOOZED),
    "dismiss": (lambda alerts, who: handling.dismiss(alerts, who, NOW), AlertStatus.DISMISSED),
    "resolve": (lambda alerts, who: handling.resolve(alerts, who, NOW, note="Fixed."), AlertStatus.RESOLVED),
}


@pytest.mark.parametrize("word", list(ACTS))
def test_each_act_is_kept_once_and_can_be_taken_back(word: str, staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.sturdy)
    act, status = ACTS[word]
    done = act([alert], staff.ada)
    alert.refresh_from_db()
    assert (alert.status, alert.first_response_at, done.changed) == (status, NOW, 1)
    again = act([alert], staff.ada)
    assert (again.changed, again.change) == (0, None)
    assert [event.kind for event in alert.events.all()] == [done.change.kind.partition(".")[2].upper()]  # type: ignore[union-attr]
    logged = AuditEvent.objects.get(action__startswith="alert.")
    assert (logged.action, logged.object_id, logged.client_id) == (
        f"alert.{status.lower()}",
        str(alert.pk),
        clients.sturdy.pk,
    )
    assert done.change is not None
    undo(staff.ada, done.change.pk, today=TODAY, now=NOW)
    alert.refresh_from_db()
    assert (alert.status, alert.first_response_at, alert.acknowledged_by, alert.snoozed_until) == (
        AlertStatus.NEW, None, None, None,
    )  # fmt: skip
    assert (alert.resolved_at, alert.resolution_notes, alert.dismissed_at) == (None, "", None)
    last = alert.events.order_by("-id").first()
    assert last is not None
    assert (last.kind, last.actor) == (AlertEventKind.UNDONE, staff.ada)


@pytest.mark.parametrize("closed", [AlertStatus.DISMISSED, AlertStatus.RESOLVED], ids=str)
@pytest.mark.parametrize("word", list(ACTS))
def test_closed_alerts_must_be_reopened_first(word: str, closed: AlertStatus, staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.sturdy, status=closed)
    act, status = ACTS[word]
    if status is closed and word != "resolve":
        assert act([alert], staff.ada).changed == 0
        return
    if status is closed:
        assert act([alert], staff.ada).changed == 1  # another note
        return
    with pytest.raises(ConflictError, match="Reopen it first"):
        act([alert], staff.ada)
    assert not AlertEvent.objects.exists()


def test_reopen(staff: Staff, clients: Clients) -> None:
    taken = an_alert(clients.sturdy, acknowledged_at=NOW, status=AlertStatus.RESOLVED, resolved_at=NOW)
    fresh = an_alert(clients.fading, status=AlertStatus.SNOOZED, snoozed_until=LATER)
    cleared = an_alert(clients.newborn, status=AlertStatus.RESOLVED, ended_on=TODAY)
    done = handling.reopen([taken, fresh, cleared], staff.ada, NOW)
    assert done.changed == 2
    assert done.left == ("Health drop at Newborn has cleared by itself. It opens again when the condition returns.",)
    for alert in (taken, fresh, cleared):
        alert.refresh_from_db()
    assert [taken.status, fresh.status, cleared.status] == ["ACKNOWLEDGED", "NEW", "RESOLVED"]
    assert (taken.resolved_at, fresh.snoozed_until) == (None, None)
    with pytest.raises(ConflictError, match="cleared by itself"):
        handling.reopen([cleared], staff.ada, NOW)


def test_assign_only_to_those_who_see_the_client(staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.sturdy)
    handling.assign([alert], staff.ben, staff.ada, NOW)
    alert.refresh_from_db()
    assert (alert.assigned_to, alert.status, alert.first_response_at) == (staff.ben, AlertStatus.NEW, NOW)
    with pytest.raises(InvalidInputError, match="does not see") as refused:
        handling.assign([alert], staff.cleo, staff.ada, NOW)
    assert set(refused.value.errors) == {"assigned_to"}


def test_many_at_once_in_a_fixed_number_of_queries(
    staff: Staff, clients: Clients, django_assert_max_num_queries: Any
) -> None:
    alerts = [an_alert(clients.sturdy, subject=str(number)) for number in range(30)]
    alerts.append(an_alert(clients.fading, status=AlertStatus.DISMISSED))
    with django_assert_max_num_queries(24):
        done = handling.acknowledge(alerts, staff.ada, NOW)
    assert (done.changed, len(done.left)) == (30, 1)
    assert done.change is not None
    assert done.change.summary == "30 alerts acknowledged"
    assert AlertEvent.objects.count() == 30
    undo(staff.ada, done.change.pk, today=TODAY, now=NOW)
    assert Alert.objects.filter(status=AlertStatus.NEW).count() == 30


def test_the_outside_is_told(staff: Staff, clients: Clients) -> None:
    WebhookEndpoint.objects.create(url="https://hooks.example/x", secret=b"x", created_at=NOW, event_types=[])
    alert = an_alert(clients.sturdy)
    handling.acknowledge([alert], staff.ada, NOW)
    handling.acknowledge([alert], staff.ada, NOW)
    handling.resolve([alert], staff.ada, NOW, note="Fixed.")
    events = list(WebhookEvent.objects.order_by("created_at", "event_type"))
    assert [event.event_type for event in events] == ["alert.acknowledged", "alert.resolved"]
    assert '"note":"Fixed."' in events[1].body


def draft(kind: str = "CALL", **fields: Any) -> ActivityDraft:
    return ActivityDraft(activity_type=kind, occurred_at=NOW - timedelta(minutes=5), subject="Word", **fields)


def test_logging_a_call_acknowledges_and_undoing_it_takes_that_back(staff: Staff, clients: Clients) -> None:
    alert, other = an_alert(clients.sturdy), an_alert(clients.fading)
    put_aside = an_alert(clients.sturdy, "NPS_DETRACTOR", status=AlertStatus.SNOOZED, snoozed_until=LATER)
    done = activities.log(staff.ada, clients.sturdy, draft(), now=NOW)
    for one in (alert, other, put_aside):
        one.refresh_from_db()
    assert [alert.status, other.status, put_aside.status] == ["ACKNOWLEDGED", "NEW", "SNOOZED"]
    event = alert.events.get()
    assert event.detail == {"activity": str(done.activity.pk)}
    assert done.change is not None
    undo(staff.ada, done.change.pk, today=TODAY, now=NOW)
    alert.refresh_from_db()
    assert (alert.status, alert.first_response_at) == ("NEW", None)


def test_what_does_not_answer_an_alert_leaves_it(staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.sturdy)
    old = ActivityDraft(activity_type="CALL", occurred_at=NOW - timedelta(days=3), subject="Old")
    activities.log(staff.ada, clients.sturdy, old, now=NOW)
    activities.log(staff.ada, clients.sturdy, draft("INTERNAL_DISCUSSION"), now=NOW)
    plan = ActivityDraft(activity_type="CALL", occurred_at=LATER, subject="Plan")
    planned = activities.schedule(staff.ada, clients.sturdy, plan, now=NOW)
    alert.refresh_from_db()
    assert alert.status == "NEW"
    # Once it took place it does; so does anything that is logged from the alert itself.
    activities.complete(staff.ada, planned.activity, draft(), now=NOW)
    alert.refresh_from_db()
    assert alert.status == "ACKNOWLEDGED"
    named = an_alert(clients.sturdy, "NPS_DETRACTOR", status=AlertStatus.SNOOZED, snoozed_until=LATER)
    activities.log(staff.ada, clients.sturdy, draft("INTERNAL_DISCUSSION"), now=NOW, origin=f"alert:{named.pk}")
    named.refresh_from_db()
    assert (named.status, named.snoozed_until) == ("ACKNOWLEDGED", None)
    elsewhere = an_alert(clients.elsewhere)
    activities.log(staff.ada, clients.sturdy, draft(), now=NOW, origin=f"alert:{elsewhere.pk}")
    elsewhere.refresh_from_db()
    assert elsewhere.status == "NEW"


def test_folders_and_counts(staff: Staff, clients: Clients, django_assert_max_num_queries: Any) -> None:
    an_alert(clients.sturdy, root_cause="usage")
    an_alert(clients.sturdy, "USAGE_DECLINE", root_cause="usage", severity="MEDIUM")
    an_alert(clients.fading, status=AlertStatus.ACKNOWLEDGED)
    an_alert(clients.fading, "NPS_DETRACTOR", status=AlertStatus.SNOOZED, snoozed_until=LATER)
    an_alert(clients.fading, "SUPPORT_SPIKE", status=AlertStatus.RESOLVED, resolved_at=NOW)
    an_alert(clients.newborn, is_silent=True)
    an_alert(clients.gone)
    an_alert(clients.elsewhere)
    asked = InboxQuery()
    with django_assert_max_num_queries(2):
        found = counts(staff.ada, asked, NOW)
    assert (found.open, found.new, found.snoozed, found.done, found.muted) == (3, 2, 1, 1, 0)
    with django_assert_max_num_queries(2):
        box = inbox(staff.ada, asked, NOW)
        rows = [(entry.alert.client.name, entry.phase, len(entry.others)) for entry in box.entries]
    assert rows == [("Sturdy", "today", 1), ("Fading", "acknowledged", 0)]
    assert inbox(staff.ada, InboxQuery(types=("USAGE_DECLINE",)), NOW).total == 1
    assert inbox(staff.ada, InboxQuery(tab=Tab.DONE), NOW).total == 1
    assert inbox(staff.cleo, asked, NOW).total == 1
    assert (new_count(staff.ada), new_count(staff.vera), visible(staff.ada).count()) == (2, 3, 7)
    with pytest.raises(Http404):
        chosen(staff.cleo, [visible(staff.ada)[0].pk])


def test_how_often_it_fired(staff: Staff, clients: Clients) -> None:
    def day(days: int) -> date:
        return TODAY - timedelta(days=days)

    alert = an_alert(clients.sturdy, times_fired=2)
    an_alert(clients.sturdy, subject="b", opened_on=day(100), last_fired_on=day(80), times_fired=5)  # once in 90 days
    an_alert(clients.sturdy, subject="c", opened_on=day(100), last_fired_on=day(90), times_fired=5)
    an_alert(clients.sturdy, "NPS_DETRACTOR")
    an_alert(clients.fading)
    assert fired_lately(alert, TODAY) == 3


def test_response_times(staff: Staff, clients: Clients) -> None:
    made = NOW - timedelta(hours=10)
    for hours, subject in ((2, "a"), (6, "b"), (9, "c")):
        an_alert(clients.sturdy, subject=subject, created_at=made, first_response_at=made + timedelta(hours=hours))
    an_alert(clients.sturdy, subject="waiting", created_at=made)
    an_alert(clients.sturdy, subject="silent", created_at=made, first_response_at=made, is_silent=True)
    an_alert(clients.sturdy, subject="in May", created_at=made - timedelta(days=40), first_response_at=made)
    found = response_this_month(staff.ada, NOW)
    assert (found.median_hours, found.alerts, found.answered, found.target_hours) == (6, 4, 3, 8)
    assert response_this_month(staff.cleo, NOW).median_hours is None
    by_csm = responses_by_csm([staff.ada.pk, staff.cleo.pk], TODAY.replace(day=1), TODAY)
    assert {key: value.median_hours for key, value in by_csm.items()} == {staff.ada.pk: 6}


def test_alerts_go_with_a_client_that_an_undone_import_made(staff: Staff) -> None:
    client = Client(organization_id="new", name="New", csm_user=staff.ada)
    with changing(staff.ada, kind="import", summary="Imported", today=TODAY, now=NOW) as work:
        work.make(client)
    alert = an_alert(client)
    AlertEvent.objects.create(alert=alert, kind=AlertEventKind.OPENED, at=NOW)
    assert work.change is not None
    done = take_back(work.change, today=TODAY, now=NOW, progress=NoProgress())
    assert (done.restored, done.left) == (1, [])
    assert not Alert.objects.exists()
