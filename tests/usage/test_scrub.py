"""Personal data is removed, and nothing else."""

import json
import time

import pytest

from bellwether.usage.scrub import REMOVED, holds_personal, is_personal_key, scrub, scrub_json, scrub_text


class TestIsPersonalKey:
    @pytest.mark.parametrize(
        "key", ["name", "First Name", "lastName", "user_name", "inviteeEmail", "invitee_first_name", "phone-number",
                "IP", "ipAddress", "context_ip_address", "userId", "Manager Name", "address", "avatar"],
    )  # fmt: skip
    def test_knows_what_names_a_persons_datum_however_it_is_written(self, key: str):
        assert is_personal_key(key)

    @pytest.mark.parametrize(
        "key", ["feature_name", "account_name", "plan", "module", "count", "tip", "shipping", "role"]
    )
    def test_leaves_what_belongs_to_no_person(self, key: str):
        assert not is_personal_key(key)


class TestScrubText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("write to ada@example.org now", f"write to {REMOVED} now"),
            ("https://app.example.org/?mail=ada%40example.org&x=1", f"https://app.example.org/?mail={REMOVED}&x=1"),
            ("call +44 20 7946 0958", f"call {REMOVED}"),
            ("call (555) 123-4567", f"call {REMOVED}"),
            ("from 203.0.113.7.", f"from {REMOVED}."),
            ("from 2001:db8::1", f"from {REMOVED}"),
        ],
    )
    def test_cuts_out_addresses_and_numbers(self, text: str, expected: str):
        assert scrub_text(text) == expected

    @pytest.mark.parametrize(
        "text",
        ["Case Created", "2026-01-10T16:34:40.253+00:00", "12:30:45", "10.0.19045.1", "a @ b", "+12", "std::map"],
    )
    def test_leaves_times_versions_and_words(self, text: str):
        assert scrub_text(text) == text

    @pytest.mark.parametrize("piece", ["x", "a@", "1.2.3.", "+1 ", "f:", "%40", "(555) "])
    def test_takes_time_in_proportion_to_the_text(self, piece: str):
        start = time.process_time()
        scrub_text(piece * 30_000)
        assert time.process_time() - start < 1


class TestScrub:
    def test_drops_personal_keys_at_every_depth(self):
        value = {"plan": "pro", "user": {"email": "a@b.example", "seats": 3}, "list": [{"phone": "1"}, "ada@b.example"]}
        assert scrub(value) == {"plan": "pro", "user": {"seats": 3}, "list": [{}, REMOVED]}

    def test_drops_a_value_that_is_nothing_but_personal(self):
        assert scrub({"who": "ada@example.org", "n": 1}) == {"n": 1}

    def test_cleans_keys_too(self):
        assert scrub({"seen by ada@example.org": 1}) == {f"seen by {REMOVED}": 1}

    def test_ends_at_twelve_levels(self):
        deep: dict[str, object] = {"email": "a@b.example"}
        for _ in range(40):
            deep = {"x": deep}
        assert "@" not in json.dumps(scrub(deep))


class TestHoldsPersonal:
    @pytest.mark.parametrize(
        "value", [{"email": 1}, {"a": "x@y.example"}, {"a": ["x@y.example"]}, {"a": {"b": "+44 20 7946 0958"}},
                  {"a": "long " * 40 + "x@y.example"}, {"a@b.example": 1}],
    )  # fmt: skip
    def test_agrees_with_what_scrub_changes(self, value: object):
        assert holds_personal(value)
        assert scrub(value) != value

    def test_says_no_where_scrub_changes_nothing(self):
        value = {"module": "Cases", "n": 1, "list": ["a", 2.5, None], "deep": {"plan": "pro"}}
        assert not holds_personal(value)
        assert scrub(value) == value


class TestScrubJson:
    def test_returns_an_innocent_document_as_it_is(self):
        raw = b'{"module":  "Cases", "n": 1}'
        assert scrub_json(raw) is raw

    def test_finds_what_is_hidden_behind_escapes(self):
        assert scrub_json(b'{"a":"x ada\\u0040example.org"}') == b'{"a":"x [removed]"}'
