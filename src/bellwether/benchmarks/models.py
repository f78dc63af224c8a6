"""What benchmarks keep: the values of the night, what groups came to by date, and the groups that people saved."""

import uuid
from typing import Any, ClassVar

from django.db import models

from bellwether.portfolio.models import Client
from bellwether.portfolio.querysets import OfClientQuerySet
from bellwether.staff.models import StaffUser


class ClientMetrics(models.Model):
    """The metrics of a client as of its newest night, and what it counted as in the month.

    `values` maps metric to number, "never" or null. `attributes` maps attribute to class; it is fixed for a calendar
    month (`attributes_on` is when it was), so that nobody who joins or leaves shows in the difference of two nights.
    """

    client = models.OneToOneField(Client, primary_key=True, on_delete=models.PROTECT, related_name="benchmark_metrics")
    date = models.DateField()
    values = models.JSONField(default=dict)
    attributes = models.JSONField(default=dict)
    attributes_on = models.DateField()

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.client_id} {self.date}"


class PeerBenchmark(models.Model):
    """What a group came to in a metric on a date. `group` is as cohorts.group_key writes it, or custom:ID.

    Quartiles are null where a peer that has not got there yet takes part in them. Nothing is kept of under 5 peers.
    """

    id = models.BigAutoField(primary_key=True)
    group = models.CharField(max_length=250)
    metric = models.CharField(max_length=40)
    date = models.DateField()
    peers = models.PositiveIntegerField()
    p25 = models.FloatField(null=True)
    median = models.FloatField(null=True)
    p75 = models.FloatField(null=True)
    mean = models.FloatField(null=True)
    lowest = models.FloatField(null=True)
    highest = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "metric", "date"], name="peerbenchmark_once"),
            models.CheckConstraint(condition=models.Q(peers__gte=5), name="peerbenchmark_five_peers"),
        ]
        indexes = [models.Index(fields=["metric", "date"], name="peerbenchmark_day")]

    def __str__(self) -> str:
        return f"{self.group} {self.metric} {self.date}"


class Cohort(models.Model):
    """A group that somebody saved. `filters` is as cohorts.read_filters reads it. Archived ones can be had back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(StaffUser, on_delete=models.PROTECT, related_name="cohorts")
    filters = models.JSONField()
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], condition=models.Q(archived_at__isnull=True), name="cohort_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
