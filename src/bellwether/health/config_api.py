"""Configurations of the health score through the staff API. A version is never changed: PUT makes the next one."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Router

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.problems import ProblemError
from bellwether.health import config_changes as changes
from bellwether.health.config_reading import ConfigVersion, versions
from bellwether.health.config_schemas import (
    HealthConfigActivation,
    HealthConfigDifference,
    HealthConfigIn,
    HealthConfigList,
    HealthConfigOut,
    HealthConfigReason,
)
from bellwether.health.config_scopes import Scope, scope_of
from bellwether.health.config_words import DEFAULT_LIMITS, LIMITS, difference_in_words
from bellwether.health.configs import ensure_default_config, main_scorecard
from bellwether.health.custom_registry import custom_measures
from bellwether.health.details import PRD_COMPONENTS
from bellwether.health.models import HealthScoreConfig
from bellwether.health.simulation_drafts import draft_definition
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest, need_scope
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once
from bellwether.staff.tokens import Scope as TokenScope

router = Router(tags=["configuration"])
PATH = "/config/health-score"
SCOPE_FIELDS = {"applies_to_tier", "applies_to_segment", "applies_to_client_id"}


@router.get(PATH, response=HealthConfigList, operation_id="listHealthScoreConfigs", summary="List the versions")
def listed(request: StaffRequest, scorecard: str | None = None) -> HealthConfigList:
    """Return the versions of a scorecard, the main one by default; those for clients one does not see are left out."""
    now, name = timezone.now(), scorecard or main_scorecard()
    rows = versions(name, user=request.user, now=now)
    detail = {"scorecard": name, "count": len(rows)}
    record(actor=request.user, action="config.list", object_type="config", detail=detail, now=now)
    return HealthConfigList(scorecard=name, data=[_out(row) for row in rows])


@router.post(
    PATH, response={201: HealthConfigOut}, operation_id="createHealthScoreConfig", summary="Save a version for a scope"
)
def create(request: StaffRequest, given: HealthConfigIn, scorecard: str | None = None) -> HttpResponse:
    """Save a version based on what holds for all clients, and return it: a draft until it is activated.

    Needs an administrator and, with a token, the scope admin. Takes an Idempotency-Key.
    """
    _may_configure(request)
    now, name = timezone.now(), scorecard or main_scorecard()

    def make() -> Answer:
        base = ensure_default_config(name, now=now)
        saved = _save(request, base, given, _scope(given), now=now)
        address = f"{request.path}/{saved.pk}"
        return Answer(201, _answer(request, saved).model_dump(mode="json"), {"Location": address})

    return once(request, make)


@router.put(
    PATH + "/{config_id}",
    response=HealthConfigOut,
    operation_id="changeHealthScoreConfig",
    summary="Save a new version",
)
def change(request: StaffRequest, config_id: UUID, given: HealthConfigIn) -> HealthConfigOut:
    """Save a new version based on this one, for the same scope unless another is given, and return it; this one stays.

    Where nothing differs, or the same was saved before, that version is returned.
    """
    _may_configure(request)
    base, now = _find(request, config_id), timezone.now()
    scope = _scope(given) if given.model_fields_set & SCOPE_FIELDS else scope_of(base)
    try:
        return _answer(request, _save(request, base, given, scope, now=now))
    except changes.SameConfigError as same:
        return _answer(request, same.config)


@router.get(
    PATH + "/{config_id}", response=HealthConfigOut, operation_id="getHealthScoreConfig", summary="Get a version"
)
def one(request: StaffRequest, config_id: UUID) -> HealthConfigOut:
    """Return one version, in force or not."""
    found = _find(request, config_id)
    _note(request, "config.read", found)
    return _answer(request, found)


@router.post(
    PATH + "/{config_id}/activate", response=HealthConfigOut, operation_id="activateHealthScoreConfig",
    summary="Bring a version into force",
)  # fmt: skip
def activate(request: StaffRequest, config_id: UUID, given: HealthConfigActivation) -> HealthConfigOut:
    """Bring the version into force in its scope and return it; today is scored with it within seconds.

    Again changes nothing. Days before today keep their scores, unless `since` asks for those from that day on.
    """
    _may_configure(request)
    config = _find(request, config_id)
    changes.activate(config, reason=given.reason, by=request.user, now=timezone.now(), since=given.since)
    return _answer(request, config)


@router.post(
    PATH + "/{config_id}/rollback", response=HealthConfigOut, operation_id="rollBackHealthScoreConfig",
    summary="Bring back what was in force before",
)  # fmt: skip
def rollback(request: StaffRequest, config_id: UUID, given: HealthConfigReason) -> HealthConfigOut:
    """Bring back what was in force in the scope of this version before it; 409 unless this version is in force.

    Returns the version that is in force now for those clients, or this one, no longer active, where the wider scope
    holds for them again.
    """
    _may_configure(request)
    config = _find(request, config_id)
    newest = changes.newest_activation(config.scorecard, scope_of(config))
    if newest is None or newest.config_id != config.pk:
        raise ConflictError(f"Version {config.version} is not in force, so there is nothing to roll back.")
    made = changes.roll_back(
        scope_of(config), scorecard=config.scorecard, reason=given.reason, by=request.user, now=timezone.now()
    )
    return _answer(request, made.config or config)


@router.post(
    PATH + "/{config_id}/give-up", response=HealthConfigOut, operation_id="giveUpHealthScoreScope",
    summary="Let the wider scope hold again",
)  # fmt: skip
def give_up(request: StaffRequest, config_id: UUID, given: HealthConfigReason) -> HealthConfigOut:
    """Take the tier's, segment's or client's own configuration out of force and return it; 409 for all clients."""
    _may_configure(request)
    config = _find(request, config_id)
    changes.give_up_scope(
        config.scorecard, scope_of(config), reason=given.reason, by=request.user, now=timezone.now()
    )  # fmt: skip
    return _answer(request, config)


