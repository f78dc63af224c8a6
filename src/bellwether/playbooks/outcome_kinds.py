"""How each kind of outcome is counted. Pure. The kinds and their windows are those of vocabulary.OUTCOMES."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Counting:
    """How a kind of outcome is counted. `binary`: 0 or 1 a client, else a difference. `lower_is_better`: what is
    counted is to be avoided. `saves_arr`: a client more is its ARR more. `gained` is what one more is called."""

    binary: bool
    gained: str
    lower_is_better: bool = False
    saves_arr: bool = False


COUNTING: Mapping[str, Counting] = {
    "login": Counting(binary=True, gained="client that logs in"),
    "score_change": Counting(binary=False, gained="point of health score"),
    "churn": Counting(binary=True, gained="client kept", lower_is_better=True, saves_arr=True),
    "renewed": Counting(binary=True, gained="renewal", saves_arr=True),
    "feature_used": Counting(binary=True, gained="client that uses the feature"),
    "usage_recovered": Counting(binary=True, gained="client that recovers"),
    "csat": Counting(binary=True, gained="good CSAT answer"),
    "nps_improved": Counting(binary=True, gained="better NPS answer"),
}


def due_on(enrolled_on: date, days: int) -> date:
    """Return the day after the window: the `days` days that follow the day of enrolment."""
    return enrolled_on + timedelta(days=days + 1)
