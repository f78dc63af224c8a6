"""The client organisations of the demo: who they are and what they have signed."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from bellwether.demo.catalogue import Catalogue
from bellwether.demo.hazard import yearly_terms
from bellwether.demo.plan import DemoPlan
from bellwether.demo.staffing import TEAM_OF_REGION, StaffMember
from bellwether.demo.stories import Story
from bellwether.demo.words import FIRST_PARTS, INDUSTRIES, PLACES, TAGS

TIER_SHARES = {"STARTER": 0.38, "PROFESSIONAL": 0.37, "ENTERPRISE": 0.25}
SEATS = {"STARTER": (10, 24), "PROFESSIONAL": (20, 48), "ENTERPRISE": (45, 115)}
ARR_A_SEAT = {"STARTER": (900, 1400), "PROFESSIONAL": (1500, 2200), "ENTERPRISE": (2000, 3000)}
EMPLOYEES_A_SEAT = {"STARTER": (6, 20), "PROFESSIONAL": (15, 45), "ENTERPRISE": (25, 90)}
EXPECTED_RATE = {"STARTER": 0.20, "PROFESSIONAL": 0.25, "ENTERPRISE": 0.30}
"""Daily users a seat at full use; what the scorecard of the default preset expects."""
REGION_SHARES = {"US West": 0.42, "US East": 0.33, "EMEA": 0.25}


@dataclass(frozen=True, kw_only=True)
class Company:
    """One client organisation. `arr` is that of the present term, in the workspace's currency."""

    number: int
    id: UUID
    organization_id: str
    name: str
    industry: str
    region: str
    location: str
    country: str
    zone: str
    employees: int
    segment: str
    tier: str
    seats: int
    arr: int
    modules: tuple[str, ...]
    tags: tuple[str, ...]
    start: date
    go_live: date
    churned_on: date | None
    csm: UUID
    ae: UUID
    story: Story

    @property
    def domain(self) -> str:
        """The invented mail domain."""
        return f"{self.organization_id}.example"


def make_companies(
    plan: DemoPlan, stories: list[Story], staff: list[StaffMember], catalogue: Catalogue
) -> list[Company]:
    """Return the clients of `plan`, one a story, each with a CSM of its region's team and an account executive."""
    rng = plan.stream("companies")
    names = _names(plan, rng)
    regions = [str(r) for r in rng.choice(list(REGION_SHARES), plan.clients, p=list(REGION_SHARES.values()))]
    csms = _assign(plan, stories, regions, staff)
    aes = [member.id for member in staff if member.role == "AE"]
    companies = []
    for number, story in enumerate(stories):
        own = plan.stream("company", number)
        name, industry = names[number]
        slug = _slug(name)
        location, country, zone = PLACES[regions[number]][own.integers(len(PLACES[regions[number]]))]
        tier = str(own.choice(list(TIER_SHARES), p=list(TIER_SHARES.values())))
        seats = int(own.integers(*SEATS[tier]))
        employees = int(round(seats * own.uniform(*EMPLOYEES_A_SEAT[tier]), -1))
        start = plan.day(story.starts)
        companies.append(
            Company(
                number=number,
                id=plan.uuid("client", slug),
                organization_id=slug,
                name=name,
                industry=industry,
                region=regions[number],
                location=location,
                country=country,
                zone=zone,
                employees=max(employees, seats),
                segment="SMB" if employees < 400 else "Mid-market" if employees < 2500 else "Enterprise",
                tier=tier,
                seats=seats,
                arr=int(seats * own.uniform(*ARR_A_SEAT[tier])) // 500 * 500,
                modules=catalogue.modules_of(tier, own),
                tags=tuple(str(t) for t in own.choice(TAGS, own.choice([0, 1, 2], p=[0.55, 0.35, 0.1]), replace=False)),
                start=start,
                go_live=start + timedelta(days=int(own.integers(14, 50))),  # for newborns it lies ahead
                churned_on=None if story.churn is None else plan.day(story.churn),
                csm=csms[number],
                ae=aes[number % len(aes)],
                story=story,
            )
        )
    return companies


def terms_of(company: Company, today: date) -> list[tuple[date, date]]:
    """Return the yearly terms from the contract's start to the one that holds `today` or in which the client left."""
    return yearly_terms(company.start, company.churned_on or today)


def _names(plan: DemoPlan, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Return distinct (name, industry); a first part comes back only when all have been used."""
    endings = [(ending, industry) for industry, words in INDUSTRIES.items() for ending in words]
    taken: set[str] = set()
    names: list[tuple[str, str]] = []
    while len(names) < plan.clients:
        for first in rng.permutation(FIRST_PARTS):
            ending, industry = endings[rng.integers(len(endings))]
            name = f"{first} {ending}"
            if name in taken:
                name = f"{first} {rng.choice([part for part in FIRST_PARTS if part != first])} {ending}"
            if name not in taken and len(names) < plan.clients:
                taken.add(name)
                names.append((name, industry))
    return names


def _slug(name: str) -> str:
    return "-".join(name.lower().replace("&", "and").split())


def _assign(plan: DemoPlan, stories: list[Story], regions: list[str], staff: list[StaffMember]) -> list[UUID]:
    """Return the CSM of each client: every kind of story is spread over all CSMs, portfolios differ in size."""
    rng = plan.stream("assignment")
    assigned: dict[int, UUID] = {}
    for region, team in TEAM_OF_REGION.items():
        csms = [m for m in staff if m.looks_after_clients and m.team == team]
        weights = [1.0 if m.first_name == "Jane" else rng.uniform(0.8, 1.3) for m in csms]
        counts = [0] * len(csms)
        numbers = sorted((n for n, r in enumerate(regions) if r == region), key=lambda n: (stories[n].kind, n))
        for dealt, number in enumerate(numbers, start=1):
            owed = [w / sum(weights) * dealt - c for w, c in zip(weights, counts, strict=True)]
            chosen = int(np.argmax(owed))
            counts[chosen] += 1
            assigned[number] = csms[chosen].id
    return [assigned[n] for n in range(len(stories))]
