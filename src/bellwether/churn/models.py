"""Versions of the churn model, and the predictions that they made: append-only, so that they can be held to account."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from bellwether.churn.choices import Category, ModelKind, ModelState, Precision
from bellwether.churn.querysets import (
    STATE_FIELDS,
    PredictionQuerySet,
    VersionQuerySet,
    refuse_prediction,
    refuse_version,
)
from bellwether.common.fields import one_of
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


class ChurnModel(models.Model):
    """One trained version. What it learned never changes; its state does.

    `parameters`: {"hazard": …, "renewal": …}, each an additive model as data (churn.additive); `card`: how well it did
    out of time (churn.card), of the challenger too. `reason` says why it was put into use or not. `data_digest`: of the
    rows that it was trained on. `first_as_of` to `last_as_of`: the as-of days of these rows, None for the expert prior.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(unique=True)
    kind = models.CharField(max_length=10, choices=ModelKind)
    state = models.CharField(max_length=10, choices=ModelState)
    trained_at = models.DateTimeField()
    trained_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    activated_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    first_as_of = models.DateField(null=True, blank=True)
    last_as_of = models.DateField(null=True, blank=True)
    rows = models.PositiveIntegerField(default=0)
    clients = models.PositiveIntegerField(default=0)
    churned_clients = models.PositiveIntegerField(default=0)
    feature_version = models.CharField(max_length=64)
    data_digest = models.CharField(max_length=64, blank=True)
    parameters = models.JSONField()
    card = models.JSONField(default=dict)
    reason = models.CharField(max_length=400, blank=True)
    seconds = models.FloatField(default=0)

    objects: ClassVar[Any] = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["-version"]
        constraints = [
            one_of("kind", ModelKind, "churnmodel_kind_known"),
            one_of("state", ModelState, "churnmodel_state_known"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="ACTIVE"), name="churnmodel_one_active"),
        ]

    def __str__(self) -> str:
        return f"churn model {self.version}"

    def save(self, *arguments: Any, **options: Any) -> None:
        """Store a new version, or the state of one that is stored; UnchangeableError for anything else."""
        named = options.get("update_fields")
        if not self._state.adding and (named is None or not set(named) <= STATE_FIELDS):
            refuse_version()
        super().save(*arguments, **options)

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        """Refuse with UnchangeableError."""
        refuse_version()


class ChurnPrediction(models.Model):
    """What a model foretold of a client on the workspace day `as_of`; never changed once stored.

    Probabilities are 0-1, `…_low` and `…_high` bound the 80 % interval. `renewal_risk` is that of not renewing at
    `renewal_on`, None without a coming renewal. `inputs`: value of each feature by slug, null where unknown.
    `contributions`: {"log_odds": of p90, "reference": {"name", "clients", "log_odds", "p90"}, "parts": {slug: log-odds
    against the reference}}; the parts and the reference's log-odds sum to `log_odds`. `coverage`: share of the model's
    features that are known (0-1). `arr`: yearly revenue on the day.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="churn_predictions")
    model = models.ForeignKey(ChurnModel, on_delete=models.PROTECT, related_name="predictions")
    as_of = models.DateField()
    made_at = models.DateTimeField()
    p30 = models.FloatField()
    p30_low = models.FloatField()
    p30_high = models.FloatField()
    p60 = models.FloatField()
    p60_low = models.FloatField()
    p60_high = models.FloatField()
    p90 = models.FloatField()
    p90_low = models.FloatField()
    p90_high = models.FloatField()
    renewal_risk = models.FloatField(null=True, blank=True)
    renewal_low = models.FloatField(null=True, blank=True)
    renewal_high = models.FloatField(null=True, blank=True)
    renewal_on = models.DateField(null=True, blank=True)
    category = models.CharField(max_length=6, choices=Category)
    precision = models.CharField(max_length=6, choices=Precision)
    precision_reason = models.CharField(max_length=300, blank=True)
    coverage = models.FloatField()
    arr = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    inputs = models.JSONField(default=dict)
    contributions = models.JSONField(default=dict)

    objects: ClassVar[Any] = PredictionQuerySet.as_manager()

    class Meta:
        ordering = ["-as_of", "-made_at"]
        constraints = [
            models.UniqueConstraint(fields=["client", "as_of", "model"], name="churnprediction_once"),
            one_of("category", Category, "churnprediction_category_known"),
            one_of("precision", Precision, "churnprediction_precision_known"),
            models.CheckConstraint(
                condition=Q(p30__gte=0, p30__lte=models.F("p60"), p60__lte=models.F("p90"), p90__lte=1),
                name="churnprediction_horizons_rise",
            ),
        ]
        indexes = [models.Index(fields=["as_of", "model"], name="churnprediction_day")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.as_of}: {self.p90:.0%}"

    def save(self, *arguments: Any, **options: Any) -> None:
        """Store a new prediction; UnchangeableError for one that is stored."""
        if not self._state.adding:
            refuse_prediction()
        super().save(*arguments, **options)

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        """Refuse with UnchangeableError."""
        refuse_prediction()


class PredictionRemoval(models.Model):
    """A client whose predictions were removed because the client itself was, as when an import is taken back."""

    client_id = models.UUIDField(primary_key=True)
    reason = models.CharField(max_length=200)
    removed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.client_id} removed"
