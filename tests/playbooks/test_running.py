"""The engine on a small portfolio: enrolling, caps, steps, approval, exits, pauses, versions."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from bellwether.alerts.models import Alert
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.delivery.choices import Medium, MessageState
from bellwether.delivery.delivering import deliver_due
from bellwether.delivery.models import Message
from bellwether.playbooks import handling, services, stepping
from bellwether.playbooks.choices import Arm, EnrolmentState, InterventionState, PlaybookState
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Enrolment, Intervention, MessageTemplate, Playbook
from bellwether.playbooks.running import run
from bellwether.portfolio.activities import visible_activity
from bellwether.portfolio.changes import undo
from bellwether.portfolio.models import Activity, Client, Contact
from bellwether.staff.models import AuditEvent
from bellwether.webhooks.models import WebhookEndpoint, WebhookEvent
from tests.conftest import NOW, TODAY, Clients, Staff

MAIL = {"key": "mail", "kind": "email", "title": "Mail", "template": "hello", "to": "CHAMPION"}
CALL = {"key": "call", "kind": "call", "title": "Call {{ client.name }}", "wait_days": 3}


def playbook(staff: Staff, *steps: dict[str, Any], name: str = "Quiet", start: bool = True, **fields: Any) -> Playbook:
    data = {
        "trigger": {"kind": "alert", "types": ["KEY_USER_INACTIVE"]},
        "steps": list(steps) or [MAIL, CALL],
        "outcome": {"kind": "login", "days": 14},
        "hold_out": 0,
    }
    made = services.create(name=name, definition=definition_from_data(data | fields), actor=staff.vera, now=NOW)
    return services.start(made, actor=staff.vera, now=NOW) if start else made


@pytest.fixture
def hello(db: None) -> MessageTemplate:
    return MessageTemplate.objects.create(
        key="hello",
        name="Hello",
        subject="How is {{ client.name }}?",
        body="Dear {{ contact.first_name }}, {{ csm.first_name }}",
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture
def mara(clients: Clients) -> Contact:
    return Contact.objects.create(
        client=clients.sturdy, name="Mara Lind", email="mara@sturdy.example", role="CHAMPION", is_primary=True
    )


def alert(client: Client, **fields: Any) -> Alert:
    values: dict[str, Any] = {
        "alert_type": "KEY_USER_INACTIVE",
        "severity": "HIGH",
        "title": "Champion inactive for 14 days",
        "description": "…",
        "opened_on": TODAY,
        "last_fired_on": TODAY,
        "created_at": NOW,
        "updated_at": NOW,
    }
    made: Alert = Alert.objects.create(client=client, **(values | fields))
    return made


def states() -> dict[str, str]:
    return dict(Intervention.objects.values_list("step", "state"))


def test_an_alert_enrols_once_mails_the_champion_and_plans_a_call(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    playbook(staff)
    alert(clients.sturdy)
    first = run(NOW)  # a Tuesday, noon
    assert (first.enrolled, first.interventions) == (1, 1)
    row = Enrolment.objects.get()
    assert (row.client_id, row.arm, row.step) == (clients.sturdy.pk, Arm.TREATED, "call")
    assert row.baseline["reason"] == "Champion inactive for 14 days"
    assert row.next_at == datetime(2026, 7, 3, 12, 0, tzinfo=UTC)
    message = Message.objects.get(medium=Medium.EMAIL, contact=mara)
    assert (message.payload["title"], message.payload["text"]) == ("How is Sturdy?", "Dear Mara, Ada")
    sent = Intervention.objects.get()
    assert (sent.state, sent.contact, sent.subject) == (InterventionState.SCHEDULED, mara, "How is Sturdy?")
    assert run(NOW).interventions == 0
    assert Message.objects.filter(contact=mara).count() == 1

    Message.objects.filter(contact=mara).update(state=MessageState.SENT, sent_at=NOW)
    friday = NOW + timedelta(days=3)
    run(friday)
    assert states() == {"mail": "SENT", "call": "DUE"}
    activity = Activity.objects.get()
    assert (activity.subject, activity.performed_by, activity.completed_at) == ("Call Sturdy", staff.ada, None)
    assert activity.occurred_at > friday
    row.refresh_from_db()
    assert row.state == EnrolmentState.COMPLETED


def test_business_days_pass_over_the_weekend_and_a_holiday(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    Client.objects.filter(pk=clients.sturdy.pk).update(country="US")
    playbook(staff, MAIL, CALL | {"wait_days": 2})
    alert(clients.sturdy)
    run(NOW + timedelta(days=1))  # Wednesday 1 July; Friday 3 July is the observed Independence Day
    assert Enrolment.objects.get().next_at == datetime(2026, 7, 6, 12, 0, tzinfo=UTC)


def test_a_saturday_waits_for_monday(staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact) -> None:
    playbook(staff)
    alert(clients.sturdy)
    assert run(NOW + timedelta(days=4)).interventions == 0
    assert run(NOW + timedelta(days=6)).interventions == 1


def test_the_held_out_are_observed_and_nothing_reaches_them(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    steps = [
        MAIL | {"approval": True},
        CALL,
        {"key": "tag", "kind": "tag", "tag": "quiet"},
        {"key": "post", "kind": "slack", "text": "Quiet"},
    ]
    playbook(staff, *steps, hold_out=50)
    alert(clients.sturdy)
    run(NOW)
    Enrolment.objects.update(arm=Arm.HELD_OUT, step="mail", next_at=NOW)
    Intervention.objects.all().delete()
    Message.objects.all().delete()
    for days in range(8):
        run(NOW + timedelta(days=days))
    assert states() == dict.fromkeys(["mail", "call", "tag", "post"], "OBSERVED")
    assert not Message.objects.exists()
    assert not Activity.objects.exists()
    assert not clients.sturdy.tags.exists()
    assert Enrolment.objects.get().state == EnrolmentState.COMPLETED


def test_one_playbook_at_a_time_and_quiet_days_after(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    playbook(staff, MAIL, name="First")
    playbook(staff, MAIL, name="Second")
    one = alert(clients.sturdy)
    assert run(NOW).enrolled == 1
    assert Enrolment.objects.get().playbook.name == "First"
    assert Enrolment.objects.get().state == EnrolmentState.COMPLETED
    Alert.objects.filter(pk=one.pk).update(opened_on=TODAY + timedelta(days=29))
    assert run(NOW + timedelta(days=29)).enrolled == 0  # quiet for 30 days
    assert run(NOW + timedelta(days=30)).enrolled == 1
    assert set(Enrolment.objects.values_list("playbook__name", flat=True)) == {"First", "Second"}


@pytest.mark.parametrize(
    "changed",
    [{"is_silent": True}, {"status": "DISMISSED"}, {"status": "RESOLVED"}, {"ended_on": TODAY},
     {"opened_on": date(2026, 6, 23)}],
    ids=["silent", "dismissed", "resolved", "ended", "old"],
)  # fmt: skip
def test_alerts_that_nobody_is_told_or_that_ended_enrol_nobody(
    staff: Staff, clients: Clients, hello: MessageTemplate, changed: dict[str, Any]
) -> None:
    playbook(staff)
    alert(clients.sturdy, **changed)
    alert(clients.gone)
    assert run(NOW).enrolled == 0


def test_recovered_clients_leave_and_what_was_open_is_called_off(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    steps = [{"key": "task", "kind": "task", "title": "Look"}, MAIL | {"approval": True}]
    playbook(staff, *steps, exit={"alert_cleared": True})
    one = alert(clients.sturdy)
    run(NOW)
    assert states() == {"task": "DUE", "mail": "APPROVAL"}
    Alert.objects.filter(pk=one.pk).update(ended_on=TODAY)
    assert run(NOW + timedelta(minutes=1)).left == 1
    row = Enrolment.objects.get()
    assert (row.state, row.end_reason, row.next_at) == (EnrolmentState.EXITED, "The alert ended.", None)
    assert states() == {"task": "CANCELLED", "mail": "CANCELLED"}
    assert Activity.objects.get().archived_at is not None
    with pytest.raises(ConflictError, match="no longer waits"):
        handling.approve(Intervention.objects.get(step="mail"), actor=staff.ada, now=NOW)


def test_a_login_of_the_person_that_the_alert_is_about_counts_and_no_other(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    playbook(staff, MAIL, CALL, exit={"logged_in": True})
    alert(clients.sturdy, related_entity_type="contact", related_entity_id=str(mara.pk))
    run(NOW)
    later = NOW + timedelta(days=1)
    Client.objects.filter(pk=clients.sturdy.pk).update(last_activity_at=later)
    assert run(later).left == 0
    Contact.objects.filter(pk=mara.pk).update(last_platform_login=later)
    assert run(later).left == 1
    assert Enrolment.objects.get().end_reason == "Somebody logged in."


def test_approval_holds_the_playbook_until_somebody_sends_or_rejects(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    playbook(staff, MAIL | {"approval": True}, CALL)
    alert(clients.sturdy)
    run(NOW)
    run(NOW + timedelta(days=20))
    waiting = Intervention.objects.get()
    assert waiting.state == InterventionState.APPROVAL
    assert not Message.objects.filter(contact=mara).exists()
    assert Message.objects.filter(user=staff.ada, medium=Medium.IN_APP).count() == 1
    edited, change = handling.edit_message(waiting, message="Hello Mara", actor=staff.ada, now=NOW)
    assert edited.message == "Hello Mara"
    undo(staff.ada, change.pk, today=TODAY, now=NOW)
    at = NOW + timedelta(days=21)
    handling.approve(waiting, subject="Hello", actor=staff.ada, now=at)
    with pytest.raises(ConflictError):
        handling.approve(waiting, actor=staff.ada, now=at)
    message = Message.objects.get(contact=mara)
    assert (message.payload["title"], message.payload["text"]) == ("Hello", "Dear Mara, Ada")
    row = Enrolment.objects.get()
    assert (row.step, row.next_at) == ("call", datetime(2026, 7, 24, 12, 0, tzinfo=UTC))
    assert AuditEvent.objects.filter(action="intervention.approved", actor_id=staff.ada.pk).count() == 1


def test_rejecting_goes_on_without_sending(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    playbook(staff, MAIL | {"approval": True}, CALL)
    alert(clients.sturdy)
    run(NOW)
    handling.reject(Intervention.objects.get(), reason="They called", actor=staff.ada, now=NOW)
    assert Intervention.objects.get().failure == "They called"
    assert Enrolment.objects.get().step == "call"
    assert not Message.objects.filter(contact=mara).exists()


def test_a_pause_stops_everything_and_waits_do_not_jump(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    made = playbook(staff, MAIL, CALL, business_days=False)
    alert(clients.sturdy)
    run(NOW)
    services.pause(made, actor=staff.vera, now=NOW + timedelta(days=1))
    alert(clients.fading)
    assert run(NOW + timedelta(days=9)).interventions == 0
    assert Enrolment.objects.count() == 1
    services.resume(made, actor=staff.vera, now=NOW + timedelta(days=10))
    assert Enrolment.objects.get(client=clients.sturdy).next_at == NOW + timedelta(days=12)
    assert Playbook.objects.get().state == PlaybookState.RUNNING


def test_enrolled_clients_finish_on_their_version(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    made = playbook(staff, MAIL, CALL)
    alert(clients.sturdy)
    run(NOW)
    second = definition_from_data({**made.version.definition, "steps": [{"key": "tag", "kind": "tag", "tag": "x"}]})
    version, new = services.save_version(made, second, note="Only a tag", actor=staff.adam, now=NOW)
    assert (version.number, new) == (2, True)
    assert services.save_version(made, second, actor=staff.adam, now=NOW) == (version, False)
    alert(clients.fading)
    run(NOW + timedelta(days=3))
    assert set(Intervention.objects.values_list("client__name", "step")) == {
        ("Sturdy", "mail"),
        ("Sturdy", "call"),
        ("Fading", "tag"),
    }
    assert [one.name for one in clients.fading.tags.all()] == ["x"]
    assert Enrolment.objects.filter(client=clients.sturdy).count() == 1  # not again for the new version


def test_branches_conditions_and_steps_that_are_not_needed(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    steps = [
        {"key": "fork", "kind": "branch", "if": {"field": "arr", "is": "at_least", "value": 500000}, "then": "big",
         "otherwise": "small"},
        {"key": "big", "kind": "tag", "tag": "big", "then": "end"},
        {"key": "small", "kind": "tag", "tag": "small"},
        {"key": "call", "kind": "call", "title": "Call", "if": {"field": "logged_in", "is": "yes"}},
    ]  # fmt: skip
    playbook(staff, *steps)
    alert(clients.sturdy)
    run(NOW)
    assert states() == {"small": "DONE", "call": "SKIPPED"}
    assert "Logged in since enrolment does not hold" in Intervention.objects.get(step="call").failure


def test_a_step_that_fails_says_why_and_blocks_nobody(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        MAIL | {"to": "EXECUTIVE_SPONSOR"},
        {"key": "vague", "kind": "email", "title": "T", "text": "Since {{ last_login }}", "to": "CHAMPION"},
        {"key": "post", "kind": "slack", "text": "Quiet"},
        {"key": "app", "kind": "in_app", "title": "T", "text": "Hello"},
        {"key": "crm", "kind": "crm_task", "title": "Note it"},
        {"key": "tag", "kind": "tag", "tag": "x"},
        {"key": "task", "kind": "task", "title": "Look"},
    ]
    playbook(staff, *steps)
    alert(clients.sturdy)
    alert(clients.fading)

    def broken(*arguments: Any, **named: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(stepping, "add_tag", broken)
    run(NOW)
    failures = dict(Intervention.objects.filter(client=clients.sturdy).values_list("step", "failure"))
    assert failures["mail"] == "No contact of this client is the executive sponsor."
    assert "last_login has no value" in failures["vague"]
    assert "Slack" in failures["post"]
    assert "playbook.in_app" in failures["app"]
    assert "No CRM" in failures["crm"]
    assert "unexpectedly" in failures["tag"]
    assert failures["task"] == ""
    assert Intervention.objects.filter(step="task", state="DUE").count() == 2


def test_an_in_app_message_goes_to_the_webhook_once(staff: Staff, clients: Clients, mara: Contact) -> None:
    WebhookEndpoint.objects.create(
        url="https://hooks.example/x", secret=b"x", event_types=["playbook.in_app"], created_at=NOW
    )
    playbook(staff, {"key": "app", "kind": "in_app", "title": "Hint", "text": "Hello {{ client.name }}"})
    alert(clients.sturdy)
    run(NOW)
    run(NOW)
    assert '"text":"Hello Sturdy"' in WebhookEvent.objects.get().body
    assert states() == {"app": "SENT"}


def test_somebody_who_unsubscribed_gets_nothing(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact
) -> None:
    from bellwether.delivery.unsubscribing import digest_of, unsubscribe

    unsubscribe(digest_of("MARA@sturdy.example"), "", now=NOW)
    playbook(staff, MAIL | {"approval": True})
    alert(clients.sturdy)
    run(NOW)
    row = Intervention.objects.get()
    assert row.state == InterventionState.SKIPPED
    assert "No mail goes to this contact" in row.failure
    assert not Message.objects.filter(contact=mara).exists()


def test_completing_the_activity_completes_the_intervention_and_the_other_way_round(
    staff: Staff, clients: Clients, mara: Contact
) -> None:
    steps = [{"key": "one", "kind": "task", "title": "One"}, {"key": "two", "kind": "call", "title": "Two"}]
    playbook(staff, *steps)
    alert(clients.sturdy)
    run(NOW)
    one, two = Intervention.objects.get(step="one"), Intervention.objects.get(step="two")
    Activity.objects.filter(pk=one.activity_id).update(completed_at=NOW, outcome_notes="Went well")
    assert run(NOW).settled == 1
    one.refresh_from_db()
    assert (one.state, one.outcome, one.done_by) == (InterventionState.DONE, "Went well", staff.ada)
    done, change = handling.mark_done(two, outcome="No answer", actor=staff.ada, now=NOW)
    assert (done.state, done.outcome) == (InterventionState.DONE, "No answer")
    assert visible_activity(staff.ada, two.activity_id).completed_at == NOW
    undo(staff.ada, change.pk, today=TODAY, now=NOW)
    two.refresh_from_db()
    assert (two.state, two.activity.completed_at) == (InterventionState.DUE, None)
    skipped, _ = handling.skip(two, reason="On leave", actor=staff.ada, now=NOW)
    assert (skipped.state, skipped.failure) == (InterventionState.SKIPPED, "On leave")
    assert Activity.objects.get(pk=two.activity_id).archived_at == NOW


def test_by_hand_caps_hold_and_twice_a_day_is_once(staff: Staff, clients: Clients, mara: Contact) -> None:
    made = playbook(staff, {"key": "call", "kind": "call", "title": "Call", "wait_days": 5}, trigger={"kind": "hand"})
    both = [clients.sturdy, clients.gone]
    first = services.enrol_by_hand(made, both, actor=staff.ada, now=NOW)
    assert [one.enrolment is not None for one in first] == [True, False]
    assert first[1].reason == "Gone is archived."
    again = services.enrol_by_hand(made, both, actor=staff.ada, now=NOW)
    assert again[0].enrolment is None
    assert again[0].reason == "It is under way in this playbook."
    services.cancel_enrolment(first[0].enrolment, actor=staff.ada, reason="Mistake", now=NOW)
    assert Enrolment.objects.get().end_reason == "Mistake"
    services.pause(made, actor=staff.vera, now=NOW)
    with pytest.raises(ConflictError, match="not running"):
        services.enrol_by_hand(made, both, actor=staff.ada, now=NOW)


def test_who_may_define_and_who_may_act(staff: Staff, clients: Clients, hello: MessageTemplate) -> None:
    made = playbook(staff, start=False)
    for person in (staff.ada, staff.ben, staff.ed):
        with pytest.raises(PermissionDenied):
            services.start(made, actor=person, now=NOW)
    services.start(made, actor=staff.adam, now=NOW)
    with pytest.raises(PermissionDenied):
        services.enrol_by_hand(made, [clients.sturdy], actor=staff.ed, now=NOW)


def test_archiving_takes_everybody_out(staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact) -> None:
    made = playbook(staff, MAIL | {"approval": True})
    alert(clients.sturdy)
    run(NOW)
    services.archive(made, actor=staff.vera, now=NOW)
    assert Enrolment.objects.get().state == EnrolmentState.CANCELLED
    assert states() == {"mail": "CANCELLED"}
    assert services.restore(made, actor=staff.vera, now=NOW).state == PlaybookState.DRAFT


def test_an_idle_run_costs_the_same_for_any_number_of_clients(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact, django_assert_max_num_queries: Any
) -> None:
    playbook(staff, MAIL | {"wait_days": 5})
    for one in (clients.sturdy, clients.fading, clients.newborn, clients.elsewhere):
        alert(one)
    run(NOW)
    Client.objects.bulk_create(
        [Client(organization_id=f"more-{n}", name=f"More {n}", csm_user=staff.cleo) for n in range(40)]
    )
    run(NOW)
    with django_assert_max_num_queries(24):
        assert run(NOW).enrolled == 0


def test_entering_a_segment_enrols_and_being_in_it_does_not(staff: Staff, clients: Clients) -> None:
    Client.objects.filter(pk=clients.sturdy.pk).update(segment="SMB")
    run(NOW)
    playbook(staff, {"key": "tag", "kind": "tag", "tag": "x"}, trigger={"kind": "segment", "segments": ["SMB"]})
    assert run(NOW).enrolled == 0
    Client.objects.filter(pk=clients.fading.pk).update(segment="SMB")
    assert run(NOW + timedelta(days=1)).enrolled == 1
    assert Enrolment.objects.get().episode == "segment:SMB:2026-07-01"


def test_a_playbook_may_not_take_the_name_of_a_page(staff: Staff) -> None:
    assert playbook(staff, CALL, name="New", start=False).key == "new-2"
    with pytest.raises(InvalidInputError) as caught:
        playbook(staff, CALL, name="new", start=False)
    assert caught.value.errors == {"name": "Another playbook has this name."}


def test_from_the_step_to_the_mail_and_back(
    staff: Staff, clients: Clients, hello: MessageTemplate, mara: Contact, mailoutbox: list[Any]
) -> None:
    playbook(staff, MAIL)
    alert(clients.sturdy)
    run(NOW)
    assert deliver_due(NOW + timedelta(minutes=1), clock=lambda: NOW).sent == 1
    assert deliver_due(NOW + timedelta(minutes=2), clock=lambda: NOW).sent == 0
    (mail,) = mailoutbox
    assert (mail.to, mail.subject, mail.reply_to) == (["mara@sturdy.example"], "How is Sturdy?", [staff.ada.email])
    assert "Dear Mara, Ada" in mail.body
    assert run(NOW + timedelta(minutes=3)).settled == 1
    assert Intervention.objects.get().state == InterventionState.SENT
