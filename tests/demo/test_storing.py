"""The demo's records fit the product's tables, on every database."""

from datetime import UTC, date, datetime

import polars as pl
import pytest
from django.contrib.auth.hashers import check_password

from bellwether.common.progress import NoProgress
from bellwether.demo.delivery import seen_between
from bellwether.demo.plan import DemoPlan
from bellwether.demo.portfolio import Portfolio, make_messages, make_portfolio
from bellwether.demo.staffing import PASSWORD, default_logins, make_staff
from bellwether.demo.storing import store
from bellwether.portfolio.models import Activity, Client, ClientOutcome, Contact, Note, SupportTicket
from bellwether.staff.models import Role, StaffUser
from bellwether.usage.models import FeatureAdoption, PlatformUser

SMALL = DemoPlan(clients=14, days=60, seed=5, today=date(2026, 6, 30))


@pytest.fixture(scope="module")
def small() -> tuple[Portfolio, pl.DataFrame]:
    portfolio = make_portfolio(SMALL, until=datetime(2026, 6, 30, 15, tzinfo=UTC))
    return portfolio, make_messages(portfolio)


@pytest.fixture
def stored(db: None, small: tuple[Portfolio, pl.DataFrame]) -> dict[str, int]:
    portfolio, messages = small
    keys = [f"{number:032x}" for number in range(len(portfolio.world.users.ids))]
    return store(portfolio, user_keys=keys, seen=seen_between(messages), progress=NoProgress())


class TestStore:
    def test_counts_what_the_tables_hold(self, stored: dict[str, int]) -> None:
        models = {
            "staff": StaffUser,
            "clients": Client,
            "contacts": Contact,
            "outcomes": ClientOutcome,
            "activities": Activity,
            "notes": Note,
            "tickets": SupportTicket,
            "feature states": FeatureAdoption,
            "platform users": PlatformUser,
        }
        for name, model in models.items():
            assert stored[name] == model._default_manager.count() > 0, name
        assert stored["clients"] == 14

    def test_has_a_login_for_each_role(self, stored: dict[str, int]) -> None:
        assert {member.role for member in default_logins(make_staff(SMALL))} == set(Role.values)
        for member in default_logins(make_staff(SMALL)):
            user = StaffUser.objects.get(email=member.email)
            assert user.role == member.role
            assert check_password(PASSWORD, user.password)

    def test_makes_jane_okafor_a_csm_of_team_west_with_clients(self, stored: dict[str, int]) -> None:
        jane = StaffUser.objects.get(email="jane.okafor@larkfield.example")
        assert (jane.name, jane.role, jane.team.name if jane.team else None) == ("Jane Okafor", "CSM", "West")
        assert Client.objects.visible_to(jane).exists()

    def test_archives_the_clients_that_left_and_no_others(self, stored: dict[str, int]) -> None:
        left = set(ClientOutcome.objects.filter(outcome="CHURNED").values_list("client_id", flat=True))
        assert left == set(Client.objects.filter(archived_at__isnull=False).values_list("id", flat=True))

    def test_dates_notes_on_the_day_they_were_written(
        self, stored: dict[str, int], small: tuple[Portfolio, pl.DataFrame]
    ) -> None:
        portfolio, _ = small
        assert dict(Note.objects.values_list("id", "created_at")) == {row.id: row.at for row in portfolio.notes}

    def test_keeps_last_contact_and_participants_in_step(self, stored: dict[str, int]) -> None:
        for client in Client.objects.exclude(last_csm_contact_at=None):
            done = Activity.objects.filter(client=client, completed_at__isnull=False)
            latest = done.exclude(activity_type="INTERNAL_DISCUSSION").latest("completed_at")
            assert client.last_csm_contact_at == latest.completed_at
            assert all(contact.client_id == client.id for contact in latest.client_contacts.all())
