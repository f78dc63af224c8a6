"""Changes to a client's contract: terms, what the client's record says beside them, and how terms ended.

Everybody who sees the client may make them; callers pass clients that the actor sees. Every function writes through
portfolio.changes (access log, undo) and returns what is stored. Each raises InvalidInputError naming the fields, or
ConflictError where the state does not allow it; nothing is stored then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio.changes import Changing, changing
from bellwether.portfolio.choices import ContractTier, OutcomeKind, PaymentStatus
from bellwether.portfolio.importing.effects import current_period, followed
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod
from bellwether.portfolio.outcomes import Ending, store_outcome
from bellwether.portfolio.record_changes import Made, locked_client, need, repeated, same, write
from bellwether.portfolio.terms import (
    LONGEST_ID,
    Term,
    date_problem,
    is_downgrade,
    modules_problem,
    span,
    term_problems,
)
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day

TERM_FIELDS = (
    "start_date",
    "end_date",
    "annual_recurring_revenue",
    "contract_tier",
    "licensed_user_count",
    "licensed_modules",
    "auto_renew",
)


def term_of(period: ContractPeriod) -> Term:
    """Return a stored term as the rules know it."""
    return Term(key=period.pk, **{name: getattr(period, name) for name in TERM_FIELDS})


def periods_of(client: Client) -> list[ContractPeriod]:
    """Return the client's terms, oldest first."""
    return list(ContractPeriod.objects.filter(client=client).order_by("start_date"))


def add_term(
    client: Client,
    term: Term,
    *,
    actor: StaffUser,
    today: date,
    now: datetime,
    external_id: str = "",
    allow_overlap: bool = False,
) -> Made[ContractPeriod]:
    """Store a new term; the columns of the client follow the term that counts today.

    The same term under the same `external_id` again changes nothing; another one under it is a ConflictError.
    """
    made = Made[ContractPeriod]()
    summary = f"Term {span(term)} of {client.name} added"
    with changing(actor, kind="contract.added", summary=summary, today=today, now=now) as work:
        owner = locked_client(client)
        if external_id and (known := repeated(ContractPeriod, owner, external_id)):
            made.record, made.repeated = same(known, _columns(term), "contract term"), True
            return made
        periods = periods_of(owner)
        _check(term, [term_of(one) for one in periods], today, allow_overlap, external_id=external_id)
        made.record = ContractPeriod(client=owner, external_id=external_id, **_columns(term))
        work.make(made.record)
        follow(work, owner, [*periods, made.record], today)
    made.change = work.change
    return made


def change_term(
    period: ContractPeriod,
    term: Term,
    *,
    actor: StaffUser,
    today: date,
    now: datetime,
    allow_overlap: bool = False,
) -> Made[ContractPeriod]:
    """Store new values of a term; the columns of the client follow."""
    made = Made[ContractPeriod]()
    summary = f"Term {span(term_of(period))} of {period.client.name} changed"
    with changing(actor, kind="contract.changed", summary=summary, today=today, now=now) as work:
        owner = locked_client(period.client)
        periods = periods_of(owner)
        stored = need(periods, period.pk, "This term")
        others = [term_of(one) for one in periods if one.pk != stored.pk]
        _check(term, others, today, allow_overlap, before=term_of(stored))
        write(work, stored, _columns(term))
        follow(work, owner, periods, today)
        made.record = stored
    made.change = work.change
    return made


def remove_term(period: ContractPeriod, *, actor: StaffUser, today: date, now: datetime) -> Made[ContractPeriod]:
    """Take a term away; the columns of the client follow those that are left, and stay as they are without any."""
    made = Made[ContractPeriod]()
    summary = f"Term {span(term_of(period))} of {period.client.name} removed"
    with changing(actor, kind="contract.removed", summary=summary, today=today, now=now) as work:
        owner = locked_client(period.client)
        periods = periods_of(owner)
        stored = need(periods, period.pk, "This term")
        work.remove(stored)
        follow(work, owner, [one for one in periods if one is not stored], today)
    made.change = work.change
    return made


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """What a renewal agrees on. `decided_on` is the day of the outcome; None: today, or the old term's last day where
    that is over."""

    term: Term
    decided_on: date | None = None
    reason_code: str = ""
    reason: str = ""
    notes: str = ""


