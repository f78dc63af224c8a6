"""Who at a client a step is for, and what templates know about client, contact and CSM."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bellwether.common.time import day_of
from bellwether.playbooks.models import Enrolment
from bellwether.playbooks.vocabulary import RECEIVERS
from bellwether.portfolio.choices import KEY_ROLES
from bellwether.portfolio.models import Client, Contact
from bellwether.web.formatting import full_day


def contacts_of(client_ids: Iterable[UUID]) -> dict[UUID, list[Contact]]:
    """Return the contacts that are still there, by client, the primary one first, then by name. One query."""
    rows = Contact.objects.filter(
        client_id__in=list(client_ids),
        archived_at__isnull=True,
        left_company_at__isnull=True,
        is_active=True,
        merged_into__isnull=True,
    ).order_by("-is_primary", "name", "pk")
    found: dict[UUID, list[Contact]] = {}
    for row in rows:
        found.setdefault(row.client_id, []).append(row)
    return found


def receiver(contacts: Sequence[Contact], to: str, *, subject_id: str = "") -> Contact | None:
    """Return the contact among `contacts` (as `contacts_of` orders them) that `to` means; None if there is none.

    "" and PRIMARY: the primary contact, else the first of a key role, else the first. SUBJECT: the person that the
    alert is about (`subject_id`), else as PRIMARY. SECOND: the first of a key role who is neither of them.
    """
    about = next((one for one in contacts if subject_id and one.pk.hex == subject_id), None)
    key_people = [one for one in contacts if one.role in KEY_ROLES]
    first = next((one for one in contacts if one.is_primary), None) or next(iter(key_people or contacts), None)
    if to in {"", "PRIMARY"}:
        return first
    if to == "SUBJECT":
        return about or first
    if to == "SECOND":
        return next((one for one in key_people if one not in (about or first,)), None)
    return next((one for one in contacts if one.role == to), None)


def nobody(to: str) -> str:
    """Return the sentence that nobody is found: "There is no contact: champion."."""
    return f"No contact of this client is the {RECEIVERS.get(to or 'PRIMARY', to).lower()}."


def template_values(
    client: Client,
    contact: Contact | None,
    *,
    facts: Mapping[str, Any] | None,
    reason: str,
    today: date,
    zone: ZoneInfo,
) -> dict[str, Any]:
    """Return the values of rendering.VARIABLES for a client with its CSM; `facts`: a row of conditions.values_of."""
    known = facts or {}
    login = known.get("last_login") or (day_of(client.last_activity_at, zone) if client.last_activity_at else None)
    renewal, spoken = client.next_renewal_date, client.last_csm_contact_at
    csm = client.csm_user
    return {
        "client": {
            "name": client.name,
            "industry": client.industry,
            "tier": client.get_contract_tier_display(),
            "segment": client.segment,
        },
        "contact": {"name": contact.name, "first_name": contact.name.split(" ")[0], "title": contact.title}
        if contact
        else {},
        "csm": {"name": csm.name, "first_name": csm.first_name, "email": csm.email} if csm else {},
        "score": client.current_health_score,
        "status": client.get_health_status_display() if client.health_status else None,
        "days_to_renewal": (renewal - today).days if renewal else None,
        "renewal_date": full_day(renewal) if renewal else None,
        "last_login": full_day(login) if login else None,
        "days_since_login": (today - login).days if login else None,
        "days_since_contact": (today - day_of(spoken, zone)).days if spoken else None,
        "reason": reason,
        "today": full_day(today),
    }


def logged_in_since(row: Enrolment, contacts: Sequence[Contact]) -> bool:
    """Return whether somebody of the client logged in after it was enrolled; `contacts` are the client's.

    Where an alert about a person enrolled it, that person's logins count alone. The row comes with its client.
    """
    subject = subject_of(row)
    if subject:
        person = next((one for one in contacts if one.pk.hex == subject), None)
        seen = person.last_platform_login if person else None
    else:
        seen = row.client.last_activity_at
    return seen is not None and seen > row.enrolled_at


def subject_of(row: Enrolment) -> str:
    """Return the id (32 hex) of the contact that the alert was about which enrolled a client; "" for none."""
    is_person = row.baseline.get("subject_type") == "contact"
    return str(row.baseline.get("subject_id") or "").replace("-", "") if is_person else ""
