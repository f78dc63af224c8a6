"""Scores and the configurations they were made with. Neither is ever edited: a change is a new row."""

import uuid
from typing import Any, ClassVar

from django.db import models

from bellwether.common.fields import one_of
from bellwether.portfolio.choices import ContractTier, HealthStatus
from bellwether.portfolio.models import Client, percent
from bellwether.portfolio.querysets import OfClientQuerySet
from bellwether.staff.models import StaffUser


class HealthScoreConfig(models.Model):
    """One version of a scorecard. `definition` is the scorecard as data, `digest` its SHA-256."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scorecard = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    applies_to_tier = models.CharField(max_length=20, choices=ContractTier, null=True, blank=True)
    applies_to_segment = models.CharField(max_length=100, blank=True)
    applies_to_client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.PROTECT)
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    previous_version = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["scorecard", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "version"], name="healthscoreconfig_version"),
            one_of("applies_to_tier", ContractTier, "healthscoreconfig_tier_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class HealthScore(models.Model):
    """The score of a client on a day, with everything needed to make it again.

    `overall_score` is 0-100 half-up, None while `coverage` (share of weight with data, 0-1) is under 0.5: then
    `no_score_reason` says why. `components` maps component to exact score or None; `inputs` maps measure to value.
    `status`, `trend` and `risk` use the scorecard's own words. `interval_low` to `interval_high` is where the score may
    lie when what is missing is known, None where nothing notable is missing. `component_data` maps component to what it
    rests on: how much of it had data and how fresh that is. `config_digest` is that of the definition the score was
    made with, `seal` a digest of the row that shows whether it was changed by hand.
    """

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="health_scores")
    scorecard = models.CharField(max_length=60)
    date = models.DateField()
    overall_score = models.PositiveSmallIntegerField(null=True)
    status = models.CharField(max_length=20, blank=True)
    trend = models.CharField(max_length=20, blank=True)
    trend_change = models.SmallIntegerField(null=True)
    previous_score = models.PositiveSmallIntegerField(null=True)
    risk = models.CharField(max_length=20, blank=True)
    coverage = models.FloatField()
    no_score_reason = models.CharField(max_length=200, blank=True)
    components = models.JSONField(default=dict)
    inputs = models.JSONField(default=dict)
    interval_low = models.PositiveSmallIntegerField(null=True)
    interval_high = models.PositiveSmallIntegerField(null=True)
    component_data = models.JSONField(default=dict, db_default={})
    weights_snapshot = models.JSONField(default=dict)
    weights_version = models.CharField(max_length=80)
    config_digest = models.CharField(max_length=64, blank=True, db_default="")
    seal = models.CharField(max_length=64, blank=True, db_default="")
    notable_events = models.JSONField(default=list)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "scorecard", "date"], name="healthscore_once"),
            percent("overall_score", "healthscore_percent"),
            models.CheckConstraint(
                condition=models.Q(coverage__gte=0, coverage__lte=1), name="healthscore_coverage_share"
            ),
        ]
        indexes = [  # client and score are in it so that medians and sums of a day never read the wide rows
            models.Index(fields=["scorecard", "date", "client", "overall_score"], name="healthscore_day_scores")
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.date}: {self.overall_score}"


class ConfigActivation(models.Model):
    """A configuration came into force in its scope. Rows are only added: the newest of a scope is in force.

    The scope is the whole workspace, a tier, a segment or one client; the most specific one with a configuration wins.
    `config` is None where a scope of its own was given up. It holds for scores of `effective_on` and later, of the day
    of `activated_at` and later where that is None.
    """

    id = models.BigAutoField(primary_key=True)
    scorecard = models.SlugField(max_length=60)
    applies_to_tier = models.CharField(max_length=20, choices=ContractTier, null=True, blank=True)
    applies_to_segment = models.CharField(max_length=100, blank=True)
    applies_to_client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.PROTECT)
    config = models.ForeignKey(
        HealthScoreConfig, null=True, blank=True, on_delete=models.PROTECT, related_name="activations"
    )
    reason = models.CharField(max_length=300, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    activated_at = models.DateTimeField()
    activated_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-activated_at", "-id"]
        constraints = [one_of("applies_to_tier", ContractTier, "configactivation_tier_known")]
        indexes = [models.Index(fields=["scorecard", "-activated_at"], name="configactivation_newest")]

    def __str__(self) -> str:
        return f"{self.scorecard} {self.config or 'given up'}"


class ScoreFault(models.Model):
    """A stored score that did not hold when it was last checked (health.verifying). `faults` say why, in sentences.

    It goes when a later check finds that the score holds again, or that it is no longer kept.
    """

    id = models.BigAutoField(primary_key=True)
    score_id = models.BigIntegerField(unique=True)
    faults = models.JSONField(default=list)
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"score {self.score_id}"


class ScoreAsSeen(models.Model):
    """A score as it stood when its day was over, kept when data that came late changed it afterwards."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="scores_as_seen")
    scorecard = models.CharField(max_length=60)
    date = models.DateField()
    overall_score = models.PositiveSmallIntegerField(null=True)
    coverage = models.FloatField()
    components = models.JSONField(default=dict)
    inputs = models.JSONField(default=dict)
    previous_score = models.PositiveSmallIntegerField(null=True)
    weights_version = models.CharField(max_length=80)
    replaced_at = models.DateTimeField()

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "scorecard", "date"], name="scoreasseen_once"),
            percent("overall_score", "scoreasseen_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.date}: {self.overall_score}"


class BacktestRun(models.Model):
    """A back-test: which definition, how, and what came out. Made again only when asked for.

    `digest` is that of `definition`; `parameters` say from when to when, in which steps, against which outcomes;
    `result` is what the pages and the API show, None while it is being made.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scorecard = models.SlugField(max_length=60)
    config = models.ForeignKey(HealthScoreConfig, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    parameters = models.JSONField(default=dict)
    result = models.JSONField(null=True, blank=True)
    job_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["digest", "-created_at"], name="backtestrun_digest")]

    def __str__(self) -> str:
        return f"{self.scorecard} {self.created_at:%Y-%m-%d}"


__all__ = ["HealthScore", "HealthScoreConfig", "HealthStatus"]


class CustomMeasure(models.Model):
    """A measure that a workspace made without code. `slug` is how scorecards name it; `definition` is checked data.

    A change makes `version` grow; what a slug meant on a day is in the inputs of that day's scores.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    definition = models.JSONField()
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MeasureValue(models.Model):
    """The newest value of a custom measure for a client, for lists, segments and alerts; null where it has none."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="measure_values")
    measure = models.ForeignKey(CustomMeasure, on_delete=models.CASCADE, related_name="values")
    date = models.DateField()
    value = models.FloatField(null=True)

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["measure", "value"], name="measurevalue_value")]
        constraints = [models.UniqueConstraint(fields=["client", "measure"], name="measurevalue_once")]

    def __str__(self) -> str:
        return f"{self.measure} {self.value}"
