from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from bellwether.demo.companies import terms_of
from bellwether.demo.contracts import (
    OPPORTUNITY_DAYS,
    REASON_CODES,
    REASONS,
    make_readings,
    make_terms,
    renewal_path,
    standing,
)
from bellwether.demo.portfolio import Portfolio, make_portfolio
from bellwether.demo.relations import UNCONTACTED_FOR
from bellwether.portfolio.choices import OutcomeReason
from tests.demo.conftest import PLAN, UNTIL


class TestMakePortfolio:
    def test_is_the_same_for_the_same_plan(self, portfolio: Portfolio) -> None:
        again = make_portfolio(PLAN, until=UNTIL)
        for kind in ("staff", "contacts", "terms", "outcomes", "activities", "notes", "tickets", "surveys"):
            assert getattr(again, kind) == getattr(portfolio, kind), kind
        assert again.world.companies == portfolio.world.companies

    def test_gives_ids_that_are_all_different(self, portfolio: Portfolio) -> None:
        for kind in ("contacts", "terms", "outcomes", "activities", "notes", "tickets", "surveys"):
            ids = [row.id for row in getattr(portfolio, kind)]
            assert len(set(ids)) == len(ids) > 0, kind

    def test_keeps_everything_before_its_end(self, portfolio: Portfolio) -> None:
        assert all(a.at <= portfolio.until for a in portfolio.activities if a.completed)
        assert all(t.opened_at <= portfolio.until for t in portfolio.tickets)
        assert all(s.at <= portfolio.until for s in portfolio.surveys)


class TestMakeContacts:
    def test_gives_every_client_a_champion_a_sponsor_and_an_admin(self, portfolio: Portfolio) -> None:
        roles = Counter((contact.client, contact.role) for contact in portfolio.contacts)
        for company in portfolio.world.companies:
            own = {role for client, role in roles if client == company.number}
            assert own >= {"CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN"}

    def test_links_contacts_to_people_of_their_own_client(self, portfolio: Portfolio) -> None:
        users = portfolio.world.users
        linked = [contact for contact in portfolio.contacts if contact.user is not None]
        assert all(users.client[c.user] == c.client and not users.is_service[c.user] for c in linked)
        assert len({contact.user for contact in linked}) == len(linked)


class TestMakeActivities:
    def test_leaves_some_clients_without_contact(self, portfolio: Portfolio) -> None:
        uncontacted = {c.number for c in portfolio.world.companies if c.story.kind == "uncontacted"}
        recent = portfolio.until - timedelta(days=UNCONTACTED_FOR - 8)
        assert uncontacted
        assert not [a for a in portfolio.activities if a.client in uncontacted and a.is_contact and a.at > recent]

    def test_meets_nobody_in_internal_discussions(self, portfolio: Portfolio) -> None:
        assert all(not a.contacts for a in portfolio.activities if a.kind == "INTERNAL_DISCUSSION")


class TestMakeTickets:
    def test_opens_more_tickets_a_seat_at_clients_in_trouble(self, portfolio: Portfolio) -> None:
        counts = Counter(ticket.client for ticket in portfolio.tickets)
        companies = [c for c in portfolio.world.companies if c.story.kind == "steady"]
        health = [portfolio.world.health[c.number].mean() for c in companies]
        rate = [counts[c.number] / c.seats for c in companies]
        assert np.corrcoef(health, rate)[0, 1] < -0.3


class TestMakeSurveys:
    def test_asks_healthy_clients_and_hears_better_grades(self, portfolio: Portfolio) -> None:
        world = portfolio.world
        nps = [s for s in portfolio.surveys if s.kind == "NPS"]
        health = [world.health[s.client, max(world.plan.index(s.at.date()), 0)] for s in nps]
        assert np.corrcoef(health, [s.score for s in nps])[0, 1] > 0.6
        assert {s.score for s in portfolio.surveys if s.kind == "CSAT"} <= {0.0, 25.0, 50.0, 75.0, 100.0}


class TestMakeTerms:
    def test_ends_churned_clients_with_one_churn_and_a_reason(self, portfolio: Portfolio) -> None:
        churns = {o.client: o for o in portfolio.outcomes if o.outcome == "CHURNED"}
        left = {c.number: c.churned_on for c in portfolio.world.companies if c.churned_on}
        assert {client: outcome.date for client, outcome in churns.items()} == left
        assert all(outcome.reason and outcome.arr_after == 0 for outcome in churns.values())

    def test_gives_every_reason_its_code(self, portfolio: Portfolio) -> None:
        codes = {(o.outcome, o.reason): o.reason_code for o in portfolio.outcomes}
        assert all(code in OutcomeReason for (_, reason), code in codes.items() if reason)
        assert codes["DOWNGRADED", "Fewer seats"] == OutcomeReason.FEWER_SEATS
        assert codes["RENEWED", ""] == ""
        assert set(REASONS.values()) <= REASON_CODES.keys()

    def test_keeps_terms_as_they_were_signed_when_a_client_leaves_within_one(self, portfolio: Portfolio) -> None:
        company = next(c for c in portfolio.world.companies if c.churned_on)
        early = replace(company, churned_on=company.start + timedelta(days=500))
        world = replace(portfolio.world, companies=[early])
        terms, _ = make_terms(world)
        assert [term.start for term in terms] == [company.start, terms[0].end + timedelta(days=1)]
        assert (terms[1].end - terms[1].start).days in {364, 365}

    def test_starts_each_term_the_day_after_the_one_before(self, portfolio: Portfolio) -> None:
        terms = portfolio.terms
        for before, after in pairwise(terms):
            if before.client == after.client:
                assert after.start == before.end + timedelta(days=1)


class TestStanding:
    def test_lets_healthy_clients_pay(self, portfolio: Portfolio) -> None:
        world = portfolio.world
        healthy = [c for c in world.companies if world.health[c.number, -1] > 0.75 and not c.churned_on]
        payments = Counter(standing(world, company).payment for company in healthy)
        assert payments["current"] / payments.total() > 0.9
        assert payments["overdue"] == 0


class TestMakeReadings:
    def test_has_a_row_for_each_day_under_contract(self, portfolio: Portfolio) -> None:
        readings = make_readings(portfolio.world)
        company = next(c for c in portfolio.world.companies if c.churned_on)
        own = readings.filter(readings["client_id"] == company.id.hex)
        assert own["date"].max() == company.churned_on
        assert own["date"].is_unique().all()

    def test_shows_a_renewal_only_in_the_150_days_before_a_term_ends(self, portfolio: Portfolio) -> None:
        world = portfolio.world
        for company in world.companies:
            ends = [world.plan.index(end) for _, end in terms_of(company, world.plan.today)]
            for day, signal in enumerate(renewal_path(world, company)):
                near = any(end - OPPORTUNITY_DAYS <= day <= end for end in ends)
                assert (signal is not None) == near

    def test_ends_with_what_the_client_row_says(self, portfolio: Portfolio) -> None:
        company = next(c for c in portfolio.world.companies if not c.churned_on)
        last = make_readings(portfolio.world).filter(pl.col("client_id") == company.id.hex).row(-1, named=True)
        now = standing(portfolio.world, company)
        assert (last["payment_status"], last["renewal_signal"]) == (now.payment, now.renewal_probability)
