"""What to do about an alert: pure."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from bellwether.alerts.advice import MOST_POINTS, RULES, AlertFacts, Person, Place, Ticket, advise
from bellwether.alerts.choices import AlertType

pytestmark = pytest.mark.one_database
TODAY = date(2026, 2, 12)
MARA = Person("1", "Mara Lindqvist", "CHAMPION", last_login=date(2026, 1, 22))
SAM = Person("2", "Sam Oduya", "EXECUTIVE_SPONSOR")
BILL = Person("3", "Bill Nakata", "BILLING", is_billing=True)


def facts(alert_type: str, **other: Any) -> AlertFacts:
    values: dict[str, Any] = {
        "severity": "HIGH",
        "client": "Cobalt Foundry",
        "today": TODAY,
        "people": (MARA, SAM, BILL),
    }
    return AlertFacts(alert_type=alert_type, **(values | other))


def test_every_type_has_a_rule_and_an_answer_about_an_unknown_client() -> None:
    assert set(RULES) == set(AlertType.values)
    for alert_type in AlertType.values:
        advice = advise(facts(alert_type, people=()))
        assert advice.person is None
        assert advice.action.endswith(".")
        assert advice.mail_text.startswith("Hello,\n")


@pytest.mark.parametrize(
    ("alert_type", "other", "person", "says"),
    [
        pytest.param("HEALTH_DROP", {"drivers": (("Usage", -6.3),)}, MARA, "Usage cost the most: 6.3", id="drop"),
        pytest.param("CRITICAL_HEALTH", {"arr": Decimal(120_000)}, SAM, "$120K a year is at stake.", id="critical"),
        pytest.param("KEY_USER_INACTIVE", {"related": MARA}, MARA, "Last seen 21 days ago.", id="silent"),
        pytest.param(
            "CHAMPION_RISK", {"related": Person("1", "Mara Lindqvist", "CHAMPION", gone=True)}, SAM,
            "Mara Lindqvist has left, and nobody else is known as champion.", id="champion left",
        ),
        pytest.param("NPS_DETRACTOR", {"related": BILL, "comment": " Slow. "}, BILL, "wrote: “Slow.”", id="nps"),
        pytest.param("PAYMENT_ISSUE", {}, BILL, "A lost invoice is put right by asking", id="payment"),
        pytest.param("RENEWAL_APPROACHING", {"auto_renew": False}, SAM, "It does not renew by itself.", id="renewal"),
    ],
)  # fmt: skip
def test_who_and_why(alert_type: str, other: dict[str, Any], person: Person, says: str) -> None:
    advice = advise(facts(alert_type, **other))
    assert advice.person == person
    assert says in advice.reason
    assert advice.mail_text.startswith(f"Hello {person.name.split()[0]},")


@pytest.mark.parametrize(
    ("renewal", "action"),
    [
        pytest.param(date(2026, 5, 13), "Schedule the renewal review with Sam Oduya.", id="90 days"),
        pytest.param(date(2026, 4, 13), "Send Sam Oduya the renewal offer", id="60 days"),
        pytest.param(date(2026, 3, 14), "Get a yes or no on the renewal from Sam Oduya", id="30 days"),
    ],
)
def test_the_renewal_asks_for_more_the_nearer_it_is(renewal: date, action: str) -> None:
    assert advise(facts("RENEWAL_APPROACHING", renewal=renewal)).action.startswith(action)


def test_points_come_from_the_clients_own_records() -> None:
    advice = advise(
        facts(
            "HEALTH_DROP",
            people=(SAM,),
            tickets=(Ticket("t1", "Colours", "low", 40), Ticket("t2", "Export fails", "urgent", 3)),
            renewal=date(2026, 5, 13),
            arr=Decimal(19_500),
            last_contact=date(2026, 1, 1),
            drivers=(("Usage", -6.3), ("Support", -2.6)),
        )
    )
    assert [(point.text, point.place, point.object_id) for point in advice.points] == [
        ("“Export fails” has been open for 3 days.", Place.SUPPORT, "t2"),
        ("The renewal is in 90 days, $19.5K a year.", Place.CONTRACT, ""),
        ("The last contact was 42 days ago.", Place.TIMELINE, ""),
        ("No champion is known: ask who that could be.", Place.PEOPLE, ""),
    ]
    assert len(advice.points) == MOST_POINTS
