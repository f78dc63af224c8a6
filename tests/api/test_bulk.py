"""Changing many clients through the API."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from bellwether.portfolio.models import Change, Client, SavedView
from tests.api.conftest import BASE, Caller
from tests.conftest import Clients, Staff

Callers = Callable[..., Caller]


def post(caller: Caller, body: dict[str, object], **headers: str) -> Any:
    return caller.browser.post(
        f"{BASE}/clients/bulk",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {caller.secret}", **headers},
    )


pytestmark = pytest.mark.django_db


class TestBulk:
    def test_changes_all_and_says_so(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        ids = [str(scored.sturdy.pk), str(scored.fading.pk)]
        answer = post(caller_of(staff.ada), {"ids": ids, "add_tags": ["Pilot"], "segment": "Large"})
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert (body["changed"], body["unchanged"], body["not_found"], body["refused"]) == (2, 0, 0, 0)
        assert body["data"] == [{"id": pk, "result": "changed", "detail": None} for pk in ids]
        assert Change.objects.get().pk.hex == body["change_id"].replace("-", "")
        assert list(scored.fading.tags.values_list("name", flat=True)) == ["Pilot"]

    def test_another_csms_client_is_not_found_and_nothing_changes(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        ids = [str(scored.sturdy.pk), str(scored.elsewhere.pk), str(uuid4())]
        answer = post(caller_of(staff.ada), {"ids": ids, "segment": "Large"})
        assert answer.status_code == 404
        assert [error["field"] for error in answer.json()["errors"]] == ["ids.1", "ids.2"]
        assert not Change.objects.exists()
        assert Client.objects.filter(segment="Large").count() == 0

    def test_partial_changes_the_others(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        ids = [str(scored.sturdy.pk), str(scored.elsewhere.pk), str(scored.gone.pk)]
        body = post(caller_of(staff.ada), {"ids": ids, "segment": "Large", "partial": True}).json()
        assert [row["result"] for row in body["data"]] == ["changed", "not_found", "refused"]

    def test_an_archived_client_is_a_conflict(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        answer = post(caller_of(staff.ada), {"ids": [str(scored.gone.pk)], "segment": "Large"})
        assert answer.status_code == 409

    def test_the_same_key_changes_once(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = {"ids": [str(scored.sturdy.pk)], "segment": "Large"}
        first = post(caller_of(staff.ada), body, **{"Idempotency-Key": "k1"})
        again = post(caller_of(staff.ada), body, **{"Idempotency-Key": "k1"})
        assert first.json() == again.json()
        assert again.json()["changed"] == 1
        assert Change.objects.count() == 1

    @pytest.mark.parametrize(
        ("body", "status", "field"),
        [
            ({"ids": [], "segment": "x"}, 422, "ids"),
            ({"ids": ["x"], "segment": "x"}, 422, "ids.0"),
            ({"ids": [str(uuid4())]}, 422, ""),
            ({"ids": [str(uuid4())], "segment": "x", "tags": ["y"]}, 422, "tags"),
        ],
        ids=["none", "no id", "nothing to do", "unknown field"],
    )
    def test_names_what_is_wrong(
        self, body: dict[str, object], status: int, field: str, staff: Staff, caller_of: Callers
    ) -> None:
        answer = post(caller_of(staff.ada), body)
        assert answer.status_code == status, answer.content
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_a_csm_assigns_nobody(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = {"ids": [str(scored.sturdy.pk)], "csm_id": str(staff.ben.pk)}
        assert post(caller_of(staff.ada), body).status_code == 403


class TestListing:
    def test_gives_the_priority_with_its_factors(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        [row] = caller_of(staff.ada).get("/clients", {"search": "sturdy"}).json()["data"]
        product = 1.0
        for factor in row["priority_factors"]:
            product *= factor["value"]
        assert row["priority"] == pytest.approx(product)
        keys = ["risk", "arr", "renewal", "fall", "silence", "follow_up", "data"]
        assert [factor["key"] for factor in row["priority_factors"]] == keys

    def test_lists_a_saved_view_within_what_the_reader_sees(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        Client.objects.filter(pk__in=[scored.sturdy.pk, scored.elsewhere.pk]).update(segment="Large")
        view = SavedView.objects.create(
            owner=staff.vera, name="Large", query={"segment": "Large", "sort": "name"}, is_shared=True
        )

        def names(user: object, **more: str) -> list[str]:
            answer = caller_of(user).get("/clients", {"view": str(view.pk), **more})
            assert answer.status_code == 200, answer.content
            return [row["name"] for row in answer.json()["data"]]

        assert names(staff.vera) == ["Elsewhere", "Sturdy"]
        assert names(staff.vera, sort="-name") == ["Sturdy", "Elsewhere"]
        assert names(staff.ada) == ["Sturdy"]
        SavedView.objects.update(is_shared=False)
        answer = caller_of(staff.ada).get("/clients", {"view": str(view.pk)})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["view"]
