"""Webhooks: administrators add addresses that are told what happens here, and see how each delivery went."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, show_form
from bellwether.web.formatting import moment, number, plural
from bellwether.webhooks import endpoints as acts
from bellwether.webhooks.kinds import KINDS, TEST
from bellwether.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

PER_PAGE = 50
LIST = "settings_webhooks"
LOOKS = {DeliveryState.DELIVERED: "healthy", DeliveryState.PENDING: "monitor", DeliveryState.FAILED: "critical"}


class EndpointForm(forms.Form):
    """An endpoint as it is typed in."""

    url = forms.URLField(label="Address", max_length=2000, assume_scheme="https")
    description = forms.CharField(label="What it is for", max_length=200, required=False)
    event_types = forms.MultipleChoiceField(
        label="Events, none chosen means all",
        choices=[],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        cast(forms.MultipleChoiceField, self.fields["event_types"]).choices = [(name, name) for name in KINDS]


@dataclass(frozen=True)
class EndpointRow:
    """An endpoint in the list, as text."""

    href: str
    url: str
    description: str
    types: str
    state: str
    status: str
    note: str


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery of the log, as text."""

    id: int
    event_type: str
    event_id: str
    state: str
    status: str
    when: str
    attempts: str
    answered: str
    error: str
    answer: str
    body: str
    next_at: str


@require_GET
@login_required
def webhooks(request: HttpRequest) -> HttpResponse:
    """Show the endpoints."""
    _admin(request)
    now = timezone.now()
    found = (
        WebhookEndpoint.objects.filter(removed_at__isnull=True)
        .annotate(
            waiting=Count("deliveries", filter=Q(deliveries__state=DeliveryState.PENDING)),
            lost=Count("deliveries", filter=Q(deliveries__state=DeliveryState.FAILED)),
        )
        .order_by("created_at")
    )
    values = {"tabs": settings_tabs(LIST), "rows": [_row(one, now) for one in found], "kinds": KINDS}
    return answer(request, "dashboard/settings_webhooks.html", values)


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, endpoint_id: UUID | None = None) -> HttpResponse:
    """Add an endpoint, or change one."""
    user, now = _admin(request), timezone.now()
    endpoint = acts.endpoint_or_404(endpoint_id) if endpoint_id else None
    start = {
        "url": endpoint.url if endpoint else "",
        "description": endpoint.description if endpoint else "",
        "event_types": endpoint.event_types if endpoint else [],
    }
    form = EndpointForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if endpoint is None:
                made = acts.add_endpoint(**given, actor=user, now=now)
                there = reverse("settings_webhook", args=[made.pk])
                return done(request, there, "Webhook added. Send a test to see that it arrives.")
            acts.change_endpoint(endpoint, **given, actor=user, now=now)
            return done(request, reverse("settings_webhook", args=[endpoint.pk]), "Webhook changed.")
        except InvalidInputError as error:
            for field, sentence in error.errors.items():
                form.add_error(field, sentence)
        except ConflictError as error:
            form.add_error(None, str(error))
    action = reverse("settings_webhook_edit", args=[endpoint.pk]) if endpoint else reverse("settings_webhook_new")
    values = {"form": form, "action": action, "adding": endpoint is None}
    return show_form(request, "dashboard/settings_webhook_form.html", values, invalid=request.method == "POST")


