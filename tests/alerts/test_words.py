"""What alerts say, and what joins them."""

from datetime import date, timedelta
from typing import Any

import pytest

from bellwether.alerts.defaults import KINDS
from bellwether.alerts.reconciling import Episode
from bellwether.alerts.words import root_causes, words

pytestmark = pytest.mark.one_database
DAY = date(2026, 2, 10)

SAID: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("HEALTH_DROP", {"from": 69, "to": 58, "days": 7}, {}, "", "Health fell 11 points in 7 days, from 69 to 58."),
    (
        "HEALTH_DROP",
        {"from": 69, "to": 40, "days": 7},
        {"last_fired_on": DAY + timedelta(days=9), "times_fired": 2},
        "",
        "Health fell 29 points, from 69 to 40, since 10 Feb 2026. Fired 2 times since 10 Feb 2026.",
    ),
    ("CRITICAL_HEALTH", {"score": 38, "below": 40}, {}, "", "Status is critical: health is 38, the band ends at 40."),
    (
        "KEY_USER_INACTIVE",
        {"days": 14, "last_login": "2026-01-27", "role": "EXECUTIVE_SPONSOR"},
        {},
        "Mara Lindqvist",
        "Sponsor Mara Lindqvist has not logged in for 14 days, last on 27 Jan 2026.",
    ),
    (
        "CHAMPION_RISK",
        {"actions": 12, "actions_before": 30, "days": 30, "left": False},
        {},
        "Mara Lindqvist",
        "Champion Mara Lindqvist did 12 actions in 30 days, down from 30.",
    ),
    (
        "CHAMPION_RISK",
        {"left": True},
        {"value": "left on 2026-02-03"},
        "Mara Lindqvist",
        "Champion Mara Lindqvist left the company on 3 Feb 2026.",
    ),
    ("SUPPORT_SPIKE", {"tickets_7d": 7, "weekly": 2.0}, {}, "", "7 tickets in 7 days, normal is 2."),
    (
        "USAGE_DECLINE",
        {"change": -0.342, "average_7d": 8.14, "average_30d": 12.37},
        {},
        "",
        "Daily users fell 34%: 8.1 a day over 7 days, 12.4 over 30.",
    ),
    (
        "FEATURE_ABANDONED",
        {"feature": "Case management", "days": 30, "last_used": "2026-01-11"},
        {},
        "",
        "Case management unused for 30 days, last used on 11 Jan 2026. It was in active use.",
    ),
    (
        "RENEWAL_APPROACHING",
        {"days": 90, "renews_on": "2026-05-11"},
        {},
        "No auto-renew.",
        "Renewal within 90 days, on 11 May 2026. No auto-renew.",
    ),
    (
        "CONTRACT_UTILIZATION_LOW",
        {"active": 22, "seats": 50, "share": 44.0, "days": 30},
        {"threshold": "under 50 % for 30 days"},
        "",
        "44% of licensed seats used: 22 of 50, for 30 days under 50 %.",
    ),
    (
        "NPS_DETRACTOR",
        {"score": 4.0, "answered_on": "2026-02-09"},
        {},
        "Mara",
        "NPS answer of 4 from Mara, on 9 Feb 2026.",
    ),
    ("PAYMENT_ISSUE", {"status": "overdue"}, {}, "", "Payment is overdue, first seen on 10 Feb 2026."),
]


def episode(alert_type: str, evidence: dict[str, Any], **values: Any) -> Episode:
    fixed: dict[str, Any] = {"client_id": "a" * 32, "subject": "", "severity": "HIGH", "opened_on": DAY}
    fixed |= {"last_fired_on": DAY, "cleared_on": None, "times_fired": 1}
    return Episode(**(fixed | values), alert_type=alert_type, evidence=evidence)


class TestWords:
    @pytest.mark.parametrize(
        ("alert_type", "evidence", "values", "name", "said"), SAID, ids=[f"{n} {one[0]}" for n, one in enumerate(SAID)]
    )
    def test_say_the_clients_own_numbers(
        self, alert_type: str, evidence: dict[str, Any], values: dict[str, Any], name: str, said: str
    ) -> None:
        assert words(episode(alert_type, evidence, **values), name).description == said

    @pytest.mark.parametrize("alert_type", [kind.alert_type for kind in KINDS])
    def test_need_no_numbers(self, alert_type: str) -> None:
        found = words(episode(alert_type, {}))
        assert found.title
        assert "None" not in found.description
        assert found.description.endswith(".")


def caused(*alerts: tuple[str, int] | tuple[str, int, str]) -> list[str]:
    rows = [
        (str(n), "a", one[0], DAY + timedelta(days=one[1]), {"component": one[2]} if len(one) > 2 else {})
        for n, one in enumerate(alerts)
    ]
    found = root_causes(rows)
    return [found.get(str(n), "") for n in range(len(rows))]


class TestRootCauses:
    def test_a_champion_who_falls_silent_takes_the_use_along(self) -> None:
        assert caused(("CHAMPION_RISK", 0), ("USAGE_DECLINE", 10), ("HEALTH_DROP", 12, "usage")) == ["people"] * 3

    def test_support_explains_a_fall_that_support_drives(self) -> None:
        found = caused(("SUPPORT_SPIKE", 0), ("NPS_DETRACTOR", 3), ("HEALTH_DROP", 5, "support"), ("CHAMPION_RISK", 0))
        assert found == ["support", "support", "support", ""]

    def test_alone_it_has_no_cause_to_share(self) -> None:
        assert caused(("HEALTH_DROP", 0, "usage")) == [""]
        assert caused(("SUPPORT_SPIKE", 0), ("RENEWAL_APPROACHING", 0)) == ["", ""]

    def test_what_began_long_before_is_no_cause(self) -> None:
        assert caused(("CHAMPION_RISK", 0), ("USAGE_DECLINE", 46)) == ["", ""]

    def test_clients_are_apart(self) -> None:
        rows: list[tuple[str, str, str, date, dict[str, Any]]]
        rows = [("1", "a", "CHAMPION_RISK", DAY, {}), ("2", "b", "USAGE_DECLINE", DAY, {})]
        assert root_causes(rows) == {}
