"""The own settings, the end of the digest without signing in, and webhooks under Settings."""

from typing import Any

import pytest
from django.test import Client as Session
from django.urls import reverse

from bellwether.dashboard.settings_you_page import unsubscribe_path
from bellwether.staff.models import AuditEvent, Digest, StaffUser
from bellwether.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.conftest import Staff


@pytest.fixture
def ada(staff: Staff) -> Session:
    session = Session()
    session.force_login(staff.ada)
    return session


@pytest.fixture
def adam(staff: Staff) -> Session:
    session = Session()
    session.force_login(staff.adam)
    return session


GIVEN = {"first_name": "Ada", "last_name": "Example", "time_zone": "Europe/Berlin", "theme": "dark", "digest": "DAILY"}


class TestYou:
    def test_are_kept_and_seen_at_once(self, ada: Session, staff: Staff) -> None:
        answer = ada.post(reverse("settings_you"), GIVEN)
        assert answer.status_code == 302
        assert answer.cookies["theme"].value == "dark"
        kept = StaffUser.objects.get(pk=staff.ada.pk)
        assert (kept.time_zone, kept.theme, kept.digest) == ("Europe/Berlin", "dark", "DAILY")
        assert AuditEvent.objects.get(action="staff.settings").detail == {"fields": ["time_zone", "theme", "digest"]}

    def test_the_theme_holds_in_another_browser(self, ada: Session, staff: Staff) -> None:
        ada.post(reverse("settings_you"), GIVEN)
        elsewhere = Session()
        elsewhere.force_login(staff.ada)
        assert b'data-theme="dark"' in elsewhere.get(reverse("settings_you")).content
        elsewhere.cookies["theme"] = "light"
        assert b'data-theme="light"' in elsewhere.get(reverse("settings_you")).content

    def test_what_cannot_be_used_names_its_field(self, ada: Session, staff: Staff) -> None:
        answer = ada.post(reverse("settings_you"), GIVEN | {"time_zone": "Mars/Base"})
        assert answer.status_code == 422
        assert b'id="id_time_zone-error"' in answer.content
        assert StaffUser.objects.get(pk=staff.ada.pk).digest == Digest.OFF


class TestStopDigest:
    def test_asks_then_stops_without_signing_in(self, staff: Staff, client: Any) -> None:
        StaffUser.objects.update(digest=Digest.DAILY)
        path = unsubscribe_path(staff.ada)
        assert b"Stop the digest?" in client.get(path).content
        assert StaffUser.objects.get(pk=staff.ada.pk).digest == Digest.DAILY
        outside = Session(enforce_csrf_checks=True)
        assert outside.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert StaffUser.objects.get(pk=staff.ada.pk).digest == Digest.OFF
        assert StaffUser.objects.get(pk=staff.cleo.pk).digest == Digest.DAILY

    def test_a_made_up_address_is_nothing(self, staff: Staff, client: Any) -> None:
        assert client.post(reverse("digest_stop", args=[f"{staff.ada.pk}:forged"])).status_code == 404


class TestWebhooks:
    def add(self, session: Session, url: str = "https://hooks.example/in") -> Any:
        return session.post(reverse("settings_webhook_new"), {"url": url, "event_types": ["score.changed"]})

    def test_are_for_administrators(self, ada: Session, adam: Session) -> None:
        assert ada.get(reverse("settings_webhooks")).status_code == 403
        assert self.add(ada).status_code == 403
        assert b"Webhooks" not in ada.get(reverse("settings_you")).content
        assert adam.get(reverse("settings_webhooks")).status_code == 200

    def test_add_test_and_read_the_log(self, adam: Session) -> None:
        there = self.add(adam)["Location"]
        endpoint = WebhookEndpoint.objects.get()
        assert there == reverse("settings_webhook", args=[endpoint.pk])
        adam.post(reverse("settings_webhook_act", args=[endpoint.pk, "test"]))
        assert WebhookDelivery.objects.get().state == "PENDING"
        assert "This is a test." in adam.get(there).content.decode()

    def test_a_secret_is_shown_on_request_and_kept_by_nobody(self, adam: Session) -> None:
        there = self.add(adam)["Location"]
        assert b"whsec_" not in adam.get(there).content
        endpoint = WebhookEndpoint.objects.get()
        shown = adam.post(reverse("settings_webhook_act", args=[endpoint.pk, "secret"]))
        assert b"whsec_" in shown.content
        assert "no-store" in shown["Cache-Control"]
        assert b"whsec_" not in adam.get(there).content

    def test_an_address_that_cannot_be_used_is_said_beside_the_field(self, adam: Session) -> None:
        answer = self.add(adam, "http://hooks.example/in")
        assert answer.status_code == 422
        assert b"Use https." in answer.content
        assert not WebhookEndpoint.objects.exists()

    def test_removed_is_gone(self, adam: Session) -> None:
        self.add(adam)
        endpoint = WebhookEndpoint.objects.get()
        adam.post(reverse("settings_webhook_act", args=[endpoint.pk, "remove"]))
        assert adam.get(reverse("settings_webhook", args=[endpoint.pk])).status_code == 404
