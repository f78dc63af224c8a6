"""Milestones as lines of a table: those reached, and those that come next."""

from datetime import date
from typing import Any

from bellwether.milestones import selectors as read
from bellwether.milestones.selectors import MilestoneQuery
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


def reached_lines(user: StaffUser, query: MilestoneQuery, today: date) -> list[list[Any]]:
    """Return the head and one line for each milestone that the query lets through."""
    head = ["client", "organization_id", "csm", "milestone", "type", "sentence"]
    head += ["achieved_on", "exact", "celebrated_at", "celebrated_by"]
    rows = [
        [
            one.client.name,
            one.client.organization_id,
            one.client.csm_user.name if one.client.csm_user else "",
            one.name,
            one.milestone_type,
            one.sentence,
            one.achieved_on.isoformat(),
            "yes" if one.exact else "on or before",
            one.celebrated_at.isoformat() if one.celebrated_at else "",
            one.celebrated_by.name if one.celebrated_by else "",
        ]
        for one in read.reached(user, query, today=today)
    ]
    return [head, *rows]


def coming_lines(user: StaffUser, query: MilestoneQuery) -> list[list[Any]]:
    """Return the head and one line for each next milestone of the clients that the query lets through."""
    head = ["client", "organization_id", "csm", "milestone", "type", "value", "target", "expected_on"]
    known = read.rules_and_names()
    rows = []
    for one in read.coming(user, query):
        client: Client = one.client
        csm = client.csm_user.name if client.csm_user else ""
        for step in read.steps_of(one, known):
            on = step.expected_on.isoformat() if step.expected_on else ""
            rows.append([client.name, client.organization_id, csm, step.name, step.key, step.value, step.target, on])
    return [head, *rows]