@router.get(
    PATH + "/{config_id}/difference", response=HealthConfigDifference, operation_id="compareHealthScoreConfigs",
    summary="Say what differs between two versions",
)  # fmt: skip
def difference(request: StaffRequest, config_id: UUID, against: UUID | None = None) -> HealthConfigDifference:
    """Return in words what this version changes against another, by default the one it is based on."""
    config = _find(request, config_id)
    other_id = against or config.previous_version_id
    if other_id is None:
        raise InvalidInputError(
            "It is based on no version.", {"against": "is needed: this version has none before it."}
        )
    other = _find(request, other_id)
    _note(request, "config.compare", config)
    labels = {custom.slug: custom.name for custom in custom_measures(archived=True)}
    words = difference_in_words(other.definition, config.definition, labels=labels)
    return HealthConfigDifference(id=config.pk, against_id=other.pk, differences=words)


def _find(request: StaffRequest, config_id: UUID) -> HealthScoreConfig:
    found = HealthScoreConfig.objects.filter(pk=config_id).select_related("applies_to_client").first()
    if found is None:
        raise Http404
    if found.applies_to_client_id is not None:
        visible_client(request.user, found.applies_to_client_id)
    return found


def _scope(given: HealthConfigIn) -> Scope:
    return Scope(given.applies_to_tier or None, given.applies_to_segment or "", given.applies_to_client_id)


def _save(request: StaffRequest, base: HealthScoreConfig, given: HealthConfigIn, scope: Scope, *, now: Any) -> Any:
    definition = _definition(base, given)
    for known in HealthScoreConfig.objects.filter(previous_version=base, **scope.columns).order_by("-version")[:1]:
        if changes.same_definition(known.definition, definition):
            raise changes.SameConfigError(known)
    return changes.save_config(
        base.scorecard, definition, scope=scope, name=given.name, description=given.description, reason=given.reason,
        based_on=base, by=request.user, now=now,
    )  # fmt: skip


def _definition(base: HealthScoreConfig, given: HealthConfigIn) -> dict[str, Any]:
    """Return the definition that the fields ask for. Raises InvalidInputError that names them as they were given."""
    named = {key: value for key in PRD_COMPONENTS if (value := getattr(given, f"{key}_weight")) is not None}
    limits = {key: value for key in LIMITS if (value := getattr(given, f"{key}_threshold")) is not None}
    if given.definition is not None:
        if named or limits or given.weights:
            sentence = "says it all; leave weights and thresholds out beside it."
            raise InvalidInputError(
                f"The configuration cannot be saved: definition {sentence}", {"definition": sentence}
            )
        return {"name": base.scorecard} | given.definition
    try:
        return draft_definition(base.definition, weights=named | (given.weights or {}), thresholds=limits)
    except InvalidInputError as error:
        fields = {f"weights.{key}": f"{key}_weight" for key in named} | {
            f"thresholds.{key}": f"{key}_threshold" for key in limits
        }
        raise InvalidInputError(
            "The configuration cannot be saved: " + " ".join(f"{path} {text}" for path, text in error.errors.items()),
            {fields.get(path, path): text for path, text in error.errors.items()},
        ) from None


def _answer(request: StaffRequest, config: HealthScoreConfig) -> HealthConfigOut:
    known = versions(config.scorecard, user=request.user, now=timezone.now())
    return _out(next(version for version in known if version.row.pk == config.pk))


def _out(version: ConfigVersion) -> HealthConfigOut:
    row = version.row
    weights = {component["key"]: component["weight"] for component in row.definition["components"]}
    limits = DEFAULT_LIMITS | dict(row.definition.get("thresholds", {}))
    named: dict[str, Any] = {f"{key}_weight": weights.get(key) for key in PRD_COMPONENTS}
    named |= {f"{key}_threshold": limits[key] for key in LIMITS}
    return HealthConfigOut(
        id=row.pk,
        scorecard=row.scorecard,
        version=row.version,
        name=row.name,
        description=row.description,
        applies_to_tier=row.applies_to_tier,
        applies_to_segment=row.applies_to_segment or None,
        applies_to_client_id=row.applies_to_client_id,
        scope=version.scope.words,
        components=weights,
        definition=row.definition,
        digest=row.digest,
        is_active=version.active,
        is_default=row.is_default,
        is_draft=version.draft,
        previous_version_id=row.previous_version_id,
        reason=row.reason,
        activated_at=version.activated_at,
        created_at=row.created_at,
        updated_at=row.created_at,
        created_by_id=row.created_by_id,
        **named,
    )


def _note(request: StaffRequest, action: str, config: HealthScoreConfig) -> None:
    record(
        actor=request.user, action=action, object_type="config", object_id=config.pk,
        client_id=config.applies_to_client_id, now=timezone.now(),
    )  # fmt: skip


def _may_configure(request: StaffRequest) -> None:
    if not request.user.may_configure:
        raise ProblemError(403, "Only administrators may change how health is scored.")
    if request.token is not None:
        need_scope(request.token, TokenScope.ADMIN)
