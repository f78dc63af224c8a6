"""Says what changes about the stored alerts when detectors looked again. Pure.

An alert and an episode are the same where type and subject are and their days overlap: what is computed anew from
corrected data may begin on another day and is still the same episode.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

RANK = {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 2, "LOW": 3}
"""The order of severities, the most severe first."""

Key = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A row of alerts.frames.EPISODES; `client_id` has 32 hex digits, `cleared_on` is empty while it holds."""

    client_id: str
    alert_type: str
    subject: str
    severity: str
    opened_on: date
    last_fired_on: date
    cleared_on: date | None
    times_fired: int
    metric: str = ""
    value: str = ""
    threshold: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    related_type: str = ""
    related_id: str = ""

    @property
    def key(self) -> Key:
        """What tells its episodes from others: client, type and subject."""
        return (self.client_id, self.alert_type, self.subject)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What reconciling needs to know of a stored alert."""

    id: UUID
    client_id: str
    alert_type: str
    subject: str
    opened_on: date
    ended_on: date | None

    @property
    def key(self) -> Key:
        """Client, type and subject."""
        return (self.client_id, self.alert_type, self.subject)


@dataclass(frozen=True)
class Differences:
    """What is to be done: episodes to `open` (those with `cleared_on` are over already), alerts that still hold with
    what they hold now, alerts that are over with their last day and the episode (None: nothing of it is found any
    more), and alerts that had ended and hold again."""

    open: list[Episode]
    hold: list[tuple[UUID, Episode]]
    clear: list[tuple[UUID, date, Episode | None]]
    revive: list[tuple[UUID, Episode]]


def differences(kept: Iterable[Kept], episodes: Iterable[Episode], *, today: date, since: date) -> Differences:
    """Return what changes. Of episodes that are over and were never stored, those that ended from `since` on are
    opened, so that what came and went between two looks is not lost, and older ones left alone.

    Doing what is returned and asking again returns the same alerts under `hold` and nothing else.
    """
    stored: dict[Key, list[Kept]] = defaultdict(list)
    for one in kept:
        stored[one.key].append(one)
    found: dict[Key, list[Episode]] = defaultdict(list)
    for episode in episodes:
        found[episode.key].append(episode)
    result = Differences([], [], [], [])
    for key in sorted(stored.keys() | found.keys()):
        alerts = sorted(stored.get(key, ()), key=lambda one: one.opened_on)
        _of_one(alerts, sorted(found.get(key, ()), key=lambda one: one.opened_on), result, today, since)
    return result


def _of_one(kept: Sequence[Kept], episodes: Sequence[Episode], result: Differences, today: date, since: date) -> None:
    running = next((one for one in kept if one.ended_on is None), None)
    ended = [one for one in kept if one.ended_on is not None]
    taken: Episode | None = None
    if running is not None:
        taken = next((one for one in episodes if _ends_after(one, running.opened_on)), None)
        if taken is not None and taken.cleared_on is None:
            result.hold.append((running.id, taken))
        else:
            last = today if taken is None or taken.cleared_on is None else taken.cleared_on
            result.clear.append((running.id, last, taken))
    for episode in episodes:
        same = next((one for one in ended if _same(one, episode)), None)
        if episode is taken:
            continue
        if episode.cleared_on is None and same is not None:
            result.revive.append((same.id, episode))
        elif same is None and (episode.cleared_on is None or episode.cleared_on >= since):
            result.open.append(episode)


def _ends_after(episode: Episode, day: date) -> bool:
    return episode.cleared_on is None or episode.cleared_on > day


def _same(kept: Kept, episode: Episode) -> bool:
    """Whether an ended alert and an episode share a day; the day on which one ends and the next begins is not one."""
    if kept.opened_on == episode.opened_on:
        return True
    end = kept.ended_on
    return (end is None or end > episode.opened_on) and _ends_after(episode, kept.opened_on)
