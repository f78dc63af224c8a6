"""Drafts tried out on the clients that somebody sees: what the page and the API show, from the same function."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from bellwether.health.config_scopes import Scope
from bellwether.health.configs import ActiveConfig, ConfigsInForce, check_definition, in_force
from bellwether.health.scorecard import Scorecard
from bellwether.health.simulation import Effect, simulate
from bellwether.health.simulation_drafts import draft_definition
from bellwether.health.simulation_reading import ScoredPortfolio, scored_portfolio, with_customs_of
from bellwether.staff.models import StaffUser

DRAFT = "the draft"


@dataclass(frozen=True)
class Draft:
    """A definition that may be saved as it is, the scorecard that it describes, and for whom it would hold."""

    definition: dict[str, Any]
    card: Scorecard
    scope: Scope


def make_draft(
    base: dict[str, Any],
    scope: Scope,
    *,
    weights: dict[str, float] | None = None,
    thresholds: dict[str, float] | None = None,
) -> Draft:
    """Return the draft that changes `base`. Raises InvalidInputError with a sentence per field."""
    definition = draft_definition(base, weights=weights, thresholds=thresholds)
    return Draft(definition, check_definition(definition), scope)


def effect_of(draft: Draft, scorecard: str, user: StaffUser, *, now: datetime) -> Effect:
    """Return what the draft would do to the clients that `user` sees, were it in force since the newest scoring."""
    portfolio = scored_portfolio(scorecard, user)
    touched = touched_by(draft.scope, portfolio, in_force(scorecard, now=now))
    return simulate(with_customs_of(portfolio, draft.card), portfolio.standing, draft.card, touched)


def touched_by(scope: Scope, portfolio: ScoredPortfolio, configs: ConfigsInForce) -> pl.Series:
    """Return which clients a configuration for `scope` would score: those with none of their own that is narrower."""
    draft = replace(configs.default, version=DRAFT)
    if scope.is_default:
        configs = ConfigsInForce(draft, configs.scoped)
    else:
        configs = ConfigsInForce(configs.default, {**configs.scoped, scope: draft})
    return configs.assign(portfolio.standing) == DRAFT


def config_in_force(scorecard: str, scope: Scope, *, now: datetime) -> ActiveConfig:
    """Return the configuration of exactly `scope`, or the default one where it has none of its own."""
    configs = in_force(scorecard, now=now)
    return configs.default if scope.is_default else configs.scoped.get(scope, configs.default)
