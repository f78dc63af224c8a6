"""What users do on the days they are active: sessions, events, what follows from them, and the work of services.

Everything here is compact columns of numbers, one row an event: `client`, `user` and `kind` are positions, `day` is the
index of the user's local day, `second` the local second of that day (it may run into the next), `label` a position
among the label values of the kind, -1 for none.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from bellwether.demo.calendars import epoch_seconds, offsets
from bellwether.demo.catalogue import CUSTOMER_ROLE, PAGE_VIEWED, SERVICE_EVENTS, SIGNED_IN, Catalogue
from bellwether.demo.companies import Company
from bellwether.demo.people import ADMINISTRATOR, FeatureUse, Users, active_matrix, outage_day, working_days
from bellwether.demo.plan import DemoPlan

SCHEMA = pl.Schema(
    {
        "client": pl.Int32,
        "user": pl.Int32,
        "kind": pl.Int16,
        "label": pl.Int8,
        "day": pl.Int32,
        "second": pl.Float64,
    }
)
MEAN_MORE_EVENTS = 1.1
"""Events of a session besides signing in and one more."""
MORNING, AFTERNOON = (10.0, 1.3), (14.7, 1.6)
"""Mean and spread of the local hours at which sessions begin."""
IDLE_HEALTH = 0.4
IDENTIFY = -1
"""Kind of the messages that only tell who a user is."""


@dataclass(frozen=True, kw_only=True)
class World:
    """The parts of the demo that events are made from."""

    plan: DemoPlan
    companies: list[Company]
    catalogue: Catalogue
    users: Users
    features: FeatureUse
    health: np.ndarray


def make_events(world: World) -> pl.DataFrame:
    """Return all events by `ts` (Unix seconds UTC): `client`, `user`, `kind`, `label`; none after a churn."""
    user_days = _without_idle_staff(world, _user_days(world))
    direct = _direct(world, user_days)
    planned = _planned(world)
    following = _following(world, pl.concat([direct, planned]))
    parts = [direct, _services(world), _identifies(world, user_days)]
    events = pl.concat([*parts, *(_possible(world, later) for later in (planned, following))])
    return _placed(world, events)


def _possible(world: World, events: pl.DataFrame) -> pl.DataFrame:
    """Return `events` without those on a day on which the client's people could not sign in."""
    down = [outage_day(world.plan, company) for company in world.companies]
    of_client = np.array([-1 if day is None else day for day in down])[events["client"].to_numpy()]
    return events.filter(pl.Series(of_client != events["day"].to_numpy()))


def _user_days(world: World) -> pl.DataFrame:
    working, season = working_days(world.plan, world.companies)
    frames = []
    for company in world.companies:
        active = active_matrix(
            world.plan,
            company,
            world.users,
            world.health[company.number],
            working=working[company.country],
            season=season,
        )
        who, day = np.nonzero(active)
        frames.append(
            pl.DataFrame(
                {
                    "client": np.full(len(who), company.number, np.int32),
                    "user": (who + world.users.first_of_client[company.number]).astype(np.int32),
                    "day": day.astype(np.int32),
                }
            )
        )
    return pl.concat(frames)


def _without_idle_staff(world: World, user_days: pl.DataFrame) -> pl.DataFrame:
    """Return `user_days` without the client's own people where its latent health is low and it has customers.

    Those still come, as they do to a supplier whose owner does not log in any more.
    """
    customers = _customers(world)
    if not customers.any():
        return user_days
    low = world.health[user_days["client"].to_numpy(), user_days["day"].to_numpy()] < IDLE_HEALTH
    return user_days.filter(pl.Series(~low | customers[user_days["user"].to_numpy()]))


