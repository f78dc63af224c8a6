"""Facts of raw events for custom measures: what a selection counts, when, and that a crash is harmless."""

import random
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import polars as pl
import pytest

from bellwether.common.jobs import run_job
from bellwether.common.progress import NoProgress
from bellwether.usage import custom_jobs as _declares_the_job  # noqa: F401
from bellwether.usage import custom_keeping, services
from bellwether.usage.custom_facts import count_days, refresh_custom_facts
from bellwether.usage.custom_keeping import fill
from bellwether.usage.custom_specs import Condition, FactSpec, spec_from_data
from bellwether.usage.custom_wants import complete_facts, recount_all, want_facts
from bellwether.usage.dirty import mark_facts
from bellwether.usage.facts import read_month, stored_months
from bellwether.usage.lake import ACTION_TYPES, Lake
from bellwether.usage.models import CustomFact, DirtyScore
from tests.usage.rollup_twin import event, place

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
EXPORT = "Report Exported"


def days_spec(**given: Any) -> FactSpec:
    values: dict[str, Any] = {"keep": "days", "types": ACTION_TYPES, "events": (EXPORT,)} | given
    return FactSpec(**values)


def users_spec(**given: Any) -> FactSpec:
    return days_spec(keep="users", **given)


def export(ts: str, user: str | None = "ann", properties: str | None = None, **fields: Any) -> Any:
    return event(ts, user, event=EXPORT, properties=properties, **fields)


def counted(lake: Lake, events: list[Any], spec: FactSpec, labels: dict[str, str] | None = None) -> pl.DataFrame:
    """Return what `spec` comes to on the days of `events`, ordered."""
    days = place(lake, events)
    frames = count_days(lake, days, [spec], labels=labels or {})
    kind = "custom_days" if spec.keep == "days" else "custom_users"
    keys = ["date", "organization_id"] + (["user_key"] if kind == "custom_users" else [])
    return frames[kind].sort(keys)


def numbers(frame: pl.DataFrame, *columns: str) -> list[Any]:
    return [row[0] if len(row) == 1 else row for row in frame.select(columns).rows()]


