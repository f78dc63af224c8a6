"""Events of the Segment protocol become normalised ones, or rejects with a reason."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwether.usage.intake_events import accept, identifier
from bellwether.usage.intake_wire import WireError, decompressed, header_key, open_envelope
from bellwether.usage.pseudonyms import pseudonym
from bellwether.usage.spool_format import Batch, Reject, SpooledEvent, microseconds, pack, to_frame, unpack

KEY = b"workspace"
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
IDENTIFY = identifier(KEY, r"(?i)(^|[^a-z])(bot|service)([^a-z]|$)")


def taken(*events: Any, path: str = "batch", **body: Any) -> Batch:
    sent = {"batch": list(events)} | body if path == "batch" else events[0]
    envelope = open_envelope(json.dumps(sent).encode(), path)
    return accept(envelope, received_at=NOW, identify=IDENTIFY, mint=lambda: "minted")


def one(event: dict[str, Any], **body: Any) -> SpooledEvent:
    batch = taken({"type": "track", "event": "E", "userId": "u1"} | event, **body)
    assert batch.rejects == []
    return batch.events[0]


def reason(event: Any, **body: Any) -> str:
    batch = taken(event, **body)
    assert batch.events == []
    return batch.rejects[0].reason


class TestAccept:
    def test_knows_a_user_by_pseudonym_only(self):
        assert one({"userId": "u1"}).user_key == pseudonym("u1", KEY)

    def test_takes_the_anonymous_id_where_there_is_no_user(self):
        assert one({"userId": None, "anonymousId": "visitor"}).user_key == pseudonym("visitor", KEY)

    @pytest.mark.parametrize(("given", "text"), [(42, "42"), (42.0, "42"), (1.5, "1.5"), (" u ", "u")])
    def test_reads_ids_that_are_numbers_as_text(self, given: Any, text: str):
        event = one({"userId": given, "context": {"groupId": given}})
        assert (event.user_key, event.organization_id) == (pseudonym(text, KEY), text)

    def test_makes_an_id_for_a_message_without_one(self):
        assert one({"messageId": None}).message_id == "minted"

    def test_keeps_an_overlong_message_id_as_its_hash_so_that_it_still_identifies(self):
        first, again = one({"messageId": "x" * 101}), one({"messageId": "x" * 101})
        assert first.message_id == again.message_id
        assert len(first.message_id) == 64

    @pytest.mark.parametrize(
        ("event", "account"),
        [
            ({"type": "group", "groupId": 7, "context": {"groupId": "c"}}, "7"),
            ({"groupId": "ignored", "context": {"groupId": "c"}, "properties": {"groupId": "p"}}, "c"),
            ({"properties": {"group_id": "p"}, "context": {"traits": {"company": {"id": "t"}}}}, "p"),
            ({"context": {"traits": {"company": {"id": "t"}}}}, "t"),
            ({"type": "identify", "traits": {"company": {"id": "t"}}}, "t"),
            ({}, ""),
        ],
    )
    def test_finds_the_account_in_the_protocols_order(self, event: dict[str, Any], account: str):
        assert one(event).organization_id == account

    def test_reads_the_batchs_context_under_each_events_own(self):
        shared = {"groupId": "all", "traits": {"role": "Viewer"}}
        own, other = taken(
            {"type": "track", "event": "E", "userId": "u", "context": {"groupId": "mine"}},
            {"type": "track", "event": "E", "userId": "u"},
            context=shared,
        ).events
        assert (own.organization_id, own.role) == ("mine", "Viewer")
        assert other.organization_id == "all"

    def test_reads_module_feature_and_role_whatever_their_case(self):
        event = one({"properties": {"Module": "Cases", "feature": "export"}, "context": {"traits": {"Role": "Admin"}}})
        assert (event.module, event.feature, event.role) == ("Cases", "export", "Admin")

    def test_tells_a_role_that_is_cleared_from_one_that_is_not_said(self):
        assert one({"type": "identify", "traits": {"role": None}}).role == ""
        assert one({"type": "identify", "traits": {"plan": "pro"}}).role is None

    def test_writes_the_keys_of_traits_one_way(self):
        event = one({"type": "identify", "traits": {"createdAt": "2026-01-01", "Job-Title": "x"}})
        assert json.loads(event.properties or "") == {"created_at": "2026-01-01", "job_title": "x"}

    @pytest.mark.parametrize(
        "event",
        [{"userId": "build-bot"}, {"userId": "service:sync"}, {"properties": {"isBot": True}},
         {"context": {"traits": {"is_service": "true"}}}],
    )  # fmt: skip
    def test_flags_service_users(self, event: dict[str, Any]):
        assert one(event).is_service

    def test_takes_people_for_people(self):
        assert not one({"userId": "abbot", "properties": {"is_bot": False}}).is_service

    def test_keeps_all_times_in_microseconds(self):
        sent, happened = NOW + timedelta(hours=1), NOW + timedelta(minutes=30)
        event = one({"timestamp": happened.isoformat()}, sentAt=sent.isoformat().replace("+00:00", "Z"))
        assert event.ts == microseconds(NOW - timedelta(minutes=30))
        assert (event.sent_at, event.original_ts) == (microseconds(sent), microseconds(happened))

    def test_ignores_a_senders_word_on_when_it_was_received(self):
        assert one({"receivedAt": "2020-01-01T00:00:00Z"}).ts == microseconds(NOW)

    def test_names_pages_by_their_name_and_category(self):
        event = one({"type": "page", "name": "Home", "category": "Docs"})
        assert (event.type, event.event, event.module) == ("page", "Home", "Docs")

    def test_keeps_of_an_alias_the_earlier_pseudonym(self):
        event = one({"type": "alias", "previousId": "visitor"})
        assert json.loads(event.properties or "") == {"previous_key": pseudonym("visitor", KEY)}

    def test_takes_the_type_from_the_path_of_a_single_event(self):
        assert taken({"userId": "u", "event": "E"}, path="t").events[0].type == "track"

    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            ({"userId": "u"}, "type: needs one of"),
            ({"type": "track", "userId": "u"}, "event: missing"),
            ({"type": "track", "event": "E"}, "userId: missing"),
            ({"type": "group", "userId": "u"}, "groupId: missing"),
            ({"type": "track", "event": "E", "userId": "u", "timestamp": "yesterday"}, "timestamp: is not an ISO 8601"),
            ({"type": "track", "event": "E", "userId": "u", "timestamp": "0001-01-01T00:00:00Z"}, "before 1970"),
            ({"type": "track", "event": 5, "userId": "u"}, "`$.event`"),
            ({"type": "track", "event": "E", "userId": {"id": 1}}, "`$.userId`"),
            ({"type": "track", "event": "E", "userId": "u", "properties": "x"}, "`$.properties`"),
            ({"type": "track", "event": "E", "userId": "u", "context": {"groupId": "g" * 201}}, "groupId: over 200"),
            ("nonsense", "Expected `object`"),
        ],
    )
    def test_rejects_one_event_with_the_field_at_fault(self, event: Any, expected: str):
        assert expected in reason(event)

    def test_keeps_the_good_ones_beside_a_bad_one(self):
        good = {"type": "track", "event": "E", "userId": "u"}
        batch = taken(good, {"type": "no"}, good)
        assert (len(batch.events), len(batch.rejects)) == (2, 1)

    def test_shows_no_person_in_the_sample_of_a_reject(self):
        bad = {
            "type": "track",
            "userId": "ada@x.example",
            "properties": {"email": "a@x.example", "n": 1},
            "traits": {"a": 1},
        }
        reject = taken(bad).rejects[0]
        assert reject.sample == {
            "type": "track",
            "properties": {"n": 1},
            "fields": ["type", "userId", "properties", "traits"],
        }

    def test_rejects_an_event_under_another_key_than_the_batchs(self):
        event = {"type": "track", "event": "E", "userId": "u", "writeKey": "other"}
        assert reason(event, writeKey="wk_1").startswith("writeKey: another key")


class TestOpenEnvelope:
    @pytest.mark.parametrize(
        ("body", "path", "code"),
        [
            (b"{", "batch", "invalid_json"), (b"\xff", "batch", "invalid_json"), (b"[]", "batch", "invalid_field"),
            (b"{}", "batch", "invalid_field"), (b'{"batch":{}}', "batch", "invalid_field"),
            (b'{"batch":[],"sentAt":"soon"}', "batch", "invalid_field"), (b"3", "track", "invalid_field"),
            (b'{"x":"' + b"y" * 33_000 + b'"}', "track", "event_too_large"),
        ],
    )  # fmt: skip
    def test_refuses_a_body_with_its_first_fault(self, body: bytes, path: str, code: str):
        with pytest.raises(WireError) as caught:
            open_envelope(body, path)
        assert (caught.value.status, caught.value.code) == (400, code)

    def test_puts_events_over_2500_aside(self):
        envelope = open_envelope(json.dumps({"batch": [{}] * 2503}).encode(), "b")
        assert (len(envelope.events), len(envelope.surplus)) == (2500, 3)

    def test_accepts_a_byte_order_mark(self):
        assert open_envelope(b'\xef\xbb\xbf{"batch":[]}', "batch").events == []


class TestDecompressed:
    def test_opens_gzip_also_in_several_pieces(self):
        assert decompressed(gzip.compress(b"ab") + gzip.compress(b"cd"), "gzip") == b"abcd"

    def test_never_unpacks_more_than_the_limit(self):
        with pytest.raises(WireError) as caught:
            decompressed(gzip.compress(b"0" * 50_000_000), "gzip")
        assert caught.value.status == 413

    @pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"abcdef")[:-9]], ids=["no gzip", "cut off"])
    def test_refuses_what_is_broken(self, body: bytes):
        with pytest.raises(WireError, match="gzip"):
            decompressed(body, "gzip")

    def test_refuses_another_compression(self):
        with pytest.raises(WireError, match="not supported"):
            decompressed(b"x", "br")


class TestHeaderKey:
    @pytest.mark.parametrize("text", ["wk_1:", "wk_1", "wk_1:secret"])
    def test_reads_basic_with_and_without_colon_and_padding(self, text: str):
        encoded = base64.b64encode(text.encode()).decode()
        assert header_key(f"Basic {encoded}") == "wk_1"
        assert header_key(f"basic {encoded.rstrip('=')}") == "wk_1"

    @pytest.mark.parametrize("header", ["", "Bearer abc", "Basic ???", "Basic " + base64.b64encode(b":").decode()])
    def test_finds_none_elsewhere(self, header: str):
        assert header_key(header) is None


class TestSpoolFormat:
    def test_comes_back_as_it_went_in(self):
        event = SpooledEvent("m", "acme", None, True, "track", "E", "M", None, "", 5, None, 3, '{"a":1}')
        batch = Batch([event], [Reject("x", "why", {"n": 1})], "lib 1")
        assert unpack(pack(batch)) == batch

    def test_becomes_a_frame_with_instants(self):
        event = SpooledEvent(
            "m", "acme", None, True, "track", "E", "M", None, None, microseconds(NOW), None, None, None
        )
        row = to_frame([(NOW, "web", Batch([event], []))]).row(0, named=True)
        assert (row["ts"], row["received_at"], row["source"], row["sent_at"]) == (NOW, NOW, "web", None)

    def test_of_nothing_is_an_empty_frame(self):
        assert to_frame([]).height == 0
