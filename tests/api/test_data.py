"""The state of the data over the API, for roles that see all clients."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bellwether.staff.models import AuditEvent
from bellwether.usage.lake import Lake
from bellwether.usage.models import RejectedEvent, SourceDay
from tests.api.conftest import Caller
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db(databases="__all__")
REASON = "timestamp: is not an ISO 8601 time"
PATHS = ("/data/quality", "/data/rejects")


@pytest.fixture
def arrived(clients: Clients, lake: Lake) -> None:
    SourceDay.objects.create(
        source="web", date=TODAY, batches=3, events=950, rejected=60, duplicates=10, lags={"10": 900, "60": 50},
        last_received_at=NOW - timedelta(minutes=2), last_part="flush-1",
    )  # fmt: skip
    for number in range(3):
        RejectedEvent.objects.create(
            received_at=NOW - timedelta(minutes=number), source="web" if number else "server",
            reason=REASON if number else "groupId: missing", message_id=f"m{number}", sample={"type": "track"},
        )  # fmt: skip


class TestQuality:
    def test_gives_verdict_findings_sources_and_rejects(
        self, arrived: None, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        answer = caller_of(staff.vera, "read").get("/data/quality")
        assert answer.status_code == 200
        body = answer.json()
        assert (body["severity"], body["today"]) == ("risk", "2026-06-30")
        found = {one["key"]: one for one in body["findings"]}
        assert found["rejects:web"]["severity"] == "risk"
        assert found["rejects:web"]["events"] == 60
        source = body["sources"][0]
        assert (source["name"], source["kind"], source["events_today"], source["events_7d"]) == (
            "web",
            "sent",
            950,
            950,
        )
        assert source["duplicate_share"] == pytest.approx(10 / 960)
        assert source["reject_share"] == pytest.approx(60 / 1020)
        assert (source["lag_median"], source["lag_p95"], source["events_by_day"][-1]) == ("10", "60", 950)
        assert {(one["reason"], one["source"], one["count"]) for one in body["rejects"]} == {
            (REASON, "web", 2),
            ("groupId: missing", "server", 1),
        }

    def test_says_that_nothing_arrived(self, staff: Staff, lake: Lake, caller_of: Callable[..., Caller]) -> None:
        body = caller_of(staff.adam).get("/data/quality").json()
        assert (body["severity"], body["sources"]) == ("na", [])

    def test_is_recorded(self, arrived: None, staff: Staff, caller_of: Callable[..., Caller]) -> None:
        caller_of(staff.vera).get("/data/quality")
        assert AuditEvent.objects.get(action="data.read").actor == staff.vera.email


class TestRejects:
    def test_are_newest_first_with_what_they_mean(
        self, arrived: None, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        body = caller_of(staff.vera).get("/data/rejects", {"limit": 2}).json()
        assert [one["message_id"] for one in body["data"]] == ["m0", "m1"]
        assert body["pagination"] == {"page": 1, "limit": 2, "total": 3, "pages": 2}
        assert body["data"][0]["meaning"] == "A group call does not say which account"
        assert body["data"][0]["sample"] == {"type": "track"}

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"source": "web"}, ["m1", "m2"]),
            ({"reason": "groupId"}, ["m0"]),
            ({"source": "web", "reason": "groupId"}, []),
            ({"page": 9}, []),
            ({"source": "\x00"}, ["m0", "m1", "m2"]),
        ],
        ids=["source", "reason", "both", "beyond", "nul"],
    )
    def test_can_be_filtered(
        self, arrived: None, staff: Staff, caller_of: Callable[..., Caller], query: dict[str, Any], expected: list[str]
    ) -> None:
        body = caller_of(staff.vera).get("/data/rejects", query).json()
        assert [one["message_id"] for one in body["data"]] == expected

    def test_refuse_a_page_that_cannot_be(self, staff: Staff, caller_of: Callable[..., Caller]) -> None:
        answer = caller_of(staff.vera).get("/data/rejects", {"page": 0, "limit": 900})
        assert answer.status_code == 422
        assert "limit" in answer.content.decode()


class TestAccess:
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("who", ["ada", "ben", "cleo", "ed"])
    def test_is_refused_to_those_who_see_some_clients(
        self, staff: Staff, lake: Lake, caller_of: Callable[..., Caller], path: str, who: str
    ) -> None:
        assert caller_of(getattr(staff, who)).get(path).status_code == 404

    @pytest.mark.parametrize("path", PATHS)
    def test_needs_somebody(self, db: None, client: Any, path: str) -> None:
        assert client.get(f"/api/v1/client-success{path}").status_code == 401