class TestWhatIsCounted:
    def test_sums_the_property_and_keeps_its_last_value_of_each_day(self, lake: Lake) -> None:
        made = [
            export("2026-06-01T09:00", properties='{"pages": 3.5}'),
            export("2026-06-01T17:00", properties='{"pages": 2}'),
            export("2026-06-01T12:00", properties='{"pages": 40}'),
            export("2026-06-02T12:00", properties='{"other": 1}'),
        ]
        rows = counted(lake, made, days_spec(attribute="pages"))
        assert numbers(rows, "date", "events", "total", "last") == [
            (date(2026, 6, 1), 3, 455_000, 2.0),
            (date(2026, 6, 2), 1, None, None),
        ]

    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ('"12.5"', 12.5), ("true", 1.0), ("false", 0.0), ('"much"', None), ("null", None), ("1e300", None),
            ('"nan"', None), ('"inf"', None), ("-3", -3.0), ("[4]", None), ('{"a": 1}', None),
        ],
    )  # fmt: skip
    def test_takes_as_a_number_what_is_one(self, lake: Lake, written: str, number: float | None) -> None:
        rows = counted(lake, [export("2026-06-01T09:00", properties=f'{{"n": {written}}}')], days_spec(attribute="n"))
        assert numbers(rows, "events", "last") == [(1, number)]

    def test_takes_the_later_of_two_at_one_instant_by_message_id(self, lake: Lake) -> None:
        at = "2026-06-01T09:00"
        made = [
            export(at, properties='{"n": 1}', message_id="b"),
            export(at, properties='{"n": 2}', message_id="a"),
        ]
        assert numbers(counted(lake, made, days_spec(attribute="n")), "last") == [1.0]

    @pytest.mark.parametrize(
        ("condition", "users"),
        [
            (Condition("format", "equals", ("pdf",)), ["ann"]),
            (Condition("format", "in", ("csv", "pdf")), ["ann", "bob"]),
            (Condition("pages", "greater", ("2.0",)), ["bob"]),
            (Condition("pages", "less", ("2.5",)), ["ann"]),
            (Condition("shared", "exists"), ["cy"]),
            (Condition("it's", "equals", ("'; DROP TABLE raw; --",)), []),
        ],
        ids=["equals", "in", "greater", "less", "exists", "quotes"],
    )
    def test_looks_at_properties(self, lake: Lake, condition: Condition, users: list[str]) -> None:
        made = [
            export("2026-06-01T09:00", "ann", '{"format": "pdf", "pages": 2}'),
            export("2026-06-01T09:00", "bob", '{"format": "csv", "pages": "3"}'),
            export("2026-06-01T09:00", "cy", '{"shared": false}'),
            export("2026-06-01T09:00", "dee"),
        ]
        name = condition.attribute.replace("'", "")
        condition = Condition(name, condition.comparison, condition.values)
        assert numbers(counted(lake, made, users_spec(where=(condition,))), "user_key") == users

    def test_looks_at_module_feature_label_and_who_it_was(self, lake: Lake) -> None:
        made = [
            export("2026-06-01T09:00", "ann", '{"state": "late"}', module="Analytics", feature="exports"),
            export("2026-06-01T09:00", "bob", '{"state": "late"}', module="Cases", feature="exports"),
            export("2026-06-01T09:00", "cy", '{"state": "in time"}', module="Analytics", feature="exports"),
            export("2026-06-01T09:00", "robot", '{"state": "late"}', module="Analytics", feature="exports",
                   is_service=True),
            export("2026-06-01T09:00", None, '{"state": "late"}', module="Analytics", feature="exports"),
            event("2026-06-01T09:00", "eve", event="Other", module="Analytics"),
        ]  # fmt: skip
        spec = users_spec(module="analytics", feature="Exports", label="late")
        assert numbers(counted(lake, made, spec, {EXPORT: "state"}), "user_key") == ["ann"]
        both = users_spec(module="analytics", feature="Exports", label="late", people_only=False)
        assert numbers(counted(lake, made, both, {EXPORT: "state"}), "user_key") == ["ann", "robot"]

    def test_keeps_what_was_last_said_of_each_user(self, lake: Lake) -> None:
        made = [
            event("2026-06-01T09:00", "ann", type="identify", event="identify", properties='{"seats": 3}'),
            event("2026-06-01T10:00", "ann", type="identify", event="identify", properties='{"seats": 5}'),
            event("2026-06-01T11:00", "ann", type="identify", event="identify", properties='{"plan": "gold"}'),
            event("2026-06-01T09:00", "bob", type="group", event="group", properties='{"seats": 1}'),
            event("2026-06-01T09:00", "cy", properties='{"seats": 99}'),
        ]
        spec = FactSpec(keep="user_values", types=("identify", "group"), attribute="seats")
        assert numbers(counted(lake, made, spec), "user_key", "value") == [("ann", 50_000), ("bob", 10_000)]

    def test_counts_a_message_that_lies_there_twice_once(self, lake: Lake) -> None:
        one = export("2026-06-01T09:00", properties='{"n": 7}', message_id="same")
        place(lake, [one], part="again")
        assert numbers(counted(lake, [one], days_spec(attribute="n")), "events", "total") == [(1, 70_000)]

    def test_leaves_out_events_of_no_client(self, lake: Lake) -> None:
        assert counted(lake, [export("2026-06-01T09:00", organization="")], days_spec()).is_empty()


class TestTheSameEventsGiveTheSameFacts:
    def test_whatever_their_order_and_parts(self, tmp_path: Any) -> None:
        chance = random.Random(7)
        made = [
            export(f"2026-0{month}-{day:02d}T{hour:02d}:00", chance.choice(["ann", "bob"]),
                   f'{{"n": {chance.uniform(-1e6, 1e6)!r}}}', organization=chance.choice(["sturdy", "fading"]))
            for month, day, hour in product((5, 6), (1, 2, 28), (3, 9, 21))
        ]  # fmt: skip
        specs = [days_spec(attribute="n"), users_spec()]
        frames = []
        for name in ("once", "shuffled"):
            there = Lake(tmp_path / name)
            days = set()
            if name == "once":
                days |= set(place(there, made))
            else:
                chance.shuffle(made)
                days |= set(place(there, made[:10], part="a")) | set(place(there, made[10:], part="b"))
            refresh_custom_facts(there, days, specs, labels={}, progress=NoProgress())
            frames.append({(k, m): read_month(there, k, m) for k in ("custom_days", "custom_users")
                           for m in ("2026-05", "2026-06")})  # fmt: skip
        for key, frame in frames[0].items():
            assert frame.height > 0
            assert frame.equals(frames[1][key]), key

    def test_a_second_refresh_changes_no_file(self, lake: Lake) -> None:
        days = place(lake, [export("2026-06-01T09:00")])
        assert refresh_custom_facts(lake, days, [users_spec()], labels={}, progress=NoProgress()) == 1
        assert refresh_custom_facts(lake, days, [users_spec()], labels={}, progress=NoProgress()) == 0

    def test_a_spec_survives_being_stored(self) -> None:
        spec = users_spec(where=(Condition("a", "in", ("1", "2")), Condition("b", "exists")), module="M")
        assert spec_from_data(spec.as_data()) == spec
        assert spec.digest != users_spec().digest


