"""The draft that the health score page is about: from which version, with which weights, and what it would do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404

from bellwether.common.errors import InvalidInputError
from bellwether.dashboard.scorecard_form import Asked
from bellwether.health.config_scopes import Scope, scope_of
from bellwether.health.configs import ActiveConfig, ConfigsInForce, in_force, main_scorecard
from bellwether.health.custom_registry import known_measures
from bellwether.health.measures import MEASURE_LABELS
from bellwether.health.models import HealthScoreConfig
from bellwether.health.simulation import Effect
from bellwether.health.simulation_drafts import LIMITS
from bellwether.health.simulations import Draft, effect_of, make_draft
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


@dataclass(frozen=True)
class WeightRow:
    """A component with its slider. `was` is its weight in the version in use, None where that lacks it."""

    key: str
    label: str
    about: str
    weight: float
    was: float | None

    @property
    def text(self) -> str:
        """The weight as the number input shows it."""
        return f"{self.weight:g}"


@dataclass(frozen=True)
class State:
    """Everything that the page says about a draft.

    `current` is in force in the scope (the default one where the scope has none of its own), `base` the version that
    the draft starts from, `next_version` the number that saving it would give. `draft` is None where it cannot be
    used; `scaled` says that its weights do not sum to 100 and are shown as if they did.
    """

    user: StaffUser
    asked: Asked
    scorecard: str
    scope: Scope
    configs: ConfigsInForce
    current: ActiveConfig
    current_row: HealthScoreConfig
    base: HealthScoreConfig
    next_version: int
    weights: list[WeightRow]
    thresholds: dict[str, int]
    total: float
    draft: Draft | None
    scaled: bool
    problems: dict[str, str]
    effect: Effect | None

    @property
    def changed(self) -> bool:
        """Whether the draft says something else than what is in force."""
        return self.draft is None or self.scaled or self.draft.definition != self.current_row.definition

    @property
    def edited(self) -> bool:
        """Whether the draft says something else than the version that it starts from."""
        return self.draft is None or self.scaled or self.draft.definition != self.base.definition

    @property
    def publishes(self) -> int:
        """The number of the version that publishing would bring into force."""
        same = not self.edited and self.changed and scope_of(self.base) == self.scope
        return self.base.version if same else self.next_version

    @property
    def why_not(self) -> str:
        """Why the draft cannot be saved or published as it is; "" where it can."""
        if self.scaled or "weights" in self.problems:
            return f"The weights sum to {self.total:g}%; they must sum to 100%."
        if self.draft is None:
            return "Some fields need a look."
        return "" if self.changed else "It says the same as what is in use."


def state_of(user: StaffUser, asked: Asked, *, now: datetime) -> State:
    """Return the draft that was asked for and its effect on the clients that `user` sees.

    A version or a client that does not exist or is not visible raises Http404.
    """
    scorecard = main_scorecard()
    configs = in_force(scorecard, now=now)
    scope = seen_scope(user, asked.scope)
    current = configs.default if scope.is_default else configs.scoped.get(scope, configs.default)
    rows = HealthScoreConfig.objects.filter(scorecard=scorecard).select_related("applies_to_client")
    current_row = rows.get(scorecard=scorecard, version=current.number)
    base = current_row if asked.config is None else rows.filter(pk=asked.config).first()
    if base is None:
        raise Http404
    seen_scope(user, scope_of(base))
    newest = rows.order_by("-version").values_list("version", flat=True)[0]
    weights = _weights(base.definition, current, asked.weights)
    total = sum(row.weight for row in weights)
    draft, scaled, problems = _draft(base.definition, scope, weights, total, asked)
    effect = None if draft is None else effect_of(draft, scorecard, user, now=now)
    limits = {"healthy": 80, "monitor": 60, "at_risk": 40} | dict(base.definition.get("thresholds", {}))
    return State(
        user=user,
        asked=asked,
        scorecard=scorecard,
        scope=scope,
        configs=configs,
        current=current,
        current_row=current_row,
        base=base,
        next_version=newest + 1,
        weights=weights,
        thresholds={name: int(asked.thresholds.get(name, limits[name])) for name in LIMITS},
        total=total,
        draft=draft,
        scaled=scaled,
        problems=problems,
        effect=effect,
    )


def seen_scope(user: StaffUser, scope: Scope) -> Scope:
    """Return the scope with the name of its client. Raises Http404 for a client that `user` may not see."""
    if scope.client_id is None:
        return scope
    client = Client.objects.visible_to(user).filter(pk=scope.client_id).first()
    if client is None:
        raise Http404
    return Scope(client_id=client.pk, name=client.name)


def _weights(definition: dict[str, Any], current: ActiveConfig, given: dict[str, float]) -> list[WeightRow]:
    own = {slug for c in definition["components"] for slug in _measures(c["formula"])} - set(MEASURE_LABELS)
    labels = MEASURE_LABELS | {slug: found.label for slug, found in (known_measures() if own else {}).items()}
    return [
        WeightRow(
            key=component["key"],
            label=component["label"],
            about=_about(_measures(component["formula"]), labels),
            weight=given.get(component["key"], float(component["weight"])),
            was=current.weights.get(component["key"]),
        )
        for component in definition["components"]
    ]


def _measures(formula: dict[str, Any]) -> list[str]:
    """Return the measures that a formula scores, in its order; what they are set against is left out."""
    if "parts" in formula:
        return [slug for part in formula["parts"] for slug in _measures(part)]
    return [formula["measure"]]


def _about(slugs: list[str], labels: dict[str, str]) -> str:
    """Return the measures in a few words: "Ticket points, CSAT"."""
    names = list(dict.fromkeys(labels.get(slug, slug).partition(",")[0] for slug in slugs))
    later = [name if name[:2].isupper() else name[:1].lower() + name[1:] for name in names[1:]]
    return ", ".join([*names[:1], *later])


def _draft(
    definition: dict[str, Any], scope: Scope, weights: list[WeightRow], total: float, asked: Asked
) -> tuple[Draft | None, bool, dict[str, str]]:
    """Return the draft, whether its weights were scaled to 100 to be shown, and what is wrong with it."""
    problems = dict(asked.problems)
    known = {row.key for row in weights}
    problems |= {f"weights.{key}": "is no component of this version." for key in asked.weights if key not in known}
    scaled = abs(total - 100) > 1e-9
    if problems:
        return None, False, problems
    if total <= 0:
        return None, False, {"weights": "sum to 0; give at least one component a weight."}
    asked_weights = {row.key: row.weight for row in weights}
    if min(asked_weights.values()) < 0 or max(asked_weights.values()) > 100:
        scaled = False
    elif scaled:
        asked_weights = {key: weight * 100 / total for key, weight in asked_weights.items()}
    else:
        asked_weights = {key: weight for key, weight in asked_weights.items() if key in asked.weights}
    try:
        return make_draft(definition, scope, weights=asked_weights, thresholds=asked.thresholds), scaled, {}
    except InvalidInputError as error:
        return None, False, error.errors or {"": str(error)}