def _direct(world: World, user_days: pl.DataFrame) -> pl.DataFrame:
    """Return the events of the sessions: signing in first, then what the catalogue's weights say."""
    rng, catalogue = world.plan.stream("sessions"), world.catalogue
    sessions = np.repeat(np.arange(user_days.height), 1 + rng.binomial(2, 0.11, user_days.height))
    mean, spread = np.where(rng.random(len(sessions))[:, None] < 0.55, MORNING, AFTERNOON).T
    begins = np.clip(rng.normal(mean, spread), 5.5, 22.0) * 3600
    sizes = 2 + rng.poisson(MEAN_MORE_EVENTS, len(sessions))
    of_session = np.repeat(np.arange(len(sessions)), sizes)
    first = np.cumsum(sizes) - sizes
    elapsed = np.cumsum(np.minimum(rng.exponential(110.0, len(of_session)), 1200.0))
    second = begins[of_session] + elapsed - elapsed[first][of_session]
    kind = np.searchsorted(catalogue.weights, rng.random(len(of_session)), side="right").astype(np.int16)
    row = sessions[of_session]
    client = user_days["client"].to_numpy()[row]
    day = user_days["day"].to_numpy()[row]
    kind[~world.features.active(client, catalogue.feature_of_kind[kind], day)] = PAGE_VIEWED
    user = user_days["user"].to_numpy()[row]
    kind[first] = np.where(_customers(world)[user[first]], PAGE_VIEWED, SIGNED_IN)
    return _frame(world, rng, client, user, kind, day, second)


def _customers(world: World) -> np.ndarray:
    """Return for each user whether it is a customer of the client: those open pages, and have no login of their own."""
    return np.array([role == CUSTOMER_ROLE for role in world.users.role], bool)


