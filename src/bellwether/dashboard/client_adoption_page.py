"""The adoption tab of a client."""

from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.dashboard.client_access import answer, client_or_404, head_of
from bellwether.staff import audit
from bellwether.staff.models import StaffUser


@require_GET
@login_required
def adoption(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the adoption of a client that the reader may see."""
    user = cast(StaffUser, request.user)
    now = timezone.now()
    shown = client_or_404(user, client_id)
    head = head_of(request, shown, user=user, tab="client_adoption", now=now)
    response = answer(request, "dashboard/client_adoption.html", {"head": head})
    audit.record(
        actor=user, action="client.adoption", object_type="client", object_id=client_id, client_id=client_id, now=now
    )
    return response
