"""What detectors found at clients, what people did about it, and the settings that say when and how to tell.

Field names are those of PRD-015's ClientAlert.
"""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from bellwether.alerts.choices import AlertEventKind, AlertSeverity, AlertStatus, AlertType, SettingScope
from bellwether.common.fields import one_of
from bellwether.portfolio.models import Client
from bellwether.portfolio.querysets import OfClientQuerySet
from bellwether.staff.models import StaffUser


def _somebody() -> Any:
    return models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")


class Alert(models.Model):
    """An episode: what a detector found at a client about a subject, from the day it fired to the day it cleared.

    `subject` tells episodes of one type apart (a contact, a feature, a renewal date, an answer); "" where there can be
    one only. While `ended_on` is empty the condition holds, and firing again updates this row; a dismissed or resolved
    one stays silent until then. `severity_rank` is 0 for critical to 3 for low, `arr` what the client paid when it
    fired, both for the order of the inbox. `root_cause` joins alerts of a client that one cause explains.
    `first_response_at` is the first thing that anybody did about it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="alerts")
    alert_type = models.CharField(max_length=30, choices=AlertType)
    subject = models.CharField(max_length=200, blank=True)
    severity = models.CharField(max_length=8, choices=AlertSeverity)
    severity_rank = models.PositiveSmallIntegerField(default=3)
    title = models.CharField(max_length=200)
    description = models.TextField()
    trigger_metric = models.CharField(max_length=100, blank=True)
    trigger_value = models.CharField(max_length=100, blank=True)
    trigger_threshold = models.CharField(max_length=100, blank=True)
    related_entity_type = models.CharField(max_length=40, blank=True)
    related_entity_id = models.CharField(max_length=200, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    root_cause = models.CharField(max_length=60, blank=True)
    arr = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    ai_analysis = models.TextField(blank=True)
    ai_recommended_action = models.TextField(blank=True)

    status = models.CharField(max_length=12, choices=AlertStatus, default=AlertStatus.NEW)
    assigned_to = models.ForeignKey(
        StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="assigned_alerts"
    )
    respond_by = models.DateTimeField(null=True, blank=True)
    first_response_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = _somebody()
    snoozed_until = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = _somebody()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = _somebody()
    resolution_notes = models.TextField(blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)

    opened_on = models.DateField()
    last_fired_on = models.DateField()
    times_fired = models.PositiveIntegerField(default=1)
    ended_on = models.DateField(null=True, blank=True)
    is_silent = models.BooleanField(default=False, help_text="Kept, but told nobody: level, mute or switched off.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        ordering = ["severity_rank", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "alert_type", "subject"], condition=Q(ended_on__isnull=True), name="alert_one_running"
            ),
            models.UniqueConstraint(fields=["client", "alert_type", "subject", "opened_on"], name="alert_episode_once"),
            one_of("alert_type", AlertType, "alert_type_known"),
            one_of("severity", AlertSeverity, "alert_severity_known"),
            one_of("status", AlertStatus, "alert_status_known"),
        ]
        indexes = [
            models.Index(fields=["client", "status"], name="alert_client_status"),
            models.Index(fields=["status", "severity_rank", "-created_at"], name="alert_inbox"),
            models.Index(fields=["created_at"], name="alert_created"),
            models.Index(fields=["alert_type"], name="alert_of_type"),
            models.Index(fields=["snoozed_until"], condition=Q(status="SNOOZED"), name="alert_snoozed"),
        ]

    def __str__(self) -> str:
        return self.title


class AlertEvent(models.Model):
    """Something that happened to an alert; `actor` is empty where the product did it. Rows are only added."""

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=AlertEventKind)
    at = models.DateTimeField()
    actor = _somebody()
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [one_of("kind", AlertEventKind, "alertevent_kind_known")]
        indexes = [models.Index(fields=["alert", "at"], name="alertevent_alert")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"


class AlertSetting(models.Model):
    """What holds for a type of alert ("" for all types) in a scope; None or empty: what the wider scope says.

    The most specific scope wins field by field: client, segment, tier, workspace, then the defaults of formulas.md §6.
    `thresholds` are by name, such as {"points": 15}. `media` are those told at once, by Medium.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(max_length=9, choices=SettingScope)
    scope_value = models.CharField(max_length=100, blank=True, help_text="The tier or the segment.")
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="alert_settings")
    alert_type = models.CharField(max_length=30, choices=AlertType, blank=True)
    is_enabled = models.BooleanField(null=True, blank=True)
    thresholds = models.JSONField(default=dict, blank=True)
    severity = models.CharField(max_length=8, choices=AlertSeverity, null=True, blank=True)
    media = models.JSONField(null=True, blank=True)
    respond_within_hours = models.PositiveIntegerField(null=True, blank=True)
    muted_until = models.DateTimeField(null=True, blank=True)
    mute_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = _somebody()

    class Meta:
        ordering = ["scope", "scope_value", "alert_type"]
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "scope_value", "alert_type"], condition=~Q(scope="CLIENT"), name="alertsetting_once"
            ),
            models.UniqueConstraint(
                fields=["client", "alert_type"], condition=Q(scope="CLIENT"), name="alertsetting_client_once"
            ),
            one_of("scope", SettingScope, "alertsetting_scope_known"),
            one_of("severity", AlertSeverity, "alertsetting_severity_known"),
            models.CheckConstraint(
                condition=Q(scope="CLIENT", client__isnull=False) | (~Q(scope="CLIENT") & Q(client__isnull=True)),
                name="alertsetting_client_where_one",
            ),
        ]

    def __str__(self) -> str:
        what = str(AlertType(self.alert_type).label) if self.alert_type else "All alerts"
        whom = self.scope_value or str(SettingScope(self.scope).label).lower()
        return f"The setting of {what} for {whom}"


class DetectionCheckpoint(models.Model):
    """What was open when the day `day` began, from which looking for alerts goes on: one row. `episodes` is a frame of
    alerts.frames.EPISODES (Arrow IPC, compressed)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    day = models.DateField()
    episodes = models.BinaryField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"
