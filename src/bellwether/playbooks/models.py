"""Playbooks and their versions, the clients enrolled in them, and every intervention, by a playbook or by hand."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from bellwether.common.fields import one_of
from bellwether.playbooks.choices import Arm, EnrolmentState, InterventionState, PlaybookState, StepKind
from bellwether.portfolio.models import Activity, Client, Contact
from bellwether.portfolio.querysets import OfClientQuerySet
from bellwether.staff.models import StaffUser


def _somebody(related_name: str = "+") -> Any:
    return models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name=related_name)


class Playbook(models.Model):
    """A playbook by its `key`; what it does stands in its versions, of which `version` is the one in force."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=8, choices=PlaybookState, default=PlaybookState.DRAFT)
    owner = _somebody("playbooks")
    version = models.ForeignKey(
        "PlaybookVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="in_force_for"
    )
    from_preset = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="When it was first started.")
    paused_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is paused.")
    created_by = _somebody()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [one_of("state", PlaybookState, "playbook_state_known")]

    def __str__(self) -> str:
        return self.name


class PlaybookVersion(models.Model):
    """What a playbook does, from `created_at` on; never changed. `definition` is that of playbooks/definition.py."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    created_by = _somebody()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["playbook", "number"], name="playbookversion_number_once")]

    def __str__(self) -> str:
        return f"{self.playbook} {self.number}"


class Enrolment(models.Model):
    """A client that met the trigger of a version. `arm` is drawn once, at enrolment, and counts as drawn (intention to
    treat). `episode` tells occasions of one client apart: an alert's id, a renewal date, a day.

    `step` is the key of the step that comes next, due at `next_at`. `baseline` holds what was so at enrolment (score,
    arr …). `outcome_value` is 0 or 1, or a difference; None until `outcome_due_on` has passed, or where it cannot be
    known: `outcome_detail` says why.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="enrolments")
    version = models.ForeignKey(PlaybookVersion, on_delete=models.CASCADE, related_name="enrolments")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="enrolments")
    episode = models.CharField(max_length=120)
    arm = models.CharField(max_length=8, choices=Arm)
    state = models.CharField(max_length=9, choices=EnrolmentState, default=EnrolmentState.ACTIVE)
    enrolled_at = models.DateTimeField()
    enrolled_by = _somebody()
    step = models.CharField(max_length=40, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)
    baseline = models.JSONField(default=dict, blank=True)
    outcome_due_on = models.DateField(null=True, blank=True)
    outcome_value = models.FloatField(null=True, blank=True)
    outcome_known_at = models.DateTimeField(null=True, blank=True)
    outcome_detail = models.CharField(max_length=200, blank=True)
    outcome_checked_on = models.DateField(null=True, blank=True, help_text="When its outcome was last looked for.")

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        ordering = ["-enrolled_at"]
        constraints = [
            models.UniqueConstraint(fields=["version", "client", "episode"], name="enrolment_once"),
            one_of("arm", Arm, "enrolment_arm_known"),
            one_of("state", EnrolmentState, "enrolment_state_known"),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="ACTIVE"), name="enrolment_due"),
            models.Index(fields=["playbook", "-enrolled_at"], name="enrolment_playbook"),
            models.Index(fields=["client", "-enrolled_at"], name="enrolment_client"),
            models.Index(
                fields=["outcome_due_on"], condition=Q(outcome_known_at__isnull=True), name="enrolment_outcome_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} in {self.playbook}"


class Intervention(models.Model):
    """Something done for a client, or to be done: a step of an enrolment, or what somebody did by hand.

    `key` is its natural key (enrolment and step; an idempotency key by hand), so that it happens once. `outcome` is
    what came of it, in words. A task or call stands in the agenda as `activity`; a mail or message is the delivery
    message `message_key`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=200, unique=True)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="interventions")
    enrolment = models.ForeignKey(
        Enrolment, null=True, blank=True, on_delete=models.CASCADE, related_name="interventions"
    )
    step = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=10, choices=StepKind)
    title = models.CharField(max_length=200)
    template = models.CharField(max_length=60, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    message = models.TextField(blank=True)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    assigned_to = _somebody("interventions")
    state = models.CharField(max_length=9, choices=InterventionState, default=InterventionState.SCHEDULED)
    scheduled_for = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = _somebody()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = _somebody()
    outcome = models.CharField(max_length=200, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    activity = models.ForeignKey(Activity, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    message_key = models.CharField(max_length=200, blank=True)
    created_by = _somebody()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            one_of("kind", StepKind, "intervention_kind_known"),
            one_of("state", InterventionState, "intervention_state_known"),
        ]
        indexes = [
            models.Index(fields=["client", "-created_at"], name="intervention_client"),
            models.Index(fields=["state", "scheduled_for"], name="intervention_state"),
            models.Index(fields=["-created_at"], name="intervention_newest"),
        ]

    def __str__(self) -> str:
        return self.title


class MessageTemplate(models.Model):
    """Text of a message to a contact, in the sandboxed Jinja2 of playbooks/rendering.py; edited in the product."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=StepKind, default=StepKind.EMAIL)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField()
    from_preset = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = _somebody()
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ClientSegment(models.Model):
    """The segment that a client is in, and since when: what tells entering a segment from being in it.

    `entered_on` is empty where the client was in it before anybody looked.
    """

    client = models.OneToOneField(Client, primary_key=True, on_delete=models.CASCADE, related_name="+")
    segment = models.CharField(max_length=100, blank=True)
    entered_on = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    def __str__(self) -> str:
        return self.segment
