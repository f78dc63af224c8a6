"""Outcomes are measured once the window is over, kept, and changed by late data only."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.playbooks.choices import EnrolmentState
from bellwether.playbooks.definition import Outcome
from bellwether.playbooks.models import Enrolment, Playbook
from bellwether.playbooks.outcomes import Measured, measure_outcomes, outcome_due_on
from bellwether.portfolio.models import Client, ClientOutcome, Contact, ContractPeriod
from bellwether.usage.facts import CLIENT_DAYS, STORED_USER_DAYS, store_month
from bellwether.usage.kept import FACTS, keep_from
from bellwether.usage.lake import Lake
from bellwether.usage.models import PlatformUser
from tests.conftest import NOW, Clients
from tests.playbooks.cast import enrol, playbook

ENROLLED = NOW - timedelta(days=15)


def seen(client: Client) -> None:
    PlatformUser.objects.create(
        organization_id=client.organization_id, user_key="k", first_seen_at=NOW, last_seen_at=NOW
    )


def store_days(lake: Lake, kind: str, rows: list[dict[str, Any]]) -> None:
    schema = {"client_days": CLIENT_DAYS, "user_days": STORED_USER_DAYS}[kind]
    whole = pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)
    for (month,), part in (
        whole.with_columns(pl.col("date").dt.strftime("%Y-%m").alias("month"))
        .partition_by("month", as_dict=True, include_key=False)
        .items()
    ):
        store_month(lake, kind, str(month), part)


@pytest.fixture
def quiet(clients: Clients, lake: Lake) -> Playbook:
    """Sturdy was active on 20 June, within the window of an enrolment of 15 June; fading never was."""
    for client in (clients.sturdy, clients.fading):
        seen(client)
    store_days(lake, "client_days", [{"organization_id": "sturdy", "date": date(2026, 6, 20), "dau": 3}])
    return playbook()


def test_the_window_is_over_on_the_day_after_it():
    """Enrolled on 15 June at 23:30 UTC: the days of the workspace count, here those of UTC."""
    at = datetime(2026, 6, 15, 23, 30, tzinfo=UTC)

    assert outcome_due_on(at, Outcome(kind="login", days=14)) == date(2026, 6, 30)


def test_both_arms_are_measured_when_due_and_those_who_left_early_too(quiet: Playbook, clients: Clients) -> None:
    rows = [
        enrol(quiet, clients.sturdy, ENROLLED, state=EnrolmentState.EXITED),
        enrol(quiet, clients.fading, ENROLLED, arm="HELD_OUT"),
        enrol(quiet, clients.sturdy, ENROLLED + timedelta(days=1)),
    ]

    assert measure_outcomes(NOW) == Measured(known=2)

    found = [Enrolment.objects.get(pk=row.pk) for row in rows]
    assert [row.outcome_value for row in found] == [1, 0, None]
    assert [row.outcome_known_at for row in found] == [NOW, NOW, None]
    assert measure_outcomes(NOW + timedelta(hours=1)) == Measured()


def test_late_data_change_an_outcome_for_two_weeks(quiet: Playbook, clients: Clients, lake: Lake) -> None:
    row = enrol(quiet, clients.fading, ENROLLED)
    measure_outcomes(NOW)
    store_days(lake, "client_days", [{"organization_id": "fading", "date": date(2026, 6, 29), "dau": 1}])

    assert measure_outcomes(NOW + timedelta(hours=2)) == Measured(), "once a day"
    assert measure_outcomes(NOW + timedelta(days=1)) == Measured(changed=1)
    row.refresh_from_db()
    assert (row.outcome_value, row.outcome_detail) == (1, "Changed by data that came late")

    store_days(lake, "client_days", [{"organization_id": "sturdy", "date": date(2026, 6, 29), "dau": 1}])
    assert measure_outcomes(NOW + timedelta(days=14)) == Measured(changed=1)
    store_days(lake, "client_days", [{"organization_id": "fading", "date": date(2026, 6, 29), "dau": 1}])
    assert measure_outcomes(NOW + timedelta(days=15)) == Measured(), "after two weeks it stays"


def test_what_the_data_do_not_tell_stays_open_with_its_reason(clients: Clients, lake: Lake) -> None:
    """A renewal that is recorded three weeks after the window."""
    made = playbook(outcome={"kind": "renewed", "days": 14})
    row = enrol(made, clients.sturdy, ENROLLED)

    assert measure_outcomes(NOW) == Measured(unknown=1)
    row.refresh_from_db()
    assert (row.outcome_value, row.outcome_detail) == (None, "No renewal is recorded in the window")

    ClientOutcome.objects.create(client=clients.sturdy, outcome="RENEWED", date=date(2026, 6, 25))
    assert measure_outcomes(NOW + timedelta(days=21)) == Measured(known=1)
    row.refresh_from_db()
    assert (row.outcome_value, row.outcome_detail) == (1, "")


def test_unknown_outcomes_are_looked_for_until_ninety_days_after(clients: Clients, lake: Lake) -> None:
    made = playbook(outcome={"kind": "renewed", "days": 14})
    enrol(made, clients.sturdy, ENROLLED)

    assert measure_outcomes(NOW + timedelta(days=90)) == Measured(unknown=1)
    assert measure_outcomes(NOW + timedelta(days=91)) == Measured()


def test_a_new_term_without_an_outcome_is_a_renewal(clients: Clients, lake: Lake) -> None:
    made = playbook(outcome={"kind": "renewed", "days": 14})
    row = enrol(made, clients.sturdy, ENROLLED)
    for start in (date(2025, 6, 20), date(2026, 6, 20)):
        ContractPeriod.objects.create(client=clients.sturdy, start_date=start)

    measure_outcomes(NOW)

    row.refresh_from_db()
    assert row.outcome_value == 1


def test_a_login_is_that_of_the_person_the_enrolment_is_about(quiet: Playbook, clients: Clients, lake: Lake) -> None:
    """Others of sturdy were active; its champion was not. Without a link, anybody counts."""
    champion = Contact.objects.create(client=clients.sturdy, name="Robin Vale", user_key="champion")
    store_days(lake, "user_days", [{"organization_id": "sturdy", "user_key": "another", "date": date(2026, 6, 20)}])
    subject = {"subject_type": "contact", "subject_id": champion.pk.hex}
    about = enrol(quiet, clients.sturdy, ENROLLED, baseline=subject, episode="x")
    anybody = enrol(quiet, clients.sturdy, ENROLLED, episode="y")

    measure_outcomes(NOW)

    found = [Enrolment.objects.get(pk=row.pk).outcome_value for row in (about, anybody)]
    assert found == [0, 1]


def test_days_that_are_no_longer_kept_are_not_taken_for_days_without_use(
    quiet: Playbook, clients: Clients, lake: Lake
) -> None:
    keep_from(lake, FACTS, date(2026, 6, 18))
    row = enrol(quiet, clients.fading, ENROLLED)

    assert measure_outcomes(NOW) == Measured(unknown=1)
    row.refresh_from_db()
    assert row.outcome_detail == "The days of that time are no longer kept"


@pytest.mark.parametrize(
    "outcome",
    [
        {"kind": "score_change", "days": 14}, {"kind": "churn", "days": 14}, {"kind": "feature_used", "days": 14,
         "feature": "none"}, {"kind": "usage_recovered", "days": 14}, {"kind": "csat", "days": 14},
        {"kind": "nps_improved", "days": 14},
    ],
    ids=lambda one: str(one["kind"]),
)  # fmt: skip
def test_every_kind_goes_without_any_data(clients: Clients, lake: Lake, outcome: dict[str, Any]) -> None:
    enrol(playbook(outcome=outcome), clients.sturdy, ENROLLED)

    found = measure_outcomes(NOW)

    assert found == (Measured(known=1) if outcome["kind"] == "churn" else Measured(unknown=1))


def test_the_number_of_queries_is_fixed(quiet: Playbook, clients: Clients, django_assert_max_num_queries: Any) -> None:
    for number in range(40):
        enrol(quiet, [clients.sturdy, clients.fading][number % 2], ENROLLED, episode=str(number))

    with django_assert_max_num_queries(10):
        assert measure_outcomes(NOW) == Measured(known=40)