def _planned(world: World) -> pl.DataFrame:
    """Return the rare events that administrators plan, such as the launch of a campaign."""
    rng, catalogue, plan = world.plan.stream("planned"), world.catalogue, world.plan
    rows = []
    for company in world.companies:
        administrator = world.users.first_of_client[company.number] + ADMINISTRATOR
        for planned in catalogue.planned:
            kind = catalogue.index[planned.name]
            gaps = planned.every_days * rng.uniform(0.6, 1.4, plan.days // planned.every_days * 2 + 4)
            days = (np.cumsum(gaps) - rng.uniform(0, planned.every_days)).astype(int)
            luck = rng.random(len(days))
            for at, chance in zip(days, luck, strict=True):
                if 0 <= at < plan.days and chance < 0.35 + 0.75 * world.health[company.number, at]:
                    rows.append((company.number, administrator, kind, _to_weekday(plan, int(at))))
    client, user, kinds, day = np.array(rows, int).reshape(-1, 4).T
    used = (day < plan.days) & world.features.active(client, catalogue.feature_of_kind[kinds], day)
    second = rng.uniform(9.5, 16.0, len(rows)) * 3600
    return _frame(world, rng, client[used], user[used], kinds[used], day[used], second[used])


def _to_weekday(plan: DemoPlan, day: int) -> int:
    weekday = plan.day(day).isoweekday()
    return day if weekday <= 5 else day + 8 - weekday


def _services(world: World) -> pl.DataFrame:
    """Return what service users do around the clock, weekends too, where the client uses the feature."""
    rng, catalogue, plan = world.plan.stream("services"), world.catalogue, world.plan
    bots = np.flatnonzero(world.users.is_service)
    frames = [pl.DataFrame(schema=SCHEMA)]
    for name, mean in SERVICE_EVENTS.items():
        if name not in catalogue.index:
            continue
        kind = catalogue.index[name]
        counts = rng.poisson(mean, (len(bots), plan.days))
        bot, day = np.nonzero(counts)
        repeat = counts[bot, day]
        bot, day = np.repeat(bot, repeat), np.repeat(day, repeat)
        client = world.users.client[bots[bot]]
        kinds = np.full(len(bot), kind, np.int16)
        used = world.features.active(client, catalogue.feature_of_kind[kinds], day)
        kept = used & (day >= world.users.joined[bots[bot]])
        second = rng.uniform(0, 86_399, len(bot))
        frames.append(_frame(world, rng, client[kept], bots[bot[kept]], kinds[kept], day[kept], second[kept]))
    return pl.concat(frames)


def _identifies(world: World, user_days: pl.DataFrame) -> pl.DataFrame:
    """Return one message a user about who it is at the first use in each 30 days; early for users who never come."""
    rng, plan, users = world.plan.stream("identifies"), world.plan, world.users
    monthly = user_days.group_by("client", "user", pl.col("day") // 30).agg(pl.col("day").min().alias("first"))
    monthly = monthly.sort("user", "first")
    seen = np.zeros(len(users.ids), bool)
    seen[monthly["user"].to_numpy()] = True
    live = np.array([plan.index(c.go_live) < plan.days or c.story.kind != "newborn" for c in world.companies])
    silent = np.flatnonzero(~seen & (users.joined < plan.days) & (users.left > 0) & live[users.client])
    joined = np.maximum(users.joined[silent], 0)
    client = np.concatenate([monthly["client"].to_numpy(), users.client[silent]])
    user = np.concatenate([monthly["user"].to_numpy(), silent])
    day = np.concatenate([monthly["first"].to_numpy(), joined])
    return pl.DataFrame(
        {
            "client": client,
            "user": user,
            "kind": np.full(len(user), IDENTIFY),
            "label": np.full(len(user), -1),
            "day": day,
            "second": rng.uniform(5.0, 5.4, len(user)) * 3600,
        }
    ).cast(SCHEMA)


def _following(world: World, events: pl.DataFrame) -> pl.DataFrame:
    """Return what follows from `events`: cases are closed, assignments completed, more often by healthy clients."""
    rng, plan = world.plan.stream("following"), world.plan
    frames = [pl.DataFrame(schema=SCHEMA)]
    for follow in world.catalogue.follow_ups:
        before = events.filter(pl.col("kind") == world.catalogue.index[follow.before])
        client, user = before["client"].to_numpy(), before["user"].to_numpy()
        day = before["day"].to_numpy()
        chance = follow.low + (follow.high - follow.low) * world.health[client, day]
        later = day + rng.integers(follow.days[0], follow.days[1] + 1, before.height)
        weekday = (plan.first.weekday() + later) % 7
        later = later + np.where(weekday > 4, 7 - weekday, 0)
        kept = (rng.random(before.height) < chance) & (later < plan.days)
        kinds = np.full(int(kept.sum()), world.catalogue.index[follow.after], np.int16)
        second = before["second"].to_numpy()[kept] + rng.normal(0, 600, int(kept.sum()))
        frames.append(_frame(world, rng, client[kept], user[kept], kinds, later[kept], np.clip(second, 0, None)))
    return pl.concat(frames)


def _frame(
    world: World,
    rng: np.random.Generator,
    client: np.ndarray,
    user: np.ndarray,
    kind: np.ndarray,
    day: np.ndarray,
    second: np.ndarray,
) -> pl.DataFrame:
    """Return the events as a frame, with labels drawn for the kinds that have one."""
    label = np.full(len(kind), -1, np.int8)
    labelled = np.isin(kind, [n for n, k in enumerate(world.catalogue.kinds) if k.name in world.catalogue.labels])
    at = np.flatnonzero(labelled)
    on_time = 0.30 + 0.72 * world.health[client[at], np.minimum(day[at], world.plan.days - 1)]
    luck, second_luck = rng.random(len(at)), rng.random(len(at))
    label[at] = np.where(luck < on_time, np.where(second_luck < 0.8, 0, 1), np.where(second_luck < 0.7, 2, 3))
    columns = {"client": client, "user": user, "kind": kind, "label": label, "day": day, "second": second}
    return pl.DataFrame(columns).cast(SCHEMA)


def _placed(world: World, events: pl.DataFrame) -> pl.DataFrame:
    """Return `events` with their instants in UTC, ordered, without those of users and clients that have gone."""
    plan, companies = world.plan, world.companies
    days = [plan.day(n) for n in range(plan.days)]
    zones = sorted({company.zone for company in companies})
    table = np.stack([offsets(days, zone) for zone in zones])
    zone_of = np.array([zones.index(company.zone) for company in companies])
    last = np.array([plan.days - 1 if c.story.churn is None else c.story.churn for c in companies])
    client, day, user = (events[name].to_numpy() for name in ("client", "day", "user"))
    kept = (day <= last[client]) & (day < world.users.left[user])
    ts = epoch_seconds(plan.first) + day * 86_400.0 + events["second"].to_numpy() + table[zone_of[client], day]
    placed = events.with_columns(ts=pl.Series(ts), kept=pl.Series(kept)).filter("kept").drop("kept", "day", "second")
    return placed.sort("ts", "user", "kind", maintain_order=True)
