"""From a change to the receiver: told once, signed, retried, replayed, given up."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core import mail
from standardwebhooks import Webhook

from bellwether.common.encryption import decrypt
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio.changes import changing, undo
from bellwether.portfolio.client_changes import ClientChange, change_client
from bellwether.staff.models import AuditEvent
from bellwether.webhooks import endpoints as acts
from bellwether.webhooks.delivering import deliver_due, forget_old, send_to
from bellwether.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from bellwether.webhooks.outbox import Told, tell
from bellwether.webhooks.sending import Answer
from tests.conftest import NOW, TODAY, Clients, Staff

OK = Answer(200, 12, "thanks")


def add(staff: Staff, *types: str, url: str = "https://hooks.example/in") -> WebhookEndpoint:
    return acts.add_endpoint(url, event_types=types, description="", actor=staff.adam, now=NOW)


def sweep(answers: list[Answer], now: datetime = NOW) -> list[str]:
    """Deliver what is due with the answers in turn; return the types that were sent."""
    sent: list[str] = []

    def send(endpoint: WebhookEndpoint, event: WebhookEvent, at: datetime) -> Answer:
        sent.append(event.event_type)
        return answers[min(len(sent), len(answers)) - 1]

    deliver_due(now, clock=lambda: now, send=send, chance=lambda: 0.0)
    return sent


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


class TestTelling:
    def test_nobody_listens_nothing_is_kept(self, staff: Staff, clients: Clients) -> None:
        change_client(clients.fading, ClientChange(segment="SMB"), actor=staff.ada, now=NOW)
        assert not WebhookEvent.objects.exists()

    def test_what_changed_with_its_values(self, staff: Staff, clients: Clients) -> None:
        add(staff, "client.changed")
        change_client(clients.fading, ClientChange(segment="SMB"), actor=staff.ada, now=NOW)
        told = json.loads(WebhookEvent.objects.get().body)
        assert told == {
            "type": "client.changed",
            "timestamp": "2026-06-30T12:00:00+00:00",
            "data": {
                "client": {"id": str(clients.fading.pk), "organization_id": "fading", "name": "Fading"},
                "changes": {"segment": {"from": "", "to": "SMB"}},
            },
        }

    def test_a_change_and_taking_it_back(self, staff: Staff, clients: Clients) -> None:
        add(staff)
        with changing(staff.ada, kind="client.changed", summary="Segment", today=TODAY, now=NOW) as work:
            work.keep(clients.fading)
            clients.fading.segment = "SMB"
            work.save(clients.fading)
        assert work.change is not None
        undo(staff.ada, work.change.pk, today=TODAY, now=NOW)
        told = [json.loads(event.body)["data"]["changes"] for event in WebhookEvent.objects.order_by("created_at")]
        assert sorted(one["segment"]["to"] for one in told) == ["", "SMB"]

    def test_the_same_thing_twice_is_one_event(self, staff: Staff) -> None:
        add(staff)
        once = [Told({"n": 1}, key="milestone-1")]
        assert [tell("milestone.achieved", once, now=NOW) for _ in range(2)] == [1, 0]
        assert WebhookDelivery.objects.count() == 1

    def test_only_the_types_that_are_wanted(self, staff: Staff) -> None:
        add(staff, "score.changed")
        assert tell("client.created", [Told({})], now=NOW) == 0

    def test_large_data_is_cut_and_says_so(self, staff: Staff) -> None:
        add(staff)
        tell("client.changed", [Told({"client": {"id": "1"}, "changes": "x" * 30_000})], now=NOW)
        assert json.loads(WebhookEvent.objects.get().body)["data"] == {"client": {"id": "1"}, "truncated": True}


class TestDelivering:
    @pytest.fixture
    def told(self, staff: Staff) -> WebhookEndpoint:
        endpoint = add(staff)
        tell("client.created", [Told({})], now=NOW)
        return endpoint

    def test_once(self, told: WebhookEndpoint) -> None:
        assert sweep([OK]) == ["client.created"]
        assert sweep([OK]) == []
        assert (only().state, only().last_status, only().last_answer) == ("DELIVERED", 200, "thanks")

    def test_a_failure_waits_and_comes_again(self, told: WebhookEndpoint) -> None:
        sweep([Answer(500, 3, "no")])
        assert (only().state, only().attempts, only().due_at) == ("PENDING", 1, NOW + timedelta(seconds=5))
        assert sweep([OK], NOW + timedelta(seconds=4)) == []
        assert sweep([OK], NOW + timedelta(seconds=5)) == ["client.created"]
        told.refresh_from_db()
        assert told.failing_since is None

    def test_ten_failures_are_the_end_until_somebody_replays(self, told: WebhookEndpoint, staff: Staff) -> None:
        now = NOW
        for _ in range(10):
            assert sweep([Answer(500, 3)], now) == ["client.created"]
            now += timedelta(hours=25)
            WebhookEndpoint.objects.update(failing_since=now)
        assert only().state == "FAILED"
        assert sweep([OK], now) == []
        assert acts.replay(told, actor=staff.adam, now=now) == 1
        assert sweep([OK], now) == ["client.created"]
        assert only().state == "DELIVERED"

    def test_a_worker_that_dies_in_the_middle_loses_nothing(self, told: WebhookEndpoint) -> None:
        def dies(*given: Any) -> Answer:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            deliver_due(NOW, clock=lambda: NOW, send=dies)
        assert sweep([OK], NOW + timedelta(minutes=1)) == []
        assert sweep([OK], NOW + timedelta(minutes=2)) == ["client.created"]

    def test_no_connection_spares_the_endpoint_the_rest(self, told: WebhookEndpoint) -> None:
        tell("score.changed", [Told({})], now=NOW)
        assert sweep([Answer(None, 0, error="No answer in time.")]) == ["client.created"]

    def test_gone_switches_off_and_writes_to_the_owner(
        self, told: WebhookEndpoint, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            sweep([Answer(410, 3)])
        told.refresh_from_db()
        assert not told.is_enabled
        assert mail.outbox[0].to == ["adam@bellwether.example"]
        assert AuditEvent.objects.filter(action="webhook.disabled", actor="system").count() == 1

    def test_five_days_of_failure_switch_off(self, told: WebhookEndpoint) -> None:
        sweep([Answer(500, 3)])
        sweep([Answer(500, 3)], NOW + timedelta(days=5))
        told.refresh_from_db()
        assert not told.is_enabled

    def test_old_events_are_forgotten(self, told: WebhookEndpoint) -> None:
        assert forget_old(NOW + timedelta(days=30)) == 0
        assert forget_old(NOW + timedelta(days=30, seconds=1)) == 1
        assert not WebhookDelivery.objects.exists()


class Receiver(BaseHTTPRequestHandler):
    seen: list[tuple[str, dict[str, str], str]]
    answers: list[tuple[int, dict[str, str]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        type(self).seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        status, headers = type(self).answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"noted")

    def log_message(self, *given: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver(settings: Any) -> Iterator[tuple[type[Receiver], str]]:
    handler = type("OneReceiver", (Receiver,), {"seen": [], "answers": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.BELLWETHER_WEBHOOK_HOSTS = ["127.0.0.1"]
    yield handler, f"http://127.0.0.1:{server.server_port}/in?from=bellwether"
    server.shutdown()
    server.server_close()


class TestOverHttp:
    def test_what_arrives_verifies_with_both_secrets_after_a_rotation(
        self, staff: Staff, receiver: tuple[type[Receiver], str]
    ) -> None:
        handler, url = receiver
        handler.answers[:] = [(200, {})]
        endpoint = add(staff, url=url)
        old = decrypt(endpoint.secret)
        now = datetime.now(NOW.tzinfo)
        new = acts.rotate(endpoint, actor=staff.adam, now=now)
        tell("client.created", [Told({"name": "Zürich"})], now=now)
        deliver_due(now, clock=lambda: now)
        ((path, headers, body),) = handler.seen
        assert path == "/in?from=bellwether"
        assert headers["webhook-id"] == str(WebhookEvent.objects.get().pk)
        for secret in (old, new):
            assert Webhook(secret).verify(body, headers)["data"] == {"name": "Zürich"}
        assert (only().state, only().last_answer) == ("DELIVERED", "noted")

    def test_redirects_are_not_followed_and_the_receiver_may_ask_for_time(
        self, staff: Staff, receiver: tuple[type[Receiver], str]
    ) -> None:
        handler, url = receiver
        handler.answers[:] = [(302, {"Location": url}), (429, {"Retry-After": "90"})]
        add(staff, url=url)
        tell("client.created", [Told({})], now=NOW)
        deliver_due(NOW, clock=lambda: NOW, chance=lambda: 0.0)
        assert (len(handler.seen), only().last_status) == (1, 302)
        later = NOW + timedelta(seconds=5)
        deliver_due(later, clock=lambda: later, chance=lambda: 0.0)
        later = later + timedelta(minutes=5)
        assert only().due_at == later

    def test_an_inside_address_is_never_connected_to(
        self, staff: Staff, receiver: tuple[type[Receiver], str], settings: Any
    ) -> None:
        handler, url = receiver
        endpoint = add(staff, url=url)
        settings.BELLWETHER_WEBHOOK_HOSTS = []
        event = WebhookEvent(event_type="webhook.test", body="{}", created_at=NOW)
        assert "Use https" in send_to(endpoint, event, NOW).error
        endpoint.url = url.replace("http:", "https:")
        assert "private network" in send_to(endpoint, event, NOW).error
        assert handler.seen == []


class TestEndpoints:
    def test_name_what_cannot_be_used(self, staff: Staff) -> None:
        with pytest.raises(InvalidInputError) as error:
            add(staff, "client.exploded")
        assert list(error.value.errors) == ["event_types"]
        assert not WebhookEndpoint.objects.exists()

    def test_secrets_are_not_stored_in_clear(self, staff: Staff) -> None:
        endpoint = add(staff)
        secret = acts.secret_of(endpoint, actor=staff.adam, now=NOW)
        assert secret.startswith("whsec_")
        assert secret.encode() not in bytes(endpoint.secret)
        assert AuditEvent.objects.filter(action="webhook.secret_shown", actor_id=staff.adam.pk).count() == 1

    def test_nothing_is_replayed_while_off(self, staff: Staff) -> None:
        endpoint = add(staff)
        acts.switch(endpoint, on=False, actor=staff.adam, now=NOW)
        with pytest.raises(ConflictError, match="Switch the webhook on"):
            acts.replay(endpoint, actor=staff.adam, now=NOW)
