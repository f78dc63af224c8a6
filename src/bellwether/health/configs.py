"""Which configurations of a scorecard are in force, now and on any day. A configuration is never edited."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.health.config_scopes import DEFAULT, Scope, scope_of
from bellwether.health.custom_registry import archived_slugs, custom_measures, known_measures
from bellwether.health.definition_shape import shape_problems
from bellwether.health.formulas import number_measures
from bellwether.health.measures import MEASURES_BY_SLUG, Unit
from bellwether.health.models import ConfigActivation, HealthScoreConfig
from bellwether.health.scorecard import Scorecard, definition_digest, parse_scorecard, shipped_definition
from bellwether.presets import load_preset

_CARDS: dict[tuple[str, str], Scorecard] = {}
_MOST_CARDS = 1_000


@dataclass(frozen=True)
class ActiveConfig:
    """A configuration ready to score with; `version` is how scores name it, such as "prd-015 v1", `number` its number.

    `digest` is that of its definition.
    """

    scorecard: Scorecard
    version: str
    weights: dict[str, float]
    digest: str = ""
    config_id: UUID | None = None
    number: int = 0
    scope: Scope = DEFAULT


@dataclass(frozen=True)
class ConfigsInForce:
    """The configurations of a scorecard in force on a day: the default one and those of scopes of their own."""

    default: ActiveConfig
    scoped: Mapping[Scope, ActiveConfig] = field(default_factory=dict)

    @cached_property
    def by_version(self) -> dict[str, ActiveConfig]:
        """Every configuration in force by its version."""
        return {config.version: config for config in (self.default, *self.scoped.values())}

    def assign(self, clients: pl.DataFrame) -> pl.Series:
        """Return for each row of `clients` (client_id as 32 hex digits, tier, segment) the version that scores it.

        The most specific scope wins: client, segment, tier, all.
        """
        found: dict[str, dict[str, str]] = {"client": {}, "segment": {}, "tier": {}}
        for scope, config in self.scoped.items():
            key = scope.client_id.hex if scope.client_id else scope.segment or scope.tier or ""
            found[scope.kind][key] = config.version
        columns = {"client": "client_id", "segment": "segment", "tier": "tier"}
        chosen = [
            pl.col(columns[kind]).replace_strict(versions, default=None, return_dtype=pl.String)
            for kind, versions in found.items()
            if versions
        ]
        default = pl.repeat(self.default.version, pl.len(), dtype=pl.String)
        return clients.select(pl.coalesce(*chosen, default).alias("version"))["version"]

    def of(self, client: Any) -> ActiveConfig:
        """Return the configuration that scores `client` (a Client row)."""
        for scope in (Scope(client_id=client.pk), Scope(segment=client.segment), Scope(tier=client.contract_tier)):
            if scope in self.scoped:
                return self.scoped[scope]
        return self.default


class Timeline:
    """Every activation of a scorecard, and so what was in force on any day."""

    def __init__(self, scorecard: str, activations: Sequence[ConfigActivation]) -> None:
        self.scorecard = scorecard
        self.by_scope: dict[Scope, list[ConfigActivation]] = {}
        for activation in sorted(activations, key=lambda row: (row.activated_at, row.pk)):
            self.by_scope.setdefault(scope_of(activation), []).append(activation)
        configs = {row.config_id: row.config for row in activations if row.config is not None}
        self._ready = _all_ready(configs.values())

    @property
    def default_only(self) -> bool:
        """Whether no configuration was ever in force for some clients only."""
        return set(self.by_scope) <= {DEFAULT}

    def now(self) -> ConfigsInForce:
        """Return what is in force now: the newest activation of each scope."""
        return self._made({scope: rows[-1] for scope, rows in self.by_scope.items()})

    def on(self, day: date) -> ConfigsInForce:
        """Return what scores the workspace's `day`: what was in force when it ended, or came into force for it later.

        Days before the first activation have the first default configuration and no others.
        """
        newest = {}
        for scope, rows in self.by_scope.items():
            known = [row for row in rows if begins(row) <= day]
            if known:
                newest[scope] = known[-1]
        newest.setdefault(DEFAULT, self.by_scope[DEFAULT][0])
        return self._made(newest)

    def spans(self, days: Sequence[date]) -> list[tuple[list[date], ConfigsInForce]]:
        """Return `days` (ascending) in runs that have the same configurations in force."""
        found: list[tuple[list[date], ConfigsInForce]] = []
        for day in days:
            in_force = self.on(day)
            if found and found[-1][1].default == in_force.default and found[-1][1].scoped == in_force.scoped:
                found[-1][0].append(day)
            else:
                found.append(([day], in_force))
        return found

    def _made(self, newest: Mapping[Scope, ConfigActivation]) -> ConfigsInForce:
        given = {scope: self._ready[row.config_id] for scope, row in newest.items() if row.config_id is not None}
        return ConfigsInForce(given.pop(DEFAULT), given)


def begins(activation: ConfigActivation) -> date:
    """Return the first day whose scores the activation holds for."""
    return activation.effective_on or day_of(activation.activated_at, settings.BELLWETHER_WORKSPACE_ZONE)


def main_scorecard() -> str:
    """Return the name of the workspace's main scorecard: the setting, else what the preset says."""
    return settings.BELLWETHER_SCORECARD or str(load_preset(settings.BELLWETHER_PRESET)["workspace"]["scorecard"])


