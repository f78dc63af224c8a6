"""The Segment protocol, spoken by the real Python SDK and by hand, to a running server."""

import gzip
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from segment.analytics import Client

from tests.usage.workspace import Server, Workspace, new_workspace

pytestmark = [pytest.mark.slow, pytest.mark.one_database]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Server]]:
    home = tmp_path_factory.mktemp("workspace")
    with new_workspace(home) as workspace, workspace.serve(processes=2) as server:
        yield workspace, server


@pytest.fixture
def key(door: tuple[Workspace, Server], request: pytest.FixtureRequest) -> str:
    """A write key of this test alone; its source is the test's name."""
    return door[0].add_key(source_of(request.node.name))


def source_of(name: str) -> str:
    return f"test-{sha256(name.encode()).hexdigest()[:20]}"


@pytest.fixture
def landed(door: tuple[Workspace, Server], request: pytest.FixtureRequest) -> Any:
    """Flush, and return this test's events."""

    def flush() -> pl.DataFrame:
        door[0].flush()
        return door[0].events().filter(pl.col("source") == source_of(request.node.name))

    return flush


@pytest.fixture
def server(door: tuple[Workspace, Server]) -> Server:
    return door[1]


def track(number: int, **fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    event = {"type": "track", "messageId": f"m-{number}", "userId": "u1", "event": "Case Created", "timestamp": now}
    return event | {"context": {"groupId": "acct_1"}} | fields


def body(*events: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"batch": list(events), "sentAt": datetime.now(UTC).isoformat()} | fields


class TestThePythonSdk:
    def test_delivers_every_kind_of_event_without_a_thread(self, server: Server, key: str, landed: Any):
        failed: list[Exception] = []
        client = Client(key, host=server.url, sync_mode=True, on_error=lambda error, _: failed.append(error))
        client.identify("u1", {"email": "ada.lovelace@example.org", "role": "Admin"}, context={"groupId": "acct_1"})
        client.group("u1", "acct_1", {"name": "Initech", "plan": "pro"})
        client.track("u1", "Signed In", {"module": "Case Management"}, context={"groupId": "acct_1"})
        client.page("u1", "Docs", "Home", context={"groupId": "acct_1"})
        client.screen("u1", "Docs", "Start", context={"groupId": "acct_1"})
        client.alias("visitor-1", "u1")
        events = landed()
        assert failed == []
        assert sorted(events["type"]) == ["alias", "group", "identify", "page", "screen", "track"]
        assert set(events["organization_id"]) == {"acct_1"}
        assert events["user_key"].n_unique() == 1
        track_row = events.row(by_predicate=pl.col("type") == "track", named=True)
        assert (track_row["event"], track_row["module"], track_row["role"]) == ("Signed In", "Case Management", "Admin")

    def test_delivers_a_thousand_events_from_its_thread_compressed(self, server: Server, key: str, landed: Any):
        failed: list[Exception] = []
        client = Client(key, host=server.url, gzip=True, on_error=lambda error, _: failed.append(error))
        for number in range(1000):
            client.track(f"user-{number % 7}", "Case Created", {"n": number}, context={"groupId": 42})
        client.flush()
        client.join()
        events = landed()
        assert failed == []
        assert events.height == 1000
        assert sorted(json.loads(text)["n"] for text in events["properties"]) == list(range(1000))
        assert set(events["organization_id"]) == {"42"}

    def test_hears_of_a_wrong_key_and_does_not_retry(self, server: Server, key: str):
        failed: list[Exception] = []
        client = Client("wk_wrong", host=server.url, on_error=lambda error, _: failed.append(error))
        client.track("u1", "Signed In")
        client.flush()
        client.join()
        assert "unknown" in str(failed[0])


class TestBodiesOfOlderSenders:
    def test_a_key_only_in_the_body_is_enough(self, server: Server, key: str, landed: Any):
        """segment-analytics-python 2.3.2 sends no Authorization header, and nulls for what is missing."""
        event = track(1, anonymousId=None, name=None, category=None, integrations={}, groupId=None)
        assert server.post("/v1/batch", body(event, writeKey=key)).json == {"success": True}
        assert landed().height == 1

    def test_a_key_on_the_event_is_enough(self, server: Server, key: str, landed: Any):
        assert server.post("/v1/batch", body(track(1, writeKey=key))).status == 200
        assert landed().height == 1

    def test_a_bearer_token_of_another_system_leaves_the_key_to_the_body(self, server: Server, key: str, landed: Any):
        answer = server.post("/v1/batch", body(track(1), writeKey=key), headers={"Authorization": "Bearer abc"})
        assert answer.status == 200
        assert landed().height == 1

    def test_basic_without_the_colon_is_understood(self, server: Server, key: str):
        from base64 import b64encode

        headers = {"Authorization": "Basic " + b64encode(key.encode()).decode()}
        assert server.post("/v1/batch", body(track(1)), headers=headers).status == 200

    def test_plain_text_from_a_browser_is_read_as_json(self, server: Server, key: str, landed: Any):
        one = track(1) | {"writeKey": key, "sentAt": datetime.now(UTC).isoformat()}
        del one["type"]
        answer = server.post("/v1/t", one, headers={"Content-Type": "text/plain"})
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert landed()["type"].to_list() == ["track"]

    def test_the_time_of_the_batch_may_stand_on_the_original_timestamp(self, server: Server, key: str, landed: Any):
        """RudderStack's node SDK sends originalTimestamp and no timestamp."""
        when = datetime.now(UTC) - timedelta(days=2)
        event = track(1, originalTimestamp=when.isoformat())
        del event["timestamp"]
        server.post("/v1/batch", body(event), key=key)
        assert abs(landed()["ts"][0] - when) < timedelta(seconds=5)


class TestWhatLandsOnce:
    def test_a_replayed_batch_adds_nothing(self, server: Server, key: str, landed: Any):
        batch = body(track(1), track(2))
        assert [server.post("/v1/batch", batch, key=key).status for _ in range(3)] == [200, 200, 200]
        assert landed().height == 2
        assert server.post("/v1/batch", batch, key=key).status == 200
        assert landed().height == 2

    def test_a_retry_that_falls_on_another_day_adds_nothing(self, server: Server, key: str, landed: Any):
        server.post("/v1/batch", body(track(1)), key=key)
        first = landed()
        later = (datetime.now(UTC) + timedelta(days=1, hours=2)).isoformat()
        server.post("/v1/batch", body(track(1), sentAt=later), key=key)
        assert landed()["ts"].to_list() == first["ts"].to_list()


class TestWhatIsTooLarge:
    def test_one_event_of_33_kb_does_not_spoil_the_good_ones(
        self, door: tuple[Workspace, Server], server: Server, key: str, landed: Any
    ):
        large = track(2, properties={"note": "x" * 33_000})
        assert server.post("/v1/batch", body(track(1), large, track(3)), key=key).status == 200
        assert landed()["message_id"].to_list() == ["m-1", "m-3"]
        rejects = [row for row in door[0].flush()["rejects"] if row["message_id"] == "m-2"]
        assert rejects[0]["reason"] == "event: over 32,768 bytes of JSON"
        assert rejects[0]["sample"]["event"] == "Case Created"

    def test_a_body_of_510_000_bytes_is_accepted(self, server: Server, key: str, landed: Any):
        events = [track(n, properties={"note": "x" * 25_000}) for n in range(20)]
        padding = 510_000 - len(json.dumps(body(*events, padding="")).encode())
        assert server.post("/v1/batch", body(*events, padding="y" * padding), key=key).status == 200
        assert landed().height == 20

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_body_over_512_000_bytes_is_refused_also_when_it_came_small(self, server: Server, key: str, packed: bool):
        data = json.dumps(body(track(1), padding="x" * 512_000)).encode()
        headers = {"Content-Encoding": "gzip"} if packed else {}
        answer = server.post("/v1/batch", gzip.compress(data) if packed else data, key=key, headers=headers)
        assert answer.status == 413
        assert answer.json["code"] == "body_too_large"

    def test_events_over_2500_are_refused_while_the_rest_is_kept(self, server: Server, key: str, landed: Any):
        short = [{"type": "track", "userId": "u", "event": "E", "messageId": f"s-{n}"} for n in range(2503)]
        assert server.post("/v1/batch", body(*short), key=key).status == 200
        assert landed().height == 2500


class TestClocks:
    @pytest.mark.parametrize("hours", [-1, 1])
    def test_a_senders_clock_that_is_an_hour_off_is_corrected(self, server: Server, key: str, landed: Any, hours: int):
        wrong_now = datetime.now(UTC) + timedelta(hours=hours)
        happened = wrong_now - timedelta(minutes=5)
        server.post("/v1/batch", body(track(1, timestamp=happened.isoformat()), sentAt=wrong_now.isoformat()), key=key)
        row = landed().row(0, named=True)
        assert abs(row["received_at"] - row["ts"] - timedelta(minutes=5)) < timedelta(milliseconds=1)
        assert (row["sent_at"], row["original_ts"]) == (wrong_now, happened)

    def test_a_back_dated_event_keeps_its_day(self, server: Server, key: str, landed: Any):
        long_ago = datetime(2024, 2, 29, 12, tzinfo=UTC)
        server.post("/v1/batch", body(track(1, timestamp=long_ago.isoformat())), key=key)
        assert landed()["ts"][0].date() == long_ago.date()


class TestKeysAndLimits:
    def test_a_revoked_key_is_refused_within_seconds(self, door: tuple[Workspace, Server], server: Server, key: str):
        assert server.post("/v1/batch", body(track(1)), key=key).status == 200
        door[0].revoke_key(source_of("test_a_revoked_key_is_refused_within_seconds"))
        time.sleep(4)
        answer = server.post("/v1/batch", body(track(2)), key=key)
        assert (answer.status, answer.json["code"]) == (401, "unknown_write_key")

    def test_a_full_bucket_answers_429_with_whole_seconds(self, tmp_path: Path):
        home = tmp_path / "home"
        home.mkdir()
        with new_workspace(home) as workspace:
            workspace.environment["BELLWETHER_INTAKE_RATE"] = "1"
            key = workspace.add_key()
            with workspace.serve() as server:
                answers = [server.post("/v1/track", track(n), key=key) for n in range(5)]
        assert [answer.status for answer in answers][:2] == [200, 200]
        refused = answers[-1]
        assert refused.status == 429
        assert refused.headers["retry-after"] == "1"
        assert refused.json["code"] == "rate_limited"

    def test_a_spool_that_is_full_answers_503_until_it_is_flushed(self, tmp_path: Path):
        home = tmp_path / "home"
        home.mkdir()
        with new_workspace(home) as workspace:
            workspace.environment["BELLWETHER_SPOOL_LIMIT"] = "1"
            key = workspace.add_key()
            with workspace.serve() as server:
                for number in range(2):
                    server.post("/v1/track", track(number), key=key)
                time.sleep(0.6)
                refused = server.post("/v1/track", track(3), key=key)
                assert (refused.status, refused.headers["retry-after"]) == (503, "10")
                workspace.flush()
                time.sleep(0.6)
                assert server.post("/v1/track", track(3), key=key).status == 200
            workspace.flush()
            assert workspace.events().height == 3


class TestWhatNobodyMayFindOnDisk:
    def test_names_addresses_and_ids_never_reach_spool_lake_or_log(self, tmp_path: Path):
        home = tmp_path / "home"
        home.mkdir()
        with new_workspace(home) as workspace:
            key = workspace.add_key()
            with workspace.serve() as server:
                client = Client(key, host=server.url, sync_mode=True)
                person = {"email": "ada.lovelace@example.org", "first_name": "Augusta", "phone": "+44 20 7946 0958"}
                client.identify("ada.lovelace@example.org", person, context={"ip": "203.0.113.77", "groupId": "acct_1"})
                note = {
                    "note": "call ada.lovelace@example.org at 203.0.113.77",
                    "inviteeEmail": "b.babbage@example.org",
                }
                client.track("ada.lovelace@example.org", "Invite Sent", note, context={"groupId": "acct_1"})
                nonsense = {"type": "nonsense", "properties": person | note, "userId": "ada.lovelace@example.org"}
                oversize = nonsense | {"type": "track", "event": "Large", "traits": {"x": "y" * 33_000}}
                server.post("/v1/batch", {"batch": [nonsense, oversize]}, key=key)
                waiting = workspace.bytes_on_disk()
                workspace.flush()
                landed = workspace.bytes_on_disk()
        assert b"Invite Sent" in landed
        for secret in (b"lovelace", b"Augusta", b"7946 0958", b"203.0.113.77", b"babbage"):
            assert secret not in waiting
            assert secret not in landed


class TestTheDoorItself:
    @pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/v1/batch/"])
    def test_every_name_of_the_batch_endpoint_answers_without_a_redirect(self, server: Server, key: str, path: str):
        assert server.post(path, body(track(1)), key=key).status == 200

    def test_a_browser_may_ask_first(self, server: Server):
        answer = server.request("OPTIONS", "/v1/t", headers={"Origin": "https://app.example.org"})
        assert answer.status == 204
        assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
        assert "authorization" in answer.headers["access-control-allow-headers"]

    def test_the_sdks_own_metrics_are_answered_and_dropped(self, server: Server):
        answer = server.post("/v1/m", b'{"series":[]}', headers={"Content-Type": "text/plain"})
        assert (answer.status, answer.json) == (200, {"success": True})

    def test_the_first_bad_field_is_named(self, server: Server, key: str):
        answer = server.post("/v1/batch", {"batch": "no"}, key=key)
        assert (answer.status, answer.json["code"]) == (400, "invalid_field")
        assert "`$.batch`" in answer.json["message"]

    def test_get_is_refused_with_what_is_allowed(self, server: Server):
        answer = server.request("GET", "/v1/batch")
        assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")
