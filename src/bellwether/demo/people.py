"""The users of the product at each client, and which features each client really uses when."""

from dataclasses import dataclass

import numpy as np

from bellwether.demo.calendars import season_factors, workday_factors
from bellwether.demo.catalogue import Catalogue
from bellwether.demo.companies import EXPECTED_RATE, Company
from bellwether.demo.paths import smooth_step
from bellwether.demo.plan import DemoPlan

CHAMPION, ADMINISTRATOR = 0, 1
"""Positions of these two among the users of a client; both work there from the start."""
NEVER = 10**6
SERVICE_ROLE = "service"
SET_UP_SHARE = 0.06
"""Use before going live, by those who set the product up."""
OUTAGE_SHARE, OUTAGE_WITHIN_DAYS, OUTAGE_NEEDS_DAYS = 0.15, 40, 150
"""Clients that had a day without sign-in, how far back it lies at most, and how long a demo must be to have any."""
OUTAGE_LEAVES = 0.05
"""Share of the people who come in all the same."""


@dataclass(frozen=True, kw_only=True)
class Users:
    """Platform users, one position each; those of a client are together, its service users last.

    `joined` and `left` are day indexes (NEVER for still there); `draw` is how much a user works compared to others.
    """

    ids: list[str]
    client: np.ndarray
    role: list[str]
    draw: np.ndarray
    joined: np.ndarray
    left: np.ndarray
    is_service: np.ndarray
    first_of_client: np.ndarray


