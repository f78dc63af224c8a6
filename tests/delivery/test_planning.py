"""What a person is told, over which media and when; times worked by hand from the zones' rules."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bellwether.delivery.planning import (
    DEFAULTS,
    HOURLY,
    MORNING,
    NEVER,
    Plan,
    Preferences,
    QuietHours,
    digest_at,
    plans,
    preferences_of,
    quiet_until,
    wanted_media,
    with_preferences,
)

pytestmark = pytest.mark.one_database

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NIGHT = QuietHours(time(19), time(8))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-06-30T16:59", "2026-06-30T16:59"),  # 18:59 in Berlin
        ("2026-06-30T17:00", "2026-07-01T06:00"),
        ("2026-07-01T05:59", "2026-07-01T06:00"),
        ("2026-07-01T06:00", "2026-07-01T06:00"),
        ("2026-03-28T18:30", "2026-03-29T06:00"),  # the night in which clocks go forward: from UTC+1 to UTC+2
        ("2026-10-24T17:30", "2026-10-25T07:00"),  # and back
    ],
)
def test_quiet_hours_follow_the_clock_on_the_wall(at: str, until: str) -> None:
    assert quiet_until(NIGHT, utc(at), BERLIN) == utc(until)


def test_whole_days_join_the_nights_beside_them() -> None:
    weekend = QuietHours(time(19), time(8), frozenset({6, 7}))
    friday_evening = utc("2026-07-03T18:00")
    assert quiet_until(weekend, friday_evening, BERLIN) == utc("2026-07-06T06:00")


def test_an_hour_that_comes_twice_is_quiet_both_times() -> None:
    early = QuietHours(time(1), time(2, 30))
    assert quiet_until(early, utc("2026-10-25T00:10"), BERLIN) == utc("2026-10-25T01:30")


def test_an_end_in_the_hour_that_is_left_out_is_after_it() -> None:
    assert quiet_until(QuietHours(time(1), time(2, 30)), utc("2026-03-29T00:10"), BERLIN) == utc("2026-03-29T01:30")


def test_no_hours_but_days() -> None:
    sunday = QuietHours(time(), time(), frozenset({7}))
    assert quiet_until(sunday, utc("2026-07-05T10:00"), UTC_ZONE) == utc("2026-07-06T00:00")
    assert quiet_until(sunday, utc("2026-07-06T10:00"), UTC_ZONE) == utc("2026-07-06T10:00")


def test_digests_go_at_full_hours_and_at_seven_of_the_receiver() -> None:
    now = utc("2026-06-30T12:20")
    assert digest_at(HOURLY, now, BERLIN) == utc("2026-06-30T13:00")
    assert digest_at(HOURLY, now, ZoneInfo("Asia/Kolkata")) == utc("2026-06-30T12:30")  # half past five ahead
    assert digest_at(MORNING, now, BERLIN) == utc("2026-07-01T05:00")
    assert digest_at(MORNING, utc("2026-06-30T04:59"), BERLIN) == utc("2026-06-30T05:00")


def test_the_bell_is_at_once_and_mail_waits_for_the_morning() -> None:
    wants = Preferences({"alert": {"IN_APP": "LOW", "EMAIL": "HIGH"}}, quiet=NIGHT)
    now = utc("2026-06-30T20:00")
    given = {"topic": "alert", "now": now, "zone": BERLIN}
    assert plans(wants, severity="HIGH", **given) == (
        Plan("IN_APP", now),
        Plan("EMAIL", utc("2026-07-01T06:00"), held=True),
    )
    assert plans(wants, severity="CRITICAL", **given)[1] == Plan("EMAIL", now)
    assert plans(wants, severity="MEDIUM", **given) == (Plan("IN_APP", now),)
    assert plans(wants, severity="CRITICAL", media=["EMAIL"], **given) == (Plan("EMAIL", now),)


def test_a_digest_that_falls_into_quiet_hours_waits_for_their_end() -> None:
    wants = Preferences({"alert": {"EMAIL": "LOW"}}, quiet=NIGHT, digest=MORNING, critical_at_once=False)
    now = utc("2026-06-30T12:00")
    given = {"topic": "alert", "severity": "CRITICAL", "now": now, "zone": BERLIN}
    assert plans(wants, **given) == (Plan("EMAIL", utc("2026-07-01T06:00"), held=True),)


def test_what_is_stored_comes_back() -> None:
    wants = Preferences(
        {topic: dict(media) | {"EMAIL": NEVER} for topic, media in DEFAULTS.least.items()},
        quiet=QuietHours(time(19, 30), time(7), frozenset({6})),
        digest=HOURLY,
        critical_at_once=False,
    )
    kept = with_preferences({"theme": "x"}, wants)
    assert kept["theme"] == "x"
    assert preferences_of(kept) == wants


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"delivery": 3},
        {"delivery": {"media": [1], "digest": "never", "critical": "x"}},
        {"delivery": {"media": {"alert": {"EMAIL": "LOUD"}}}},
    ],
    ids=["nothing", "no object", "wrong kinds", "unknown severity"],
)
def test_what_cannot_be_used_is_as_in_the_workspace(kept: dict[str, object]) -> None:
    assert preferences_of(kept) == DEFAULTS


def test_a_week_of_quiet_days_is_none() -> None:
    kept = {"delivery": {"quiet": {"from": "20:00", "to": "06:00", "days": [1, 2, 3, 4, 5, 6, 7]}}}
    assert preferences_of(kept).quiet == QuietHours(time(20), time(6))


def test_an_unknown_topic_comes_as_alerts_do() -> None:
    assert wanted_media(DEFAULTS, "workspace", "LOW") == wanted_media(DEFAULTS, "alert", "LOW")


def test_every_hour_of_a_year_ends_outside_quiet_hours() -> None:
    quiet = QuietHours(time(18, 30), time(9, 15), frozenset({6, 7}))
    at = utc("2026-01-01T00:00")
    for _ in range(365 * 8):
        end = quiet_until(quiet, at, BERLIN)
        local = end.astimezone(BERLIN)
        assert end >= at
        assert local.isoweekday() < 6
        assert time(9, 15) <= local.time() < time(18, 30)
        at += timedelta(hours=3)