def renew(client: Client, renewal: Renewal, *, actor: StaffUser, today: date, now: datetime) -> Made[ContractPeriod]:
    """Close the term that counts today the day before the new one begins, store the new one and its outcome: DOWNGRADED
    for less ARR (or fewer seats where ARR is not known), else RENEWED. One change, undone as a whole."""
    made = Made[ContractPeriod]()
    new = renewal.term
    with changing(
        actor, kind="contract.renewed", summary=f"{client.name} renewed, {span(new)}", today=today, now=now
    ) as work:
        owner = locked_client(client)
        periods = periods_of(owner)
        old = _to_renew(periods, today)
        before = term_of(old)
        if new.start_date <= old.start_date:
            text = f"The present term began on {full_day(old.start_date)}; the new one must begin later."
            raise InvalidInputError("The contract cannot be renewed so.", {"start_date": text})
        closing = new.start_date - timedelta(days=1)
        closed = replace(before, end_date=closing if old.end_date is None else min(old.end_date, closing))
        _check(new, [closed, *(term_of(one) for one in periods if one is not old)], today, False)
        write(work, old, {"end_date": closed.end_date})
        made.record = ContractPeriod(client=owner, **_columns(new))
        work.make(made.record)
        ending = Ending(
            outcome=OutcomeKind.DOWNGRADED if is_downgrade(before, new) else OutcomeKind.RENEWED,
            date=renewal.decided_on or min(today, closed.end_date or today),
            reason_code=renewal.reason_code,
            reason=renewal.reason,
            notes=renewal.notes,
            arr_before=before.annual_recurring_revenue,
            arr_after=new.annual_recurring_revenue,
        )
        store_outcome(work, owner, ending, today=today, date_field="decided_on")
        follow(work, owner, [*periods, made.record], today)
    made.change = work.change
    return made


def _to_renew(periods: Sequence[ContractPeriod], today: date) -> ContractPeriod:
    if not periods:
        raise ConflictError("No term is recorded that could be renewed. Add the present term first.")
    old = current_period(periods, today)
    later = [one for one in periods if one.start_date > old.start_date]
    if later:
        raise ConflictError(f"The next term is recorded already: {span(term_of(later[0]))}. Change that one.")
    return old


@dataclass(frozen=True, kw_only=True)
class Churn:
    """That a client leaves: `date` is its last day, which may lie ahead. `archive` also takes it off the lists."""

    date: date
    reason_code: str = ""
    reason: str = ""
    notes: str = ""
    archive: bool = False


def mark_churned(client: Client, churn: Churn, *, actor: StaffUser, today: date, now: datetime) -> Made[ClientOutcome]:
    """Store that the client leaves, end its terms on that day, and archive it if asked. From then on it has no scores.

    Terms that would begin later are taken away. One change, undone as a whole.
    """
    made = Made[ClientOutcome]()
    verb = "left" if churn.date <= today else "leaves"
    summary = f"{client.name} {verb} on {full_day(churn.date)}"
    with changing(actor, kind="contract.churned", summary=summary, today=today, now=now) as work:
        owner = locked_client(client)
        _check_churn(owner, churn, today)
        periods = periods_of(owner)
        current = current_period(periods, churn.date) if periods else None
        arr = current.annual_recurring_revenue if current else owner.annual_recurring_revenue
        kept = []
        for period in periods:
            if period.start_date > churn.date:
                work.remove(period)
                continue
            kept.append(period)
            if period.end_date is None or period.end_date > churn.date:
                signed = period.signed_end_date if period.ended_early else period.end_date
                write(work, period, {"end_date": churn.date, "ended_early": True, "signed_end_date": signed})
        ending = Ending(
            outcome=OutcomeKind.CHURNED,
            date=churn.date,
            reason_code=churn.reason_code,
            reason=churn.reason,
            notes=churn.notes,
            arr_before=arr,
            arr_after=Decimal(0),
        )
        made.record = store_outcome(work, owner, ending, today=today)
        ends = {} if kept else {"contract_end_date": churn.date, "next_renewal_date": churn.date}
        follow(work, owner, kept, today, archived_at=now if churn.archive else None, **ends)
    made.change = work.change
    return made


def _check_churn(client: Client, churn: Churn, today: date) -> None:
    problems = {}
    if churn.archive and churn.date > today:
        text = f"The client stays until {full_day(churn.date)}; archive it then."
        problems["archive"] = text
    outcomes = ClientOutcome.objects.filter(client=client).order_by("date")
    later = [one for one in outcomes if one.date > churn.date and one.outcome != OutcomeKind.CHURNED]
    if later:
        words = f"{later[-1].get_outcome_display().lower()} on {full_day(later[-1].date)}"
        problems["date"] = f"The client {words}, after that day. Remove that outcome first, or check the date."
    if problems:
        raise InvalidInputError("The client cannot be marked as churned so.", problems)
    gone = left_on(client, outcomes)
    if gone is not None:
        raise ConflictError(f"{client.name} is marked as churned on {full_day(gone)} already.")


