"""The churn risk of one client: what is told, what sums, what a band hides, and the what-if."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bellwether.churn.choices import ModelKind
from bellwether.churn.models import ChurnModel
from bellwether.portfolio.models import Contact
from bellwether.staff.models import AuditEvent
from tests.api.conftest import BASE, Caller, add_score
from tests.churn.foretold import MONTH_AGO, foretell, version
from tests.conftest import TODAY, Clients, Staff

Callers = Callable[..., Caller]


@pytest.fixture
def model(db: None) -> ChurnModel:
    return version(scale=1.2)


def path_of(client: Any, rest: str = "") -> str:
    return f"/clients/{client.pk}/churn-risk{rest}"


def send(caller: Caller, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}"}
    return caller.browser.post(BASE + path, body, "application/json", headers=headers)


def test_tells_the_probabilities_and_parts_that_sum_to_the_log_odds(
    staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers
) -> None:
    stored = foretell(clients.sturdy, model)
    body = caller_of(staff.ada).get(path_of(clients.sturdy)).json()
    assert body["within_90_days"] == {"probability": stored.p90, "low": stored.p90_low, "high": stored.p90_high}
    assert body["within_30_days"]["probability"] < body["within_60_days"]["probability"]
    assert (body["category"], body["precision"], body["as_of"]) == (stored.category, "FIGURE", "2026-06-30")
    assert body["renewal"]["probability"] == stored.renewal_risk
    assert body["renewal_on"] == "2026-08-18"
    p90 = stored.p90
    assert body["log_odds"] == pytest.approx(math.log(p90 / (1 - p90)), abs=1e-4)
    total = body["reference"]["log_odds"] + sum(factor["log_odds"] for factor in body["factors"])
    assert total == pytest.approx(body["log_odds"], abs=1e-4)
    assert body["reference"]["name"] == "Enterprise average"
    top = body["factors"][0]
    assert top["raises"]
    assert top["multiplier"] == pytest.approx(math.exp(top["log_odds"]), rel=1e-4)
    usage = next(factor for factor in body["factors"] if factor["slug"] == "usage_decline")
    assert usage["sentence"] == "Daily users down 40% on their 90-day average"
    assert (usage["heading"], usage["impact"]) == ("Usage decline", "HIGH")
    assert body["model"] == {"version": model.version, "kind": "HAZARD", "note": "", "auc": None}
    assert body["unknown"] == []


def test_says_counts_of_the_days_score_and_advises_by_the_factors(
    staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers
) -> None:
    add_score(clients.sturdy, TODAY, 50, inputs={"tickets_30d": 9, "tickets_norm": 3.0})
    Contact.objects.create(client=clients.sturdy, name="Mara Lindqvist", role="CHAMPION", is_primary=True)
    foretell(clients.sturdy, model)
    body = caller_of(staff.ada).get(path_of(clients.sturdy)).json()
    ratio = next(one for factor in body["factors"] for one in factor["features"] if one["slug"] == "ticket_ratio")
    assert ratio["sentence"] == "9 tickets in 30 days, 3 are usual"
    titles = [action["title"] for action in body["recommended_actions"]]
    assert "Call Mara Lindqvist and ask what has changed" in titles
    assert all(action["reason"] for action in body["recommended_actions"])


def test_says_why_it_changed_in_a_month(staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers) -> None:
    before = foretell(clients.sturdy, model, on=MONTH_AGO, usage_change_month=1.0, days_to_renewal=77.0)
    after = foretell(clients.sturdy, model)
    change = caller_of(staff.ada).get(path_of(clients.sturdy)).json()["change"]
    assert change["since"] == MONTH_AGO.isoformat()
    assert change["points"] == pytest.approx(100 * (after.p90 - before.p90), abs=1e-4)
    assert sum(part["points"] for part in change["parts"]) == pytest.approx(change["points"], abs=1e-3)
    assert sum(part["log_odds"] for part in change["parts"]) == pytest.approx(change["log_odds"], abs=1e-4)
    assert {part["factor"] for part in change["parts"]} == {"usage_decline", "renewal_near"}
    assert change["raised"] is True


def test_a_band_hides_every_figure_of_the_model(staff: Staff, clients: Clients, caller_of: Callers) -> None:
    stored = foretell(clients.sturdy, version(kind=ModelKind.PRIOR, churned=0))
    foretell(clients.sturdy, stored.model, on=MONTH_AGO, nps_latest=9.0)
    body = caller_of(staff.ada).get(path_of(clients.sturdy)).json()
    nothing = {"probability": None, "low": None, "high": None}
    assert (body["precision"], body["category"]) == ("BAND", stored.category)
    assert body["precision_reason"] == "Expert prior, no history yet"
    assert body["model"]["note"] == "Expert prior, no history yet"
    for name in ("within_30_days", "within_60_days", "within_90_days", "renewal"):
        assert body[name] == nothing
    assert body["log_odds"] is None
    assert body["reference"]["probability_90_days"] is None
    assert all(factor["multiplier"] is None and factor["log_odds"] is None for factor in body["factors"])
    assert body["factors"][0]["sentence"]
    assert (body["change"]["points"], body["change"]["log_odds"], body["change"]["raised"]) == (None, None, True)
    asked = send(caller_of(staff.ada), path_of(clients.sturdy, "/what-if"), {"levers": {"champion_back": 1}}).json()
    assert (asked["points"], asked["log_odds"], asked["lowers"]) == (None, None, True)
    assert asked["after"]["within_90_days"] == nothing
    assert all(line["log_odds"] is None for line in asked["factors"])


def test_the_champion_is_back_and_two_tickets_are_closed(
    staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers
) -> None:
    stored = foretell(clients.sturdy, model)
    body = {"levers": {"champion_back": True, "tickets_closed": 2}}
    found = send(caller_of(staff.ada), path_of(clients.sturdy, "/what-if"), body).json()
    assert found["before"]["within_90_days"]["probability"] == pytest.approx(stored.p90, abs=2e-6)
    assert found["after"]["within_90_days"]["probability"] < stored.p90
    assert found["points"] == pytest.approx(sum(line["points"] for line in found["factors"]), abs=1e-3)
    assert [(one["slug"], one["before"], one["after"]) for one in found["changed"]] == [
        ("champion_quiet_days", "21 days", "0 days"), ("open_tickets", "5", "3"),
    ]  # fmt: skip
    assert "not a promise" in found["note"]
    assert AuditEvent.objects.filter(action="churn.what_if", client_id=clients.sturdy.pk).count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"levers": {"magic": 1}}, "levers.magic"),
        ({"levers": {"tickets_closed": 6}}, "levers.tickets_closed"),
        ({"inputs": {"nps_latest": 11}}, "inputs.nps_latest"),
        ({"inputs": {"magic": 1}}, "inputs.magic"),
    ],
    ids=["lever", "too-many", "range", "feature"],
)
def test_names_the_field_that_cannot_be_used(
    staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers, body: dict[str, Any], field: str
) -> None:
    foretell(clients.sturdy, model)
    response = send(caller_of(staff.ada), path_of(clients.sturdy, "/what-if"), body)
    assert response.status_code == 422
    assert [one["field"] for one in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "body", [{"levers": {"nps": "six"}}, {"levers": 3}, {"lever": {}}], ids=["word", "no map", "name"]
)
def test_refuses_what_is_no_number(
    staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers, body: dict[str, Any]
) -> None:
    foretell(clients.sturdy, model)
    response = send(caller_of(staff.ada), path_of(clients.sturdy, "/what-if"), body)
    assert response.status_code == 422
    assert all(one["field"].startswith("lever") for one in response.json()["errors"]), response.json()


def test_a_client_without_a_prediction_says_why(staff: Staff, clients: Clients, caller_of: Callers) -> None:
    body = caller_of(staff.ada).get(path_of(clients.newborn)).json()
    assert (body["as_of"], body["category"], body["factors"]) == (None, None, [])
    assert body["no_risk_reason"].startswith("No churn risk has been predicted yet")
    gone = caller_of(staff.ada).get(path_of(clients.gone)).json()
    assert gone["no_risk_reason"] == "The client left before a churn risk was predicted."
    assert send(caller_of(staff.ada), path_of(clients.newborn, "/what-if"), {}).status_code == 409
    assert send(caller_of(staff.ada), path_of(clients.gone, "/refresh"), {}).status_code == 409


def test_other_peoples_clients_do_not_exist(
    staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers
) -> None:
    foretell(clients.sturdy, model)
    cleo = caller_of(staff.cleo)
    assert cleo.get(path_of(clients.sturdy)).status_code == 404
    assert send(cleo, path_of(clients.sturdy, "/what-if"), {}).status_code == 404
    assert send(cleo, path_of(clients.sturdy, "/refresh"), {}).status_code == 404
    assert not AuditEvent.objects.filter(action__startswith="churn.").exists()


def test_reading_takes_a_fixed_number_of_queries_and_is_written_down(
    staff: Staff, clients: Clients, model: ChurnModel, caller_of: Callers
) -> None:
    ada = caller_of(staff.ada)
    foretell(clients.fading, model)

    def count(client: Any) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert ada.get(path_of(client)).status_code == 200
        return len(caught)

    count(clients.fading)
    few = count(clients.fading)
    for number in range(5):
        Contact.objects.create(client=clients.fading, name=f"Person {number}", role="ADMIN")
    foretell(clients.fading, model, on=MONTH_AGO)
    assert count(clients.fading) == few
    events = AuditEvent.objects.filter(action="churn.read").values_list("client_id", flat=True)
    assert set(events) == {clients.fading.pk}
