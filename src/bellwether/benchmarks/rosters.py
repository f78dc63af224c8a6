"""Which client counts as what: read from the database, and as a roster to make groups of."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np

from bellwether.benchmarks.cohorts import ATTRIBUTES, Roster, size_band, tenure_band, tenure_months
from bellwether.portfolio.models import Client


def attributes_of(day: date, *, archived: bool = False) -> dict[UUID, dict[str, Any]]:
    """Return what each active client (with `archived` every client) counts as on `day`, as ClientMetrics stores it."""
    clients = Client.objects.all() if archived else Client.objects.active()
    tags: dict[UUID, list[str]] = {}
    for client_id, tag in Client.tags.through.objects.values_list("client_id", "tag__name"):
        tags.setdefault(client_id, []).append(tag)
    fields = ("pk", "contract_tier", "industry", "region", "segment", "employee_count", "contract_start_date")
    found = {}
    for client_id, tier, industry, region, segment, employees, since in clients.order_by("pk").values_list(*fields):
        months = tenure_months(since, day)
        found[client_id] = {
            "tier": tier,
            "industry": industry,
            "region": region,
            "segment": segment,
            "size": size_band(employees),
            "tenure": tenure_band(months),
            "employees": employees,
            "months": months,
            "tags": sorted(tags.get(client_id, [])),
        }
    return found


def roster_of(attributes: Sequence[Mapping[str, Any]]) -> Roster:
    """Return the roster; who has no attributes yet is in no group."""
    return Roster(
        classes={name: [str(one.get(name, "")) for one in attributes] for name in ATTRIBUTES},
        employees=_numbers(attributes, "employees"),
        months=_numbers(attributes, "months"),
        tags=[frozenset(one.get("tags", ())) for one in attributes],
        counted=np.array([bool(one) for one in attributes], bool),
    )


def _numbers(attributes: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    return np.array([np.nan if one.get(name) is None else float(one[name]) for one in attributes], np.float64)
