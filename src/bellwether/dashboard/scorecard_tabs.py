"""The tabs of the health score page: for whom there is a configuration, and for whom there could be one."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from bellwether.dashboard.scorecard_form import Asked, scope_text
from bellwether.dashboard.scorecard_state import State
from bellwether.health.config_scopes import DEFAULT, Scope
from bellwether.health.simulation_reading import scored_portfolio
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client


@dataclass(frozen=True)
class Tab:
    """One tab; `count` is how many visible clients its configuration scores."""

    text: str
    href: str
    count: int
    current: bool


def tabs_of(state: State) -> list[Tab]:
    """Return the tabs: all clients first, then tiers, segments and visible clients with their own configuration."""
    portfolio = scored_portfolio(state.scorecard, state.user)
    counts = dict(state.configs.assign(portfolio.standing).value_counts().iter_rows())
    scoped = dict(state.configs.scoped)
    names = _names(state, [scope.client_id for scope in scoped if scope.client_id])
    order = {"tier": 0, "segment": 1, "client": 2}
    shown = [scope for scope in scoped if scope.client_id is None or scope.client_id in names]
    shown.sort(key=lambda scope: (order[scope.kind], scope_label(scope, names)))
    if state.scope != DEFAULT and state.scope not in scoped:
        shown.append(state.scope)
        if state.scope.client_id:
            names[state.scope.client_id] = state.scope.name
    tabs = [Tab("Default", reverse("scorecard"), counts.get(state.configs.default.version, 0), state.scope == DEFAULT)]
    for scope in shown:
        version = scoped[scope].version if scope in scoped else ""
        touched = state.effect.touched if state.effect and scope == state.scope else 0
        href = reverse("scorecard") + Asked(scope=scope).query()
        tabs.append(Tab(scope_label(scope, names), href, counts.get(version, touched), scope == state.scope))
    return tabs


def scope_label(scope: Scope, names: dict[Any, str]) -> str:
    """Return a tab's text: "Enterprise", "Growth", "Northwind"."""
    if scope.client_id is not None:
        return names.get(scope.client_id) or "One client"
    return scope.segment or str(ContractTier(scope.tier or "").label)


def scope_choices(state: State) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the tiers and segments without a configuration of their own, as (group, (value, label))."""
    taken = set(state.configs.scoped)
    tiers = [(Scope(tier=tier.value), str(tier.label)) for tier in ContractTier]
    used = Client.objects.visible_to(state.user).active().exclude(segment="").order_by("segment")
    segments = [(Scope(segment=name), name) for name in used.values_list("segment", flat=True).distinct()]
    groups = [("Tier", tiers), ("Segment", segments)]
    return [
        (title, [(scope_text(scope), label) for scope, label in found if scope not in taken]) for title, found in groups
    ]


def _names(state: State, ids: list[Any]) -> dict[Any, str]:
    if not ids:
        return {}
    return dict(Client.objects.visible_to(state.user).filter(pk__in=ids).values_list("pk", "name"))
