"""What is recorded about one feature of a client: licensed and set up, each since when. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

EARLIEST = date(1990, 1, 1)


@dataclass(frozen=True)
class Licence:
    """Whether a feature is licensed and set up, and since when; a missing date means always."""

    is_licensed: bool
    licensed_at: date | None
    is_configured: bool
    configured_at: date | None

    def as_list(self) -> list[Any]:
        """Return the values as JSON keeps them; dates are ISO."""
        dates = [day and day.isoformat() for day in (self.licensed_at, self.configured_at)]
        return [self.is_licensed, dates[0], self.is_configured, dates[1]]


NOTHING = Licence(is_licensed=False, licensed_at=None, is_configured=False, configured_at=None)


def licence_from_list(values: list[Any]) -> Licence:
    """Return the licence that `as_list` wrote."""
    licensed_at, configured_at = (date.fromisoformat(day) if day else None for day in (values[1], values[3]))
    return Licence(bool(values[0]), licensed_at, bool(values[2]), configured_at)


def tidy(licence: Licence) -> Licence:
    """Return the licence without dates of what is not so."""
    return Licence(
        licence.is_licensed,
        licence.licensed_at if licence.is_licensed else None,
        licence.is_configured,
        licence.configured_at if licence.is_configured else None,
    )


def first_affected(old: Licence, new: Licence, today: date) -> date | None:
    """Return the first day on which the levels of use differ; None for all days. What ends, ends today."""
    days: list[date | None] = []
    for was, since, now, now_since in (
        (old.is_licensed, old.licensed_at, new.is_licensed, new.licensed_at),
        (old.is_configured, old.configured_at, new.is_configured, new.configured_at),
    ):
        if was and now and since != now_since:
            days.append(None if since is None or now_since is None else min(since, now_since))
        elif now and not was:
            days.append(now_since)
        elif was and not now:
            days.append(today)
    return None if None in days else min((day for day in days if day), default=today)
