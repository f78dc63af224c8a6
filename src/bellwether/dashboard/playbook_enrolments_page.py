"""Putting a client into a playbook by hand, and taking one out."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.dashboard.client_access import client_or_404
from bellwether.dashboard.playbooks_view import foot, step_lines, told
from bellwether.playbooks import selectors as read
from bellwether.playbooks import services
from bellwether.playbooks.choices import EnrolmentState
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, show_form


@require_http_methods(["GET", "POST"])
@login_required
def start(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the running playbooks that the client may be put into, or put it into the chosen one.

    `?playbook=<key>` chooses one beforehand, as recommended actions of alerts do.
    """
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    if not services.may_act(user):
        raise PermissionDenied(services.WHY_NOT_ACT)
    offered = [told(one) for one in read.startable(client.pk)]
    wanted = (request.POST if request.method == "POST" else request.GET).get("playbook", "")
    chosen = next((one for one in offered if one.playbook.key == wanted), None)
    refused = f"{client.name} is archived; nothing is started for archived clients." if client.archived_at else ""
    if request.method == "POST" and not refused:
        if chosen is None:
            refused = "Choose a playbook."
        else:
            try:
                made = services.enrol_by_hand(chosen.playbook, [client], actor=user, now=now)[0]
            except (ConflictError, InvalidInputError) as error:
                refused = str(error)
            else:
                refused = made.reason if made.enrolment is None else ""
                if made.enrolment is not None:
                    text = f"{chosen.playbook.name} started for {client.name}."
                    return done(request, reverse("client", args=[client.pk]), text)
    values: dict[str, Any] = {
        "client": client,
        "offered": [(one, step_lines(one.definition)[:1], foot(one)) for one in offered if one.definition],
        "chosen": wanted,
        "refused": refused,
        "action": reverse("playbook_start", args=[client.pk]),
        "under_way": [one.playbook.name for one in read.busy(user, client.pk)],
    }
    return show_form(
        request, "dashboard/playbook_start.html", values, invalid=bool(refused) and request.method == "POST"
    )


@require_http_methods(["GET", "POST"])
@login_required
def cancel(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Ask for a reason and take the client out of the playbook."""
    user, now = cast(StaffUser, request.user), timezone.now()
    found = read.find_enrolment(user, enrolment_id)
    if not services.may_act(user):
        raise PermissionDenied(services.WHY_NOT_ACT)
    address = reverse("playbook", args=[found.playbook.key])
    if request.method == "POST":
        if found.state != EnrolmentState.ACTIVE:
            return done(request, address, f"{found.client.name} had left {found.playbook.name} already.")
        services.cancel_enrolment(found, actor=user, reason=request.POST.get("reason", "")[:200], now=now)
        return done(request, address, f"{found.client.name} was taken out of {found.playbook.name}.")
    return show_form(
        request,
        "dashboard/playbook_cancel.html",
        {"one": found, "action": reverse("enrolment_cancel", args=[found.pk])},
    )