def timeline(scorecard: str, *, now: datetime) -> Timeline:
    """Return all activations of `scorecard`; the one as shipped is made and in force if there is none yet.

    Raises InvalidInputError for a scorecard that is not shipped and was never configured.
    """
    rows = _activations([scorecard])
    if not any(scope_of(row).is_default for row in rows):
        ensure_default_config(scorecard, now=now)
        rows = _activations([scorecard])
    return Timeline(scorecard, rows)


def in_force(scorecard: str, *, on: date | None = None, now: datetime) -> ConfigsInForce:
    """Return the configurations of `scorecard` in force when the day `on` ended; without it, those in force now."""
    known = timeline(scorecard, now=now)
    return known.now() if on is None else known.on(on)


def ensure_default_config(scorecard: str, *, now: datetime) -> HealthScoreConfig:
    """Return the default configuration of `scorecard` in force; version 1 as shipped comes into force if there is none.

    A default configuration that was active before activations were kept is in force from when it was made.
    Raises InvalidInputError for a scorecard that is not shipped and was never configured.
    """
    newest: ConfigActivation | None = _default_activations(scorecard).last()
    if newest is not None and newest.config is not None:
        return newest.config
    with transaction.atomic():
        active: HealthScoreConfig | None = _default_rows(scorecard).filter(is_active=True).order_by("-version").first()
        config = active or _as_shipped(scorecard, now)
        HealthScoreConfig.objects.select_for_update().get(pk=config.pk)
        if not _default_activations(scorecard).exists():
            ConfigActivation.objects.create(
                scorecard=scorecard, config=config, reason=config.reason, activated_at=config.created_at
            )
    return config


