"""Foreign frames become normalised events; expected values are worked by hand."""

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.usage.bulk import BulkOptions, Normalised, normalise
from bellwether.usage.bulk_times import instants
from bellwether.usage.lake import EVENT_SCHEMA
from bellwether.usage.occurrences import Occurrences
from bellwether.usage.pseudonyms import pseudonym

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
KEY = b"key"
SAME = ("organization_id", "user_id", "ts", "event")


def options(columns: dict[str, str] | None = None, **more: Any) -> BulkOptions:
    given: dict[str, Any] = {
        "columns": {name: name for name in SAME} if columns is None else columns,
        "source": "import",
        "now": NOW,
        "pseudonym_key": KEY,
        "service_pattern": r"(?i)\bbot\b",
        "event": "file",
    }
    return BulkOptions(**(given | more))


def events_of(frame: pl.DataFrame, seen: Occurrences | None = None, **more: Any) -> list[dict[str, Any]]:
    return normalise(frame, options(**more), seen or Occurrences()).events.to_pylist()


def one(**cells: Any) -> pl.DataFrame:
    row = {"organization_id": "acme", "user_id": "u1", "ts": "2026-06-01T10:00:00Z", "event": "Signed In"} | cells
    return pl.DataFrame({name: [value] for name, value in row.items()})


def columns_of(frame: pl.DataFrame, *ours: str) -> dict[str, str]:
    return {name: name for name in (*SAME, *ours) if name in frame.columns}


class TestNormalise:
    def test_gives_every_column_of_the_lake(self):
        (event,) = events_of(one())
        assert list(event) == EVENT_SCHEMA.names
        assert event["organization_id"] == "acme"
        assert event["user_key"] == pseudonym("u1", KEY)
        assert (event["type"], event["event"], event["source"]) == ("track", "Signed In", "import")
        assert event["ts"] == event["original_ts"] == datetime(2026, 6, 1, 10, tzinfo=UTC)
        assert event["received_at"] == NOW
        assert (event["is_service"], event["properties"], event["role"], event["sent_at"]) == (False, None, None, None)

    def test_clamps_times_to_the_receipt_and_the_receipt_to_now(self):
        frame = one(received_at="2026-05-31T00:00:00Z")
        (event,) = events_of(frame, columns=columns_of(frame, "received_at"))
        assert event["ts"] == event["received_at"] == datetime(2026, 5, 31, tzinfo=UTC)
        assert event["original_ts"] == datetime(2026, 6, 1, 10, tzinfo=UTC)
        (event,) = events_of(one(ts="2027-01-01T00:00:00Z"))
        assert event["ts"] == NOW

    def test_corrects_the_senders_clock_where_the_file_has_sent_at(self):
        frame = one(sent_at="2026-06-01T10:05:00Z", received_at="2026-06-01T09:05:00Z")
        (event,) = events_of(frame, columns=columns_of(frame, "sent_at", "received_at"))
        assert event["ts"] == datetime(2026, 6, 1, 9, tzinfo=UTC)

    def test_flags_service_users_by_column_and_by_pattern(self):
        frame = pl.DataFrame(
            {
                "organization_id": "acme",
                "user_id": ["u1", "build bot", "u3", None],
                "ts": date(2026, 6, 1),
                "event": "x",
                "is_bot": ["no", "no", "TRUE", None],
            }
        )
        events = events_of(frame, columns=columns_of(frame) | {"is_service": "is_bot"})
        assert [event["is_service"] for event in events] == [False, True, True, False]

    def test_puts_the_other_columns_into_properties_without_empty_ones(self):
        frame = one(files=3, note=None, ratio=0.5, ok=True, label='a "b", c', **{"properties.plan": "pro"})
        (event,) = events_of(frame)
        assert json.loads(event["properties"]) == {
            "files": 3,
            "ratio": 0.5,
            "ok": True,
            "label": 'a "b", c',
            "plan": "pro",
        }

    def test_lets_no_personal_data_through(self):
        frame = one(
            email="uma@client.example",
            first_name="Uma",
            note="call uma@client.example",
            ip="10.0.0.1",
            event="By a@b.example",
        )
        (event,) = events_of(frame)
        assert json.loads(event["properties"]) == {"note": "call [removed]"}
        assert event["event"] == "By [removed]"
        assert "u1" not in json.dumps(event, default=str).replace(event["message_id"], "")

    def test_leaves_out_what_the_operator_does_not_want(self):
        (event,) = events_of(one(secret="x"), left_out=frozenset({"secret"}))
        assert event["properties"] is None

    def test_keeps_events_without_a_client_unassigned(self):
        (event,) = events_of(one(organization_id=None))
        assert event["organization_id"] == ""

    def test_reads_ids_that_became_numbers(self):
        (event,) = events_of(one(organization_id=17850.0, user_id=12))
        assert (event["organization_id"], event["user_key"]) == ("17850", pseudonym("12", KEY))

    def test_names_events_without_a_name(self):
        frame = pl.DataFrame(
            {"organization_id": "a", "ts": date(2026, 6, 1), "type": ["track", "identify", "page", None]}
        )
        events = events_of(frame, columns={"organization_id": "organization_id", "ts": "ts", "type": "type"})
        assert [(e["type"], e["event"]) for e in events] == [
            ("track", "file"),
            ("identify", "identify"),
            ("page", "page"),
            ("track", "file"),
        ]

    def test_uses_constants_and_anonymous_ids(self):
        frame = pl.DataFrame({"anon": ["x"], "day": ["2026-06-01"]})
        (event,) = events_of(
            frame, columns={"anonymous_id": "anon", "ts": "day"}, constants={"organization_id": "acme"}
        )
        assert (event["organization_id"], event["user_key"]) == ("acme", pseudonym("x", KEY))

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            ({"ts": "soon"}, "ts 'soon' is not a time"),
            ({"ts": None}, "ts (ts) is empty"),
            ({"ts": "1969-07-20 20:17"}, "ts lies before 1970"),
            ({"type": "poke"}, "type 'poke' is none of track, identify, group, page, screen, alias"),
            ({"type": "group", "organization_id": ""}, "organization_id is empty, which a group event must name"),
            ({"organization_id": "x" * 201}, "organization_id is longer than 200 characters"),
            ({"received_at": "never"}, "received_at 'never' is not a time"),
        ],
    )
    def test_refuses_a_row_with_the_reason_and_keeps_the_others(self, cells: dict[str, Any], reason: str):
        frame = pl.concat([one(**cells).cast(pl.String), one(**cells | {c: v for c, v in GOOD.items() if c in cells})])
        done = normalise(frame, options(columns_of(frame, "type", "received_at")), Occurrences())
        assert done.refused == [(0, reason)]
        assert done.events.num_rows == 1

    def test_says_all_that_is_wrong_with_a_row(self):
        frame = one(ts="soon", type="poke")
        done = normalise(frame, options(columns_of(frame, "type")), Occurrences())
        assert done.refused[0][1].count("; ") == 1

    @given(
        st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=8)
    )
    def test_takes_or_refuses_any_text_and_loses_no_row(self, cells: list[tuple[str, str, str]]):
        frame = pl.DataFrame(cells, schema=dict.fromkeys(("user_id", "ts", "other"), pl.String), orient="row")
        done = normalise(frame, options({"user_id": "user_id", "ts": "ts"}), Occurrences())
        assert done.events.num_rows + len(done.refused) == frame.height
        for event in done.events.to_pylist():
            assert event["properties"] is None or isinstance(json.loads(event["properties"]), dict)


