"""The factors of a prediction in words: multipliers, impact, the client's own numbers, and nothing that is unknown."""

import math

import pytest

from bellwether.churn import words
from bellwether.churn.factors import FACTORS, FEATURES, SLUGS
from bellwether.churn.sentences import SENTENCES, Facts, facts_of, sentence, value_text
from bellwether.churn.words import Impact

pytestmark = pytest.mark.one_database

COUNTS = Facts(
    tickets=9, usual_tickets=3, people=25, seats=60, modules=5, features_used=12, features_licensed=30
)  # fmt: skip
NO_NUMBER: dict[str, float | None] = dict.fromkeys(SLUGS)


@pytest.mark.parametrize(
    ("slug", "value", "said"),
    [
        ("usage_change_month", 0.6, "Daily users down 40% on their 90-day average"),
        ("usage_change_month", 1.25, "Daily users up 25% on their 90-day average"),
        ("usage_change_month", 1.0, "Daily users level with their 90-day average"),
        ("usage_change_month", 0.0, "Nobody used it in 30 days"),
        ("usage_change_week", 0.0, "Nobody used it in 7 days"),
        ("usage_change_week", 0.8, "Daily users down 20% on their 30-day average"),
        ("seat_use", 25 / 60, "25 of 60 seats in use"),
        ("seat_use", 0.9, "90% of the seats in use"),
        ("stickiness", 0.23, "23% of the month's users on an average day"),
        ("daily_users", 12.4, "12.4 people on an average day"),
        ("daily_users", 0, "Nobody used it in 30 days"),
        ("days_since_use", 21, "Not used for 21 days"),
        ("days_since_use", 0, "Last used up to the last day"),
        ("days_since_login", 9, "No login for 9 days"),
        ("champion_quiet_days", 21, "Champion not seen for 21 days"),
        ("champion_quiet_days", 3, "Champion seen 3 days ago"),
        ("key_contacts_left", 1, "1 key contact left in 180 days"),
        ("key_contacts_left", 0, "No key contact left in 180 days"),
        ("lead_user_quiet_days", 1, "Leading user seen 1 day ago"),
        ("people_lost_share", 0.35, "35% of the people stopped in 30 days"),
        ("lead_user_share", 0.6, "60% of the work done by one person"),
        ("feature_breadth", 0.4, "2 of 5 licensed modules in use"),
        ("feature_share_used", 0.4, "12 of 30 licensed features in use"),
        ("ticket_ratio", 2.5, "9 tickets in 30 days, 3 are usual"),
        ("ticket_ratio", 0.4, "Fewer tickets in 30 days than usual"),
        ("open_tickets", 1, "1 open ticket"),
        ("open_tickets", 0, "No open ticket"),
        ("csat_90d", 72, "CSAT 72% in 90 days"),
        ("nps_latest", 6, "NPS 6"),
        ("days_since_contact", 45, "No contact for 45 days"),
        ("days_since_contact", 2, "Last contact 2 days ago"),
        ("stakeholder_coverage", 0, "No key contact met in 90 days"),
        ("stakeholder_coverage", 0.25, "25% of the key contacts met in 90 days"),
        ("days_to_renewal", 49, "The term ends in 49 days"),
        ("days_to_renewal", -3, "The term ended 3 days ago"),
        ("payment_late", 2, "Payment overdue"),
        ("payment_late", 0, "Paid on time"),
        ("renewal_signal", 60, "Renewal opportunity at 60%"),
        ("licensed_users", 60, "60 licensed users"),
        ("tenure_days", 1100, "A client for 3 years"),
        ("tenure_days", 20, "A client for 20 days"),
    ],
)
def test_says_a_value_in_the_clients_own_numbers(slug: str, value: float, said: str) -> None:
    assert sentence(slug, value, COUNTS) == said


def test_every_feature_has_words_in_both_directions_and_none_without_a_value() -> None:
    assert set(SENTENCES) == set(SLUGS)
    for feature in FEATURES:
        assert sentence(feature.slug, None) == ""
        assert sentence(feature.slug, math.nan) == ""
        assert sentence(feature.slug, 0.0)
        assert sentence(feature.slug, 3.0)
        assert value_text(feature.slug, None) == "Not known"


def test_says_no_count_that_does_not_give_the_ratio_that_the_model_saw() -> None:
    assert sentence("seat_use", 0.8, COUNTS) == "80% of the seats in use"
    assert sentence("ticket_ratio", 4.0, COUNTS) == "More tickets in 30 days than usual"
    assert sentence("feature_share_used", 0.7, COUNTS) == "70% of the licensed features in use"


