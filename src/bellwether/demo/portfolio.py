"""The whole demo as plain values: the world and every record, made from a plan without a database."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from bellwether.demo.behaviour import World, make_events
from bellwether.demo.catalogue import make_catalogue
from bellwether.demo.companies import make_companies
from bellwether.demo.contacts import ContactRow, make_contacts
from bellwether.demo.contracts import OutcomeRow, TermRow, make_terms
from bellwether.demo.delivery import deliver
from bellwether.demo.hazard import HORIZONS, came, foretold
from bellwether.demo.leaving import true_hazard, with_leavings
from bellwether.demo.paths import latent_health
from bellwether.demo.people import make_feature_use, make_users, outage_day
from bellwether.demo.plan import DemoPlan, check_plan
from bellwether.demo.relations import ActivityRow, NoteRow, make_activities, make_notes
from bellwether.demo.staffing import StaffMember, make_staff
from bellwether.demo.stories import make_stories
from bellwether.demo.voices import SurveyRow, TicketRow, make_surveys, make_tickets


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """Everything that a demo consists of, up to the instant `until`."""

    world: World
    staff: list[StaffMember]
    contacts: list[ContactRow]
    terms: list[TermRow]
    outcomes: list[OutcomeRow]
    activities: list[ActivityRow]
    notes: list[NoteRow]
    tickets: list[TicketRow]
    surveys: list[SurveyRow]
    until: datetime


def make_world(plan: DemoPlan) -> tuple[World, list[StaffMember]]:
    """Return clients, users and their latent health, and the staff; InvalidInputError for a plan out of range."""
    check_plan(plan)
    stories = with_leavings(plan, make_stories(plan))
    staff, catalogue = make_staff(plan), make_catalogue(plan.preset)
    companies = make_companies(plan, stories, staff, catalogue)
    world = World(
        plan=plan,
        companies=companies,
        catalogue=catalogue,
        users=make_users(plan, companies, catalogue),
        features=make_feature_use(plan, companies, catalogue),
        health=latent_health(plan, stories),
    )
    return world, staff


def make_portfolio(plan: DemoPlan, *, until: datetime) -> Portfolio:
    """Return the records of `plan` as they stand at the aware instant `until`, in its last day or the end of it."""
    world, staff = make_world(plan)
    contacts = make_contacts(world)
    terms, outcomes = make_terms(world)
    tickets = make_tickets(world, until=until)
    return Portfolio(
        world=world,
        staff=staff,
        contacts=contacts,
        terms=terms,
        outcomes=outcomes,
        activities=make_activities(world, contacts, until=until),
        notes=make_notes(world, until=until),
        tickets=tickets,
        surveys=make_surveys(world, contacts, tickets, until=until),
        until=until,
    )


def make_messages(portfolio: Portfolio) -> pl.DataFrame:
    """Return the usage messages received up to the portfolio's instant (see demo.delivery)."""
    return deliver(portfolio.world, make_events(portfolio.world), until=portfolio.until)


def truth(world: World) -> pl.DataFrame:
    """Return what the product is not told: latent health (0-100), the true chances of leaving (0-1) per client and
    day, and each client's story."""
    plan, companies = world.plan, world.companies
    days = pl.Series([plan.day(n) for n in range(plan.days)], dtype=pl.Date)

    def day(index: int | None) -> object:
        return None if index is None else plan.day(index)

    stories = pl.DataFrame(
        {
            "organization_id": [c.organization_id for c in companies],
            "story": [c.story.kind for c in companies],
            "churn_cause": [c.story.cause or None for c in companies],
            "churn_date": [c.churned_on for c in companies],
            "change_begins": [day(fall.turn) if (fall := c.story.last) else None for c in companies],
            "recovery_begins": [day(c.story.recovers) for c in companies],
            "champion_leaves": [day(c.story.champion_leaves) for c in companies],
            "ticket_wave_begins": [day(max(c.story.waves, default=None)) for c in companies],
            "outage": [day(outage_day(plan, c)) for c in companies],
        },
        schema_overrides={
            "churn_cause": pl.String,
            **dict.fromkeys(
                ["churn_date", "change_begins", "recovery_begins", "champion_leaves", "ticket_wave_begins", "outage"],
                pl.Date,
            ),
        },
    )
    rows = np.repeat(np.arange(len(companies)), plan.days)
    path = stories[rows].with_columns(
        date=pl.concat([days] * len(companies)),
        latent_health=pl.Series(world.health.ravel().astype(float) * 100),
        **_chances(world),
    )
    starts = pl.Series([c.start for c in companies], dtype=pl.Date).gather(rows)
    last = pl.col("churn_date").fill_null(plan.today)
    return path.filter((pl.col("date") >= starts) & (pl.col("date") <= last))


def _chances(world: World) -> dict[str, pl.Series]:
    """Return the true hazard of each client and day, and what follows from it, in the order of `truth`."""
    found = true_hazard(world.plan, [replace(company.story, churn=None) for company in world.companies])
    columns = {"daily_hazard": -np.expm1(-found.rate)}
    columns |= {f"p{horizon}": foretold(found, horizon) for horizon in HORIZONS}
    columns["p90_path"] = came(found, 90)
    return {name: pl.Series(values.ravel()).fill_nan(None) for name, values in columns.items()}
