"""What a definition may look like, field by field; the shipped ones all pass."""

import copy
from typing import Any

import pytest

from bellwether.health.definition_shape import shape_problems
from bellwether.health.scorecard import SCORECARDS, shipped_definition

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize("name", SCORECARDS)
def test_the_shipped_ones_pass(name: str) -> None:
    assert shape_problems(shipped_definition(name)) == {}


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(shipped_definition("prd-015"))
    whole = made
    for step in path[:-1]:
        made = made[step]
    if value is None:
        del made[path[-1]]
    else:
        made[path[-1]] = value
    return whole  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["title"], None, "title"),
        (["trend"], None, "trend"),
        (["trend", "days"], "soon", "trend.days"),
        (["trend", "at_least"], 31, "trend.at_least"),
        (["thresholds"], {"healthy": 60, "monitor": 70, "at_risk": 40}, "thresholds.monitor"),
        (["bands"], [{"minimum": 50, "word": "GOOD"}], "bands"),
        (["components"], "none", "components"),
        (["components"], [], "components"),
        (["components", 0], 7, "components.0"),
        (["components", 0, "label"], None, "components.usage.label"),
        (["components", 0, "key"], 'a"b', 'components.a"b.key'),
        (["components", 0, "key"], "score", "components.score.key"),
        (["components", 0, "formula"], {"kind": "magic"}, "components.usage.formula"),
        (["components", 0, "formula", "target"], 0, "components.usage.formula.target"),
        (["components", 0, "formula", "mesure"], "dau", "components.usage.formula.mesure"),
        (["components", 2, "formula", "parts", 0, "base"], "x", "components.support.formula.parts.0.base"),
        (["components", 3, "formula", "parts", 0, "start"], [90, 1], "components.relationship.formula.parts.0.end"),
        (["expected_daily_rate"], {"starter": 2}, "expected_daily_rate.starter"),
        (["surprise"], 1, "surprise"),
        (["components", 0, "weight"], float("nan"), "components.usage.weight"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else None,
)
def test_what_cannot_be_used_is_named(path: list[Any], value: Any, field: str) -> None:
    assert list(shape_problems(changed(path, value))) == [field]
