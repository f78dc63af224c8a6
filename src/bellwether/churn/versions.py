"""Versions of the churn model: the one in use, the expert prior before there is any, putting others into use."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from bellwether.churn.additive import AdditiveModel, model_from_data
from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.factors import FEATURES, HELD_WITHIN, INTERVAL_DAYS, INTERVALS, LEAST_RATIO
from bellwether.churn.models import ChurnModel
from bellwether.common.errors import BellwetherError
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

EDITION = 1
"""Counts up when a feature means something else under the same name, scale and unit."""
PRIOR_REASON = "Expert prior, no history yet."
NEW_FEATURES_REASON = "The features have changed since the version in use was trained; the expert prior stands in."


class NotUsableError(BellwetherError):
    """A version cannot be put into use; the text says why and what to do."""


@dataclass(frozen=True)
class ActiveModel:
    """A version with its models read: the dated hazard and the renewal risk. `row` comes without parameters and card,
    which are fetched when asked for."""

    row: ChurnModel
    hazard: AdditiveModel
    renewal: AdditiveModel


def feature_version() -> str:
    """Return what tells the present definitions of the features from others: versions trained on others are unusable.

    The words and the expert's coefficients do not count: a coefficient means the same whatever the expert thinks.
    """
    shapes: list[Any] = [EDITION, INTERVAL_DAYS, INTERVALS, HELD_WITHIN, LEAST_RATIO]
    shapes += [(one.slug, one.unit, one.transform, one.centre, one.scale) for one in FEATURES]
    return f"{EDITION}-{hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16]}"


def active_model(*, now: datetime | None = None) -> ActiveModel:
    """Return the version in use; where there is none, the expert prior, stored as a version of its own.

    Also where the version in use was trained on other features than the present ones: it cannot predict any more.
    Safe in a race: two processes that begin at once store one version. One query, once the version was read.
    """
    row = _active_row()
    if row is None or row.feature_version != feature_version():
        try:
            with transaction.atomic():
                _store_prior(now or timezone.now())
        except IntegrityError:
            pass  # somebody else was quicker
        row = _active_row()
        if row is None:
            raise NotUsableError("No version of the churn model is in use, and none could be put into use.")
    return read_model(row)


def read_model(row: ChurnModel) -> ActiveModel:
    """Return a version with its models read; they are kept by id, since they never change."""
    hazard, renewal = _models_of(row.pk)
    return ActiveModel(row, hazard, renewal)


def _active_row() -> ChurnModel | None:
    found: ChurnModel | None = ChurnModel.objects.filter(state=ModelState.ACTIVE).defer("parameters", "card").first()
    return found


@lru_cache(maxsize=8)
def _models_of(pk: UUID) -> tuple[AdditiveModel, AdditiveModel]:
    parameters = ChurnModel.objects.values_list("parameters", flat=True).get(pk=pk)
    return model_from_data(parameters["hazard"]), model_from_data(parameters["renewal"])


def _store_prior(now: datetime) -> None:
    from bellwether.churn.fitting import expert_model, expert_renewal  # SciPy only where it is needed

    present = ChurnModel.objects.select_for_update().filter(state=ModelState.ACTIVE).first()
    if present is not None and present.feature_version == feature_version():
        return
    if present is not None:
        _retire(present, now)
    prior = ChurnModel(
        version=next_version(),
        kind=ModelKind.PRIOR,
        state=ModelState.ACTIVE,
        trained_at=now,
        activated_at=now,
        feature_version=feature_version(),
        parameters={"hazard": expert_model().as_data(), "renewal": expert_renewal().as_data()},
        reason=NEW_FEATURES_REASON if present is not None else PRIOR_REASON,
    )
    prior.save(force_insert=True)


def next_version() -> int:
    """Return the number of the next version."""
    return int(ChurnModel.objects.aggregate(newest=Max("version"))["newest"] or 0) + 1


def put_into_use(row: ChurnModel, now: datetime) -> ChurnModel | None:
    """Put a stored version into use in the open transaction; return the one that was in use before, None if none was.

    Nothing happens where it is in use already.
    """
    before = ChurnModel.objects.select_for_update().filter(state=ModelState.ACTIVE).first()
    if before is not None and before.pk == row.pk:
        return before
    if before is not None:
        _retire(before, now)
    row.state, row.activated_at, row.retired_at = ModelState.ACTIVE, now, None
    row.save(update_fields=["state", "activated_at", "retired_at"])
    return before


def _retire(row: ChurnModel, now: datetime) -> None:
    row.state, row.retired_at = ModelState.RETIRED, now
    row.save(update_fields=["state", "retired_at"])


def roll_back(model: ChurnModel, *, actor: StaffUser | None, now: datetime) -> ChurnModel:
    """Put an older version, or one that was not put into use, into use, and return it.

    Predictions are made anew by the next sweep of the job, within minutes. Taken back by activating the other version
    again. Doing it twice changes nothing. Raises NotUsableError where the version was trained on other features.
    """
    if model.feature_version != feature_version():
        raise NotUsableError(
            f"Version {model.version} was trained on other features than the present ones, so it cannot predict. "
            "Train a new version instead."
        )
    with transaction.atomic():
        row = ChurnModel.objects.select_for_update().get(pk=model.pk)
        before = put_into_use(row, now)
        if before is None or before.pk != row.pk:
            detail = {"version": row.version, "before": before.version if before else None}
            record(actor=actor, action="churn_model.activate", object_type="churn_model", object_id=row.pk,
                   detail=detail, now=now)  # fmt: skip
    return row
