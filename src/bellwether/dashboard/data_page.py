"""What arrives and what is wrong with it: the page about the data, for those who see all clients."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.models import JobRun
from bellwether.dashboard import data_view as view
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.data_export import reject_csv
from bellwether.dashboard.data_runs import RUNNABLE, run_state
from bellwether.health.data_quality import data_quality
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.usage.quality import Quality
from bellwether.usage.quality_selectors import explained, rejected_events
from bellwether.usage.quality_thresholds import RECENT_DAYS, SPARK_DAYS, WEEK_DAYS
from bellwether.web.formatting import moment

REJECTS_SHOWN = 20
LONGEST_FILTER = 300
PARTS = {"data-figures": "dashboard/data_figures.html", "names": "dashboard/data_names.html"}
RETENTION = (
    ("BELLWETHER_KEEP_USAGE_DAYS", "Daily facts"),
    ("BELLWETHER_KEEP_EVENTS_DAYS", "Raw events"),
    ("BELLWETHER_KEEP_SCORES_DAYS", "Scores"),
)


def reader(request: HttpRequest) -> StaffUser:
    """Return who reads; raise Http404 for staff who see only some clients: there is no such page for them."""
    user = cast(StaffUser, request.user)
    if not user.sees_all_clients:
        raise Http404
    return user


@require_GET
@login_required
def data(request: HttpRequest) -> HttpResponse:
    """Show the state of the data; for a swap of the key figures or of the names of events, only those."""
    user = reader(request)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    quality = data_quality(now=now, cache=caches["memory"])
    part = PARTS.get(target_of(request))
    values = _head(quality, now, zone) if part == PARTS["data-figures"] else _page(request, quality, user, now, zone)
    response = answer(request, part or "dashboard/data.html", values)
    if part is None:
        detail = {"findings": len(quality.findings), "severity": quality.severity}
        audit.record(actor=user, action="data.read", object_type="data", detail=detail, now=now)
    return response


@require_GET
@login_required
def rejects(request: HttpRequest) -> HttpResponse:
    """Return the rejected events of the filter as a CSV file, newest first."""
    user = reader(request)
    now = timezone.now()
    source, reason = _filter(request)
    text, count = reject_csv(rejected_events(source=source, reason=reason).iterator(chunk_size=2_000))
    detail = {"source": source, "reason": reason, "count": count}
    audit.record(actor=user, action="data.rejects.export", object_type="event", detail=detail, now=now)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-events-{now:%Y-%m-%d}.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


@require_GET
@login_required
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Return how far an asked-for run is; when it is over the page is loaded again."""
    reader(request)
    found = JobRun.objects.filter(pk=run_id, name__in=RUNNABLE).first()
    if found is None:
        raise Http404
    state = run_state(found)
    response = render(request, "dashboard/data_run.html", {"run": state})
    if state.is_over:
        response["HX-Refresh"] = "true"
    return response


def _head(quality: Quality, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "quality": quality,
        "figures": view.key_figures(quality, now=now, zone=zone),
        "as_of": moment(now, now, zone),
    }


def _page(request: HttpRequest, quality: Quality, user: StaffUser, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    facts = quality.facts
    names = view.name_page(
        quality,
        show=request.GET.get("names", ""),
        search=request.GET.get("q", "")[:LONGEST_FILTER],
        page=_number(request.GET.get("page", "")),
    )
    silent, silent_count = view.silent_clients(quality)
    strangers, stranger_count = view.strangers(quality)
    ignored = request.GET.get("ignored", "")
    return {
        **_head(quality, now, zone),
        **_rejects(request, quality, now, zone),
        "findings": view.finding_rows(quality.findings),
        "sources": view.source_rows(quality, now=now, zone=zone),
        "names": names,
        "q": request.GET.get("q", "")[:LONGEST_FILTER],
        "names_link": _link,
        "just_ignored": ignored if ignored in facts.ignored else "",
        "silent": silent,
        "silent_count": silent_count,
        "strangers": strangers,
        "stranger_count": stranger_count,
        "identity": view.identity_rows(quality),
        "pipeline": facts.pipeline,
        "jobs": view.job_rows(facts.pipeline.jobs, now=now, zone=zone),
        "retention": _retention(),
        "runs": _runs(request),
        "may_act": user.may_configure,
        "today": facts.today,
        "now": now,
        "zone": zone,
        "spark_days": SPARK_DAYS,
        "week_days": WEEK_DAYS,
        "recent_days": RECENT_DAYS,
        "base_url": settings.BELLWETHER_BASE_URL,
    }


def _rejects(request: HttpRequest, quality: Quality, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    source, reason = _filter(request)
    found = rejected_events(source=source, reason=reason)
    shown = [
        {
            "at": moment(one.row.received_at, now, zone),
            "source": one.row.source,
            "reason": one.row.reason,
            "message_id": one.row.message_id,
            "what": one.advice.what,
            "change": one.advice.change,
            "sample": json.dumps(one.row.sample, indent=2, ensure_ascii=False),
        }
        for one in explained(found[:REJECTS_SHOWN])
    ]
    query = urlencode({name: value for name, value in (("source", source), ("reason", reason)) if value})
    facts = quality.facts
    return {
        "rejects": shown,
        "reject_total": found.count() if shown else 0,
        "reject_filter": {"source": source, "reason": reason},
        "reject_reasons": view.reject_rows(facts.rejects, now=now, zone=zone),
        "reject_choices": {
            "source": sorted({one.source for one in facts.rejects} | ({source} if source else set())),
            "reason": sorted({one.reason for one in facts.rejects} | ({reason} if reason else set())),
        },
        "reject_export": reverse("data_rejects") + (f"?{query}" if query else ""),
    }


def _filter(request: HttpRequest) -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]
        request.GET.get(name, "").replace("\x00", "")[:LONGEST_FILTER] for name in ("source", "reason")
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 1


def _link(**given: object) -> str:
    """Return the address of a list of names."""
    return f"{reverse('data')}?{urlencode({key: value for key, value in given.items() if value})}#names"


def _retention() -> list[tuple[str, str]]:
    """Return how long what is kept, as far as the settings say."""
    found: list[tuple[str, str]] = []
    for name, what in RETENTION:
        days = getattr(settings, name, None)
        if days is not None:
            found.append((what, f"{days:,} days" if days else "for ever"))
    return found


def _runs(request: HttpRequest) -> list[Any]:
    """Return the asked-for run that the address names, and those that are waiting or running."""
    given = request.GET.get("run", "")
    try:
        wanted: Mapping[str, Any] = {"pk": UUID(given)}
    except ValueError:
        return []
    return [run_state(one) for one in JobRun.objects.filter(name__in=RUNNABLE, **wanted)]


def day_or_none(text: str) -> date | None:
    """Return the ISO date in `text`, None if it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
