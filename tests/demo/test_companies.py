from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest

from bellwether.demo.companies import SEATS, terms_of
from bellwether.demo.plan import DemoPlan
from bellwether.demo.portfolio import Portfolio, make_world


class TestMakeCompanies:
    @pytest.mark.parametrize("clients", [250, 1000])
    def test_gives_every_client_a_name_of_its_own(self, clients: int) -> None:
        world, _ = make_world(DemoPlan(clients=clients, days=30, seed=3, today=date(2026, 6, 30)))
        assert len({company.name for company in world.companies}) == clients
        assert len({company.organization_id for company in world.companies}) == clients
        assert len({company.id for company in world.companies}) == clients

    def test_gives_every_csm_between_15_and_30_clients_of_the_teams_region(self) -> None:
        world, staff = make_world(DemoPlan(clients=250, days=400, seed=7, today=date(2026, 6, 30)))
        counts = Counter(company.csm for company in world.companies)
        csms = [member for member in staff if member.looks_after_clients]
        assert len(csms) == 12
        assert all(15 <= counts[member.id] <= 30 for member in csms)
        teams = {member.id: member.team for member in csms}
        assert {teams[c.csm] for c in world.companies if c.region == "US West"} == {"West"}

    def test_keeps_seats_within_the_tier(self, portfolio: Portfolio) -> None:
        for company in portfolio.world.companies:
            low, high = SEATS[company.tier]
            assert low <= company.seats < high
            assert company.employees >= company.seats


class TestTermsOf:
    def test_follows_year_on_year_up_to_today(self, portfolio: Portfolio) -> None:
        for company in portfolio.world.companies:
            terms = terms_of(company, portfolio.world.plan.today)
            assert terms[0][0] == company.start
            for (_, end), (start, _) in pairwise(terms):
                assert start == end + timedelta(days=1)
            last = company.churned_on or portfolio.world.plan.today
            assert terms[-1][0] <= last <= terms[-1][1]
