"""Settings of alerts through the API: who may, what holds, what is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bellwether.alerts.models import AlertSetting
from tests.api.conftest import BASE, add_score
from tests.conftest import NOW, Clients, Staff

PATH = "/config/alerts"
LATER = (NOW + timedelta(days=10)).isoformat()


def drop(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer.json()["data"] if one["alert_type"] == "HEALTH_DROP")
    return found


def errors(answer: Any) -> list[str]:
    return [one["field"] for one in answer.json()["errors"]]


def body(**fields: Any) -> dict[str, Any]:
    return {"settings": [{"alert_type": "HEALTH_DROP", **fields}]}


def test_defaults_with_their_limits(staff: Staff, clients: Clients, caller_of: Callable[..., Any]) -> None:
    answer = caller_of(staff.ada, "read").get(PATH)
    assert answer.status_code == 200
    assert (answer.json()["scope"], answer.json()["may_change"], len(answer.json()["data"])) == ("WORKSPACE", False, 11)
    found = drop(answer)
    assert found["thresholds"][0] == {
        "name": "points", "label": "Drop of at least", "unit": "points", "value": 10.0, "source": "DEFAULT",
        "default": 10.0, "least": 1.0, "most": 60.0, "whole": True,
    }  # fmt: skip
    assert (found["is_enabled"], found["media"], found["told_by"]) == (True, ["IN_APP", "EMAIL"], None)


def test_a_change_holds_and_the_same_again_changes_nothing(
    staff: Staff, clients: Clients, caller_of: Callable[..., Any]
) -> None:
    caller = caller_of(staff.vera, "write", "admin")
    path = PATH + "?scope=TIER&value=ENTERPRISE"
    for _ in range(2):
        answer = caller.put(path, body(thresholds={"points": 20}, is_enabled=True))
        assert answer.status_code == 200
        assert drop(answer)["thresholds"][0]["value"] == 20
        assert drop(answer)["thresholds"][0]["source"] == "TIER"
    assert AlertSetting.objects.count() == 1
    assert drop(caller.get(PATH))["thresholds"][0]["value"] == 10
    assert drop(caller.get(f"{PATH}?client_id={clients.sturdy.pk}"))["differs"] == ["drop of at least 20 points (10)"]
    back = caller.put(path, body(thresholds={"points": None}, is_enabled=None))
    assert drop(back)["sources"]["is_enabled"] == "DEFAULT"


def test_a_csm_sets_an_own_client_with_its_level_and_mute(
    staff: Staff, clients: Clients, caller_of: Callable[..., Any]
) -> None:
    caller, path = caller_of(staff.ada), f"{PATH}?client_id={clients.sturdy.pk}"
    given = {
        "settings": [{"alert_type": "", "muted_until": LATER, "mute_reason": "Migration"}],
        "alert_level": "PROACTIVE",
    }
    answer = caller.put(path, given)
    assert answer.status_code == 200
    assert answer.json()["alert_level"] == "PROACTIVE"
    assert drop(answer)["told_by"] == ["IN_APP", "EMAIL"]
    assert drop(answer)["muted_until"] == LATER.replace("+00:00", "Z")
    quiet = caller.put(path, {"alert_level": "NONE"})
    assert (drop(quiet)["told_by"], drop(quiet)["media"]) == ([], ["IN_APP", "EMAIL"])


def test_others_clients_do_not_exist(staff: Staff, clients: Clients, caller_of: Callable[..., Any]) -> None:
    caller = caller_of(staff.cleo)
    for client_id in (clients.sturdy.pk, uuid4()):
        assert caller.get(f"{PATH}?client_id={client_id}").status_code == 404
        assert caller.put(f"{PATH}?client_id={client_id}", body(is_enabled=False)).status_code == 404
    assert not AlertSetting.objects.exists()


def test_many_clients_need_the_role_and_the_scope(
    staff: Staff, clients: Clients, caller_of: Callable[..., Any]
) -> None:
    assert caller_of(staff.ada, "write", "admin").put(PATH, body(is_enabled=False)).status_code == 403
    assert caller_of(staff.adam).put(PATH, body(is_enabled=False)).status_code == 403
    assert caller_of(staff.adam, "read").put(PATH, body(is_enabled=False)).status_code == 403
    assert not AlertSetting.objects.exists()


@pytest.mark.parametrize(("given", "field"), [
    (body(thresholds={"points": 99}), "settings.0.thresholds.points"),
    (body(thresholds={"colour": 1}), "settings.0.thresholds.colour"),
    (body(is_enabled="yes"), "settings.0.is_enabled"),
    (body(severity="URGENT"), "settings.0.severity"),
    (body(media=["PIGEON"]), "settings.0.media"),
    (body(shade=1), "settings.0.shade"),
    (body(muted_until=LATER, mute_reason="x"), "settings.0.muted_until"),
    ({"settings": [{"alert_type": "NOISE"}]}, "settings.0.alert_type"),
    ({"alert_level": "NONE"}, "alert_level"),
    ({}, "settings"),
], ids=["range", "name", "bool", "severity", "media", "extra", "mute", "type", "level", "nothing"])  # fmt: skip
def test_bad_input_names_its_field(
    staff: Staff, clients: Clients, caller_of: Callable[..., Any], given: dict[str, Any], field: str
) -> None:
    answer = caller_of(staff.adam, "write", "admin").put(PATH, given)
    assert (answer.status_code, errors(answer)) == (422, [field])
    assert not AlertSetting.objects.exists()


@pytest.mark.parametrize(("query", "field"), [
    ("scope=PLANET", "scope"), ("scope=TIER&value=GOLD", "value"), ("scope=SEGMENT&value=No", "value"),
    ("scope=CLIENT", "client_id"),
], ids=["scope", "tier", "segment", "client"])  # fmt: skip
def test_places_that_there_are_not(
    staff: Staff, clients: Clients, caller_of: Callable[..., Any], query: str, field: str
) -> None:
    answer = caller_of(staff.adam).get(f"{PATH}?{query}")
    assert (answer.status_code, errors(answer)) == (422, [field])


def test_a_replay_compares_what_is_sent_with_what_is_in_force(
    staff: Staff, clients: Clients, caller_of: Callable[..., Any]
) -> None:
    """The score of `sturdy` fell by 12 on 1 May: an alert at 10 points, none at 15. Cleo sees nothing of it."""
    for day, score in ((date(2025, 5, 1), 80), (date(2026, 4, 30), 80), (date(2026, 5, 1), 68), (date(2026, 5, 2), 68)):
        add_score(clients.sturdy, day, score)
    found = post(caller_of(staff.ada), {"alert_type": "HEALTH_DROP", **body(thresholds={"points": 15})}).json()
    assert (found["in_force"]["alerts"], found["candidate"]["alerts"]) == (1, 0)
    assert (found["first"], found["last"]) == ("2025-07-01", "2026-06-29")
    assert found["data"] == []
    plain = post(caller_of(staff.ada), {"alert_type": "HEALTH_DROP"}).json()
    assert plain["candidate"] is None
    assert [(one["name"], one["last_opened_on"]) for one in plain["data"]] == [("Sturdy", "2026-05-01")]
    assert plain["weeks"] == [{"week": "2026-04-28", "alerts": 1}]
    assert post(caller_of(staff.cleo), {"alert_type": "HEALTH_DROP"}).json()["in_force"]["alerts"] == 0
    assert not AlertSetting.objects.exists()


def test_a_replay_refuses_what_saving_would(staff: Staff, clients: Clients, caller_of: Callable[..., Any]) -> None:
    caller = caller_of(staff.adam)
    answer = post(caller, {"alert_type": "HEALTH_DROP", **body(thresholds={"points": 99})})
    assert (answer.status_code, errors(answer)) == (422, ["settings.0.thresholds.points"])
    other = post(caller, {"alert_type": "USAGE_DECLINE", **body(thresholds={"points": 9})})
    assert (other.status_code, errors(other)) == (422, ["settings.0.alert_type"])


def post(caller: Any, given: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}"}
    return caller.browser.post(f"{BASE}{PATH}/replay", given, "application/json", headers=headers)
