"""Versions of the churn model, their cards and the scoreboard through the staff API."""

from datetime import datetime
from uuid import UUID

from django.core.cache import caches
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router

from bellwether.churn import model_reading as read
from bellwether.churn.card import Card
from bellwether.churn.card_text import markdown
from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.factors import HORIZONS
from bellwether.churn.model_schemas import (
    ChurnModelCard,
    ChurnModelList,
    ChurnModelOut,
    ChurnScoreboardClient,
    ChurnScoreboardOut,
    ChurnTrainingOut,
)
from bellwether.churn.models import ChurnModel
from bellwether.churn.scoreboard import as_data
from bellwether.common.models import JobState
from bellwether.health.backtest_result import Interval
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once

router = Router(tags=["churn"])


@router.get("/churn/models", response=ChurnModelList, operation_id="listChurnModels", summary="List the churn models")
def models(request: StaffRequest) -> ChurnModelList:
    """Return every version of the churn model, the newest first, with its figures at 90 days."""
    now = timezone.now()
    read.version_in_use(now=now)
    rows = read.all_versions()
    record(actor=request.user, action="churn_model.list", object_type="churn_model", detail={"count": len(rows)},
           now=now)  # fmt: skip
    cards = read.cards_of(rows)
    return ChurnModelList(data=[_out(row, cards[row.pk]) for row in rows])


@router.post(
    "/churn/models", response={202: ChurnTrainingOut}, operation_id="trainChurnModel", summary="Train a churn model"
)
def train(request: StaffRequest) -> HttpResponse:
    """Ask for a training of a new version and return its job; 202.

    It is put into use only where it foretells clearly better than the version in use. A training that waits or runs is
    returned as it is. Needs a role that sees every client. Takes an Idempotency-Key.
    """
    read.check_may_manage(request.user)

    def make() -> Answer:
        run = read.request_training(by=request.user, now=timezone.now())
        body = ChurnTrainingOut(job_id=run.pk, state=JobState(run.state), stage=run.stage)
        address = reverse("api:job", kwargs={"job_id": run.pk})
        return Answer(202, body.model_dump(mode="json"), {"Location": address})

    return once(request, make)


@router.get(
    "/churn/models/{model_id}", response=ChurnModelCard, operation_id="getChurnModel", summary="Get a model card"
)
def model(request: StaffRequest, model_id: UUID) -> ChurnModelCard:
    """Return one version with its card: data, figures out of time against every rival, drift, coefficients."""
    row = _find(model_id)
    card = read.card_of(row)
    _note(request, "churn_model.read", row, timezone.now())
    return ChurnModelCard(
        **_out(row, card).model_dump(),
        feature_version=row.feature_version,
        data_digest=row.data_digest,
        card=card.as_data(),
    )


@router.get(
    "/churn/models/{model_id}/card.md",
    operation_id="getChurnModelCardText",
    summary="Get a model card as Markdown",
    openapi_extra={"responses": {200: {"description": "The card.", "content": {"text/markdown": {}}}}},
)
def card_text(request: StaffRequest, model_id: UUID) -> HttpResponse:
    """Return the card of one version as Markdown."""
    row = _find(model_id)
    _note(request, "churn_model.export", row, timezone.now())
    return HttpResponse(markdown(read.card_of(row), read.about_of(row)), content_type="text/markdown; charset=utf-8")


@router.post(
    "/churn/models/{model_id}/activate", response=ChurnModelOut, operation_id="activateChurnModel",
    summary="Put a churn model into use",
)  # fmt: skip
def activate(request: StaffRequest, model_id: UUID) -> ChurnModelOut:
    """Put a version into use and return it, to roll back or to overrule the comparison; again changes nothing.

    Clients are predicted anew within minutes; predictions that were made stay. 409 where the version was trained on
    other features than the present ones. Needs a role that sees every client.
    """
    read.check_may_manage(request.user)
    row = read.put_into_use(_find(model_id), by=request.user, now=timezone.now())
    return _out(row, read.card_of(row))


@router.get(
    "/churn/scoreboard", response=ChurnScoreboardOut, operation_id="getChurnScoreboard",
    summary="Get the churn scoreboard",
)  # fmt: skip
def scoreboard(request: StaffRequest) -> ChurnScoreboardOut:
    """Return what stored predictions foretold and what came, once their 30, 60 or 90 days have passed."""
    now = timezone.now()
    found = read.scoreboard_of(now=now, cache=caches["memory"])
    names = read.names_of(request.user, read.client_ids(found))
    record(actor=request.user, action="churn_scoreboard.read", object_type="churn_prediction",
           detail={"named": len(names)}, now=now)  # fmt: skip
    losses = [
        ChurnScoreboardClient(
            client_id=UUID(one.client_id), name=names[one.client_id], left_on=one.left_on, high_on=one.high_on,
            p90=one.p90, rank=one.rank, ranked=one.ranked,
        )
        for one in found.losses
        if one.client_id in names
    ]  # fmt: skip
    stayed = [
        ChurnScoreboardClient(
            client_id=UUID(one.client_id), name=names[one.client_id], left_on=None, high_on=one.as_of, p90=one.p90,
            rank=None, ranked=None,
        )
        for one in found.alarms
        if one.client_id in names
    ]  # fmt: skip
    return ChurnScoreboardOut(**as_data(found), losses=losses, false_alarms=stayed)


def _find(model_id: UUID) -> ChurnModel:
    row = read.find_model(model_id)
    if row is None:
        raise Http404
    return row


def _out(row: ChurnModel, card: Card) -> ChurnModelOut:
    shown = card.shown
    figures = shown.horizons.get(str(HORIZONS[-1])) if shown else None
    nothing = Interval()
    return ChurnModelOut(
        id=row.pk,
        version=row.version,
        kind=ModelKind(row.kind),
        state=ModelState(row.state),
        trained_at=row.trained_at,
        trained_by=row.trained_by.name if row.trained_by else None,
        activated_at=row.activated_at,
        retired_at=row.retired_at,
        first_as_of=row.first_as_of,
        last_as_of=row.last_as_of,
        rows=row.rows,
        clients=row.clients,
        churned_clients=row.churned_clients,
        reason=row.reason,
        seconds=row.seconds,
        auc=(figures.auc if figures else nothing).value,
        brier=(figures.brier if figures else nothing).value,
        ece=(figures.ece if figures else nothing).value,
    )


def _note(request: StaffRequest, action: str, row: ChurnModel, now: datetime) -> None:
    record(
        actor=request.user, action=action, object_type="churn_model", object_id=row.pk,
        detail={"version": row.version}, now=now,
    )  # fmt: skip
