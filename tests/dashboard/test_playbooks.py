"""The pages of playbooks: list, one, editor, approvals and tasks, templates, history, and the client's card."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from bellwether.playbooks.choices import PlaybookState
from bellwether.playbooks.models import Enrolment, Intervention, MessageTemplate, Playbook
from bellwether.portfolio.models import Change, Client, Contact
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, Clients, Staff
from tests.playbooks.cast import enrol, playbook

pytestmark = pytest.mark.django_db
Browse = Callable[[StaffUser], Browser]
FORM = {
    "name": "Quiet champions",
    "description": "Write, then call.",
    "owner": "",
    "note": "First try",
    "trigger.kind": "hand",
    "steps[0].key": "call",
    "steps[0].kind": "call",
    "steps[0].title": "Call them",
    "steps[0].wait_days": "0",
    "caps.running_per_client": "1",
    "caps.quiet_days": "30",
    "hold_out": "10",
    "outcome.kind": "login",
    "outcome.days": "14",
    "minutes_per_client": "30",
}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def browse() -> Browse:
    def signed_in(user: StaffUser) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    return signed_in


def did(client: Client, key: str, *, enrolment: Enrolment | None = None, **fields: Any) -> Intervention:
    values = {"kind": "call", "title": "Call the champion", "state": "DUE", "scheduled_for": NOW}
    made: Intervention = Intervention.objects.create(
        key=key, client=client, enrolment=enrolment, created_at=NOW, updated_at=NOW, **{**values, **fields}
    )
    return made


@pytest.fixture
def quiet(clients: Clients) -> Playbook:
    """A running playbook: Sturdy (Ada's) and Elsewhere (Cleo's) are under way, each with a call; Ada's is overdue."""
    made = playbook("quiet")
    for one, late in ((clients.sturdy, 3), (clients.elsewhere, 0)):
        row = enrol(made, one, NOW - timedelta(days=5), state="ACTIVE", step="call")
        did(one, f"{one.pk}:call", enrolment=row, step="call", scheduled_for=NOW - timedelta(days=late))
    return made


def text_of(browser: Browser, name: str, *args: Any, **query: Any) -> str:
    response = browser.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


class TestList:
    def test_a_csm_reads_all_playbooks_but_only_what_waits_for_own_clients(
        self, quiet: Playbook, staff: Staff, browse: Browse
    ) -> None:
        playbook("drafted", state=PlaybookState.DRAFT)
        page = text_of(browse(staff.ada), "playbooks")
        assert "Quiet" in page
        assert "Drafted" in page
        assert "Sturdy" in page
        assert "Elsewhere" not in page
        assert "1 overdue" in page
        assert "New playbook" not in page
        assert "New playbook" in text_of(browse(staff.vera), "playbooks")

    def test_the_number_of_queries_does_not_grow(
        self, quiet: Playbook, staff: Staff, browse: Browse, django_assert_max_num_queries: Any
    ) -> None:
        browser = browse(staff.vera)
        text_of(browser, "playbooks")
        for number in range(6):
            playbook(f"more-{number}")
        with django_assert_max_num_queries(30):
            text_of(browser, "playbooks")

    def test_archived_ones_are_shown_when_asked_for(self, quiet: Playbook, staff: Staff, browse: Browse) -> None:
        playbook("old", state=PlaybookState.ARCHIVED)
        browser = browse(staff.adam)
        assert reverse("playbook", args=["old"]) not in text_of(browser, "playbooks")
        assert reverse("playbook", args=["old"]) in text_of(browser, "playbooks", show="archived")

    def test_without_playbooks_it_says_what_they_are(self, clients: Clients, staff: Staff, browse: Browse) -> None:
        assert "No playbooks yet" in text_of(browse(staff.ada), "playbooks")

    @pytest.mark.parametrize("sort", ["value", "uplift", "runs", "name", "nonsense"])
    def test_every_order_answers(self, quiet: Playbook, staff: Staff, browse: Browse, sort: str) -> None:
        text_of(browse(staff.adam), "playbooks", sort=sort)


