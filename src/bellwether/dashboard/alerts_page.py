"""The inbox of alerts: folders, the list, one alert beside it, the file."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from bellwether.alerts import selectors as read
from bellwether.alerts.choices import AlertSeverity, AlertType
from bellwether.alerts.models import Alert
from bellwether.alerts.responses import response_this_month
from bellwether.alerts.selectors import Counts, Inbox, Tab
from bellwether.alerts.settings_selectors import muted_clients
from bellwether.common.spreadsheets import safe
from bellwether.common.time import day_of
from bellwether.dashboard.alerts_detail import Detail, detail_of, subtitle
from bellwether.dashboard.alerts_query import Asked, read_asked
from bellwether.dashboard.alerts_view import sections
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.settings_alerts_view import muted_rows
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of

DETAIL = "alert-detail"
TABS = {Tab.OPEN: "Open", Tab.SNOOZED: "Snoozed", Tab.DONE: "Done", Tab.MUTED: "Muted clients"}
CSV_COLUMNS = (
    "id",
    "client",
    "alert_type",
    "severity",
    "status",
    "title",
    "description",
    "arr",
    "csm",
    "assigned_to",
    "created_at",
    "respond_by",
    "first_response_at",
    "snoozed_until",
    "resolved_at",
    "dismissed_at",
    "resolution_notes",
)


@require_GET
@login_required
def alerts(request: HttpRequest, alert_id: UUID | None = None) -> HttpResponse:
    """Show a folder of the inbox with one alert beside the list: the asked one, else the first. For a swap of the alert
    only that."""
    user, now = cast(StaffUser, request.user), timezone.now()
    asked = read_asked(request.GET)
    chosen = read.find(user, alert_id) if alert_id else None
    if asked.query.tab is Tab.MUTED and chosen is None:
        return _muted(request, user, asked, now)
    box = read.inbox(user, asked.query, now, page=asked.page)
    shown = chosen or (box.entries[0].alert if box.entries else None)
    detail = _detail(shown, user, asked, box, now) if shown else None
    if chosen is not None:
        audit.record(
            actor=user, action="alert.read", object_type="alert", object_id=chosen.pk, client_id=chosen.client_id,
            now=now,
        )  # fmt: skip
    if target_of(request) == DETAIL and detail is not None:
        return answer(request, "dashboard/alerts_detail.html", {"detail": detail, "asked": asked})
    counts = read.counts(user, asked.query, now)
    values = _frame(user, asked, counts, now) | {
        "box": box,
        "sections": sections(box.entries, asked, now, zone_of(user)),
        "detail": detail,
        "picked": chosen is not None,
        "shown": shown.pk if shown else None,
        "previous": asked.link(page=box.page - 1) if box.page > 1 else "",
        "next": asked.link(page=box.page + 1) if box.page < box.pages else "",
        "anything": bool(box.total) or asked.query.filtered or read.visible(user).exists(),
    }
    if chosen is None:
        detail_of_log = {"count": len(box.entries), "tab": asked.query.tab.value}
        audit.record(actor=user, action="alert.list", object_type="alert", detail=detail_of_log, now=now)
    return answer(request, "dashboard/alerts.html", values)


def _detail(shown: Alert, user: StaffUser, asked: Asked, box: Inbox, now: datetime) -> Detail:
    order = [alert.pk for entry in box.entries for alert in (entry.alert, *entry.others)]
    at = order.index(shown.pk) if shown.pk in order else -1
    rest = [*order[at + 1 :], *reversed(order[: max(at, 0)])]
    bundle = next((entry for entry in box.entries if shown.pk in {entry.alert.pk, *(o.pk for o in entry.others)}), None)
    others = [one for one in (bundle.alert, *bundle.others) if one.pk != shown.pk] if bundle else []
    return detail_of(shown, user, asked, now, following=rest[0] if rest else None, others=others)


def _frame(user: StaffUser, asked: Asked, counts: Counts, now: datetime) -> dict[str, Any]:
    """Return what stands around the list: tabs, filters, the sentence, the other pages."""
    query = asked.query
    numbers = {Tab.OPEN: counts.open, Tab.SNOOZED: counts.snoozed, Tab.MUTED: counts.muted}
    csms = Client.objects.visible_to(user).active().filter(csm_user__isnull=False).order_by()
    people = sorted(
        {(pk, f"{first} {last}".strip()) for pk, first, last in csms.values_list(
            "csm_user_id", "csm_user__first_name", "csm_user__last_name").distinct()},
        key=lambda one: one[1],
    )  # fmt: skip
    client = Client.objects.visible_to(user).filter(pk=query.client_id).first() if query.client_id else None
    return {
        "asked": asked,
        "counts": counts,
        "subtitle": subtitle(counts.open, counts.new, response_this_month(user, now)),
        "tabs": [(text, numbers.get(tab), asked.link(tab=tab.value), tab is query.tab) for tab, text in TABS.items()],
        "severities": AlertSeverity.choices,
        "types": AlertType.choices,
        "csms": people if len(people) > 1 or query.csm_id else [],
        "client": client,
        "clear": asked.link(severity="", type="", csm="", client="", search="", silent=""),
        "export": reverse("alerts_export") + asked.text(),
        "quiet_href": reverse("settings_delivery"),
        "rules_href": reverse("settings_alerts"),
        "may_configure": user.may_configure,
    }


def _muted(request: HttpRequest, user: StaffUser, asked: Asked, now: datetime) -> HttpResponse:
    rows = muted_clients(user, now)
    values = _frame(user, asked, read.counts(user, asked.query, now), now)
    values["muted"] = muted_rows(
        rows, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), settings.BELLWETHER_WORKSPACE_ZONE
    )
    audit.record(
        actor=user, action="alert.list", object_type="alert", detail={"tab": "muted", "count": len(rows)}, now=now
    )
    return answer(request, "dashboard/alerts_folder_muted.html", values)


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the alerts of a folder, filtered as the page is, as a CSV file."""
    user, now = cast(StaffUser, request.user), timezone.now()
    asked = read_asked(request.GET)
    query = asked.query
    tab = Tab.OPEN if query.tab is Tab.MUTED else query.tab
    rows = read.narrowed(read.visible(user).filter(read.is_in(tab, silent=query.silent)), query)
    found = list(rows.select_related("client__csm_user", "assigned_to").order_by("severity_rank", "-created_at", "pk"))
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(CSV_COLUMNS)
    writer.writerows(_cells(found))
    detail = {"count": len(found), "tab": tab.value}
    audit.record(actor=user, action="alert.export", object_type="alert", detail=detail, now=now)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    response = HttpResponse(buffer.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="alerts-{tab.value}-{today.isoformat()}.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def _cells(found: Sequence[Alert]) -> list[list[object]]:
    return [
        [
            one.pk,
            safe(one.client.name),
            one.alert_type,
            one.severity,
            one.status,
            safe(one.title),
            safe(one.description),
            one.arr,
            safe(one.client.csm_user.name) if one.client.csm_user else "",
            safe(one.assigned_to.name) if one.assigned_to else "",
            *(
                at.isoformat() if at else None
                for at in (
                    one.created_at,
                    one.respond_by,
                    one.first_response_at,
                    one.snoozed_until,
                    one.resolved_at,
                    one.dismissed_at,
                )
            ),
            safe(one.resolution_notes),
        ]
        for one in found
    ]


def waiting(request: HttpRequest) -> dict[str, Any]:
    """Return for the frame of every page how many alerts nobody has taken on; asked for when the rail is drawn."""

    def alerts_new() -> int:
        user = getattr(request, "user", None)
        return read.new_count(user) if isinstance(user, StaffUser) else 0

    return {"alerts_new": alerts_new}
