"""From a stored message to the receiver, over real HTTP and SMTP on this machine."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from email.header import decode_header, make_header
from typing import Any

import pytest
from django.core import mail
from standardwebhooks import Webhook

from bellwether.delivery import sending
from bellwether.delivery.channels import secret_of, switch
from bellwether.delivery.choices import MessageState
from bellwether.delivery.delivering import IN_DOUBT, deliver_due, forget_old
from bellwether.delivery.handling import cancel, resend
from bellwether.delivery.models import Channel, Message, Unsubscription
from bellwether.delivery.outbox import Draft, send
from bellwether.delivery.selectors import dead_letters, sent_about
from bellwether.delivery.unsubscribing import digest_of, unsubscribe
from bellwether.notifications.models import Notification
from bellwether.portfolio.models import Contact
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, Clients, Staff
from tests.delivery.receivers import MailServer, Receiver, Said, slack_says

Add = Callable[..., Channel]


def tell(key: str = "alert:1", now: datetime = NOW, **values: Any) -> None:
    given: dict[str, Any] = {
        "topic": "alert",
        "title": "Fading fell to 42",
        "text": "Logins −60 % & more",
        "href": "/alerts/1/",
        "severity": "HIGH",
    }
    send([Draft(key=key, **(given | values))], now=now)


def sweep(now: datetime = NOW) -> Any:
    return deliver_due(now, clock=lambda: now, chance=lambda: 0.0)


def after(**time_passed: float) -> datetime:
    return NOW + timedelta(**time_passed)


def texts(came: Any) -> list[str]:
    """Return the parts of a mail: plain and HTML."""
    return [part.get_payload(decode=True).decode().replace("\r\n", "\n") for part in came.get_payload()]


def only() -> Message:
    return Message.objects.exclude(medium="IN_APP").get()


class TestSlack:
    def test_an_incoming_webhook_once(self, add: Add, receiver: Receiver) -> None:
        add(path="/services/T1/B1/secret")
        tell(workspace=True)
        assert (sweep().sent, sweep(after(minutes=1)).sent) == (1, 0)
        (came,) = receiver.received
        assert came.path == "/services/T1/B1/secret"
        assert came.headers["content-type"].startswith("application/json")
        assert came.json["text"] == "High: Fading fell to 42: Logins −60 % &amp; more"
        assert (only().state, only().last_status, only().attempts) == ("SENT", 200, 1)

    def test_a_bot(self, add: Add, receiver: Receiver) -> None:
        add("SLACK_BOT")
        receiver.answers = [slack_says(ok=True, channel="C1", ts="171.5", message={"text": "x" * 9_000})]
        tell(workspace=True)
        sweep()
        (came,) = receiver.received
        assert came.path == "/slack/api/chat.postMessage"
        assert came.headers["authorization"] == "Bearer xoxb-1-secret"
        assert came.json["channel"] == "C1"
        assert (only().state, only().remote_id) == ("SENT", "C1:171.5")

    def test_a_bot_that_is_refused_with_200(
        self, add: Add, receiver: Receiver, staff: Staff, django_capture_on_commit_callbacks: Any
    ) -> None:
        channel = add("SLACK_BOT")
        receiver.answers = [slack_says(ok=False, error="token_revoked")]
        for key in ("a", "b"):
            tell(key, workspace=True)
        with django_capture_on_commit_callbacks(execute=True):
            assert sweep().given_up == 2
        channel.refresh_from_db()
        assert not channel.is_enabled
        assert "revoked" in channel.disabled_reason
        assert set(Message.objects.values_list("state", flat=True)) == {"FAILED"}
        assert Notification.objects.get(user=staff.adam).kind == "channel"
        assert mail.outbox[0].to == ["adam@bellwether.example"]
        assert AuditEvent.objects.filter(action="channel.disabled", actor="system").count() == 1
        assert len(receiver.received) == 1

    def test_one_message_a_second(self, add: Add, receiver: Receiver) -> None:
        add()
        for key in ("a", "b"):
            tell(key, workspace=True)
        assert sweep().sent == 1
        assert sweep(after(seconds=0.9)).sent == 0
        assert sweep(after(seconds=1)).sent == 1

    def test_who_asks_for_time_gets_it_for_everything(self, add: Add, receiver: Receiver) -> None:
        add()
        receiver.answers = [Said(429, "", {"Retry-After": "90"}), Said()]
        for key in ("a", "b"):
            tell(key, workspace=True)
        sweep()
        assert set(Message.objects.values_list("due_at", flat=True)) == {after(seconds=90)}
        assert sweep(after(seconds=89)).sent == 0
        assert len(receiver.received) == 1
        assert sweep(after(seconds=90)).sent == 1


class TestRetries:
    @pytest.mark.parametrize(
        "said",
        [Said(500, "rollup_error"), Said(302, "", {"Location": "/elsewhere"}), Said(reset=True)],
        ids=["500", "302", "reset"],
    )
    def test_what_fails_comes_again_three_times_and_is_then_given_up(
        self, said: Said, add: Add, receiver: Receiver
    ) -> None:
        channel = add()
        receiver.answers = [said]
        tell(workspace=True)
        for wait in (0, 30, 150, 630, 3_600):
            sweep(after(seconds=wait))
        assert [came.path for came in receiver.received] == ["/hook"] * 4
        assert (only().state, only().attempts) == ("FAILED", 4)
        assert only().last_error
        channel.refresh_from_db()
        assert (channel.is_enabled, channel.failing_since) == (True, NOW)

    def test_a_slow_receiver_is_tried_again(self, add: Add, receiver: Receiver, monkeypatch: Any) -> None:
        monkeypatch.setattr(sending.prepared, "__kwdefaults__", {"timeout": 0.2})
        add()
        receiver.answers = [Said(slow=0.5), Said()]
        tell(workspace=True)
        sweep()
        assert (only().state, only().last_error) == ("PENDING", "No answer in time.")
        sweep(after(seconds=30))
        assert only().state == "SENT"

    def test_sent_again_by_hand(self, add: Add, receiver: Receiver, staff: Staff) -> None:
        channel = add()
        receiver.answers = [Said(404, "no_service"), Said()]
        tell(workspace=True)
        sweep()
        assert resend(dead_letters(), actor=staff.adam, now=NOW) == 0  # its channel is off
        switch(channel, on=True, actor=staff.adam, now=NOW)
        assert resend(dead_letters(), actor=staff.adam, now=after(hours=1)) == 1
        sweep(after(hours=1))
        assert (only().state, dead_letters().count()) == ("SENT", 0)

    def test_what_is_cancelled_does_not_go(self, add: Add, receiver: Receiver, staff: Staff) -> None:
        add()
        tell(workspace=True)
        assert cancel(Message.objects.all(), actor=staff.adam, now=NOW) == 1
        assert sweep().sent == 0
        assert receiver.received == []

    def test_a_message_that_slack_cannot_read_does_not_switch_its_channel_off(
        self, add: Add, receiver: Receiver
    ) -> None:
        channel = add()
        receiver.answers = [Said(400, "invalid_blocks")]
        tell(workspace=True)
        sweep()
        channel.refresh_from_db()
        assert (only().state, only().attempts, channel.is_enabled) == ("FAILED", 1, True)


class TestOtherChannels:
    def test_teams_gets_its_address_as_it_is(self, add: Add, receiver: Receiver) -> None:
        path = "/workflows/1/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sig=a-B_c%2Bd"
        add("TEAMS_WORKFLOW", path=path)
        receiver.answers = [Said(202, "")]
        tell(workspace=True)
        sweep()
        (came,) = receiver.received
        assert came.path == path
        assert came.json["attachments"][0]["content"]["body"][0]["text"] == "High: Fading fell to 42"
        assert (only().state, only().last_status) == ("SENT", 202)

    def test_a_webhook_verifies_and_keeps_its_id(self, add: Add, receiver: Receiver, clients: Clients) -> None:
        channel = add("WEBHOOK")
        receiver.answers = [Said(503), Said(204, "")]
        now = datetime.now(NOW.tzinfo)  # the verifier refuses what is older than five minutes
        tell(now=now, workspace=True, client_id=clients.fading.pk, about="alert", about_id="1", data={"from": 69})
        for at in (now, now + timedelta(seconds=30)):
            deliver_due(at, clock=lambda at=at: at, chance=lambda: 0.0)
        ids = {came.headers["webhook-id"] for came in receiver.received}
        assert (len(receiver.received), len(ids), only().state) == (2, 1, "SENT")
        for came in receiver.received:
            told = Webhook(secret_of(channel)["signing"]).verify(came.body, came.headers)
            assert told["type"] == "message.sent"
            assert told["data"]["client"]["organization_id"] == "fading"
            assert (told["data"]["about"], told["data"]["data"]) == ("alert", {"from": 69})

    def test_an_address_inside_the_network_is_not_connected_to(
        self, add: Add, receiver: Receiver, settings: Any
    ) -> None:
        add("WEBHOOK")
        settings.BELLWETHER_WEBHOOK_HOSTS = []
        tell(workspace=True)
        sweep()
        assert receiver.received == []
        assert "Use https" in only().last_error

    def test_secrets_are_in_no_log_and_no_error(
        self, add: Add, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        add("TEAMS_WORKFLOW", path="/workflows/1?sig=hush")
        receiver.answers = [Said(500)]
        tell(workspace=True)
        sweep()
        assert "hush" not in caplog.text + only().last_error
        assert not AuditEvent.objects.filter(detail__icontains="hush").exists()


class TestMail:
    def test_over_smtp(self, staff: Staff, clients: Clients, mail_box: MailServer) -> None:
        tell(user_id=staff.ada.pk, client_id=clients.fading.pk, lines=["Seats 41 of 50"])
        assert sweep().sent == 1
        (came,) = mail_box.mails
        assert came["X-To"] == "ada@bellwether.example"
        assert came["Subject"] == "High alert about a client"
        assert came["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert came["List-Unsubscribe"].strip().startswith("<http")
        plain, html = texts(came)
        assert "Fading fell to 42\n\nLogins −60 % & more\n\n- Seats 41 of 50\n" in plain
        assert "Logins −60 % &amp; more" in html
        assert sweep(after(minutes=5)).sent == 0
        assert Message.objects.get(medium="EMAIL").remote_id == came["Message-ID"]

    def test_a_contact_is_written_to_and_answers_to_the_csm(
        self, staff: Staff, clients: Clients, mail_box: MailServer
    ) -> None:
        contact = Contact.objects.create(client=clients.fading, name="Kim", email="kim@fading.example")
        tell(contact_id=contact.pk, client_id=clients.fading.pk, topic="playbook", title="Grüße", severity="")
        sweep()
        (came,) = mail_box.mails
        assert str(make_header(decode_header(came["Subject"]))) == "Grüße"
        assert (came["X-To"], came["Reply-To"]) == ("kim@fading.example", "ada@bellwether.example")

    def test_an_address_that_does_not_exist_is_not_written_to_again(self, staff: Staff, mail_box: MailServer) -> None:
        mail_box.refuses["ada@bellwether.example"] = "550 5.1.1 No such user"
        tell(user_id=staff.ada.pk, medium="EMAIL")
        sweep()
        assert (only().state, only().last_status) == ("FAILED", 550)
        assert Unsubscription.objects.get().address_digest == digest_of("ada@bellwether.example")
        tell("alert:2", user_id=staff.ada.pk, medium="EMAIL")
        sweep()
        assert Message.objects.order_by("id").last().state == "CANCELLED"  # type: ignore[union-attr]

    def test_a_busy_server_is_tried_again(self, staff: Staff, mail_box: MailServer) -> None:
        mail_box.refuses["ada@bellwether.example"] = "451 4.7.1 Try again later"
        tell(user_id=staff.ada.pk, medium="EMAIL")
        sweep()
        assert (only().state, only().last_status) == ("PENDING", 451)
        mail_box.refuses.clear()
        sweep(after(seconds=30))
        assert (only().state, len(mail_box.mails)) == ("SENT", 1)

    def test_no_server_spares_the_rest_this_time(self, staff: Staff, settings: Any) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
            settings.EMAIL_HOST, settings.EMAIL_PORT = taken.getsockname()
            for person in (staff.ada, staff.ben):
                tell(user_id=person.pk, medium="EMAIL")
            assert sweep().failed == 1
        assert sorted(Message.objects.values_list("attempts", flat=True)) == [0, 1]

    def test_who_unsubscribed_left_or_does_not_see_the_client_gets_none(
        self, staff: Staff, clients: Clients, mail_box: MailServer
    ) -> None:
        unsubscribe(digest_of(" Ada@bellwether.EXAMPLE "), "alert", now=NOW)
        tell(user_id=staff.ada.pk, medium="EMAIL")
        tell(user_id=staff.ben.pk, medium="EMAIL")
        tell(user_id=staff.cleo.pk, medium="EMAIL", client_id=clients.fading.pk)
        contact = Contact.objects.create(client=clients.fading, name="Kim", email="k@f.example", left_company_at=NOW)
        tell(contact_id=contact.pk)
        StaffUser.objects.filter(pk=staff.ben.pk).update(is_active=False)
        assert sweep().cancelled == 4
        assert mail_box.mails == []
        assert all(Message.objects.values_list("last_error", flat=True))


class TestDigests:
    def held(self, person: StaffUser) -> None:
        person.time_zone = "Europe/Berlin"
        person.preferences = {"delivery": {"quiet": {"from": "13:00", "to": "15:00", "days": []}}}
        person.save()

    def test_what_quiet_hours_held_comes_together_when_they_end(self, staff: Staff, mail_box: MailServer) -> None:
        self.held(staff.ada)  # 12:00 UTC is 14:00 there
        for key, severity in (("a", "HIGH"), ("b", "HIGH"), ("c", "CRITICAL")):
            tell(key, user_id=staff.ada.pk, severity=severity, title=f"Client {key}")
        assert sweep().sent == 1  # the critical one, at once
        assert sweep(after(minutes=59)).sent == 0
        assert sweep(after(hours=1)).sent == 1
        assert mail_box.mails[1]["Subject"] == "2 alerts"
        whole = texts(mail_box.mails[1])[0]
        assert "Client a" in whole
        assert "Client b" in whole
        digest = Message.objects.get(about="digest")
        assert digest.parts.count() == 2
        assert set(digest.parts.values_list("state", flat=True)) == {"DIGEST"}
        assert sweep(after(hours=2)).sent == 0

    def test_a_flood_is_one_message(self, add: Add, receiver: Receiver) -> None:
        add()
        for number in range(30):
            tell(f"a{number}", workspace=True, about="alert", about_id=str(number))
        sweep()
        (came,) = receiver.received
        assert came.json["text"] == "30 alerts"
        assert sent_about("alert", [7])["7"][0].state == MessageState.SENT

    def test_what_comes_after_a_flood_waits_and_critical_ones_do_not(self, add: Add, receiver: Receiver) -> None:
        add()
        for number in range(5):
            tell(f"a{number}", workspace=True)
            sweep(after(seconds=number))
        tell("late", now=after(seconds=10), workspace=True)
        tell("later", now=after(seconds=10), workspace=True)
        assert sweep(after(seconds=10)).sent == 0
        tell("worst", now=after(seconds=20), workspace=True, severity="CRITICAL")
        assert sweep(after(seconds=20)).sent == 1
        assert sweep(after(minutes=10)).sent == 1
        assert receiver.received[-1].json["text"] == "2 alerts"
        assert len(receiver.received) == 7

    def test_parts_about_clients_that_one_no_longer_sees_are_left_out(
        self, staff: Staff, clients: Clients, mail_box: MailServer
    ) -> None:
        self.held(staff.ada)
        tell("a", user_id=staff.ada.pk, client_id=clients.fading.pk, title="Client a")
        tell("b", user_id=staff.ada.pk, client_id=clients.elsewhere.pk, title="Client b")
        sweep(after(hours=1))
        assert "Client b" not in "".join(texts(mail_box.mails[0]))


class TestAfterAKill:
    """A worker dies between its claim and the answer: the claim stays, so nobody knows what arrived."""

    def die(self) -> None:
        def prepare(message: Message) -> Any:
            def request(at: datetime) -> Any:
                raise KeyboardInterrupt

            return request

        with pytest.raises(KeyboardInterrupt):
            deliver_due(NOW, clock=lambda: NOW, prepare=prepare)
        assert only().claimed_at == NOW
        assert sweep(after(minutes=1)).sent == 0

    def test_slack_is_not_written_to_twice(self, add: Add, receiver: Receiver, staff: Staff) -> None:
        add()
        tell(workspace=True)
        self.die()
        assert sweep(after(minutes=2)).given_up == 1
        assert (only().state, only().last_error, receiver.received) == ("FAILED", IN_DOUBT, [])
        assert resend(dead_letters(), actor=staff.adam, now=after(minutes=3)) == 1
        assert sweep(after(minutes=3)).sent == 1

    def test_a_webhook_goes_again_with_its_id(self, add: Add, receiver: Receiver) -> None:
        add("WEBHOOK")
        tell(workspace=True)
        self.die()
        assert sweep(after(minutes=2)).sent == 1
        assert receiver.received[0].headers["webhook-id"].startswith("msg_")

    def test_mail_to_staff_goes_again_with_its_id_and_to_contacts_not(
        self, staff: Staff, clients: Clients, mail_box: MailServer
    ) -> None:
        tell(user_id=staff.ada.pk, medium="EMAIL")
        self.die()
        assert sweep(after(minutes=2)).sent == 1
        Message.objects.all().delete()
        contact = Contact.objects.create(client=clients.fading, name="Kim", email="kim@fading.example")
        tell(contact_id=contact.pk)
        self.die()
        assert sweep(after(minutes=2)).given_up == 1
        assert len(mail_box.mails) == 1

    def test_before_the_claim_nothing_is_in_doubt(self, add: Add, receiver: Receiver) -> None:
        add()
        tell(workspace=True)

        def prepare(message: Message) -> Any:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            deliver_due(NOW, clock=lambda: NOW, prepare=prepare)
        assert sweep(after(seconds=2)).sent == 1


def test_old_messages_are_forgotten_but_for_those_that_wait(staff: Staff) -> None:
    for key in ("a", "b"):
        tell(key, user_id=staff.ada.pk, medium="EMAIL")
    Message.objects.filter(key__startswith="a").update(state="SENT")
    assert forget_old(after(days=180)) == 0
    assert forget_old(after(days=181)) == 1


def test_an_idle_sweep_is_cheap(db: None, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        sweep()
