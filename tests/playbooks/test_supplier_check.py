"""The daily check of suppliers: who gets which mail, and once."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether.delivery.models import Message
from bellwether.playbooks.supplier_check import became_critical, check_suppliers
from bellwether.portfolio.models import Client
from tests.api.portal_cast import SUPPLIER, keep_score
from tests.conftest import NOW, TODAY, Clients, Staff

GOOD = {
    "days_since_login": 0, "feature_share": 0.8, "features_tracked": 8, "client_activity": 0.9,
    "form_completion_rate": 0.9, "journey_performance": 0.8,
}  # fmt: skip


@pytest.fixture
def suppliers(clients: Clients, settings: Any) -> Clients:
    settings.BELLWETHER_PRESET = "suppliers"
    keep_score(clients.fading, "suppliers", TODAY - timedelta(days=1), GOOD)
    keep_score(clients.fading, "suppliers", TODAY, SUPPLIER, previous=91)
    keep_score(clients.sturdy, "suppliers", TODAY - timedelta(days=1), SUPPLIER)
    keep_score(clients.sturdy, "suppliers", TODAY, SUPPLIER, previous=40)
    return clients


def check() -> Any:
    return check_suppliers(day=TODAY, now=NOW)


class TestWhoBecameCritical:
    def test_is_who_was_not_critical_on_the_scored_day_before(self, suppliers: Clients) -> None:
        found = became_critical(TODAY)
        assert found is not None
        scored_on, findings = found
        assert scored_on == TODAY
        assert [one.line for one in findings] == [
            "Fading: 40, 91 before. The score fell 51 points in 30 days: call and ask what changed."
        ]

    def test_counts_a_first_score_and_leaves_out_the_archived(self, suppliers: Clients) -> None:
        keep_score(suppliers.newborn, "suppliers", TODAY, SUPPLIER)
        keep_score(suppliers.gone, "suppliers", TODAY, SUPPLIER)
        found = became_critical(TODAY)
        assert found is not None
        assert {one.name for one in found[1]} == {"Fading", "Newborn"}

    def test_is_nobody_before_the_first_score(self, clients: Clients) -> None:
        assert became_critical(TODAY) is None


class TestMail:
    def test_goes_to_the_csm_once(self, staff: Staff, suppliers: Clients) -> None:
        assert check() == {"critical": 1, "mails": 1}
        message = Message.objects.get()
        assert (message.user, message.medium, message.severity) == (staff.ada, "EMAIL", "CRITICAL")
        assert check() == {"critical": 1, "mails": 0}
        assert Message.objects.count() == 1

    def test_goes_to_administrators_where_nobody_looks_after_it(self, staff: Staff, suppliers: Clients) -> None:
        Client.objects.filter(pk=suppliers.fading.pk).update(csm_user=None)
        check()
        assert Message.objects.get().user == staff.adam

    def test_is_not_sent_where_suppliers_are_not_scored(self, clients: Clients) -> None:
        keep_score(clients.fading, "suppliers", TODAY, SUPPLIER)
        assert check() is None
        assert not Message.objects.exists()
