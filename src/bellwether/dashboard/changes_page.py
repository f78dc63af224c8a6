"""Taking back what one has just done: the Undo button of every message."""

from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from bellwether.common.errors import ConflictError
from bellwether.common.time import day_of
from bellwether.portfolio.changes import undo
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done


@require_POST
@login_required
def undo_change(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """Undo one change of the reader's own and go back to `next`; what stands in the way is said there."""
    now = timezone.now()
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    back = reverse("portfolio")
    try:
        undone = undo(cast(StaffUser, request.user), change_id, today=today, now=now)
    except ConflictError as error:
        return done(request, back, str(error), failed=True)
    return done(request, back, f"Undone: {undone.change.summary}")
