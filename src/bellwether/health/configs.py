"""Which configuration of a scorecard is in force. A configuration is never edited: a change is a new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction

from bellwether.health.custom_registry import archived_slugs, custom_measures, known_measures
from bellwether.health.measures import MEASURES_BY_SLUG
from bellwether.health.models import HealthScoreConfig
from bellwether.health.scorecard import Scorecard, definition_digest, parse_scorecard, shipped_definition
from bellwether.presets import load_preset


@dataclass(frozen=True)
class ActiveConfig:
    """A configuration ready to score with; `version` is how scores name it, such as "prd-015 v1"."""

    scorecard: Scorecard
    version: str
    weights: dict[str, float]


def main_scorecard() -> str:
    """Return the name of the workspace's main scorecard: the setting, else what the preset says."""
    return settings.BELLWETHER_SCORECARD or str(load_preset(settings.BELLWETHER_PRESET)["workspace"]["scorecard"])


def ensure_default_config(scorecard: str, *, now: datetime) -> HealthScoreConfig:
    """Return the newest active default configuration of `scorecard`, version 1 as shipped if there is none.

    Raises InvalidInputError for a scorecard that is not shipped and was never configured.
    """
    found = _newest(scorecard)
    if found is not None:
        return found
    definition = shipped_definition(scorecard)
    with transaction.atomic():
        HealthScoreConfig.objects.get_or_create(
            scorecard=scorecard,
            version=1,
            defaults={
                "name": definition["title"],
                "definition": definition,
                "digest": definition_digest(definition),
                "is_default": True,
                "reason": "As shipped",
                "created_at": now,
            },
        )
    return _newest(scorecard) or HealthScoreConfig.objects.get(scorecard=scorecard, version=1)


def _newest(scorecard: str) -> HealthScoreConfig | None:
    return (
        HealthScoreConfig.objects.filter(
            scorecard=scorecard,
            is_active=True,
            applies_to_tier__isnull=True,
            applies_to_segment="",
            applies_to_client__isnull=True,
        )
        .order_by("-version")
        .first()
    )


def active_config(scorecard: str, *, now: datetime) -> ActiveConfig:
    """Return the default configuration of `scorecard`, made if there is none. Raises InvalidInputError if unusable."""
    return _ready(ensure_default_config(scorecard, now=now))


def check_definition(definition: Mapping[str, Any]) -> Scorecard:
    """Return the scorecard that `definition` describes, if it may be saved as it is.

    Raises InvalidInputError as `parse_scorecard` does, also for measures that are unknown or archived.
    """
    return parse_scorecard(definition, known_measures=known_measures(), archived_measures=archived_slugs())


def configs_in_force() -> list[ActiveConfig]:
    """Return the newest active configuration of every scorecard, also those for a tier, a segment or one client."""
    newest: dict[tuple[Any, ...], HealthScoreConfig] = {}
    for config in HealthScoreConfig.objects.filter(is_active=True).order_by("scorecard", "version"):
        of = (config.scorecard, config.applies_to_tier, config.applies_to_segment, config.applies_to_client_id)
        newest[of] = config
    return [_ready(config) for config in newest.values()]


def config_of(version: str) -> ActiveConfig | None:
    """Return the configuration that a score names, such as "prd-015 v1"; None if it is not there (any more)."""
    scorecard, _, number = version.rpartition(" v")
    if not number.isdigit():
        return None
    found = HealthScoreConfig.objects.filter(scorecard=scorecard, version=int(number)).first()
    return _ready(found) if found else None


def _ready(config: HealthScoreConfig) -> ActiveConfig:
    scorecard = _parsed(config.digest, config.scorecard, config.version)
    return ActiveConfig(scorecard, f"{config.scorecard} v{config.version}", scorecard.weights)


@cache
def _parsed(digest: str, name: str, version: int) -> Scorecard:
    """Return the parsed definition; cached by digest, since a version never changes."""
    config = HealthScoreConfig.objects.get(scorecard=name, version=version, digest=digest)
    scorecard = parse_scorecard(config.definition)
    own = scorecard.measures - set(MEASURES_BY_SLUG)
    if own:  # also those archived since: scores made while they were in use can still be explained
        known = {custom.slug for custom in custom_measures(slugs=own, archived=True)}
        return parse_scorecard(config.definition, known_measures={*MEASURES_BY_SLUG, *known})
    return scorecard
