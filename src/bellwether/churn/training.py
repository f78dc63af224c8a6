"""Trains a new version of the churn model on what is known, and puts it into use where it foretells better.

Everything is read and reckoned first and stored in one transaction at the end: a training that is cut off leaves
nothing behind. On the same data and definitions nothing new is stored.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.evaluation import Capacity
from bellwether.churn.factors import FEATURES, SLUGS
from bellwether.churn.fitting import expert_model
from bellwether.churn.learning import History, Incumbent, Learned, NotEnoughHistoryError, learn
from bellwether.churn.models import ChurnModel
from bellwether.churn.reading import read_endings, read_features
from bellwether.churn.versions import ActiveModel, active_model, feature_version, next_version, put_into_use
from bellwether.common.errors import BellwetherError
from bellwether.common.locks import exclusive
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of
from bellwether.health.backtest_reading import first_day, watch_of
from bellwether.health.configs import main_scorecard
from bellwether.health.models import HealthScore
from bellwether.health.rows import read_frame
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.workspace import workspace_lake

EDITION = 1
"""Counts up when learning from the same rows gives another model."""

NOBODY_LEFT = "Not enough history: 0 clients left so far. Record churn with its date, as outcomes."


class TrainingBusyError(BellwetherError):
    """Another training is running."""


@dataclass(frozen=True)
class Trained:
    """What a training did: the version that it stored, or the one that stays where it stored none, and why."""

    model: ChurnModel
    is_new: bool
    sentence: str

    @property
    def is_promoted(self) -> bool:
        """Whether a new version was put into use."""
        return self.is_new and self.model.state == ModelState.ACTIVE


def train(
    *,
    now: datetime,
    by: StaffUser | None = None,
    progress: Progress | None = None,
    activate: bool | None = None,
) -> ChurnModel:
    """Train a version and return it, or the one that stays: see `training`."""
    return training(now=now, by=by, progress=progress, activate=activate).model


def training(
    *,
    now: datetime,
    by: StaffUser | None = None,
    progress: Progress | None = None,
    activate: bool | None = None,
) -> Trained:
    """Train a version on the weekly as-of Mondays of the history and store it; what was done, with a sentence.

    It is put into use where it foretells better out of time than the version in use on the same rows, else stored as
    not put into use, with the reason. `activate` True puts it into use whatever the comparison says, False never.
    With too little history, or where data and definitions are those of the newest version, nothing is stored. Raises
    TrainingBusyError while another one runs.
    """
    with exclusive("churn-train") as free:
        if not free:
            raise TrainingBusyError("Another training of the churn model is running. Wait until it is done.")
        return _train(now=now, by=by, progress=progress or NoProgress(), activate=activate)


def _train(*, now: datetime, by: StaffUser | None, progress: Progress, activate: bool | None) -> Trained:
    started = time.perf_counter()
    active = active_model(now=now)
    if not ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED).exists():
        return Trained(active.row, False, NOBODY_LEFT)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    history = read_history(training_days(today), now=now, progress=progress)
    if history.rows.is_empty():
        return Trained(active.row, False, "Not enough history: there is no usage to look back on yet.")
    digest = digest_of(history)
    newest = ChurnModel.objects.exclude(data_digest="").defer("parameters", "card").first()
    if newest is not None and newest.data_digest == digest:
        return Trained(
            newest, False, f"Nothing new to learn since version {newest.version}: same data and definitions."
        )
    try:
        learned = learn(
            history,
            incumbent_of(active),
            expert=expert_model(),
            rivals=rivals_of(history.rows),
            capacity=capacity_of(history.rows),
            must=activate is True,
            progress=progress,
        )
    except NotEnoughHistoryError as error:
        return Trained(active.row, False, str(error))
    seconds = time.perf_counter() - started
    row = store_version(learned, active.row, digest=digest, seconds=seconds, by=by, activate=activate, now=now)
    return Trained(row, True, row.reason)


def training_days(today: date) -> list[date]:
    """Return the as-of Mondays that are learned from, oldest first: up to BELLWETHER_CHURN_TRAINING_WEEKS of them, from
    the day on which there are 30 days of usage to look back on."""
    first = first_day(workspace_lake(), today)
    monday = today - timedelta(days=today.weekday())
    weeks = range(settings.BELLWETHER_CHURN_TRAINING_WEEKS)
    return sorted(day for n in weeks if first <= (day := monday - timedelta(weeks=n)) < today)


def read_history(days: list[date], *, now: datetime, progress: Progress) -> History:
    """Return the features of these days as they were known then, and how clients and terms ended up to yesterday."""
    progress.start(f"Reading the features of {len(days)} weeks", len(days))
    rows = read_features(days, now=now, progress=progress)
    endings = read_endings()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    return History(with_csms(rows), endings.left, endings.last_days, endings.terms, until=today - timedelta(days=1))


def with_csms(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with csm_id, the CSM who looks after the client today (null: nobody), where there is any CSM."""
    found = Client.objects.filter(csm_user__isnull=False).order_by().values_list("pk", "csm_user_id")
    csms = [(client.hex, csm.hex) for client, csm in found]
    if not csms:
        return rows
    frame = pl.DataFrame(csms, schema={"client_id": pl.String, "csm_id": pl.String}, orient="row")
    return rows.join(frame, on="client_id", how="left", maintain_order="left")


