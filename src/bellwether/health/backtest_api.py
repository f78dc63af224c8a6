"""Back-tests through the staff API: does a configuration of the score predict churn?"""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router

from bellwether.common.errors import InvalidInputError
from bellwether.common.problems import ProblemError
from bellwether.health import backtest_jobs  # noqa: F401 (declares the job that makes back-tests)
from bellwether.health.backtest import may_backtest, newest_run, request_backtest, shown_to, state_of
from bellwether.health.backtest_parameters import Parameters
from bellwether.health.backtest_schemas import BacktestIn, BacktestOut
from bellwether.health.models import BacktestRun, HealthScoreConfig
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once
from bellwether.staff.models import Role, StaffUser

router = Router(tags=["configuration"])


@router.post(
    "/config/health-score/{config_id}/backtest", response={202: BacktestOut}, operation_id="startBacktest",
    summary="Start a back-test",
)  # fmt: skip
def start(request: StaffRequest, config_id: UUID, given: BacktestIn) -> HttpResponse:
    """Start the back-test of a configuration, or of a draft of it, and return it with its job; 202.

    One that is waiting, running or done on the same data is returned as it is. Needs a role that sees every client,
    because the figures are about all of them. Takes an Idempotency-Key.
    """
    config = _find(config_id)
    if not may_backtest(request.user):
        raise ProblemError(403, "Only roles that see every client may start a back-test: its figures are about all.")
    definition = config.definition if given.definition is None else given.definition
    if definition.get("name") != config.scorecard:
        sentence = f"is of {definition.get('name')!r}; a draft of this configuration has the name {config.scorecard!r}."
        raise InvalidInputError("The draft cannot be tested.", {"definition.name": sentence})
    parameters = Parameters(
        first=given.first,
        last=given.last,
        step_days=given.step_days,
        horizons=tuple(given.horizons),
        against=None if given.against is None else tuple(given.against),
        as_known=given.as_known,
    )

    def make() -> Answer:
        run = request_backtest(
            definition, parameters=parameters, by=request.user, now=timezone.now(), again=given.again
        )
        address = reverse("api:backtest", kwargs={"config_id": config.pk}) + f"?run={run.pk}"
        return Answer(202, _out(request.user, run).model_dump(mode="json"), {"Location": address})

    return once(request, make)


@router.get(
    "/config/health-score/{config_id}/backtest", response=BacktestOut, url_name="backtest", operation_id="getBacktest",
    summary="Get a back-test",
)  # fmt: skip
def read(request: StaffRequest, config_id: UUID, run: UUID | None = None) -> BacktestOut:
    """Return the newest back-test of a configuration, or the one that `run` names, with its result once it is done."""
    config = _find(config_id)
    if run is None:
        found = newest_run(config.digest)
    else:
        found = BacktestRun.objects.filter(pk=run, scorecard=config.scorecard).first()
        if found is None:
            raise Http404
    record(
        actor=request.user, action="backtest.read", object_type="backtest", object_id=found.pk if found else "",
        detail={"scorecard": config.scorecard, "version": config.version}, now=timezone.now(),
    )  # fmt: skip
    if found is None:
        return BacktestOut(id=None, job_id=None, scorecard=config.scorecard, digest=config.digest, state="none")
    return _out(request.user, found)


def _find(config_id: UUID) -> HealthScoreConfig:
    config = HealthScoreConfig.objects.filter(pk=config_id).first()
    if config is None:
        raise Http404
    return config


def _out(user: StaffUser, run: BacktestRun) -> BacktestOut:
    now_at = state_of(run)
    error = now_at.error or None
    if error and user.role != Role.ADMIN:
        error = "The back-test failed; an administrator can see why."
    return BacktestOut(
        id=run.pk,
        job_id=run.job_id,
        scorecard=run.scorecard,
        digest=run.digest,
        state=now_at.state,
        stage=now_at.stage,
        done=now_at.done,
        total=now_at.total,
        error=error,
        parameters={name: value for name, value in run.parameters.items() if name not in {"key", "seed"}},
        created_at=run.created_at,
        finished_at=run.finished_at,
        result=shown_to(user, run),
    )
