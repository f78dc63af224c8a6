"""What the address or the form of the health score page asks for: whose configuration, from which version, what draft.

A draft lives in the address: `scope` says for whom, `config` the version it starts from, `w.<component>` and
`t.<threshold>` what is different. Pure but for looking up what is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.http import urlencode

from bellwether.health.config_scopes import DEFAULT, Scope
from bellwether.health.simulation_drafts import LIMITS
from bellwether.portfolio.choices import ContractTier

WEIGHT, LIMIT = "w.", "t."
MOST_DIGITS = 12


@dataclass(frozen=True)
class Asked:
    """What was asked for. `weights` and `thresholds` hold what was given and can be read, `problems` the rest by field.

    `config` is the id of the version to start from, "" for the one in force; `everybody` shows all changes.
    """

    scope: Scope
    config: UUID | None = None
    weights: dict[str, float] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    everybody: bool = False

    def query(self, **other: Any) -> str:
        """Return the address's query of the same with some parts replaced; None leaves a part out."""
        values: dict[str, Any] = {"scope": scope_text(self.scope), "config": str(self.config or "")}
        values |= {WEIGHT + key: f"{value:g}" for key, value in self.weights.items()}
        values |= {LIMIT + key: f"{value:g}" for key, value in self.thresholds.items()}
        values |= {"show": "all" if self.everybody else ""} | other
        text = urlencode({key: value for key, value in values.items() if value})
        return f"?{text}" if text else ""


def read_asked(values: Mapping[str, str]) -> Asked:
    """Return what `values`, the query or the form, ask for. What cannot be read is in its problems."""
    problems: dict[str, str] = {}
    scope = read_scope(values.get("scope", ""))
    if scope is None:
        problems["scope"] = "names no tier, segment or client."
    weights, limits = _numbers(values, WEIGHT, problems), _numbers(values, LIMIT, problems)
    unknown = {f"thresholds.{name}": "is no threshold." for name in limits if name not in LIMITS}
    return Asked(
        scope=scope or DEFAULT,
        config=_uuid(values.get("config", "")),
        weights=weights,
        thresholds={name: value for name, value in limits.items() if name in LIMITS},
        problems=problems | unknown,
        everybody=values.get("show") == "all",
    )


def read_scope(text: str) -> Scope | None:
    """Return the scope that `text` names: "" for all, "tier:ENTERPRISE", "segment:Growth", "client:<id>"."""
    kind, _, name = text.partition(":")
    if not text:
        return DEFAULT
    if kind == "tier" and name.upper() in ContractTier.values:
        return Scope(tier=name.upper())
    if kind == "segment" and name:
        return Scope(segment=name)
    client_id = _uuid(name) if kind == "client" else None
    return Scope(client_id=client_id) if client_id else None


def scope_text(scope: Scope) -> str:
    """Return the scope as the address names it."""
    if scope.is_default:
        return ""
    return f"{scope.kind}:{scope.tier or scope.segment or scope.client_id}"


def _numbers(values: Mapping[str, str], prefix: str, problems: dict[str, str]) -> dict[str, float]:
    place = {WEIGHT: "weights", LIMIT: "thresholds"}[prefix]
    found = {}
    for name, text in values.items():
        if not name.startswith(prefix):
            continue
        key = name.removeprefix(prefix)
        try:
            number = float(text.replace(",", ".")) if len(text) <= MOST_DIGITS else float("nan")
        except ValueError:
            number = float("nan")
        if number != number or abs(number) == float("inf"):
            problems[f"{place}.{key}"] = "is not a number." if text.strip() else "is empty; give a number."
        else:
            found[key] = number
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
