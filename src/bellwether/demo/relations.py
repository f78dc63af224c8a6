"""What was said and done between the workspace's staff and each client: activities and notes."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np

from bellwether.demo.behaviour import World
from bellwether.demo.clock import working_instant
from bellwether.demo.companies import Company
from bellwether.demo.contacts import ContactRow
from bellwether.demo.words import NOTES, OUTCOMES, PROMISES, SUBJECTS

BEFORE_DAYS = 120
"""Records begin this long before the first day of usage, so that the first scores have their windows filled."""
DURATIONS = {"CALL": 30, "EMAIL": 5, "MEETING": 60, "QBR": 90, "TRAINING": 90, "ONBOARDING": 60}
UNCONTACTED_FOR = 130
CARE_DAYS = 90
"""So long after a recovery began a client is called more often."""


@dataclass(frozen=True, kw_only=True)
class ActivityRow:
    """One activity; planned ones have no `completed_at`."""

    id: UUID
    client: int
    kind: str
    subject: str
    performed_by: UUID
    contacts: tuple[UUID, ...]
    at: datetime
    completed: bool
    minutes: int
    outcome: str | None
    followed_up_at: datetime | None = None
    promise: str = ""
    due: date | None = None
    tags: tuple[str, ...] = ()

    @property
    def is_contact(self) -> bool:
        """Whether it was a completed activity with the client; internal discussions are not."""
        return self.completed and self.kind != "INTERNAL_DISCUSSION"


@dataclass(frozen=True, kw_only=True)
class NoteRow:
    """One note of a member of staff."""

    id: UUID
    client: int
    kind: str
    title: str
    content: str
    author: UUID
    at: datetime


def mood(health: float) -> str:
    """Return the word for a latent health: "high" from 0.72, "middle" from 0.5, else "low"."""
    return "high" if health >= 0.72 else "middle" if health >= 0.5 else "low"


def health_on(world: World, client: int, day: int) -> float:
    """Return the latent health of `client` on the day `day`, that of the first or last day outside the plan."""
    return float(world.health[client, int(np.clip(day, 0, world.plan.days - 1))])


def make_activities(world: World, contacts: list[ContactRow], *, until: datetime) -> list[ActivityRow]:
    """Return the activities of all clients: regular ones, quarterly reviews, onboarding, escalations, and some planned.

    Healthy clients hear from their CSM every two or three weeks, others less often, the uncontacted not for months.
    """
    of_client: dict[int, list[ContactRow]] = {}
    for contact in contacts:
        of_client.setdefault(contact.client, []).append(contact)
    rows: list[ActivityRow] = []
    for company in world.companies:
        rows += _of_client(world, company, of_client[company.number], until)
    return rows


def _of_client(world: World, company: Company, known: list[ContactRow], until: datetime) -> list[ActivityRow]:
    plan, story = world.plan, company.story
    rng = plan.stream("activities", company.number)
    begin = max(plan.index(company.start), -BEFORE_DAYS)
    end = plan.days - 1 if story.churn is None else story.churn
    if story.kind == "uncontacted":
        end -= UNCONTACTED_FOR
    days: list[tuple[int, str]] = []
    day = begin + int(rng.integers(1, 12))
    diligence = rng.uniform(0.75, 1.3)
    while day <= end:
        days.append((day, str(rng.choice(["CALL", "EMAIL", "MEETING", "INTERNAL_DISCUSSION"], p=[0.4, 0.3, 0.2, 0.1]))))
        interval = 12 + 150 * (1 - health_on(world, company.number, day)) ** 1.15
        day += max(2, int(rng.gamma(5.0, interval * diligence / 5.0)))
    quarter = begin + int(rng.integers(20, 91))
    reviews = range(quarter, end + 1, 91) if company.tier != "STARTER" else range(0)
    days += [(day, "QBR") for day in reviews if rng.random() < 1.5 * health_on(world, company.number, day) - 0.5]
    if plan.index(company.start) > -BEFORE_DAYS:
        start = plan.index(company.start)
        days += [(start + gap, "ONBOARDING") for gap in (3, 14, 30)] + [(start + 40, "TRAINING")]
    days += [(wave + 6, "SUPPORT_ESCALATION") for wave in story.waves if wave >= begin]
    for fall in story.falls:
        if fall.rise:  # somebody took care: that is why it recovers
            until_day = min(end, fall.rise_turn + CARE_DAYS)
            days += [(day, "CALL") for day in range(fall.rise_turn - 6, until_day + 1, 17)]
    if rng.random() < 0.5:
        days.append((int(rng.integers(begin, max(end, begin) + 1)), "EXECUTIVE_TOUCHPOINT"))
    done = [(d, k) for d, k in days if begin <= d <= end]
    rows = [_activity(world, company, known, rng, d, k, n, until) for n, (d, k) in enumerate(sorted(done))]
    rows = [row for row in rows if row.completed]
    if story.churn is None and rng.random() < 0.3:
        ahead = _activity(world, company, known, rng, plan.days + int(rng.integers(2, 21)), "MEETING", 9999, until)
        rows.append(ahead)
    return _with_promises(world, company, rows, until)


PROMISED_FOR = 18
TAGS = {"CALL": "check-in", "MEETING": "expansion discussion", "SUPPORT_ESCALATION": "issue resolution"}


def _with_promises(world: World, company: Company, rows: list[ActivityRow], until: datetime) -> list[ActivityRow]:
    """Return the activities with tags and, for some of the last weeks, what was promised and by when. Draws from a
    stream of its own, so that nothing else of the portfolio depends on it."""
    rng = world.plan.stream("promises", company.number)
    told = []
    for row in rows:
        tagged, promised, gap = rng.random() < 0.4, rng.random() < 0.5, int(rng.integers(3, 22))
        text = str(rng.choice(PROMISES))
        tags = (TAGS[row.kind],) if tagged and row.kind in TAGS else ()
        lately = row.is_contact and until - row.at <= timedelta(days=PROMISED_FOR)
        if lately and promised and row.followed_up_at is None:
            told.append(replace(row, tags=tags, promise=text, due=row.at.date() + timedelta(days=gap)))
        else:
            told.append(replace(row, tags=tags))
    return told


def _activity(
    world: World,
    company: Company,
    known: list[ContactRow],
    rng: np.random.Generator,
    day: int,
    kind: str,
    number: int,
    until: datetime,
) -> ActivityRow:
    at = working_instant(world.plan.day(day), rng)
    completed = at <= until
    present = [c for c in known if c.known_on(at.date())]
    wanted = {"EMAIL": 1, "CALL": 1, "MEETING": 2, "QBR": 4}.get(kind, 2)
    wanted = 0 if kind == "INTERNAL_DISCUSSION" else min(wanted, len(present))
    met = [] if not wanted else [present[n].id for n in sorted(rng.choice(len(present), wanted, replace=False))]
    feeling = mood(health_on(world, company.number, day))
    outcome = str(rng.choice(OUTCOMES[feeling])) if completed else None
    followed_up = at + timedelta(days=float(rng.uniform(2, 14)))
    return ActivityRow(
        id=world.plan.uuid("activity", company.organization_id, number),
        client=company.number,
        kind=kind,
        subject=str(rng.choice(SUBJECTS[kind])),
        performed_by=company.ae if kind == "EXECUTIVE_TOUCHPOINT" else company.csm,
        contacts=tuple(met),
        at=at,
        completed=completed,
        minutes=DURATIONS.get(kind, 45),
        outcome=outcome,
        followed_up_at=followed_up if outcome == "FOLLOW_UP_REQUIRED" and followed_up <= until else None,
    )


def make_notes(world: World, *, until: datetime) -> list[NoteRow]:
    """Return one to four notes a client that fit its latent health when they were written, and one on its story."""
    rows: list[NoteRow] = []
    for company in world.companies:
        rng = world.plan.stream("notes", company.number)
        begin = max(world.plan.index(company.start), -BEFORE_DAYS)
        end = world.plan.days - 1 if company.story.churn is None else company.story.churn
        picked: list[tuple[int, tuple[str, str, str]]] = []
        for day in rng.integers(begin, max(end, begin) + 1, rng.integers(1, 4)):
            choices = NOTES[mood(health_on(world, company.number, int(day)))]
            picked.append((int(day), choices[rng.integers(len(choices))]))
        for text in NOTES.get(company.story.kind, ()):
            last = company.story.last
            told = company.story.recovers or (last.turn if last else begin)
            picked.append((min(max(told + 5, begin), end), text))
        for number, (day, (kind, title, content)) in enumerate(sorted(picked)):
            at = working_instant(world.plan.day(day), rng)
            if at <= until:
                rows.append(
                    NoteRow(
                        id=world.plan.uuid("note", company.organization_id, number),
                        client=company.number,
                        kind=kind,
                        title=title,
                        content=content,
                        author=company.csm,
                        at=at,
                    )
                )
    return rows


def last_contacts(activities: list[ActivityRow]) -> tuple[dict[int, datetime], dict[UUID, datetime]]:
    """Return the instant of the last contact by client number, and by contact."""
    of_client: dict[int, datetime] = {}
    of_contact: dict[UUID, datetime] = {}
    for row in sorted((a for a in activities if a.is_contact), key=lambda a: a.at):
        ended = row.at + timedelta(minutes=row.minutes)
        of_client[row.client] = ended
        of_contact.update(dict.fromkeys(row.contacts, ended))
    return of_client, of_contact
