"""Where the scorecard asks how quickly CSMs react to alerts. What keeps alerts registers its answer here."""

from collections.abc import Callable, Collection
from datetime import date

from bellwether.analytics.scorecard import AlertResponse

Reader = Callable[[Collection[str], date, date], dict[str, AlertResponse]]
NO_ALERTS = "No alert of the period has been answered, so nobody knows how long they waited."

_READERS: list[Reader] = []


def register_alert_response(reader: Reader) -> None:
    """Let `reader` supply the response times: it is called with CSM ids (32 hex digits), the first and the last day of
    the period, and returns an AlertResponse for each CSM that had alerts. The last one registered answers."""
    _READERS.append(reader)


def unregister_alert_response(reader: Reader) -> None:
    """Take a reader back."""
    _READERS.remove(reader)


def alert_responses(csms: Collection[str], first: date, last: date) -> dict[str, AlertResponse] | None:
    """Return the response times by CSM; None while nothing supplies them."""
    return _READERS[-1](csms, first, last) if _READERS else None
