"""The portfolio: figures, saved views, filters, the list as table or cards, and what needs attention."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Avg
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_choices import Chip, chips, measure_names, measure_shown, picks
from bellwether.dashboard.portfolio_export import csv_text
from bellwether.dashboard.portfolio_figures import Portfolio, most_urgent, portfolio_figures, score_history
from bellwether.dashboard.portfolio_keys import key_figures
from bellwether.dashboard.portfolio_query import SIZES, Asked, read_query
from bellwether.dashboard.portfolio_rows import ROW_FIELDS, make_row
from bellwether.health.configs import active_config, main_scorecard
from bellwether.portfolio.listing import ClientList, list_clients, matching, ordered
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import (
    day,
    plural,
    short_money,
)

SILENT_DAYS = 4  # longer than a weekend: then it is the source that is silent, not the clients
VIEW_LABELS = {
    "all": "All clients",
    "at_risk": "At risk",
    "renewals": "Renewals in 90 days",
    "mine": "My clients",
    "no_contact": "No contact for 30 days",
}
# (sort word, heading, class, whether the first click sorts descending)
COLUMNS = (
    ("name", "Client", "", False),
    ("score", "Health", "", False),
    ("", "90 days", "c-spark", False),
    ("trend", "30 d", "n", False),
    ("churn", "Churn 90 d", "n", True),
    ("arr", "ARR", "n", True),
    ("renewal", "Renewal", "n", False),
    ("last_contact", "Contacted", "n c-contact", False),
    ("csm", "CSM", "c-csm", False),
)


@dataclass(frozen=True)
class Tab:
    """A saved view with its count."""

    label: str
    count: int
    href: str
    current: bool


@dataclass(frozen=True)
class Column:
    """A heading; `href` sorts by it, empty if it cannot be sorted by."""

    label: str
    classes: str
    href: str
    sorted: str


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
    asked = read_query(request.GET)
    whole = portfolio_figures(user, today)
    listed = list_clients(user, asked.query, today=today, fields=ROW_FIELDS)
    offered = picks(user, asked)
    address = asked.link(page=listed.page).removeprefix("?")
    cards = asked.show == "cards"
    rows = [make_row(client, scorecard, today, zone, listed=address, with_parts=cards) for client in listed.rows]
    htmx = getattr(request, "htmx", None)
    swap = bool(htmx and not htmx.history_restore_request)
    set_filters = chips(asked, offered)
    context = {
        "asked": asked,
        "swap": swap,
        "tabs": _tabs(asked, whole),
        "picks": offered,
        "chips": set_filters,
        "nothing_text": _nothing_text(set_filters),
        "columns": _columns(asked, whole),
        "measures": measure_names(),
        "measured": measure_shown(asked, listed.rows),
        "rows": rows,
        "with_churn": whole.any_churn,
        "pager": _pager(asked, listed, whole),
        "whole": whole,
        "empty_workspace": whole.total == 0,
        "may_import": user.sees_all_clients,
    }
    if swap:
        response = render(request, "dashboard/portfolio_listing.html", context)
    else:
        history = score_history(user, whole.scored_on, scorecard) if whole.scored_on else {}
        urgent = [
            make_row(found, scorecard, today, zone, listed=address)
            for found in most_urgent(user, today, whole.typical_arr)
        ]
        extra = {
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


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the filtered list, or the chosen clients of it, as a CSV file: all pages, in the order shown."""
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    asked = read_query(request.GET)
    found = matching(user, asked.query, today=today)
    chosen = read_ids(request.GET.getlist("id"))
    if chosen is not None:
        found = found.filter(pk__in=chosen)
    typical = found.aggregate(typical=Avg("annual_recurring_revenue"))["typical"]
    clients = ordered(found, asked.query.sort, today=today, typical_arr=float(typical or 1))
    scorecard = active_config(main_scorecard(), now=now).scorecard
    text, count = csv_text(clients.select_related("csm_user", "ae_user"), scorecard, today, zone)
    detail = {"filters": asked.given, "count": count}
    audit.record(actor=user, action="client.export", object_type="client", detail=detail, now=now)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="clients-{today.isoformat()}.csv"'
    patch_cache_control(response, private=True, no_store=True)
    return response


def read_ids(given: list[str]) -> list[UUID] | None:
    """Return the ids of the chosen rows; None when none were chosen, which means all. What is no id is left out."""
    if not given:
        return None
    found = []
    for text in given:
        with suppress(ValueError):
            found.append(UUID(text))
    return found


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


def _tabs(asked: Asked, whole: Portfolio) -> list[Tab]:
    current = asked.query.view or "all"
    return [
        Tab(label, whole.views[name], asked.view_link(name), name == current) for name, label in VIEW_LABELS.items()
    ]


def _columns(asked: Asked, whole: Portfolio) -> list[Column]:
    return [
        Column(
            label,
            classes,
            asked.sort_link(word, descending_first=descending) if word else "",
            asked.sorted_by(word) if word else "",
        )
        for word, label, classes, descending in COLUMNS
        if word != "churn" or whole.any_churn
    ]


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
