"""The stakeholders of each client, linked to platform users where they use the product."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np

from bellwether.demo.behaviour import World
from bellwether.demo.clock import working_instant
from bellwether.demo.companies import Company
from bellwether.demo.people import ADMINISTRATOR, CHAMPION, NEVER
from bellwether.demo.words import FIRST_NAMES, LAST_NAMES, TITLES

KEY_ROLES = frozenset({"CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN"})


@dataclass(frozen=True, kw_only=True)
class ContactRow:
    """One stakeholder. `user` is the position of the linked platform user, None without one."""

    id: UUID
    client: int
    name: str
    email: str
    phone: str
    title: str
    role: str
    user: int | None
    known_since: date
    left_at: datetime | None
    is_primary: bool = False

    def known_on(self, day: date) -> bool:
        """Whether the contact was known and still there on `day`."""
        return self.known_since <= day and (self.left_at is None or day < self.left_at.date())


def make_contacts(world: World) -> list[ContactRow]:
    """Return three to seven contacts a client: a champion, a sponsor, an admin, and others in larger ones."""
    contacts: list[ContactRow] = []
    for company in world.companies:
        rng = world.plan.stream("contacts", company.number)
        contacts += _of_client(world, company, rng)
    return contacts


def _of_client(world: World, company: Company, rng: np.random.Generator) -> list[ContactRow]:
    roles = ["CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN"]
    roles += ["USER"] * int(rng.integers(0, 2)) + ["BILLING"] * int(rng.random() < 0.6)
    if company.tier == "ENTERPRISE":
        roles += ["CHAMPION", "USER", "OTHER"][: int(rng.integers(1, 4))]
    first_user = int(world.users.first_of_client[company.number])
    people = int((~world.users.is_service[first_user : world.users.first_of_client[company.number + 1]]).sum())
    firsts = rng.choice(FIRST_NAMES, len(roles), replace=False)
    lasts = rng.choice(LAST_NAMES, len(roles), replace=False)
    others = iter(first_user + 2 + rng.permutation(max(people - 2, 1)))
    rows = []
    for place, role in enumerate(roles):
        user: int | None = None
        if place == 0:
            user = first_user + CHAMPION
        elif place == 2:
            user = first_user + ADMINISTRATOR
        elif role in {"CHAMPION", "USER"} or (role == "EXECUTIVE_SPONSOR" and rng.random() < 0.3):
            user = int(next(others))
        leaves = company.story.champion_leaves if place == 0 else None
        name = f"{firsts[place]} {lasts[place]}"
        rows.append(
            ContactRow(
                id=world.plan.uuid("contact", company.organization_id, place),
                client=company.number,
                name=name,
                email=f"{name.lower().replace(' ', '.')}@{company.domain}",
                phone=f"+1 555 01{rng.integers(0, 100):02d} {rng.integers(0, 10000):04d}",
                title=str(rng.choice(TITLES[role])),
                role=role,
                user=user if user is None or user < first_user + people else None,
                known_since=company.start,
                left_at=None if leaves is None else working_instant(world.plan.day(leaves + 3), rng),
                is_primary=place == 0,
            )
        )
    follows = company.story.champion_follows
    if follows is not None and follows < world.plan.days:
        rows.append(_successor(world, company, rows, first_user, people, follows))
    return rows


def _successor(
    world: World, company: Company, rows: list[ContactRow], first_user: int, people: int, follows: int
) -> ContactRow:
    """Return the champion named after the first one left: who works most of those that stay, and is no contact yet."""
    users = world.users
    taken = {row.user for row in rows}
    able = [
        user
        for user in range(first_user, first_user + people)
        if user not in taken and users.joined[user] <= follows and users.left[user] == NEVER
    ]
    user = max(able, key=lambda one: float(users.draw[one]), default=None)
    rng = world.plan.stream("successor", company.number)
    known = {row.name for row in rows}
    drawn = (f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}" for _ in range(100))
    name = next(one for one in drawn if one not in known)
    return ContactRow(
        id=world.plan.uuid("contact", company.organization_id, "successor"),
        client=company.number,
        name=name,
        email=f"{name.lower().replace(' ', '.')}@{company.domain}",
        phone=f"+1 555 01{rng.integers(0, 100):02d} {rng.integers(0, 10000):04d}",
        title=str(rng.choice(TITLES["CHAMPION"])),
        role="CHAMPION",
        user=user,
        known_since=world.plan.day(follows),
        left_at=None,
    )
