"""Reads of scores for pages, the API and commands. Callers have checked that the reader may see the client."""

from contextlib import suppress
from uuid import UUID

from django.db.models import Q

from bellwether.common.errors import BellwetherError
from bellwether.portfolio.models import Client


class UnknownClientError(BellwetherError):
    """No client, or more than one, fits what was given."""


def find_client(text: str) -> Client:
    """Return the client with this organization id or id, or the only one whose name contains `text`.

    Raises UnknownClientError, with the candidates, when none or several fit.
    """
    exact = Q(organization_id=text)
    with suppress(ValueError):
        exact |= Q(pk=UUID(text))
    found = list(Client.objects.filter(exact)[:2]) or list(Client.objects.filter(name__iexact=text)[:2])
    found = found or list(Client.objects.filter(name__icontains=text).order_by("name")[:6])
    if not found:
        raise UnknownClientError(f"No client has the id or a name with {text!r}.")
    if len(found) > 1:
        names = ", ".join(f"{client.name} ({client.organization_id})" for client in found[:5])
        raise UnknownClientError(f"{text!r} fits several clients: {names}. Give the organization id.")
    client: Client = found[0]
    return client
