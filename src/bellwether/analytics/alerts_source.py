"""Supplies the scorecard of CSMs with response times from alerts."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from bellwether.alerts.responses import responses_by_csm
from bellwether.analytics.alert_response import register_alert_response
from bellwether.analytics.scorecard import AlertResponse


def register() -> None:
    """Let alerts answer; called once when Django starts."""
    register_alert_response(read)


def read(csms: Collection[str], first: date, last: date) -> dict[str, AlertResponse]:
    """Return the response times of CSMs (32 hex digits) in alerts of their clients; one query, none for nobody."""
    if not csms:
        return {}
    found = responses_by_csm([UUID(one) for one in csms], first, last)
    return {csm.hex: AlertResponse(one.median_hours, one.alerts) for csm, one in found.items()}
