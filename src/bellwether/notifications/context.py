"""What the frame of every page needs for the bell."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from bellwether.notifications.selectors import unread_count


def bell(request: HttpRequest) -> dict[str, Any]:
    """Return `unread`, which the frame calls when it is drawn, so that fragments and error pages ask for nothing."""
    user = getattr(request, "user", None)
    count: Callable[[], int] = lambda: unread_count(user) if user and user.is_authenticated else 0  # noqa: E731
    return {"unread": count}
