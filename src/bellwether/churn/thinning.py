"""Thinning: of predictions older than 60 days one a week, client and version stays, which the scoreboard counts."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import ExtractIsoYear, ExtractWeek, RowNumber

from bellwether.churn.kept_rows import KeptRows, rows_version
from bellwether.churn.models import ChurnPrediction
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.health.loading import workspace_settings
from bellwether.usage.workspace import workspace_lake

DAILY_DAYS = 60
AT_ONCE = 2_000


def thin(*, now: datetime, progress: Progress | None = None) -> int:
    """Remove predictions older than 60 days but the first of each ISO week, client and version; return how many went.

    Kept rows of features that other definitions made, or of days of which scores are not kept either, go too.

    In batches of 2,000, week by week, so that one that is cut off is finished by the next. Doing it again removes
    nothing more. The database refuses to remove the first ones (churn.guard).
    """
    progress = progress or NoProgress()
    KeptRows(workspace_lake(), rows_version(workspace_settings())).prune(
        today=day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    )
    until = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE) - timedelta(days=DAILY_DAYS)
    # A week is thinned as a whole: what its first row is must not depend on when it is asked.
    until -= timedelta(days=until.weekday())
    week: list[Any] = [F("client_id"), F("model_id"), ExtractIsoYear("as_of"), ExtractWeek("as_of")]
    place = Window(RowNumber(), partition_by=week, order_by=["as_of", "pk"])
    old = ChurnPrediction.objects.filter(as_of__lt=until).order_by()
    ids = list(old.annotate(place=place).filter(place__gt=1).order_by("-as_of", "-pk").values_list("pk", flat=True))
    if ids:
        progress.start(f"Thinning {len(ids):,} old predictions", len(ids))
    removed = 0
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        with transaction.atomic():
            removed += ChurnPrediction.objects.filter(pk__in=part).thin()
        progress.advance(len(part))
    return removed
