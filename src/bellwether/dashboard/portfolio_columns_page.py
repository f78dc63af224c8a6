"""Choosing the columns of the list, for all views or for one."""

from collections.abc import Mapping
from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from bellwether.dashboard.portfolio_choices import measure_names
from bellwether.dashboard.portfolio_columns import DEFAULT_COLUMNS, KINDS, MOST_COLUMNS, chosen_columns, usable
from bellwether.portfolio.listing import OF_MEASURE
from bellwether.portfolio.models import SavedView
from bellwether.portfolio.preferences import Kept, remember
from bellwether.portfolio.saved_views import find_view
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, show_form

TEMPLATE = "dashboard/portfolio_columns_form.html"


@require_http_methods(["GET", "POST"])
@login_required
def columns(request: HttpRequest) -> HttpResponse:
    """Show the columns with their order, or keep what was chosen. `view` is the saved view they are for, if any.

    The buttons that move a column answer with the form again, so that they work without JavaScript.
    """
    user = cast(StaffUser, request.user)
    names = measure_names()
    given = request.POST if request.method == "POST" else request.GET
    view = _view(user, given.get("view", ""))
    if request.method == "GET":
        return _form(request, list(chosen_columns(user, view, names)), None, view, names)
    order = list(usable(request.POST.getlist("order"), names))
    chosen = [key for key in order if key in set(request.POST.getlist("column"))]
    move = request.POST.get("move", "")
    if move:
        return _form(request, chosen, _moved(order, move), view, names)
    if "reset" in request.POST:
        _keep(user, view, None)
        return done(request, reverse("portfolio"), "The columns are those there were at first.")
    if not chosen:
        return _form(request, chosen, order, view, names, "Choose at least one column.")
    if len(chosen) > MOST_COLUMNS:
        return _form(request, chosen, order, view, names, f"Choose at most {MOST_COLUMNS} columns.")
    _keep(user, view, chosen)
    return done(request, reverse("portfolio"), f"Columns of {view.name} kept." if view else "Columns kept.")


def _view(user: StaffUser, text: str) -> SavedView | None:
    try:
        wanted = UUID(text)
    except ValueError:
        return None
    return find_view(user, wanted)


def _moved(order: list[str], move: str) -> list[str]:
    """Return the order with one column moved: `up:arr` or `down:arr`."""
    way, _, key = move.partition(":")
    if key not in order:
        return order
    place = order.index(key)
    to = place + (-1 if way == "up" else 1)
    order.insert(max(0, min(len(order) - 1, to)), order.pop(place))
    return order


def _keep(user: StaffUser, view: SavedView | None, chosen: list[str] | None) -> None:
    def change(kept: Kept) -> None:
        if view is None:
            kept.pop("columns", None)
            if chosen is not None and chosen != list(DEFAULT_COLUMNS):
                kept["columns"] = chosen
            return
        of_views = {pk: keys for pk, keys in kept.get("columns_of", {}).items() if pk != str(view.pk)}
        kept["columns_of"] = of_views if chosen is None else of_views | {str(view.pk): chosen}

    remember(user, change)


def _form(
    request: HttpRequest,
    chosen: list[str],
    order: list[str] | None,
    view: SavedView | None,
    names: Mapping[str, str],
    error: str = "",
) -> HttpResponse:
    everything = [*KINDS, *(OF_MEASURE + slug for slug in names)]
    keys = list(dict.fromkeys([*(order or chosen), *everything]))
    labels = {key: kind.label for key, kind in KINDS.items()} | {
        OF_MEASURE + slug: name for slug, name in names.items()
    }
    about = {key: kind.about for key, kind in KINDS.items()}
    context = {
        "action": reverse("portfolio_columns"),
        "options": [(key, labels[key], about.get(key, "A custom measure"), key in chosen) for key in keys],
        "view": view,
        "error": error,
    }
    return show_form(request, TEMPLATE, context, invalid=bool(error))
