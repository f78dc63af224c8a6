"""Predictions of today: from the features, by the version in use, stored once, and the clients' churn columns."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.churn.client_columns import clear_columns, store_columns
from bellwether.churn.factors import SLUGS
from bellwether.churn.foretelling import Foretold, foretell, short
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.precision import Kind, category, coverage, judge
from bellwether.churn.reading import read_features
from bellwether.churn.versions import ActiveModel, active_model, read_model
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client

AT_ONCE = 1_000
"""Clients stored in one transaction: other writers get their turn, and a run that is killed goes on where it was."""
PEERS_WITHIN = timedelta(days=7)


def predict_clients(
    *,
    now: datetime,
    model: ChurnModel | None = None,
    client_ids: Sequence[UUID] | None = None,
    progress: Progress | None = None,
) -> int:
    """Predict the clients of today (all by default) with the version in use, and return how many predictions are new.

    A client is predicted once a day and version: doing it again changes nothing, whatever changed meanwhile. The
    clients' churn columns follow what is stored; those of clients that were archived or have left are emptied. A fixed
    number of queries and two for each thousand clients.
    """
    progress = progress or NoProgress()
    active = active_model(now=now) if model is None else read_model(model)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    missing, stored = _missing(active.row, today, client_ids)
    if missing:
        progress.start(f"Reading the features of {len(missing):,} clients", None)
        rows = read_features([today], now=now, progress=progress, client_ids=_asked(missing, client_ids))
        peers = None if client_ids is None else _with_peers(rows, active.row, today)
        own = rows.filter(pl.col("client_id").is_in([one.hex for one in missing]))
        if peers is None and own.height < rows.height:
            peers = rows
        made = predictions_of(active, own, as_of=today, made_at=now, peers=peers)
    else:
        made = []
    count = _store(made, stored, active, today=today, now=now, whole=client_ids is None, progress=progress)
    return count


def predictions_of(
    active: ActiveModel, rows: pl.DataFrame, *, as_of: date, made_at: datetime, peers: pl.DataFrame | None = None
) -> list[ChurnPrediction]:
    """Return predictions, not stored, of the rows (FEATURE_ROWS of the day `as_of`), in their order."""
    if rows.is_empty():
        return []
    found = foretell(active.hazard, active.renewal, rows, names=dict(ContractTier.choices), peers=peers)
    return _as_predictions(found, active.row, rows, as_of=as_of, made_at=made_at)


def _as_predictions(
    found: Foretold, model: ChurnModel, rows: pl.DataFrame, *, as_of: date, made_at: datetime
) -> list[ChurnPrediction]:
    p, low, high = (values.tolist() for values in (found.dated.p, found.dated.low, found.dated.high))
    renewal = np.column_stack([found.renewal.p, found.renewal.low, found.renewal.high]).tolist()
    parts, log_odds = found.parts.tolist(), found.log_odds.tolist()
    known = np.round(coverage(rows), 4).tolist()
    judged = judge(_kind(model), model.churned_clients, rows, found.dated.low[:, -1], found.dated.high[:, -1])
    references = [
        {"name": r.name, "clients": r.clients, "log_odds": r.log_odds, "p90": r.p90} for r in found.references
    ]
    inputs = _inputs(rows)
    arrs, days = rows["arr"].to_list(), rows["days_to_renewal"].to_list()
    made = []
    for n, client_id in enumerate(rows["client_id"].to_list()):
        precision, why = judged[n]
        comes = renewal[n][0] == renewal[n][0]
        made.append(
            ChurnPrediction(
                client_id=UUID(client_id),
                model=model,
                as_of=as_of,
                made_at=made_at,
                p30=p[n][0], p30_low=low[n][0], p30_high=high[n][0],
                p60=p[n][1], p60_low=low[n][1], p60_high=high[n][1],
                p90=p[n][2], p90_low=low[n][2], p90_high=high[n][2],
                renewal_risk=renewal[n][0] if comes else None,
                renewal_low=renewal[n][1] if comes else None,
                renewal_high=renewal[n][2] if comes else None,
                renewal_on=as_of + timedelta(days=round(days[n])) if comes else None,
                category=category(p[n][2]),
                precision=precision,
                precision_reason=why,
                coverage=known[n],
                arr=None if arrs[n] is None else Decimal(str(round(arrs[n], 2))),
                inputs=inputs[n],
                contributions={
                    "log_odds": log_odds[n],
                    "reference": references[found.reference_of[n]],
                    "parts": dict(zip(found.slugs, parts[n], strict=True)),
                },
            )
        )  # fmt: skip
    return made


def _kind(model: ChurnModel) -> Kind:
    kinds: dict[str, Kind] = {"PRIOR": "PRIOR", "HAZARD": "HAZARD", "BOOSTED": "BOOSTED"}
    return kinds[model.kind]


def _inputs(rows: pl.DataFrame) -> list[dict[str, float | None]]:
    columns = {slug: rows[slug].to_list() for slug in SLUGS if slug in rows.columns}
    return [
        {slug: None if (value := values[n]) is None else short(value) for slug, values in columns.items()}
        for n in range(rows.height)
    ]


def _missing(
    model: ChurnModel, today: date, client_ids: Sequence[UUID] | None
) -> tuple[list[UUID], list[ChurnPrediction]]:
    """Return the clients without a prediction of the day and version, and the predictions that there are."""
    living = Client.objects.active()
    stored = ChurnPrediction.objects.filter(as_of=today, model=model.pk, client__archived_at__isnull=True).order_by()
    if client_ids is not None:
        living, stored = living.filter(pk__in=list(client_ids)), stored.filter(client_id__in=list(client_ids))
    found = list(stored)
    known = {one.client_id for one in found}
    return [pk for pk in living.order_by().values_list("pk", flat=True) if pk not in known], found


def _asked(missing: Sequence[UUID], client_ids: Sequence[UUID] | None) -> list[str] | None:
    """Return whom to read: of a whole run everybody, since a client is compared with all others."""
    return None if client_ids is None else [one.hex for one in missing]


def _with_peers(rows: pl.DataFrame, model: ChurnModel, today: date) -> pl.DataFrame:
    """Return the rows with the features of the other clients as their newest prediction of the week holds them."""
    others = ChurnPrediction.objects.filter(
        model=model.pk, as_of__lte=today, as_of__gt=today - PEERS_WITHIN, client__archived_at__isnull=True
    ).order_by("client_id", "as_of")
    newest = {
        client_id.hex: (tier, inputs)
        for client_id, tier, inputs in others.values_list("client_id", "client__contract_tier", "inputs")
    }
    own = set(rows["client_id"].to_list())
    peers = [
        {"client_id": client_id, "tier": tier} | {slug: inputs.get(slug) for slug in SLUGS}
        for client_id, (tier, inputs) in newest.items()
        if client_id not in own
    ]
    if not peers:
        return rows
    schema = {"client_id": pl.String, "tier": pl.String} | dict.fromkeys(SLUGS, pl.Float64)
    here = rows.select(pl.col(name).cast(kind) for name, kind in schema.items())
    return pl.concat([here, pl.DataFrame(peers, schema=schema)])


def _store(
    made: Sequence[ChurnPrediction],
    stored: Iterable[ChurnPrediction],
    active: ActiveModel,
    *,
    today: date,
    now: datetime,
    whole: bool,
    progress: Progress,
) -> int:
    """Store predictions and the clients' columns, a thousand at a time; return how many predictions are new."""
    progress.start(f"Storing {len(made):,} predictions", len(made))
    count = 0
    everything: list[ChurnPrediction] = [*stored]
    for start in range(0, len(made), AT_ONCE):
        part = list(made[start : start + AT_ONCE])
        with transaction.atomic():
            new = store_new(part)
            store_columns(part, active.row, today=today, now=now)
        count += len(new)
        progress.advance(len(part))
    with transaction.atomic():
        store_columns(everything, active.row, today=today, now=now)
        if whole:
            clear_columns({one.client_id for one in [*everything, *made]})
    return count


def store_new(predictions: Sequence[ChurnPrediction]) -> list[ChurnPrediction]:
    """Store those predictions in the open transaction that are not stored yet, and return them."""
    if not predictions:
        return []
    first = predictions[0]
    # One at a time for a version: with PostgreSQL another process may be about to store the same.
    ChurnModel.objects.select_for_update(no_key=True).only("pk").get(pk=first.model_id)
    known = set(
        ChurnPrediction.objects.filter(as_of=first.as_of, model=first.model_id)
        .filter(client_id__in=[one.client_id for one in predictions])
        .order_by()
        .values_list("client_id", flat=True)
    )
    new = [one for one in predictions if one.client_id not in known]
    ChurnPrediction.objects.bulk_create(new, batch_size=AT_ONCE)
    return new
