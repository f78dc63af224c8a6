"""A client's records as entries of one timeline, for the overview's card and the marks of its chart."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bellwether.common.time import day_of
from bellwether.dashboard.client_selectors import Records
from bellwether.portfolio.models import Client
from bellwether.portfolio.timeline import Entry, ScoreStep
from bellwether.portfolio.timeline_words import (
    of_activity,
    of_answer,
    of_contract,
    of_go_live,
    of_left,
    of_outcome,
    of_step,
    of_ticket,
)


def entries(
    client: Client, records: Records, steps: Sequence[ScoreStep], *, now: datetime, zone: ZoneInfo
) -> list[Entry]:
    """Return everything that happened to the client as entries, unsorted."""
    today = day_of(now, zone)
    found = [
        of_activity(activity, records.people.get(activity.pk, []), now=now, zone=zone)
        for activity in records.activities
    ]
    for ticket in records.tickets:
        found += of_ticket(ticket, today=today, zone=zone)
    found += [of_answer(answer, zone=zone) for answer in records.answers]
    found += [of_step(step, today=today) for step in steps]
    found += of_contract(records.periods, records.outcomes)
    found += [of_outcome(outcome) for outcome in records.outcomes]
    left = [(contact, contact.left_company_at) for contact in records.contacts]
    found += [of_left(contact, at, zone=zone) for contact, at in left if at is not None]
    if client.go_live_date and client.go_live_date <= today:
        found.append(of_go_live(client.go_live_date))
    return found
