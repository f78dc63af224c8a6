"""Terms, renewals and ends: what each client signed, and how it went on."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from bellwether.demo.behaviour import World
from bellwether.demo.companies import Company, terms_of
from bellwether.demo.relations import health_on

REASONS = {
    "low adoption": "Low adoption",
    "champion left": "Champion left",
    "support": "Support experience",
    "price": "Price",
    "acquired": "Company acquired",
}
TERM_REASONS = {"RENEWED": "", "DOWNGRADED": "Fewer seats"}


@dataclass(frozen=True, kw_only=True)
class TermRow:
    """One yearly term of a contract."""

    id: UUID
    client: int
    number: int
    start: date
    end: date
    arr: int
    seats: int


@dataclass(frozen=True, kw_only=True)
class OutcomeRow:
    """How a term ended."""

    id: UUID
    client: int
    outcome: str
    date: date
    reason: str
    arr_before: int
    arr_after: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What holds today: renewal, payment and seats."""

    renewal_date: date | None
    contract_end: date
    payment: str
    renewal_probability: int
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
        shrunk = rng.random() < (0.02 if company.story.base > 0.7 else 0.12)
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
    if company.churned_on is not None:
        terms[-1] = _cut(terms[-1], company.churned_on)
    outcomes = [
        _outcome(world, company, kind, terms[n].end, TERM_REASONS[kind], arrs[n], arrs[n + 1])
        for n, kind in enumerate(kinds)
    ]
    if company.churned_on is not None:
        reason = REASONS[company.story.cause]
        outcomes.append(_outcome(world, company, "CHURNED", company.churned_on, reason, arrs[-1], 0))
    return terms, outcomes


def _cut(term: TermRow, end: date) -> TermRow:
    return TermRow(**(vars(term) | {"end": max(min(term.end, end), term.start)}))


def _outcome(
    world: World, company: Company, outcome: str, day: date, reason: str, before: int, after: int
) -> OutcomeRow:
    return OutcomeRow(
        id=world.plan.uuid("outcome", company.organization_id, day, outcome),
        client=company.number,
        outcome=outcome,
        date=day,
        reason=reason,
        arr_before=before,
        arr_after=after,
    )


def standing(world: World, company: Company) -> Standing:
    """Return the renewal, payment and seats of `company` as of today; they follow its latent health with noise."""
    rng = world.plan.stream("standing", company.number)
    day = world.plan.days - 1 if company.story.churn is None else company.story.churn
    health = health_on(world, company.number, day)
    luck = rng.random()
    late, overdue = (0.22, 0.12) if health < 0.45 else (0.10, 0.03) if health < 0.65 else (0.02, 0.0)
    payment = "overdue" if luck < overdue else "late" if luck < overdue + late else "current"
    end = terms_of(company, world.plan.today)[-1][1]
    return Standing(
        renewal_date=None if company.churned_on else end + timedelta(days=1),
        contract_end=min(end, company.churned_on) if company.churned_on else end,
        payment=payment,
        renewal_probability=int(min(max(round(25 + 75 * health + rng.normal(0, 6)), 5), 99)),
        auto_renew=bool(rng.random() < 0.35),
    )
