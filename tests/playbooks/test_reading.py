"""The results that pages and the API show."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether.playbooks.choices import InterventionState, PlaybookState, StepKind
from bellwether.playbooks.models import Enrolment, Intervention
from bellwether.playbooks.reading import result_of, results, summary
from bellwether.portfolio.models import Activity, Client
from tests.conftest import NOW, Clients, Staff
from tests.playbooks.cast import enrol, enrol_many, playbook, version


def everybody(clients: Clients) -> list[Client]:
    return list(vars(clients).values())


def test_a_playbook_with_both_arms(clients: Clients, staff: Staff) -> None:
    made = playbook()
    enrol_many(made, everybody(clients), treated=(60, 80), held_out=(20, 60))
    enrol(made, clients.sturdy, NOW - timedelta(days=3))
    enrol(made, clients.sturdy, NOW, episode="hand", enrolled_by=staff.ada)

    found = result_of(made, staff.ada)

    assert (found.outcome, found.figures.by_hand, found.figures.treated.waiting) == ("Logs in within 14 days", 1, 1)
    assert (found.figures.treated.reached, found.figures.treated.known) == (60, 80)
    assert (found.figures.held_out.reached, found.figures.held_out.known) == (20, 60)
    assert found.figures.uplift is not None
    assert found.figures.uplift.value == pytest.approx(0.75 - 1 / 3)
    assert found.saved is None
    assert "leaving or renewing" in found.saved_reason


def test_versions_that_measure_something_else_do_not_count(clients: Clients, staff: Staff) -> None:
    """The first version asks for logins in 14 days, the second in 30; the third is the second with another text."""
    made = playbook()
    enrol_many(made, everybody(clients), treated=(40, 40), held_out=(0, 40))
    version(made, outcome={"kind": "login", "days": 30})
    enrol_many(made, everybody(clients), treated=(10, 25), held_out=(10, 25))
    version(
        made,
        outcome={"kind": "login", "days": 30},
        steps=[{"key": "write", "kind": "task", "title": "Write"}],
    )
    enrol_many(made, everybody(clients), treated=(5, 30), held_out=(5, 30))

    found = result_of(made, staff.vera)

    assert [(one.version.number, one.counts) for one in found.versions] == [(3, True), (2, True), (1, False)]
    assert (found.figures.treated.reached, found.figures.treated.known) == (15, 55)
    assert [one.figures.treated.reached for one in found.versions] == [5, 10, 40]


def test_the_list_is_ranked_and_summed(clients: Clients, staff: Staff) -> None:
    """40 points more stay; of the treated windows of the five clients only those count that do not overlap."""
    keeps = playbook("keeps", outcome={"kind": "churn", "days": 90}, minutes_per_client=60)
    enrol_many(keeps, everybody(clients), treated=(0, 100), held_out=(40, 100))
    enrol_many(playbook("quiet"), everybody(clients), treated=(50, 60), held_out=(10, 60))
    playbook("fresh", state=PlaybookState.DRAFT)
    playbook("gone", state=PlaybookState.ARCHIVED)

    found = {one.playbook.key: one for one in results(staff.vera)}
    whole = summary(list(found.values()))

    assert {key: one.rank for key, one in found.items()} == {"keeps": 1, "quiet": 2, "fresh": None}
    assert {key: one.figures.evidence.word for key, one in found.items()} == {
        "keeps": "works",
        "quiet": "works",
        "fresh": "not_started",
    }
    exposed = found["keeps"].figures.exposure
    assert exposed is not None
    assert exposed.arr == 5 * 2 * 1000, "99 days hold two windows of 90 days for each of five clients"
    assert found["keeps"].saved is not None
    assert found["keeps"].saved.value == pytest.approx(0.4 * exposed.arr)
    assert whole.saved == found["keeps"].saved
    assert (whole.running, whole.playbooks, whole.runs, whole.words["works"]) == (2, 3, 320, 2)
    assert "gone" in {one.playbook.key for one in results(staff.vera, archived=True)}


def test_roles_that_see_some_clients_get_no_outcomes_of_few(clients: Clients, staff: Staff) -> None:
    made = playbook()
    enrol_many(made, [clients.sturdy, clients.elsewhere], treated=(20, 30), held_out=(3, 30))

    assert result_of(made, staff.vera).figures.treated.reached == 20
    assert result_of(made, staff.cleo).figures.treated.reached is None
    assert result_of(made, staff.cleo).figures.uplift is None


def test_logged_time_is_taken_where_enough_was_logged(clients: Clients, staff: Staff) -> None:
    made = playbook()
    enrol_many(made, everybody(clients), treated=(10, 20), held_out=(10, 20))
    for place, row in enumerate(Enrolment.objects.filter(arm="TREATED")):
        values: dict[str, Any] = {"client": row.client, "activity_type": "CALL", "subject": "Call"}
        call = Activity.objects.create(**values, occurred_at=NOW, completed_at=NOW, duration_minutes=12)
        Intervention.objects.create(
            key=str(place),
            client=row.client,
            enrolment=row,
            kind=StepKind.CALL,
            title="Call",
            state=InterventionState.DONE,
            activity=call,
            created_at=NOW,
            updated_at=NOW,
        )

    found = result_of(made, staff.vera)

    assert (found.minutes, found.minutes_logged) == (12, True)
    assert found.value.hours == pytest.approx(20 * 12 / 60)


def test_the_number_of_queries_is_fixed(clients: Clients, staff: Staff, django_assert_num_queries: Any) -> None:
    for number in range(3):
        enrol_many(playbook(f"p{number}"), everybody(clients), treated=(3, 30), held_out=(2, 30))

    with django_assert_num_queries(4):
        results(staff.vera)
