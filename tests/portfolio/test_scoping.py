"""Who sees which client (architecture, section 8)."""

from bellwether.portfolio.models import Client
from tests.conftest import Clients, Staff


def names(user: object) -> set[str]:
    return set(Client.objects.visible_to(user).active().values_list("name", flat=True))


class TestVisibleTo:
    def test_shows_a_csm_only_the_own_clients(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.ada) == {"Sturdy", "Fading", "Newborn"}
        assert names(staff.cleo) == {"Elsewhere"}

    def test_shows_a_senior_csm_the_clients_of_the_team(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.ben) == {"Sturdy", "Fading", "Newborn"}

    def test_shows_an_account_executive_the_own_accounts(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.ed) == {"Sturdy"}

    def test_shows_vice_presidents_and_administrators_everything(self, staff: Staff, clients: Clients) -> None:
        everything = {"Sturdy", "Fading", "Newborn", "Elsewhere"}
        assert names(staff.vera) == everything
        assert names(staff.adam) == everything

    def test_shows_nothing_to_a_deactivated_user(self, staff: Staff, clients: Clients) -> None:
        staff.adam.is_active = False
        assert names(staff.adam) == set()
