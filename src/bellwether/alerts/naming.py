"""What alerts are about, in words: contacts by name, contracts by what happens when they end."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from bellwether.alerts.reconciling import Episode
from bellwether.portfolio.models import Client, Contact

CONTACT, CONTRACT = "contact", "contract"
AUTO_RENEW = {True: "It renews by itself.", False: "No auto-renew."}
Names = Mapping[tuple[str, str], str]


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


def name_for(episode: Episode, client: Client, names: Names) -> str:
    """Return what alerts.words calls the thing that an episode is about; "" where nothing is known."""
    if episode.related_type == CONTRACT:
        return "" if client.auto_renew is None else AUTO_RENEW[client.auto_renew]
    return names.get((episode.related_type, episode.related_id), "")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
