"""The catalogue of features, for administrators."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.staff.models import StaffUser


@require_GET
@login_required
def features(request: HttpRequest) -> HttpResponse:
    """Show the features."""
    user = cast(StaffUser, request.user)
    return answer(
        request,
        "dashboard/settings_features.html",
        {"tabs": settings_tabs("settings_features"), "may_edit": user.may_configure},
    )
