"""Signals of growth: each rule at its limit, what is proposed, and who is held back."""

from dataclasses import replace
from typing import Any

import pytest

from bellwether.churn.expansion import Growth, GrowthFacts, Sign, UnlicensedUse, growth_of, trouble

pytestmark = pytest.mark.one_database

PLAIN = GrowthFacts(arr=100_000.0, seats=50, status="MONITOR", category="LOW", score=70)


def grown(**fields: Any) -> Growth:
    found = growth_of(replace(PLAIN, **fields))
    assert found is not None
    return found


def test_seats_count_from_nine_tenths_on() -> None:
    assert growth_of(replace(PLAIN, seat_use=0.88)) is None
    found = grown(seat_use=0.9)
    assert [signal.sign for signal in found.signals] == [Sign.SEATS]
    assert found.signals[0].reason == "45 of 50 seats used in 30 days"
    assert found.propose == "More seats: 5 are left. A seat is $2,000 a year now."


def test_seats_that_fill_up_count_more() -> None:
    steady, rising = grown(seat_use=0.94, seat_use_before=0.93), grown(seat_use=0.94, seat_use_before=0.84)
    assert (steady.signals[0].points, rising.signals[0].points) == (3, 4)
    assert rising.signals[0].reason == "47 of 50 seats used in 30 days, up from 42 four weeks ago"


@pytest.mark.parametrize(("use", "told"), [(0.98, "1 is left"), (1.0, "none is left"), (1.08, "none is left")], ids=str)
def test_what_is_left_of_the_seats(use: float, told: str) -> None:
    assert told in grown(seat_use=use, arr=None).propose


def test_growth_needs_people_and_a_rise_of_fifteen_percent() -> None:
    assert growth_of(replace(PLAIN, daily_users=20.0, daily_change=1.14)) is None
    assert growth_of(replace(PLAIN, daily_users=2.9, daily_change=1.5)) is None
    assert growth_of(replace(PLAIN, daily_users=20.0, daily_change=1.3)) is None  # a weak sign alone
    assert grown(daily_users=20.0, daily_change=1.3, nps=9.0).signals[0].reason == (
        "Daily users up 30% on their 90-day average, to 20"
    )


def test_use_without_a_licence_names_the_most_used_feature() -> None:
    uses = (UnlicensedUse("Portal", 1, 30), UnlicensedUse("Reports", 12, 90))
    found = grown(unlicensed=uses, nps=9.0)
    assert found.signals[0].reason == "Reports used 12 times in 90 days without a licence, and 1 more feature"
    assert found.propose == "A licence for Reports, which the client tries already."


def test_signs_of_trust_list_nobody_but_add_strength() -> None:
    trusted = {"breadth": 0.85, "nps": 9.2, "status": "HEALTHY", "score": 91}
    assert growth_of(replace(PLAIN, **trusted)) is None
    found = grown(**trusted, seat_use=0.95)
    # Seats 3, broad adoption, promoters and health 1 each; all there is are 3 + 1 rising, 2, 2, 2, 1 and 1.
    assert found.strength == pytest.approx(6 / 12)
    assert [signal.sign for signal in found.signals] == [Sign.SEATS, Sign.BREADTH, Sign.PROMOTERS, Sign.HEALTHY]


def test_everything_in_use_is_a_need() -> None:
    found = grown(breadth=1.0, nps=9.0)
    assert [signal.sign for signal in found.signals] == [Sign.WHOLE, Sign.PROMOTERS]
    assert found.propose == "The next module or tier: what is licensed is in use."


def test_all_signals_together_have_full_strength() -> None:
    everything = grown(
        seat_use=0.95, seat_use_before=0.8, daily_users=30.0, daily_change=1.2, breadth=1.0, nps=9.5, status="HEALTHY",
        unlicensed=(UnlicensedUse("Portal", 4, 30),),
    )  # fmt: skip
    assert everything.strength == 1.0


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, ""),
        ({"status": "AT_RISK"}, "Health is at risk or critical."),
        ({"status": "CRITICAL", "category": "HIGH"}, "Health is at risk or critical."),
        ({"category": "MEDIUM"}, "Churn risk is medium."),
        ({"category": "HIGH"}, "Churn risk is high."),
        ({"payment_overdue": True}, "A payment is overdue."),
        ({"status": None, "category": ""}, "Neither health nor churn risk is known."),
        ({"status": None}, ""),
    ],
    ids=["none", "at risk", "critical", "medium", "high", "payment", "unknown", "risk alone known"],
)
def test_who_is_held_back(fields: dict[str, Any], told: str) -> None:
    assert trouble(replace(PLAIN, **fields)) == told
