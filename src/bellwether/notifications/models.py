"""What staff are told inside the product, once each."""

import uuid
from typing import ClassVar

from django.db import models

from bellwether.notifications.querysets import NotificationManager
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


class Notification(models.Model):
    """Something that a member of staff is told. The same `kind` and `key` is told a person once, whatever happens to
    the row; who no longer sees `client` is no longer shown it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(StaffUser, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    text = models.CharField(max_length=500, blank=True)
    href = models.CharField(max_length=500, blank=True)
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[NotificationManager] = NotificationManager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "key"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notification_newest"),
            models.Index(
                fields=["user", "client"],
                condition=models.Q(read_at__isnull=True, archived_at__isnull=True),
                name="notification_unread",
            ),
            models.Index(fields=["created_at"], name="notification_created"),
        ]

    def __str__(self) -> str:
        return self.title


class ToldAssignment(models.Model):
    """Who looked after a client when people were last told about it; what differs from the client is news."""

    client = models.OneToOneField(Client, primary_key=True, on_delete=models.CASCADE, related_name="+")
    csm_user = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")
    ae_user = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")
    told_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.client_id)
