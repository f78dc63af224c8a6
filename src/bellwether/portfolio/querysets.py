"""Scoping: a query for client data is limited to what its user may see, or it does not exist."""

from typing import Self, TypeVar

from django.db import models
from django.db.models import Q

from bellwether.staff.models import Role, StaffUser

M = TypeVar("M", bound=models.Model, covariant=True)


def visible_clients(user: StaffUser, prefix: str = "") -> Q:
    """Return the condition for the clients that `user` may see (architecture, section 8).

    CSM: own clients. SENIOR_CSM: own and those of the team. AE: own accounts. VPs and ADMIN: all. Inactive users: none.
    `prefix` is the path from the queried model to the client, such as "client__".
    """
    nothing = Q(pk__in=[])
    if not user.is_active:
        return nothing
    if user.sees_all_clients:
        return Q()
    if user.role == Role.AE:
        return Q(**{f"{prefix}ae_user_id": user.pk})
    own = Q(**{f"{prefix}csm_user_id": user.pk})
    if user.role == Role.SENIOR_CSM and user.team_id:
        return own | Q(**{f"{prefix}csm_user__team_id": user.team_id})
    if user.role in {Role.CSM, Role.SENIOR_CSM}:
        return own
    return nothing


class ClientQuerySet(models.QuerySet[M]):
    """Clients."""

    def visible_to(self, user: StaffUser) -> Self:
        """Return the clients that `user` may see, archived ones included."""
        return self.filter(visible_clients(user))

    def active(self) -> Self:
        """Return the clients that are not archived."""
        return self.filter(archived_at__isnull=True)


class OfClientQuerySet(models.QuerySet[M]):
    """Rows that belong to a client through a field named `client`."""

    def visible_to(self, user: StaffUser) -> Self:
        """Return the rows of clients that `user` may see."""
        return self.filter(visible_clients(user, "client__"))


class NoteQuerySet(OfClientQuerySet[M]):
    """Notes, of which private ones are their author's alone."""

    def visible_to(self, user: StaffUser) -> Self:
        """Return the notes of visible clients; private notes only for their author."""
        return super().visible_to(user).filter(Q(is_private=False) | Q(created_by_id=user.pk))
