"""Jobs of churn risk: training every week, predicting every night and when something calls for it, thinning.

What is due stands in the database, so a worker may be killed at any time.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from bellwether.churn.choices import ModelState
from bellwether.churn.models import ChurnModel
from bellwether.common.errors import InvalidInputError
from bellwether.common.jobs import Counts, JobContext, job
from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of, start_of
from bellwether.health.configs import main_scorecard
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client

WITHOUT_SCORES_AFTER = timedelta(hours=6)
"""A day whose scores have not come by then is predicted without waiting for them."""


@job("churn_train", cron="40 22 * * 0", requestable=True)
def churn_train(context: JobContext) -> Counts | None:
    """Train a version of the churn model; every Sunday night, and on request."""
    if context.run is None and not Client.objects.exists():
        return None
    from bellwether.churn.training import training  # SciPy and scikit-learn only where it runs
    from bellwether.staff.models import StaffUser

    run = context.ensure_run()
    by = StaffUser.objects.filter(pk=run.requested_by_id).first() if run.requested_by_id else None
    done = training(now=context.now, by=by, progress=context)
    context.start(done.sentence[:200], None)
    return {
        "version": done.model.version,
        "new": int(done.is_new),
        "promoted": int(done.is_promoted),
        "rows": done.model.rows,
        "milliseconds": round(1000 * done.model.seconds) if done.is_new else 0,
    }


@job("churn_predict", every=timedelta(minutes=2), requestable=True)
def churn_predict(context: JobContext) -> Counts | None:
    """Predict all clients: once the scores of the day are there, and soon after a version came into use or a client
    was added. On request also one client, of the argument `client_id`."""
    one = context.arguments.get("client_id")
    asked = context.run is not None
    if not asked and not (Client.objects.exists() and _is_due(context.now)):
        return None
    from bellwether.churn.predicting import predict_clients  # Polars only where it runs

    ids = None if one is None else [_client_id(str(one))]
    new = predict_clients(now=context.now, client_ids=ids, progress=context)
    clients = Client.objects.filter(churn_predicted_on__isnull=False).count()
    context.ensure_run()  # a run that found nothing new is kept too: it says that nothing is due
    return {"new": new, "clients": clients, "whole": int(ids is None)}


@job("churn_thin", cron="47 2 * * *", requestable=True)
def churn_thin(context: JobContext) -> Counts:
    """Keep one prediction a week, client and version of those older than 60 days; every night."""
    from bellwether.churn.thinning import thin

    return {"removed": thin(now=context.now, progress=context)}


def _client_id(given: str) -> UUID:
    try:
        found = Client.objects.active().filter(pk=UUID(given)).values_list("pk", flat=True).first()
    except ValueError:
        found = None
    if found is None:
        raise InvalidInputError(f"churn_predict was given client_id {given!r}, which is no client's that is active.")
    return UUID(str(found))


def _is_due(now: datetime) -> bool:
    """Return whether a whole run is due: none was begun since the day began, the version came into use and the newest
    client was added or brought back. A new day waits for its scores, for six hours at most."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    begun = start_of(today, zone)
    runs = JobRun.objects.filter(name="churn_predict", state=JobState.DONE, counts__whole=1)
    last = runs.aggregate(last=Max("started_at"))["last"]
    if last is None or last < begun:
        scored = HealthScore.objects.filter(scorecard=main_scorecard(), date=today).exists()
        return scored or now - begun >= WITHOUT_SCORES_AFTER
    activated = ChurnModel.objects.filter(state=ModelState.ACTIVE).aggregate(last=Max("activated_at"))["last"]
    if activated is not None and activated > last:
        return True
    waiting = Client.objects.active().filter(churn_predicted_on__isnull=True, updated_at__gt=last)
    return waiting.exists()
