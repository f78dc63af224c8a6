"""The stakeholders of each client, linked to platform users where they use the product."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np

from bellwether.demo.behaviour import World
from bellwether.demo.clock import working_instant
from bellwether.demo.companies import Company
from bellwether.demo.people import ADMINISTRATOR, CHAMPION
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
    return rows