class TestOne:
    def test_shows_own_clients_with_their_next_step(self, quiet: Playbook, staff: Staff, browse: Browse) -> None:
        page = text_of(browse(staff.ada), "playbook", "quiet")
        assert "1 under way" in page
        assert "Elsewhere" not in page
        assert reverse("playbook_edit", args=["quiet"]) not in page
        assert browse(staff.ada).get(reverse("playbook", args=["nothing"])).status_code == 404

    def test_is_paused_by_those_who_define_after_saying_what_that_does(
        self, quiet: Playbook, staff: Staff, browse: Browse
    ) -> None:
        address = reverse("playbook_act", args=["quiet", "pause"])
        assert browse(staff.ada).get(address).status_code == 403
        assert browse(staff.ada).post(address).status_code == 403
        browser = browse(staff.vera)
        assert "2 clients under way stay enrolled" in browser.get(address).content.decode()
        assert browser.post(address).status_code == 302
        quiet.refresh_from_db()
        assert quiet.state == "PAUSED"
        assert browser.get(reverse("playbook_act", args=["quiet", "explode"])).status_code == 404

    def test_a_start_says_who_would_be_enrolled(self, clients: Clients, staff: Staff, browse: Browse) -> None:
        made = playbook("renewal", state=PlaybookState.DRAFT, trigger={"kind": "renewal", "days": [92]})
        browser = browse(staff.adam)  # four active clients renew in 92 days
        page = browser.get(reverse("playbook_act", args=["renewal", "start"])).content.decode()
        assert "<b>4 clients</b> meet the trigger today: about 2 are treated, 2 held out" in page
        part = browser.get(reverse("playbook_dry_run", args=["renewal"])).content.decode()
        assert "Fading" in part
        own = browse(staff.cleo).get(reverse("playbook_dry_run", args=["renewal"])).content.decode()
        assert ("Elsewhere" in own, "Fading" in own) == (True, False)
        browser.post(reverse("playbook_act", args=["renewal", "start"]))
        made.refresh_from_db()
        assert made.state == "RUNNING"
        assert not Enrolment.objects.exists()  # that is the worker's

    def test_a_client_is_taken_out_by_those_who_see_it(self, quiet: Playbook, staff: Staff, browse: Browse) -> None:
        row = Enrolment.objects.get(client__name="Sturdy")
        address = reverse("enrolment_cancel", args=[row.pk])
        assert browse(staff.cleo).post(address).status_code == 404
        assert browse(staff.ed).post(address).status_code == 403
        assert "still counts in its arm" in browse(staff.ada).get(address).content.decode()
        browse(staff.ada).post(address, {"reason": "They asked us to wait"})
        row.refresh_from_db()
        assert (row.state, row.end_reason, row.arm) == ("CANCELLED", "They asked us to wait", "TREATED")

    def test_an_older_version_comes_back_as_a_new_one(self, quiet: Playbook, staff: Staff, browse: Browse) -> None:
        browser = browse(staff.adam)
        browser.post(reverse("playbook_edit", args=["quiet"]), FORM | {"do": "save", "name": "Quiet"})
        page = text_of(browser, "playbook", "quiet")
        assert "Hold-out: 10% are held out" in page
        browser.post(reverse("playbook_version", args=["quiet", 1]))
        quiet.refresh_from_db()
        assert quiet.version is not None
        assert (quiet.version.number, quiet.version.definition["hold_out"]) == (3, 50)