@require_GET
@login_required
def webhook(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Show one endpoint with the log of its deliveries."""
    _admin(request)
    return _shown(request, acts.endpoint_or_404(endpoint_id), timezone.now())


def _shown(request: HttpRequest, endpoint: WebhookEndpoint, now: datetime, secret: str = "") -> HttpResponse:
    state = request.GET.get("state", "")
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event").order_by("-id")
    counted = WebhookDelivery.objects.filter(endpoint=endpoint).order_by().values_list("state")
    counts: dict[str, int] = dict(counted.annotate(count=Count("pk")))
    if state in DeliveryState.values:
        rows = rows.filter(state=state)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    values = {
        "tabs": settings_tabs(LIST),
        "row": _row(endpoint, now),
        "endpoint": endpoint,
        "secret": secret,
        "deliveries": [_delivery(one, now) for one in page],
        "page": page,
        "state": state if state in DeliveryState.values else "",
        "states": [("", "All", sum(counts.values()))]
        + [(one.value, str(one.label), counts.get(one.value, 0)) for one in DeliveryState],
        "overlap": endpoint.previous_secret_until is not None and endpoint.previous_secret_until > now,
    }
    response = answer(request, "dashboard/settings_webhook.html", values)
    if secret:
        patch_cache_control(response, no_store=True)
    return response


@require_POST
@login_required
def act(request: HttpRequest, endpoint_id: UUID, action: str) -> HttpResponse:
    """Do one thing with an endpoint: test, replay, rotate, on, off, remove, or show its secret.

    Secrets are shown in the answer itself: a message to the next page would lie in a cookie.
    """
    user, now = _admin(request), timezone.now()
    endpoint = acts.endpoint_or_404(endpoint_id)
    there = reverse("settings_webhook", args=[endpoint.pk])
    try:
        if action == "secret":
            return _shown(request, endpoint, now, acts.secret_of(endpoint, actor=user, now=now))
        if action == "test":
            acts.try_out(endpoint, actor=user, now=now)
            return done(request, there, "A test event is on its way. Reload in a few seconds to see the answer.")
        if action == "replay":
            given = request.POST.get("delivery", "")
            wanted = int(given) if given.isdigit() and len(given) < 19 else None
            count = acts.replay(endpoint, delivery_id=wanted, actor=user, now=now)
            return done(request, there, f"{plural(count, 'event')} on the way again.")
        if action == "rotate":
            return _shown(request, endpoint, now, acts.rotate(endpoint, actor=user, now=now))
        if action in {"on", "off"}:
            acts.switch(endpoint, on=action == "on", actor=user, now=now)
            return done(request, there, f"The webhook is switched {action}.")
        if action == "remove":
            acts.remove(endpoint, actor=user, now=now)
            return done(request, reverse(LIST), f"The webhook to {endpoint.url} is removed.")
    except ConflictError as error:
        return done(request, there, str(error), failed=True)
    raise Http404


def _admin(request: HttpRequest) -> StaffUser:
    user = cast(StaffUser, request.user)
    if not user.may_configure:
        raise PermissionDenied("Only administrators see and change webhooks.")
    return user


def _row(endpoint: WebhookEndpoint, now: datetime) -> EndpointRow:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    waiting, lost = getattr(endpoint, "waiting", 0), getattr(endpoint, "lost", 0)
    if not endpoint.is_enabled:
        state, status, note = "Off", "na", endpoint.disabled_reason or "Switched off by hand."
    elif endpoint.failing_since:
        state, status = "Failing", "critical"
        note = f"Since {moment(endpoint.failing_since, now, zone)}. It is tried again by itself."
    else:
        state, status, note = "On", "healthy", ""
    parts = [f"{number(waiting)} waiting" if waiting else "", f"{number(lost)} given up" if lost else ""]
    return EndpointRow(
        href=reverse("settings_webhook", args=[endpoint.pk]),
        url=endpoint.url,
        description=endpoint.description,
        types=", ".join(endpoint.event_types) or "All events",
        state=state,
        status=status,
        note=" ".join([note, ", ".join(part for part in parts if part)]).strip(),
    )


def _delivery(delivery: WebhookDelivery, now: datetime) -> DeliveryRow:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    event = delivery.event
    status = f"{delivery.last_status}" if delivery.last_status else ""
    took = f"{number(delivery.last_ms)} ms" if delivery.last_ms is not None else ""
    waiting = delivery.state == DeliveryState.PENDING
    return DeliveryRow(
        id=delivery.pk,
        event_type="Test" if event.event_type == TEST else event.event_type,
        event_id=str(event.pk),
        state=str(delivery.get_state_display()),
        status=LOOKS[DeliveryState(delivery.state)],
        when=moment(event.created_at, now, zone),
        attempts=plural(delivery.attempts, "attempt"),
        answered=", ".join(part for part in (status, took) if part),
        error=delivery.last_error,
        answer=delivery.last_answer,
        body=event.body,
        next_at=moment(delivery.due_at, now, zone) if waiting and delivery.attempts else "",
    )
