"""Terms, renewals and ends: what each client signed, and how it went on."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import polars as pl

from bellwether.demo.behaviour import World
from bellwether.demo.companies import Company, terms_of

REASONS = {
    "low adoption": "Low adoption",
    "champion left": "Champion left",
    "support": "Support experience",
    "price": "Price",
    "acquired": "Company acquired",
}
FEWER_SEATS = "Fewer seats"
REASON_CODES = {
    "Low adoption": "ADOPTION",
    "Champion left": "CHAMPION_LEFT",
    "Support experience": "SUPPORT",
    "Price": "PRICE",
    "Company acquired": "ACQUIRED",
    FEWER_SEATS: "FEWER_SEATS",
    "": "",
}
"""The code (portfolio.choices.OutcomeReason) of each reason."""
OPPORTUNITY_DAYS = 150
TERM_REASONS = {"RENEWED": "", "DOWNGRADED": FEWER_SEATS}


@dataclass(frozen=True, kw_only=True)
class TermRow:
    """One yearly term of a contract, as it was signed: a client that leaves early leaves within it."""

    id: UUID
    client: int
    number: int
    start: date
    end: date
    arr: int
    seats: int


@dataclass(frozen=True, kw_only=True)
class OutcomeRow:
    """How a term ended; `reason_code` is "" without a reason."""

    id: UUID
    client: int
    outcome: str
    date: date
    reason: str
    reason_code: str
    arr_before: int
    arr_after: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What holds today: renewal and payment."""

    renewal_date: date | None
    contract_end: date
    payment: str
    renewal_probability: int | None
    auto_renew: bool


def make_terms(world: World) -> tuple[list[TermRow], list[OutcomeRow]]:
    """Return all terms, oldest first for each client, and how those ended that are over."""
    terms: list[TermRow] = []
    outcomes: list[OutcomeRow] = []
    for company in world.companies:
        own, ended = _of_client(world, company)
        terms += own
        outcomes += ended
    return terms, outcomes


def _of_client(world: World, company: Company) -> tuple[list[TermRow], list[OutcomeRow]]:
    plan = world.plan
    rng = plan.stream("terms", company.number)
    spans = terms_of(company, plan.today)
    arrs, seats, kinds = [company.arr], [company.seats], []
    for _ in spans[1:]:  # backwards from the present term
        shrunk = rng.random() < (0.02 if company.story.settled > 0.7 else 0.12)
        kinds.append("DOWNGRADED" if shrunk else "RENEWED")
        factor = rng.uniform(0.7, 0.9) if shrunk else rng.uniform(1.0, 1.09)
        arrs.append(int(arrs[-1] / factor) // 500 * 500)
        seats.append(max(5, round(seats[-1] / factor)))
    arrs, seats, kinds = arrs[::-1], seats[::-1], kinds[::-1]
    terms = [
        TermRow(
            id=plan.uuid("term", company.organization_id, n),
            client=company.number,
            number=n,
            start=start,
            end=end,
            arr=arrs[n],
            seats=seats[n],
        )
        for n, (start, end) in enumerate(spans)
    ]
    outcomes = [
        _outcome(world, company, kind, terms[n].end, TERM_REASONS[kind], arrs[n], arrs[n + 1])
        for n, kind in enumerate(kinds)
    ]
    if company.churned_on is not None:
        reason = REASONS[company.story.cause]
        outcomes.append(_outcome(world, company, "CHURNED", company.churned_on, reason, arrs[-1], 0))
    return terms, outcomes


def _outcome(
    world: World, company: Company, outcome: str, day: date, reason: str, before: int, after: int
) -> OutcomeRow:
    return OutcomeRow(
        id=world.plan.uuid("outcome", company.organization_id, day, outcome),
        client=company.number,
        outcome=outcome,
        date=day,
        reason=reason,
        reason_code=REASON_CODES[reason],
        arr_before=before,
        arr_after=after,
    )


def payment_path(world: World, company: Company) -> list[str]:
    """Return how the client pays on each day: in poor latent health now and then late, or not, for a quarter."""
    rng = world.plan.stream("payments", company.number)
    luck = rng.random(world.plan.days // 91 + 2)[(np.arange(world.plan.days) + int(rng.integers(91))) // 91]
    health = world.health[company.number]
    overdue = np.select([health < 0.45, health < 0.65], [0.20, 0.05], 0.0)
    late = overdue + np.select([health < 0.45, health < 0.65], [0.35, 0.20], 0.02)
    return [str(word) for word in np.select([luck < overdue, luck < late], ["overdue", "late"], "current")]


def renewal_path(world: World, company: Company) -> list[int | None]:
    """Return the probability (0-100) of the open renewal opportunity on each day, set anew each week; None while none
    is open, which is until 150 days before a term ends."""
    plan = world.plan
    noise = plan.stream("renewal", company.number).normal(0, 5)
    week = np.arange(plan.days) // 7 * 7
    value = np.clip(np.round(5 + 95 * world.health[company.number][week] + noise), 5, 99).astype(int)
    ends = [plan.index(end) for _, end in terms_of(company, plan.today)]
    is_open = np.zeros(plan.days, bool)
    for end in ends:
        is_open[max(end - OPPORTUNITY_DAYS, 0) : max(end + 1, 0)] = True
    return [int(v) if open_now else None for v, open_now in zip(value, is_open, strict=True)]


def standing(world: World, company: Company) -> Standing:
    """Return the renewal and payment of `company` as of today, or of its last day."""
    day = world.plan.days - 1 if company.story.churn is None else company.story.churn
    end = terms_of(company, world.plan.today)[-1][1]
    return Standing(
        renewal_date=None if company.churned_on else end + timedelta(days=1),
        contract_end=min(end, company.churned_on) if company.churned_on else end,
        payment=payment_path(world, company)[day],
        renewal_probability=None if company.churned_on else renewal_path(world, company)[day],
        auto_renew=bool(world.plan.stream("standing", company.number).random() < 0.35),
    )


def make_readings(world: World) -> pl.DataFrame:
    """Return what a CRM would have shown on each past day: client_id (32 hex digits), date, payment_status and
    renewal_signal, from the contract's start to a churn."""
    plan = world.plan
    days = [plan.day(n) for n in range(plan.days)]
    schema = {"client_id": pl.String, "date": pl.Date, "payment_status": pl.String, "renewal_signal": pl.Int64}
    frames = []
    for company in world.companies:
        first = max(plan.index(company.start), 0)
        stop = plan.days if company.story.churn is None else company.story.churn + 1
        frames.append(
            pl.DataFrame(
                {
                    "client_id": [company.id.hex] * (stop - first),
                    "date": days[first:stop],
                    "payment_status": payment_path(world, company)[first:stop],
                    "renewal_signal": renewal_path(world, company)[first:stop],
                },
                schema=schema,
            )
        )
    return pl.concat(frames)
