"""Codes for users and kinds of events: an engine groups by one number several times faster than by five texts.

A code is DuckDB's hash of the columns. Codes count only where all of them differ, which `people` and `words` show; if
ever two are the same, the batch is counted by the columns themselves.
"""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import Table

from bellwether.usage.calendar import OffsetSpan
from bellwether.usage.rollup.days import EVENT, USER_DAY, client_hours, event_days, tally, user_days
from bellwether.usage.rollup.events import in_slots

PERSON = ("person",)
WORD = ("word",)


@ibis.udf.scalar.builtin(name="hash")
def _person(day: date, organization_id: str, user_key: str, is_service: bool) -> dt.uint64:  # type: ignore[empty-body]
    """DuckDB's own."""


@ibis.udf.scalar.builtin(name="hash")
def _word(event: str, module: str, feature: str, label: str) -> dt.uint64:  # type: ignore[empty-body]
    """DuckDB's own."""


def coded(events: Table) -> Table:
    """Return the prepared `events` of known clients with `person`, which stands for USER_DAY, and `word`, for EVENT."""
    known = events.filter(events.organization_id != "")
    return known.mutate(
        person=_person(*(known[name] for name in USER_DAY)), word=_word(*(known[name] for name in EVENT))
    )


def people(coded: Table) -> Table:
    """Return whom each `person` of the coded events stands for."""
    return coded.select(*USER_DAY, *PERSON).distinct()


def words(coded: Table) -> Table:
    """Return what each `word` of the coded events that are actions stands for."""
    return coded.filter(coded.is_action).select(*EVENT, *WORD).distinct()


def numbers(coded: Table) -> Table:
    """Return the coded events without any text: two codes, an instant and whether it is an action."""
    return coded.select(*PERSON, *WORD, "us", "is_action")


def slots(numbers: Table, offsets: Sequence[OffsetSpan]) -> Table:
    """Return `rollup.slots` by code."""
    return tally(in_slots(numbers, offsets), (*PERSON, "slot", "hour", "is_action"))


def kinds(numbers: Table) -> Table:
    """Return `rollup.kinds` by code."""
    return tally(numbers.filter(numbers.is_action), (*PERSON, *WORD))


def facts(slots: Table, kinds: Table, roles: Table, people: Table, words: Table) -> dict[str, Table]:
    """Return the facts of single days by kind from `slots` and `kinds` that were counted by code."""
    of_event_days = event_days(kinds.inner_join(people, list(PERSON)), of=WORD)
    modules = kinds.inner_join(words.select(*WORD, "module"), list(WORD))
    return {
        "user_days": user_days(slots, modules, roles, by=PERSON, people=people),
        "event_days": of_event_days.inner_join(words, list(WORD)).drop(*WORD),
        "client_hours": client_hours(slots.inner_join(people, list(PERSON))),
    }
