"""Saving, sharing and archiving groups from the page of benchmarks."""

from typing import cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from bellwether.benchmarks.choosing import saved_key
from bellwether.benchmarks.cohorts import ATTRIBUTE_NAMES
from bellwether.benchmarks.saved import archive_cohort, own_cohort, save_cohort
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.dashboard.benchmarks_page import UNDO
from bellwether.staff.models import StaffUser


@require_POST
@login_required
def save(request: HttpRequest) -> HttpResponse:
    """Save the group of the form, or change the own one that `group` names, and show it."""
    user = cast(StaffUser, request.user)
    given = request.POST.dict()
    client = str(given.get("client", ""))
    filters = {name: words for name in ATTRIBUTE_NAMES if (words := [one for one in request.POST.getlist(name) if one])}
    try:
        row = own_cohort(user, UUID(str(given["group"]))) if given.get("group") else None
        row = save_cohort(
            user,
            str(given.get("name", "")),
            filters,
            shared=given.get("shared") == "1",
            now=timezone.now(),
            row=row,
        )
    except (InvalidInputError, ConflictError) as error:
        messages.error(request, str(error))
        query = {"client": client, "cohort": "custom"} | {name: words[0] for name, words in filters.items()}
        return redirect(f"{reverse('benchmarks')}?{urlencode(query)}")
    except ValueError:
        raise Http404 from None
    messages.success(request, f"Saved {row.name}.")
    return _to(client, saved_key(row.pk))


@require_POST
@login_required
def act(request: HttpRequest, cohort_id: UUID, action: str) -> HttpResponse:
    """Archive, restore, share or unshare an own group; an archived one can be had back with a button."""
    user, now = cast(StaffUser, request.user), timezone.now()
    row = own_cohort(user, cohort_id)
    client = str(request.POST.get("client", ""))
    try:
        if action in {"archive", "restore"}:
            archive_cohort(user, row, archived=action == "archive", now=now)
        elif action in {"share", "unshare"}:
            save_cohort(user, row.name, row.filters, shared=action == "share", now=now, row=row)
        else:
            raise Http404
    except (ConflictError, InvalidInputError) as error:
        messages.error(request, str(error))
    if action == "archive":
        request.session[UNDO] = {"id": str(row.pk), "name": row.name}
        return _to(client, "tier")
    return _to(client, saved_key(row.pk))


def _to(client: str, cohort: str) -> HttpResponse:
    query = {"cohort": cohort} | ({"client": client} if client else {})
    return redirect(f"{reverse('benchmarks')}?{urlencode(query)}")
