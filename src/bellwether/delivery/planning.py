"""Over which media a person is told something, and when: preferences, quiet hours, digests. Pure.

A person's preferences lie in StaffUser.preferences["delivery"], those of the workspace have the same form:

    {"media": {"alert": {"IN_APP": "LOW", "EMAIL": "HIGH"}},     least severity that comes, by topic and medium
     "quiet": {"from": "19:00", "to": "08:00", "days": [6, 7]},  nightly, and whole days (ISO weekdays)
     "digest": "off", "critical": true}                          critical ones pass quiet hours and digests

What a person does not say is as the workspace says, what the workspace does not say as DEFAULTS.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

PREFERENCE = "delivery"
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
NEVER = "NEVER"
IN_APP = "IN_APP"
MEDIA = (IN_APP, "EMAIL", "SLACK", "TEAMS", "WEBHOOK")
TOPICS = {"alert": "Alerts", "playbook": "Playbooks"}
OFF, HOURLY, MORNING = "off", "hourly", "morning"
DIGESTS = {
    OFF: "One by one, as they happen",
    HOURLY: "Together, every full hour",
    MORNING: "Together, at 7 in the morning",
}
MORNING_AT = time(7, 0)
ALL_WEEK = frozenset(range(1, 8))


@dataclass(frozen=True)
class QuietHours:
    """When nothing but the bell tells: each day from `start` to `end` (the next day where `end` is earlier; none when
    both are the same), and whole `days` (ISO weekdays, Monday 1). Times are those of the receiver's zone."""

    start: time
    end: time
    days: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Preferences:
    """What a person wants. `least`: by topic and medium the least severity that comes, NEVER for none."""

    least: Mapping[str, Mapping[str, str]]
    quiet: QuietHours | None = None
    digest: str = OFF
    critical_at_once: bool = True


@dataclass(frozen=True)
class Plan:
    """One medium, and from when on a message may go; `held`: it waits for the end of quiet hours or for a digest."""

    medium: str
    due_at: datetime
    held: bool = False


DEFAULTS = Preferences(
    least={
        "alert": {IN_APP: "LOW", "EMAIL": "HIGH", "SLACK": "HIGH", "TEAMS": "HIGH", "WEBHOOK": "LOW"},
        "playbook": {IN_APP: "LOW", "EMAIL": NEVER, "SLACK": "LOW", "TEAMS": "LOW", "WEBHOOK": "LOW"},
    }
)
"""What holds where neither the person nor the workspace says anything."""


def preferences_of(kept: Mapping[str, Any], workspace: Preferences = DEFAULTS) -> Preferences:
    """Return preferences from the stored `kept` (see above); whatever cannot be used is as in `workspace`."""
    given = kept.get(PREFERENCE)
    if not isinstance(given, Mapping):
        return workspace
    media = given.get("media")
    media = media if isinstance(media, Mapping) else {}
    least = {
        topic: {medium: _least(media.get(topic), medium, workspace.least.get(topic, {})) for medium in MEDIA}
        for topic in TOPICS
    }
    digest = given.get("digest")
    critical = given.get("critical")
    return Preferences(
        least=least,
        quiet=_quiet(given["quiet"]) if "quiet" in given else workspace.quiet,
        digest=digest if digest in DIGESTS else workspace.digest,
        critical_at_once=critical if isinstance(critical, bool) else workspace.critical_at_once,
    )


def with_preferences(kept: Mapping[str, Any], wanted: Preferences) -> dict[str, Any]:
    """Return `kept` with `wanted` in its stored form; other preferences stay."""
    quiet = wanted.quiet
    stored = {
        "media": {topic: dict(media) for topic, media in wanted.least.items()},
        "quiet": None
        if quiet is None
        else {"from": f"{quiet.start:%H:%M}", "to": f"{quiet.end:%H:%M}", "days": sorted(quiet.days)},
        "digest": wanted.digest,
        "critical": wanted.critical_at_once,
    }
    return {**kept, PREFERENCE: stored}


