"""Whom to speak to at a client: contacts as advice reads them, and the choice by role. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Person:
    """A contact: `role` is the word of the data model, `last_login` the day of the last one if it is known."""

    contact_id: str
    name: str
    role: str = "OTHER"
    title: str = ""
    is_primary: bool = False
    is_billing: bool = False
    last_login: date | None = None
    gone: bool = False


def by_role(people: Sequence[Person], *roles: str) -> Person | None:
    """Return the first contact still there with one of the roles, in their order, then the primary one, then anybody;
    None where nobody is left."""
    here = [person for person in people if not person.gone]
    for role in roles:
        found = next((person for person in here if person.role == role), None)
        if found:
            return found
    return next((person for person in here if person.is_primary), here[0] if here else None)


def billing(people: Sequence[Person]) -> Person | None:
    """Return the billing contact, else the sponsor; None where nobody is left."""
    found = next((one for one in people if one.is_billing and not one.gone), None)
    return found or by_role(people, "EXECUTIVE_SPONSOR")
