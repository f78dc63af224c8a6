"""Where messages go besides the product itself, each message on its way, and who wants no more of them."""

import uuid

from django.db import models
from django.db.models import Q

from bellwether.common.fields import one_of
from bellwether.delivery.choices import ChannelKind, Medium, MessageState
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import StaffUser


class Channel(models.Model):
    """A Slack channel, a Teams workflow or a webhook. Its address or token is a secret, encrypted at rest.

    With a `user` it is that person's own, otherwise the workspace's, for clients of `region` where one is given. What
    goes to a channel of the workspace: messages of `topics` (none: of all) from `least_severity` on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=14, choices=ChannelKind)
    name = models.CharField(max_length=120)
    secret = models.BinaryField()
    target = models.CharField(max_length=120, blank=True, help_text="The channel's id, for a bot.")
    user = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.CASCADE, related_name="channels")
    region = models.CharField(max_length=100, blank=True)
    topics = models.JSONField(default=list, blank=True)
    least_severity = models.CharField(max_length=10, default="LOW")
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=300, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [one_of("kind", ChannelKind, "channel_kind_known")]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """One message to one receiver over one medium. `key` is its natural key, so that it is sent once.

    The receiver is a member of staff, a contact of a client or a channel. `payload` holds what is said (title, text,
    href, lines, severity …). `about` and `about_id` name what it is about, such as "alert" and its id. What is due is
    looked for, so a killed worker delays a message and loses none. A message within a digest points to it.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=200, unique=True)
    medium = models.CharField(max_length=8, choices=Medium)
    topic = models.CharField(max_length=40)
    user = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    about = models.CharField(max_length=40, blank=True)
    about_id = models.CharField(max_length=64, blank=True)
    severity = models.CharField(max_length=10, blank=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=MessageState, default=MessageState.PENDING)
    digest = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="parts")
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When an attempt began that has not ended.")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    remote_id = models.CharField(max_length=200, blank=True, help_text="How the receiving service names it.")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            one_of("medium", Medium, "message_medium_known"),
            one_of("state", MessageState, "message_state_known"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["PENDING", "HELD"]), name="message_due"),
            models.Index(fields=["about", "about_id"], name="message_about"),
            models.Index(fields=["user", "-id"], name="message_user"),
            models.Index(fields=["state", "-id"], name="message_state"),
            models.Index(fields=["created_at"], name="message_created"),
        ]

    def __str__(self) -> str:
        return self.key


class DeliveryDefaults(models.Model):
    """What holds for people who have not said how they want to be told: one row, in the form of delivery.planning."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    preferences = models.JSONField(default=dict)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="deliverydefaults_single")]

    def __str__(self) -> str:
        return "Defaults of delivery"


class Unsubscription(models.Model):
    """An address that wants no more mail of a topic ("" for all), or to which mail cannot be delivered.

    The address itself is not kept: `address_digest` is its keyed digest, so that it also holds for a contact that is
    imported again.
    """

    id = models.BigAutoField(primary_key=True)
    address_digest = models.CharField(max_length=64)
    topic = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address_digest", "topic"], name="unsubscription_once")]

    def __str__(self) -> str:
        return f"{self.topic or 'all'}: {self.reason}"
