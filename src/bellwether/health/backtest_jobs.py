"""The job that makes back-tests."""

from uuid import UUID

from bellwether.common.errors import InvalidInputError
from bellwether.common.jobs import Counts, JobContext, job
from bellwether.health.backtest import JOB, make_run
from bellwether.health.models import BacktestRun


@job(JOB, requestable=True)
def backtest(context: JobContext) -> Counts:
    """Make the back-test of the argument `run_id`. Raises InvalidInputError for an id that is no run's."""
    given = str(context.arguments.get("run_id", ""))
    try:
        run = BacktestRun.objects.filter(pk=UUID(given)).first()
    except ValueError:
        run = None
    if run is None:
        raise InvalidInputError(f"backtest needs run_id, the id of a back-test; it was given {given!r}.")
    result = make_run(run, now=context.now, progress=context).result or {}
    return {"dates": result["dates"], "rows": max((h["sample"]["rows"] for h in result["horizons"]), default=0)}
