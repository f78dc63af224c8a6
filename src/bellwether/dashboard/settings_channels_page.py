"""Channels: Slack, Teams and webhooks that messages go to. Everybody's own ones, and those of the workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.settings_delivery_form import LEAST
from bellwether.dashboard.settings_head import settings_tabs
from bellwether.delivery import channels as acts
from bellwether.delivery.choices import MEDIUM_OF, ChannelKind, MessageState
from bellwether.delivery.handling import try_channel
from bellwether.delivery.models import Channel
from bellwether.delivery.planning import NEVER, TOPICS
from bellwether.delivery.selectors import dead_letters, visible_messages
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.web.dialogs import done, in_dialog, show_form
from bellwether.web.formatting import moment, plural

LIST = "settings_channels"
SECRET_LABELS = {
    ChannelKind.SLACK_WEBHOOK: ("Address of the webhook", "https://hooks.slack.com/services/…"),
    ChannelKind.SLACK_BOT: ("Token of the bot", "xoxb-…"),
    ChannelKind.TEAMS_WORKFLOW: ("Address of the workflow", "https://…environment.api.powerplatform.com/…"),
    ChannelKind.WEBHOOK: ("Address", "https://example.com/hooks/bellwether"),
}
HELP = {
    ChannelKind.SLACK_WEBHOOK: "One channel of Slack. Make an app with incoming webhooks and copy the address.",
    ChannelKind.SLACK_BOT: "A bot with the scope chat:write that was invited to the channel.",
    ChannelKind.TEAMS_WORKFLOW: "A workflow “When a Teams webhook request is received” that posts the card.",
    ChannelKind.WEBHOOK: "Any address of yours. Messages are JSON, signed the Standard Webhooks way.",
}
ICONS = {
    ChannelKind.SLACK_WEBHOOK: "hash",
    ChannelKind.SLACK_BOT: "bot",
    ChannelKind.TEAMS_WORKFLOW: "users-round",
    ChannelKind.WEBHOOK: "webhook",
}


class Form(forms.Form):
    """A channel as it is typed in; which fields there are depends on its kind and whose it is."""

    name = forms.CharField(label="Name", max_length=120, help_text="How it is called here, such as #cs-west.")
    secret = forms.CharField(
        max_length=2_000, widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"})
    )
    target = forms.CharField(
        label="Channel's id", max_length=120, help_text="Such as C012AB3CD, at the end of the channel's details."
    )
    region = forms.ChoiceField(label="Clients of", required=False)
    topics = forms.MultipleChoiceField(
        label="About, none chosen means everything",
        choices=list(TOPICS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    least_severity = forms.ChoiceField(
        label="Severity", choices=[(value, text) for value, text in LEAST.items() if value != NEVER]
    )

    def __init__(self, kind: ChannelKind, *arguments: Any, own: bool, keeps: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        secret = self.fields["secret"]
        secret.label, secret.widget.attrs["placeholder"] = SECRET_LABELS[kind]
        secret.required = not keeps
        secret.help_text = "Stored encrypted and never shown again." + (" Empty keeps what is stored." if keeps else "")
        if kind != ChannelKind.SLACK_BOT:
            del self.fields["target"]
        if own:
            for name in ("region", "topics", "least_severity"):
                del self.fields[name]
        else:
            regions = Client.objects.exclude(region="").order_by("region").values_list("region", flat=True).distinct()
            choices = [("", "All regions"), *((region, region) for region in regions)]
            cast(forms.ChoiceField, self.fields["region"]).choices = choices


@dataclass(frozen=True)
class Row:
    """A channel in the list, as text."""

    id: UUID
    name: str
    kind: str
    icon: str
    what: str
    state: str
    status: str
    note: str
    enabled: bool


@require_GET
@login_required
def channels(request: HttpRequest) -> HttpResponse:
    """Show the channels that the reader looks after."""
    user, now = cast(StaffUser, request.user), timezone.now()
    failed = Q(messages__state=MessageState.FAILED) & ~Q(messages__about="test")
    found = list(acts.channels_of(user).annotate(lost=Count("messages", filter=failed)))
    values = {
        "tabs": settings_tabs(LIST),
        "own": [_row(one, now) for one in found if one.user_id == user.pk],
        "shared": [_row(one, now) for one in found if one.user_id is None],
        "kinds": [(kind, str(kind.label), HELP[kind], ICONS[kind]) for kind in ChannelKind],
        "lost": visible_messages(user).filter(pk__in=dead_letters().order_by().values("pk")).count(),
    }
    return answer(request, "dashboard/settings_channels.html", values)


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Add a channel of the kind in `kind`: an own one, or with `whose=workspace` one of the workspace."""
    user = cast(StaffUser, request.user)
    asked = request.GET.get("kind", "")
    if asked not in ChannelKind.values:
        raise Http404
    kind, own = ChannelKind(asked), request.GET.get("whose") != "workspace"
    if not own and not user.may_configure:
        raise Http404
    form = Form(kind, request.POST or None, own=own, keeps=False)
    here = f"{reverse('settings_channel_new')}?kind={kind}" + ("" if own else "&whose=workspace")
    if request.method == "POST" and form.is_valid():
        try:
            channel, signing = acts.add_channel(kind, _given(form), own=own, actor=user, now=timezone.now())
        except (InvalidInputError, ConflictError) as error:
            _explain(form, error)
        else:
            if signing:
                part = "_part" if in_dialog(request) else ""
                values = {"channel": channel, "signing": signing}
                return show_form(request, f"dashboard/settings_channel_made{part}.html", values)
            return done(request, reverse(LIST), f"{channel.name} added. Send a test to see that it arrives.")
    values = {"form": form, "action": here, "kind": kind, "adding": True, "own": own, "help": HELP[kind]}
    return show_form(request, "dashboard/settings_channel_form.html", values, invalid=request.method == "POST")


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Change a channel; an empty secret keeps the stored one."""
    user = cast(StaffUser, request.user)
    channel = acts.channel_or_404(user, channel_id)
    kind, own = ChannelKind(channel.kind), channel.user_id is not None
    names = ("name", "target", "region", "topics", "least_severity")
    form = Form(
        kind, request.POST or None, own=own, keeps=True, initial={name: getattr(channel, name) for name in names}
    )
    if request.method == "POST" and form.is_valid():
        try:
            acts.change_channel(channel, _given(form), actor=user, now=timezone.now())
            return done(request, reverse(LIST), f"{channel.name} changed.")
        except (InvalidInputError, ConflictError) as error:
            _explain(form, error)
    action = reverse("settings_channel_edit", args=[channel.pk])
    values = {"form": form, "action": action, "kind": kind, "adding": False, "own": own, "help": HELP[kind]}
    return show_form(request, "dashboard/settings_channel_form.html", values, invalid=request.method == "POST")


@require_POST
@login_required
def act(request: HttpRequest, channel_id: UUID, action: str) -> HttpResponse:
    """Do one thing with a channel: test, on, off or remove."""
    user, now = cast(StaffUser, request.user), timezone.now()
    channel, there = acts.channel_or_404(user, channel_id), reverse(LIST)
    if action == "test":
        try:
            sent = try_channel(channel, actor=user, now=now)
        except ConflictError as error:
            return done(request, there, str(error), failed=True)
        if sent.state == MessageState.SENT:
            return done(request, there, f"{channel.name} took the test ({sent.last_status}). Look whether it is there.")
        return done(request, there, f"{channel.name} did not take the test. {sent.last_error}", failed=True)
    if action in {"on", "off"}:
        acts.switch(channel, on=action == "on", actor=user, now=now)
        return done(request, there, f"{channel.name} is switched {action}.")
    if action == "remove":
        acts.remove(channel, actor=user, now=now)
        return done(request, there, f"{channel.name} is removed.")
    raise Http404


def _given(form: Form) -> acts.ChannelForm:
    return acts.ChannelForm(**form.cleaned_data)


def _explain(form: Form, error: InvalidInputError | ConflictError) -> None:
    fields: dict[str, str] = getattr(error, "errors", {})
    for field, sentence in fields.items():
        form.add_error(field if field in form.fields else None, sentence)
    if not fields:
        form.add_error(None, str(error))


def _row(channel: Channel, now: datetime) -> Row:
    zone, lost = settings.BELLWETHER_WORKSPACE_ZONE, getattr(channel, "lost", 0)
    if not channel.is_enabled:
        state, status, note = "Off", "na", channel.disabled_reason or "Switched off by hand."
    elif channel.failing_since:
        since = moment(channel.failing_since, now, zone)
        state, status, note = "Failing", "critical", f"Since {since}. It is tried again by itself."
    else:
        state, status, note = "On", "healthy", ""
    kind = ChannelKind(channel.kind)
    return Row(
        id=channel.pk,
        name=channel.name,
        kind=str(kind.label),
        icon=ICONS[kind],
        what=", ".join(_what(channel)),
        state=state,
        status=status,
        note=" ".join(part for part in (note, f"{plural(lost, 'message')} given up." if lost else "") if part),
        enabled=channel.is_enabled,
    )


def _what(channel: Channel) -> Sequence[str]:
    """Return what goes to a channel, in words."""
    if channel.user_id is not None:
        return [f"What you choose for {MEDIUM_OF[ChannelKind(channel.kind)].label}"]
    topics = [TOPICS[topic] for topic in channel.topics if topic in TOPICS] or ["Everything"]
    parts = [" and ".join(topics)]
    if channel.least_severity != "LOW":
        parts.append(LEAST.get(channel.least_severity, "").lower())
    return [*parts, f"clients of {channel.region}"] if channel.region else parts
