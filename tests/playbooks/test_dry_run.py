"""The dry run, the starter library, and playbooks as TOML."""

import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.delivery.models import Message
from bellwether.playbooks import services
from bellwether.playbooks.choices import EnrolmentState, PlaybookState
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.dry_run import dry_run
from bellwether.playbooks.exchange import export_toml, import_data
from bellwether.playbooks.library import load_library, shelf
from bellwether.playbooks.models import Enrolment, Intervention, MessageTemplate, Playbook
from bellwether.playbooks.rendering import EXAMPLE, render
from bellwether.playbooks.running import run
from bellwether.playbooks.templates import archive_template, save_template
from bellwether.playbooks.wording import in_words
from bellwether.portfolio.changes import undo
from bellwether.portfolio.models import Client, Contact
from bellwether.presets import PRESETS
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.playbooks.test_running import MAIL, alert, hello, mara, playbook  # noqa: F401


@pytest.mark.usefixtures("hello", "mara")
def test_who_would_be_enrolled_and_what_would_be_sent_as_then_happens(
    staff: Staff, clients: Clients, django_assert_max_num_queries: Any
) -> None:
    made = playbook(staff, MAIL | {"wait_days": 1}, conditions=[{"field": "arr", "is": "at_least", "value": 100000}])
    for client in (clients.sturdy, clients.fading, clients.newborn, clients.elsewhere):
        alert(client)
    Client.objects.filter(pk=clients.newborn.pk).update(annual_recurring_revenue=5000)
    running = playbook(staff, {"key": "call", "kind": "call", "title": "Call", "wait_days": 9}, name="Other",
                       trigger={"kind": "hand"})  # fmt: skip
    services.enrol_by_hand(running, [clients.elsewhere], actor=staff.vera, now=NOW)
    definition = services.definition_of(made.version)
    with django_assert_max_num_queries(16):
        found = dry_run(definition, now=NOW, playbook=made)
    assert (found.clients, found.meeting, found.problems) == (4, 4, 1)
    by_name = {one.client.name: one for one in found.enrolled}
    assert set(by_name) == {"Sturdy", "Fading"}
    first = by_name["Sturdy"].first
    assert first is not None
    assert (first.subject, first.text, first.problem) == ("How is Sturdy?", "Dear Mara, Ada", "")
    assert first.due_at == datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert by_name["Fading"].first.problem == "No contact of this client is the champion."
    assert {one.client.name: (one.why, one.detail) for one in found.others} == {
        "Newborn": ("condition", "Does not hold: ARR is at least 100,000."),
        "Elsewhere": ("running", "1 playbook run for it; there may be 1."),
    }
    assert not Message.objects.exists()
    assert Enrolment.objects.count() == 1
    run(NOW)
    assert set(Enrolment.objects.filter(playbook=made).values_list("client__name", "arm")) == {
        (name, one.arm) for name, one in by_name.items()
    }
    again = dry_run(definition, now=NOW, playbook=made)
    assert {one.why for one in again.others} == {"under_way", "condition", "running"}


@pytest.mark.usefixtures("hello")
def test_a_dry_run_shows_readers_their_own_clients_alone(staff: Staff, clients: Clients) -> None:
    alert(clients.sturdy)
    alert(clients.elsewhere)
    data = {"trigger": {"kind": "alert", "types": ["KEY_USER_INACTIVE"]}, "steps": [MAIL],
            "outcome": {"kind": "login", "days": 14}, "hold_out": 25}  # fmt: skip
    found = dry_run(definition_from_data(data), now=NOW, user=staff.cleo)
    assert [one.client.name for one in found.enrolled] == ["Elsewhere"]
    assert (found.clients, found.expected_held_out, found.enrolled[0].arm) == (1, 0.25, "")


@pytest.mark.one_database
@pytest.mark.parametrize("preset", PRESETS)
def test_the_library_of_each_preset_can_be_used_as_it_is(preset: str) -> None:
    found = shelf(preset)
    templates = {one["key"]: one for one in found["templates"]}
    for one in templates.values():
        assert render(one["subject"], one["body"], EXAMPLE).text
    assert len(found["playbooks"]) >= 4
    for one in found["playbooks"]:
        definition = definition_from_data(one["definition"])
        assert len(one["description"]) <= 500
        assert in_words(definition).trigger
        assert 10 <= definition.hold_out <= 50
        for step in definition.steps:
            assert not step.template or step.template in templates
            if step.text:
                assert render(step.title, step.text, EXAMPLE).text


def test_the_library_comes_once_as_drafts_and_keeps_edits(staff: Staff) -> None:
    count = load_library("ethico", now=NOW)
    assert count == len(shelf("ethico")["playbooks"]) + len(shelf("ethico")["templates"])
    assert set(Playbook.objects.values_list("state", flat=True)) == {PlaybookState.DRAFT}
    quiet = Playbook.objects.get(key="champion-gone-quiet")
    services.describe(quiet, name="Silence", description="", owner=None, actor=staff.vera, now=NOW)
    MessageTemplate.objects.filter(key="usage-drop").update(archived_at=NOW)
    assert load_library("ethico", now=NOW) == 0
    assert Playbook.objects.get(key="champion-gone-quiet").name == "Silence"


