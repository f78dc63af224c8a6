"""Saving a draft as a version and bringing versions into force: what the page of the health score asks for."""

from datetime import datetime
from typing import Any

from django.db import transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.jobs import request_job
from bellwether.common.models import JobRun
from bellwether.dashboard.scorecard_state import State
from bellwether.health import jobs  # noqa: F401 (declares the job that scores)
from bellwether.health.config_scopes import Scope, scope_of
from bellwether.health.models import ConfigActivation, HealthScoreConfig
from bellwether.health.scorecard import definition_digest
from bellwether.health.simulations import Draft
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

SCORE = "score"
LONGEST_REASON = 300


def save_draft(draft: Draft, state: State, *, actor: StaffUser, reason: str, now: datetime) -> HealthScoreConfig:
    """Return the draft as a new version, not in force; the version that it starts from where it says the same."""
    base = state.base
    if base.definition == draft.definition and scope_of(base) == draft.scope:
        return base
    with transaction.atomic():
        rows = HealthScoreConfig.objects.select_for_update().filter(scorecard=state.scorecard)
        newest = max(rows.values_list("version", flat=True))
        made = HealthScoreConfig.objects.create(
            scorecard=state.scorecard,
            version=newest + 1,
            name=draft.card.title,
            definition=draft.definition,
            digest=definition_digest(draft.definition),
            is_active=False,
            is_default=draft.scope.is_default,
            previous_version=base,
            reason=reason[:LONGEST_REASON],
            created_at=now,
            created_by=actor,
            **draft.scope.columns,
        )
        _note("config.save", made, actor, now, version=made.version, scope=draft.scope.words)
    return made


def publish(config: HealthScoreConfig, *, actor: StaffUser, reason: str, now: datetime) -> ConfigActivation:
    """Bring a version into force in its scope and return the activation. Raises InvalidInputError without a reason,
    ConflictError where it is in force already."""
    if not reason.strip():
        raise InvalidInputError("Publishing needs a reason.", {"reason": "is empty; say why."})
    return _activate(config.scorecard, scope_of(config), config, actor=actor, reason=reason.strip(), now=now)


def undo(activation: ConfigActivation, *, actor: StaffUser, now: datetime) -> ConfigActivation:
    """Bring back what was in force before `activation`. Raises ConflictError where another one came after it."""
    scope = scope_of(activation)
    rows = list(_activations(activation.scorecard, scope)[:2])
    if not rows or rows[0].pk != activation.pk:
        raise ConflictError("Another version was published since; nothing was undone.")
    before = rows[1].config if len(rows) > 1 else None
    if before is None and scope.is_default:
        raise ConflictError("There is nothing before it.")
    number = activation.config.version if activation.config else ""
    return _activate(
        activation.scorecard, scope, before, actor=actor, reason=f"Version {number} undone", now=now
    )  # fmt: skip


def recalculation(activation: ConfigActivation, *, now: datetime) -> JobRun:
    """Ask for today's scores to be made anew and return the run."""
    return request_job(SCORE, {}, requested_by_id=activation.activated_by_id, now=now)


def _activate(
    scorecard: str, scope: Scope, config: HealthScoreConfig | None, *, actor: StaffUser, reason: str, now: datetime
) -> ConfigActivation:
    with transaction.atomic():
        newest = _activations(scorecard, scope).first()
        if newest is not None and config is not None and newest.config_id == config.pk:
            raise ConflictError(f"Version {config.version} is in use already.")
        made = ConfigActivation.objects.create(
            scorecard=scorecard,
            config=config,
            reason=reason[:LONGEST_REASON],
            activated_at=now,
            activated_by=actor,
            **scope.columns,
        )
        if config is not None:
            _note("config.activate", config, actor, now, version=config.version, scope=scope.words, reason=reason)
    return made


def _activations(scorecard: str, scope: Scope) -> Any:
    rows = ConfigActivation.objects.filter(scorecard=scorecard, **scope.columns)
    return rows.select_related("config").order_by("-activated_at", "-id")


def _note(action: str, config: HealthScoreConfig, actor: StaffUser, now: datetime, **detail: object) -> None:
    audit.record(
        actor=actor, action=action, object_type="config", object_id=config.pk, detail=detail, now=now,
        client_id=config.applies_to_client_id,
    )  # fmt: skip
