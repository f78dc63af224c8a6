"""What the contract tab shows: key figures, terms with their change, outcomes, and what contradicts what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from bellwether.dashboard.client_cards import PAYMENT_STATUS
from bellwether.dashboard.terms_chart import TermsChart, draw_terms
from bellwether.portfolio.contracts import left_on, term_of
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod
from bellwether.portfolio.reason_codes import said
from bellwether.portfolio.terms import OWN_COLUMNS, Term, Trouble, term_on, troubles
from bellwether.web.formatting import (
    DASH,
    Delta,
    change,
    days_ago,
    full_day,
    money,
    number,
    percent,
    plural,
    short_money,
    signed,
)

OUTCOME_STATUS = {"RENEWED": "healthy", "DOWNGRADED": "monitor", "CHURNED": "critical"}
NEAR_DAYS = 31


@dataclass(frozen=True)
class OutcomeRow:
    """How a term ended."""

    outcome_id: UUID
    on: str
    kind: str
    status: str
    reason: str
    notes: str
    before: str
    after: str
    change: Delta | None
    ahead: bool


@dataclass(frozen=True)
class TermRow:
    """A term with its change to the one before; `state` is current, ahead or past."""

    term_id: UUID
    number: int
    start: str
    end: str
    length: str
    arr: str
    change: Delta | None
    share: str
    tier: str
    seats: str
    seats_change: str
    modules: list[str]
    auto_renew: str
    state: str
    ended: OutcomeRow | None


@dataclass(frozen=True)
class Figure:
    """A key figure; `figure` None where it is not known, with the reason."""

    label: str
    figure: str | None
    note: str
    status: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ContractPage:
    """The tab. `left`: the last day of a client that churned, empty for others. `taken`: contradictions can be mended
    by taking the terms' values."""

    figures: list[Figure]
    rows: list[TermRow]
    outcomes: list[OutcomeRow]
    troubles: list[Trouble]
    chart: TermsChart | None
    modules: list[str]
    facts: list[tuple[str, str]]
    left: str
    can_renew: bool
    archived: bool
    own_terms: str


def contract_page(
    client: Client,
    periods: Sequence[ContractPeriod],
    outcomes: Sequence[ClientOutcome],
    *,
    used_seats: int | None,
    today: date,
) -> ContractPage:
    """Return the tab; `periods` and `outcomes` are the client's, oldest first, `used_seats` its users of 30 days."""
    terms = [term_of(period) for period in periods]
    current = term_on(terms, today)
    left = left_on(client, list(outcomes))
    ended = [_outcome(one, today) for one in outcomes]
    own = {column: getattr(client, column) for column in (*OWN_COLUMNS, "next_renewal_date")}
    later = current is not None and any(term.start_date > current.start_date for term in terms)
    marks = [(one.date, row.status, f"{row.kind} {row.on}") for one, row in zip(outcomes, ended, strict=True)]
    return ContractPage(
        figures=_figures(client, terms, current, used_seats, today, gone=left is not None),
        rows=_rows(terms, current, outcomes, ended, today)[::-1],
        outcomes=ended[::-1],
        troubles=troubles(terms, own, today=today, left=left is not None or client.archived_at is not None),
        chart=draw_terms(terms, marks, current=current, today=today),
        modules=[str(name) for name in client.licensed_modules or []],
        facts=_facts(client),
        left=full_day(left) if left else "",
        can_renew=bool(terms) and not later and left is None and client.archived_at is None,
        archived=client.archived_at is not None,
        own_terms=_own_terms(client) if not terms else "",
    )


def _own_terms(client: Client) -> str:
    """Return what the client's record says where no term is recorded: "1 Jul 2024 to 30 Jun 2025, $120,000"."""
    start, end = client.contract_start_date, client.contract_end_date
    parts = [f"{full_day(start) if start else 'an unknown day'} to {full_day(end) if end else 'open'}"]
    if client.annual_recurring_revenue is not None:
        parts.append(money(client.annual_recurring_revenue))
    return ", ".join(parts) if start or end or len(parts) > 1 else ""


def _figures(
    client: Client, terms: Sequence[Term], current: Term | None, used: int | None, today: date, *, gone: bool
) -> list[Figure]:
    arr, seats = client.annual_recurring_revenue, client.licensed_user_count
    return [
        Figure("ARR", money(arr) if arr is not None else None, _arr_note(terms, current), reason="No ARR is recorded."),
        _renewal(client, terms, today, gone=gone),
        Figure(
            "Renewal probability",
            f"{client.renewal_probability}%" if client.renewal_probability is not None else None,
            "as last recorded" if client.renewal_probability is not None else "",
            reason="Nobody has recorded one, and no CRM has sent one.",
        ),
        Figure(
            "Seats used",
            f"{number(used)} of {number(seats)}" if seats and used is not None else None,
            f"{percent(used / seats)}, users of 30 days" if seats and used is not None else "",
            reason="Seats are not recorded." if not seats else "No usage is known.",
        ),
        Figure(
            "Payment",
            str(client.get_payment_status_display()) if client.payment_status else None,
            "as last recorded" if client.payment_status else "",
            PAYMENT_STATUS.get(client.payment_status or "", ""),
            "No payment status is recorded.",
        ),
    ]


