"""Milestones of clients, what makes one, and how far each client is from its next ones."""

import uuid
from typing import Any, ClassVar

from django.db import models

from bellwether.portfolio.models import Client
from bellwether.portfolio.querysets import OfClientQuerySet
from bellwether.staff.models import StaffUser


class MilestoneDefinition(models.Model):
    """A kind of milestone. `rule` is data (milestones.rules), `sentence` is told of a client: "{client} went live".

    A change makes `version` grow and holds from then on: milestones that were reached keep what they were reached by.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    sentence = models.CharField(max_length=200)
    rule = models.JSONField()
    mail_subject = models.CharField(max_length=200, blank=True)
    mail_text = models.TextField(blank=True)
    enabled = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Milestone(models.Model):
    """A milestone that a client reached on the workspace day `achieved_on`; once each, and for good.

    Not `exact`: on that day or before it, because older days are not known one by one. `name` and `sentence` are those
    of the day of detection, `detail` holds value, target, rule and version of the definition.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="milestones")
    milestone_type = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    sentence = models.CharField(max_length=400)
    achieved_on = models.DateField()
    exact = models.BooleanField(default=True)
    detail = models.JSONField(default=dict)
    detected_at = models.DateTimeField()
    celebrated_at = models.DateTimeField(null=True, blank=True)
    celebrated_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        ordering = ["-achieved_on", "name"]
        constraints = [models.UniqueConstraint(fields=["client", "milestone_type"], name="milestone_once")]
        indexes = [
            models.Index(fields=["-achieved_on"], name="milestone_achieved"),
            models.Index(fields=["milestone_type", "-achieved_on"], name="milestone_type_achieved"),
        ]

    def __str__(self) -> str:
        return self.name


class MilestoneProgress(models.Model):
    """How far a client is from the milestones that it may reach next, nearest first.

    `steps`: key, value, target, share (0-1) and expected_on (ISO day or null) each. Those of the first one stand beside
    them, so that lists can be ordered.
    """

    client = models.OneToOneField(Client, primary_key=True, on_delete=models.CASCADE, related_name="milestone_progress")
    steps = models.JSONField(default=list)
    next_key = models.SlugField(max_length=60, blank=True)
    next_share = models.FloatField(default=0)
    next_on = models.DateField(null=True)
    computed_at = models.DateTimeField()

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.client_id)
