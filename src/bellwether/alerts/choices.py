"""The words of alerts, those of PRD-015's data model."""

from django.db.models import TextChoices


class AlertType(TextChoices):
    HEALTH_DROP = "HEALTH_DROP", "Health drop"
    CRITICAL_HEALTH = "CRITICAL_HEALTH", "Critical health"
    KEY_USER_INACTIVE = "KEY_USER_INACTIVE", "Key user inactive"
    CHAMPION_RISK = "CHAMPION_RISK", "Champion at risk"
    SUPPORT_SPIKE = "SUPPORT_SPIKE", "Support spike"
    USAGE_DECLINE = "USAGE_DECLINE", "Usage decline"
    FEATURE_ABANDONED = "FEATURE_ABANDONED", "Feature abandoned"
    RENEWAL_APPROACHING = "RENEWAL_APPROACHING", "Renewal approaching"
    CONTRACT_UTILIZATION_LOW = "CONTRACT_UTILIZATION_LOW", "Contract use low"
    NPS_DETRACTOR = "NPS_DETRACTOR", "NPS detractor"
    PAYMENT_ISSUE = "PAYMENT_ISSUE", "Payment issue"


class AlertSeverity(TextChoices):
    CRITICAL = "CRITICAL", "Critical"
    HIGH = "HIGH", "High"
    MEDIUM = "MEDIUM", "Medium"
    LOW = "LOW", "Low"


class AlertStatus(TextChoices):
    NEW = "NEW", "New"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    SNOOZED = "SNOOZED", "Snoozed"
    DISMISSED = "DISMISSED", "Dismissed"
    RESOLVED = "RESOLVED", "Resolved"


OPEN = (AlertStatus.NEW, AlertStatus.ACKNOWLEDGED, AlertStatus.SNOOZED)
"""Statuses in which somebody still has to do something."""


class AlertEventKind(TextChoices):
    OPENED = "OPENED", "Opened"
    UPDATED = "UPDATED", "Fired again"
    ESCALATED = "ESCALATED", "Escalated"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    ASSIGNED = "ASSIGNED", "Assigned"
    SNOOZED = "SNOOZED", "Snoozed"
    RETURNED = "RETURNED", "Returned from snooze"
    DISMISSED = "DISMISSED", "Dismissed"
    RESOLVED = "RESOLVED", "Resolved"
    CLEARED = "CLEARED", "Cleared by itself"
    REOPENED = "REOPENED", "Reopened"
    UNDONE = "UNDONE", "Taken back"


class SettingScope(TextChoices):
    WORKSPACE = "WORKSPACE", "All clients"
    TIER = "TIER", "A tier"
    SEGMENT = "SEGMENT", "A segment"
    CLIENT = "CLIENT", "One client"
