"""Reads of clients for callers who act for a member of staff."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


def visible_client(user: StaffUser, client_id: UUID) -> Client:
    """Return the client, archived or not, if `user` may see it; Http404 otherwise."""
    visible = Client.objects.visible_to(user).select_related("csm_user", "ae_user")
    found: Client = get_object_or_404(visible, pk=client_id)
    return found