def left_on(client: Client, outcomes: Sequence[ClientOutcome] | Any) -> date | None:
    """Return the last day of a client that churned, None for one that did not, or renewed or began a term afterwards.

    The rule of health.records, by which scores end.
    """
    churned = [one.date for one in outcomes if one.outcome == OutcomeKind.CHURNED]
    if not churned:
        return None
    renewed = [one.date for one in outcomes if one.outcome == OutcomeKind.RENEWED]
    starts = ContractPeriod.objects.filter(client=client).order_by("-start_date").values_list("start_date", flat=True)
    back = max([*renewed, *starts[:1]], default=None)
    return max(churned) if back is None or back <= max(churned) else None


def restore_client(client: Client, *, actor: StaffUser, today: date, now: datetime) -> Made[Client]:
    """Bring an archived client back to the lists. Its outcome stays: remove that, or add a term, if it came back."""
    made = Made[Client]()
    summary = f"{client.name} restored"
    with changing(actor, kind="client.restored", summary=summary, today=today, now=now) as work:
        made.record = locked_client(client, archived=True)
        write(work, made.record, {"archived_at": None})
    made.change = work.change
    return made


@dataclass(frozen=True, kw_only=True)
class Commercials:
    """What the client's record says beside the terms. `renewal_probability` is 0-100."""

    payment_status: str | None
    renewal_probability: int | None
    go_live_date: date | None
    licensed_modules: Sequence[str]


def change_commercials(
    client: Client, values: Commercials, *, actor: StaffUser, today: date, now: datetime
) -> Made[Client]:
    """Store what the client's record says beside the terms; the modules go to the term that counts today as well."""
    made = Made[Client]()
    summary = f"Contract facts of {client.name} changed"
    with changing(actor, kind="client.contract_changed", summary=summary, today=today, now=now) as work:
        owner = locked_client(client)
        _check_commercials(values, today)
        periods = periods_of(owner)
        modules = list(values.licensed_modules)
        if periods and modules != list(owner.licensed_modules or []):
            write(work, current_period(periods, today), {"licensed_modules": modules})
        columns = {
            "payment_status": values.payment_status or None,
            "renewal_probability": values.renewal_probability,
            "go_live_date": values.go_live_date,
            "licensed_modules": modules,
        }
        write(work, owner, columns)
        made.record = owner
    made.change = work.change
    return made


def _check_commercials(values: Commercials, today: date) -> None:
    problems = {}
    if values.payment_status and values.payment_status not in PaymentStatus.values:
        problems["payment_status"] = f"is one of {', '.join(PaymentStatus.values)}."
    if values.renewal_probability is not None and not 0 <= values.renewal_probability <= 100:
        problems["renewal_probability"] = "Give a percentage from 0 to 100."
    if values.go_live_date is not None and (problem := date_problem(values.go_live_date, today)):
        problems["go_live_date"] = problem
    if problem := modules_problem(values.licensed_modules):
        problems["licensed_modules"] = f"The list {problem}" if problem.startswith("has") else problem
    if problems:
        raise InvalidInputError("The contract facts cannot be stored.", problems)


def take_terms(client: Client, *, actor: StaffUser, today: date, now: datetime) -> Made[Client]:
    """Make the client's own columns those of the term that counts today, where the two contradict each other."""
    made = Made[Client]()
    summary = f"Contract of {client.name} taken from its terms"
    with changing(actor, kind="client.contract_changed", summary=summary, today=today, now=now) as work:
        made.record = locked_client(client)
        follow(work, made.record, periods_of(made.record), today)
    made.change = work.change
    return made


def follow(work: Changing, client: Client, periods: Sequence[ContractPeriod], today: date, **columns: Any) -> None:
    """Bring the columns of the locked client in step with its terms, within the change so that undoing puts them back.

    `columns` are set besides; None leaves one as it is.
    """
    wanted = {name: value for name, value in columns.items() if value is not None}
    if periods:
        period = current_period(sorted(periods, key=lambda one: one.start_date), today)
        wanted |= followed(client, period)
    write(work, client, wanted)


def _columns(term: Term) -> dict[str, Any]:
    values = {name: getattr(term, name) for name in TERM_FIELDS}
    return values | {"licensed_modules": list(term.licensed_modules)}


def _check(
    term: Term,
    others: Sequence[Term],
    today: date,
    allow_overlap: bool,
    *,
    before: Term | None = None,
    external_id: str = "",
) -> None:
    problems = term_problems(term, others, today=today, before=before)
    if term.contract_tier not in ContractTier.values:
        problems["contract_tier"] = f"is one of {', '.join(ContractTier.values)}."
    if len(external_id) > LONGEST_ID:
        problems["external_id"] = f"is longer than {LONGEST_ID} characters."
    if allow_overlap:
        problems.pop("overlap", None)
    elif "overlap" in problems:
        problems["start_date"] = problems.pop("overlap") + " Change the dates, or say that they may overlap."
    if problems:
        raise InvalidInputError("The term cannot be stored.", problems)
