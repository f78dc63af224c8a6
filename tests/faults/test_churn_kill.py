"""kill -9 of predicting and training, and two workers at once: nothing is half stored, nothing twice."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.usage.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROGRAM = """
import django, json, os, sys
sys.path.insert(0, sys.argv[2])
django.setup()
from datetime import datetime, timedelta, UTC
import polars as pl
from bellwether.churn import predicting, training
from bellwether.churn.card import Card, Decision
from bellwether.churn.fitting import expert_model, expert_renewal
from bellwether.churn.learning import Learned
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff.models import AuditEvent
from tests.churn.predictions import feature_rows

what, step, nth = json.loads(sys.argv[1])
now = datetime(2026, 6, 30, 12, tzinfo=UTC)

def read(days, **_):
    return pl.concat([feature_rows(list(Client.objects.active().order_by("pk")), day) for day in days])

predicting.read_features = training.read_features = read
better = Decision(True, "better")
training.learn = lambda *_, **__: Learned("hazard", expert_model(), expert_renewal(), Card("ok", ""), better)
training.first_day = lambda lake, today: today - timedelta(days=20)
predicting.AT_ONCE = 4

def dying(module, name):
    original, calls = getattr(module, name), [0]
    def wrapped(*arguments, **named):
        calls[0] += 1
        result = original(*arguments, **named)
        if calls[0] == nth:
            os.kill(os.getpid(), 9)
        return result
    setattr(module, name, wrapped)

if step:
    module, name = step.split(".")
    dying({"predicting": predicting, "training": training}[module], name)
for one in what.split("+"):
    if one == "fill":
        for number in range(18):
            Client.objects.create(organization_id=f"c-{number}", name=f"Client {number}")
        gone = Client.objects.create(organization_id="gone", name="Gone", archived_at=now)
        ClientOutcome.objects.create(client=gone, outcome="CHURNED", date=now.date())  # without one nothing is learned
    elif one == "predict":
        predicting.predict_clients(now=now)
    else:
        training.training(now=now)
print(json.dumps({
    "predictions": ChurnPrediction.objects.count(),
    "clients": Client.objects.filter(churn_predicted_on__isnull=False).count(),
    "versions": list(ChurnModel.objects.order_by("version").values_list("version", "state")),
    "audited": AuditEvent.objects.filter(action="churn_model.train").count(),
}))
"""


def start(workspace: Workspace, what: str, step: str = "", nth: int = 0) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, json.dumps([what, step, nth]), str(ROOT)]
    return subprocess.Popen(command, env=workspace.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    told, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def test_killed_and_begun_twice_everything_is_stored_once(workspace: Workspace) -> None:
    killed = start(workspace, "fill+predict", "predicting.store_columns", 3)
    killed.communicate(timeout=300)
    assert killed.returncode == -9
    quicker, killed = start(workspace, "predict"), start(workspace, "predict+train", "training.put_into_use", 1)
    ended(quicker)
    killed.communicate(timeout=300)
    assert killed.returncode == -9
    found = ended(start(workspace, "train"))
    assert (found["predictions"], found["clients"]) == (18, 18)
    assert found["versions"] == [[1, "RETIRED"], [2, "ACTIVE"]]
    assert found["audited"] == 1
