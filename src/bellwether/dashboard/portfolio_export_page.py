"""The list as a file: CSV or an Excel workbook, of the filtered list or the chosen rows."""

from collections.abc import Iterable
from contextlib import suppress
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Avg
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_base import asked_by
from bellwether.dashboard.portfolio_choices import measure_names
from bellwether.dashboard.portfolio_columns import chosen_columns
from bellwether.dashboard.portfolio_export import csv_text
from bellwether.dashboard.portfolio_sheet import Sheet, sheet_csv, sheet_of, sheet_xlsx
from bellwether.health.configs import active_config, main_scorecard
from bellwether.portfolio.listing import matching, ordered
from bellwether.portfolio.saved_views import views_of
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
NOT_IN_SHEETS = ("health_components", "health_sparkline", "health_missing", "licensed_modules")


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the filtered list, or the chosen clients of it, as CSV: all pages, in the order shown.

    All columns that there always are, or with `columns=shown` the reader's.
    """
    return _export(request, "csv")


@require_GET
@login_required
def export_xlsx(request: HttpRequest) -> HttpResponse:
    """Return the filtered list, or the chosen clients of it, as an Excel workbook with the reader's columns."""
    return _export(request, "xlsx")


def _export(request: HttpRequest, kind: str) -> HttpResponse:
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    views = views_of(user)
    asked = asked_by(user, request.GET, views)
    found = matching(user, asked.query, today=today)
    chosen = read_ids(request.GET.getlist("id"))
    if chosen is not None and not request.GET.get("all"):
        found = found.filter(pk__in=chosen)
    typical = found.aggregate(typical=Avg("annual_recurring_revenue"))["typical"]
    clients = ordered(found, asked.query.sort, today=today, typical_arr=float(typical or 1))
    clients = clients.select_related("csm_user", "ae_user")
    body: str | bytes
    if kind == "csv" and request.GET.get("columns") != "shown":
        scorecard = active_config(main_scorecard(), now=now).scorecard
        body, count = csv_text(clients, scorecard, today, zone)
    else:
        view = next((one for one in views if str(one.pk) == asked.base.name), None)
        keys = chosen_columns(user, view, measure_names())
        clients = clients.defer(*NOT_IN_SHEETS)
        sheet: Sheet = sheet_of(clients, keys, today=today, now=now, zone=zone)
        body, count = (sheet_csv(sheet) if kind == "csv" else sheet_xlsx(sheet)), len(sheet.rows)
    detail = {"filters": asked.given, "count": count, "format": kind}
    audit.record(actor=user, action="client.export", object_type="client", detail=detail, now=now)
    response = HttpResponse(body, content_type=CSV if kind == "csv" else XLSX)
    response["Content-Disposition"] = f'attachment; filename="clients-{today.isoformat()}.{kind}"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def read_ids(given: Iterable[str]) -> list[UUID] | None:
    """Return the ids of the chosen rows; None when none were chosen, which means all. What is no id is left out."""
    texts = list(given)
    if not texts:
        return None
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(UUID(text))
    return found
