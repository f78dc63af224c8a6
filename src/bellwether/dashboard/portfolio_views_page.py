"""Saving what the portfolio shows as a view, and looking after saved views."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_base import asked_by
from bellwether.dashboard.portfolio_choices import measure_names
from bellwether.dashboard.portfolio_columns import chosen_columns
from bellwether.portfolio import saved_views
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.portfolio.models import SavedView
from bellwether.portfolio.preferences import preferences_of
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, show_form


class ViewForm(forms.Form):
    """Name, sharing, and whether the portfolio opens with the view."""

    name = forms.CharField(max_length=saved_views.LONGEST_NAME, label="Name")
    shared = forms.BooleanField(required=False, label="Share with everybody")
    opens = forms.BooleanField(required=False, label="Open the portfolio with this view")

    def __init__(self, *args: Any, sharing: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not sharing:
            del self.fields["shared"]
        else:
            self.fields["shared"].help_text = "Others find only the clients in it that they may see."


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Ask for a name and keep the list as it is: filters, order and columns. `list` is the query of the portfolio."""
    user = cast(StaffUser, request.user)
    listed = (request.POST if request.method == "POST" else request.GET).get("list", "")
    form = ViewForm(request.POST or None, sharing=saved_views.may_share(user))
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        asked = asked_by(user, QueryDict(listed))  # type: ignore[arg-type]
        base = next((view for view in saved_views.views_of(user) if str(view.pk) == asked.base.name), None)
        data = form.cleaned_data
        try:
            view, change = saved_views.save_view(
                user,
                name=data["name"],
                query=asked.kept,
                columns=chosen_columns(user, base, measure_names()),
                shared=data.get("shared", False),
                today=today,
                now=now,
            )
        except InvalidInputError as error:
            _add_errors(form, error)
        except NotAllowedError as error:
            form.add_error("shared", str(error))
        else:
            if data["opens"]:
                saved_views.open_with(user, str(view.pk))
            return _go(request, _address(view), f"View {view.name} saved.", undo=change.pk if change else None)
    values = {"form": form, "action": reverse("portfolio_view_new"), "listed": listed, "view": None}
    return show_form(request, "dashboard/portfolio_view_form.html", values, invalid=form.is_bound)


@require_http_methods(["GET", "POST"])
@login_required
def manage(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Rename, share, move or delete a view, or let the portfolio open with it. Others' views may only be moved."""
    user = cast(StaffUser, request.user)
    view = saved_views.find_view(user, view_id)
    mine = saved_views.may_change(user, view)
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    act = request.POST.get("do", "")
    if act in ("left", "right"):
        saved_views.move_view(user, view, -1 if act == "left" else 1)
        return _go(request, _address(view), f"View {view.name} moved.")
    if act == "delete":
        if not mine:
            raise PermissionDenied("Only its owner deletes this view.")
        change = saved_views.delete_view(user, view, today=today, now=now)
        return _go(request, reverse("portfolio"), f"View {view.name} deleted.", undo=change.pk if change else None)
    opened = preferences_of(user).get("view") == str(view.pk)
    start = {"name": view.name, "shared": view.is_shared, "opens": opened}
    form = ViewForm(request.POST or None, initial=start, sharing=mine and saved_views.may_share(user))
    if not mine:
        del form.fields["name"]
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            change = (
                saved_views.change_view(
                    user, view, name=data["name"], shared=data.get("shared", view.is_shared), today=today, now=now
                )
                if mine
                else None
            )
        except InvalidInputError as error:
            _add_errors(form, error)
        else:
            if data["opens"] != opened:
                saved_views.open_with(user, str(view.pk) if data["opens"] else "all")
            return _go(request, _address(view), f"View {view.name} kept.", undo=change.pk if change else None)
    values = {"form": form, "action": reverse("portfolio_view", args=[view.pk]), "view": view, "mine": mine}
    return show_form(request, "dashboard/portfolio_view_form.html", values, invalid=form.is_bound)


@require_POST
@login_required
def keep(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Let the view hold the filters and the order that the list has now."""
    user = cast(StaffUser, request.user)
    view = saved_views.find_view(user, view_id)
    now = timezone.now()
    asked = asked_by(user, QueryDict(request.POST.get("list", "")))  # type: ignore[arg-type]
    try:
        change = saved_views.change_view(
            user, view, query=asked.kept, today=day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), now=now
        )
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    return _go(request, _address(view), f"View {view.name} kept.", undo=change.pk if change else None)


def _address(view: SavedView) -> str:
    return f"{reverse('portfolio')}?view={view.pk}"


def _go(request: HttpRequest, address: str, text: str, *, undo: object = None) -> HttpResponse:
    """Say `text` at `address`, whatever page the form was opened from."""
    posted = request.POST.copy()
    posted["next"] = address
    request.POST = posted  # type: ignore[assignment]
    return done(request, address, text, undo=undo)


def _add_errors(form: forms.Form, error: InvalidInputError) -> None:
    for name, sentence in (error.errors or {"": str(error)}).items():
        form.add_error(name if name in form.fields else None, sentence)
