"""What the portfolio remembers of one reader: columns, order of views, the view it opens with, dismissed insights."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from bellwether.staff.models import StaffUser

PAGE = "portfolio"
DISMISSED_FOR = timedelta(days=7)
Kept = dict[str, Any]


def preferences_of(user: StaffUser) -> Kept:
    """Return what is kept: `columns` (list), `columns_of` (view to list), `views` (order of ids), `view`, `dismissed`.

    Everything may be missing; what is not of the expected type is left out.
    """
    kept = user.preferences.get(PAGE) if isinstance(user.preferences, dict) else None
    kinds: dict[str, type] = {"columns": list, "columns_of": dict, "views": list, "view": str, "dismissed": dict}
    return {name: value for name, value in (kept or {}).items() if name in kinds and isinstance(value, kinds[name])}


def remember(user: StaffUser, change: Callable[[Kept], None]) -> None:
    """Change what is kept of `user` through `change`, which edits it in place; other pages' preferences stay."""
    with transaction.atomic():
        locked = StaffUser.objects.select_for_update().get(pk=user.pk)
        kept = preferences_of(locked)
        change(kept)
        locked.preferences = {**(locked.preferences or {}), PAGE: kept}
        locked.save(update_fields=["preferences", "updated_at"])
    user.preferences = locked.preferences


def dismissed(user: StaffUser, today: date) -> frozenset[str]:
    """Return the keys of the insights that the reader does not want to see today."""
    until = preferences_of(user).get("dismissed", {})
    return frozenset(key for key, day in until.items() if isinstance(day, str) and day > today.isoformat())


def dismiss(user: StaffUser, key: str, today: date) -> None:
    """Leave the insight `key` out for a week; what has run out is forgotten."""

    def change(kept: Kept) -> None:
        running = {name: day for name, day in kept.get("dismissed", {}).items() if str(day) > today.isoformat()}
        kept["dismissed"] = running | {key: (today + DISMISSED_FOR).isoformat()}

    remember(user, change)


def show_all_insights(user: StaffUser) -> None:
    """Show dismissed insights again."""
    remember(user, lambda kept: kept.pop("dismissed", None))
