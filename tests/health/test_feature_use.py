"""Levels of use (formulas.md, section 3) at their limits."""

from typing import Any, ClassVar

import polars as pl
import pytest

from bellwether.health.feature_use import feature_levels
from bellwether.health.inputs import FeatureSpec
from bellwether.usage.event_match import EventMatch
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


class TestExpectedByTier:
    """Twelve uses: of 10 expected 1.2, of 40 expected 0.3, of 60 expected 0.2."""

    BY_TIER = (("ENTERPRISE", 60.0), ("PROFESSIONAL", 40.0))

    @pytest.mark.parametrize(
        ("tier", "expected", "share", "name"),
        [("STARTER", 10.0, 1.2, "POWER"), ("PROFESSIONAL", 40.0, 0.3, "ACTIVE"), ("ENTERPRISE", 60.0, 0.2, "LIGHT")],
    )
    def test_judges_use_by_the_clients_tier(self, tier: str, expected: float, share: float, name: str) -> None:
        client = LICENSED | {"contract_tier": tier}
        found = level(feature(value=10.0, by_tier=self.BY_TIER), [used(12)], clients=[client])
        assert (found["expected"], found["level"]) == (expected, name)
        assert found["share"] == pytest.approx(share)

    def test_takes_the_tier_of_the_term_of_the_date(self) -> None:
        terms = [
            {"start_date": back(400), "contract_tier": "PROFESSIONAL", "licensed_modules": ["Analytics"]},
            {"start_date": back(2), "contract_tier": "ENTERPRISE", "licensed_modules": ["Analytics"]},
        ]
        spec = feature(value=10.0, by_tier=self.BY_TIER)
        given = inputs(clients=[LICENSED], client_days=STARTED, contracts=terms, event_days=[used(12)])
        found = feature_levels(given, [back(3), D], settings(features=(spec,)))
        assert found["expected"].to_list() == [40.0, 60.0]
        assert found["level"].to_list() == ["ACTIVE", "LIGHT"]

    def test_is_the_same_to_the_bit_where_no_tier_differs(self) -> None:
        rows = [used(7, 3), used(5, 40)]
        plain = level(feature(value=3.0), rows)
        assert plain["share"] == 7 / 3
        assert plain == level(feature(value=3.0, by_tier=(("ENTERPRISE", 3.0),)), rows)


class TestMatches:
    """Commits in three places; the catalogue tells them apart by module and feature."""

    ROWS: ClassVar[list[dict[str, Any]]] = [
        {"date": back(3), "event": "commit", "module": "lib", "feature": "tests", "events": 5},
        {"date": back(3), "event": "commit", "module": "lib", "feature": "source", "events": 7},
        {"date": back(3), "event": "commit", "module": "docs", "feature": None, "events": 11},
        {"date": back(3), "event": "merge", "module": "docs", "feature": "tests", "events": 13},
        {"date": back(3), "event": "commit", "module": "lib", "feature": "tests", "is_service": True, "events": 1000},
    ]

    @pytest.mark.parametrize(
        ("matches", "use"),
        [
            ([EventMatch("commit", feature="tests")], 5),
            ([EventMatch(feature="tests")], 18),
            ([EventMatch(module="docs")], 24),
            ([EventMatch("commit", module="lib")], 12),
            ([EventMatch("commit", "lib", "tests"), EventMatch(feature="tests")], 18),
            ([EventMatch("commit", "web", "tests")], 0),
        ],
        ids=["event and feature", "feature", "module", "event and module", "twice the same", "nothing"],
    )
    def test_counts_what_fits_once(self, matches: list[EventMatch], use: int) -> None:
        spec = feature(events=frozenset(), matches=frozenset(matches))
        found = level(spec, self.ROWS)
        assert (found["use"], found["last_used"]) == (use, back(3) if use else None)

    def test_counts_events_by_name_beside_matches(self) -> None:
        spec = feature(events=frozenset({"merge"}), matches=frozenset({EventMatch("commit", feature="tests")}))
        assert level(spec, self.ROWS)["use"] == 18

    def test_counts_services_only_where_any_use_counts(self) -> None:
        matches = frozenset({EventMatch(feature="tests")})
        assert level(feature(events=frozenset(), matches=matches, target="any"), self.ROWS)["use"] == 1018

    def test_leaves_other_features_as_they_are(self) -> None:
        plain = feature("plain", events=frozenset({"commit"}))
        narrow = feature("narrow", events=frozenset(), matches=frozenset({EventMatch("commit", feature="tests")}))
        given = inputs(clients=[LICENSED], client_days=STARTED, event_days=self.ROWS)
        alone = feature_levels(given, [D], settings(features=(plain,)))
        beside = feature_levels(given, [D], settings(features=(plain, narrow)))
        assert beside.filter(pl.col("feature_key") == "plain").equals(alone)
        assert alone["use"].to_list() == [23]
