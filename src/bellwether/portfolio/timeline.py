"""One stream out of a client's records: what happened, newest first, with the silences between contacts marked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

GAP_DAYS = 45
SCORE_WINDOW_DAYS = 7
SCORE_STEP = 5


class Group(StrEnum):
    """What the timeline can be narrowed to."""

    ACTIVITIES = "activities"
    SUPPORT = "support"
    SCORE = "score"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that happened to a client on the workspace day `on`.

    `rank` orders entries of one day (a higher rank is later). `is_contact`: a completed conversation with the client.
    `weight` says how much it deserves a mark on the trend chart; 0 is never marked. `mark` is its short name there.
    """

    key: str
    on: date
    group: Group
    icon: str
    title: str
    detail: str = ""
    status: str = ""
    rank: float = 0.0
    is_contact: bool = False
    weight: int = 0
    mark: str = ""


@dataclass(frozen=True)
class Stream:
    """The first entries of a merged stream and how many there are in all."""

    entries: list[Entry]
    total: int


def merge(entries: Iterable[Entry], *, today: date, group: Group | None = None, limit: int) -> Stream:
    """Return the newest `limit` entries of `group` (None: all), newest first, silences included as entries.

    Silences are marked only where contacts are shown: in the whole stream and among the activities.
    """
    everything = list(entries)
    shown = [entry for entry in everything if group is None or entry.group == group]
    if group in {None, Group.ACTIVITIES}:
        shown += silences(everything, today=today)
    shown.sort(key=lambda entry: (entry.on, entry.rank, entry.key), reverse=True)
    return Stream(shown[:limit], len(shown))


def silences(entries: Sequence[Entry], *, today: date, at_least: int = GAP_DAYS) -> list[Entry]:
    """Return one entry for each stretch of `at_least` days or more without a contact, the current one included.

    A finished silence is placed just before the contact that ended it; the current one stands on `today`.
    """
    contacts = sorted({entry.on for entry in entries if entry.is_contact and entry.on <= today})
    found = [_silence(before, after, ended=True) for before, after in pairwise(contacts)]
    if contacts:
        found.append(_silence(contacts[-1], today, ended=False))
    return [entry for days, entry in found if days >= at_least]


def _silence(before: date, after: date, *, ended: bool) -> tuple[int, Entry]:
    days = (after - before).days
    return days, Entry(
        key=f"silence-{before.isoformat()}",
        on=after,
        group=Group.ACTIVITIES,
        icon="message-circle-off",
        title=f"No contact for {days} days",
        detail="" if ended else "Until today.",
        status="" if ended else "risk",
        rank=-1.0 if ended else 2.0,
    )


@dataclass(frozen=True)
class ScoreStep:
    """A change of the score by SCORE_STEP or more within SCORE_WINDOW_DAYS: from `before` to `after`, seen on `on`."""

    on: date
    since: date
    before: int
    after: int

    @property
    def change(self) -> int:
        """Points gained; negative for a fall."""
        return self.after - self.before


def score_steps(scores: Sequence[tuple[date, int | None]]) -> list[ScoreStep]:
    """Return the notable changes of a series ordered by date, oldest first.

    A change is measured against the score exactly SCORE_WINDOW_DAYS earlier. Days that qualify in the same direction,
    not more than SCORE_WINDOW_DAYS apart, are one step: the day of the greatest change, the latest of several.
    """
    known = {day: score for day, score in scores if score is not None}
    steps: list[ScoreStep] = []
    run: list[ScoreStep] = []
    for day, score in scores:
        since = day - timedelta(days=SCORE_WINDOW_DAYS)
        before = known.get(since)
        step = None
        if score is not None and before is not None and abs(score - before) >= SCORE_STEP:
            step = ScoreStep(day, since, before, score)
        if step is None:
            continue
        if run and (run[-1].on < since or (step.change > 0) != (run[-1].change > 0)):
            steps.append(_greatest(run))
            run = []
        run.append(step)
    if run:
        steps.append(_greatest(run))
    return steps


def _greatest(run: Sequence[ScoreStep]) -> ScoreStep:
    return max(run, key=lambda step: (abs(step.change), step.on))


def chosen_marks(entries: Iterable[Entry], *, first: date, last: date, at_most: int) -> list[Entry]:
    """Return the weightiest entries from `first` to `last` for the chart's lane, oldest first; ties go to the newer."""
    inside = [entry for entry in entries if entry.weight > 0 and first <= entry.on <= last]
    inside.sort(key=lambda entry: (entry.weight, entry.on, entry.rank, entry.key), reverse=True)
    return sorted(inside[:at_most], key=lambda entry: (entry.on, entry.rank, entry.key))


def clipped(text: str, *, at_most: int = 160) -> str:
    """Return the first line of `text`, cut at a word to `at_most` characters with an ellipsis."""
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    if len(line) <= at_most:
        return line
    return line[: at_most - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
