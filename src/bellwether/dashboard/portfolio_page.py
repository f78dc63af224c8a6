"""The portfolio page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from bellwether.portfolio.models import Client


@require_GET
@login_required
def portfolio(request: HttpRequest) -> HttpResponse:
    """Show the clients that the reader may see."""
    clients = Client.objects.visible_to(request.user).active()
    return render(request, "dashboard/portfolio.html", {"clients": clients})
