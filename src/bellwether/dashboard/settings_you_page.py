"""What a member of staff sets for the own work: time zone, theme, digest."""

from functools import cache
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.staff import audit
from bellwether.staff.models import Digest, StaffUser, Theme
from bellwether.web.pages import set_appearance

SIGNER = "digest"
FIELDS = ("first_name", "last_name", "time_zone", "theme", "digest")


@cache
def zones() -> tuple[str, ...]:
    """Return the names of places with a time zone, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


class YouForm(forms.Form):
    """The own settings as they are typed in."""

    first_name = forms.CharField(label="First name", max_length=80)
    last_name = forms.CharField(label="Last name", max_length=80, required=False)
    time_zone = forms.ChoiceField(
        label="Time zone", required=False, help_text="Times that you type and read, and the hour of your digest."
    )
    theme = forms.ChoiceField(label="Theme", required=False, choices=Theme.choices)
    digest = forms.ChoiceField(
        label="Digest by e-mail",
        choices=Digest.choices,
        help_text="At 7 in the morning: follow-ups, clients that fell, renewals, news. Nothing to say, no mail.",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        workspace = f"As the workspace ({settings.BELLWETHER_WORKSPACE_ZONE})"
        choices = [("", workspace), *((name, name.replace("_", " ")) for name in zones())]
        cast(forms.ChoiceField, self.fields["time_zone"]).choices = choices


@require_http_methods(["GET", "POST"])
@login_required
def you(request: HttpRequest) -> HttpResponse:
    """Show the own settings and store them."""
    user = cast(StaffUser, request.user)
    form = YouForm(request.POST or None, initial={name: getattr(user, name) for name in FIELDS})
    if request.method == "POST" and form.is_valid():
        changed = [name for name in FIELDS if form.cleaned_data[name] != getattr(user, name)]
        for name in changed:
            setattr(user, name, form.cleaned_data[name])
        if changed:
            user.save(update_fields=[*changed, "updated_at"])
            audit.record(
                actor=user,
                action="staff.settings",
                object_type="staff",
                object_id=user.pk,
                detail={"fields": changed},
                now=timezone.now(),
            )
        messages.success(request, "Your settings are saved." if changed else "Nothing was changed.")
        saved = redirect("settings_you")
        set_appearance(saved, "theme", user.theme)
        return saved
    values = {"tabs": settings_tabs("settings_you"), "form": form}
    response = answer(request, "dashboard/settings_you.html", values)
    response.status_code = 422 if request.method == "POST" else 200
    return response


def unsubscribe_path(user: StaffUser) -> str:
    """Return the address that ends a member's digest without signing in; it holds for that and nothing else."""
    return reverse("digest_stop", args=[Signer(salt=SIGNER).sign(str(user.pk))])


@csrf_exempt
@require_http_methods(["GET", "POST"])
def stop_digest(request: HttpRequest, token: str) -> HttpResponse:
    """End the digest: GET asks first (programs that look at links follow it), POST does it at once (RFC 8058)."""
    try:
        user_id = Signer(salt=SIGNER).unsign(token)
    except BadSignature:
        raise Http404 from None
    user = StaffUser.objects.filter(pk=user_id).first()
    if user is None:
        raise Http404
    if request.method == "POST" and user.digest != Digest.OFF:
        user.digest = Digest.OFF
        user.save(update_fields=["digest", "updated_at"])
        audit.record(
            actor=user, action="staff.digest_stopped", object_type="staff", object_id=user.pk, now=timezone.now()
        )
    return render(request, "dashboard/digest_stop.html", {"stopped": user.digest == Digest.OFF})
