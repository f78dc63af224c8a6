"""Differences in words, worked by hand."""

import copy
from typing import Any

import pytest

from bellwether.health.config_words import difference_in_words
from bellwether.health.scorecard import shipped_definition

pytestmark = pytest.mark.one_database


def shipped() -> dict[str, Any]:
    return copy.deepcopy(shipped_definition("prd-015"))


def test_nothing() -> None:
    assert difference_in_words(shipped(), shipped()) == []


def test_weights_thresholds_and_rates() -> None:
    after = shipped()
    after["components"][0]["weight"], after["components"][2]["weight"] = 20, 20.0
    after["thresholds"]["healthy"] = 75
    after["expected_daily_rate"]["enterprise"] = 0.25
    assert difference_in_words(shipped(), after) == [
        "Support +5, Usage −5",
        "Healthy from 75 instead of 80",
        "Usage: target 0.25 instead of 0.3 for enterprise",
    ]


def test_components_come_and_go() -> None:
    before, after = shipped(), shipped()
    gone = before["components"].pop()
    assert difference_in_words(before, after) == ["Outcomes added at 10%"]
    assert difference_in_words(after, before) == ["Outcomes removed (10%)"]
    assert gone["key"] == "outcome"


def test_formulas() -> None:
    after = shipped()
    after["components"][0]["formula"] = after["components"][0]["formula"] | {"target": 0.8}
    after["components"][1]["formula"] = {"kind": "scale", "measure": "ideas", "factor": 10}
    found = difference_in_words(shipped(), after, labels={"ideas": "Ideas shared"})
    assert found[0] == "Usage: target 0.8 instead of none"
    assert found[1].startswith("Adoption: 10 × ideas shared; before: ")


def test_rules() -> None:
    after = shipped() | {"minimum_coverage": 0.6, "title": "Health"}
    after["trend"] = after["trend"] | {"days": 90}
    after["bands"] = [{"minimum": 70, "word": "GOOD"}, {"minimum": 0, "word": "BAD"}]
    assert difference_in_words(shipped(), after) == [
        "Trend: days 90 instead of 30",
        "Called Health instead of Client health",
        "A score needs data for 60% of the weight instead of 50%",
        "Bands: GOOD from 70, BAD from 0 instead of HEALTHY from 80, MONITOR from 60, AT_RISK from 40, CRITICAL from 0",
    ]
