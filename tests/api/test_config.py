"""Configurations of the health score through the API."""

from typing import Any
from uuid import uuid4

import pytest

from bellwether.health.config_changes import activate, save_config
from bellwether.health.config_scopes import Scope
from bellwether.health.configs import ensure_default_config
from bellwether.health.models import HealthScoreConfig
from bellwether.usage.models import DirtyScore
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, Clients, Staff
from tests.health.test_config_scoring import weighted

pytestmark = pytest.mark.django_db
PATH = f"{BASE}/config/health-score"
Callers = Any


def send(caller: Caller, method: str, path: str, body: Any = None, **headers: str) -> Any:
    given = {"Authorization": f"Bearer {caller.secret}"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    if method == "get":
        return caller.browser.get(PATH + path, body or {}, headers=given)
    return getattr(caller.browser, method)(PATH + path, body, "application/json", headers=given)


@pytest.fixture
def admin(staff: Staff, caller_of: Callers) -> Caller:
    return caller_of(staff.adam, "admin")


@pytest.fixture
def first(db: None) -> HealthScoreConfig:
    return ensure_default_config("prd-015", now=NOW)


def test_lists_the_fields_of_the_seed(first: HealthScoreConfig, admin: Caller) -> None:
    (row,) = send(admin, "get", "").json()["data"]
    weights = [row[f"{key}_weight"] for key in ("usage", "adoption", "support", "relationship", "contract", "outcome")]
    assert weights == [25, 20, 15, 15, 15, 10]
    assert (row["healthy_threshold"], row["monitor_threshold"], row["at_risk_threshold"]) == (80, 60, 40)
    assert (row["version"], row["is_active"], row["is_default"], row["previous_version_id"]) == (1, True, True, None)
    assert send(admin, "get", "", {"scorecard": "nothing"}).status_code == 422


def test_a_put_makes_a_version_and_leaves_the_original(first: HealthScoreConfig, admin: Caller) -> None:
    body = {"usage_weight": 20, "support_weight": 20, "reason": "Support counts more"}
    answer = send(admin, "put", f"/{first.pk}", body)
    assert answer.status_code == 200
    made = answer.json()
    assert (made["version"], made["is_active"], made["is_draft"]) == (2, False, True)
    assert (made["previous_version_id"], made["usage_weight"]) == (str(first.pk), 20)
    assert send(admin, "put", f"/{first.pk}", body).json()["id"] == made["id"]  # again: no third one
    assert send(admin, "put", f"/{first.pk}", {}).json()["id"] == str(first.pk)  # nothing differs
    first.refresh_from_db()
    assert first.definition["components"][0]["weight"] == 25
    difference = send(admin, "get", f"/{made['id']}/difference").json()
    assert difference["differences"] == ["Support +5, Usage −5"]
    backwards = send(admin, "get", f"/{first.pk}/difference", {"against": made["id"]}).json()
    assert backwards["differences"] == ["Usage +5, Support −5"]


def test_activate_and_roll_back(first: HealthScoreConfig, admin: Caller) -> None:
    made = send(admin, "put", f"/{first.pk}", {"usage_weight": 20, "support_weight": 20}).json()
    assert send(admin, "post", f"/{made['id']}/activate", {"reason": ""}).status_code == 422
    active = send(admin, "post", f"/{made['id']}/activate", {"reason": "Agreed"}).json()
    assert active["is_active"]
    assert DirtyScore.objects.count() == 1
    assert send(admin, "post", f"/{first.pk}/rollback", {"reason": "No"}).status_code == 409
    back = send(admin, "post", f"/{made['id']}/rollback", {"reason": "Wrong"}).json()
    assert (back["id"], back["is_active"]) == (str(first.pk), True)
    assert send(admin, "post", f"/{first.pk}/give-up", {"reason": "None"}).status_code == 409


def test_a_post_with_a_key_makes_one(first: HealthScoreConfig, admin: Caller) -> None:
    body = {"applies_to_tier": "ENTERPRISE", "name": "Enterprise", "definition": weighted(usage=60, support=40)}
    answers = [send(admin, "post", "", body, Idempotency_Key="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert HealthScoreConfig.objects.count() == 2
    assert send(admin, "get", answers[0].headers["Location"].removeprefix(PATH)).json()["scope"] == "Tier Enterprise"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"usage_weight": 24.9}, "weights"),
        ({"usage_weight": 101}, "usage_weight"),
        ({"healthy_threshold": 50}, "healthy_threshold"),
        ({"applies_to_tier": "GOLD"}, "applies_to_tier"),
        ({"applies_to_tier": "CUSTOM", "applies_to_segment": "x"}, "scope"),
        ({"definition": {"components": 1}}, "components"),
        ({"definition": {}, "usage_weight": 20}, "definition"),
        ({"weight": 1}, "weight"),
    ],
    ids=["sum", "range", "order", "tier", "two scopes", "shape", "both", "unknown field"],
)
def test_what_cannot_be_used_is_named(first: HealthScoreConfig, admin: Caller, body: Any, field: str) -> None:
    answer = send(admin, "post", "", body)
    assert answer.status_code == 422, answer.content
    named = {entry["field"] for entry in answer.json()["errors"]}
    assert field in named or any(field.removesuffix("_threshold") in name for name in named), named
    assert HealthScoreConfig.objects.count() == 1


def test_others_read_but_do_not_write(
    first: HealthScoreConfig, clients: Clients, staff: Staff, caller_of: Callers
) -> None:
    for caller in (caller_of(staff.ada, "admin"), caller_of(staff.adam, "write")):
        assert send(caller, "post", "", {}).status_code == 403
        assert send(caller, "put", f"/{first.pk}", {}).status_code == 403
        for action in ("activate", "rollback", "give-up"):
            assert send(caller, "post", f"/{first.pk}/{action}", {"reason": "why"}).status_code == 403
    ada, cleo = caller_of(staff.ada), caller_of(staff.cleo)
    own = save_config("prd-015", weighted(usage=100), scope=Scope(client_id=clients.sturdy.pk), by=None, now=NOW)
    activate(own, reason="Theirs", by=None, now=NOW)
    assert [len(send(caller, "get", "").json()["data"]) for caller in (ada, cleo)] == [2, 1]
    assert [send(caller, "get", f"/{own.pk}").status_code for caller in (ada, cleo)] == [200, 404]
    assert send(cleo, "get", f"/{own.pk}/difference", {"against": str(first.pk)}).status_code == 404
    assert send(ada, "get", f"/{uuid4()}").status_code == 404
