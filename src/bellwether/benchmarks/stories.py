"""Clients that recovered: found in histories of scores by a rule, without judgement. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

RISE = 15
STAYED = timedelta(days=60)
SIMILAR = 7
LONGEST = timedelta(days=365)
Point = tuple[date, int]


@dataclass(frozen=True)
class Recovery:
    """A rise from a low to a score that held: `began` and `reached` with their scores, and the newest score."""

    began: date
    low: int
    reached: date
    high: int
    points: Sequence[Point]

    @property
    def months(self) -> int:
        """How long the rise took, in months, at least one."""
        return max(1, round((self.reached - self.began).days / 30.4))


def recovery(points: Sequence[Point], level: int) -> Recovery | None:
    """Return the newest recovery in `points` (oldest first) from within SIMILAR of `level`.

    The score rose by RISE or more within LONGEST and then stayed that high, on every later point of STAYED days at
    least, up to the end of which there are points. None if there was none.
    """
    found = None
    for place, (began, low) in enumerate(points):
        if abs(low - level) > SIMILAR:
            continue
        aim = low + RISE
        for later in range(place + 1, len(points)):
            reached, score = points[later]
            if reached - began > LONGEST:
                break
            if score < aim:
                if score < low:
                    break  # the fall was not over: the lower point is the beginning
                continue
            until = reached + STAYED
            held = [one for day, one in points[later:] if day <= until]
            if points[-1][0] >= until and min(held) >= aim:
                found = Recovery(began, low, reached, max(held), points[place:])
            break
    return found