class TestEditor:
    def test_is_for_those_who_define(self, clients: Clients, staff: Staff, browse: Browse) -> None:
        assert browse(staff.ada).get(reverse("playbook_new")).status_code == 403
        assert browse(staff.ada).post(reverse("playbook_new"), FORM | {"do": "save"}).status_code == 403
        assert not Playbook.objects.exists()

    def test_saves_a_draft_with_its_note(self, clients: Clients, staff: Staff, browse: Browse) -> None:
        response = browse(staff.vera).post(reverse("playbook_new"), FORM | {"do": "save"})
        assert response["Location"] == reverse("playbook", args=["quiet-champions"])
        made = Playbook.objects.get()
        assert made.version is not None
        assert (made.state, made.version.number, made.version.note) == ("DRAFT", 1, "First try")
        assert made.version.definition["steps"] == [{"key": "call", "kind": "call", "title": "Call them"}]

    def test_names_the_field_of_what_is_wrong_and_keeps_what_was_typed(
        self, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        wrong = FORM | {"do": "save", "hold_out": "80", "steps[0].title": "", "description": "kept as typed"}
        response = browse(staff.vera).post(reverse("playbook_new"), wrong)
        page = response.content.decode()
        assert response.status_code == 422
        assert 'id="error-hold_out"' in page
        assert 'id="error-steps[0].title"' in page
        assert "kept as typed" in page
        assert not Playbook.objects.exists()

    def test_a_name_that_is_taken_changes_nothing(self, quiet: Playbook, staff: Staff, browse: Browse) -> None:
        response = browse(staff.vera).post(reverse("playbook_new"), FORM | {"do": "save", "name": "quiet"})
        assert response.status_code == 422
        assert "Another playbook has this name" in response.content.decode()
        assert Playbook.objects.count() == 1

    def test_adds_and_moves_steps_without_javascript(self, clients: Clients, staff: Staff, browse: Browse) -> None:
        browser = browse(staff.vera)
        page = browser.post(reverse("playbook_new"), FORM | {"do": "step.add.email"}).content.decode()
        assert 'name="steps[1].kind"' in page
        assert 'id="error-' not in page  # nobody has finished typing
        assert not Playbook.objects.exists()

    def test_tries_it_on_the_portfolio_and_says_when_an_effect_could_be_told(
        self, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        form = FORM | {
            "do": "preview", "trigger.kind": "renewal", "trigger.renewal_days": "92", "trigger.within_days": "7",
            "hold_out": "50",
        }  # fmt: skip
        page = browse(staff.vera).post(reverse("playbook_new"), form).content.decode()
        assert "<b>4</b> clients would be enrolled today" in page
        assert "Before the start" in page
        assert not Playbook.objects.exists()

    def test_a_text_says_the_same_as_the_form(self, quiet: Playbook, staff: Staff, browse: Browse) -> None:
        browser = browse(staff.adam)
        page = text_of(browser, "playbook_edit", "quiet", **{"as": "text"})
        assert "hold_out = 50" in page
        assert quiet.version is not None
        address = reverse("playbook_edit", args=["quiet"])
        about = {"as": "text", "do": "save", "name": "Quiet", "description": "", "owner": "", "note": ""}
        response = browser.post(address, about | {"text": "steps = ["})
        assert response.status_code == 422
        assert 'id="error-text"' in response.content.decode()
        toml = (
            'hold_out = 20\ntrigger = {kind = "hand"}\noutcome = {kind = "login", days = 14}\n'
            '[[steps]]\nkey = "call"\nkind = "call"\ntitle = "Call"\n'
        )
        assert browser.post(address, about | {"text": toml}).status_code == 302
        quiet.refresh_from_db()
        assert (quiet.version.number, quiet.version.definition["hold_out"]) == (2, 20)


class TestTasks:
    def test_a_csm_has_own_tasks_and_marks_one_as_done_with_undo(
        self, quiet: Playbook, staff: Staff, browse: Browse
    ) -> None:
        browser = browse(staff.ada)
        page = text_of(browser, "playbook_tasks")
        assert "Overdue, 3 days" in page
        assert "Elsewhere" not in page
        row = Intervention.objects.get(client__name="Sturdy")
        address = reverse("intervention_act", args=[row.pk, "done"])
        assert browse(staff.cleo).post(address).status_code == 404
        assert browse(staff.ed).post(address).status_code in {403, 404}
        browser.post(address, {"outcome": "No answer"})
        row.refresh_from_db()
        assert (row.state, row.outcome, row.done_by) == ("DONE", "No answer", staff.ada)
        browser.post(reverse("change_undo", args=[Change.objects.get(kind="intervention.done").pk]))
        row.refresh_from_db()
        assert (row.state, row.outcome) == ("DUE", "")

    def test_a_message_is_edited_and_rejected(
        self, quiet: Playbook, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        mara = Contact.objects.create(client=clients.sturdy, name="Mara Lind", email="mara@sturdy.example")
        row = did(
            clients.sturdy, "mail", kind="email", title="Write", state="APPROVAL", subject="Hello", message="Dear Mara",
            contact=mara,
        )  # fmt: skip
        browser = browse(staff.ada)
        page = text_of(browser, "playbook_tasks")
        assert "Dear Mara" in page
        assert "mara@sturdy.example" not in page  # masked
        edit = reverse("intervention_act", args=[row.pk, "edit"])
        posted = {"edited": "1", "subject": "", "message": "Dear Mara", "contact": str(mara.pk)}
        response = browser.post(edit, posted)
        assert response.status_code == 422
        assert 'id="act-subject-error"' in response.content.decode()
        other = Contact.objects.create(client=clients.elsewhere, name="Not theirs", email="x@elsewhere.example")
        assert browser.post(edit, posted | {"subject": "Hi", "contact": str(other.pk)}).status_code == 422
        assert browser.post(edit, posted | {"subject": "Hi"}).status_code == 302
        row.refresh_from_db()
        assert (row.subject, row.state) == ("Hi", "APPROVAL")
        browser.post(reverse("intervention_act", args=[row.pk, "reject"]), {"reason": "Spoke to her"})
        row.refresh_from_db()
        assert (row.state, row.failure) == ("SKIPPED", "Spoke to her")

    def test_several_messages_are_approved_after_saying_to_whom(
        self, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        rows = []
        for client in (clients.sturdy, clients.fading, clients.elsewhere):
            name = f"Pat of {client.name}"
            contact = Contact.objects.create(client=client, name=name, email=f"pat@{client.name}.example")
            message = {"state": "APPROVAL", "subject": "Hi", "message": "Text", "contact": contact}
            rows.append(did(client, f"{client.pk}", kind="email", **message))
        ids = {"ids": [str(row.pk) for row in rows] + ["nonsense"]}
        browser, address = browse(staff.ada), reverse("playbook_tasks_bulk")
        page = browser.get(address, ids).content.decode()
        assert "Send 2 messages?" in page
        assert "Pat of Elsewhere" not in page
        browser.post(address, ids)
        states = dict(Intervention.objects.values_list("client__name", "state"))
        assert states["Elsewhere"] == "APPROVAL"
        assert "APPROVAL" not in {states["Sturdy"], states["Fading"]}


class TestHistory:
    def test_shows_filters_and_exports_what_the_reader_sees(
        self, quiet: Playbook, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        did(clients.sturdy, "hand", title="=HYPERLINK(1)", state="DONE", done_at=NOW, outcome="Meeting booked")
        browser = browse(staff.ada)
        assert "Elsewhere" not in text_of(browser, "interventions")
        page = text_of(browser, "interventions", playbook="-")
        assert "Meeting booked" in page
        assert "Call the champion" not in page
        assert "Nothing fits" in text_of(browser, "interventions", kind="slack", state="nonsense", client="nonsense")
        lines = browser.get(reverse("interventions_export", args=["csv"])).content.decode().splitlines()
        assert len(lines) == 3
        assert "'=HYPERLINK(1)" in lines[1] + lines[2]
        assert browser.get(reverse("interventions_export", args=["xlsx"])).status_code == 200
        assert browser.get(reverse("interventions_export", args=["pdf"])).status_code == 404
        assert AuditEvent.objects.filter(action="intervention.export", actor_id=staff.ada.pk).count() == 2

    def test_an_outcome_is_written_once_it_has_happened(
        self, quiet: Playbook, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        row = did(clients.sturdy, "sent", state="SENT", done_at=NOW)
        address = reverse("intervention_outcome", args=[row.pk])
        assert browse(staff.cleo).get(address).status_code == 404
        browser = browse(staff.ada)
        assert browser.post(address, {"outcome": "x" * 201}).status_code == 422
        browser.post(address, {"outcome": "  Replied  "})
        row.refresh_from_db()
        assert row.outcome == "Replied"
        assert Change.objects.filter(kind="intervention.outcome", made_by=staff.ada).count() == 1
        browser.post(address, {"outcome": "Replied"})
        assert Change.objects.filter(kind="intervention.outcome").count() == 1
        open_one = Intervention.objects.get(client=clients.sturdy, state="DUE")
        assert browser.post(reverse("intervention_outcome", args=[open_one.pk]), {"outcome": "Now"}).status_code == 422
        assert "Replied" in text_of(browser, "intervention", row.pk)


class TestTemplates:
    def test_is_saved_previewed_and_archived(self, clients: Clients, staff: Staff, browse: Browse) -> None:
        browser, new = browse(staff.vera), reverse("message_template_new")
        form = {"name": "Check-in", "kind": "email", "subject": "Hello", "body": "Dear {{ contact.frist_name }}"}
        response = browser.post(new, form)
        assert response.status_code == 422
        assert 'id="body-error"' in response.content.decode()
        form["body"] = "{{ client.name }} renews in {{ days_to_renewal }} days"
        assert browser.post(new, form).status_code == 302
        stored = MessageTemplate.objects.get()
        sample = {"sample": str(clients.sturdy.pk)}
        part = browser.post(reverse("message_template_preview"), form | sample).content.decode()
        assert "Sturdy renews in 92 days" in part
        other = browse(staff.cleo).post(reverse("message_template_preview"), form | sample).content.decode()
        assert "Sturdy" not in other  # the invented client instead
        assert browse(staff.ada).post(reverse("message_template", args=[stored.key]), form).status_code == 403
        browser.post(reverse("message_template_act", args=[stored.key, "archive"]))
        assert MessageTemplate.objects.get().archived_at == NOW


class TestClient:
    def test_the_card_shows_what_is_under_way_and_the_timeline_tells_it(
        self, quiet: Playbook, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        did(clients.sturdy, "done", title="Wrote to Mara", kind="email", state="SENT", done_at=NOW - timedelta(days=1))
        page = text_of(browse(staff.ada), "client", clients.sturdy.pk)
        assert "Next: Call" in page
        assert "Wrote to Mara" in page
        stream = text_of(browse(staff.ada), "client_timeline", clients.sturdy.pk, kinds="playbook")
        assert "E-mail: Wrote to Mara" in stream
        assert "Playbook started: Quiet" in stream

    def test_a_playbook_is_started_by_hand_and_the_chosen_client_is_treated(
        self, clients: Clients, staff: Staff, browse: Browse
    ) -> None:
        playbook("quiet")  # half are held out
        address = reverse("playbook_start", args=[clients.sturdy.pk])
        assert browse(staff.cleo).get(address).status_code == 404
        assert browse(staff.ed).get(address).status_code == 403
        browser = browse(staff.ada)
        assert "always treated" in browser.get(address).content.decode()
        assert browser.post(address, {"playbook": "nothing"}).status_code == 422
        assert browser.post(address, {"playbook": "quiet"}).status_code == 302
        row = Enrolment.objects.get()
        assert (row.client, row.arm, row.enrolled_by) == (clients.sturdy, "TREATED", staff.ada)
        assert browser.post(address, {"playbook": "quiet"}).status_code == 422  # it is under way already
        assert Enrolment.objects.count() == 1
