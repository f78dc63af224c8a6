"""Usage in the database: who may send events, what waits in the spool, and what the facts still owe.

The events and the daily facts themselves live in the lake (Parquet); see usage.lake.
"""

import uuid
from typing import Any, ClassVar

from django.db import models

from bellwether.portfolio.models import Client
from bellwether.portfolio.querysets import OfClientQuerySet
from bellwether.staff.models import StaffUser


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


class FeatureTarget(models.TextChoices):
    EXPECTED = "expected", "Expected number of uses"
    SHARE = "share", "Share of uses that go well"
    ANY = "any", "Any use counts"


class FeaturePeriod(models.TextChoices):
    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"
    YEAR = "year", "Year"


class Feature(models.Model):
    """A feature of the catalogue: which events are its use, and how much use is expected (formulas.md, section 3).

    The rows come from the preset at the first start and are edited in the product from then on. `events` are names of
    events; `within` the labels that count as going well, for a share. `expected` is uses a period, or a share 0-1;
    `expected_by_tier` says where a tier differs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    module = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=120, blank=True)
    description = models.CharField(max_length=300, blank=True)
    events = models.JSONField(default=list)
    target = models.CharField(max_length=10, choices=FeatureTarget, default=FeatureTarget.EXPECTED)
    expected = models.FloatField(default=1)
    expected_by_tier = models.JSONField(default=dict, blank=True)
    within = models.JSONField(default=list, blank=True)
    period = models.CharField(max_length=10, choices=FeaturePeriod, default=FeaturePeriod.MONTH)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class IgnoredEvent(models.Model):
    """The name of an event that no feature uses and that need not be asked about again."""

    name = models.CharField(max_length=200, primary_key=True)
    ignored_at = models.DateTimeField()
    ignored_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.name


class SourceDay(models.Model):
    """What one source sent on one day of the workspace, by time of receipt; written by the flush.

    `events` are new in the lake; `duplicates` had landed before. Of the new ones `unassigned` name no account that is
    known, `userless` no user, and `ahead` say that they happened later than they were sent. `lags` counts them by how
    long after they happened they were received: keys are upper bounds in seconds, or "more".
    `last_part` is the part of the flush that was counted last, so that a flush which is done again counts nothing
    twice; imports leave it alone and keep a CountedPart each.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=60)
    date = models.DateField()
    batches = models.PositiveIntegerField(default=0)
    events = models.PositiveBigIntegerField(default=0)
    duplicates = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    unassigned = models.PositiveBigIntegerField(default=0)
    userless = models.PositiveBigIntegerField(default=0)
    ahead = models.PositiveBigIntegerField(default=0)
    lags = models.JSONField(default=dict)
    last_received_at = models.DateTimeField(null=True, blank=True)
    last_part = models.CharField(max_length=160, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-date"], name="sourceday_date")]
        constraints = [models.UniqueConstraint(fields=["source", "date"], name="sourceday_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.date}"


class CountedPart(models.Model):
    """A part of an imported file that SourceDay has counted: importing the file again counts nothing."""

    part = models.CharField(max_length=160, primary_key=True)
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.part


class WarehouseSource(models.Model):
    """A table of events in a database of the workspace's own, counted where it is: no raw event is copied.

    `connection` is the encrypted URL. `mapping` says which column or expression gives each column of an event.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=60, unique=True)
    connection = models.BinaryField()
    shown_as = models.CharField(max_length=300)
    table = models.CharField(max_length=300)
    mapping = models.JSONField(default=dict)
    lookback_days = models.PositiveIntegerField(default=3)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_read_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=1000, blank=True)

    def __str__(self) -> str:
        return self.name


class WarehouseDay(models.Model):
    """What a day of a warehouse table looked like when it was last counted; another fingerprint makes the day dirty."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(WarehouseSource, on_delete=models.CASCADE, related_name="days")
    date = models.DateField()
    events = models.PositiveBigIntegerField()
    fingerprint = models.CharField(max_length=100)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "date"], name="warehouseday_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.date}"


class ErasureState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"


class Erasure(models.Model):
    """The request to erase a person: its identifiers go, pseudonymous facts stay (formulas.md, section 9).

    `user_key` is the pseudonym that is erased, `secret` the key of the new message ids: both are emptied once it is
    done. `replacement` is the random pseudonym that facts keep.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user_key = models.CharField(max_length=64, blank=True)
    replacement = models.CharField(max_length=64, unique=True)
    secret = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=ErasureState, default=ErasureState.WAITING)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")
    completed_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"erasure {self.pk}"


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


class CustomFact(models.Model):
    """What is kept of raw events for custom measures: a usage.custom_specs.FactSpec and its digest.

    `filled_at` is None until the days that had events before were counted too.
    """

    digest = models.CharField(max_length=16, primary_key=True)
    spec = models.JSONField()
    requested_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.digest
