"""What every package shares in the database: the record of jobs."""

import uuid

from django.db import models


class JobState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class JobRun(models.Model):
    """One run of a job that had work to do, or one that somebody asked for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    arguments = models.JSONField(default=dict, blank=True)
    stage = models.CharField(max_length=200, blank=True)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    requested_by_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "created_at"], name="jobrun_state_created"),
            models.Index(fields=["name", "-created_at"], name="jobrun_name_created"),
        ]
        constraints = [models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="jobrun_state_known")]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class JobPulse(models.Model):
    """When a scheduled job last ran, also when it found nothing to do: one row per job."""

    name = models.CharField(max_length=60, primary_key=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_finished_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name
