"""The workspace's catalogue of features: filled from the preset once, edited in the product from then on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from bellwether.presets import load_preset
from bellwether.usage.catalogue_data import FeatureDraft
from bellwether.usage.event_match import match_from_data
from bellwether.usage.models import Feature, FeaturePeriod, FeatureTarget


def features(*, archived: bool = False) -> list[Feature]:
    """Return the features in their order, without those taken out of the catalogue unless `archived`.

    The first call of a workspace fills the catalogue from its preset.
    """
    rows = list(Feature.objects.all())
    if not rows:
        fill_from_preset(settings.BELLWETHER_PRESET, now=timezone.now())
        rows = list(Feature.objects.all())
    return rows if archived else [row for row in rows if row.archived_at is None]


def fill_from_preset(preset: str, *, now: datetime) -> int:
    """Add the features of `preset` that the catalogue does not have yet; return how many it has of them now."""
    rows = [_row(position, data, now) for position, data in enumerate(load_preset(preset).get("features", []))]
    Feature.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def as_draft(feature: Feature) -> FeatureDraft:
    """Return the stored feature as checked data."""
    return FeatureDraft(
        key=feature.key,
        name=feature.name,
        module=feature.module,
        category=feature.category,
        description=feature.description,
        events=tuple(match_from_data(event) for event in feature.events),
        target=feature.target,
        expected=feature.expected,
        expected_by_tier=dict(feature.expected_by_tier),
        within=tuple(feature.within),
        period=feature.period,
    )


def as_data(feature: Feature) -> dict[str, Any]:
    """Return the feature as a preset writes it."""
    return as_draft(feature).as_data()


def _row(position: int, data: Mapping[str, Any], now: datetime) -> Feature:
    target, expected = FeatureTarget.EXPECTED, float(data.get("expected", 1))
    if "target_share" in data:
        target, expected = FeatureTarget.SHARE, float(data["target_share"])
    elif data.get("any_use"):
        target = FeatureTarget.ANY
    return Feature(
        key=data["key"],
        name=data.get("name", data["key"]),
        module=data.get("module", ""),
        category=data.get("category", ""),
        description=data.get("description", ""),
        events=list(data["events"]),
        target=target,
        expected=expected,
        expected_by_tier=dict(data.get("expected_by_tier", {})),
        within=list(data.get("within", [])),
        period=data.get("period", FeaturePeriod.MONTH),
        position=position,
        created_at=now,
        updated_at=now,
    )
