"""The attack over all endpoints that compare a client with groups: no arithmetic over their answers is about few.

Ada sees 10 of 47 clients. Of the industry Media she knows three of five, of the tier Starter four of seven; Retail is
all but two of Professional. Every group has five members or more, so that five peers alone would show all of them.
"""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.core.cache import caches
from django.test import Client as Browser
from django.urls import reverse

from bellwether.health import published_groups
from bellwether.health.published_groups import HELD_BACK
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.api.conftest import Caller, add_score
from tests.benchmarks.builders import make_portfolio
from tests.conftest import TODAY, Staff
from tests.health.use_facts import store_use, use
from tests.usage.daily_facts import back, keep

Callers = Callable[..., Caller]
FEW = 5
LAYOUT = [
    # tier, industry, of Ada, of others
    ("ENTERPRISE", "Energy", 2, 16),
    ("ENTERPRISE", "Media", 3, 0),
    ("PROFESSIONAL", "Retail", 1, 14),
    ("PROFESSIONAL", "Energy", 0, 2),
    ("PROFESSIONAL", "Media", 0, 2),
    ("STARTER", "Energy", 4, 3),
]


@pytest.fixture
def portfolio(staff: Staff, lake: Lake) -> dict[str, Client]:
    rows: list[Any] = []
    for tier, industry, of_ada, of_others in LAYOUT:
        for csm in [staff.ada] * of_ada + [staff.cleo] * of_others:
            score = 30 + 7 * len(rows) % 61
            rows.append((f"C{len(rows)}", csm, tier, industry, 300, {"health": float(score), "adoption": score / 2}))
    made = make_portfolio(rows)
    for name, *_, values in rows:
        client = made[name]
        client.current_health_score = int(values["health"])
        client.health_components = {"usage": values["health"], "support": 50.0}
        client.licensed_modules = ["Case Management"]
    Client.objects.bulk_update(made.values(), ["current_health_score", "health_components", "licensed_modules"])
    people = [
        {"organization_id": one.organization_id, "date": day, "dau": 5, "wau": 7, "mau": 9, "total_users": 9,
         "sessions": 5, "session_seconds": 3000, "actions": 15, "actions_by_hour": [0] * 24}
        for one in made.values() for day in back(TODAY, 12)
    ]  # fmt: skip
    keep(lake, "client_days", people)
    store_use(lake, [use(one.organization_id, TODAY - timedelta(days=2), "Case Created", 3) for one in made.values()])
    return made


def _asked(caller: Caller, own: list[Client]) -> dict[tuple[str, ...], bool]:
    """Return (endpoint, kind, value) of each group that any endpoint was asked for, and whether a figure of it came."""
    shown: dict[tuple[str, ...], bool] = {}
    for one in {(client.contract_tier, client.industry): client for client in own}.values():
        path = f"/clients/{one.pk}"
        for kind, value in (("tier", one.contract_tier), ("industry", one.industry)):
            metrics = caller.get(f"{path}/benchmark", {"cohort": kind}).json()["metrics"]
            shown["benchmark", kind, value] = any(metric["median"] is not None for metric in metrics)
        health = caller.get(f"{path}/health").json()["benchmarks"]
        for kind, value in (("tier", one.contract_tier), ("industry", one.industry)):
            figures = [health[f"{kind}_average"], health[f"{kind}_percentile"]]
            shown["health", kind, value] = figures != [None, None]
        for comparison in caller.get(f"{path}/usage", {"days": 7}).json()["comparisons"][1:]:
            kind = "all" if comparison["against"] == "all" else "tier"
            key = ("usage", kind, "" if kind == "all" else one.contract_tier)
            shown[key] = any(value is not None for value in comparison["values"].values()) or shown.get(key, False)
        adoption = caller.get(f"{path}/adoption").json()
        told = [adoption["tier_median"], adoption["adoption_percentile"]]
        told += [feature[name] for feature in adoption["features"] for name in ("peers_using", "adoption_percentile")]
        shown["adoption", "tier", one.contract_tier] = any(value is not None for value in told)
    for name in ("Energy", "Media", "Retail"):
        metrics = caller.get(f"/benchmarks/industry/{name}").json()["metrics"]
        shown["industry page", "industry", name] = any(metric["median"] is not None for metric in metrics)
    return shown


def _unseen(kind: str, value: str, unseen: set[UUID]) -> frozenset[UUID]:
    field = {"tier": "contract_tier", "industry": "industry"}.get(kind)
    found = Client.objects.filter(**{field: value}) if field else Client.objects.all()
    return frozenset(found.values_list("pk", flat=True)) & unseen


