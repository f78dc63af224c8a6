"""What all pages of one client share: who may open them, the list the reader came from, how they are answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers

from bellwether.common.time import day_of
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.client_head import ClientHead, client_head
from bellwether.dashboard.portfolio_base import asked_by
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


def client_or_404(user: StaffUser, client_id: UUID) -> Client:
    """Return the client, archived or not; one that `user` may not see does not exist."""
    found = read.find_client(user, client_id)
    if found is None:
        raise Http404
    return found


def list_address(request: HttpRequest) -> str:
    """Return the query of the list that the reader came from: `from`, else that of the portfolio page before."""
    given = request.GET.get("from", "")
    if given:
        return given.removeprefix("?")
    came = urlsplit(request.headers.get("Referer", ""))
    linked = came.netloc == request.get_host() and came.path == reverse("portfolio")
    return came.query if linked else ""


def head_of(request: HttpRequest, client: Client, *, user: StaffUser, tab: str, now: datetime) -> ClientHead:
    """Return the head of a client's page for the tab `tab`, with the place in the list that the reader came from."""
    listed = list_address(request)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return client_head(
        client,
        user=user,
        tab=tab,
        listed=listed,
        query=asked_by(user, QueryDict(listed)).query,  # type: ignore[arg-type]
        today=day_of(now, zone),
        zone=zone,
    )


def target_of(request: HttpRequest) -> str:
    """Return the id of the element that htmx is about to replace; empty for a whole page."""
    htmx: Any = getattr(request, "htmx", None)
    return (htmx.target or "") if htmx else ""


def answer(request: HttpRequest, template: str, values: Mapping[str, Any]) -> HttpResponse:
    """Return the page or part of it, kept by nobody but the reader, and by that one only to be checked again."""
    response = render(request, template, dict(values))
    patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
    patch_cache_control(response, private=True, no_cache=True)
    return response
