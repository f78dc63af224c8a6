"""The first page of a workspace, and which pages of the other two systems it has."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from bellwether.health.scored_clients import OPERATIONS, SUPPLIERS, in_use

PORTFOLIO = "portfolio"


def portfolio_path(home: str) -> str:
    """Return the path of the portfolio where `home` is the first page: the root, unless another page is the first."""
    return "" if home == PORTFOLIO else "portfolio/"


@require_GET
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Send the reader on to the first page, which the preset names: portfolio, console or suppliers."""
    return redirect(settings.BELLWETHER_HOME_PAGE)


def other_systems(request: HttpRequest) -> dict[str, Any]:
    """Return for the frame of every page where the first page is, and whether console and suppliers are in use."""

    def home() -> str:
        return reverse(settings.BELLWETHER_HOME_PAGE)

    return {"home": home, "with_console": lambda: in_use(OPERATIONS), "with_suppliers": lambda: in_use(SUPPLIERS)}