def _arr_note(terms: Sequence[Term], current: Term | None) -> str:
    known = [term for term in terms if term.annual_recurring_revenue is not None]
    if current is None or current not in known or known.index(current) == 0:
        return "a year"
    before = known[known.index(current) - 1].annual_recurring_revenue or Decimal(0)
    now = current.annual_recurring_revenue or Decimal(0)
    return f"{short_money(before)} in the term before" if now != before else "as in the term before"


def _renewal(client: Client, terms: Sequence[Term], today: date, *, gone: bool) -> Figure:
    day = client.next_renewal_date
    if gone:
        return Figure("Next renewal", None, "", reason="The client has churned.")
    following = next((term for term in terms if term.start_date > today), None)
    if day is None:
        return Figure("Next renewal", None, "", reason="The contract is open-ended or its end is not recorded.")
    days = (day - today).days
    note = f"{days_ago(-days)}" if days >= 0 else f"{plural(-days, 'day')} overdue"
    if following is not None:
        note = f"renewed until {full_day(following.end_date)}" if following.end_date else "renewed, open-ended"
    status = (
        "" if following is not None or days > 90 else "critical" if days < 0 else "risk" if days <= 30 else "monitor"
    )
    return Figure("Next renewal", full_day(day), note, status)


def _facts(client: Client) -> list[tuple[str, str]]:
    auto = {True: "Yes", False: "No", None: DASH}[client.auto_renew]
    return [
        ("Payment", str(client.get_payment_status_display()) if client.payment_status else DASH),
        ("Renewal probability", f"{client.renewal_probability}%" if client.renewal_probability is not None else DASH),
        ("Auto-renew", auto),
        ("Go-live", full_day(client.go_live_date)),
    ]


def _rows(
    terms: Sequence[Term],
    current: Term | None,
    outcomes: Sequence[ClientOutcome],
    ended: Sequence[OutcomeRow],
    today: date,
) -> list[TermRow]:
    rows: list[TermRow] = []
    before: Term | None = None
    for place, term in enumerate(terms, start=1):
        old, new = (before.annual_recurring_revenue if before else None), term.annual_recurring_revenue
        step = float(new - old) if old is not None and new is not None else None
        seats = (
            term.licensed_user_count - before.licensed_user_count
            if before and before.licensed_user_count is not None and term.licensed_user_count is not None
            else 0
        )
        rows.append(
            TermRow(
                term_id=term.key or UUID(int=0),
                number=place,
                start=full_day(term.start_date),
                end=full_day(term.end_date) if term.end_date else "Open-ended",
                length=_length(term),
                arr=money(new),
                change=change(step, better="up", text=short_money(abs(step))) if step is not None else None,
                share=percent(step / float(old)) if step and old else "",
                tier=term.contract_tier.capitalize(),
                seats=number(term.licensed_user_count),
                seats_change=signed(seats) if seats else "",
                modules=[str(name) for name in term.licensed_modules],
                auto_renew={True: "Yes", False: "No", None: DASH}[term.auto_renew],
                state="current" if term is current else "ahead" if term.start_date > today else "past",
                ended=_ended(term, terms[place] if place < len(terms) else None, outcomes, ended),
            )
        )
        before = term
    return rows


def _ended(
    term: Term, following: Term | None, outcomes: Sequence[ClientOutcome], ended: Sequence[OutcomeRow]
) -> OutcomeRow | None:
    """Return the outcome that closes `term`: the last one after its start and before the next term is well under way;
    without a next term, one that is near its end."""
    found = None
    for one, row in zip(outcomes, ended, strict=True):
        if one.date <= term.start_date:
            continue
        if following is not None:
            near = (following.start_date - one.date).days >= -NEAR_DAYS and one.outcome != "CHURNED"
            near = near or one.date < following.start_date
        else:
            near = one.outcome == "CHURNED" or (term.end_date is not None and one.date >= term.end_date)
        if near:
            found = row
    return found


def _length(term: Term) -> str:
    if term.end_date is None:
        return DASH
    days = (term.end_date - term.start_date).days + 1
    months = round(days / 30.44)
    if not months:
        return plural(days, "day")
    return plural(months // 12, "year") if months % 12 == 0 else plural(months, "month")


def _outcome(one: ClientOutcome, today: date) -> OutcomeRow:
    before, after = one.arr_before, one.arr_after
    step = float(after - before) if before is not None and after is not None else None
    return OutcomeRow(
        outcome_id=one.pk,
        on=full_day(one.date),
        kind=str(one.get_outcome_display()),
        status=OUTCOME_STATUS[one.outcome],
        reason=said(one.reason_code, one.reason),
        notes=one.notes.strip(),
        before=money(before),
        after=money(after),
        change=change(step, better="up", text=short_money(abs(step))) if step is not None else None,
        ahead=one.date > today,
    )
