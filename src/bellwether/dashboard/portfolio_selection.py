"""Which clients a bulk action is about: the chosen rows, or everything that the list holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.http import QueryDict

from bellwether.dashboard.portfolio_base import asked_by
from bellwether.dashboard.portfolio_export_page import read_ids
from bellwether.portfolio.listing import matching
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

MOST = 20_000
NAMED = 5


@dataclass(frozen=True)
class Selection:
    """The clients in hand: their ids, the names of the first, and what a form sends along to mean them again.

    `listed` is the query of the list when all of it is meant, else empty.
    """

    ids: tuple[UUID, ...]
    names: tuple[str, ...]
    listed: str

    @property
    def kept(self) -> Sequence[tuple[str, str]]:
        """The hidden fields of a form about these clients."""
        if self.listed:
            return [("all", "1"), ("list", self.listed)]
        return [("id", str(pk)) for pk in self.ids]


def selection_of(user: StaffUser, values: QueryDict, today: date) -> Selection:
    """Return the clients that a form or an address names: `all` with the list's parameters, else each `id`.

    Of the clients that the user does not see nothing is said; ids that name none are left out.
    """
    if values.get("all"):
        listed = values.get("list") or _list_of(values)
        asked = asked_by(user, QueryDict(listed))  # type: ignore[arg-type]
        found = matching(user, asked.query, today=today).order_by("name", "id")
        pairs = list(found.values_list("pk", "name")[:MOST])
        return Selection(tuple(pk for pk, _ in pairs), tuple(name for _, name in pairs[:NAMED]), listed or "view=all")
    wanted = read_ids(values.getlist("id")) or []
    seen = Client.objects.visible_to(user).filter(pk__in=wanted).order_by("name", "id")
    pairs = list(seen.values_list("pk", "name"))
    return Selection(tuple(pk for pk, _ in pairs), tuple(name for _, name in pairs[:NAMED]), "")


def _list_of(values: QueryDict) -> str:
    rest = values.copy()
    for name in ("id", "all", "columns", "next", "page"):
        rest.pop(name, None)
    return rest.urlencode()
