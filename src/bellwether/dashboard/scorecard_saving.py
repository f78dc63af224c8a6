"""Saving a draft as a version and bringing versions into force, as the page of the health score asks for it."""

from datetime import datetime

from bellwether.common.errors import ConflictError
from bellwether.common.jobs import request_job
from bellwether.common.models import JobRun
from bellwether.dashboard.scorecard_state import State
from bellwether.health import jobs  # noqa: F401 (declares the job that scores)
from bellwether.health.config_changes import (
    SameConfigError,
    activate,
    give_up_scope,
    newest_activation,
    roll_back,
    save_config,
)
from bellwether.health.config_scopes import scope_of
from bellwether.health.models import ConfigActivation, HealthScore, HealthScoreConfig
from bellwether.health.simulations import Draft
from bellwether.staff.models import StaffUser

SCORE = "score"


def save_draft(draft: Draft, state: State, *, actor: StaffUser, reason: str, now: datetime) -> HealthScoreConfig:
    """Return the draft as a new version, not in force; the version that it starts from where it says the same.

    Raises InvalidInputError for what cannot be saved.
    """
    try:
        return save_config(
            state.scorecard, draft.definition, scope=draft.scope, reason=reason, based_on=state.base, by=actor, now=now
        )
    except SameConfigError as same:
        return same.config


def publish(
    config: HealthScoreConfig, *, actor: StaffUser, reason: str, now: datetime, past: bool = False
) -> ConfigActivation:
    """Bring a version into force in its scope and return the activation; with `past` for all days that have scores.

    Raises InvalidInputError without a reason.
    """
    rows = HealthScore.objects.filter(scorecard=config.scorecard)
    first = rows.order_by("date").values_list("date", flat=True).first() if past else None
    return activate(config, reason=reason, by=actor, now=now, since=first)


def give_up(state: State, *, actor: StaffUser, now: datetime) -> ConfigActivation:
    """Let the next wider scope hold for the draft's scope. Raises ConflictError where it has no version of its own."""
    found = give_up_scope(state.scorecard, state.scope, reason="Own version given up", by=actor, now=now)
    if found is None:
        raise ConflictError(f"{state.scope.words} has no version of its own.")
    return found


def undo(activation: ConfigActivation, *, actor: StaffUser, now: datetime) -> ConfigActivation:
    """Bring back what was in force before `activation`. Raises ConflictError where another one came after it."""
    scope = scope_of(activation)
    newest = newest_activation(activation.scorecard, scope)
    if newest is None or newest.pk != activation.pk:
        raise ConflictError("Another version was published since; nothing was undone.")
    number = activation.config.version if activation.config else ""
    reason = f"Version {number} undone"
    return roll_back(scope, scorecard=activation.scorecard, reason=reason, by=actor, now=now)


def recalculation(activation: ConfigActivation, *, now: datetime) -> JobRun:
    """Ask for today's scores to be made anew and return the run."""
    return request_job(SCORE, {}, requested_by_id=activation.activated_by_id, now=now)
