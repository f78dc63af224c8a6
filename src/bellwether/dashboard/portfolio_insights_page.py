"""Dismissing an insight for a week, and showing all of them again."""

from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from bellwether.common.time import day_of
from bellwether.portfolio.insights import RULES
from bellwether.portfolio.preferences import dismiss, show_all_insights
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done


@require_POST
@login_required
def dismiss_insight(request: HttpRequest, key: str) -> HttpResponse:
    """Leave an insight out of the reader's panel for a week."""
    if key not in RULES:
        raise Http404
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    dismiss(cast(StaffUser, request.user), key, today)
    return done(request, reverse("portfolio"), "Dismissed for a week. Show all brings it back.")


@require_POST
@login_required
def show_again(request: HttpRequest) -> HttpResponse:
    """Show dismissed insights again."""
    show_all_insights(cast(StaffUser, request.user))
    return done(request, reverse("portfolio"), "All insights are shown again.")
