"""The fields of a contact that staff give, and what makes a value one that can be kept."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from bellwether.common.errors import InvalidInputError
from bellwether.common.text import storable_text
from bellwether.portfolio.choices import ContactRole, EngagementStatus
from bellwether.portfolio.masking import DOTS
from bellwether.portfolio.models import Contact

LENGTHS = {
    "name": 200,
    "email": 254,
    "phone": 60,
    "title": 120,
    "notes": 10_000,
    "salesforce_contact_id": 40,
    "hubspot_contact_id": 40,
}
FLAGS = ("is_primary", "is_billing", "is_technical")
FIELDS = (*LENGTHS, "role", "engagement_status", "known_since", *FLAGS)
PHONE = re.compile(r"[0-9+()./\- ext#,;]+", re.IGNORECASE)
LEAST_DIGITS = 3


def checked(values: Mapping[str, Any], contact: Contact, *, today: date) -> dict[str, Any]:
    """Return `values` ready to be stored on `contact`; those of FIELDS that are not given are left out.

    Raises InvalidInputError with a sentence for each field: what is too long, no e-mail address or no phone number, an
    address that another contact of the client has, a role or status that does not exist, a day that is still to come.
    """
    errors: dict[str, str] = {}
    found: dict[str, Any] = {}
    for name in FIELDS:
        if name in values:
            try:
                found[name] = CHECKS[name](values[name])
            except ValueError as error:
                errors[name] = str(error)
    if "name" not in errors and not found.get("name", contact.name):
        errors["name"] = "Give a name."
    email = found.get("email", "")
    if email and email.lower() != contact.email.lower() and (taken := _holder(email, contact)):
        errors["email"] = taken
    if found.get("known_since") and found["known_since"] > today:
        errors["known_since"] = "This day is still to come."
    if errors:
        raise InvalidInputError("The contact cannot be saved. " + " ".join(errors.values()), errors)
    return found


def _holder(email: str, contact: Contact) -> str:
    others = Contact.objects.filter(client_id=contact.client_id, archived_at__isnull=True, email__iexact=email)
    other = others.exclude(pk=contact.pk).first()
    if other is None:
        return ""
    gone = other.left_company_at is not None or not other.is_active
    return f"{other.name} has this address" + (
        " and is marked as left. Mark the contact as back instead." if gone else ". Edit or merge that contact instead."
    )


def _text(name: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = storable_text(str(value or "")).strip()
        if name != "notes":
            text = " ".join(text.split())
        if len(text) > LENGTHS[name]:
            raise ValueError(f"This is {len(text):,} characters long; at most {LENGTHS[name]:,} can be kept.")
        return text

    return read


def _email(value: Any) -> str:
    text = _text("email")(value)
    _refuse_masked(text)
    if text:
        try:
            validate_email(text)
        except ValidationError as error:
            raise ValueError("This is no e-mail address. It looks like name@company.example.") from error
    return text


def _phone(value: Any) -> str:
    text = _text("phone")(value)
    _refuse_masked(text)
    if text and (not PHONE.fullmatch(text) or sum(c.isdigit() for c in text) < LEAST_DIGITS):
        raise ValueError("This is no phone number. Use digits, spaces and + ( ) - . /")
    return text


def _refuse_masked(text: str) -> None:
    if DOTS[0] in text:
        raise ValueError("This is the masked form. Leave the field out to keep what is stored.")


def _word(known: Mapping[str, str], *, empty: bool) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        if empty and value in (None, ""):
            return None
        if str(value) not in known:
            raise ValueError(f"Use one of {', '.join(known)}.")
        return str(value)

    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Give true or false.")
    return value


def _day(value: Any) -> date | None:
    if value is not None and not isinstance(value, date):
        raise ValueError("Give a day such as 2026-02-12.")
    return value


CHECKS: dict[str, Callable[[Any], Any]] = {
    **{name: _text(name) for name in LENGTHS},
    "email": _email,
    "phone": _phone,
    "role": _word(dict(ContactRole.choices), empty=False),
    "engagement_status": _word(dict(EngagementStatus.choices), empty=True),
    "known_since": _day,
    **dict.fromkeys(FLAGS, _flag),
}
