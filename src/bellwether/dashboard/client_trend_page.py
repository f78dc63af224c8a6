"""The health trend of a client as a file: checked, written down, sent."""

from datetime import datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.client_access import client_or_404
from bellwether.dashboard.client_trend_course import Course
from bellwether.dashboard.client_trend_export import ImageError, png_of, slide_of, trend_csv
from bellwether.dashboard.client_trend_reading import (
    EXPORTS,
    last_day,
    read_series,
    read_trend,
    read_trend_view,
    timeline_of,
)
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.scorecards_in_use import title_of
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

TYPES = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv; charset=utf-8"}


@require_GET
@login_required
def export(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Send the trend that the address asks for as SVG, PNG or CSV. Who took it, and of what, is written down."""
    if kind not in EXPORTS:
        raise Http404
    user, now = cast(StaffUser, request.user), timezone.now()
    shown = client_or_404(user, client_id)
    course = _course(request, shown, user, now)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    count = len(course.inside)
    if kind == "csv":
        content: str | bytes = trend_csv(course, shown.organization_id)[0]
    elif not course.has_score:
        return _said(course.nothing, status=404)
    else:
        slide = slide_of(course, title=title_of(course.scorecard.name), today=day_of(now, zone))
        content = render_to_string("dashboard/client_trend_slide.svg", {"slide": slide})
        if kind == "png":
            try:
                content = png_of(content)
            except ImageError as error:
                return _said(str(error), status=503)
    audit.record(
        actor=user,
        action="client.trend_export",
        object_type="client",
        object_id=client_id,
        client_id=client_id,
        detail={
            "kind": kind, "count": count, "first": course.first.isoformat(), "last": course.last.isoformat(),
            "scorecard": course.scorecard.name, "component": course.component,
        },
        now=now,
    )  # fmt: skip
    name = f"health-{shown.organization_id}-{course.first}-{course.last}.{kind}"
    response = HttpResponse(content, content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{_plain(name)}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _course(request: HttpRequest, shown: Client, user: StaffUser, now: datetime) -> Course:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    view = read_trend_view(request.GET, today=today)
    config = active_config(main_scorecard(), now=now)
    records = read.records(shown, user, people_of=0)
    last = last_day(shown, today)
    series = read_series(shown, config.scorecard.name, view, last)
    entries = timeline_of(shown, records, series, last, now=now, zone=zone)
    return read_trend(
        shown,
        user=user,
        config=config,
        view=view,
        series=series,
        records=records,
        entries=entries,
        last=last,
        now=now,
        zone=zone,
    ).course


def _said(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)


def _plain(name: str) -> str:
    """Return `name` as every file system takes it."""
    return "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "-." else "-" for letter in name)
