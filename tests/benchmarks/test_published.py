"""The decision as other pages ask for it: who counts, and when a group is held back."""

from datetime import date

import pytest
from django.core.cache import caches

from bellwether.benchmarks.published import counted
from bellwether.health.published_groups import counted_members
from bellwether.portfolio.models import Client
from tests.benchmarks.builders import make_portfolio


@pytest.fixture(autouse=True)
def _no_figures_of_before():
    caches["memory"].clear()
    yield
    caches["memory"].clear()


def _rows(staff, own, others, *, tier="ENTERPRISE", start=0):
    csms = [staff.ada] * own + [staff.cleo] * others
    return [(f"{tier}{place + start}", csm, tier, "Energy", 300, {"health": 50.0}) for place, csm in enumerate(csms)]


def _ask(user, tier, **more):
    members = Client.objects.filter(contract_tier=tier).values_list("pk", flat=True)
    return counted_members(user, "tier", tier, **({"members": members, "metric": "health"} | more))


def test_who_joined_the_tier_this_month_does_not_count_yet(staff):
    made = make_portfolio([*_rows(staff, 1, 8), *_rows(staff, 0, 8, tier="STARTER")])
    joined = Client.objects.create(organization_id="new", name="New", contract_tier="ENTERPRISE", csm_user=staff.cleo)
    moved = made["STARTER0"]
    Client.objects.filter(pk=moved.pk).update(contract_tier="ENTERPRISE")
    expected = {one.pk for name, one in made.items() if name.startswith("ENTERPRISE")}
    assert _ask(staff.ada, "ENTERPRISE") == expected
    assert _ask(staff.vera, "ENTERPRISE") == expected | {joined.pk, moved.pk}


def test_a_tier_of_which_few_are_unseen_is_held_back_from_who_sees_the_others(staff):
    make_portfolio([*_rows(staff, 8, 4), *_rows(staff, 0, 8, tier="STARTER")])
    assert _ask(staff.ada, "ENTERPRISE") is None
    assert _ask(staff.cleo, "STARTER") is not None


def test_is_decided_anew_when_fewer_clients_have_the_figure(staff):
    """Of nine unseen clients of the tier four have the figure, which no benchmark publishes."""
    made = make_portfolio([*_rows(staff, 1, 9), *_rows(staff, 0, 8, tier="STARTER")])
    having = [one.pk for name, one in made.items() if name.startswith("ENTERPRISE")]
    starters = [one.pk for name, one in made.items() if name.startswith("STARTER")]
    everybody = {"metric": "", "reporting": having + starters}
    assert _ask(staff.ada, "ENTERPRISE", **everybody) == frozenset(having)
    assert _ask(staff.ada, "ENTERPRISE", metric="", members=having[:5], reporting=having[:5] + starters) is None


def test_is_held_back_when_few_of_a_published_metric_have_a_value_now(staff):
    made = make_portfolio(_rows(staff, 1, 9))
    having = [one.pk for one in made.values()]
    assert _ask(staff.ada, "ENTERPRISE", members=having[:6]) == frozenset(having[:6])
    assert _ask(staff.ada, "ENTERPRISE", members=having[:5]) is None


def test_before_the_first_night_the_clients_as_they_are_stand_in(staff):
    for place in range(9):
        Client.objects.create(
            organization_id=f"o{place}", name=f"O {place}", contract_tier="STARTER" if place < 3 else "ENTERPRISE",
            csm_user=staff.cleo, current_health_score=50, contract_start_date=date(2024, 1, 1),
        )  # fmt: skip
    assert len(counted_members(staff.ada, "all", "", members=_all(), metric="health")) == 9
    assert _ask(staff.ada, "ENTERPRISE") is None  # all less Enterprise is three Starter clients


def _all():
    return Client.objects.values_list("pk", flat=True)


def test_is_what_the_product_decides_with():
    from bellwether.health import published_groups

    assert published_groups._decisions == [counted]
