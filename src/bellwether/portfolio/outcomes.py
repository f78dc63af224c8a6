"""How terms ended: renewed, churned or downgraded. Stored, changed and taken away through portfolio.changes.

Outcomes of archived clients may be changed too: why a client left is often learnt afterwards. Raises as
portfolio.contracts does.
"""

import datetime
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.changes import Changing, changing
from bellwether.portfolio.choices import OutcomeKind, OutcomeReason
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.portfolio.reason_codes import coded
from bellwether.portfolio.record_changes import Made, fresh, locked_client, repeated, same, write
from bellwether.portfolio.terms import LONGEST_ID, date_problem, money_problem
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day

LONGEST_REASON, LONGEST_NOTES = 100, 10_000


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a term ended on `date`, in yearly dollars before and after. `reason` adds words to the code, and gives the
    code of a churn or downgrade where none is given and the words are known."""

    outcome: str
    date: datetime.date
    reason_code: str = ""
    reason: str = ""
    notes: str = ""
    arr_before: Decimal | None = None
    arr_after: Decimal | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The values by the name of their column."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def coded(self) -> "Ending":
        """The same with the code of its words where none is given."""
        return replace(self, reason_code=coded(self.reason_code, self.reason, self.outcome))


def outcome_problems(ending: Ending, *, today: datetime.date) -> dict[str, str]:
    """Return what is wrong with an outcome by field; empty if it may be stored. Only leaving may lie ahead."""
    found: dict[str, str] = {}
    if ending.outcome not in OutcomeKind.values:
        found["outcome"] = f"is one of {', '.join(OutcomeKind.values)}."
    if problem := date_problem(ending.date, today):
        found["date"] = problem
    elif ending.date > today and ending.outcome != OutcomeKind.CHURNED:
        found["date"] = "Only leaving may lie ahead; give the day on which it was decided."
    for name, label in (("arr_before", "ARR before"), ("arr_after", "ARR after")):
        amount = getattr(ending, name)
        if amount is not None and (problem := money_problem(amount)):
            found[name] = f"{label} {problem}"
    before, after = ending.arr_before, ending.arr_after
    if ending.outcome == OutcomeKind.CHURNED and after and "arr_after" not in found:
        found["arr_after"] = "Nothing is left of a contract that ended; for less of it choose Downgraded."
    if ending.outcome == OutcomeKind.DOWNGRADED and before is not None and after is not None and after > before:
        found.setdefault("arr_after", "That is more than before; choose Renewed.")
    if ending.reason_code and ending.reason_code not in OutcomeReason.values:
        found["reason_code"] = f"is one of {', '.join(OutcomeReason.values)}."
    if len(ending.reason) > LONGEST_REASON:
        found["reason"] = f"is longer than {LONGEST_REASON} characters; write more in the notes."
    if len(ending.notes) > LONGEST_NOTES:
        found["notes"] = f"is longer than {LONGEST_NOTES:,} characters."
    return found


def store_outcome(
    work: Changing,
    client: Client,
    ending: Ending,
    *,
    today: datetime.date,
    external_id: str = "",
    date_field: str = "date",
) -> ClientOutcome:
    """Store a new outcome within a change and return it. `date_field` is what the caller's form calls the date."""
    problems = outcome_problems(ending, today=today) | _key_problems(client, ending, external_id)
    _refuse(problems, date_field)
    record = ClientOutcome(client=client, external_id=external_id, **ending.coded.columns)
    work.make(record)
    return record


def add_outcome(
    client: Client,
    ending: Ending,
    *,
    actor: StaffUser,
    today: datetime.date,
    now: datetime.datetime,
    external_id: str = "",
) -> Made[ClientOutcome]:
    """Store an outcome on its own. The same under the same `external_id` again changes nothing."""
    made = Made[ClientOutcome]()
    summary = f"Outcome of {client.name} on {full_day(ending.date)} added"
    with changing(actor, kind="outcome.added", summary=summary, today=today, now=now) as work:
        owner = locked_client(client, archived=True)
        if external_id and (known := repeated(ClientOutcome, owner, external_id)):
            made.record, made.repeated = same(known, ending.coded.columns, "contract outcome"), True
            return made
        made.record = store_outcome(work, owner, ending, today=today, external_id=external_id)
    made.change = work.change
    return made


def change_outcome(
    outcome: ClientOutcome, ending: Ending, *, actor: StaffUser, today: datetime.date, now: datetime.datetime
) -> Made[ClientOutcome]:
    """Store new values of an outcome."""
    made = Made[ClientOutcome]()
    summary = f"Outcome of {outcome.client.name} on {full_day(outcome.date)} changed"
    with changing(actor, kind="outcome.changed", summary=summary, today=today, now=now) as work:
        owner = locked_client(outcome.client, archived=True)
        stored = fresh(ClientOutcome, outcome.pk)
        problems = outcome_problems(ending, today=today)
        _refuse(problems | _key_problems(owner, ending, "", but=stored), "date")
        write(work, stored, ending.coded.columns)
        made.record = stored
    made.change = work.change
    return made


def remove_outcome(
    outcome: ClientOutcome, *, actor: StaffUser, today: datetime.date, now: datetime.datetime
) -> Made[ClientOutcome]:
    """Take an outcome away. A client whose churn is taken away is scored again."""
    made = Made[ClientOutcome]()
    summary = f"Outcome of {outcome.client.name} on {full_day(outcome.date)} removed"
    with changing(actor, kind="outcome.removed", summary=summary, today=today, now=now) as work:
        locked_client(outcome.client, archived=True)
        work.remove(fresh(ClientOutcome, outcome.pk))
    made.change = work.change
    return made


def _key_problems(client: Client, ending: Ending, external_id: str, but: ClientOutcome | None = None) -> dict[str, str]:
    if len(external_id) > LONGEST_ID:
        return {"external_id": f"is longer than {LONGEST_ID} characters."}
    known = ClientOutcome.objects.filter(client=client, date=ending.date, outcome=ending.outcome)
    if but is not None:
        known = known.exclude(pk=but.pk)
    return {"date": "This outcome of that day is recorded already."} if known.exists() else {}


def _refuse(problems: dict[str, str], date_field: str) -> None:
    if not problems:
        return
    renamed = {date_field if name == "date" else name: text for name, text in problems.items()}
    raise InvalidInputError("The outcome cannot be stored.", renamed)