def _found_out(groups: set[frozenset[UUID]], everybody: set[UUID]) -> list[frozenset[UUID]]:
    """Return the sets of one to four unseen clients that the attacker gets by himself, pairs and least squares."""
    found = [one for one in groups if 1 <= len(one) < FEW]
    found += [one ^ two for one, two in combinations(groups, 2) if (one < two or two < one) and len(one ^ two) < FEW]
    order = sorted(everybody)
    table = np.array([[one in group for one in order] for group in groups], float)
    alike: dict[tuple[float, ...], list[int]] = {}
    for place in range(len(order)):
        alike.setdefault(tuple(table[:, place]), []).append(place)
    for places in alike.values():
        wanted = np.zeros(len(order))
        wanted[places] = 1
        answer, *_ = np.linalg.lstsq(table.T, wanted, rcond=None)
        if len(places) < FEW and np.allclose(table.T @ answer, wanted, atol=1e-6):
            found.append(frozenset(order[place] for place in places))
    return found


def _attack(caller: Caller, staff: Staff) -> tuple[dict[tuple[str, ...], bool], list[frozenset[UUID]]]:
    own = list(Client.objects.filter(csm_user=staff.ada).order_by("name"))
    unseen = set(Client.objects.exclude(csm_user=staff.ada).values_list("pk", flat=True))
    shown = _asked(caller, own)
    groups = {_unseen(key[1], key[2], unseen) for key, told in shown.items() if told} - {frozenset()}
    assert frozenset(unseen) in groups  # all clients are shown, so that there is something to subtract from
    return shown, _found_out(groups, unseen)


def test_no_sum_of_what_all_endpoints_show_is_about_few(
    portfolio: dict[str, Client], staff: Staff, caller_of: Callers
) -> None:
    shown, found = _attack(caller_of(staff.ada), staff)
    assert found == []
    # Starter has three unseen clients, Media two; Energy would leave 16 and Retail 14.
    assert not any(told for key, told in shown.items() if key[2] in {"STARTER", "MEDIA", "Media"})
    for endpoint in ("benchmark", "health", "usage", "adoption"):
        assert shown[endpoint, "tier", "ENTERPRISE"]


def test_every_endpoint_shows_the_same_groups(portfolio: dict[str, Client], staff: Staff, caller_of: Callers) -> None:
    shown, _ = _attack(caller_of(staff.ada), staff)
    by_group: dict[tuple[str, ...], set[bool]] = {}
    for key, told in shown.items():
        by_group.setdefault(key[1:], set()).add(told)
    assert {group: told for group, told in by_group.items() if len(told) > 1} == {}


def test_the_attack_succeeds_where_five_peers_are_enough(
    portfolio: dict[str, Client], staff: Staff, caller_of: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_groups, "_decisions", [lambda *_, members, **__: members])
    _, found = _attack(caller_of(staff.ada), staff)
    assert found


def test_nothing_is_shown_where_nobody_decides(
    portfolio: dict[str, Client], staff: Staff, caller_of: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_groups, "_decisions", [])
    one = Client.objects.filter(csm_user=staff.ada, contract_tier="ENTERPRISE").first()
    for user, told in ((staff.ada, False), (staff.vera, True)):
        health = caller_of(user).get(f"/clients/{one.pk}/health").json()["benchmarks"]
        assert (health["tier_average"] is not None) is told


def test_pages_say_why_a_group_is_not_shown(portfolio: dict[str, Client], staff: Staff, client: Browser) -> None:
    one = Client.objects.filter(csm_user=staff.ada, contract_tier="STARTER").first()
    for client_of_tier in Client.objects.filter(contract_tier="STARTER"):
        add_score(client_of_tier, TODAY, client_of_tier.current_health_score)
    for user, held_back in ((staff.ada, True), (staff.vera, False)):
        caches["memory"].clear()
        client.force_login(user)
        for name in ("client_usage", "client_adoption"):
            page = client.get(reverse(name, args=[one.pk])).content.decode()
            assert (HELD_BACK in page) is held_back, (user, name)
        page = client.get(reverse("client", args=[one.pk])).content.decode()
        assert (page.count(f"No Starter median. {HELD_BACK}") == 2) is held_back  # components and trend
        assert ("Starter median, 6 clients" in page) is not held_back
        table = client.get(reverse("client_trend_export", args=[one.pk, "csv"])).content.decode()
        medians = {row["tier_median"] for row in csv.DictReader(io.StringIO(table))}
        assert (medians == {""}) is held_back