GOOD = {"ts": "2026-06-01", "type": "track", "organization_id": "acme", "received_at": "2026-06-02"}


class TestMessageIds:
    def ids(self, frame: pl.DataFrame, seen: Occurrences | None = None, **more: Any) -> list[str]:
        return [event["message_id"] for event in events_of(frame, seen, **more)]

    def test_are_those_of_the_file(self):
        frame = pl.concat([one(id="m1"), one(id="x" * 101), one(id="a@b.example")])
        first, long, address = self.ids(frame, columns=columns_of(frame) | {"message_id": "id"})
        assert first == "m1"
        assert len(long) == len(address) == 64

    def test_follow_from_the_content_where_the_file_has_none(self):
        assert self.ids(one(a=1)) == self.ids(one(a=1))
        assert self.ids(one(a=1)) != self.ids(one(a=2))
        frame = pl.concat([one(id="m2"), one(id=None).cast(pl.String)])
        given_id, derived = self.ids(frame, columns=columns_of(frame) | {"message_id": "id"})
        assert (len(derived), given_id) == (32, "m2")

    def test_do_not_follow_from_the_time_of_receipt(self):
        frames = [one(received_at=f"2026-06-0{day}") for day in (2, 3)]
        first, second = (self.ids(f, columns=columns_of(f, "received_at")) for f in frames)
        assert first == second

    def test_keep_equal_rows_apart_also_over_batches(self):
        whole = self.ids(pl.concat([one()] * 5))
        assert len(set(whole)) == 5
        seen = Occurrences()
        parts = self.ids(pl.concat([one()] * 2), seen) + self.ids(pl.concat([one()] * 3), seen)
        assert parts == whole


class TestOccurrences:
    @given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=12))
    def test_counts_like_a_dictionary(self, batches: list[list[int]]):
        seen, counts = Occurrences(), dict.fromkeys(range(10), 0)
        for batch in batches:
            assert seen.before(np.array(batch, dtype=np.uint64)).tolist() == [counts[key] for key in batch]
            for key in batch:
                counts[key] += 1


class TestInstants:
    def test_reads_columns_of_every_type_alike(self):
        expected = datetime(2026, 6, 1, 10, tzinfo=UTC)
        local = datetime(2026, 6, 1, 10)  # noqa: DTZ001 (a file's time without a zone)
        for cell in (expected, local, "2026-06-01 10:00:00", "2026-06-01T12:00:00+02:00", 1780308000, 1780308000000.0):
            assert instants(pl.Series("t", [cell]), zone=UTC, order=None).to_list() == [expected]

    def test_places_local_times_in_their_zone_whatever_the_clocks_do(self):
        berlin = ZoneInfo("Europe/Berlin")
        cells = ["2026-07-01 12:00", "2026-10-25 02:30", "2026-03-29 02:30", "", None, "x"]
        assert instants(pl.Series("t", cells), zone=berlin, order=None).to_list() == [
            datetime(2026, 7, 1, 10, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # twice on that night: the earlier
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # left out that night: as if clocks had not been changed
            None,
            None,
            None,
        ]

    def test_mixes_forms_within_a_column(self):
        cells = ["2026-06-01", "01.06.2026", "1 Jun 2026 00:00", "2026-06-01T00:00:00.000Z"]
        found = instants(pl.Series("t", cells), zone=UTC, order=None)
        assert found.unique().to_list() == [datetime(2026, 6, 1, tzinfo=UTC)]
        assert found.dtype == pl.Datetime("us", "UTC")


def test_an_empty_batch_gives_no_events():
    done: Normalised = normalise(one().clear(), options(), Occurrences())
    assert (done.events.num_rows, done.refused) == (0, [])
