"""Saving configurations of a scorecard and bringing them into force: checked, recorded, and with what follows from it.

A version is never changed and an activation never removed: what was in force on a day can always be told.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of, days_between
from bellwether.health.config_scopes import Scope, scope_of
from bellwether.health.configs import begins, check_definition, ensure_default_config
from bellwether.health.models import ConfigActivation, HealthScoreConfig
from bellwether.health.scorecard import definition_digest
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.dirty import mark_scores

LONGEST_NAME, LONGEST_REASON = 120, 300


class SameConfigError(ConflictError):
    """What was to be saved says the same as the version it is based on; `config` is that version."""

    def __init__(self, config: HealthScoreConfig) -> None:
        super().__init__(f"Nothing differs from version {config.version}, so no new version was made.")
        self.config = config


def save_config(
    scorecard: str,
    definition: Mapping[str, Any],
    *,
    scope: Scope,
    name: str = "",
    description: str = "",
    reason: str = "",
    based_on: HealthScoreConfig | None = None,
    by: StaffUser | None,
    now: datetime,
) -> HealthScoreConfig:
    """Return the definition as a new version of `scorecard` for `scope`, a draft until it is activated.

    `by` None means the product itself, which sees every client. Raises InvalidInputError with every problem by field
    path, SameConfigError where `based_on` says the same for the same scope.
    """
    problems = _scope_problems(scope, by)
    problems |= {
        field: f"is longer than {longest} letters."
        for field, text, longest in (("name", name, LONGEST_NAME), ("reason", reason, LONGEST_REASON))
        if len(text.strip()) > longest
    }
    try:
        complete = _storable(scorecard, definition)
        title = check_definition(complete).title
    except InvalidInputError as error:
        problems |= error.errors or {"definition": str(error)}
    if problems:
        sentence = " ".join(f"{path} {problem}" for path, problem in problems.items())
        raise InvalidInputError(f"The configuration cannot be saved: {sentence}", problems)
    if based_on is not None and scope_of(based_on) == scope and same_definition(based_on.definition, complete):
        raise SameConfigError(based_on)
    ensure_default_config(scorecard, now=now)
    with transaction.atomic():
        newest = _lock(scorecard)
        config = HealthScoreConfig.objects.create(
            scorecard=scorecard,
            version=newest + 1,
            name=name.strip() or title,
            description=description.strip(),
            definition=complete,
            digest=definition_digest(complete),
            is_active=False,
            is_default=scope.is_default,
            previous_version=based_on,
            reason=reason.strip(),
            created_at=now,
            created_by=by,
            **scope.columns,
        )
        _record("config.save", config, scope, by, now, reason=config.reason)
    return config


def activate(
    config: HealthScoreConfig, *, reason: str, by: StaffUser | None, now: datetime, since: date | None = None
) -> ConfigActivation:
    """Bring a version into force in its scope; return the activation, the one there is where it is in force already.

    Today is marked as due for scoring; with `since` all days from that one on, whose scores are made anew with it.
    Raises InvalidInputError without a reason, for a `since` after today, and where a measure that the version reads was
    archived since.
    """
    check_definition(config.definition)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    if since is not None and since > today:
        raise InvalidInputError("The configuration stays as it is.", {"since": f"is {since}, after today, {today}."})
    return _put(config.scorecard, scope_of(config), config, reason=_reason(reason), by=by, now=now, since=since)


def give_up_scope(
    scorecard: str, scope: Scope, *, reason: str, by: StaffUser | None, now: datetime
) -> ConfigActivation | None:
    """Let the next wider scope hold for `scope` again; return the activation that says so, None if it had none.

    Raises ConflictError for the scope of all clients, which always has a configuration.
    """
    if scope.is_default:
        raise ConflictError("All clients need a configuration; activate another version instead.")
    if not _activations(scorecard, scope).exists():
        return None
    return _put(scorecard, scope, None, reason=_reason(reason), by=by, now=now)


def roll_back(scope: Scope, *, scorecard: str, reason: str, by: StaffUser | None, now: datetime) -> ConfigActivation:
    """Bring back what was in force in `scope` before its newest activation; again, and that one is in force again.

    Raises ConflictError where nothing was in force before.
    """
    with transaction.atomic():
        ensure_default_config(scorecard, now=now)
        _lock(scorecard)
        rows = list(_activations(scorecard, scope))
        before = rows[1].config if len(rows) > 1 else None
        if not rows or (before is None and scope.is_default):
            raise ConflictError(f"{scope.words}: there is nothing before it to roll back to.")
        if before is not None:
            check_definition(before.definition)
        told, since = _reason(reason), rows[0].effective_on
        if since is None:
            return _put(scorecard, scope, before, reason=told, by=by, now=now)
        *earlier, (start, config) = _held_since(rows[1:], since)
        for day, held in earlier:
            _add(scorecard, scope, held, told, by, max(now, rows[0].activated_at), day)
        mark_scores(days_between(since, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)), now=now)
        return _put(scorecard, scope, config, reason=told, by=by, now=now, since=start)


def _held_since(rows: Sequence[ConfigActivation], since: date) -> list[tuple[date, HealthScoreConfig | None]]:
    """Return from which days on which configuration held by `rows` (newest first), from `since` on; days ascending."""
    found: list[tuple[date, HealthScoreConfig | None]] = []
    for day in sorted({since, *(begins(row) for row in rows if begins(row) > since)}):
        held = next((row.config for row in rows if begins(row) <= day), None)
        if held is None and rows and scope_of(rows[-1]).is_default:
            held = rows[-1].config  # days before the first activation have the first configuration
        if not found or found[-1][1] != held:
            found.append((day, held))
    return found


def same_definition(one: Any, other: Any) -> bool:
    """Return whether two definitions say the same, however their numbers are written."""
    return bool(_plain(one) == _plain(other))


def newest_activation(scorecard: str, scope: Scope) -> ConfigActivation | None:
    """Return the activation of `scope` that holds now, None if there never was one."""
    found: ConfigActivation | None = _activations(scorecard, scope).first()
    return found


def _put(
    scorecard: str,
    scope: Scope,
    config: HealthScoreConfig | None,
    *,
    reason: str,
    by: StaffUser | None,
    now: datetime,
    since: date | None = None,
) -> ConfigActivation:
    """Add an activation, keep the flags of the rows, mark its days; what says the same as the newest is that one."""
    ensure_default_config(scorecard, now=now)
    with transaction.atomic():
        _lock(scorecard)
        newest = newest_activation(scorecard, scope)
        reaches = newest is not None and (since is None or begins(newest) <= since)
        if newest is not None and reaches and newest.config_id == (config.pk if config else None):
            return newest
        # Never before the one it follows, whatever the clocks of two machines say.
        at = max(now, newest.activated_at) if newest else now
        made = _add(scorecard, scope, config, reason, by, at, since)
        of_scope = HealthScoreConfig.objects.filter(scorecard=scorecard, **scope.columns)
        of_scope.filter(is_active=True).update(is_active=False)
        if config is not None:
            of_scope.filter(pk=config.pk).update(is_active=True)
            config.is_active = True
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        mark_scores(days_between(since or today, today), now=now)
        subject = config or (newest.config if newest else None)
        action = "config.activate" if config else "config.give_up"
        _record(action, subject, scope, by, now, reason=reason, before=_number(newest))
    return made


def _add(
    scorecard: str,
    scope: Scope,
    config: HealthScoreConfig | None,
    reason: str,
    by: StaffUser | None,
    at: datetime,
    since: date | None,
) -> ConfigActivation:
    return ConfigActivation.objects.create(
        scorecard=scorecard, config=config, reason=reason, effective_on=since, activated_at=at, activated_by=by,
        **scope.columns,
    )  # fmt: skip


def _activations(scorecard: str, scope: Scope) -> Any:
    rows = ConfigActivation.objects.filter(scorecard=scorecard, **scope.columns)
    return rows.select_related("config", "applies_to_client").order_by("-activated_at", "-id")


def _lock(scorecard: str) -> int:
    """Hold the scorecard until the transaction ends and return the number of its newest version."""
    rows = HealthScoreConfig.objects.filter(scorecard=scorecard)
    rows.select_for_update().order_by("version")[:1].get()
    return int(rows.aggregate(newest=Max("version"))["newest"])


def _number(activation: ConfigActivation | None) -> int | None:
    return activation.config.version if activation and activation.config else None


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason or len(reason) > LONGEST_REASON:
        problem = f"is longer than {LONGEST_REASON} letters." if reason else "is needed: why it comes into force."
        raise InvalidInputError(f"The configuration stays as it is: reason {problem}", {"reason": problem})
    return reason


def _scope_problems(scope: Scope, by: StaffUser | None) -> dict[str, str]:
    """Return what is wrong with a scope, by field; a client that `by` may not see does not exist."""
    if scope.tier and scope.tier not in ContractTier.values:
        return {"applies_to_tier": f"{scope.tier!r} is no tier; there are {', '.join(ContractTier.values)}."}
    if scope.segment and not Client.objects.filter(segment=scope.segment).exists():
        return {"applies_to_segment": f"no client is in a segment {scope.segment!r}."}
    if scope.client_id is not None:
        seen = Client.objects.all() if by is None else Client.objects.visible_to(by)
        if not seen.filter(pk=scope.client_id).exists():
            return {"applies_to_client": "there is no such client."}
    return {}


def _storable(scorecard: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition as JSON holds it, with its name. Raises InvalidInputError for what JSON cannot hold."""
    try:
        data: dict[str, Any] = json.loads(json.dumps(dict(definition), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"The definition is no JSON: {error}", {"definition": f"is no JSON: {error}"}) from None
    if data.setdefault("name", scorecard) != scorecard:
        raise InvalidInputError("Another name.", {"name": f"is the scorecard's, {scorecard}; leave it out."})
    return data


def _plain(value: Any) -> Any:
    """Return JSON data in which 25.0 is 25, so that the same definition is the same however it was written."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and math.isfinite(value) and value == int(value) else value


def _record(
    action: str, config: HealthScoreConfig | None, scope: Scope, by: StaffUser | None, now: datetime, **detail: Any
) -> None:
    told = {"scope": scope.words, "version": config.version if config else None} | detail
    record(
        actor=by, action=action, object_type="config", object_id=config.pk if config else "",
        client_id=scope.client_id, detail=told, now=now,
    )  # fmt: skip
