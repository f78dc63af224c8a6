"""Usage in the database: who may send events, what waits in the spool, and what the facts still owe.

The events and the daily facts themselves live in the lake (Parquet); see usage.lake.
"""

import uuid
from typing import Any, ClassVar

from django.db import models

from bellwether.portfolio.models import Client
from bellwether.portfolio.querysets import OfClientQuerySet


class WriteKey(models.Model):
    """A key that may send events for one source. Only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.SlugField(max_length=60, unique=True)
    prefix = models.CharField(max_length=12)
    key_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_library = models.CharField(max_length=80, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.source} ({self.prefix}…)"


class EventBatch(models.Model):
    """The spool: one accepted request each, normalised and pseudonymised, waiting for the flush to the lake.

    With SQLite it lives in a file of its own, so that intake never waits for a long write elsewhere (see docs/adr).
    """

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=60)
    event_count = models.PositiveIntegerField()
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"batch {self.pk}"


class FlushClaim(models.Model):
    """Batches of the spool on their way to the lake, under the name of the part that they become.

    Kept beside the spool until the batches are deleted: a flush that was killed is done again with the same batches
    and the same name.
    """

    id = models.BigAutoField(primary_key=True)
    part = models.CharField(max_length=80, unique=True)
    batch_ids = models.JSONField()
    claimed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.part


class RejectedEvent(models.Model):
    """An event that was received but could not be used: the reason and a scrubbed sample."""

    id = models.BigAutoField(primary_key=True)
    origin = models.CharField(max_length=100, unique=True, null=True)  # part and number: a repeated flush adds no row
    received_at = models.DateTimeField()
    source = models.CharField(max_length=60)
    message_id = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300)
    sample = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["-received_at"], name="rejectedevent_received")]

    def __str__(self) -> str:
        return self.reason


class DirtyDate(models.Model):
    """A day whose facts are older than its events. `version` grows with every mark, so that a mark made during a
    rollup survives it."""

    date = models.DateField(primary_key=True)
    version = models.BigIntegerField(default=1)
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.date)


class DirtyScore(models.Model):
    """A day whose facts or records changed since the scores of that day were made; same rule as DirtyDate."""

    date = models.DateField(primary_key=True)
    version = models.BigIntegerField(default=1)
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.date)


class PlatformUser(models.Model):
    """A user of the product, known by pseudonym only. The last known group resolves events that name no account."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.CharField(max_length=200)
    user_key = models.CharField(max_length=64)
    role = models.CharField(max_length=80, blank=True)
    is_service = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user_key", "-last_seen_at"], name="platformuser_key_seen")]
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "user_key"], name="platformuser_once"),
        ]

    def __str__(self) -> str:
        return self.user_key[:8]


class FeatureAdoption(models.Model):
    """What a client has licensed and set up of one feature; how much it is used comes from the facts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="feature_adoptions")
    feature_key = models.SlugField(max_length=80)
    is_licensed = models.BooleanField(default=False)
    licensed_at = models.DateField(null=True, blank=True)
    is_configured = models.BooleanField(default=False)
    configured_at = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "feature_key"], name="featureadoption_once")]

    def __str__(self) -> str:
        return self.feature_key
