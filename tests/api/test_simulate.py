"""Trying out a scorecard through the API: the same figures as the page, for anybody, over the own clients."""

from typing import Any
from uuid import uuid4

import pytest

from bellwether.dashboard.scorecard_effect import effect_view
from bellwether.dashboard.scorecard_form import read_asked
from bellwether.dashboard.scorecard_state import state_of
from bellwether.health.models import HealthScoreConfig
from bellwether.health.simulation_reading import forget
from bellwether.staff.models import AuditEvent
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, Clients, Staff
from tests.health.test_services import records, usage  # noqa: F401
from tests.health.test_simulations import TILTED, score_today

pytestmark = pytest.mark.django_db
Callers = Any


@pytest.fixture
def config(clients: Clients, usage: Any, records: None) -> HealthScoreConfig:  # noqa: F811
    forget()
    score_today()
    return HealthScoreConfig.objects.get(version=1)


def simulate(caller: Caller, config_id: object, body: Any, query: str = "") -> Any:
    address = f"{BASE}/config/health-score/{config_id}/simulate{query}"
    return caller.browser.post(address, body, "application/json", headers={"Authorization": f"Bearer {caller.secret}"})


def test_gives_the_figures_of_the_page(config: HealthScoreConfig, staff: Staff, caller_of: Callers) -> None:
    answer = simulate(caller_of(staff.vera), config.pk, {"weights": TILTED, "thresholds": {"healthy": 70}})
    assert answer.status_code == 200
    found = answer.json()
    asked = read_asked({"t.healthy": "70"} | {f"w.{key}": str(value) for key, value in TILTED.items()})
    page = effect_view(state_of(staff.vera, asked, now=NOW).effect)  # type: ignore[arg-type]
    names = {band.status or "NA": band.draft for band in page.bands}
    assert found["draft"]["distribution"] == {"HEALTHY": 0, "MONITOR": 0, "AT_RISK": 0, "CRITICAL": 0, "NA": 0} | names
    assert found["worse"] + found["better"] + found["lost"] + found["gained"] == page.moved
    assert found["changed"] == page.changed == found["pagination"]["total"] > 0
    shown = {(row["name"], row["score_now"], row["score_draft"]) for row in found["data"]}
    assert shown == {(row.name, row.now, row.draft) for row in page.rows if row.change and row.change.text != "0"}
    assert AuditEvent.objects.filter(action="config.simulate").count() == 1


def test_anybody_may_over_the_own_clients(config: HealthScoreConfig, staff: Staff, caller_of: Callers) -> None:
    mine = simulate(caller_of(staff.cleo), config.pk, {"weights": TILTED}, "?changed=false").json()
    assert {row["name"] for row in mine["data"]} == {"Elsewhere"}
    assert mine["clients"] == 1
    everybody = simulate(caller_of(staff.vera), config.pk, {}, "?changed=false&limit=2&page=2").json()
    assert (everybody["pagination"]["total"], len(everybody["data"]), everybody["changed"]) == (4, 2, 0)
    assert simulate(caller_of(staff.vera, "read"), config.pk, {}).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"weights": {"usage": 26}}, "weights"),
        ({"weights": {"logins": 10}}, "weights.logins"),
        ({"thresholds": {"healthy": 10}}, "thresholds.healthy"),
        ({"definition": {"title": "x"}}, "definition.components"),
        ({"weight": {}}, "weight"),
        ({"weights": {"usage": "much"}}, "weights.usage"),
    ],
    ids=["sum", "unknown", "order", "no_components", "typo", "no_number"],
)
def test_what_cannot_be_used_is_named(
    config: HealthScoreConfig, staff: Staff, caller_of: Callers, body: dict[str, Any], field: str
) -> None:
    answer = simulate(caller_of(staff.vera), config.pk, body)
    assert answer.status_code == 422
    assert any(field in error["field"] for error in answer.json()["errors"])


def test_a_whole_definition(config: HealthScoreConfig, staff: Staff, caller_of: Callers) -> None:
    definition = dict(config.definition)
    definition["components"] = [definition["components"][0] | {"weight": 100}]
    found = simulate(caller_of(staff.vera), config.pk, {"definition": definition}).json()
    assert found["changed"] > 0
    broken = definition | {"components": [definition["components"][0] | {"formula": {"kind": "scale", "factor": 1}}]}
    assert simulate(caller_of(staff.vera), config.pk, {"definition": broken}).status_code == 422
    unknown = definition | {
        "components": [
            definition["components"][0] | {"weight": 100, "formula": {"kind": "scale", "measure": "mood", "factor": 1}}
        ]
    }
    answer = simulate(caller_of(staff.vera), config.pk, {"definition": unknown})
    assert answer.status_code == 422
    assert "mood" in answer.content.decode()


def test_what_one_may_not_see_does_not_exist(config: HealthScoreConfig, staff: Staff, caller_of: Callers) -> None:
    own = HealthScoreConfig.objects.create(
        scorecard="prd-015", version=2, name="Own", definition=config.definition, digest="x", created_at=NOW,
        applies_to_client=staff.cleo.csm_clients.get(), is_active=False,
    )  # fmt: skip
    assert simulate(caller_of(staff.ada), own.pk, {}).status_code == 404
    assert simulate(caller_of(staff.cleo), own.pk, {}).json()["touched"] == 1
    assert simulate(caller_of(staff.ada), uuid4(), {}).status_code == 404
