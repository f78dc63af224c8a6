"""The door as a WSGI application: what it answers, and that a 200 follows the disk."""

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.usage import keys
from bellwether.usage.intake import Intake
from bellwether.usage.intake_events import identifier
from bellwether.usage.intake_limits import TokenBuckets
from bellwether.usage.keys import KEPT_SECONDS, KeyRing
from bellwether.usage.models import EventBatch, WriteKey
from bellwether.usage.spool import Row, SpoolUnavailableError, SpoolWriter, store, waiting_batches
from bellwether.usage.spool_format import unpack

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


class Stored(list[Row]):
    """A spool in memory that can be told to fail."""

    failing: Exception | None = None
    trouble = ""

    def store(self, rows: list[Row]) -> None:
        if self.failing:
            raise self.failing
        self.extend(rows)


class Door:
    """The intake with everything around it in memory."""

    def __init__(self, *, rate: float = 1000) -> None:
        self.stored = Stored()
        self.intake = Intake(
            lambda environ, start: [b"django"],
            keys=KeyRing({"wk_1": "web"}.get),
            buckets=TokenBuckets(rate=rate, burst=2 * rate),
            writer=SpoolWriter(store=self.stored.store, trouble=lambda: self.stored.trouble),
            identify=identifier(b"k", "bot"),
            clock=lambda: NOW,
            mint=lambda: "minted",
        )

    def send(
        self, path: str, body: Any = None, *, method: str = "POST", **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO(data), **headers}
        environ.setdefault("CONTENT_LENGTH", str(len(data)))
        answer: dict[str, Any] = {}

        def start(status: str, pairs: list[tuple[str, str]]) -> None:
            answer.update(status=int(status[:3]), headers=dict(pairs))

        content = b"".join(self.intake(environ, start))
        if not answer:
            return 0, content, {}
        return answer["status"], json.loads(content) if content else None, answer["headers"]


EVENT = {"userId": "u", "event": "E", "writeKey": "wk_1"}


class TestIntake:
    def test_answers_exactly_success_once_the_row_is_stored(self):
        door = Door()
        assert door.send("/v1/track", EVENT)[:2] == (200, {"success": True})
        ((received_at, source, count, payload),) = door.stored
        assert (received_at, source, count) == (NOW, "web", 1)
        assert unpack(payload).events[0].event == "E"

    def test_leaves_every_other_path_to_django(self):
        assert Door().send("/clients/")[1] == b"django"

    def test_stores_rejects_too(self):
        door = Door()
        assert door.send("/v1/batch", {"batch": [{"type": "no"}], "writeKey": "wk_1"})[0] == 200
        assert (door.stored[0][2], len(unpack(door.stored[0][3]).rejects)) == (0, 1)

    def test_stores_nothing_for_an_empty_batch(self):
        door = Door()
        assert door.send("/v1/batch", {"batch": [], "writeKey": "wk_1"})[0] == 200
        assert door.stored == []

    @pytest.mark.parametrize(
        ("path", "body", "status", "code"),
        [
            ("/v1/track", EVENT | {"writeKey": "wk_2"}, 401, "unknown_write_key"),
            ("/v1/track", {"userId": "u"}, 401, "unknown_write_key"),
            ("/v1/unknown", EVENT, 404, "not_found"),
            ("/v1/batch", b"{", 400, "invalid_json"),
            ("/v1/batch", b"x" * 512_001, 413, "body_too_large"),
        ],
    )
    def test_refuses_with_a_code_and_a_sentence(self, path: str, body: Any, status: int, code: str):
        answered, problem, headers = Door().send(path, body)
        assert (answered, problem["code"]) == (status, code)
        assert problem["message"]
        assert headers["Access-Control-Allow-Origin"] == "*"

    def test_refuses_a_large_body_without_an_announced_length(self):
        assert Door().send("/v1/batch", b"x" * 600_000, CONTENT_LENGTH="")[0] == 413

    def test_answers_503_with_a_wait_when_the_spool_is_full(self):
        door = Door()
        door.stored.trouble = "full"
        status, problem, headers = door.send("/v1/track", EVENT)
        assert (status, problem["code"], headers["Retry-After"]) == (503, "unavailable", "10")

    def test_answers_503_when_storing_fails_and_200_when_it_works_again(self):
        door = Door()
        door.stored.failing = DatabaseError("disk I/O error")
        assert door.send("/v1/track", EVENT)[0] == 503
        door.stored.failing = None
        assert door.send("/v1/track", EVENT)[0] == 200

    def test_answers_429_with_whole_seconds_when_a_key_sends_too_fast(self):
        door = Door(rate=0.5)
        assert door.send("/v1/track", EVENT)[0] == 200
        status, problem, headers = door.send("/v1/track", EVENT)
        assert (status, problem["code"], headers["Retry-After"]) == (429, "rate_limited", "2")


