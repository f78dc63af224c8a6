"""The flush from spool to lake, and what it learns of users on the way."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from bellwether.common.jobs import run_job
from bellwether.usage import flush as flush_module
from bellwether.usage import jobs
from bellwether.usage.flush import Flushed, flush
from bellwether.usage.identity import resolve
from bellwether.usage.keys import add_key
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyDate, EventBatch, FlushClaim, PlatformUser, RejectedEvent, WriteKey
from bellwether.usage.spool import store
from bellwether.usage.spool_format import Batch, Reject, SpooledEvent, microseconds, pack

pytestmark = pytest.mark.django_db(databases="__all__")

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
TODAY = date(2026, 6, 30)
HOUR = timedelta(hours=1)


def event(
    message_id: str, *, ts: datetime = NOW, account: str = "acme", user: str | None = "u1", **fields: Any
) -> SpooledEvent:
    values: dict[str, Any] = {
        "is_service": False, "type": "track", "event": "E", "module": None, "feature": None, "role": None,
        "sent_at": None, "original_ts": None, "properties": None,
    }  # fmt: skip
    values |= fields
    return SpooledEvent(message_id=message_id, organization_id=account, user_key=user, ts=microseconds(ts), **values)


def spooled(*events: SpooledEvent, rejects: list[Reject] | None = None, library: str = "", at: datetime = NOW) -> None:
    store([(at, "web", len(events), pack(Batch(list(events), rejects or [], library)))])


def flushed(lake: Lake) -> Flushed:
    return flush(lake=lake, zone=ZoneInfo("UTC"), now=NOW)


def landed(lake: Lake) -> list[tuple[str, str, str | None]]:
    parts = (lake.root / "events").glob("*/*.parquet")
    rows = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in parts]).sort("message_id")
    return rows.select("message_id", "organization_id", "role").rows()


class TestFlush:
    def test_brings_everything_to_the_lake_and_empties_the_spool(self, lake: Lake):
        spooled(event("a"), event("b", ts=NOW - timedelta(days=1)))
        spooled(event("c"))
        assert flushed(lake) == Flushed(2, 3, 0, 0, frozenset({TODAY, date(2026, 6, 29)}))
        assert [row[0] for row in landed(lake)] == ["a", "b", "c"]
        assert (EventBatch.objects.count(), FlushClaim.objects.count()) == (0, 0)
        assert set(DirtyDate.objects.values_list("date", flat=True)) == {TODAY, date(2026, 6, 29)}

    def test_drops_messages_that_landed_before(self, lake: Lake):
        spooled(event("a"))
        flushed(lake)
        spooled(event("a", ts=NOW - timedelta(days=2)), event("b"))
        done = flushed(lake)
        assert (done.events, done.duplicates) == (1, 1)

    def test_does_nothing_with_an_empty_spool(self, lake: Lake):
        assert flushed(lake) == Flushed()
        assert not lake.root.exists()

    def test_takes_several_parts_when_much_waits(self, lake: Lake, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(flush_module, "EVENTS_PER_PART", 2)
        for number in range(5):
            spooled(event(f"m{number}"))
        assert flushed(lake).events == 5
        assert len(list(lake.events_of(TODAY).glob("*.parquet"))) == 3

    def test_keeps_rejects_once_also_when_done_again(self, lake: Lake, monkeypatch: pytest.MonkeyPatch):
        spooled(event("a"), rejects=[Reject("x", "event: missing", {"type": "track"})])

        def crash(claim: FlushClaim) -> None:
            raise OSError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(flush_module, "_release", crash)
            with pytest.raises(OSError, match="killed"):
                flushed(lake)
        assert flushed(lake).batches == 1
        assert RejectedEvent.objects.values_list("source", "message_id", "reason").get() == (
            "web",
            "x",
            "event: missing",
        )
        assert len(landed(lake)) == 1

    def test_forgets_the_oldest_rejects_when_there_are_too_many(self, lake: Lake, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(flush_module, "KEPT_REJECTS", 3)
        spooled(rejects=[Reject(str(n), "no", {}) for n in range(5)])
        flushed(lake)
        assert list(RejectedEvent.objects.order_by("id").values_list("message_id", flat=True)) == ["2", "3", "4"]

    def test_puts_a_batch_that_cannot_be_read_aside_and_goes_on(self, lake: Lake):
        store([(NOW, "web", 7, b"\xc1 broken")])
        spooled(event("a"))
        assert flushed(lake).events == 1
        assert [path.read_bytes() for path in (lake.root / "unreadable").iterdir()] == [b"\xc1 broken"]
        assert RejectedEvent.objects.get().reason == "spool: the stored batch cannot be read"

    def test_notes_the_use_of_the_key(self, lake: Lake):
        add_key("web", now=NOW - HOUR)
        spooled(event("a"), library="analytics-python 2.4.0")
        flushed(lake)
        assert WriteKey.objects.values_list("last_used_at", "last_library").get() == (NOW, "analytics-python 2.4.0")

    def test_runs_as_a_job_that_counts(self, lake: Lake):
        assert jobs.flush_spool is not None
        spooled(event("a"))
        assert run_job("flush", now=NOW) == {"batches": 1, "events": 1, "duplicates": 0, "rejected": 0}


class TestUsers:
    def test_are_known_with_account_role_and_times(self, lake: Lake):
        spooled(event("a", ts=NOW - HOUR, role="Admin"), event("b"), event("c", user="bot", is_service=True))
        flushed(lake)
        users = PlatformUser.objects.order_by("user_key").values_list(
            "organization_id", "user_key", "role", "is_service", "first_seen_at", "last_seen_at"
        )
        assert list(users) == [("acme", "bot", "", True, NOW, NOW), ("acme", "u1", "Admin", False, NOW - HOUR, NOW)]

    def test_lend_their_role_to_events_that_do_not_say_it(self, lake: Lake):
        spooled(event("a", type="identify", role="Admin"))
        flushed(lake)
        spooled(event("b", ts=NOW + HOUR), event("c", ts=NOW + 2 * HOUR, role=""), event("d", ts=NOW + 3 * HOUR))
        flushed(lake)
        assert [(m, role) for m, _, role in landed(lake)] == [("a", "Admin"), ("b", "Admin"), ("c", None), ("d", None)]

    def test_keep_a_newer_role_when_an_older_event_arrives_late(self, lake: Lake):
        spooled(event("a", role="Admin"))
        flushed(lake)
        spooled(event("b", ts=NOW - timedelta(days=3), role="Viewer"))
        flushed(lake)
        assert PlatformUser.objects.get().role == "Admin"

    def test_resolve_events_without_an_account_by_the_last_one_known(self, lake: Lake):
        spooled(event("a"))
        flushed(lake)
        spooled(event("b", account="", ts=NOW + HOUR))
        flushed(lake)
        assert [account for _, account, _ in landed(lake)] == ["acme", "acme"]

    def test_take_their_earlier_unassigned_events_along_once_the_account_is_known(self, lake: Lake):
        spooled(event("a", account="", ts=NOW - timedelta(days=2)), event("x", account="", user="other"))
        flushed(lake)
        assert [account for _, account, _ in landed(lake)] == ["", ""]
        DirtyDate.objects.all().delete()
        spooled(event("b"))
        flushed(lake)
        assert [account for _, account, _ in landed(lake)] == ["acme", "acme", ""]
        assert date(2026, 6, 28) in set(DirtyDate.objects.values_list("date", flat=True))
        users = PlatformUser.objects.order_by("user_key").values_list("organization_id", "user_key")
        assert list(users) == [("", "other"), ("acme", "u1")]


class TestResolve:
    def test_prefers_the_event_before_then_what_is_known_then_the_event_after(self):
        events = pl.DataFrame(
            {
                "user_key": ["u", "u", "u", "v", "v", None],
                "organization_id": ["", "b", "", "", "c", ""],
                "role": [None] * 6,
                "ts": [1, 2, 3, 1, 2, 1],
            },
            schema_overrides={"role": pl.String},
        )
        known = pl.DataFrame({"user_key": ["u"], "known_organization": ["a"]})
        roles = pl.DataFrame(schema={"organization_id": pl.String, "user_key": pl.String, "known_role": pl.String})
        done = resolve(events, organizations=known, roles=roles).sort("user_key", "ts", nulls_last=True)
        assert done["organization_id"].to_list() == ["a", "b", "b", "c", "c", ""]


class TestSample:
    def test_of_a_reject_is_kept_as_json(self, lake: Lake):
        spooled(rejects=[Reject("x", "no", {"properties": {"n": 1}})])
        flushed(lake)
        assert json.dumps(RejectedEvent.objects.get().sample) == '{"properties": {"n": 1}}'