def capacity_of(rows: pl.DataFrame) -> Capacity:
    """Return how many clients at risk can be taken up in a week (BELLWETHER_CHURN_WEEKLY_CAPACITY for each CSM)."""
    watchers = max(round(watch_of(rows).watchers), 1)
    return Capacity(settings.BELLWETHER_CHURN_WEEKLY_CAPACITY, watchers)


def rivals_of(rows: pl.DataFrame) -> dict[str, Any]:
    """Return what the model is compared with by row, low where it is bad: the stored health score and two rules."""
    days = rows["as_of"].unique().to_list()
    stored = HealthScore.objects.filter(scorecard=main_scorecard(), date__in=days).order_by()
    schema = {"client_id": pl.String, "as_of": pl.Date, "score": pl.Float64}
    scores = read_frame(stored, schema, {"as_of": "date", "score": "overall_score"})  # type: ignore[arg-type]
    found = rows.select("client_id", "as_of").join(
        scores, on=["client_id", "as_of"], how="left", maintain_order="left"
    )["score"]
    values = {"health": found, "last-login": -rows["days_since_login"], "usage-drop": rows["usage_change_month"]}
    return {name: column.cast(pl.Float64).fill_null(float("nan")).to_numpy() for name, column in values.items()}


def incumbent_of(active: ActiveModel) -> Incumbent:
    """Return the version in use as what a new one is compared with."""
    if active.row.kind == ModelKind.PRIOR:
        return Incumbent(active.hazard, "Expert prior", None)
    until = active.row.card.get("until")
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    known = date.fromisoformat(until) if until else day_of(active.row.trained_at, zone)
    return Incumbent(active.hazard, f"Version {active.row.version}, in use", known)


def digest_of(history: History) -> str:
    """Return a digest of what is learned from, and of how: the same digest means the same model."""
    rows = history.rows.sort("as_of", "client_id")
    sorted_history = replace(history, rows=rows)
    found = hashlib.sha256(json.dumps([EDITION, feature_version(), _expert()]).encode())
    found.update("".join(rows["client_id"].to_list()).encode())
    found.update(rows["as_of"].cast(pl.Int32).to_numpy().tobytes())
    for slug in SLUGS:
        found.update(rows[slug].cast(pl.Float64).fill_null(float("nan")).to_numpy().tobytes())
    followed, renewals = sorted_history.labels(), sorted_history.renewals()
    for part in (followed.at_risk, followed.left, renewals.at_risk, renewals.left):
        found.update(np.ascontiguousarray(part).tobytes())
    return found.hexdigest()


def _expert() -> list[Any]:
    return [(one.slug, one.direction, one.weight, one.doubt) for one in FEATURES]


def store_version(
    learned: Learned,
    compared: ChurnModel,
    *,
    digest: str,
    seconds: float,
    by: StaffUser | None,
    activate: bool | None,
    now: datetime,
) -> ChurnModel:
    """Store a version in one transaction, put it into use where that was decided, and return it."""
    card = learned.card
    with transaction.atomic():
        present = ChurnModel.objects.select_for_update().filter(state=ModelState.ACTIVE).values_list("pk", flat=True)
        wanted, reason = _decided(learned, activate, moved=list(present) != [compared.pk])
        row = ChurnModel(
            version=next_version(),
            kind=ModelKind.BOOSTED if learned.kind == "boosted" else ModelKind.HAZARD,
            state=ModelState.REJECTED,
            trained_at=now,
            trained_by=by,
            first_as_of=card.first,
            last_as_of=card.last,
            rows=card.rows,
            clients=card.clients,
            churned_clients=card.churned,
            feature_version=feature_version(),
            data_digest=digest,
            parameters={"hazard": learned.hazard.as_data(), "renewal": learned.renewal.as_data()},
            card=card.as_data() | {"seconds": round(seconds, 2)},
            reason=reason[:400],
            seconds=round(seconds, 2),
        )
        row.save(force_insert=True)
        if wanted:
            put_into_use(row, now)
        record(
            actor=by, action="churn_model.train", object_type="churn_model", object_id=row.pk,
            detail=_detail(row, compared), now=now,
        )  # fmt: skip
    return row


def _decided(learned: Learned, activate: bool | None, *, moved: bool) -> tuple[bool, str]:
    """Return whether the version is put into use, and why; `moved`: another version came into use meanwhile."""
    reason = learned.decision.reason
    if activate is True:
        return True, f"Put into use on request. {reason}"
    if activate is False:
        return False, f"Not put into use, as asked. {reason}"
    if moved:
        return False, "Another version was put into use while this one was trained, so it was not compared with that."
    return learned.decision.better, reason


def _detail(row: ChurnModel, compared: ChurnModel) -> Mapping[str, Any]:
    return {"version": row.version, "state": str(row.state), "compared_with": compared.version, "rows": row.rows}
