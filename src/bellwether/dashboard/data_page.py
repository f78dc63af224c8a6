"""What arrives and what is wrong with it: the page about the data, for those who see all clients."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bellwether.dashboard.client_access import answer
from bellwether.staff.models import StaffUser


@require_GET
@login_required
def data(request: HttpRequest) -> HttpResponse:
    """Show the state of the data; it does not exist for staff who see only some clients."""
    user = cast(StaffUser, request.user)
    if not user.sees_all_clients:
        raise Http404
    return answer(request, "dashboard/data.html", {})
