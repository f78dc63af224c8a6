from dataclasses import replace
from datetime import date

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.demo.plan import DemoPlan, check_plan

PLAN = DemoPlan(clients=10, days=30, seed=1, today=date(2026, 6, 30))


class TestDemoPlan:
    def test_begins_so_many_days_before_its_end_that_both_count(self) -> None:
        assert PLAN.first == date(2026, 6, 1)
        assert PLAN.day(0) == PLAN.first
        assert PLAN.index(PLAN.today) == 29

    def test_gives_the_same_ids_for_the_same_seed_and_others_for_another(self) -> None:
        assert PLAN.uuid("client", "acme") == replace(PLAN, days=90).uuid("client", "acme")
        assert PLAN.uuid("client", "acme") != replace(PLAN, seed=2).uuid("client", "acme")
        assert PLAN.uuid("client", "acme") != PLAN.uuid("contact", "acme")

    def test_gives_each_name_a_stream_of_its_own(self) -> None:
        assert PLAN.stream("a").random() == PLAN.stream("a").random()
        assert PLAN.stream("a").random() != PLAN.stream("b").random()


class TestCheckPlan:
    def test_returns_a_plan_in_range(self) -> None:
        assert check_plan(PLAN) is PLAN

    def test_names_every_number_out_of_range(self) -> None:
        with pytest.raises(InvalidInputError) as caught:
            check_plan(replace(PLAN, clients=3, days=29, seed=-1, preset="other"))
        assert set(caught.value.errors) == {"clients", "days", "seed", "preset"}
