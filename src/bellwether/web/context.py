"""What every page's frame needs."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the variables of the page frame: theme and rail come from cookies, so the first paint is right."""
    return {"theme": request.COOKIES.get("theme", ""), "rail": request.COOKIES.get("rail", "")}
