"""The portfolio: figures, saved views, filters, the list as table or cards, and what needs attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_base import asked_by
from bellwether.dashboard.portfolio_choices import Chip, chips, measure_names, more_filters, picks, values_of
from bellwether.dashboard.portfolio_columns import Column, chosen_columns, shown_columns, texts_of
from bellwether.dashboard.portfolio_figures import Portfolio, most_urgent, portfolio_figures, score_history
from bellwether.dashboard.portfolio_keys import key_figures
from bellwether.dashboard.portfolio_query import SIZES, Asked
from bellwether.dashboard.portfolio_rows import ROW_FIELDS, Row, make_row
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.client_changes import ASSIGN_AE, ASSIGN_CSM
from bellwether.portfolio.insight_reading import insight_figures
from bellwether.portfolio.insights import insights
from bellwether.portfolio.listing import ClientList, list_clients
from bellwether.portfolio.models import SavedView
from bellwether.portfolio.preferences import dismissed
from bellwether.portfolio.saved_views import may_change, view_counts, views_of
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import (
    day,
    plural,
    short_money,
)

MOST_WITHOUT_SCROLLING = 9
SILENT_DAYS = 4  # longer than a weekend: then it is the source that is silent, not the clients
VIEW_LABELS = {
    "all": "All clients",
    "at_risk": "At risk",
    "renewals": "Renewals in 90 days",
    "mine": "My clients",
    "no_contact": "No contact for 30 days",
}


@dataclass(frozen=True)
class Tab:
    """A view with its count, None where it was not counted; `shared` with everybody."""

    label: str
    count: int | None
    href: str
    current: bool
    shared: bool = False


@dataclass(frozen=True)
class Pager:
    """Where in the list this page is, and the addresses of its neighbours; empty where there is none."""

    text: str
    arr: str
    previous: str
    next: str
    sizes: tuple[tuple[int, str, bool], ...]


@require_GET
@login_required
def portfolio(request: HttpRequest) -> HttpResponse:
    """Show the clients that the reader may see; for a swap of the list, only the list."""
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    scorecard = active_config(main_scorecard(), now=now).scorecard
    views = views_of(user)
    asked = asked_by(user, request.GET, views)
    view = next((found for found in views if str(found.pk) == asked.base.name), None)
    whole = portfolio_figures(user, today)
    listed = list_clients(user, asked.query, today=today, fields=ROW_FIELDS)
    names = measure_names()
    columns = shown_columns(asked, chosen_columns(user, view, names), any_churn=whole.any_churn, names=names)
    rows = _rows(asked, listed, columns, scorecard, now)
    values, offered = values_of(user), picks(user, asked)
    set_filters = chips(asked, offered, values.aes)
    htmx = getattr(request, "htmx", None)
    swap = bool(htmx and not htmx.history_restore_request)
    context = {
        "asked": asked,
        "swap": swap,
        "tabs": _tabs(asked, whole, views, view_counts(user, views, today)),
        "view": view,
        "view_mine": view is not None and may_change(user, view),
        "picks": offered,
        "more": more_filters(asked, values),
        "chips": set_filters,
        "nothing_text": _nothing_text(set_filters),
        "columns": columns,
        "wide": len(columns) > MOST_WITHOUT_SCROLLING,
        "measures": names,
        "rows": rows,
        "with_churn": whole.any_churn,
        "pager": _pager(asked, listed, whole),
        "whole": whole,
        "total": listed.total,
        "empty_workspace": whole.total == 0,
        "may_import": user.sees_all_clients,
        "may_assign": {"csm": user.role in ASSIGN_CSM, "ae": user.role in ASSIGN_AE},
        "log_page": page_exists("client_activity_new"),
    }
    address = asked.link(page=listed.page)
    if swap:
        response = render(request, "dashboard/portfolio_listing.html", context)
        response["HX-Push-Url"] = reverse("portfolio") + address.removesuffix("?")
    else:
        history = score_history(user, whole.scored_on, scorecard) if whole.scored_on else {}
        urgent = [
            make_row(found, scorecard, today, zone, listed=address.removeprefix("?"))
            for found in most_urgent(user, today, whole.typical_arr)
        ]
        hidden = dismissed(user, today)
        days = 1 if scorecard.trend.against == "previous" else scorecard.trend.days
        told = insights(insight_figures(user, today, hidden), today, change_days=days)
        extra = {
            "insights": [(one, asked.filters_link(one.filters)) for one in told],
            "insights_hidden": len(hidden),
            "figures": key_figures(whole, history, scorecard),
            "urgent": urgent,
            "urgent_text": f"{plural(whole.attention, 'client')}, {short_money(whole.attention_arr)} ARR",
            "subtitle": _subtitle(whole, today),
            "silence": _silence(whole, today, zone),
        }
        response = render(request, "dashboard/portfolio.html", context | extra)
    detail = {"filters": asked.given, "count": len(rows)}
    audit.record(actor=user, action="client.list", object_type="client", detail=detail, now=now)
    patch_vary_headers(response, ["HX-Request"])
    return response


def page_exists(name: str) -> bool:
    """Return whether a page about one client of this name is among the addresses."""
    try:
        reverse(name, args=[UUID(int=0)])
    except NoReverseMatch:
        return False
    return True


def _rows(
    asked: Asked, listed: ClientList, columns: Sequence[Column], scorecard: Scorecard, now: datetime
) -> list[Row]:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    keys = {column.key for column in columns}
    with_tags = "tags" in keys
    if with_tags:
        prefetch_related_objects(listed.rows, "tags")
    cards = asked.show == "cards"
    texts = {} if cards else texts_of(listed.rows, keys, today=today, now=now, zone=zone)
    first = (listed.page - 1) * listed.limit + 1
    address = asked.link(page=listed.page).removeprefix("?")
    return [
        make_row(
            client,
            scorecard,
            today,
            zone,
            listed=address,
            with_parts=cards,
            rank=first + place,
            typical_arr=listed.typical_arr,
            with_tags=with_tags,
            texts={key: found[str(client.pk)] for key, found in texts.items() if str(client.pk) in found},
        )
        for place, client in enumerate(listed.rows)
    ]


def _nothing_text(set_filters: list[Chip]) -> str:
    """Return what was asked for when nothing was found: "Status is Critical and Tier is Starter."."""
    return " and ".join(f"{chip.label} is {chip.value}" for chip in set_filters) + "." if set_filters else ""


def _subtitle(whole: Portfolio, today: date) -> str:
    if not whole.total:
        return ""
    clients = plural(whole.total, "client")
    if whole.scored_on is None:
        return f"{clients}. Not scored yet."
    return f"{clients}. Health scores of {day(whole.scored_on, today)}."


def _silence(whole: Portfolio, today: date, zone: ZoneInfo) -> str:
    """Return the warning that usage itself has stopped arriving, which makes every client look idle; else nothing."""
    if whole.last_usage_at is None:
        return ""
    last = day_of(whole.last_usage_at, zone)
    silent = (today - last).days
    if silent < SILENT_DAYS:
        return ""
    return (
        f"No usage of any of these clients has arrived since {day(last, today)}, {plural(silent, 'day')} ago. Their "
        "scores take that for people who stayed away. Check that events are still being sent, or import newer ones."
    )


def _tabs(asked: Asked, whole: Portfolio, views: list[SavedView], counts: Mapping[UUID, int]) -> list[Tab]:
    current = asked.base.name
    always = [
        Tab(label, whole.views[name], asked.view_link(name), name == current) for name, label in VIEW_LABELS.items()
    ]
    saved = [
        Tab(view.name, counts.get(view.pk), asked.view_link(str(view.pk)), str(view.pk) == current, view.is_shared)
        for view in views
    ]
    return always + saved


def _pager(asked: Asked, listed: ClientList, whole: Portfolio) -> Pager:
    first = (listed.page - 1) * listed.limit + 1 if listed.rows else 0
    last = first + len(listed.rows) - 1 if listed.rows else 0
    if listed.pages > 1:
        text = f"{first:,} to {last:,} of {plural(listed.total, 'client')}"
    else:
        text = f"{listed.total:,} of {plural(whole.total, 'client')}"
    return Pager(
        text=text,
        arr=f"{short_money(listed.arr)} ARR",
        previous=asked.link(page=listed.page - 1) if listed.page > 1 else "",
        next=asked.link(page=listed.page + 1) if listed.page < listed.pages else "",
        sizes=tuple((size, asked.link(limit=size), size == listed.limit) for size in SIZES),
    )
