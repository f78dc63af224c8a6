"""kill -9 in the middle of a step: what was begun is taken back whole, and nothing is sent twice."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.homes import environment_of, make_migrated

pytestmark = [pytest.mark.slow, pytest.mark.one_database]

SCRIPT = """
import django, json, os, sys
django.setup()
from datetime import UTC, datetime
from bellwether.delivery.models import Message
from bellwether.playbooks import services, stepping
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import Enrolment, Intervention
from bellwether.playbooks.running import run
from bellwether.portfolio.models import Activity, Client, Contact

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)

def dying(name, nth):
    original, calls = getattr(stepping, name), [0]
    def call(*arguments, **named):
        result = original(*arguments, **named)
        calls[0] += 1
        if calls[0] == nth:
            os.kill(os.getpid(), 9)
        return result
    setattr(stepping, name, call)

if sys.argv[1] == "seed":
    owner = services.StaffUser.objects.create_user("v@x.example", "x", first_name="Vera", role="VP_CLIENT_SUCCESS")
    steps = [{"key": "mail", "kind": "email", "title": "Hello {{ client.name }}", "text": "Hello"},
             {"key": "call", "kind": "call", "title": "Call"}]
    made = services.create(name="Kill", actor=owner, now=NOW, definition=definition_from_data(
        {"trigger": {"kind": "hand"}, "steps": steps, "outcome": {"kind": "login", "days": 14}, "hold_out": 0}))
    services.start(made, actor=owner, now=NOW)
    clients = [Client.objects.create(name=f"C{n}", organization_id=f"c{n}", csm_user=owner) for n in range(3)]
    for one in clients:
        Contact.objects.create(client=one, name="P Q", email=f"p@{one.organization_id}.example", is_primary=True)
    services.enrol_by_hand(made, clients, actor=owner, now=NOW)
for death in sys.argv[2:]:
    name, _, nth = death.partition(":")
    dying(name, int(nth))
run(NOW)
run(NOW)
print(json.dumps({
    "messages": sorted(Message.objects.filter(contact__isnull=False).values_list("client__name", flat=True)),
    "activities": sorted(Activity.objects.values_list("client__name", flat=True)),
    "interventions": sorted("%s %s %s" % row for row in
                            Intervention.objects.values_list("client__name", "step", "state")),
    "enrolments": sorted(Enrolment.objects.values_list("state", flat=True)),
}))
"""


def _run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], env=environment_of(home), capture_output=True, text=True, check=False
    )


def test_killed_in_the_middle_of_steps_nothing_happens_twice(tmp_path: Path) -> None:
    make_migrated(tmp_path)
    for words in (("seed", "hand_over:1"), ("go", "plan_activity:2")):
        died = _run(tmp_path, *words)
        assert died.returncode == -signal.SIGKILL, died.stderr
    done = _run(tmp_path, "go")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found == {
        "messages": ["C0", "C1", "C2"],
        "activities": ["C0", "C1", "C2"],
        "interventions": [f"C{n} {step}" for n in range(3) for step in ("call DUE", "mail SCHEDULED")],
        "enrolments": ["COMPLETED"] * 3,
    }
