"""Clients of a group, visible to the reader, that recovered from a position like a client's, and what happened then."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from bellwether.benchmarks.choosing import Choice
from bellwether.benchmarks.night import Night, Sight
from bellwether.benchmarks.stories import Point, Recovery, recovery
from bellwether.health.configs import main_scorecard
from bellwether.health.models import HealthScore
from bellwether.portfolio.choices import ActivityType
from bellwether.portfolio.models import Activity, Client
from bellwether.web.formatting import plural

STEP = 28
BACK = timedelta(days=730)
MOST = 4


@dataclass(frozen=True)
class Story:
    """A visible client's recovery; `happened` says which activities there were while it rose, most frequent first."""

    client_id: UUID
    name: str
    recovery: Recovery
    happened: str


def stories(night: Night, sight: Sight, choice: Choice, level: int | None) -> list[Story]:
    """Return at most MOST recoveries from about the score `level`, largest rise first, in four queries.

    Only of clients that the viewer may see: nothing is told about the others, not even how many there are.
    """
    if level is None or night.day is None:
        return []
    ids = {place: client_id for client_id, place in night.places.items()}
    chosen = [ids[int(place)] for place in np.flatnonzero(choice.mask & sight.visible)]
    found: list[tuple[UUID, Recovery]] = []
    for client_id, points in _histories(chosen, night.day).items():
        one = recovery(points, level)
        if one is not None:
            found.append((client_id, one))
    best = sorted(found, key=lambda pair: (pair[1].low - pair[1].high, str(pair[0])))[:MOST]
    names = dict(Client.objects.filter(pk__in=[client_id for client_id, _ in best]).values_list("pk", "name"))
    happened = _happened(best)
    return [Story(client_id, names[client_id], one, happened[client_id]) for client_id, one in best]


def _histories(chosen: list[UUID], last: date) -> dict[UUID, list[Point]]:
    days = [last - timedelta(days=STEP * step) for step in range(BACK.days // STEP)]
    rows = HealthScore.objects.filter(
        scorecard=main_scorecard(), date__in=days, client_id__in=chosen, overall_score__isnull=False
    )
    found: dict[UUID, list[Point]] = {}
    for client_id, day, score in rows.order_by("date").values_list("client_id", "date", "overall_score"):
        if score is not None:
            found.setdefault(client_id, []).append((day, score))
    return found


def _happened(best: list[tuple[UUID, Recovery]]) -> dict[UUID, str]:
    spans = dict(best)
    if not spans:
        return {}
    counts: dict[UUID, Counter[str]] = {client_id: Counter() for client_id in spans}
    first = min(one.began for one in spans.values())
    rows = Activity.objects.filter(client_id__in=list(spans), archived_at__isnull=True, completed_at__date__gte=first)
    for client_id, kind, done in rows.values_list("client_id", "activity_type", "completed_at"):
        one = spans[client_id]
        if done is not None and one.began <= done.date() <= one.reached:
            counts[client_id][str(ActivityType(kind).label).lower()] += 1
    return {
        client_id: ", ".join(plural(count, kind) for kind, count in found.most_common(3)) or "no activities recorded"
        for client_id, found in counts.items()
    }
