"""Levels of use (formulas.md, section 3) at their limits."""

from typing import Any

import pytest

from bellwether.health.feature_use import feature_levels
from bellwether.health.inputs import FeatureSpec
from tests.health.builders import D, back, feature, inputs, settings

LICENSED = {"licensed_modules": ["Analytics"]}
STARTED = [{"date": back(800)}]


def level(spec: FeatureSpec, rows: list[dict[str, Any]], **kinds: Any) -> dict[str, Any]:
    given = {"clients": [LICENSED], "client_days": STARTED} | kinds
    return feature_levels(inputs(**given, event_days=rows), [D], settings(features=(spec,))).row(0, named=True)


def used(events: int, days_back: int = 3, **more: Any) -> dict[str, Any]:
    return {"date": back(days_back), "event": "Used", "events": events} | more


class TestFeatureLevels:
    @pytest.mark.parametrize(
        ("events", "name"), [(24, "LIGHT"), (25, "ACTIVE"), (75, "ACTIVE"), (76, "POWER"), (500, "POWER")]
    )
    def test_judges_use_against_what_is_expected(self, events: int, name: str) -> None:
        found = level(feature(value=100.0), [used(events)])
        assert (found["level"], found["use"], found["share"]) == (name, events, events / 100)

    @pytest.mark.parametrize(("period", "inside", "outside"), [(30, 29, 30), (91, 90, 91), (365, 364, 365)])
    def test_looks_over_the_features_own_period(self, period: int, inside: int, outside: int) -> None:
        spec = feature(value=1.0, days=period)
        assert level(spec, [used(1, inside)])["level"] == "POWER"
        assert level(spec, [used(1, outside)])["level"] == "NOT_USED"

    def test_judges_a_share_against_its_target(self) -> None:
        spec = feature(target="share", value=0.8, within=frozenset({"on_track"}))
        late = used(8, label="breached")
        assert level(spec, [used(2, label="on_track"), late])["level"] == "ACTIVE"  # 0.2 / 0.8 = 0.25
        assert level(spec, [used(1, label="on_track"), used(9, label="breached")])["level"] == "LIGHT"
        assert level(spec, [used(12, label="on_track"), late])["level"] == "ACTIVE"  # 0.6 / 0.8 = 0.75
        assert level(spec, [used(13, label="on_track"), late])["level"] == "POWER"

    def test_takes_any_use_as_active_also_by_a_service(self) -> None:
        spec = feature(target="any", value=1.0)
        assert level(spec, [used(1, is_service=True)])["level"] == "ACTIVE"
        assert level(spec, [used(900)])["level"] == "ACTIVE"
        assert level(spec, [])["level"] == "NOT_USED"

    def test_leaves_services_out_where_people_are_expected(self) -> None:
        assert level(feature(), [used(50, is_service=True)])["level"] == "NOT_USED"

    def test_tells_unlicensed_from_not_set_up(self) -> None:
        said = {"adoption": [{"feature_key": "reports", "is_configured": False}]}
        assert level(feature(), [], **said)["level"] == "NOT_CONFIGURED"
        assert level(feature(), [used(9)], **said)["level"] == "POWER"  # used, so evidently set up
        assert level(feature(), [used(9)], clients=[{}])["level"] == "NOT_LICENSED"

    def test_says_nothing_before_the_first_event(self) -> None:
        assert level(feature(), [], client_days=[])["level"] is None

    @pytest.mark.parametrize(
        ("now", "before", "word"),
        [(0, 0, "NO_USE"), (11, 10, "STABLE"), (12, 10, "INCREASING"), (9, 10, "STABLE"), (8, 10, "DECREASING"),
         (1, 0, "INCREASING"), (0, 4, "DECREASING")],
    )  # fmt: skip
    def test_compares_thirty_days_with_the_thirty_before(self, now: int, before: int, word: str) -> None:
        rows = [used(now, 29)] * bool(now) + [used(before, 30)] * bool(before)
        found = level(feature(), rows)
        assert (found["use_30d"], found["use_before_30d"], found["use_trend"]) == (now, before, word)

    def test_remembers_the_last_use(self) -> None:
        found = level(feature(), [used(1, 400), used(1, 300)])
        assert (found["last_used"], found["ever_used"]) == (back(300), True)
        never = level(feature(), [])
        assert (never["last_used"], never["ever_used"]) == (None, False)

    def test_is_empty_without_a_catalogue(self) -> None:
        assert feature_levels(inputs(), [D], settings()).is_empty()
