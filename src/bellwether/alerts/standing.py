"""Between stored alerts and the frames of detectors."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import polars as pl
from django.conf import settings
from django.db.models import Count, Q

from bellwether.alerts.choices import AlertEventKind
from bellwether.alerts.frames import EPISODES
from bellwether.alerts.models import Alert, AlertEvent
from bellwether.alerts.reconciling import Episode
from bellwether.common.time import day_of, start_of

COLUMNS = (
    "pk",
    "client_id",
    "alert_type",
    "subject",
    "severity",
    "opened_on",
    "last_fired_on",
    "times_fired",
    "escalated_at",
    "trigger_metric",
    "trigger_value",
    "trigger_threshold",
    "evidence",
    "related_entity_type",
    "related_entity_id",
)


def episodes_of(frame: pl.DataFrame) -> list[Episode]:
    """Return the rows of an EPISODES frame."""
    texts = pl.col("subject", "metric", "value", "threshold", "related_type", "related_id").fill_null("")
    rows = frame.select(list(EPISODES)).drop("escalated_on").with_columns(texts).to_dicts()
    return [Episode(**{**row, "evidence": json.loads(row["evidence"] or "{}")}) for row in rows]


def standing_on(first: date) -> pl.DataFrame:
    """Return the EPISODES that were open when the day `first` began, as the database has them; in two queries."""
    open_then = Q(opened_on__lt=first) & (Q(ended_on__isnull=True) | Q(ended_on__gte=first))
    rows = list(Alert.objects.filter(open_then, client__archived_at__isnull=True).order_by().values(*COLUMNS))
    later = _fired_since(first) if rows else {}
    return pl.DataFrame([_episode(row, later.get(row["pk"], 0)) for row in rows], schema=EPISODES)


def _fired_since(first: date) -> dict[UUID, int]:
    """Return how often alerts fired again from `first` on: detectors count that anew."""
    since = start_of(first, settings.BELLWETHER_WORKSPACE_ZONE)
    events = AlertEvent.objects.filter(kind=AlertEventKind.UPDATED, at__gte=since)
    return dict(events.order_by().values_list("alert_id").annotate(Count("pk")))


def _episode(row: dict[str, Any], later: int) -> dict[str, Any]:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return {
        "client_id": row["client_id"].hex,
        "alert_type": row["alert_type"],
        "subject": row["subject"],
        "severity": row["severity"],
        "opened_on": row["opened_on"],
        "last_fired_on": row["last_fired_on"],
        "cleared_on": None,
        "times_fired": max(1, row["times_fired"] - later),
        "escalated_on": day_of(row["escalated_at"], zone) if row["escalated_at"] else None,
        "metric": row["trigger_metric"],
        "value": row["trigger_value"],
        "threshold": row["trigger_threshold"],
        "evidence": json.dumps(row["evidence"]),
        "related_type": row["related_entity_type"],
        "related_id": row["related_entity_id"],
    }