@pytest.mark.django_db
class TestKeeping:
    def test_the_past_is_counted_by_a_job_and_today_is_scored(self, lake: Lake) -> None:
        place(lake, [export("2025-01-05T09:00"), export("2026-06-30T09:00", "bob")])
        assert want_facts([users_spec()], now=NOW) == [users_spec().digest]
        assert complete_facts() == frozenset()
        counts = run_job("measure_backfill", now=NOW)
        assert (counts["specs"], counts["days"], counts["files"]) == (1, 2, 2)
        assert complete_facts() == {users_spec().digest}
        assert stored_months(lake, "custom_users") == ["2025-01", "2026-06"]
        assert list(DirtyScore.objects.values_list("date", flat=True)) == [date(2026, 6, 30)]
        assert run_job("measure_backfill", now=NOW) == {}

    def test_the_rollup_counts_what_comes_later(self, lake: Lake) -> None:
        want_facts([users_spec()], now=NOW)
        run_job("measure_backfill", now=NOW)
        mark_facts(place(lake, [export("2026-06-30T09:00")]), now=NOW)
        services.roll_up_dirty(now=NOW, progress=NoProgress())
        assert numbers(read_month(lake, "custom_users", "2026-06"), "user_key") == ["ann"]
        mark_facts(place(lake, [export("2026-06-30T08:00", "late")], part="q"), now=NOW)
        services.roll_up_dirty(now=NOW, progress=NoProgress())
        assert numbers(read_month(lake, "custom_users", "2026-06"), "user_key") == ["ann", "late"]

    def test_a_run_that_is_killed_is_done_again(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        place(lake, [export("2026-05-05T09:00"), export("2026-06-05T09:00")])
        want_facts([users_spec()], now=NOW)
        monkeypatch.setattr("bellwether.usage.counting.BATCH_BYTES", 1)
        count = custom_keeping.refresh_custom_facts
        done: list[Any] = []

        def killed_in_the_second_batch(*given: Any, **named: Any) -> int:
            if done:
                raise KeyboardInterrupt
            done.append(1)
            return count(*given, **named)

        monkeypatch.setattr(custom_keeping, "refresh_custom_facts", killed_in_the_second_batch)
        with pytest.raises(KeyboardInterrupt):
            fill(lake, labels={}, now=NOW, progress=NoProgress())
        assert complete_facts() == frozenset()
        monkeypatch.undo()
        assert fill(lake, labels={}, now=NOW, progress=NoProgress()).files == 1
        assert len(complete_facts()) == 1

    def test_what_is_not_wanted_any_more_is_forgotten(self, lake: Lake) -> None:
        place(lake, [export("2026-06-05T09:00")])
        want_facts([users_spec(), days_spec()], now=NOW)
        fill(lake, labels={}, now=NOW, progress=NoProgress())
        assert want_facts([days_spec()], now=NOW) == []
        done = fill(lake, labels={}, now=NOW, progress=NoProgress())
        assert done.forgotten == 1
        assert stored_months(lake, "custom_users") == []
        assert stored_months(lake, "custom_days") == ["2026-06"]
        assert list(CustomFact.objects.values_list("digest", flat=True)) == [days_spec().digest]

    def test_what_is_wanted_again_before_it_was_forgotten_is_counted_again(self, lake: Lake) -> None:
        place(lake, [export("2026-06-05T09:00")])
        want_facts([users_spec()], now=NOW)
        fill(lake, labels={}, now=NOW, progress=NoProgress())
        want_facts([], now=NOW)
        assert want_facts([users_spec()], now=NOW) == [users_spec().digest]
        fill(lake, labels={}, now=NOW, progress=NoProgress())
        assert read_month(lake, "custom_users", "2026-06").height == 1

    def test_facts_that_were_lost_are_made_again(self, lake: Lake) -> None:
        place(lake, [export("2026-06-05T09:00")])
        want_facts([users_spec()], now=NOW)
        fill(lake, labels={}, now=NOW, progress=NoProgress())
        before = read_month(lake, "custom_users", "2026-06")
        (lake.root / "custom_users" / "month=2026-06" / "facts.parquet").unlink()
        assert recount_all(now=NOW) == 1
        fill(lake, labels={}, now=NOW, progress=NoProgress())
        assert read_month(lake, "custom_users", "2026-06").equals(before)