def rank(severity: str) -> int:
    """Return how grave a severity is, 0 to 3; what says none counts as the least."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def at_least(severity: str, least: str) -> bool:
    """Return whether a message of `severity` comes where `least` is the least that does; NEVER lets none through."""
    return least != NEVER and rank(severity) >= rank(least)


def wanted_media(preferences: Preferences, topic: str, severity: str) -> tuple[str, ...]:
    """Return the media over which a message of a topic and severity comes, in the order of MEDIA."""
    least = preferences.least.get(topic) or DEFAULTS.least.get(topic) or DEFAULTS.least["alert"]
    return tuple(medium for medium in MEDIA if at_least(severity, least.get(medium, NEVER)))


def plans(
    preferences: Preferences,
    *,
    topic: str,
    severity: str,
    now: datetime,
    zone: ZoneInfo,
    media: Collection[str] = (),
) -> tuple[Plan, ...]:
    """Return the media that a person wants, among `media` unless it is empty, each with its time in UTC."""
    return tuple(
        plan_for(preferences, medium, severity=severity, now=now, zone=zone)
        for medium in wanted_media(preferences, topic, severity)
        if not media or medium in media
    )


def plan_for(preferences: Preferences, medium: str, *, severity: str, now: datetime, zone: ZoneInfo) -> Plan:
    """Return when a message may go over one medium. In the product it is always at once."""
    if medium == IN_APP or (severity == "CRITICAL" and preferences.critical_at_once):
        return Plan(medium, now)
    due = digest_at(preferences.digest, now, zone)
    if preferences.quiet is not None:
        due = quiet_until(preferences.quiet, due, zone)
    return Plan(medium, due, held=due > now)


def digest_at(digest: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the next digest after `now` goes: the next full hour, the next 7 in the morning; `now` for OFF."""
    local = now.astimezone(zone)
    if digest == HOURLY:
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return now - into + timedelta(hours=1)
    if digest == MORNING:
        today = _instant(local.date(), MORNING_AT, zone)
        return today if today > now else _instant(local.date() + timedelta(days=1), MORNING_AT, zone)
    return now


def quiet_until(quiet: QuietHours, at: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant from `at` on that is not quiet, in UTC; `at` itself where it is not.

    The hours are those of the clock on the wall: a night in which the clocks change is an hour shorter or longer. An
    hour that comes twice is quiet both times.
    """
    instant = at.astimezone(UTC)
    first = instant.astimezone(zone).date() - timedelta(days=1)
    for start, end in sorted(_spans(quiet, first, zone)):
        if start <= instant < end:
            instant = end
    return instant


def _spans(quiet: QuietHours, first: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield the quiet spans of nine days from `first` on."""
    for number in range(9):
        day = first + timedelta(days=number)
        following = day + timedelta(days=1)
        if day.isoweekday() in quiet.days:
            yield _instant(day, time(), zone), _instant(following, time(), zone, last=True)
        if quiet.start != quiet.end:
            until = following if quiet.end < quiet.start else day
            yield _instant(day, quiet.start, zone), _instant(until, quiet.end, zone, last=True)


def _instant(day: date, at: time, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Return a local time in UTC; of one that comes twice the first, or the `last`. One that is left out when clocks go
    forward is taken as if they had not."""
    both = [datetime.combine(day, at.replace(fold=fold), tzinfo=zone).astimezone(UTC) for fold in (0, 1)]
    return max(both) if last else both[0]


def _least(given: object, medium: str, workspace: Mapping[str, str]) -> str:
    value = given.get(medium) if isinstance(given, Mapping) else None
    return value if value in (*SEVERITIES, NEVER) else workspace.get(medium, NEVER)


def _quiet(given: object) -> QuietHours | None:
    if not isinstance(given, Mapping):
        return None
    try:
        start, end = time.fromisoformat(given["from"]), time.fromisoformat(given["to"])
    except (KeyError, TypeError, ValueError):
        return None
    days = given.get("days")
    chosen = {day for day in days if day in ALL_WEEK} if isinstance(days, list) else set()
    return QuietHours(
        start.replace(tzinfo=None), end.replace(tzinfo=None), frozenset(chosen if len(chosen) < 7 else ())
    )