@dataclass(frozen=True, kw_only=True)
class FeatureUse:
    """When each client uses each feature: clients × features, used from `start` on.

    It was given up in each fall, the third axis of `pause` and `resume`: not used in [`pause`, `resume`).
    """

    licensed: np.ndarray
    configured: np.ndarray
    start: np.ndarray
    pause: np.ndarray
    resume: np.ndarray

    def active(self, client: np.ndarray, feature: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Tell for each triple whether the feature is in use; a negative `feature` always is."""
        f = np.maximum(feature, 0)
        on = day >= self.start[client, f]
        for fall in range(self.pause.shape[2]):
            on &= ~((day >= self.pause[client, f, fall]) & (day < self.resume[client, f, fall]))
        return np.asarray((feature < 0) | on)


def make_users(plan: DemoPlan, companies: list[Company], catalogue: Catalogue) -> Users:
    """Return the users of all clients: 75-105 % of the seats are taken, some join and leave in the window."""
    ids: list[str] = []
    client, role, draw, joined, left, service, first = [], [], [], [], [], [], []
    role_names = [name for name, _ in catalogue.roles]
    shares = [share for _, share in catalogue.roles]
    for company in companies:
        rng = plan.stream("users", company.number)
        count = max(4, round(company.seats * rng.uniform(0.75, 1.05)))
        bots = _bots(company, catalogue, rng)
        first.append(len(ids))
        roles = [str(r) for r in rng.choice(role_names, count, p=shares)]
        roles[ADMINISTRATOR] = role_names[-1]
        begins = plan.index(company.start)
        join = np.where(rng.random(count) < 0.82, begins, begins + rng.integers(0, plan.days, count))
        if begins < 0:
            join = np.where(rng.random(count) < 0.85, begins, rng.integers(1, plan.days, count))
        leave = np.where(rng.random(count) < 0.07, join + rng.integers(60, 60 + 2 * plan.days, count), NEVER)
        weight = rng.gamma(1.3, 1.0, count) + 0.05
        join[: ADMINISTRATOR + 1], leave[: ADMINISTRATOR + 1] = begins, NEVER
        weight[CHAMPION] = weight.max() * 1.1 + 0.5
        weight[ADMINISTRATOR] = max(weight[ADMINISTRATOR], 1.0)
        if company.story.champion_leaves is not None:
            leave[CHAMPION] = company.story.champion_leaves
        ids += [f"{company.organization_id}-u{n:03d}" for n in range(count)]
        ids += [f"{company.organization_id}-service-{n}" for n in range(bots)]
        client += [company.number] * (count + bots)
        role += [*roles, *[SERVICE_ROLE] * bots]
        draw += [*weight, *[0.0] * bots]
        joined += [*join, *[max(begins, 0)] * bots]
        left += [*leave, *[NEVER] * bots]
        service += [False] * count + [True] * bots
    return Users(
        ids=ids,
        client=np.array(client),
        role=role,
        draw=np.array(draw),
        joined=np.array(joined),
        left=np.array(left),
        is_service=np.array(service),
        first_of_client=np.array([*first, len(ids)]),
    )


def _bots(company: Company, catalogue: Catalogue, rng: np.random.Generator) -> int:
    chance = 0.9 if {"API", "Integrations"} & set(company.modules) else 0.05
    return int(rng.random() < chance) + int(rng.random() < chance * 0.25)


def make_feature_use(plan: DemoPlan, companies: list[Company], catalogue: Catalogue) -> FeatureUse:
    """Return what each client has licensed and uses; what a client gives up follows its planted course."""
    shape = (len(companies), len(catalogue.features))
    licensed, configured = np.zeros(shape, bool), np.zeros(shape, bool)
    most = max(len(company.story.falls) for company in companies)
    start, pause, resume = np.full(shape, NEVER), np.full((*shape, most), NEVER), np.full((*shape, most), NEVER)
    for company in companies:
        rng, story, row = plan.stream("features", company.number), company.story, company.number
        licensed[row] = [module in company.modules for module in catalogue.module_of]
        luck = rng.random(shape[1])
        used = licensed[row] & (luck < 1.15 * story.base - 0.08)
        used[0] |= licensed[row][0]
        begins = plan.index(company.go_live)
        later = begins + rng.integers(0, 90, shape[1]) if begins > -90 else np.zeros(shape[1], int)
        later[0] = begins
        start[row] = np.where(used, np.maximum(later, 0), NEVER)
        for place, fall in enumerate(story.falls):
            if fall.depth < 0:
                more = licensed[row] & ~used & (rng.random(shape[1]) < -2.4 * fall.depth)
                start[row] = np.where(more, fall.turn + rng.integers(0, 90, shape[1]), start[row])
                continue
            lost = used & (rng.random(shape[1]) < 1.4 * fall.depth)
            lost[0] = False
            when = fall.turn + (fall.days * rng.uniform(0.2, 0.9, shape[1])).astype(int)
            pause[row, :, place] = np.where(lost, when, NEVER)
            if fall.rise:
                resume[row, :, place] = np.where(lost, fall.rise_turn + rng.integers(5, 50, shape[1]), NEVER)
        configured[row] = licensed[row] & ((start[row] < NEVER) | (rng.random(shape[1]) < 0.5))
    return FeatureUse(licensed=licensed, configured=configured, start=start, pause=pause, resume=resume)


def active_matrix(
    plan: DemoPlan, company: Company, users: Users, health: np.ndarray, *, working: np.ndarray, season: np.ndarray
) -> np.ndarray:
    """Return who of the client's people is active on which day, people × days.

    Expected daily users are seats × the tier's rate × a share that grows with latent health, on a working day.
    """
    rng = plan.stream("activity", company.number)
    span = slice(users.first_of_client[company.number], users.first_of_client[company.number + 1])
    people = ~users.is_service[span]
    days = np.arange(plan.days)
    draw, joined, left = users.draw[span][people], users.joined[span][people], users.left[span][people]
    present = (days >= joined[:, None]) & (days < left[:, None])
    start, go_live = plan.index(company.start), plan.index(company.go_live)
    ramp = np.where(days < go_live, SET_UP_SHARE, 0.25 + 0.75 * smooth_step((days - go_live) / 60))
    inside = (days >= (go_live if company.story.kind == "newborn" else start)) & (
        days <= (NEVER if company.story.churn is None else company.story.churn)
    )
    share = 1.12 * health**1.5
    day_noise = rng.lognormal(0.0, 0.09, plan.days)
    down = outage_day(plan, company)
    if down is not None:
        day_noise[down] *= OUTAGE_LEAVES
    target = company.seats * EXPECTED_RATE[company.tier] * share * ramp * inside * working * season * day_noise
    weight = draw[:, None] * present
    chance = np.minimum(target * weight / np.maximum(weight.sum(axis=0), 1e-9), 0.93)
    return np.asarray(rng.random(chance.shape, dtype=np.float32) < chance)


def outage_day(plan: DemoPlan, company: Company) -> int | None:
    """Return the day on which hardly anybody of the client could sign in, None for most clients.

    It is a weekday of the last OUTAGE_WITHIN_DAYS, yesterday at the latest; demos that are too short have none.
    """
    rng = plan.stream("outage", company.number)
    chosen, ago = rng.random() < OUTAGE_SHARE, int(rng.integers(1, OUTAGE_WITHIN_DAYS))
    if not chosen or plan.days < OUTAGE_NEEDS_DAYS:
        return None
    day = plan.days - 1 - ago
    return day - max(0, plan.day(day).isoweekday() - 5)


def working_days(plan: DemoPlan, companies: list[Company]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the working-day factors by country, and the season's, for the days of `plan`."""
    days = [plan.day(n) for n in range(plan.days)]
    countries = {company.country for company in companies}
    return {country: workday_factors(days, country) for country in sorted(countries)}, season_factors(days)
