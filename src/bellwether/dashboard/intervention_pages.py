"""The form that writes to a client or plans a call with it: from the suppliers' page and the client's own."""

from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.dashboard.client_access import client_or_404
from bellwether.dashboard.record_forms import MomentField, RecordForm, TextField
from bellwether.playbooks.choices import StepKind
from bellwether.playbooks.interventions import BY_HAND, ByHand, intervene, next_working_morning
from bellwether.playbooks.receivers import contacts_of, receiver
from bellwether.playbooks.templates import usable_templates
from bellwether.portfolio.masking import masked_email
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.staff.zones import zone_of
from bellwether.web.dialogs import done, show_form

TITLES = {
    StepKind.EMAIL: ("Send an e-mail", "Send"),
    StepKind.CALL: ("Plan a call", "Plan call"),
    StepKind.IN_APP: ("Send an in-app message", "Send"),
}
DONE = {StepKind.EMAIL: "The e-mail is on its way.", StepKind.IN_APP: "The message is on its way."}
WRONG_TIME = {"invalid": "Write the time like 2026-02-12 14:05."}


class InterventionForm(RecordForm):
    """What to send or plan. Times are typed in the reader's zone."""

    contact = forms.TypedChoiceField(label="Contact", required=False, coerce=UUID, empty_value=None)
    template = forms.ChoiceField(label="Template", required=False)
    subject = TextField(label="Subject", required=False, max_length=300)
    message = TextField(label="Message", required=False, widget=forms.Textarea({"rows": 8}), max_length=20_000)
    scheduled_for = MomentField(label="When", required=False, error_messages=WRONG_TIME)
    key = forms.UUIDField(widget=forms.HiddenInput)
    wide = ("subject", "message")

    def __init__(self, *args: Any, client: Client, kind: StepKind, user: StaffUser, **options: Any) -> None:
        super().__init__(*args, **options)
        there = contacts_of([client.pk]).get(client.pk, [])
        by_mail = kind == StepKind.EMAIL
        offered = [one for one in there if one.email or not by_mail]
        self.fields["contact"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), f"{one.name}, {masked_email(one.email)}" if by_mail else one.name) for one in offered
        ] or [("", "Nobody is known")]
        first = receiver(offered, "PRIMARY")
        self.fields["contact"].initial = str(first.pk) if first else ""
        fitting = [(row.key, row.name) for row in usable_templates().values() if row.kind == kind]
        self.fields["template"].choices = [("", "No template"), *fitting]  # type: ignore[attr-defined]
        self.fields["key"].initial = uuid4()
        zone = zone_of(user)
        self.fields["scheduled_for"].help_text = f"In the zone {zone}." if kind == StepKind.CALL else "Empty: now."
        if kind == StepKind.CALL:
            morning = next_working_morning(user, timezone.now())
            self.fields["scheduled_for"].initial = morning.astimezone(zone).replace(tzinfo=None)
            self.fields["message"].label = "Talking points"
            del self.fields["template"]
        elif kind == StepKind.IN_APP:
            del self.fields["scheduled_for"]
        if kind != StepKind.CALL and fitting:
            self.fields["message"].help_text = "Empty: the text of the template."


@require_http_methods(["GET", "POST"])
@login_required
def intervention(request: HttpRequest, client_id: UUID, kind: str) -> HttpResponse:
    """Show the form, or do what it says."""
    user = cast(StaffUser, request.user)
    client = client_or_404(user, client_id)
    if kind not in BY_HAND:
        raise Http404
    step = StepKind(kind)
    form = InterventionForm(request.POST or None, client=client, kind=step, user=user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        at = given.get("scheduled_for")
        wanted = ByHand(
            kind=kind,
            template=given.get("template") or "",
            subject=given["subject"],
            message=given["message"],
            contact_id=given["contact"],
            scheduled_for=at.replace(tzinfo=zone_of(user)) if at else None,
        )
        try:
            intervene(client, wanted, actor=user, now=timezone.now(), key=given["key"])
        except InvalidInputError as error:
            form.take(error)
        except ConflictError as error:
            form.add_error(None, str(error))
        else:
            said = DONE.get(step) or f"The call with {client.name} stands in your follow-ups."
            return done(request, reverse("client", args=[client.pk]), said)
    title, submit = TITLES[step]
    values = {
        "form": form,
        "title": title,
        "lead": client.name,
        "submit": submit,
        "action": reverse("client_intervention", args=[client.pk, kind]),
    }
    return show_form(request, "dashboard/record_form.html", values, invalid=form.is_bound)
