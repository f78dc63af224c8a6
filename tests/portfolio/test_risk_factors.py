"""Risk factors from the figures of a client's own row."""

from datetime import date, timedelta
from typing import Any

import pytest

from bellwether.portfolio.risk_factors import RowFacts, risk_factors

TODAY = date(2026, 6, 30)


def found(**fields: Any) -> list[tuple[str, str]]:
    values: dict[str, Any] = {
        "today": TODAY, "score": 90, "trend_change": 0, "trend_days": 30, "components": {}, "payment_status": "current",
        "last_contact": TODAY, "renewal": None,
    }  # fmt: skip
    return [(factor.factor, factor.impact) for factor in risk_factors(RowFacts(**(values | fields)))]


class TestRiskFactors:
    def test_finds_nothing_in_a_sound_client(self) -> None:
        assert found() == []

    @pytest.mark.parametrize(
        ("fields", "factors"),
        [
            ({"payment_status": "overdue"}, [("payment_issue", "high")]),
            ({"payment_status": "late"}, [("payment_issue", "medium")]),
            ({"trend_change": -9}, []),
            ({"trend_change": -10}, [("health_decline", "medium")]),
            ({"trend_change": -20}, [("health_decline", "high")]),
            ({"last_contact": TODAY - timedelta(days=44)}, []),
            ({"last_contact": TODAY - timedelta(days=45)}, [("no_recent_contact", "medium")]),
            ({"last_contact": TODAY - timedelta(days=90)}, [("no_recent_contact", "high")]),
            ({"last_contact": None}, []),
            ({"renewal": TODAY + timedelta(days=30), "score": 59}, [("renewal_approaching", "high")]),
            ({"renewal": TODAY + timedelta(days=90), "score": None}, [("renewal_approaching", "medium")]),
            ({"renewal": TODAY + timedelta(days=90), "score": 60}, []),
            ({"renewal": TODAY + timedelta(days=91), "score": 10}, []),
            ({"renewal": TODAY - timedelta(days=1), "score": 10}, []),
            ({"components": {"usage": 59, "support": 39, "outcome": 60, "contract": None}},
             [("support_low", "high"), ("usage_low", "medium")]),
        ],
    )  # fmt: skip
    def test_begin_at_their_thresholds(self, fields: dict[str, Any], factors: list[tuple[str, str]]) -> None:
        assert found(**fields) == factors

    def test_show_the_six_with_the_highest_impact(self) -> None:
        components = {f"part{number}": 50 for number in range(9)}
        factors = found(components=components, payment_status="overdue")
        assert len(factors) == 6
        assert factors[0] == ("payment_issue", "high")
