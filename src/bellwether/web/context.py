"""What every page's frame needs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from bellwether.common.models import JobPulse
from bellwether.web.formatting import moment

THEMES = ("light", "dark")


def updated_at() -> datetime | None:
    """Return when the sweep that keeps the scores up to date last finished, or None before the first."""
    return JobPulse.objects.filter(name="score").values_list("last_finished_at", flat=True).first()


def updated_text() -> str:
    """Return "14:05" or "12 Feb, 14:05" for the last finished sweep, in the workspace's zone; "" before the first."""
    instant = updated_at()
    return moment(instant, timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE) if instant else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the variables of the page frame: theme and rail come from cookies, so the first paint is right.

    `updated` is a function, called by the frame only when it is drawn, so that an error page needs no database.
    """
    theme = request.COOKIES.get("theme", "")
    updated: Callable[[], str] = updated_text
    return {
        "theme": theme if theme in THEMES else "",
        "rail": "min" if request.COOKIES.get("rail") == "min" else "",
        "user": getattr(request, "user", None),
        "updated": updated,
        "debug": settings.DEBUG,
    }
