"""Settings of milestones: the kinds in their order, and the form of one with a preview before it is saved."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.errors import InvalidInputError
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.dashboard.settings_milestones_form import MilestoneForm, form_of, new_form, read_form
from bellwether.milestones.definitions import WHY_NOT, definitions, find_definition, move, rule_of, save_definition
from bellwether.milestones.mail import NAMES, shipped
from bellwether.milestones.models import Milestone, MilestoneDefinition
from bellwether.milestones.rules import LABELS, Kind, rule_text
from bellwether.portfolio.choices import ActivityType
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day, number, plural

SAVED = "Clients are looked at again within minutes."


@require_GET
@login_required
def milestone_types(request: HttpRequest) -> HttpResponse:
    """Show the kinds of milestones with their rules and how many clients reached each."""
    user = cast(StaffUser, request.user)
    counts = dict(Milestone.objects.visible_to(user).order_by().values_list("milestone_type").annotate(Count("pk")))
    rows = definitions()
    values = {
        "tabs": settings_tabs("settings_milestones"),
        "may_edit": user.may_configure,
        "why_not": WHY_NOT,
        "rows": [(row, rule_text(rule_of(row)), number(counts.get(row.key, 0))) for row in rows],
        "count": plural(len(rows), "kind"),
    }
    return answer(request, "dashboard/settings_milestones.html", values)


@require_http_methods(["GET", "POST"])
@login_required
def milestone_type(request: HttpRequest, key: str = "") -> HttpResponse:
    """Show, preview and save one kind of milestone; without a key a new one. Only administrators save."""
    user = cast(StaffUser, request.user)
    found = find_definition(key) if key else None
    if request.method == "GET":
        if found is None and not user.may_configure:
            raise PermissionDenied(WHY_NOT)
        return _form(request, user, form_of(found) if found else new_form(), found)
    if not user.may_configure:
        raise PermissionDenied(WHY_NOT)
    form = read_form(request.POST)
    if form.draft is None:
        return _form(request, user, form, found, status=422)
    if "preview" in request.POST:
        return _form(request, user, form, found, show=True)
    try:
        row, changed = save_definition(form.draft, key=key, actor=user, now=timezone.now())
    except InvalidInputError as error:
        return _form(request, user, MilestoneForm(form.values, error.errors), found, status=422)
    if changed:
        messages.success(request, f"{row.name} saved. {SAVED}")
    else:
        messages.info(request, "Nothing was changed.")
    return redirect("settings_milestones")


@require_POST
@login_required
def milestone_type_action(request: HttpRequest, key: str, action: str) -> HttpResponse:
    """Move a kind up or down."""
    user = cast(StaffUser, request.user)
    if not user.may_configure:
        raise PermissionDenied(WHY_NOT)
    find_definition(key)
    if action not in {"up", "down"}:
        raise Http404
    move(key, down=action == "down", actor=user, now=timezone.now())
    return redirect(reverse("settings_milestones") + f"#{key}")


def _form(
    request: HttpRequest,
    user: StaffUser,
    form: MilestoneForm,
    found: MilestoneDefinition | None,
    *,
    show: bool = False,
    status: int = 200,
) -> HttpResponse:
    kind = form.values.get("kind", "")
    subject, text = shipped(Kind(kind) if kind in set(Kind) else Kind.USES)
    values: dict[str, Any] = {
        "tabs": settings_tabs("settings_milestones"),
        "may_edit": user.may_configure,
        "why_not": WHY_NOT,
        "form": form,
        "found": found,
        "kinds": [(one.value, LABELS[one]) for one in Kind],
        "activities": ActivityType.choices,
        "names": NAMES,
        "shipped_subject": subject,
        "shipped_text": text,
        "preview": None,
        "full_day": full_day,
        "action": reverse("settings_milestone", args=[found.key]) if found else reverse("settings_milestone_new"),
    }
    if show and form.draft is not None:
        from bellwether.milestones.previewing import preview

        values["preview"] = preview(form.draft.rule, user, now=timezone.now())
        values["in_words"] = rule_text(form.draft.rule)
    response = answer(request, "dashboard/settings_milestone.html", values)
    response.status_code = status
    return response
