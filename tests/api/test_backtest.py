"""Back-tests through the API: who may start one, and what one is shown."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bellwether.common.jobs import run_job
from bellwether.common.models import JobRun
from bellwether.health.configs import ensure_default_config
from bellwether.health.models import HealthScoreConfig
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from bellwether.usage.lake import Lake
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, Staff
from tests.health.backtest_world import make_world

pytestmark = pytest.mark.django_db(databases="__all__")
BODY = {"step_days": 7, "horizons": [30], "against": ["last-login"], "as_known": False}


@pytest.fixture
def world(lake: Lake, staff: Staff, settings: Any) -> list[Client]:
    settings.BELLWETHER_SCORECARD = "usage-only"
    return make_world(lake, staff)


@pytest.fixture
def config(world: list[Client]) -> HealthScoreConfig:
    return ensure_default_config("usage-only", now=NOW)


def post(caller: Caller, config: HealthScoreConfig, body: Any, **headers: str) -> Any:
    return caller.browser.post(
        f"{BASE}/config/health-score/{config.pk}/backtest", json.dumps(body), "application/json",
        headers={"Authorization": f"Bearer {caller.secret}", **headers},
    )  # fmt: skip


def get(caller: Caller, config: HealthScoreConfig, **query: str) -> Any:
    return caller.get(f"/config/health-score/{config.pk}/backtest", query)


class TestBacktest:
    def test_is_started_made_and_read(
        self, config: HealthScoreConfig, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        vera = caller_of(staff.vera)
        assert get(vera, config).json()["state"] == "none"
        started = post(vera, config, BODY)
        assert started.status_code == 202
        assert started.json()["state"] == "queued"
        assert post(vera, config, BODY).json()["id"] == started.json()["id"]
        run_job("backtest", now=NOW, run=JobRun.objects.get(pk=started.json()["job_id"]))
        found = get(vera, config).json()
        assert found["state"] == "done"
        assert found["parameters"]["horizons"] == [30]
        tested = found["result"]["horizons"][0]["tested"]
        assert tested["losses"]["flagged"] == 12
        assert tested["arr"]["lost"] == 16000
        assert vera.browser.get(started["Location"], headers={"Authorization": f"Bearer {vera.secret}"}).json() == found
        actions = set(AuditEvent.objects.values_list("action", flat=True))
        assert {"backtest.run", "backtest.read"} <= actions

    def test_who_sees_some_clients_may_read_it_without_arr_but_not_start_it(
        self, config: HealthScoreConfig, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        started = post(caller_of(staff.vera), config, BODY).json()
        run_job("backtest", now=NOW, run=JobRun.objects.get(pk=started["job_id"]))
        for user in (staff.ada, staff.ben, staff.ed):
            assert post(caller_of(user), config, BODY).status_code == 403
        shown = get(caller_of(staff.ada), config).json()["result"]["horizons"][0]
        assert shown["tested"]["arr"] == {}
        assert [one["arr"] for one in shown["against"]] == [{}]
        assert shown["tested"]["auc"]["value"] > 0.8

    def test_a_draft_can_be_tested(
        self, config: HealthScoreConfig, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        draft = json.loads(json.dumps(config.definition))
        for component, weight in zip(draft["components"], (20, 10, 70), strict=True):
            component["weight"] = weight
        vera = caller_of(staff.vera)
        started = post(vera, config, BODY | {"definition": draft}).json()
        assert started["digest"] != config.digest
        run_job("backtest", now=NOW, run=JobRun.objects.get(pk=started["job_id"]))
        found = get(vera, config, run=started["id"]).json()["result"]
        assert found["scorecard"]["version"] is None
        assert found["horizons"][0]["in_use"]["key"] == "in-use"
        assert get(vera, config).json()["state"] == "none"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"horizons": [0]}, "horizons"),
            ({"against": ["gut"]}, "against"),
            ({"first": "2027-01-01"}, "first"),
            ({"definition": {"name": "other"}}, "definition.name"),
            ({"definition": {"name": "usage-only"}}, "components"),
            ({"surprise": 1}, "surprise"),
        ],
        ids=["horizons", "against", "first", "name", "empty", "extra"],
    )
    def test_bad_input_names_its_field(
        self,
        change: dict[str, Any],
        field: str,
        config: HealthScoreConfig,
        staff: Staff,
        caller_of: Callable[..., Caller],
    ) -> None:
        answer = post(caller_of(staff.vera), config, BODY | change)
        assert answer.status_code == 422
        assert field in json.dumps(answer.json()["errors"])

    def test_what_is_not_there_answers_404(
        self, config: HealthScoreConfig, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        vera, nowhere = caller_of(staff.vera), "00000000-0000-0000-0000-000000000000"
        assert get(vera, config, run=nowhere).status_code == 404
        assert vera.get(f"/config/health-score/{nowhere}/backtest").status_code == 404
