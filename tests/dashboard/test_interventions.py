"""The form that writes to a client or plans a call, and the suppliers' page with it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from bellwether.delivery.models import Message
from bellwether.playbooks.models import Intervention
from bellwether.portfolio.models import Activity, Contact
from tests.api.portal_cast import SUPPLIER, keep_score
from tests.conftest import TODAY, Clients, Staff
from tests.dashboard.test_client_notes import signed_in, text_of


@pytest.fixture
def suppliers(clients: Clients, settings: Any) -> Clients:
    settings.BELLWETHER_PRESET = "suppliers"
    keep_score(clients.fading, "suppliers", TODAY, SUPPLIER)
    Contact.objects.create(client=clients.fading, name="Nia Ferrer", email="nia@fading.example", is_primary=True)
    return clients


def address(clients: Clients, kind: str) -> str:
    return reverse("client_intervention", args=[clients.fading.pk, kind])


class TestForm:
    def test_sends_a_mail_once(self, staff: Staff, suppliers: Clients) -> None:
        browser = signed_in(staff.ada)
        shown = browser.get(address(suppliers, "email"))
        assert "Nia Ferrer, n•••@fading.example" in text_of(shown)
        contact = Contact.objects.get(name="Nia Ferrer")
        sent = {"key": str(uuid4()), "contact": str(contact.pk), "subject": "Hello", "message": "How are the forms?"}
        for _ in range(2):
            assert browser.post(address(suppliers, "email"), sent).status_code == 302
        row = Intervention.objects.get()
        assert (row.subject, row.contact, row.created_by) == ("Hello", contact, staff.ada)
        assert Message.objects.count() == 1

    def test_plans_a_call_in_the_readers_zone(self, staff: Staff, suppliers: Clients) -> None:
        staff.ada.time_zone = "Asia/Tokyo"
        staff.ada.save()
        browser = signed_in(staff.ada)
        day = (timezone.now() + timedelta(days=10)).date().isoformat()
        sent = {"key": str(uuid4()), "contact": "", "subject": "Check-in", "scheduled_for": f"{day}T09:00"}
        answer = browser.post(address(suppliers, "call"), sent)
        assert answer.status_code == 302, text_of(answer)
        activity = Activity.objects.get(subject="Check-in")
        assert activity.occurred_at.isoformat() == f"{day}T00:00:00+00:00"

    def test_says_what_is_missing_at_its_field(self, staff: Staff, suppliers: Clients) -> None:
        sent = {"key": str(uuid4()), "contact": "", "subject": "", "message": ""}
        answer = signed_in(staff.ada).post(address(suppliers, "email"), sent)
        assert answer.status_code == 422
        assert "Write a message, or choose a template." in text_of(answer)
        assert not Intervention.objects.exists()

    @pytest.mark.parametrize("kind", ["email", "pigeon"])
    def test_is_not_there_for_others_nor_for_other_kinds(self, kind: str, staff: Staff, suppliers: Clients) -> None:
        browser = signed_in(staff.cleo if kind == "email" else staff.ada)
        assert browser.get(address(suppliers, kind)).status_code == 404


class TestSuppliersPage:
    def test_offers_what_can_be_done_and_shows_what_was(self, staff: Staff, suppliers: Clients) -> None:
        browser = signed_in(staff.ada)
        assert "E-mail: Fading" in browser.get(reverse("suppliers")).content.decode()
        browser.post(address(suppliers, "call"), {"key": str(uuid4()), "contact": "", "subject": "Check-in"})
        assert "Call, due, today" in text_of(browser.get(reverse("suppliers")))
