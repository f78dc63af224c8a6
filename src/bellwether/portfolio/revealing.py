"""Showing e-mail and phone of contacts in clear: who did so, and for whom, is written down first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bellwether.portfolio.models import Contact
from bellwether.staff import audit
from bellwether.staff.models import StaffUser


def note_reveal(user: StaffUser, client_id: UUID, contacts: Sequence[Contact], *, where: str, now: datetime) -> None:
    """Write one row to the access log for one reveal. `where` is page, api, or the kind of file exported."""
    ids = [contact.pk for contact in contacts]
    audit.record(
        actor=user,
        action="contact.reveal",
        object_type="contact",
        object_id=ids[0] if len(ids) == 1 else "",
        client_id=client_id,
        detail={"contacts": [str(contact_id) for contact_id in ids], "count": len(ids), "where": where},
        now=now,
    )
