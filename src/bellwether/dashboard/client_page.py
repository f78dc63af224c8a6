"""The page of one client."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from bellwether.portfolio.models import Client


@require_GET
@login_required
def client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the client with its score; clients that the reader may not see do not exist."""
    shown = get_object_or_404(Client.objects.visible_to(request.user), pk=client_id)
    return render(request, "dashboard/client.html", {"client": shown})
