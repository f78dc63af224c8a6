"""What holds for a client under settings of several scopes, against tables made by hand."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from bellwether.alerts.choices import AlertSeverity, AlertType
from bellwether.alerts.defaults import KIND, KINDS, MEDIA, RESPOND_WITHIN, SEVERITIES, clears_at, rule_words
from bellwether.alerts.settings_resolving import CLIENTS, RULES, Setting, effective, settings_frame, with_drafts
from bellwether.delivery.choices import Medium

pytestmark = pytest.mark.one_database
A, B, C = "a" * 32, "b" * 32, "c" * 32
SOON, LATER = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def portfolio(level: str = "PROACTIVE") -> pl.DataFrame:
    rows = [(A, "ENTERPRISE", "Growth", level), (B, "ENTERPRISE", "", level), (C, "STARTER", "", level)]
    return pl.DataFrame(rows, schema=CLIENTS, orient="row")


def rule(client: str, alert_type: str, *settings: Setting, level: str = "PROACTIVE") -> dict[str, Any]:
    frame = effective(settings_frame(settings), portfolio(level))
    return frame.row(by_predicate=(pl.col("client_id") == client) & (pl.col("alert_type") == alert_type), named=True)


def test_there_are_the_eleven_types_in_the_words_of_the_database() -> None:
    assert {one.alert_type for one in KINDS} == set(AlertType.values)
    assert {one.severity for one in KINDS} <= set(SEVERITIES) == set(AlertSeverity.values)
    assert list(MEDIA) == Medium.values
    assert all(one.least <= one.default <= one.most for kind in KINDS for one in kind.thresholds)


def test_without_settings_the_defaults_of_the_formulas_hold() -> None:
    frame = effective(settings_frame([]), portfolio())
    assert dict(frame.schema) == RULES
    assert frame.height == 3 * 11
    found = rule(A, "HEALTH_DROP")
    assert (found["enabled"], found["severity"], found["media"]) == (True, "HIGH", ["IN_APP", "EMAIL"])
    assert (found["thresholds"]["points"], found["thresholds"]["days"], found["thresholds"]["percent"]) == (10, 7, None)
    assert (found["respond_within_hours"], found["muted_until"]) == (8, None)
    assert rule(A, "SUPPORT_SPIKE")["media"] == ["IN_APP"]


@pytest.mark.parametrize(("alert_type", "at"), [
    ("CHAMPION_RISK", 75), ("SUPPORT_SPIKE", 1.5), ("USAGE_DECLINE", 15), ("CONTRACT_UTILIZATION_LOW", 55),
    ("HEALTH_DROP", None), ("PAYMENT_ISSUE", None),
])  # fmt: skip
def test_alerts_clear_where_the_formulas_say(alert_type: str, at: float | None) -> None:
    assert clears_at(alert_type, KIND[alert_type].defaults) == at


def test_a_rule_in_words_names_its_own_numbers() -> None:
    fires, clears = rule_words("CONTRACT_UTILIZATION_LOW", {"percent": 40, "days": 14})
    assert fires == "Under 40 % of the licensed seats are used for 14 days."
    assert clears == "45 % of the seats or more are used."


def test_the_most_specific_scope_wins_field_by_field() -> None:
    settings = (
        Setting(scope="WORKSPACE", alert_type="HEALTH_DROP", thresholds={"points": 12, "days": 10}, severity="MEDIUM"),
        Setting(scope="TIER", scope_value="ENTERPRISE", alert_type="HEALTH_DROP", thresholds={"points": 14}),
        Setting(scope="SEGMENT", scope_value="Growth", alert_type="HEALTH_DROP", media=("SLACK",)),
        Setting(scope="CLIENT", client_id=A, alert_type="HEALTH_DROP", respond_within_hours=2),
    )
    one = rule(A, "HEALTH_DROP", *settings)
    assert (one["thresholds"]["points"], one["thresholds"]["days"]) == (14, 10)
    assert (one["severity"], one["media"], one["respond_within_hours"]) == ("MEDIUM", ["SLACK"], 2)
    other = rule(C, "HEALTH_DROP", *settings)
    assert (other["thresholds"]["points"], other["thresholds"]["days"]) == (12, 10)
    assert (other["media"], other["respond_within_hours"]) == (["IN_APP", "EMAIL"], 24)  # that of a medium one


@pytest.mark.parametrize(("settings", "expected"), [
    ([("WORKSPACE", "", "", False)], (False, False, False)),
    ([("WORKSPACE", "", "", False), ("WORKSPACE", "", "USAGE_DECLINE", True)], (True, True, True)),
    ([("WORKSPACE", "", "USAGE_DECLINE", True), ("TIER", "ENTERPRISE", "", False)], (False, False, True)),
    ([("TIER", "ENTERPRISE", "USAGE_DECLINE", False), ("SEGMENT", "Growth", "", True)], (True, False, True)),
    ([("WORKSPACE", "", "HEALTH_DROP", False)], (True, True, True)),
], ids=["all", "type-over-all", "tier-over-workspace-type", "segment-over-tier-type", "another-type"])  # fmt: skip
def test_scope_comes_before_type(settings: list[tuple[str, str, str, bool]], expected: tuple[bool, ...]) -> None:
    rows = [Setting(scope=s, scope_value=v, alert_type=t, is_enabled=on) for s, v, t, on in settings]
    assert tuple(rule(client, "USAGE_DECLINE", *rows)["enabled"] for client in (A, B, C)) == expected


def test_mutes_add_up_to_the_latest() -> None:
    settings = (
        Setting(scope="CLIENT", client_id=A, muted_until=LATER),
        Setting(scope="CLIENT", client_id=A, alert_type="HEALTH_DROP", muted_until=SOON),
    )
    assert rule(A, "HEALTH_DROP", *settings)["muted_until"] == LATER
    assert rule(B, "HEALTH_DROP", *settings)["muted_until"] is None


@pytest.mark.parametrize(("level", "media"), [
    ("PROACTIVE", ["EMAIL", "IN_APP"]), ("DASHBOARD_ONLY", ["IN_APP"]), ("NONE", []),
])  # fmt: skip
def test_the_level_narrows_the_media_and_nothing_else(level: str, media: list[str]) -> None:
    found = rule(A, "HEALTH_DROP", level=level)
    assert (sorted(found["media"]), found["enabled"], found["level"]) == (media, True, level)


def test_no_media_are_a_choice_of_their_own() -> None:
    assert rule(A, "HEALTH_DROP", Setting(scope="WORKSPACE", alert_type="HEALTH_DROP", media=()))["media"] == []


def test_a_draft_takes_the_place_of_the_stored_one() -> None:
    stored = Setting(scope="WORKSPACE", alert_type="HEALTH_DROP", thresholds={"points": 12})
    draft = Setting(scope="WORKSPACE", alert_type="HEALTH_DROP", thresholds={"points": 20})
    found = with_drafts([stored], [draft])
    assert [one.thresholds["points"] for one in found] == [20]
    assert with_drafts([stored], [Setting(scope="WORKSPACE", alert_type="HEALTH_DROP")]) == []


def test_severities_have_times_that_grow() -> None:
    hours = [RESPOND_WITHIN[one] for one in SEVERITIES]
    assert hours == sorted(hours) == [4, 8, 24, 168]
