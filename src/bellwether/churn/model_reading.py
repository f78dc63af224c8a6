"""Versions of the churn model as people read them: their cards, the scoreboard, and who may train and switch."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings
from django.core.cache import BaseCache
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max

from bellwether.churn import jobs  # noqa: F401 (declares the job that trains)
from bellwether.churn.additive import model_from_data
from bellwether.churn.card import Card, coefficients, from_data
from bellwether.churn.card_text import About
from bellwether.churn.choices import ModelKind
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.reading import read_endings
from bellwether.churn.scoreboard import PREDICTIONS, Scoreboard, scoreboard
from bellwether.churn.versions import active_model, roll_back
from bellwether.common.jobs import request_job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

JOB = "churn_train"
WHY_NOT = "Only administrators and VPs train churn models and put versions into use."
KEPT_SECONDS = 600
MOST_WEEKS = 104
"""The scoreboard looks back on two years of predictions."""
MOST_CARDS = 200
_CARDS: dict[UUID, Card] = {}
PRIOR_MESSAGE = "Expert prior, no history yet."


def may_manage(user: StaffUser) -> bool:
    """Return whether `user` may train versions and put one into use: roles that see every client."""
    return bool(user.is_active and user.sees_all_clients)


def check_may_manage(user: StaffUser) -> None:
    """Raise PermissionDenied unless `user` may train and switch versions."""
    if not may_manage(user):
        raise PermissionDenied(WHY_NOT)


def version_in_use(*, now: datetime) -> ChurnModel:
    """Return the version in use, without parameters and card; the expert prior where nothing was trained."""
    return active_model(now=now).row


def all_versions() -> list[ChurnModel]:
    """Return every version, the newest first, without parameters and card. One query."""
    return list(ChurnModel.objects.defer("parameters", "card").select_related("trained_by").order_by("-version"))


def find_version(number: int) -> ChurnModel | None:
    """Return the version of that number, None if there is none."""
    rows = ChurnModel.objects.defer("parameters", "card").select_related("trained_by")
    return rows.filter(version=number).first()


def find_model(pk: UUID) -> ChurnModel | None:
    """Return the version of that id, None if there is none."""
    return ChurnModel.objects.defer("parameters", "card").select_related("trained_by").filter(pk=pk).first()


def card_of(row: ChurnModel) -> Card:
    """Return the card of a version. The expert prior and versions without a card have their coefficients alone."""
    return cards_of([row])[row.pk]


def measured_since(row: ChurnModel) -> ChurnModel | None:
    """Return the newest version trained after `row` whose card has figures, None if there is none. Two queries."""
    later = [one for one in all_versions() if one.version > row.version][:MOST_CARDS]
    cards = cards_of(later)
    return next((one for one in later if cards[one.pk].candidates), None)


def cards_of(rows: Sequence[ChurnModel]) -> dict[UUID, Card]:
    """Return the card of each version by its id. One query at most: a card never changes, so it is read once."""
    missing = [row.pk for row in rows if row.pk not in _CARDS]
    if missing:
        if len(_CARDS) + len(missing) > MOST_CARDS:
            _CARDS.clear()
            missing = [row.pk for row in rows]
        stored = ChurnModel.objects.filter(pk__in=missing).values_list("pk", "card", "parameters", "kind")
        _CARDS.update({pk: _card(data, parameters, kind) for pk, data, parameters, kind in stored})
    return {row.pk: _CARDS[row.pk] for row in rows}


def _card(data: dict[str, Any], parameters: dict[str, Any], kind: str) -> Card:
    found = from_data(data)
    if found.coefficients or "hazard" not in parameters:
        return found
    return Card(
        state=found.state,
        message=PRIOR_MESSAGE if kind == ModelKind.PRIOR else found.message,
        subject="expert" if kind == ModelKind.PRIOR else found.subject,
        coefficients=coefficients(model_from_data(parameters["hazard"])),
    )


def about_of(row: ChurnModel) -> About:
    """Return what the head of a version's card says; instants in the workspace's zone."""
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    return About(
        version=row.version,
        kind=str(ModelKind(row.kind).label),
        state=row.get_state_display(),
        trained_at=row.trained_at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z"),
        reason=row.reason,
        feature_version=row.feature_version,
        data_digest=row.data_digest,
        seconds=row.seconds,
    )


def left_so_far() -> int:
    """Return how many clients have left, by their outcomes."""
    churned = ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED)
    return int(churned.aggregate(clients=Count("client", distinct=True))["clients"])


def request_training(*, by: StaffUser, now: datetime) -> JobRun:
    """Return the training that waits or runs, else a new one for the worker. Raises PermissionDenied for others."""
    check_may_manage(by)
    at_work = newest_training()
    if at_work is not None and at_work.state in {JobState.QUEUED, JobState.RUNNING}:
        return at_work
    run = request_job(JOB, {}, requested_by_id=by.pk, now=now)
    record(actor=by, action="churn_model.train", object_type="churn_model", object_id="", now=now)
    return run


def newest_training() -> JobRun | None:
    """Return the newest run of the training job, None if there was none."""
    return JobRun.objects.filter(name=JOB).order_by("-created_at").first()


def put_into_use(row: ChurnModel, *, by: StaffUser, now: datetime) -> ChurnModel:
    """Put a version into use and return it; nothing happens where it is already.

    Raises PermissionDenied for those who may not, NotUsableError where the version cannot predict any more.
    """
    check_may_manage(by)
    return roll_back(row, actor=by, now=now)


def scoreboard_of(*, now: datetime, cache: BaseCache) -> Scoreboard:
    """Return the scoreboard of all clients, made anew where a prediction or a churn came in, and after ten minutes.

    Two queries where it is kept, seven where it is not.
    """
    until = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE) - timedelta(days=1)
    newest = ChurnPrediction.objects.aggregate(newest=Max("pk"))["newest"]
    churned = ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED).order_by("date", "client_id")
    left = hashlib.sha256(repr(list(churned.values_list("client_id", "date"))).encode()).hexdigest()
    key = f"churn-scoreboard:{until}:{newest}:{left}"
    found: Scoreboard | None = cache.get(key)
    if found is None:
        endings = read_endings()
        found = scoreboard(stored_predictions(until), endings.left, endings.last_days, until)
        cache.set(key, found, KEPT_SECONDS)
    return found


def stored_predictions(until: date) -> pl.DataFrame:
    """Return PREDICTIONS of one day of each ISO week up to `until`, by versions that were in use at some time.

    The day is the first of the week on which at least half as many clients were foretold as on its fullest day.
    """
    rows = ChurnPrediction.objects.filter(
        as_of__lte=until, as_of__gt=until - timedelta(weeks=MOST_WEEKS), model__activated_at__isnull=False
    )
    days = [(day, count) for day, count in rows.values_list("as_of").annotate(count=Count("pk")).order_by("as_of")]
    chosen = rows.filter(as_of__in=_one_a_week(days)).order_by("as_of", "client_id")
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    columns = ("client_id", "as_of", "made_at", "model__version", "p30", "p60", "p90", "category")
    found = [
        (client.hex, as_of, day_of(made, zone), *rest) for client, as_of, made, *rest in chosen.values_list(*columns)
    ]
    return pl.DataFrame(found, schema=PREDICTIONS, orient="row")


def _one_a_week(days: list[tuple[date, int]]) -> list[date]:
    weeks: dict[date, list[tuple[date, int]]] = {}
    for day, count in days:
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append((day, count))
    return [
        next(day for day, count in of_week if 2 * count >= max(most for _, most in of_week))
        for of_week in weeks.values()
    ]


def client_ids(found: Scoreboard) -> list[str]:
    """Return the ids of the clients that left or were of category high and stayed."""
    return list({*(one.client_id for one in found.losses), *(one.client_id for one in found.alarms)})


def names_of(user: StaffUser, client_ids: list[str]) -> dict[str, str]:
    """Return the names of those of the clients (32 hex digits) that `user` sees, by id. One query."""
    wanted = [UUID(one) for one in client_ids]
    rows = Client.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", "name")
    return {pk.hex: name for pk, name in rows}
