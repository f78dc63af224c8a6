"""Names of what alerts are about: contacts and features."""

from collections.abc import Iterable
from uuid import UUID

from bellwether.alerts.reconciling import Episode
from bellwether.portfolio.models import Contact

CONTACT = "contact"


def names_of(episodes: Iterable[Episode]) -> dict[tuple[str, str], str]:
    """Return the names of the contacts that episodes are about, by (related_type, related_id); one query for 500."""
    ids = sorted({one.related_id for one in episodes if one.related_type == CONTACT and _is_id(one.related_id)})
    found: dict[tuple[str, str], str] = {}
    by_id = {UUID(one): one for one in ids}
    keys = list(by_id)
    for start in range(0, len(keys), 500):
        for contact in Contact.objects.filter(pk__in=keys[start : start + 500]):
            found[CONTACT, by_id[contact.pk]] = contact.name
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
