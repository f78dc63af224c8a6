"""What clients say: support tickets and answers to surveys."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from bellwether.demo.behaviour import World
from bellwether.demo.clock import working_instant
from bellwether.demo.companies import EXPECTED_RATE, Company
from bellwether.demo.contacts import ContactRow
from bellwether.demo.hazard import WAVE_DAYS
from bellwether.demo.relations import BEFORE_DAYS, health_on, mood
from bellwether.demo.words import COMMENTS, TICKETS

PRIORITIES = ("low", "normal", "high", "urgent")
CALM, TROUBLED = (0.3, 0.5, 0.17, 0.03), (0.12, 0.44, 0.32, 0.12)
POINTS = (1, 2, 4, 8)
WAVE_FACTOR = 5.0
CSAT_SHARE = 0.4
NPS_BEFORE_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class TicketRow:
    """One support ticket; open ones have no `solved_at`."""

    id: UUID
    client: int
    number: int
    subject: str
    priority: str
    status: str
    opened_at: datetime
    solved_at: datetime | None
    first_response_minutes: int | None = None
    is_escalated: bool = False


@dataclass(frozen=True, kw_only=True)
class SurveyRow:
    """One answer: NPS 0-10, CSAT 0-100."""

    id: UUID
    client: int
    kind: str
    score: float
    contact: UUID | None
    respondent: str
    comment: str
    at: datetime


def make_tickets(world: World, *, until: datetime) -> list[TicketRow]:
    """Return the tickets of all clients, more and graver ones for clients in poor latent health, and planted waves."""
    rows: list[TicketRow] = []
    for company in world.companies:
        rng, story = world.plan.stream("tickets", company.number), company.story
        begin = max(world.plan.index(company.start), -BEFORE_DAYS)
        end = world.plan.days - 1 if story.churn is None else story.churn
        days = np.arange(begin, end + 1)
        health = world.health[company.number, np.clip(days, 0, world.plan.days - 1)]
        opened = np.repeat(days, rng.poisson(_daily_rate(company, days, health)))
        answers = world.plan.stream("first responses", company.number)
        for number, day in enumerate(opened):
            row = _answered(_ticket(world, company, rng, int(day), number, until), answers, until)
            if row.opened_at <= until:
                rows.append(row)
    return rows


RESPONSE_MINUTES = {"urgent": 18, "high": 45, "normal": 110, "low": 190}
ESCALATED = {"urgent": 0.22, "high": 0.07, "normal": 0.01, "low": 0.0}


def _answered(row: TicketRow, rng: np.random.Generator, until: datetime) -> TicketRow:
    """Return the ticket with its first response, which comes before the solution, and whether it was escalated."""
    minutes, escalated = 5 + float(rng.gamma(1.6, RESPONSE_MINUTES[row.priority])), float(rng.random())
    ends = row.solved_at or until
    open_minutes = (ends - row.opened_at).total_seconds() / 60
    answered = round(min(minutes, open_minutes)) if row.solved_at or minutes <= open_minutes else None
    return replace(row, first_response_minutes=answered, is_escalated=escalated < ESCALATED[row.priority])


def _daily_rate(company: Company, days: np.ndarray, health: np.ndarray) -> np.ndarray:
    """Return tickets a day: what healthy clients open costs about a sixth of the support score, at worst all of it."""
    monthly_users = 1.9 * company.seats * EXPECTED_RATE[company.tier]
    points = (4 + 0.4 * monthly_users) * (0.08 + 1.15 * (1 - health) ** 1.25)
    share = np.array(CALM) + (1 - health)[:, None] * (np.array(TROUBLED) - np.array(CALM))
    rate = points / (share @ np.array(POINTS)) / 30
    for begins in company.story.waves:
        wave = (days >= begins) & (days < begins + WAVE_DAYS)
        rate = rate * np.where(wave, WAVE_FACTOR, 1.0)
    return np.asarray(rate)


def _ticket(
    world: World, company: Company, rng: np.random.Generator, day: int, number: int, until: datetime
) -> TicketRow:
    health = health_on(world, company.number, day)
    share = np.array(CALM) + (1 - health) * (np.array(TROUBLED) - np.array(CALM))
    opened = working_instant(world.plan.day(day), rng)
    solved = opened + timedelta(hours=float(rng.gamma(1.5, 20 + 90 * (1 - health))))
    is_solved = solved <= until
    closed = is_solved and (until - solved).days > 7
    waiting = "pending" if rng.random() < 0.3 else "open"
    return TicketRow(
        id=world.plan.uuid("ticket", company.organization_id, number),
        client=company.number,
        number=number,
        subject=str(rng.choice(TICKETS)),
        priority=str(rng.choice(PRIORITIES, p=share)),
        status="closed" if closed else "solved" if is_solved else waiting,
        opened_at=opened,
        solved_at=solved if is_solved else None,
    )


def make_surveys(
    world: World, contacts: list[ContactRow], tickets: list[TicketRow], *, until: datetime
) -> list[SurveyRow]:
    """Return CSAT answers to solved tickets and NPS answers of contacts twice a year, both led by latent health."""
    rows: list[SurveyRow] = []
    rng = world.plan.stream("csat")
    for ticket in tickets:
        asked, grade, words = rng.random(), rng.normal(0, 0.75), rng.random()
        if ticket.solved_at is None or asked > CSAT_SHARE:
            continue
        health = health_on(world, ticket.client, world.plan.index(ticket.solved_at.date()))
        stars = int(np.clip(round(1.2 + 4.2 * health + grade), 1, 5))
        at = ticket.solved_at + timedelta(hours=1 + 20 * words)
        if at <= until:
            identity = world.plan.uuid("csat", ticket.id)
            rows.append(_answer(identity, ticket.client, "CSAT", (stars - 1) * 25.0, None, health, words, at))
    for company in world.companies:
        known = [c for c in contacts if c.client == company.number]
        rows += _nps(world, company, known, until)
    return rows


def _nps(world: World, company: Company, contacts: list[ContactRow], until: datetime) -> list[SurveyRow]:
    rng, plan = world.plan.stream("nps", company.number), world.plan
    begin = max(plan.index(company.start) + 45, -NPS_BEFORE_DAYS)
    end = plan.days - 1 if company.story.churn is None else company.story.churn
    rows = []
    for contact in contacts:
        if rng.random() < 0.2:
            continue
        for number, day in enumerate(range(begin + int(rng.integers(0, 110)), end + 1, 182)):
            at = working_instant(plan.day(day), rng)
            grade, words = rng.normal(0, 0.9), rng.random()
            if rng.random() < 0.75 and at <= until and contact.known_on(at.date()):
                health = health_on(world, company.number, day)
                score = float(np.clip(round(11.2 * health - 0.6 + grade), 0, 10))
                identity = plan.uuid("nps", contact.id, number)
                rows.append(_answer(identity, company.number, "NPS", score, contact.id, health, words, at))
    return rows


def _answer(
    identity: UUID, client: int, kind: str, score: float, contact: UUID | None, health: float, luck: float, at: datetime
) -> SurveyRow:
    choices = COMMENTS[mood(health)]
    comment = choices[int(luck * len(choices))]
    respondent = str(contact) if contact else ""
    return SurveyRow(
        id=identity,
        client=client,
        kind=kind,
        score=score,
        contact=contact,
        respondent=respondent,
        comment=comment,
        at=at,
    )
