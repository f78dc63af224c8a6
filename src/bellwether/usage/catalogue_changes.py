"""Changes to the catalogue of features by administrators: each checked, in the history and in the access log.

A change counts for scores made from then on: those of today are marked as due, older ones keep their inputs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from bellwether.common.errors import BellwetherError, ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.portfolio.choices import ContractTier
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.catalogue import as_draft, features
from bellwether.usage.catalogue_data import FeatureDraft
from bellwether.usage.dirty import mark_scores
from bellwether.usage.models import Feature

TIERS: tuple[str, ...] = tuple(ContractTier.values)


class NoSuchFeatureError(BellwetherError):
    """There is no feature with this key."""


@dataclass(frozen=True)
class Imported:
    """What an import of features did, by key."""

    added: list[str]
    changed: list[str]
    unchanged: list[str]
    archived: list[str]


def find_feature(key: str) -> Feature:
    """Return the feature, archived or not. Raises NoSuchFeatureError."""
    features(archived=True)  # fills an empty catalogue from its preset
    found: Feature | None = Feature.objects.filter(key=key).first()
    if found is None:
        raise NoSuchFeatureError(f"There is no feature with the key {key!r}.")
    return found


def add_feature(draft: FeatureDraft, *, actor: StaffUser | None, now: datetime) -> Feature:
    """Add a feature at the end of the catalogue. Raises InvalidInputError for a key that is taken."""
    with transaction.atomic():
        known = features(archived=True)
        if any(feature.key == draft.key for feature in known):
            sentence = f"is taken: there is a feature with the key {draft.key} already, perhaps an archived one."
            raise InvalidInputError(f"The feature cannot be added: its key {sentence}", {"key": sentence})
        position = max((feature.position for feature in known), default=-1) + 1
        feature = _filled(Feature(key=draft.key, position=position, created_at=now), draft, actor, now)
        feature.save()
        _done("feature.added", feature.key, draft.as_data(), actor, now)
    return feature


def change_feature(key: str, draft: FeatureDraft, *, actor: StaffUser | None, now: datetime) -> bool:
    """Store `draft` as the feature `key`; return whether anything differs. The key itself never changes.

    Raises NoSuchFeatureError, or InvalidInputError for a draft with another key.
    """
    if draft.key != key:
        sentence = f"is {key} and cannot be changed: imports and licences go by it."
        raise InvalidInputError(f"The feature cannot be changed: its key {sentence}", {"key": sentence})
    with transaction.atomic():
        feature = find_feature(key)
        before = as_draft(feature)
        if before == draft:
            return False
        _filled(feature, draft, actor, now).save()
        _done("feature.changed", key, {"before": before.as_data(), "after": draft.as_data()}, actor, now)
    return True


def archive_feature(key: str, *, actor: StaffUser | None, now: datetime) -> bool:
    """Take a feature out of the catalogue, to be restored at any time; return whether it was in it."""
    with transaction.atomic():
        feature = find_feature(key)
        if feature.archived_at is not None:
            return False
        if len(features()) == 1:
            raise ConflictError("The last feature cannot be archived; add another one first.")
        feature.archived_at, feature.updated_at, feature.updated_by = now, now, actor
        feature.save()
        _done("feature.archived", key, {}, actor, now)
    return True


def restore_feature(key: str, *, actor: StaffUser | None, now: datetime) -> bool:
    """Put an archived feature back; return whether it was archived."""
    with transaction.atomic():
        feature = find_feature(key)
        if feature.archived_at is None:
            return False
        feature.archived_at, feature.updated_at, feature.updated_by = None, now, actor
        feature.save()
        _done("feature.restored", key, {}, actor, now)
    return True


def move_feature(key: str, *, down: bool, actor: StaffUser | None, now: datetime) -> bool:
    """Move a feature one place up or down among those in the catalogue; return whether it moved. Scores do not care."""
    with transaction.atomic():
        find_feature(key)
        order = [feature.key for feature in features()]
        if key not in order:
            return False
        place = order.index(key)
        other = place + (1 if down else -1)
        if not 0 <= other < len(order):
            return False
        order[place], order[other] = order[other], order[place]
        archived = [feature.key for feature in features(archived=True) if feature.archived_at is not None]
        _order([*order, *archived])
        record(
            actor=actor, action="feature.moved", object_type="feature", object_id=key, detail={"down": down}, now=now
        )
    return True


def import_features(
    drafts: Sequence[FeatureDraft], *, actor: StaffUser | None, now: datetime, replace: bool = False
) -> Imported:
    """Add or change the features of `drafts` in one transaction; others stay, or are archived if `replace`.

    Archived ones that are given are restored. Raises InvalidInputError for a key that is given twice.
    """
    _once(draft.key for draft in drafts)
    found = Imported([], [], [], [])
    with transaction.atomic():
        stored = {feature.key: feature for feature in features(archived=True)}
        for draft in drafts:
            if draft.key not in stored:
                add_feature(draft, actor=actor, now=now)
                found.added.append(draft.key)
                continue
            restored = restore_feature(draft.key, actor=actor, now=now)
            changed = change_feature(draft.key, draft, actor=actor, now=now) or restored
            (found.changed if changed else found.unchanged).append(draft.key)
        given = {draft.key for draft in drafts}
        for key in [feature.key for feature in features() if replace and feature.key not in given]:
            archive_feature(key, actor=actor, now=now)
            found.archived.append(key)
    return found


def _once(keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise InvalidInputError(f"The key {key} is given twice.", {key: "is given twice."})
        seen.add(key)


def _order(keys: Sequence[str]) -> None:
    rows = {feature.key: feature for feature in Feature.objects.filter(key__in=keys)}
    moved = [rows[key] for place, key in enumerate(keys) if rows[key].position != place]
    for place, key in enumerate(keys):
        rows[key].position = place
    Feature.objects.bulk_update(moved, ["position"])


def _filled(feature: Feature, draft: FeatureDraft, actor: StaffUser | None, now: datetime) -> Feature:
    for name in ("name", "module", "category", "description", "target", "expected", "period"):
        setattr(feature, name, getattr(draft, name))
    feature.events = [event.as_data() for event in draft.events]
    feature.expected_by_tier = dict(draft.expected_by_tier)
    feature.within = list(draft.within)
    feature.updated_at, feature.updated_by = now, actor
    return feature


def _done(action: str, key: str, detail: dict[str, object], actor: StaffUser | None, now: datetime) -> None:
    mark_scores([day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)], now=now)
    record(actor=actor, action=action, object_type="feature", object_id=key, detail=detail, now=now)
