"""Jobs of the usage pipeline."""

from datetime import timedelta

from bellwether.common.jobs import JobContext, job
from bellwether.usage.services import roll_up_dirty


@job("rollup", every=timedelta(seconds=5), requestable=True)
def rollup(context: JobContext) -> dict[str, int]:
    """Bring the facts of marked days up to date; the scores that follow from them are marked in turn."""
    done = roll_up_dirty(now=context.now, progress=context)
    return {
        "days": done.days,
        "events": done.events,
        "repeats": done.repeats,
        "unassigned": done.unassigned,
        "files": done.files,
    }
