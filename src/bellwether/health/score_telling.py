"""Tells the outside (webhooks) that current scores are others than before."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bellwether.health.storing import CURRENT
from bellwether.portfolio.models import Client
from bellwether.portfolio.telling import client_data
from bellwether.webhooks.outbox import Told, tell, wanted

Rows = Mapping[str, tuple[Any, ...]]
SCORE, STATUS = CURRENT.index("current_health_score"), CURRENT.index("health_status")
TREND, DAY = CURRENT.index("health_trend"), CURRENT.index("scored_on")


def tell_scores(after: Rows, before: Rows, *, now: datetime) -> int:
    """Tell of every client whose current score or status changed from `before` to `after` (columns CURRENT by client
    id); return how many events are new. Call it in the transaction that stores them."""
    moved = [one for one, row in after.items() if one in before and row[SCORE] != before[one][SCORE]]
    turned = [one for one, row in after.items() if one in before and row[STATUS] != before[one][STATUS]]
    if not (moved or turned) or not (wanted("score.changed") or wanted("score.status_changed")):
        return 0
    clients = Client.objects.in_bulk([UUID(one) for one in {*moved, *turned}])

    def told(one: str, column: int, **more: Any) -> Told:
        client = clients[UUID(one)]
        values = {"from": before[one][column], "to": after[one][column]}
        return Told({"client": client_data(client), "date": after[one][DAY], **values, **more}, client.pk)

    scores = [told(one, SCORE, status=after[one][STATUS], trend=after[one][TREND]) for one in moved]
    statuses = [told(one, STATUS, score=after[one][SCORE]) for one in turned]
    return tell("score.changed", scores, now=now) + tell("score.status_changed", statuses, now=now)
