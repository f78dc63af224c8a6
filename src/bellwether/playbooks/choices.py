"""The words of playbooks and interventions."""

from django.db.models import TextChoices


class PlaybookState(TextChoices):
    DRAFT = "DRAFT", "Draft"
    RUNNING = "RUNNING", "Running"
    PAUSED = "PAUSED", "Paused"
    ARCHIVED = "ARCHIVED", "Archived"


class Arm(TextChoices):
    TREATED = "TREATED", "Treated"
    HELD_OUT = "HELD_OUT", "Held out"


class EnrolmentState(TextChoices):
    ACTIVE = "ACTIVE", "Under way"
    COMPLETED = "COMPLETED", "Completed"
    EXITED = "EXITED", "Left early"
    CANCELLED = "CANCELLED", "Cancelled"


class StepKind(TextChoices):
    EMAIL = "email", "E-mail"
    IN_APP = "in_app", "In-app message"
    CALL = "call", "Call"
    TASK = "task", "Task"
    SLACK = "slack", "Slack message"
    TAG = "tag", "Tag"
    CRM_TASK = "crm_task", "CRM task"
    WAIT = "wait", "Wait"
    BRANCH = "branch", "Branch"


class InterventionState(TextChoices):
    SCHEDULED = "SCHEDULED", "Scheduled"
    APPROVAL = "APPROVAL", "Waiting for approval"
    DUE = "DUE", "Due"
    SENT = "SENT", "Sent"
    DONE = "DONE", "Done"
    OBSERVED = "OBSERVED", "Observed only"
    SKIPPED = "SKIPPED", "Skipped"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"