def _as_shipped(scorecard: str, now: datetime) -> HealthScoreConfig:
    definition = shipped_definition(scorecard)
    config, _ = HealthScoreConfig.objects.get_or_create(
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
    return config


def _default_rows(scorecard: str) -> Any:
    return HealthScoreConfig.objects.filter(scorecard=scorecard, **DEFAULT.columns)


def _default_activations(scorecard: str) -> Any:
    rows = ConfigActivation.objects.filter(scorecard=scorecard, **DEFAULT.columns)
    return rows.select_related("config").order_by("activated_at", "id")


def _activations(scorecards: Collection[str]) -> list[ConfigActivation]:
    rows = ConfigActivation.objects.filter(scorecard__in=list(scorecards))
    return list(rows.select_related("config", "applies_to_client"))


def active_config(scorecard: str, *, now: datetime) -> ActiveConfig:
    """Return the default configuration of `scorecard`, made if there is none. Raises InvalidInputError if unusable."""
    return in_force(scorecard, now=now).default


def check_definition(definition: Mapping[str, Any]) -> Scorecard:
    """Return the scorecard that `definition` describes, if it may be saved as it is.

    Raises InvalidInputError with a sentence per field path: a field that is missing or holds what it may not, weights
    that do not sum to 100, thresholds out of order, measures that are unknown, archived or words where numbers are
    needed.
    """
    known = known_measures()
    problems = shape_problems(definition)
    if problems:
        raise InvalidInputError(f"Scorecard {definition.get('name', '?')!r} cannot be used.", problems)
    card = parse_scorecard(definition, known_measures=known, archived_measures=archived_slugs())
    words = {slug for slug, measure in known.items() if measure.unit is Unit.WORD}
    problems = {
        f"components.{component.key}.formula": f"reads {', '.join(sorted(wrong))} as a number, which is a word."
        for component in card.components
        if (wrong := number_measures(component.formula) & words)
    }
    if problems:
        raise InvalidInputError(f"Scorecard {card.name!r} cannot be used.", problems)
    return card


def configs_in_force() -> list[ActiveConfig]:
    """Return the configurations in force now of every scorecard, also those for a tier, a segment or one client."""
    by_scorecard: dict[str, list[ConfigActivation]] = {}
    for row in ConfigActivation.objects.select_related("config", "applies_to_client").order_by("scorecard"):
        by_scorecard.setdefault(row.scorecard, []).append(row)
    found = [Timeline(scorecard, rows).now() for scorecard, rows in by_scorecard.items()]
    return [config for known in found for config in known.by_version.values()]


def config_of(version: str) -> ActiveConfig | None:
    """Return the configuration that a score names, such as "prd-015 v1"; None if it is not there (any more)."""
    return configs_of([version]).get(version)


def configs_of(versions: Iterable[str]) -> dict[str, ActiveConfig]:
    """Return the configurations that scores name, by that name, in one query; unknown ones are left out."""
    parts = {version: version.rpartition(" v") for version in set(versions)}
    numbers = {int(number) for _, _, number in parts.values() if number.isdigit()}
    if not numbers:
        return {}
    scorecards = {scorecard for scorecard, _, _ in parts.values()}
    rows = HealthScoreConfig.objects.filter(scorecard__in=scorecards, version__in=numbers)
    ready = _all_ready(rows.select_related("applies_to_client")).values()
    return {config.version: config for config in ready if config.version in parts}


def ready_config(config: HealthScoreConfig) -> ActiveConfig:
    """Return a row, in force or not, ready to score with."""
    return _all_ready([config])[config.pk]


def _all_ready(rows: Iterable[HealthScoreConfig]) -> dict[UUID, ActiveConfig]:
    known = list(rows)
    cards = _cards(known)
    found = {}
    for row in known:
        card, version = cards[row.scorecard, row.digest], f"{row.scorecard} v{row.version}"
        found[row.pk] = ActiveConfig(card, version, card.weights, row.digest, row.pk, row.version, scope_of(row))
    return found


def _cards(rows: Sequence[HealthScoreConfig]) -> dict[tuple[str, str], Scorecard]:
    """Return the parsed definitions, kept by digest since a version never changes; one query where some are new."""
    keys = {(row.scorecard, row.digest) for row in rows}
    new = {key: row for row in rows if (key := (row.scorecard, row.digest)) not in _CARDS}
    cards = {key: parse_scorecard(row.definition) for key, row in new.items()}
    own = frozenset().union(*(card.measures for card in cards.values())) - set(MEASURES_BY_SLUG)
    if own:  # also those archived since: scores made while they were in use can still be explained
        known = {*MEASURES_BY_SLUG, *(custom.slug for custom in custom_measures(slugs=own, archived=True))}
        for row in new.values():
            parse_scorecard(row.definition, known_measures=known)
    cards |= {key: _CARDS[key] for key in keys if key not in cards}
    if len(_CARDS) > _MOST_CARDS:
        _CARDS.clear()
    _CARDS.update(cards)
    return cards