class TestTokenBuckets:
    def test_lets_a_burst_through_and_then_the_rate(self):
        buckets = TokenBuckets(rate=2, burst=3)
        assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 1]
        assert [buckets.take("a", 1.0) for _ in range(3)] == [0, 0, 1]

    def test_keeps_names_apart(self):
        buckets = TokenBuckets(rate=1, burst=1)
        assert (buckets.take("a", 0), buckets.take("b", 0)) == (0, 0)

    def test_never_asks_to_wait_more_than_300_seconds(self):
        buckets = TokenBuckets(rate=0.0001, burst=1)
        buckets.take("a", 0)
        assert buckets.take("a", 0) == 300


class TestSpoolWriter:
    def test_stores_what_waits_together_in_one_group(self):
        groups: list[int] = []
        entered, go_on = threading.Event(), threading.Event()

        def slow_store(rows: list[Row]) -> None:
            groups.append(len(rows))
            entered.set()
            assert go_on.wait(10)

        writer = SpoolWriter(store=slow_store, trouble=lambda: "")
        row = (NOW, "web", 1, b"")
        threads = [threading.Thread(target=writer.write, args=([row],)) for _ in range(9)]
        threads[0].start()
        assert entered.wait(10)
        for thread in threads[1:]:
            thread.start()
        while writer._queue.qsize() < 8:
            entered.wait(0.01)
        go_on.set()
        for thread in threads:
            thread.join(10)
        assert groups == [1, 8]

    def test_tells_every_waiting_request_that_nothing_was_stored(self):
        def broken(rows: list[Row]) -> None:
            raise OSError("no space left on device")

        with pytest.raises(SpoolUnavailableError):
            SpoolWriter(store=broken, trouble=lambda: "").write([(NOW, "web", 1, b"")])


@pytest.mark.django_db(databases="__all__")
class TestStore:
    def test_keeps_the_rows_as_they_were_given(self):
        store([(NOW, "web", 2, b"\x00\xff"), (NOW, "web", 1, b"b")])
        rows = EventBatch.objects.order_by("id").values_list("received_at", "source", "event_count", "payload")
        assert [(at, source, count, bytes(payload)) for at, source, count, payload in rows] == [
            (NOW, "web", 2, b"\x00\xff"),
            (NOW, "web", 1, b"b"),
        ]
        assert waiting_batches() == 2


@pytest.mark.django_db
class TestWriteKeys:
    def test_finds_the_source_of_a_key_of_which_only_the_hash_is_kept(self):
        key = keys.add_key("web-app", now=NOW)
        assert keys.source_of(key) == "web-app"
        assert key not in str(WriteKey.objects.values_list().get())

    def test_refuses_a_revoked_key_and_gives_the_source_another(self):
        old = keys.add_key("web-app", now=NOW)
        keys.revoke_key("web-app", now=NOW + timedelta(days=1))
        assert keys.source_of(old) is None
        assert keys.source_of(keys.add_key("web-app", now=NOW + timedelta(days=2))) == "web-app"

    def test_refuses_a_second_key_of_a_source(self):
        keys.add_key("web-app", now=NOW)
        with pytest.raises(ConflictError, match="Revoke it first"):
            keys.add_key("web-app", now=NOW)

    @pytest.mark.parametrize("source", ["", "Web", "a b", "-x", "x" * 61])
    def test_refuses_an_unusable_source(self, source: str):
        with pytest.raises(InvalidInputError):
            keys.add_key(source, now=NOW)

    def test_says_that_there_is_nothing_to_revoke(self):
        with pytest.raises(InvalidInputError, match="no working key"):
            keys.revoke_key("web-app", now=NOW)


class TestKeyRing:
    def test_asks_again_after_three_seconds(self):
        known = {"wk_1": "web"}
        ring = KeyRing(known.get)
        assert ring.source_of("wk_1", 0.0) == "web"
        known.clear()
        assert ring.source_of("wk_1", KEPT_SECONDS - 0.1) == "web"
        assert ring.source_of("wk_1", KEPT_SECONDS) is None
