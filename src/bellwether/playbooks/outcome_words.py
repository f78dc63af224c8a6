"""What came of an intervention, written down or changed by a person, undoable."""

from datetime import date, datetime

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.playbooks.choices import InterventionState
from bellwether.playbooks.models import Intervention
from bellwether.portfolio.changes import changing
from bellwether.portfolio.models import Change
from bellwether.staff.models import StaffUser

LONGEST = 200
OPEN = (InterventionState.SCHEDULED, InterventionState.APPROVAL, InterventionState.DUE)


def write_outcome(
    found: Intervention, text: str, *, actor: StaffUser, today: date, now: datetime
) -> tuple[Intervention, Change | None]:
    """Store what came of an intervention that has happened; return it and the change, None where nothing changed.

    The caller has checked that `actor` sees the client. An empty text takes the outcome away. Raises InvalidInputError
    for a text of more than 200 characters, ConflictError while it is still to be done.
    """
    wanted = " ".join(storable_text(text, LONGEST + 1).split())
    if len(wanted) > LONGEST:
        raise InvalidInputError("The outcome is too long.", {"outcome": f"Use at most {LONGEST} characters."})
    with changing(
        actor, kind="intervention.outcome", summary=f"Outcome of {found.title}: {wanted or 'taken away'}",
        today=today, now=now,
    ) as work:  # fmt: skip
        row = Intervention.objects.select_for_update().get(pk=found.pk)
        if row.state in OPEN:
            raise ConflictError("This is still to be done. Mark it as done with its outcome.")
        work.keep(row)
        row.outcome, row.updated_at = wanted, now
        work.save(row)
    return row, work.change
