"""Scoping of notifications: one's own, about clients that one still sees."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from bellwether.portfolio.querysets import visible_clients
from bellwether.staff.models import StaffUser


class NotificationQuerySet(models.QuerySet[Any]):
    """Notifications."""

    def visible_to(self, user: StaffUser) -> Self:
        """Return what `user` was told, without what is about clients no longer seen; archived included."""
        own = self.filter(user_id=user.pk)
        if not user.is_active:
            return own.none()
        if user.sees_all_clients:
            return own
        return own.filter(Q(client__isnull=True) | visible_clients(user, "client__"))

    def current(self) -> Self:
        """Return what is not archived."""
        return self.filter(archived_at__isnull=True)

    def unread(self) -> Self:
        """Return what is neither read nor archived."""
        return self.current().filter(read_at__isnull=True)


NotificationManager = models.Manager.from_queryset(NotificationQuerySet)
