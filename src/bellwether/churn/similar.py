"""Clients that once looked as this one does now, and what became of them, for the page and the API.

They are sought among the rows that the training keeps (churn.kept_rows) whose 90 days are over, before the first
training among stored predictions: of clients that left all of the weeks before, of all others a few days. What is
sought in is the same for everybody and kept for ten minutes; who is named is not: a client that the reader may not see
is described by tier and industry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
from django.conf import settings
from django.core.cache import caches
from django.db.models import Q

from bellwether.churn.alike import alike
from bellwether.churn.client_risk import Risk
from bellwether.churn.factors import HORIZONS, SLUGS
from bellwether.churn.kept_rows import KeptRows, rows_version
from bellwether.churn.labelling import Labels, interval_labels
from bellwether.churn.models import ChurnPrediction
from bellwether.churn.reading import read_endings
from bellwether.churn.sentences import sentence
from bellwether.churn.versions import read_model
from bellwether.churn.words import number_of
from bellwether.common.time import day_of
from bellwether.health.loading import workspace_settings
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.usage.workspace import workspace_lake

EACH = 3
STAYER_DAYS, DAYS_APART = 3, 28
KEPT_SECONDS = 600
KEY = "churn-similar-pool"
SCHEMA: dict[str, Any] = {
    "client_id": pl.String, "as_of": pl.Date, "tier": pl.String, "industry": pl.String,
} | dict.fromkeys(SLUGS, pl.Float64)  # fmt: skip


@dataclass(frozen=True)
class Similar:
    """A client that was alike on `as_of`. `client_id` and `name` None: the reader may not see it.

    `days` from then to the leaving, None where it stayed. `alike`: what they had in common, in the other's numbers.
    """

    client_id: UUID | None
    name: str | None
    described: str
    as_of: date
    left: bool
    days: int | None
    alike: tuple[str, ...]


@dataclass(frozen=True)
class _Pool:
    rows: pl.DataFrame
    labels: Labels
    left: pl.DataFrame


def similar(risk: Risk, user: StaffUser, *, now: datetime) -> list[Similar]:
    """Return up to three clients that left and three that stayed, the most alike first, leavers before stayers.

    One query for the names; the pool takes a fixed number, once in ten minutes.
    """
    pool = _pool(day_of(now, settings.BELLWETHER_WORKSPACE_ZONE))
    if pool.rows.is_empty():
        return []
    own = _frame([_row(risk.client.pk, risk.prediction.as_of, "", "", risk.prediction.inputs)])
    found = alike(read_model(risk.model).hazard, own, pool.rows, pool.labels, pool.left, n=EACH).to_dicts()
    ids = [UUID(one["client_id"]) for one in found]
    names = dict(Client.objects.visible_to(user).filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [_similar(one, names) for one in found]


def _similar(one: dict[str, Any], names: dict[UUID, str]) -> Similar:
    client_id = UUID(one["client_id"])
    seen = client_id in names
    told = (sentence(slug, one[slug]) for slug in one["shared"])
    described = ", ".join(
        text for text in (dict(ContractTier.choices).get(one["tier"] or "", ""), one["industry"]) if text
    )
    return Similar(
        client_id=client_id if seen else None,
        name=names.get(client_id),
        described=described or "Another client",
        as_of=one["as_of"],
        left=one["left"],
        days=(one["left_on"] - one["as_of"]).days if one["left"] else None,
        alike=tuple(text for text in told if text),
    )


def _pool(today: date) -> _Pool:
    found: _Pool | None = caches["memory"].get(f"{KEY}:{today}")
    if found is None:
        found = _read_pool(today)
        caches["memory"].set(f"{KEY}:{today}", found, KEPT_SECONDS)
    return found


def _read_pool(today: date) -> _Pool:
    over = today - timedelta(days=HORIZONS[-1])
    endings = read_endings()
    leavers = endings.left["client_id"].unique(maintain_order=True).to_list()
    frame = _kept_rows(over, leavers)
    if frame.is_empty():
        frame = _stored_rows(over, leavers)
    return _Pool(frame, interval_labels(frame, endings.left, endings.last_days, today), endings.left)


def _kept_rows(over: date, leavers: Sequence[str]) -> pl.DataFrame:
    """Return the rows kept by the training up to a day; none before the first training."""
    kept = KeptRows(workspace_lake(), rows_version(workspace_settings()))
    days = _apart([day for day in reversed(kept.days()) if day <= over])
    return kept.examples(days, leavers).select(list(SCHEMA)) if days else _frame([])


def _stored_rows(over: date, leavers: Sequence[str]) -> pl.DataFrame:
    stored = ChurnPrediction.objects.filter(as_of__lte=over).order_by()
    days = _apart(sorted(stored.values_list("as_of", flat=True).distinct(), reverse=True))
    ids = [UUID(one) for one in leavers]
    wanted = stored.filter(Q(as_of__in=days) | Q(client_id__in=ids)).order_by("as_of", "client_id", "made_at")
    values = wanted.values_list("client_id", "as_of", "client__contract_tier", "client__industry", "inputs")
    rows = {(client_id, as_of): _row(client_id, as_of, *rest) for client_id, as_of, *rest in values}
    return _frame(list(rows.values()))


def _apart(days: Sequence[date]) -> list[date]:
    """Return the newest days, each at least four weeks before the one before it."""
    found: list[date] = []
    for day in days:
        if len(found) < STAYER_DAYS and (not found or (found[-1] - day).days >= DAYS_APART):
            found.append(day)
    return found


def _row(client_id: UUID, as_of: date, tier: str, industry: str, inputs: Any) -> dict[str, Any]:
    return {
        "client_id": client_id.hex,
        "as_of": as_of,
        "tier": tier,
        "industry": industry,
        **{slug: number_of(inputs, slug) for slug in SLUGS},
    }


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)
