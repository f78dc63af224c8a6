"""Who is engaged how: worked by hand on few people, and the order of many."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.usage.engagement import (
    KNOWN,
    LOOK_BACK_DAYS,
    WINDOW_DAYS,
    Engagement,
    activity_levels,
    engagement,
)
from bellwether.usage.facts import USER_DAYS

TODAY = date(2026, 6, 30)
FIRST = TODAY - timedelta(days=WINDOW_DAYS - 1)


def row(user: str, ago: int, actions: int = 1, **fields: Any) -> dict[str, Any]:
    day = TODAY - timedelta(days=ago)
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {
        "organization_id": "acme",
        "user_key": user,
        "date": day,
        "actions": actions,
        "sessions": 1,
        "session_seconds": 600,
        "is_service": False,
        "role": None,
        "modules": 1,
        "first_ts": at,
        "last_ts": at,
    } | fields


def days(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=USER_DAYS, orient="row")


def one(frame: pl.DataFrame, user: str = "u") -> dict[str, Any]:
    return frame.row(by_predicate=pl.col("user_key") == user, named=True)


def known(*rows: tuple[str, str, str, bool, int, int]) -> pl.DataFrame:
    """Users as the database knows them: client, key, role, service, days since first and last seen."""
    made = []
    for client, key, role, service, first, last in rows:
        seen = TODAY - timedelta(days=last)
        at = datetime(seen.year, seen.month, seen.day, 9, tzinfo=UTC)
        made.append((client, key, role, service, TODAY - timedelta(days=first), seen, at))
    return pl.DataFrame(made, schema=KNOWN, orient="row")


def steady(user: str, *, now: int, before: int) -> list[dict[str, Any]]:
    """Somebody with `now` actions in 30 days and `before` in the 30 days before: on the first and the last of each."""
    first = [row(user, 0, now - now // 2), row(user, 29, now // 2)]
    second = [row(user, 30, before - before // 2), row(user, 59, before // 2)]
    return [*first, *second]


class TestWindows:
    def test_counts_the_30_days_with_today_and_the_30_days_before(self) -> None:
        found = one(engagement(days(*(row("u", ago, 2) for ago in (0, 29, 30, 59, 60))), TODAY))
        assert (found["actions"], found["actions_before"]) == (4, 4)
        assert (found["active_days"], found["sessions"], found["minutes"]) == (2, 2, 20.0)

    def test_leaves_out_what_comes_later(self) -> None:
        found = one(engagement(days(row("u", 3), row("u", -1, 50)), TODAY))
        assert (found["actions"], found["days_since_login"]) == (1, 3)

    def test_a_day_without_an_action_is_no_login(self) -> None:
        found = one(engagement(days(row("u", 20), row("u", 1, 0, sessions=0)), TODAY))
        assert (found["last_login"], found["days_since_login"]) == (TODAY - timedelta(days=20), 20)
        assert found["last_login_at"] == datetime(2026, 6, 10, 12, tzinfo=UTC)
        assert found["active_days"] == 1

    def test_services_are_no_people(self) -> None:
        rows = days(row("bot", 1, is_service=True), row("u", 1))
        assert engagement(rows, TODAY)["user_key"].to_list() == ["u"]

    def test_the_role_is_the_last_one_told(self) -> None:
        rows = days(row("u", 9, role="Analyst"), row("u", 5, role="Admin"), row("u", 1))
        assert one(engagement(rows, TODAY))["role"] == "Admin"

    def test_nobody_gives_an_empty_frame(self) -> None:
        found = engagement(days(), TODAY, known=known())
        assert found.is_empty()
        assert activity_levels(days(), [], TODAY) == {}


class TestStatus:
    @pytest.mark.parametrize(("ago", "status"), [(13, Engagement.ACTIVE), (14, Engagement.INACTIVE)])
    def test_inactive_is_14_days_without_a_login(self, ago: int, status: Engagement) -> None:
        rows = days(row("u", ago, 5), row("u", 45, 3), row("u", 70, 3))
        assert one(engagement(rows, TODAY))["status"] == status

    @pytest.mark.parametrize(
        ("now", "before", "status"),
        [
            (75, 100, Engagement.ACTIVE),  # 75 %, not under it
            (74, 100, Engagement.DECLINING),
            (20, 29, Engagement.ACTIVE),  # 69 %, but 9 fewer
            (20, 30, Engagement.DECLINING),  # 67 %, 10 fewer
            (4, 10, Engagement.DECLINING),  # under half of 10: a CHAMPION_RISK
            (4, 9, Engagement.ACTIVE),  # under half, of too few to say
            (125, 100, Engagement.ACTIVE),
            (126, 100, Engagement.RISING),
            (19, 10, Engagement.ACTIVE),  # 190 %, 9 more
            (20, 10, Engagement.RISING),
            (12, 0, Engagement.RISING),
        ],
    )
    def test_declining_and_rising_are_notable_changes(self, now: int, before: int, status: Engagement) -> None:
        rows = days(*steady("u", now=now, before=before), row("u", 80, 1))
        assert one(engagement(rows, TODAY))["status"] == status

    @pytest.mark.parametrize("before", [10, 25, 400])
    def test_whoever_falls_below_half_of_ten_actions_or_more_declines(self, before: int) -> None:
        for now in range(1, (before + 1) // 2):
            rows = days(*steady("u", now=now, before=before), row("u", 80, 1))
            assert one(engagement(rows, TODAY))["status"] == Engagement.DECLINING, now

    def test_new_is_who_has_too_few_days_to_compare_with(self) -> None:
        rows = days(row("new", 42, 1), row("new", 1, 90), row("old", 43, 1), row("old", 1, 90))
        found = engagement(rows, TODAY)
        assert one(found, "new")["status"] == Engagement.NEW  # 13 of the 30 days before
        assert one(found, "old")["status"] == Engagement.RISING  # 14

    def test_a_short_time_before_is_scaled_to_30_days(self) -> None:
        # Seen first 15 days before the window: 20 actions in 15 days are 40 in 30; 28 is 70 % of that, 12 fewer.
        rows = days(row("u", 44, 20), row("u", 1, 28))
        assert one(engagement(rows, TODAY))["status"] == Engagement.DECLINING

    def test_known_for_14_days_without_a_login_is_inactive_before_that_new(self) -> None:
        found = engagement(
            days(), TODAY, known=known(("acme", "a", "", False, 14, 14), ("acme", "b", "", False, 13, 13))
        )
        assert one(found, "a")["status"] == Engagement.INACTIVE
        assert one(found, "b")["status"] == Engagement.NEW
        assert one(found, "a")["last_login"] is None


class TestKnownUsers:
    def test_an_older_login_is_the_last_event(self) -> None:
        found = one(engagement(days(), TODAY, known=known(("acme", "u", "Analyst", False, 400, 200))))
        assert (found["days_since_login"], found["role"]) == (200, "Analyst")
        assert found["first_seen"] == TODAY - timedelta(days=400)
        assert (found["actions"], found["rank"], found["is_power_user"]) == (0, None, False)

    def test_somebody_seen_lately_without_an_action_has_no_known_login(self) -> None:
        found = one(engagement(days(), TODAY, known=known(("acme", "u", "", False, 400, LOOK_BACK_DAYS - 1))))
        assert found["last_login"] is None
        assert found["status"] == Engagement.INACTIVE

    def test_services_are_left_out(self) -> None:
        assert engagement(days(), TODAY, known=known(("acme", "bot", "", True, 400, 0))).is_empty()

    def test_the_first_day_is_the_earlier_one_and_facts_tell_the_role(self) -> None:
        rows = days(row("u", 5, role="Admin"))
        found = one(engagement(rows, TODAY, known=known(("acme", "u", "Analyst", False, 300, 0))))
        assert (found["role"], found["first_seen"]) == ("Admin", TODAY - timedelta(days=300))


class TestRanks:
    def test_power_users_are_the_first_fifth_by_actions_rounded_up(self) -> None:
        # Six people with an action: ceil(1.2) = 2. b and c tie on actions; c was active on more days.
        rows = [row("a", 1, 50), row("b", 1, 10), row("c", 1, 5), row("c", 2, 5)]
        rows += [row(name, 1, 1) for name in "def"]
        found = engagement(days(*rows), TODAY)
        assert found.filter("is_power_user")["user_key"].to_list() == ["a", "c"]

    def test_ties_are_broken_by_the_pseudonym_so_that_the_number_is_exact(self) -> None:
        found = engagement(days(*(row(name, 1, 7) for name in "fedcba")), TODAY)
        assert found.filter("is_power_user")["user_key"].to_list() == ["a", "b"]

    @pytest.mark.parametrize(("people", "power"), [(5, 1), (6, 2), (35, 7), (70, 14)])
    def test_a_fifth_is_counted_in_whole_numbers(self, people: int, power: int) -> None:
        found = engagement(days(*(row(f"u{n:02d}", 1, 3) for n in range(people))), TODAY)
        assert found["is_power_user"].sum() == power

    def test_champions_lead_by_actions_and_days_and_need_eight_active_days(self) -> None:
        # 11 people: ceil(1.1) = 2 champions. Places by actions and days: often 2 and 1, loud 1 and 3, next 3 and 2.
        rows = [row("often", ago, 5) for ago in range(20)]  # 100 actions on 20 days
        rows += [row("loud", ago, 50) for ago in range(7)]  # 350 on 7 days
        rows += [row("next", ago, 5) for ago in range(8)]  # 40 on 8 days
        rows += [row(f"few{n}", 1, 1) for n in range(8)]
        found = engagement(days(*rows), TODAY)
        assert found.sort("rank")["user_key"].to_list()[:3] == ["often", "loud", "next"]
        assert found.filter("is_champion")["user_key"].to_list() == ["often"]  # loud has too few days, next is third

    def test_no_champion_is_inactive(self) -> None:
        rows = [row("u", ago, 9) for ago in range(15, 25)]
        assert not one(engagement(days(*rows), TODAY))["is_champion"]

    def test_potential_champions_rise_in_the_better_half(self) -> None:
        rows = [row("first", ago, 9) for ago in range(20)]
        rows += [row("up", ago, 3) for ago in range(9)] + [row("up", 45, 2), row("up", 70)]
        rows += [row(f"few{n}", 1, 1) for n in range(3)]
        found = engagement(days(*rows), TODAY)
        assert one(found, "up")["status"] == Engagement.RISING
        assert found.filter("is_potential_champion")["user_key"].to_list() == ["up"]

    def test_clients_do_not_mix(self) -> None:
        rows = [row("a", 1, 5), row("b", 1, 9, organization_id="other")]
        found = engagement(days(*rows), TODAY)
        assert found["rank"].to_list() == [1, 1]
        alone = engagement(days(rows[0]), TODAY)
        assert found.filter(pl.col("organization_id") == "acme").equals(alone)

    def test_the_order_of_the_rows_changes_nothing(self) -> None:
        rows = days(*(row(f"u{n % 7}", n % 31, n % 5) for n in range(200))).unique(["user_key", "date"])
        expected = engagement(rows.sort("user_key", "date"), TODAY)
        assert engagement(rows.sample(fraction=1, shuffle=True, seed=4), TODAY).equals(expected)


class TestLevels:
    def test_are_fifths_of_the_busy_day(self) -> None:
        rows = days(*(row("u", ago, actions) for ago, actions in enumerate((10, 9, 8, 2, 1, 0))))
        # Days with an action hold 1, 2, 8, 9 and 10: the 95th percentile, lower, is 9. 10 is cut to 5.
        levels = activity_levels(rows, ["u"], TODAY)["u"]
        assert levels[-6:] == [0, 1, 2, 5, 5, 5]
        assert len(levels) == 30
        assert sum(levels[:-6]) == 0

    def test_a_frantic_one_flattens_nobody(self) -> None:
        rows = [row(f"u{n}", ago, 4) for n in range(5) for ago in range(20)] + [row("frantic", 1, 900)]
        found = activity_levels(days(*rows), ["u0", "frantic"], TODAY)
        assert found["u0"][-1] == found["frantic"][-2] == 5

    def test_people_without_any_day_are_blank(self) -> None:
        assert activity_levels(days(row("u", 1)), ["ghost"], TODAY, days=7) == {"ghost": [0] * 7}

    def test_services_and_other_days_do_not_count(self) -> None:
        rows = days(row("u", 0, 5, is_service=True), row("u", 7, 5), row("u", -1, 5))
        assert activity_levels(rows, ["u"], TODAY, days=7) == {"u": [0] * 7}
