"""Checks stored scores: seal, definition, and the score made again. A fixed number of queries for each run of rows."""

import json
import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Max, Min

from bellwether.health.configs import ActiveConfig, config_of
from bellwether.health.models import HealthScore, HealthScoreConfig
from bellwether.health.rederiving import DERIVED, SINCE_SEALS, Difference, compared, rederive, seal_holds
from bellwether.health.score_rows import SEALED
from bellwether.health.scorecard import definition_digest

ROWS_AT_ONCE = 2_000
FEW_ROWS = 200_000
"""Of so many scores, all ids may be read for a draw."""


@dataclass(frozen=True)
class Fault:
    """A stored score that does not hold. `faults` say why, one sentence each."""

    score_id: int
    client: str
    organization_id: str
    scorecard: str
    date: date
    faults: list[str]


@dataclass(frozen=True)
class Verified:
    """How many scores were checked, how many of them were stored before seals, and those that do not hold."""

    checked: int = 0
    without_seal: int = 0
    faults: list[Fault] = field(default_factory=list)


def verify_scores(*, sample: int | None, seed: int, scorecard: str = "", also: Collection[int] = ()) -> Verified:
    """Check `sample` stored scores drawn with `seed`, all where it is None, and return what was found.

    `also` are ids of scores that are checked whether drawn or not. The draw depends only on the seed and the rows.
    Rows stored before seals are made again all the same.
    """
    rows = HealthScore.objects.order_by("pk")
    if scorecard:
        rows = rows.filter(scorecard=scorecard)
    checked = without = 0
    faults: list[Fault] = []
    configs = _Configs()
    for part in _parts(rows, sample, seed, also):
        checked += len(part)
        without += sum(not row.seal for row in part)
        faults += _check(part, configs)
    return Verified(checked, without, faults)


def _parts(rows: Any, sample: int | None, seed: int, also: Collection[int]) -> Iterator[list[HealthScore]]:
    rows = rows.select_related("client")
    if sample is None:
        last = 0
        while part := list(rows.filter(pk__gt=last)[:ROWS_AT_ONCE]):
            yield part
            last = part[-1].pk
        return
    drawn = sorted({*_drawn(rows, sample, seed), *also})
    for start in range(0, len(drawn), 500):
        yield list(rows.filter(pk__in=drawn[start : start + 500]))


def _drawn(rows: Any, sample: int, seed: int) -> list[int]:
    """Return the ids of up to `sample` of the rows. Of very many rows, ids are guessed, so that not all are read."""
    dice = random.Random(seed)  # noqa: S311 (a sample, no secret)
    ends = rows.order_by().aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return []
    if ends["last"] - ends["first"] >= FEW_ROWS:
        guesses = dice.sample(range(ends["first"], ends["last"] + 1), 4 * sample)
        there = {
            pk
            for start in range(0, len(guesses), 500)
            for pk in rows.filter(pk__in=guesses[start : start + 500]).values_list("pk", flat=True)
        }
        if len(there) >= sample:
            return [pk for pk in guesses if pk in there][:sample]
    ids = list(rows.values_list("pk", flat=True))
    return dice.sample(ids, min(sample, len(ids)))


class _Configs:
    """The configurations that scores name, each looked up and checked once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ActiveConfig | None, str, str]] = {}

    def of(self, version: str) -> tuple[ActiveConfig | None, str, str]:
        """Return the configuration, the digest of its definition as it is now, and what is wrong with it, or ""."""
        if version not in self._known:
            self._known[version] = self._look_up(version)
        return self._known[version]

    def _look_up(self, version: str) -> tuple[ActiveConfig | None, str, str]:
        name, _, number = version.rpartition(" v")
        row = None
        if number.isdigit():
            row = HealthScoreConfig.objects.filter(scorecard=name, version=int(number)).first()
        if row is None:
            return None, "", f"its configuration {version} is not there"
        digest = definition_digest(row.definition)
        if digest != row.digest:
            return None, digest, f"the definition of {version} was changed: its digest is not the one it was saved with"
        return config_of(version), digest, ""


def _check(part: Sequence[HealthScore], configs: _Configs) -> list[Fault]:
    said: dict[int, list[str]] = defaultdict(list)
    by_version: dict[str, list[HealthScore]] = defaultdict(list)
    for row in part:
        config, digest, wrong = configs.of(row.weights_version)
        if wrong:
            said[row.pk].append(wrong)
        if row.seal and row.config_digest != digest and not wrong:
            said[row.pk].append("the definition's digest is not that of the configuration it names")
        if row.seal and not seal_holds(_stored(row)):
            said[row.pk].append("the seal does not fit the row")
        if config is not None:
            by_version[row.weights_version].append(row)
    for version, rows in by_version.items():
        config, _, _ = configs.of(version)
        if config is None:
            continue
        for row, differences in zip(rows, _differences(rows, config), strict=True):
            said[row.pk] += [
                f"{one.column} is stored as {_shown(one.stored)} and comes out as {_shown(one.again)}"
                for one in differences
            ]
    return [
        Fault(row.pk, row.client.name, row.client.organization_id, row.scorecard, row.date, said[row.pk])
        for row in part
        if said[row.pk]
    ]


def _differences(rows: Sequence[HealthScore], config: ActiveConfig) -> list[list[Difference]]:
    again = rederive([(row.date, row.previous_score, row.inputs) for row in rows], config.scorecard)
    found = []
    for row, made in zip(rows, again, strict=True):
        made |= {"component_data": json.loads(made["component_data"])}
        columns = DERIVED if row.seal else [name for name in DERIVED if name not in SINCE_SEALS]
        found.append(compared(_stored(row), made, columns))
    return found


def _stored(row: HealthScore) -> dict[str, Any]:
    """Return the row as its seal sees it."""
    values = {name: getattr(row, name) for name in (*SEALED, "seal")}
    return values | {"client_id": row.client_id.hex, "date": row.date.isoformat()}


def _shown(value: Any) -> str:
    return "nothing" if value is None or value == "" else str(value)