def test_no_login_for_seven_days_after_set_up(staff: Staff, clients: Clients) -> None:
    """The supplier scenario: a mail with tips, a flag, a check-in call two business days later."""
    load_library("suppliers", now=NOW)
    made = services.find_playbook("setup-re-engagement")
    data = {**made.version.definition, "hold_out": 0}
    services.save_version(made, definition_from_data(data), actor=staff.vera, now=NOW)
    services.start(made, actor=staff.vera, now=NOW)
    Client.objects.filter(pk=clients.newborn.pk).update(contract_start_date=TODAY - timedelta(days=7))
    Contact.objects.create(client=clients.newborn, name="Finn Ray", email="finn@newborn.example", is_primary=True)
    run(NOW - timedelta(days=1))
    assert not Enrolment.objects.exists()
    run(NOW)
    message = Message.objects.get(contact__name="Finn Ray")
    assert "Three tips" in message.payload["title"]
    assert "Hello Finn," in message.payload["text"]
    assert [one.name for one in clients.newborn.tags.all()] == ["check-in needed"]
    run(NOW + timedelta(days=2))
    call = Intervention.objects.get(step="check_in")
    assert (call.state, call.activity.performed_by) == ("DUE", staff.ada)
    assert Enrolment.objects.get().state == EnrolmentState.COMPLETED


def test_who_logs_in_gets_no_call(staff: Staff, clients: Clients) -> None:
    load_library("suppliers", now=NOW)
    made = services.start(services.find_playbook("setup-re-engagement"), actor=staff.vera, now=NOW)
    Client.objects.filter(pk=clients.newborn.pk).update(contract_start_date=TODAY - timedelta(days=7))
    run(NOW)
    Client.objects.filter(pk=clients.newborn.pk).update(last_activity_at=NOW + timedelta(days=1))
    assert run(NOW + timedelta(days=1, hours=1)).left == 1
    assert Enrolment.objects.get(playbook=made).end_reason == "Somebody logged in."
    run(NOW + timedelta(days=9))
    assert not Intervention.objects.filter(step="check_in").exists()


def test_playbooks_travel_as_toml(staff: Staff) -> None:
    load_library("ethico", now=NOW)
    odd = 'Say "hello" \\ {{ client.name }}\n\n\t"""äß\x7f\n\n'
    MessageTemplate.objects.filter(key="usage-drop").update(body=odd)
    text = export_toml()
    assert {one["key"]: one["body"] for one in tomllib.loads(text)["templates"]}["usage-drop"] == odd
    Playbook.objects.update(version=None)
    Playbook.objects.all().delete()
    MessageTemplate.objects.all().delete()
    done = import_data(tomllib.loads(text), actor=staff.adam, now=NOW)
    assert (done.made, done.changed, done.unchanged) == (8, 0, 0)
    assert export_toml() == text
    assert import_data(tomllib.loads(text), actor=staff.adam, now=NOW).unchanged == 8
    data = tomllib.loads(text)
    data["playbooks"][0]["definition"]["hold_out"] = 33
    assert import_data(data, actor=staff.adam, now=NOW).changed == 1
    data["playbooks"][1]["definition"]["steps"][0]["to"] = "BOSS"
    data["playbooks"][0]["definition"]["hold_out"] = 34
    with pytest.raises(InvalidInputError) as caught:
        import_data(data, actor=staff.adam, now=NOW)
    assert list(caught.value.errors) == ["playbooks[1].definition.steps[0].to"]
    assert services.definition_of(services.find_playbook(data["playbooks"][0]["key"]).version).hold_out == 33
    with pytest.raises(InvalidInputError):
        import_data({"clients": []}, actor=staff.adam, now=NOW)


def test_templates_are_checked_saved_undone_and_kept_while_used(staff: Staff) -> None:
    def save(**fields: Any) -> Any:
        values = {"name": "Hello", "subject": "Hello {{ client.name }}", "body": "Dear {{ contact.first_name }}"}
        return save_template(**(values | fields), actor=staff.vera, now=NOW)

    made, _ = save()
    assert made.key == "hello"
    for field, wrong in (("body", {"body": "{{ nobody }}"}), ("subject", {"subject": ""}), ("name", {"name": ""})):
        with pytest.raises(InvalidInputError) as caught:
            save(**{"name": "Other", **wrong})
        assert list(caught.value.errors) == [field]
    with pytest.raises(PermissionDenied):
        save_template(name="X", subject="x", body="x", actor=staff.ada, now=NOW)
    changed, change = save(key="hello", body="Hi")
    assert changed.body == "Hi"
    undo(staff.vera, change.pk, today=TODAY, now=NOW)
    assert MessageTemplate.objects.get().body == "Dear {{ contact.first_name }}"
    playbook(staff, MAIL)
    with pytest.raises(ConflictError, match="used by Quiet"):
        archive_template(made, actor=staff.vera, now=NOW)


def test_a_playbook_without_its_template_does_not_start(staff: Staff) -> None:
    made = playbook(staff, MAIL, start=False)
    with pytest.raises(InvalidInputError) as caught:
        services.start(made, actor=staff.vera, now=NOW)
    assert caught.value.errors == {"steps[0].template": "There is no template 'hello'."}
