"""Workload and hand-overs."""

from datetime import date, timedelta
from itertools import permutations

import pytest

from bellwether.analytics.book import book_on
from bellwether.analytics.rebalancing import Held, Holder, may_move, rebalance
from bellwether.analytics.workload import CAPACITY, weight, workloads
from tests.analytics.books import MINE, THEIRS, TODAY, records

pytestmark = pytest.mark.one_database
A, B, C = Holder("a", "west"), Holder("b", "west"), Holder("c", "east")


def held(name: str, csm: str, **more: object) -> Held:
    values: dict[str, object] = {
        "tier": "ENTERPRISE", "region": "EMEA", "status": "HEALTHY", "arr": 10.0, "renewal": None, "start": None,
        "weight": CAPACITY / 10,
    }  # fmt: skip
    return Held(key=name, name=name, csm=csm, **(values | more))  # type: ignore[arg-type]


class TestWorkload:
    @pytest.mark.parametrize(
        ("tier", "clients"),
        [("STARTER", 30), ("PROFESSIONAL", 20), ("ENTERPRISE", 15)],
        ids=["starter", "professional", "enterprise"],
    )
    def test_a_full_book_of_healthy_clients_is_the_one_of_the_requirements(self, tier: str, clients: int) -> None:
        assert clients * weight(tier, "HEALTHY") == pytest.approx(CAPACITY)

    def test_sums_tier_times_status(self) -> None:
        found = workloads(book_on(records(), TODAY))
        assert found[MINE] == pytest.approx((1.6 * 1.0 + 1.6 * 1.4) / 24)
        assert found[THEIRS] == pytest.approx((0.8 * 1.1 + 0.8 * 1.1 + 1.6 * 1.6) / 24)


class TestRebalancing:
    def test_leaves_everything_where_nobody_is_above_the_limit(self) -> None:
        assert rebalance([A, B], [held(f"c{n}", "a") for n in range(11)], TODAY).moves == ()

    def test_moves_to_the_own_team_until_the_giver_is_fine(self) -> None:
        plan = rebalance([A, B, C], [held(f"c{n:02}", "a") for n in range(13)], TODAY)
        assert [(move.giver, move.taker, move.same_team) for move in plan.moves] == [("a", "b", True), ("a", "b", True)]
        assert plan.before["a"] == pytest.approx(1.3)
        assert plan.after == {"a": pytest.approx(1.1), "b": pytest.approx(0.2), "c": 0}
        assert plan.still_high == ()

    def test_goes_to_another_team_when_the_own_one_is_full(self) -> None:
        full = [held(f"b{n}", "b") for n in range(10)]
        plan = rebalance([A, B, C], [*full, *(held(f"a{n:02}", "a") for n in range(12))], TODAY)
        assert [(move.taker, move.same_team) for move in plan.moves] == [("c", False)]

    def test_keeps_clients_that_should_not_move_now(self) -> None:
        near, far = TODAY + timedelta(days=90), TODAY + timedelta(days=91)
        assert not may_move(held("x", "a", status="CRITICAL", renewal=near), TODAY)
        assert not may_move(held("x", "a", status="AT_RISK", renewal=date(2026, 1, 1)), TODAY)
        assert may_move(held("x", "a", status="CRITICAL", renewal=far), TODAY)
        assert may_move(held("x", "a", status="HEALTHY", renewal=near), TODAY)
        assert not may_move(held("x", "a", start=TODAY - timedelta(days=89)), TODAY)

    def test_says_who_stays_above_when_nothing_can_move(self) -> None:
        stuck = [held(f"c{n}", "a", status="CRITICAL", renewal=TODAY) for n in range(12)]
        plan = rebalance([A, B], stuck, TODAY)
        assert (plan.moves, plan.still_high) == ((), ("a",))

    def test_never_fills_the_taker_above_a_full_book(self) -> None:
        clients = [held(f"a{n:02}", "a") for n in range(15)] + [held(f"b{n}", "b") for n in range(9)]
        plan = rebalance([A, B], clients, TODAY)
        assert len(plan.moves) == 1
        assert plan.after["b"] <= 1 + 1e-9

    def test_does_not_depend_on_the_order_of_its_input(self) -> None:
        clients = [held("x", "a", weight=30.0, region="US"), held("y", "a"), held("z", "b"), held("w", "a")]
        plans = {rebalance([A, B, C], order, TODAY).moves for order in permutations(clients)}
        assert len(plans) == 1
