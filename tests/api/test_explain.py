"""GET /clients/{id}/health/explain: inputs, formulas, components, and the change split into causes that add up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bellwether.common.progress import NoProgress
from bellwether.health.services import score_dates
from bellwether.portfolio.models import SupportTicket
from bellwether.usage.lake import Lake
from tests.api.conftest import Caller
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.test_services import INSTANT, records, usage  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db


def test_explains_a_day_and_the_change_as_it_was_seen(
    caller_of: Callable[..., Caller],
    staff: Staff,
    clients: Clients,
    usage: Lake,  # noqa: F811
    records: Any,  # noqa: F811
) -> None:
    before = TODAY - timedelta(days=1)
    score_dates([before, TODAY], now=NOW, progress=NoProgress())
    SupportTicket.objects.create(client=clients.sturdy, priority="urgent", opened_at=INSTANT, external_id="late")
    score_dates([before, TODAY], now=NOW, progress=NoProgress())
    path = f"/clients/{clients.sturdy.pk}/health/explain"
    answer = caller_of(staff.ada).get(f"{path}?date={TODAY}&since={before}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    change = body["change"]
    assert body["matches"]
    assert change["before"] > change["stored"]
    parts = [change[name] for name in ("late", "lost_points", "gained_points", "configuration", "rounding")]
    assert sum(parts) + sum(change["data"].values()) == change["score"]
    assert body["components"][2]["reason"] == "No value for CSAT, 90 days"
    assert caller_of(staff.cleo).get(path).status_code == 404
    refused = caller_of(staff.ada).get(f"{path}?date={before}&since={TODAY}")
    assert refused.status_code == 422
    assert "since" in refused.content.decode()
    assert caller_of(staff.ada).get(f"{path}?date=2020-01-01").status_code == 422
    current = caller_of(staff.ada).get(f"/clients/{clients.sturdy.pk}/health").json()
    assert current["interval_low"] <= current["overall_score"] <= current["interval_high"]
    assert current["component_data"]["support"]["coverage"] == 0.7
