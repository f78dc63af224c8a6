"""Custom measures through the API: made by administrators, read by all, previewed on the caller's own clients."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether.common.progress import NoProgress
from bellwether.health.models import CustomMeasure, MeasureValue
from bellwether.staff.models import AuditEvent
from bellwether.usage import services
from bellwether.usage.dirty import mark_facts
from bellwether.usage.lake import Lake
from tests.api.conftest import BASE, Caller, add_score
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.usage.rollup_twin import event, place

pytestmark = pytest.mark.django_db
LIST = "/config/measures"
CASES = {"kind": "count", "event": "Case Created"}
BODY = {"name": "Cases made", "definition": CASES}
Callers = Any


def send(caller: Caller, method: str, path: str, body: Any = None, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {caller.secret}", **headers}
    return getattr(caller.browser, method)(BASE + path, body, "application/json", headers=sent)


def fields(answer: Any) -> set[str]:
    return {error["field"] for error in answer.json()["errors"]}


@pytest.fixture
def admin(staff: Staff, caller_of: Callers, lake: Lake) -> Caller:
    return caller_of(staff.adam, "admin")


@pytest.fixture
def usage(clients: Clients, lake: Lake) -> None:
    made = [event(NOW - timedelta(hours=n), "ann") for n in (1, 2, 3)]
    made += [event(NOW - timedelta(days=1), "cy", "elsewhere")]
    mark_facts(place(lake, made), now=NOW)
    services.roll_up_dirty(now=NOW, progress=NoProgress())


def values(clients: Clients, **by_client: float | None) -> None:
    measure = CustomMeasure.objects.get(slug="cases_made")
    for name, value in by_client.items():
        MeasureValue.objects.create(client=getattr(clients, name), measure=measure, date=TODAY, value=value)


class TestMaking:
    def test_returns_what_was_made(self, admin: Caller) -> None:
        answer = send(admin, "post", LIST, BODY)
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"{BASE}{LIST}/cases_made"
        made = answer.json()
        assert made["slug"] == "cases_made"
        assert made["sentence"] == "Number of Case Created events of people in 30 days."
        assert made["needs_raw_events"] is False
        assert admin.get(f"{LIST}/cases_made").json() == made
        assert admin.get(LIST).json() == {"data": [made]}

    def test_the_same_request_makes_one(self, admin: Caller) -> None:
        first, second = (send(admin, "post", LIST, BODY, **{"Idempotency-Key": "k"}) for _ in range(2))
        assert first.json() == second.json()
        assert CustomMeasure.objects.count() == 1

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            (BODY | {"slug": "mau"}, {"slug"}),
            (BODY | {"name": ""}, {"name", "slug"}),
            (BODY | {"definition": {"kind": "count", "window_days": 400}}, {"definition.window_days"}),
            (BODY | {"definition": {"kind": "ratio", "of": CASES, "per": "clients"}}, {"definition.per"}),
            (BODY | {"colour": "red"}, {"colour"}),
            (BODY | {"definition": []}, {"definition"}),
        ],
        ids=["slug", "name", "window", "ratio", "unknown field", "no object"],
    )
    def test_names_what_is_wrong(self, admin: Caller, body: Any, named: set[str]) -> None:
        answer = send(admin, "post", LIST, body)
        assert answer.status_code == 422
        assert fields(answer) == named
        assert not CustomMeasure.objects.exists()

    def test_needs_an_administrator_and_the_scope(self, staff: Staff, caller_of: Callers, lake: Lake) -> None:
        for caller in (caller_of(staff.vera, "admin"), caller_of(staff.adam, "write"), caller_of(staff.ada, "admin")):
            assert send(caller, "post", LIST, BODY).status_code == 403
        assert not CustomMeasure.objects.exists()


class TestChanging:
    def test_makes_a_new_version(self, admin: Caller) -> None:
        send(admin, "post", LIST, BODY)
        answer = send(admin, "put", f"{LIST}/cases_made", BODY | {"definition": CASES | {"window_days": 7}})
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        again = send(admin, "put", f"{LIST}/cases_made", BODY | {"definition": CASES | {"window_days": 7}})
        assert again.json() == answer.json()

    def test_archives_and_restores(self, admin: Caller) -> None:
        send(admin, "post", LIST, BODY)
        assert send(admin, "delete", f"{LIST}/cases_made").json()["archived_at"]
        assert admin.get(LIST).json() == {"data": []}
        assert len(admin.get(LIST, {"archived": "true"}).json()["data"]) == 1
        assert send(admin, "put", f"{LIST}/cases_made", BODY).json()["archived_at"] is None

    def test_knows_no_other(self, admin: Caller) -> None:
        for method in ("put", "delete"):
            assert send(admin, method, f"{LIST}/nothing", BODY).status_code == 404
        assert admin.get(f"{LIST}/nothing").status_code == 404


class TestPreview:
    def test_shows_the_callers_clients_only(
        self, staff: Staff, clients: Clients, usage: None, caller_of: Callers
    ) -> None:
        answer = send(caller_of(staff.ada), "post", f"{LIST}/preview", {"definition": CASES})
        assert answer.status_code == 200
        found = answer.json()
        assert [(s["name"], s["value"]) for s in found["samples"]] == [
            ("Sturdy", 3), ("Fading", None), ("Newborn", None),
        ]  # fmt: skip
        assert (found["clients"], found["with_value"]) == (3, 1)
        everybody = send(caller_of(staff.vera), "post", f"{LIST}/preview", {"definition": CASES}).json()
        assert (everybody["clients"], everybody["with_value"]) == (4, 2)
        assert everybody["bins"][0] == {"low": 1, "high": 2, "clients": 1}
        assert not CustomMeasure.objects.exists()
        assert AuditEvent.objects.filter(action="measure.preview").count() == 2

    def test_counts_raw_events_that_nobody_asked_for_before(
        self, staff: Staff, clients: Clients, usage: None, caller_of: Callers
    ) -> None:
        found = send(caller_of(staff.ada), "post", f"{LIST}/preview", {"definition": CASES | {"kind": "users"}}).json()
        assert found["needs_raw"] is True
        assert found["samples"][0]["value"] == 1

    def test_names_what_is_wrong(self, staff: Staff, caller_of: Callers, lake: Lake) -> None:
        answer = send(caller_of(staff.ada), "post", f"{LIST}/preview", {"definition": {"kind": "sum", "event": "A"}})
        assert answer.status_code == 422
        assert fields(answer) == {"property"}


class TestValuesOfAClient:
    def test_are_built_in_and_custom_ones(
        self, admin: Caller, staff: Staff, clients: Clients, caller_of: Callers
    ) -> None:
        send(admin, "post", LIST, BODY)
        values(clients, sturdy=3)
        add_score(clients.sturdy, TODAY, 59, inputs={"mau": 12, "payment_status": "late"})
        found = caller_of(staff.ada).get(f"/clients/{clients.sturdy.pk}/measures").json()
        by_slug = {one["slug"]: one for one in found["data"]}
        assert found["date"] == "2026-06-30"
        assert (by_slug["mau"]["value"], by_slug["payment_status"]["value"]) == (12, "late")
        assert (by_slug["cases_made"]["value"], by_slug["cases_made"]["version"]) == (3, 1)
        assert by_slug["wau"]["value"] is None

    def test_of_others_do_not_exist(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        assert caller_of(staff.cleo).get(f"/clients/{clients.sturdy.pk}/measures").status_code == 404


class TestLists:
    @pytest.fixture(autouse=True)
    def made(self, admin: Caller, clients: Clients) -> None:
        send(admin, "post", LIST, BODY)
        values(clients, sturdy=3, fading=10.5, newborn=None, elsewhere=3)

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({"measure": "cases_made"}, ["Fading", "Sturdy"]),
            ({"measure": "cases_made", "measure_min": 3}, ["Fading", "Sturdy"]),
            ({"measure": "cases_made", "measure_min": 3.5}, ["Fading"]),
            ({"measure": "cases_made", "measure_max": 3}, ["Sturdy"]),
            ({"measure": "cases_made", "measure_min": 11}, []),
            ({"sort": "m.cases_made"}, ["Sturdy", "Fading", "Newborn"]),
            ({"sort": "-m.cases_made"}, ["Fading", "Sturdy", "Newborn"]),
        ],
        ids=str,
    )
    def test_filter_and_sort_by_it(self, staff: Staff, caller_of: Callers, query: Any, names: list[str]) -> None:
        found = caller_of(staff.ada).get("/clients", {"sort": "name"} | query).json()["data"]
        assert [row["name"] for row in found] == names

    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ({"measure": "nothing"}, {"measure"}),
            ({"measure_min": 3}, {"measure"}),
            ({"sort": "m.nothing"}, {"sort"}),
            ({"measure": "cases_made", "measure_min": 9, "measure_max": 3}, {"measure"}),
            ({"measure": "cases_made", "measure_min": "many"}, {"measure_min"}),
        ],
        ids=str,
    )
    def test_say_what_cannot_be_used(self, staff: Staff, caller_of: Callers, query: Any, named: set[str]) -> None:
        answer = caller_of(staff.ada).get("/clients", query)
        assert answer.status_code == 422
        assert fields(answer) == named
