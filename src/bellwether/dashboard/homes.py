"""The first page of a workspace, and which pages of the other two systems it has."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from bellwether.health.scored_clients import OPERATIONS, SUPPLIERS, in_use
from bellwether.presets import load_preset

PORTFOLIO = "portfolio"


def home_name() -> str:
    """Return the name of the first page, as the preset says: portfolio, console or suppliers."""
    return str(load_preset(settings.BELLWETHER_PRESET)["workspace"].get("home", PORTFOLIO))


def portfolio_path() -> str:
    """Return the path of the portfolio: the root, unless another page is the first one."""
    return "" if home_name() == PORTFOLIO else "portfolio/"


@require_GET
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Send the reader on to the first page."""
    return redirect(home_name())


def other_systems(request: HttpRequest) -> dict[str, Any]:
    """Return for the frame of every page where the first page is, and whether console and suppliers are in use."""

    def home() -> str:
        return reverse(home_name())

    return {"home": home, "with_console": lambda: in_use(OPERATIONS), "with_suppliers": lambda: in_use(SUPPLIERS)}
