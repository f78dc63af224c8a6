"""The facts against cases worked by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bellwether.usage import facts
from bellwether.usage.lake import Lake
from tests.usage.rollup_twin import UTC_ZONE, Event, event, place, refresh, stored, twin

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")


def client_day(lake: Lake, day: str, organization: str = "sturdy") -> dict:
    rows = facts.read_client_days(
        lake, date.fromisoformat(day), date.fromisoformat(day), organization_ids=[organization]
    )
    assert rows.height == 1
    return rows.row(0, named=True)


def user_day(lake: Lake, day: str, user: str = "ann", *, is_service: bool = False) -> dict:
    rows = facts.read_user_days(lake, date.fromisoformat(day), date.fromisoformat(day)).to_dicts()
    (row,) = [row for row in rows if row["user_key"] == user and row["is_service"] == is_service]
    return row


def roll_up(lake: Lake, events: list[Event], zone: ZoneInfo = UTC_ZONE) -> None:
    refresh(lake, place(lake, events, zone=zone), zone)


class TestRollingUsers:
    def test_counts_each_person_once_in_each_window(self, lake: Lake) -> None:
        roll_up(
            lake,
            [
                event("2026-03-02T09:00", "ann"),
                event("2026-03-02T09:05", "ann"),
                event("2026-03-02T10:00", "bob"),
                event("2026-03-05T10:00", "ann"),
                event("2026-03-08T10:00", "cid"),
            ],
        )
        windows = {
            day: tuple(client_day(lake, f"2026-03-{day}")[name] for name in ("dau", "wau", "mau"))
            for day in ("02", "05", "08", "09", "11", "12")
        }
        assert windows == {
            "02": (2, 2, 2),
            "05": (1, 2, 2),
            "08": (1, 3, 3),  # 2 to 8 March are seven days: bob still counts
            "09": (0, 2, 3),  # bob is out of the week
            "11": (0, 2, 3),
            "12": (0, 1, 3),  # ann's 5 March is out too
        }
        assert client_day(lake, "2026-03-31")["mau"] == 3
        assert client_day(lake, "2026-04-01")["mau"] == 2  # bob is out of the thirty days

    def test_ends_with_the_last_day_of_the_thirty(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-01-20T09:00")])
        days = facts.read_client_days(lake, date(2026, 1, 1), date(2026, 12, 31))
        assert days["date"].min() == date(2026, 1, 20)
        assert days["date"].max() == date(2026, 2, 18)
        assert days.height == 30

    def test_carries_windows_over_the_border_of_a_month(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-01-31T23:59", "ann"), event("2026-02-01T00:01", "bob")])
        assert client_day(lake, "2026-02-01")["wau"] == 2
        assert client_day(lake, "2026-02-06")["wau"] == 2
        assert client_day(lake, "2026-02-07")["wau"] == 1
        assert client_day(lake, "2026-03-01")["mau"] == 2
        assert client_day(lake, "2026-03-02")["mau"] == 1

    def test_keeps_clients_apart(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T09:00", "ann", "sturdy"), event("2026-03-02T09:00", "ann", "fading")])
        assert client_day(lake, "2026-03-02", "sturdy")["dau"] == 1
        assert client_day(lake, "2026-03-02", "fading")["dau"] == 1


class TestWhoCounts:
    def test_does_not_count_service_users_as_people(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T09:00", "ann"), event("2026-03-02T09:00", "bot", is_service=True)])
        row = client_day(lake, "2026-03-02")
        assert (row["dau"], row["total_users"], row["actions"], row["service_actions"]) == (1, 1, 1, 1)
        assert user_day(lake, "2026-03-02", "bot", is_service=True)["sessions"] == 0

    def test_gives_a_client_of_bots_alone_a_row_on_its_days(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T09:00", "bot", is_service=True)])
        assert facts.read_client_days(lake, date(2026, 3, 1), date(2026, 4, 30)).height == 1
        assert client_day(lake, "2026-03-02")["mau"] == 0

    def test_counts_users_who_only_identified_as_known_but_not_active(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T09:00", "ann", type="identify"), event("2026-03-04T09:00", "bob")])
        first, third = client_day(lake, "2026-03-02"), client_day(lake, "2026-03-04")
        assert (first["dau"], first["mau"], first["total_users"], first["new_users"]) == (0, 0, 1, 1)
        assert (third["mau"], third["total_users"], third["new_users"]) == (1, 2, 1)
        assert user_day(lake, "2026-03-02")["actions"] == 0
        assert facts.read_event_days(lake, date(2026, 3, 2), date(2026, 3, 2)).is_empty()

    def test_keeps_events_of_nobody_out_of_the_people(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T09:00", None)])
        row = client_day(lake, "2026-03-02")
        assert (row["dau"], row["actions"], row["total_users"]) == (0, 0, 0)
        (kind,) = facts.read_event_days(lake, date(2026, 3, 2), date(2026, 3, 2)).to_dicts()
        assert (kind["events"], kind["users"]) == (1, 0)

    def test_leaves_events_without_a_client_out_and_says_how_many(self, lake: Lake) -> None:
        days = place(lake, [event("2026-03-02T09:00", organization=""), event("2026-03-02T09:00")])
        done = refresh(lake, days)
        assert (done.events, done.unassigned) == (2, 1)
        assert set(stored(lake).client_days) == {(date(2026, 3, 2) + timedelta(n), "sturdy") for n in range(30)}

    def test_counts_a_person_as_new_on_the_first_day_only(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-01-05T09:00"), event("2026-03-02T09:00"), event("2026-03-02T09:00", "bob")])
        assert client_day(lake, "2026-03-02")["new_users"] == 1
        assert client_day(lake, "2026-03-02")["total_users"] == 2


class TestSessions:
    def test_starts_one_after_more_than_thirty_minutes(self, lake: Lake) -> None:
        times = ["09:00:00", "09:30:00", "10:00:00.000001"]  # exactly 30 minutes, then a microsecond more
        roll_up(lake, [event(f"2026-03-02T{time}") for time in times])
        row = user_day(lake, "2026-03-02")
        assert (row["sessions"], row["session_seconds"]) == (2, 1800)

    def test_gives_a_session_over_midnight_to_the_day_it_starts(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T23:50"), event("2026-03-03T00:10"), event("2026-03-03T09:00")])
        first, second = user_day(lake, "2026-03-02"), user_day(lake, "2026-03-03")
        assert (first["sessions"], first["session_seconds"]) == (1, 1200)
        assert (second["sessions"], second["session_seconds"]) == (1, 0)
        assert client_day(lake, "2026-03-03")["sessions"] == 1

    def test_looks_at_the_next_day_again_when_only_the_day_before_is_dirty(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-03T00:10")])
        assert user_day(lake, "2026-03-03")["sessions"] == 1
        refresh(lake, place(lake, [event("2026-03-02T23:50")]))
        assert user_day(lake, "2026-03-02")["session_seconds"] == 1200
        assert user_day(lake, "2026-03-03")["sessions"] == 0
        assert client_day(lake, "2026-03-03")["sessions"] == 0

    def test_looks_at_the_day_before_again_over_the_border_of_a_month(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-02-28T23:50")])
        refresh(lake, place(lake, [event("2026-03-01T00:10")]))
        assert user_day(lake, "2026-02-28")["session_seconds"] == 1200
        assert client_day(lake, "2026-02-28")["session_seconds"] == 1200
        assert user_day(lake, "2026-03-01")["sessions"] == 0

    def test_follows_a_session_that_lasts_for_days(self, lake: Lake) -> None:
        start = datetime(2026, 1, 30, 12, tzinfo=UTC)
        whole = [start + timedelta(minutes=20 * n) for n in range(3 * 72 + 1)]  # 72 hours over the border of a month
        days = place(lake, [event(instant) for instant in whole])
        for day in reversed(days):  # the worst order
            refresh(lake, [day])
        sessions = {day.isoformat(): user_day(lake, day.isoformat())["sessions"] for day in days}
        assert sessions == {"2026-01-30": 1, "2026-01-31": 0, "2026-02-01": 0, "2026-02-02": 0}
        assert user_day(lake, "2026-01-30")["session_seconds"] == 72 * 3600

    def test_makes_no_session_of_identifying_alone(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T09:00", type="identify"), event("2026-03-02T10:00")])
        assert user_day(lake, "2026-03-02")["sessions"] == 1


class TestTimeZones:
    def test_counts_hours_of_the_workspace(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T18:20")], KATHMANDU)  # five hours and three quarters ahead: 00:05 next day
        hours = client_day(lake, "2026-03-03")["actions_by_hour"]
        assert hours == [1] + [0] * 23

    def test_counts_the_hour_twice_that_the_clocks_repeat(self, lake: Lake) -> None:
        # In Berlin 2026-10-25 01:30 UTC and 00:30 UTC are both 02:30: summer time, then winter time.
        roll_up(lake, [event("2026-10-25T00:30"), event("2026-10-25T01:30")], BERLIN)
        row = client_day(lake, "2026-10-25")
        assert row["actions_by_hour"][2] == 2
        assert row["sessions"] == 2  # an hour lies between them, whatever the clocks say

    def test_leaves_the_hour_empty_that_the_clocks_skip(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-29T00:59:59.9"), event("2026-03-29T01:00")], BERLIN)
        hours = client_day(lake, "2026-03-29")["actions_by_hour"]
        assert (hours[1], hours[2], hours[3]) == (1, 0, 1)


class TestKinds:
    def test_splits_by_label_and_keeps_the_last_role(self, lake: Lake) -> None:
        closed = {"event": "Case Closed"}
        roll_up(
            lake,
            [
                event("2026-03-02T09:00", role="member", properties=json.dumps({"sla_status": "on_track"}), **closed),
                event("2026-03-02T09:10", role="admin", properties=json.dumps({"sla_status": "breached"}), **closed),
                event("2026-03-02T09:20", "bob", properties=json.dumps({"sla_status": "on_track"}), **closed),
                event("2026-03-02T09:30", "bob", module="Risk", properties=json.dumps({"sla_status": "on_track"})),
            ],
        )
        rows = facts.read_event_days(lake, date(2026, 3, 2), date(2026, 3, 2)).to_dicts()
        counts = {(row["event"], row["module"], row["label"]): (row["events"], row["users"]) for row in rows}
        assert counts == {
            ("Case Closed", "Cases", "on_track"): (2, 2),
            ("Case Closed", "Cases", "breached"): (1, 1),
            ("Case Created", "Risk", None): (1, 1),
        }
        assert user_day(lake, "2026-03-02")["role"] == "admin"
        assert user_day(lake, "2026-03-02", "bob")["modules"] == 2

    @pytest.mark.parametrize(
        ("value", "label"), [("late", "late"), (5, "5"), (True, "true"), (None, None), ("null", "null"), ([1], "[1]")]
    )
    def test_writes_a_label_as_text(self, lake: Lake, value: object, label: str | None) -> None:
        roll_up(lake, [event("2026-03-02T09:00", event="Case Closed", properties=json.dumps({"sla_status": value}))])
        assert facts.read_event_days(lake, date(2026, 3, 2), date(2026, 3, 2))["label"].to_list() == [label]

    def test_has_no_label_where_the_property_or_all_of_them_lack(self, lake: Lake) -> None:
        closed = [event("2026-03-02T09:00", event="Case Closed", properties=text) for text in ("{}", None)]
        roll_up(lake, closed)
        assert facts.read_event_days(lake, date(2026, 3, 2), date(2026, 3, 2))["label"].to_list() == [None]


class TestRepeats:
    def test_counts_a_message_once_within_and_across_parts(self, lake: Lake) -> None:
        one = event("2026-03-02T09:00")
        place(lake, [one, one], part="a")
        done = refresh(lake, place(lake, [one, event("2026-03-02T09:01")], part="b"))
        assert (done.events, done.repeats) == (4, 2)
        assert client_day(lake, "2026-03-02")["actions"] == 2

    def test_keeps_the_copy_that_was_received_first(self, lake: Lake) -> None:
        early = event("2026-03-02T11:00", message_id="same", received_at=datetime(2026, 3, 2, 11, 5, tzinfo=UTC))
        late = event("2026-03-02T10:00", message_id="same", received_at=datetime(2026, 3, 2, 11, 6, tzinfo=UTC))
        place(lake, [late], part="a")
        refresh(lake, place(lake, [early], part="b"))
        assert user_day(lake, "2026-03-02")["first_ts"] == datetime(2026, 3, 2, 11, tzinfo=UTC)

    def test_takes_the_same_id_from_another_source_as_another_message(self, lake: Lake) -> None:
        roll_up(lake, [event("2026-03-02T09:00", message_id="1", source=source) for source in ("web", "server")])
        assert client_day(lake, "2026-03-02")["actions"] == 2


class TestRefresh:
    def test_changes_no_file_when_done_again(self, lake: Lake) -> None:
        days = place(lake, [event("2026-03-02T09:00"), event("2026-01-31T09:00", "bob")])
        assert refresh(lake, days).files > 0
        assert refresh(lake, days).files == 0

    def test_does_nothing_for_no_days(self, lake: Lake) -> None:
        assert refresh(lake, []).files == 0

    def test_says_nothing_of_a_day_without_events(self, lake: Lake) -> None:
        assert refresh(lake, [date(2026, 3, 2)]).files == 0
        assert facts.read_client_days(lake, date(2026, 3, 1), date(2026, 3, 31)).is_empty()

    def test_takes_away_the_facts_of_events_that_are_gone(self, lake: Lake) -> None:
        days = place(lake, [event("2026-03-02T09:00")])
        refresh(lake, days)
        (lake.events_of(days[0]) / "p.parquet").unlink()
        refresh(lake, days)
        assert stored(lake).client_days == {}
        assert not list(lake.root.rglob("facts.parquet"))

    def test_corrects_the_users_ever_seen_of_all_later_days_by_a_late_event(self, lake: Lake) -> None:
        on_time = [event("2025-11-20T09:00", "bob"), event("2026-03-02T09:00", "ann"), event("2026-03-04T09:00", "bob")]
        late = event("2025-11-03T09:00", "ann")
        roll_up(lake, on_time)
        assert client_day(lake, "2026-03-02")["new_users"] == 1
        done = refresh(lake, place(lake, [late], part="late"))
        assert client_day(lake, "2026-03-02")["new_users"] == 0
        assert client_day(lake, "2025-11-20")["total_users"] == 2
        assert date(2026, 3, 2) in done.touched
        assert stored(lake) == twin([*on_time, late])

    def test_announces_the_days_before_it_stores_them(self, lake: Lake) -> None:
        days = place(lake, [event("2026-03-02T09:00")])
        seen: list[tuple[int, int]] = []

        def announce(changing: list[date]) -> None:
            seen.append((len(changing), len(stored(lake).client_days)))

        refresh(lake, days, announce=announce)
        assert seen == [(30, 0)]
