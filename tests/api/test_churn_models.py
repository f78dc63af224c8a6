"""Versions of the churn model and the scoreboard over the API."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import caches

from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.models import ChurnModel
from bellwether.common.models import JobRun
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import ClientOutcome
from bellwether.staff.models import AuditEvent
from tests.api.conftest import Caller
from tests.churn.cards import small_card
from tests.churn.foretold import foretell, version
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
Callers = Callable[..., Caller]


@pytest.fixture
def models(staff: Staff) -> list[ChurnModel]:
    caches["memory"].clear()
    return [
        version(kind=ModelKind.PRIOR, state=ModelState.RETIRED, churned=0),
        version(card=small_card().as_data()),
    ]


def test_lists_the_versions_with_their_figures(staff: Staff, models: list[ChurnModel], caller_of: Callers) -> None:
    data = caller_of(staff.ed).get("/churn/models").json()["data"]
    assert [(one["version"], one["kind"], one["state"]) for one in data] == [
        (2, "HAZARD", "ACTIVE"),
        (1, "PRIOR", "RETIRED"),
    ]
    assert (data[0]["auc"], data[0]["brier"], data[0]["ece"]) == (0.81, 0.09, 0.021)
    assert data[1]["auc"] is None
    assert AuditEvent.objects.filter(action="churn_model.list").exists()


def test_the_expert_prior_is_listed_where_nothing_was_trained(staff: Staff, caller_of: Callers) -> None:
    data = caller_of(staff.ada).get("/churn/models").json()["data"]
    assert [(one["version"], one["kind"]) for one in data] == [(1, "PRIOR")]


def test_gives_the_card_as_data_and_as_markdown(staff: Staff, models: list[ChurnModel], caller_of: Callers) -> None:
    ada = caller_of(staff.ada)
    path = f"/churn/models/{models[1].pk}"
    body = ada.get(path).json()
    assert body["card"]["candidates"][0]["capacity"]["found"] == 14
    assert len(body["card"]["coefficients"]) == 27
    text = ada.get(f"{path}/card.md")
    assert text.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "# Churn model, version 2" in text.content.decode()
    assert ada.get(f"/churn/models/{uuid4()}").status_code == 404
    assert ada.get(f"/churn/models/{uuid4()}/card.md").status_code == 404


def test_training_is_asked_for_once_by_those_who_may(
    staff: Staff, models: list[ChurnModel], caller_of: Callers
) -> None:
    assert caller_of(staff.ada).post("/churn/models").status_code == 403
    vera = caller_of(staff.vera)
    answer = vera.post("/churn/models")
    assert answer.status_code == 202
    assert vera.post("/churn/models").json()["job_id"] == answer.json()["job_id"]
    run = JobRun.objects.get(name="churn_train")
    assert vera.get(f"/jobs/{run.pk}").json()["state"] == "queued"
    assert answer.headers["Location"].endswith(f"/jobs/{run.pk}")


def test_a_version_is_put_into_use_by_those_who_may(staff: Staff, models: list[ChurnModel], caller_of: Callers) -> None:
    path = f"/churn/models/{models[0].pk}/activate"
    assert caller_of(staff.ada).post(path).status_code == 403
    adam = caller_of(staff.adam)
    assert adam.post(path).json()["state"] == "ACTIVE"
    assert adam.post(path).json()["state"] == "ACTIVE"
    assert AuditEvent.objects.filter(action="churn_model.activate").count() == 1
    assert adam.post(f"/churn/models/{uuid4()}/activate").status_code == 404
    other = ChurnModel(
        version=9, kind=ModelKind.HAZARD, state=ModelState.REJECTED, trained_at=NOW, feature_version="0-old",
        parameters=models[0].parameters,
    )  # fmt: skip
    other.save(force_insert=True)
    refused = adam.post(f"/churn/models/{other.pk}/activate")
    assert refused.status_code == 409
    assert "Train a new version" in refused.json()["detail"]


def test_the_scoreboard_sums_over_all_and_names_what_one_sees(
    staff: Staff, clients: Clients, models: list[ChurnModel], caller_of: Callers
) -> None:
    ChurnModel.objects.filter(pk=models[1].pk).update(activated_at=NOW)
    for one in (clients.sturdy, clients.fading, clients.elsewhere):
        foretell(one, models[1], on=TODAY - timedelta(days=120))
    for one in (clients.fading, clients.elsewhere):
        ClientOutcome.objects.create(
            client=one, outcome=OutcomeKind.CHURNED, date=TODAY - timedelta(days=100), reason="price"
        )
    mine = caller_of(staff.ada).get("/churn/scoreboard").json()
    assert [(one["days"], one["predictions"], one["came"]) for one in mine["horizons"]] == [
        (30, 3, 2),
        (60, 3, 2),
        (90, 3, 2),
    ]
    assert [one["name"] for one in mine["losses"]] == ["Fading"]
    assert sorted(one["name"] for one in caller_of(staff.vera).get("/churn/scoreboard").json()["losses"]) == [
        "Elsewhere",
        "Fading",
    ]
