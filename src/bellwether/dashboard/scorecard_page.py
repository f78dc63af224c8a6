"""How the health score is made: weights, thresholds, what a change would do, and the versions so far."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


@require_GET
@login_required
def scorecard(request: HttpRequest) -> HttpResponse:
    """Show the scorecard in use."""
    return render(request, "dashboard/scorecard.html", {})
