"""Playbooks and enrolments for tests of what they bring."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from bellwether.playbooks.choices import EnrolmentState, PlaybookState
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Enrolment, Playbook, PlaybookVersion
from bellwether.portfolio.models import Client
from tests.conftest import NOW


def definition(**fields: Any) -> dict[str, Any]:
    """Return a definition as data: by hand, a call, logins in 14 days, half held out."""
    data = {
        "trigger": {"kind": "hand"},
        "steps": [{"key": "call", "kind": "call", "title": "Call"}],
        "outcome": {"kind": "login", "days": 14},
        "hold_out": 50,
        "minutes_per_client": 30,
    }
    return definition_from_data(data | fields).as_data()


def playbook(key: str = "quiet", *, state: PlaybookState = PlaybookState.RUNNING, **fields: Any) -> Playbook:
    """Return a playbook with one version."""
    made = Playbook.objects.create(key=key, name=key.capitalize(), state=state, created_at=NOW, updated_at=NOW)
    return version(made, **fields)


def version(made: Playbook, **fields: Any) -> Playbook:
    """Put another version in force and return the playbook."""
    data = definition(**fields)
    made.version = PlaybookVersion.objects.create(
        playbook=made,
        number=made.versions.count() + 1,
        definition=data,
        digest=definition_from_data(data).digest,
        created_at=NOW,
    )
    made.save()
    return made


def enrol(
    made: Playbook, client: Client, at: datetime, *, arm: str = "TREATED", episode: str = "", **fields: Any
) -> Enrolment:
    """Return an enrolment in the version in force."""
    days = made.version.definition["outcome"]["days"] if made.version else 0
    values = {
        "state": EnrolmentState.COMPLETED,
        "baseline": {"arr": 1000.0},
        "outcome_due_on": at.date() + timedelta(days=days + 1),
    }
    row: Enrolment = Enrolment.objects.create(
        playbook=made,
        version=made.version,
        client=client,
        arm=arm,
        episode=episode or f"day:{at}:{arm}",
        enrolled_at=at,
        **(values | fields),
    )
    return row


def enrol_many(
    made: Playbook, clients: Iterable[Client], *, treated: tuple[int, int], held_out: tuple[int, int]
) -> None:
    """Enrol (reached, number) of each arm with known outcomes, over the clients in turn."""
    listed, rows = list(clients), []
    for arm, (reached, number) in (("TREATED", treated), ("HELD_OUT", held_out)):
        for place in range(number):
            at = NOW - timedelta(days=200 - place % 100)
            rows.append(
                Enrolment(
                    playbook=made,
                    version=made.version,
                    client=listed[place % len(listed)],
                    arm=arm,
                    episode=f"{arm}:{place}",
                    state=EnrolmentState.COMPLETED,
                    enrolled_at=at,
                    baseline={"arr": 1000.0},
                    outcome_due_on=at.date() + timedelta(days=15),
                    outcome_value=float(place < reached),
                    outcome_known_at=NOW,
                )
            )
    Enrolment.objects.bulk_create(rows)