def test_reads_the_counts_from_the_measures_of_the_day() -> None:
    found = facts_of({"tickets_30d": 9, "tickets_norm": 3.0, "mau": None, "tier": "ENTERPRISE"}, modules=5)
    assert (found.tickets, found.usual_tickets, found.people, found.modules) == (9, 3, None, 5)


@pytest.mark.parametrize(
    ("times", "text"),
    [(12.4, "× 12"), (2.4, "× 2.4"), (1.8, "× 1.8"), (1.35, "× 1.35"), (1.2, "× 1.2"), (1.0, "× 1"), (0.82, "× 0.82"),
     (0.045, "× 0.045"), (1e-5, "under × 0.001")],
    ids=["12", "2.4", "1.8", "1.35", "1.2", "1", "0.82", "0.045", "tiny"],
)  # fmt: skip
def test_writes_a_multiplier(times: float, text: str) -> None:
    assert words.multiplier_text(math.log(times)) == text


@pytest.mark.parametrize(
    ("times", "impact"),
    [(2.4, Impact.HIGH), (1 / 2.4, Impact.HIGH), (1.3, Impact.MEDIUM), (1 / 1.3, Impact.MEDIUM), (1.1, Impact.LOW)],
    ids=["up-high", "down-high", "up-medium", "down-medium", "low"],
)
def test_the_impact_is_the_size_of_the_multiplier_either_way(times: float, impact: Impact) -> None:
    assert words.impact_of(math.log(times)) is impact


def test_groups_the_parts_by_factor_and_loses_none() -> None:
    inputs = NO_NUMBER | {"usage_change_month": 0.6, "usage_change_week": 0.8, "days_to_renewal": 200}
    parts = {"usage_change_month": 0.6, "usage_change_week": 0.2, "days_to_renewal": -0.2, "retired_feature": 0.05}
    lines = words.factor_lines(inputs, parts)
    assert [line.heading for line in lines] == ["Usage decline", "Other features", "Renewal far off"]
    assert lines[0].multiplier == pytest.approx(math.exp(0.8))
    assert lines[0].sentence == "Daily users down 40% on their 90-day average"
    assert [one.slug for one in lines[0].features] == ["usage_change_month", "usage_change_week"]
    assert lines[2].sentence == "The term ends in 200 days"
    assert words.joint(lines) == pytest.approx(0.65)


def test_tells_of_the_feature_that_moves_the_factors_way() -> None:
    inputs = NO_NUMBER | {"usage_change_month": 1.3, "usage_change_week": 0.5}
    parts = {"usage_change_month": -0.5, "usage_change_week": 0.4}
    (line,) = words.factor_lines(inputs, parts)
    assert (line.heading, line.sentence) == ("Usage holds up", "Daily users up 30% on their 90-day average")


def test_says_that_nothing_is_known_and_invents_no_number() -> None:
    (line,) = words.factor_lines(NO_NUMBER, {"champion_quiet_days": 0.4, "key_contacts_left": 0.0})
    assert (line.heading, line.sentence, line.known) == ("Champion inactive", words.UNKNOWN, False)
    assert not any(letter.isdigit() for letter in line.sentence)


def test_the_reason_for_lists_is_that_of_the_largest_rise() -> None:
    inputs = NO_NUMBER | {"champion_quiet_days": 21, "usage_change_month": 0.9}
    parts = {"champion_quiet_days": 0.5, "usage_change_month": 0.1, "tenure_days": -2.0}
    assert words.churn_reason(inputs, parts) == "Champion not seen for 21 days"
    assert words.churn_reason(NO_NUMBER, parts) == "Champion inactive"
    assert words.churn_reason(inputs, {"tenure_days": -2.0, "usage_change_month": 0.01}) == words.NOTHING_STANDS_OUT
    assert words.churn_reason({}, {}) == words.NOTHING_STANDS_OUT


def test_every_factor_has_a_heading_for_either_way() -> None:
    assert all(factor.risk and factor.relief for factor in FACTORS)
    assert set(words.NEUTRAL) == {factor.slug for factor in FACTORS}


@pytest.mark.parametrize(
    ("days", "part", "heading"),
    [(90, 0.2, "Young client"), (90, -0.2, "Time as a client"), (1500, -0.2, "Long-standing client"),
     (1500, 0.2, "Time as a client"), (None, 0.2, "Time as a client")],
    ids=["young", "young but safer", "old", "old but riskier", "unknown"],
)  # fmt: skip
def test_calls_a_client_young_only_if_it_is(days: float | None, part: float, heading: str) -> None:
    (line,) = words.factor_lines({"tenure_days": days}, {"tenure_days": part})
    assert line.heading == heading
