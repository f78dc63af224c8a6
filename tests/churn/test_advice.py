"""What to do about a churn risk: an action for each factor that raises it."""

import math

import pytest

from bellwether.churn.advice import MOST_ACTIONS, RULES, Do, recommended
from bellwether.churn.factors import FACTORS, FEATURES, SLUGS
from bellwether.churn.words import FactorLine, factor_lines
from bellwether.portfolio.approaching import Person

pytestmark = pytest.mark.one_database

MARA = Person("1", "Mara Lindqvist", "CHAMPION")
SAM = Person("2", "Sam Oduya", "EXECUTIVE_SPONSOR")
TOM = Person("3", "Tom Adeyemi", "ADMIN", is_primary=True)
BILL = Person("4", "Bill Nakata", "BILLING", is_billing=True)
PEOPLE = (TOM, MARA, SAM, BILL)


def _lines(**parts: float) -> list[FactorLine]:
    """Return factor lines of features, each given as what it multiplies the odds by."""
    inputs = dict.fromkeys(SLUGS) | {"usage_change_month": 0.6, "champion_quiet_days": 21.0, "key_contacts_left": 1.0,
        "days_since_contact": 45.0, "nps_latest": 6.0, "feature_breadth": 0.4, "seat_use": 0.3, "days_to_renewal": 49.0,
        "open_tickets": 4.0, "payment_late": 2.0, "renewal_signal": 40.0}  # fmt: skip
    return factor_lines(inputs, {slug: math.log(times) for slug, times in parts.items()})


def test_the_largest_factor_comes_first_with_its_reason_and_person() -> None:
    found = recommended(_lines(champion_quiet_days=1.8, nps_latest=1.3, feature_breadth=1.25), PEOPLE)
    assert [one.slug for one in found] == ["champion", "nps_interview", "training"]
    assert found[0].title == "Call Mara Lindqvist and ask what has changed"
    assert (found[0].reason, found[0].person) == ("Champion not seen for 21 days.", MARA)
    assert found[1].title == "Request an NPS follow-up interview with Mara Lindqvist"
    assert found[2].title == "Offer Tom Adeyemi a training on underutilised features"
    assert found[2].does == (Do.TRAINING, Do.OPEN_ADOPTION)


def test_joins_what_asks_for_the_same() -> None:
    (found,) = recommended(_lines(usage_change_month=2.0, days_since_contact=1.4), PEOPLE)
    assert found.title == "Schedule a call with Tom Adeyemi"
    assert found.factors == ("usage_decline", "contact_gap")
    assert found.reason == "Daily users down 40% on their 90-day average. No contact for 45 days."


def test_a_high_risk_is_escalated_to_the_vp() -> None:
    found = recommended(_lines(champion_quiet_days=2.0, open_tickets=1.5), PEOPLE, category="HIGH")
    assert [one.slug for one in found] == ["champion", "executive_outreach", "support"]
    assert found[1].title == "Escalate to the VP for executive outreach to Sam Oduya"
    assert found[1].reason == "The risk is high. Champion inactive weighs the most."


def test_a_champion_who_left_needs_a_successor() -> None:
    gone = (Person("1", "Mara Lindqvist", "CHAMPION", gone=True), SAM)
    (found,) = recommended(_lines(key_contacts_left=1.6), gone)
    assert found.title == "Ask Sam Oduya who takes over as champion"


def test_the_contract_by_what_is_wrong_with_it() -> None:
    (payment,) = recommended(_lines(payment_late=1.5), PEOPLE)
    assert payment.title == "Settle the contract with Bill Nakata"
    (opportunity,) = recommended(_lines(renewal_signal=1.5), PEOPLE, account_executive="Ed Voss")
    assert opportunity.title == "Go through the renewal opportunity with Ed Voss"


def test_small_factors_wait_behind_larger_ones_and_reliefs_ask_for_nothing() -> None:
    assert recommended(_lines(champion_quiet_days=0.5), PEOPLE) == []
    assert recommended(_lines(champion_quiet_days=1.01), PEOPLE) == []
    assert [one.slug for one in recommended(_lines(nps_latest=1.1, seat_use=1.05), PEOPLE)] == ["nps_interview"]
    assert [one.slug for one in recommended(_lines(nps_latest=1.3, seat_use=1.05), PEOPLE)] == ["nps_interview"]


def test_every_factor_but_the_season_has_an_answer_where_nobody_is_known() -> None:
    assert set(RULES) == {factor.slug for factor in FACTORS} - {"season"}
    for feature in FEATURES:
        if feature.factor != "season":
            (found,) = recommended(factor_lines(dict.fromkeys(SLUGS), {feature.slug: 0.5}))
            assert found.person is None
            assert found.title
            assert found.reason.endswith(".")


def test_no_more_than_can_be_done() -> None:
    every = factor_lines(dict.fromkeys(SLUGS), dict.fromkeys(SLUGS, 0.5))
    assert len(recommended(every, PEOPLE, category="HIGH")) == MOST_ACTIONS
