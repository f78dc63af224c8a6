"""The replay of a rule over the past year, as a part of the page of the rule."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_alerts_page import type_of
from bellwether.dashboard.settings_alerts_view import asked_place
from bellwether.staff.models import StaffUser


@require_GET
@login_required
def replay_part(request: HttpRequest, kind: str) -> HttpResponse:
    """Return what the typed rule would have raised over the past year, against the rule in force."""
    user = cast(StaffUser, request.user)
    type_of(kind)
    asked_place(request, user)
    return answer(request, "dashboard/settings_alert_replay.html", {})
