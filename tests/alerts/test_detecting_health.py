"""HEALTH_DROP and CRITICAL_HEALTH, worked by hand from formulas.md, section 6."""

import json

import polars as pl
import pytest

from bellwether.alerts.detecting import detect
from bellwether.alerts.frames import EPISODES, SCORES, Facts, Rules, typed
from tests.alerts.facts import A, B, clients, day, found, only, scores, told

pytestmark = pytest.mark.one_database


def drops(values: list[int | None], **thresholds: float) -> list[tuple[int, int | None]]:
    return told(
        found(Facts(clients=clients(), scores=scores(values)), "HEALTH_DROP", last=len(values) - 1, **thresholds)
    )


def test_a_drop_of_ten_points_fires_and_one_of_nine_does_not() -> None:
    assert drops([70, 70, 60]) == [(2, None)]
    assert drops([70, 70, 61]) == []


def test_it_is_compared_with_the_highest_of_the_seven_days_before() -> None:
    assert drops([72, 70, 68, 66, 65, 64, 63, 62]) == [(7, None)]  # 72, seven days before, less 62
    assert drops([72, 70, 68, 67, 66, 65, 64, 63, 62]) == []  # seven days before 62 the score was 70


def test_it_clears_with_half_of_the_drop_regained() -> None:
    assert drops([70, 60, 64, 64]) == [(1, None)]
    assert drops([70, 60, 64, 65]) == [(1, 3)]  # exactly half
    assert drops([69, 58, 63, 64]) == [(1, 3)]  # half of 11 is 5.5: 63 is not enough


def test_a_drop_that_goes_on_must_regain_half_of_all_of_it() -> None:
    values = [80, 70, 66, 60, *[60] * 7, 69, 70]
    assert drops(values) == [(1, 12)]  # from 80 to 60: back at 70
    episode = found(Facts(clients=clients(), scores=scores(values[:8])), "HEALTH_DROP", last=7).row(0, named=True)
    evidence = json.loads(episode["evidence"])
    assert (evidence["from"], evidence["to"], evidence["low"], evidence["days"]) == (80, 60, 60, 7)
    assert episode["value"] == "80 to 60"


def test_a_drop_twice_as_deep_as_at_opening_is_critical() -> None:
    facts = Facts(clients=clients(), scores=scores([80, 70, 65, 60]))
    episode = found(facts, "HEALTH_DROP", last=3).row(0, named=True)
    assert (episode["severity"], str(episode["escalated_on"])) == ("CRITICAL", "2026-01-04")
    deep_at_once = Facts(clients=clients(), scores=scores([80, 55, 55]))
    assert found(deep_at_once, "HEALTH_DROP", last=2).row(0, named=True)["severity"] == "HIGH"


def test_firing_again_updates_the_open_episode() -> None:
    values = [80, 70, 70, 70, 70, 70, 70, 70, 70, 60, 60]
    rows = found(Facts(clients=clients(), scores=scores(values)), "HEALTH_DROP", last=10)
    assert told(rows) == [(1, None)]
    assert rows["times_fired"].to_list() == [2]
    assert [str(one) for one in rows["last_fired_on"]] == ["2026-01-11"]


def test_days_without_a_score_neither_open_nor_clear() -> None:
    assert drops([70, None, 60, None, None, 65]) == [(2, 5)]
    assert drops([None, None, None]) == []


def test_a_score_that_falls_because_data_went_missing_is_no_drop() -> None:
    known = [1.0, 1.0, 0.7, 0.7]
    facts = Facts(clients=clients(), scores=scores([70, 70, 58, 58], coverage=known))
    assert found(facts, "HEALTH_DROP", last=3).is_empty()


def test_thresholds_are_those_of_the_rules() -> None:
    assert drops([70, 60], points=15) == []
    assert drops([70, 55], points=15) == [(1, None)]
    assert drops([70, 66, 63, 60], days=2) == []


def critical(values: list[int | None]) -> list[tuple[int, int | None]]:
    return told(found(Facts(clients=clients(), scores=scores(values)), "CRITICAL_HEALTH", last=len(values) - 1))


def test_critical_health_fires_below_the_band_and_clears_three_points_above_it() -> None:
    assert critical([45, 40, 39, 40, 42, 43, 39]) == [(2, 5), (6, None)]
    assert critical([45, 40]) == []


def test_open_drops_go_on_once_without_scores_and_with_windows_that_differ() -> None:
    rules = only("HEALTH_DROP", A, B)
    row = {"client_id": A, "alert_type": "HEALTH_DROP", "subject": "", "severity": "HIGH", "times_fired": 1}
    row |= {"opened_on": day(1), "last_fired_on": day(2), "evidence": '{"from": 80, "low": 60, "at_opening": 20.0}'}
    standing = typed(pl.DataFrame([row], schema_overrides=EPISODES), EPISODES)
    silent = detect(Facts(clients=clients(A, B)), rules, first=day(10), last=day(12), standing=standing)
    assert told(silent) == [(1, None)]
    longer = rules.frame.with_columns(
        thresholds=pl.when(pl.col("client_id") == B)
        .then(pl.col("thresholds").struct.with_fields(days=pl.lit(14.0)))
        .otherwise(pl.col("thresholds"))
    )
    rows = [(name, day(on), 60, "AT_RISK", 40, 1.0) for name in (A, B) for on in range(13)]
    scored = Facts(clients=clients(A, B), scores=pl.DataFrame(rows, schema=SCORES, orient="row"))
    differ = detect(scored, Rules(longer), first=day(10), last=day(12), standing=standing)
    assert told(differ) == [(1, None)]
