"""What is known about clients: contract, people, conversations, tickets, surveys and how it ended.

Field names are those of PRD-015's data model. Every imported kind has a natural key, so that importing twice changes
nothing. Clients and their records are archived, never deleted.
"""

import uuid
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from bellwether.common.fields import one_of
from bellwether.portfolio.choices import (
    ActivityOutcome,
    ActivityType,
    AlertLevel,
    ContactRole,
    ContractTier,
    EngagementStatus,
    HealthStatus,
    HealthTrend,
    ImportState,
    NoteType,
    OutcomeKind,
    OutcomeReason,
    PaymentStatus,
    SurveyKind,
    TicketPriority,
    TicketStatus,
)
from bellwether.portfolio.querysets import ClientQuerySet, NoteQuerySet, OfClientQuerySet
from bellwether.staff.models import StaffUser


def percent(field: str, name: str) -> models.CheckConstraint:
    """Return a constraint that keeps `field` null or between 0 and 100."""
    bounds = Q(**{f"{field}__gte": 0, f"{field}__lte": 100})
    return models.CheckConstraint(condition=bounds | Q(**{f"{field}__isnull": True}), name=name)


class Tag(models.Model):
    name = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Client(models.Model):
    """A client organisation. It carries its current score and last touches, so that the portfolio is one query.

    `organization_id` is the natural key: the account id that usage events name in `context.groupId`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization_id = models.CharField(max_length=200, unique=True)

    name = models.CharField(max_length=200)
    industry = models.CharField(max_length=100, blank=True)
    employee_count = models.PositiveIntegerField(null=True, blank=True)
    region = models.CharField(max_length=100, blank=True)
    location = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)

    contract_tier = models.CharField(max_length=20, choices=ContractTier, default=ContractTier.CUSTOM)
    contract_start_date = models.DateField(null=True, blank=True)
    contract_end_date = models.DateField(null=True, blank=True)
    annual_recurring_revenue = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    licensed_modules = models.JSONField(default=list, blank=True)
    licensed_user_count = models.PositiveIntegerField(null=True, blank=True)
    payment_status = models.CharField(max_length=10, choices=PaymentStatus, null=True, blank=True)
    renewal_probability = models.PositiveSmallIntegerField(null=True, blank=True)
    auto_renew = models.BooleanField(null=True, blank=True)

    csm_user = models.ForeignKey(
        StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="csm_clients"
    )
    ae_user = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="ae_clients")

    current_health_score = models.PositiveSmallIntegerField(null=True, blank=True)
    health_status = models.CharField(max_length=10, choices=HealthStatus, null=True, blank=True)
    health_trend = models.CharField(max_length=5, choices=HealthTrend, null=True, blank=True)
    health_trend_change = models.SmallIntegerField(null=True, blank=True)
    health_coverage = models.FloatField(null=True, blank=True)
    health_interval_low = models.PositiveSmallIntegerField(null=True, blank=True)
    health_interval_high = models.PositiveSmallIntegerField(null=True, blank=True)
    health_missing = models.JSONField(default=list, blank=True)
    health_reason = models.CharField(max_length=200, blank=True)
    health_components = models.JSONField(default=dict, blank=True)
    health_sparkline = models.JSONField(default=list, blank=True)
    scored_on = models.DateField(null=True, blank=True)
    churn_risk_score = models.PositiveSmallIntegerField(null=True, blank=True)  # 90 days, in percent
    churn_low = models.PositiveSmallIntegerField(null=True, blank=True)
    churn_high = models.PositiveSmallIntegerField(null=True, blank=True)
    churn_category = models.CharField(max_length=6, blank=True, default="", db_default="")
    churn_is_band = models.BooleanField(default=False, db_default=False)  # too thin a sample: show the category alone
    churn_change = models.SmallIntegerField(null=True, blank=True)  # points against 28 days before
    churn_reason = models.CharField(max_length=200, blank=True, default="", db_default="")  # the largest factor
    churn_predicted_on = models.DateField(null=True, blank=True)
    alert_level = models.CharField(
        max_length=14, choices=AlertLevel, default=AlertLevel.DASHBOARD_ONLY, db_default=AlertLevel.DASHBOARD_ONLY
    )

    salesforce_account_id = models.CharField(max_length=40, blank=True)
    hubspot_company_id = models.CharField(max_length=40, blank=True)
    crm_sync_enabled = models.BooleanField(default=False)
    last_crm_sync_at = models.DateTimeField(null=True, blank=True)

    go_live_date = models.DateField(null=True, blank=True)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    last_csm_contact_at = models.DateTimeField(null=True, blank=True)
    stated_contact_at = models.DateTimeField(
        null=True, blank=True, help_text="Last contact that another system states; it counts beside the activities."
    )
    next_renewal_date = models.DateField(null=True, blank=True)

    tags = models.ManyToManyField(Tag, blank=True, related_name="clients")
    segment = models.CharField(max_length=100, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ClientQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["csm_user"], name="client_csm"),
            models.Index(fields=["ae_user"], name="client_ae"),
            models.Index(fields=["health_status"], name="client_health_status"),
            models.Index(fields=["current_health_score"], name="client_health_score"),
            models.Index(fields=["next_renewal_date"], name="client_renewal"),
            models.Index(fields=["contract_tier"], name="client_tier"),
        ]
        constraints = [
            one_of("contract_tier", ContractTier, "client_tier_known"),
            one_of("payment_status", PaymentStatus, "client_payment_known"),
            one_of("health_status", HealthStatus, "client_health_known"),
            one_of("health_trend", HealthTrend, "client_trend_known"),
            one_of("alert_level", AlertLevel, "client_alert_level_known"),
            percent("current_health_score", "client_score_percent"),
            percent("health_interval_low", "client_interval_low_percent"),
            percent("health_interval_high", "client_interval_high_percent"),
            percent("churn_risk_score", "client_churn_percent"),
            percent("renewal_probability", "client_renewal_percent"),
            models.CheckConstraint(condition=~Q(organization_id=""), name="client_organization_given"),
            models.CheckConstraint(
                condition=Q(annual_recurring_revenue__gte=0) | Q(annual_recurring_revenue__isnull=True),
                name="client_arr_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OfClient(models.Model):
    """A record of one client. `external_id` is its natural key within the client, given by the source or derived."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="%(class)ss")
    external_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = OfClientQuerySet.as_manager()

    class Meta:
        abstract = True


def natural_key(name: str) -> models.UniqueConstraint:
    """Return the constraint that makes (client, external_id) unique; records typed in by hand have no external id."""
    return models.UniqueConstraint(fields=["client", "external_id"], condition=~Q(external_id=""), name=name)


class ContractPeriod(OfClient):
    """One term of a contract. ARR and seats are those of the term; the current ones are copied to the client."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True)
    # A client that leaves early ends its term: the end that was signed stays for what looks back at the days before.
    ended_early = models.BooleanField(default=False, db_default=False)
    signed_end_date = models.DateField(null=True, blank=True)
    annual_recurring_revenue = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    contract_tier = models.CharField(max_length=20, choices=ContractTier, default=ContractTier.CUSTOM)
    licensed_user_count = models.PositiveIntegerField(null=True, blank=True)
    licensed_modules = models.JSONField(default=list, blank=True)
    auto_renew = models.BooleanField(null=True, blank=True)

    class Meta:
        ordering = ["start_date"]
        constraints = [
            natural_key("contractperiod_key"),
            one_of("contract_tier", ContractTier, "contractperiod_tier_known"),
            models.UniqueConstraint(fields=["client", "start_date"], name="contractperiod_start"),
            models.CheckConstraint(
                condition=Q(end_date__gte=F("start_date")) | Q(end_date__isnull=True), name="contractperiod_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.start_date} to {self.end_date or 'open'}"


class Contact(OfClient):
    """A stakeholder at the client. E-mail and phone are shown masked until somebody reveals them, which is logged.

    `merged_into` is the contact that turned out to be the same person; imports that name this one mean that one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=20, choices=ContactRole, default=ContactRole.OTHER)
    is_primary = models.BooleanField(default=False)
    is_billing = models.BooleanField(default=False)
    is_technical = models.BooleanField(default=False)
    last_platform_login = models.DateTimeField(null=True, blank=True)
    last_csm_contact = models.DateTimeField(null=True, blank=True)
    stated_contact_at = models.DateTimeField(null=True, blank=True)
    engagement_status = models.CharField(max_length=10, choices=EngagementStatus, null=True, blank=True)
    user_key = models.CharField(max_length=64, blank=True, help_text="Pseudonym of the platform user, if linked.")
    salesforce_contact_id = models.CharField(max_length=40, blank=True)
    hubspot_contact_id = models.CharField(max_length=40, blank=True)
    notes = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    known_since = models.DateField(null=True, blank=True)
    left_company_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged", editable=False
    )

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["email"], name="contact_email")]
        constraints = [
            natural_key("contact_key"),
            one_of("role", ContactRole, "contact_role_known"),
            one_of("engagement_status", EngagementStatus, "contact_engagement_known"),
        ]

    def __str__(self) -> str:
        return self.name


class Activity(OfClient):
    """An interaction with a client, or one that is scheduled (`completed_at` empty)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    activity_type = models.CharField(max_length=30, choices=ActivityType)
    label = models.CharField(max_length=60, blank=True, help_text="A preset's own word for the type, such as check-in.")
    subject = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    performed_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="activities")
    client_contacts = models.ManyToManyField(Contact, blank=True, related_name="activities")
    occurred_at = models.DateTimeField()
    scheduled_for = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    duration_minutes = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=30, choices=ActivityOutcome, null=True, blank=True)
    outcome_notes = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True, help_text="Words such as check-in or expansion discussion.")
    next_steps = models.TextField(blank=True)
    details = models.JSONField(default=dict, blank=True, help_text="Fields of the type: topic, completion, decision …")
    participants = models.ManyToManyField(StaffUser, blank=True, related_name="joined_activities")
    ticket = models.ForeignKey(
        "SupportTicket", null=True, blank=True, on_delete=models.SET_NULL, related_name="activities"
    )
    follow_up_required = models.BooleanField(default=False)
    follow_up_date = models.DateField(null=True, blank=True)
    follow_up_text = models.CharField(max_length=300, blank=True)
    follow_up_contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="follow_ups"
    )
    follow_up_remind_on = models.DateField(null=True, blank=True)
    follow_up_completed_at = models.DateTimeField(null=True, blank=True)
    salesforce_activity_id = models.CharField(max_length=40, blank=True)
    hubspot_engagement_id = models.CharField(max_length=40, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-occurred_at"]
        verbose_name_plural = "activities"
        indexes = [
            models.Index(fields=["client", "-occurred_at"], name="activity_client_occurred"),
            models.Index(fields=["follow_up_date"], name="activity_follow_up"),
            models.Index(
                fields=["follow_up_date"],
                condition=Q(follow_up_required=True, follow_up_completed_at__isnull=True, archived_at__isnull=True),
                name="activity_open_follow_up",
            ),
            models.Index(
                fields=["client", "follow_up_date"],
                condition=Q(follow_up_required=True, follow_up_completed_at__isnull=True, archived_at__isnull=True),
                name="activity_client_follow_up",
            ),
            models.Index(
                fields=["performed_by", "follow_up_date"],
                condition=Q(follow_up_required=True, follow_up_completed_at__isnull=True, archived_at__isnull=True),
                name="activity_person_follow_up",
            ),
            models.Index(
                fields=["client", "occurred_at"],
                condition=Q(completed_at__isnull=True, archived_at__isnull=True),
                name="activity_client_planned",
            ),
            models.Index(
                fields=["follow_up_completed_at"],
                condition=Q(follow_up_completed_at__isnull=False, archived_at__isnull=True),
                name="activity_followed_up",
            ),
            models.Index(
                fields=["occurred_at"],
                condition=Q(completed_at__isnull=True, archived_at__isnull=True),
                name="activity_planned",
            ),
            models.Index(
                fields=["completed_at"],
                condition=Q(completed_at__isnull=False, archived_at__isnull=True),
                name="activity_completed",
            ),
            models.Index(
                fields=["client", "completed_at", "activity_type"],
                condition=Q(completed_at__isnull=False, archived_at__isnull=True),
                name="activity_client_completed",
            ),
        ]
        constraints = [
            natural_key("activity_key"),
            one_of("activity_type", ActivityType, "activity_type_known"),
            one_of("outcome", ActivityOutcome, "activity_outcome_known"),
        ]

    def __str__(self) -> str:
        return self.subject


class Note(OfClient):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200, blank=True)
    content = models.TextField()
    note_type = models.CharField(max_length=12, choices=NoteType, default=NoteType.GENERAL)
    is_private = models.BooleanField(default=False)
    is_pinned = models.BooleanField(default=False, db_default=False)
    created_by = models.ForeignKey(StaffUser, on_delete=models.PROTECT, related_name="notes")
    archived_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = NoteQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [natural_key("note_key"), one_of("note_type", NoteType, "note_type_known")]

    def __str__(self) -> str:
        return self.title or self.content[:60]


class SupportTicket(OfClient):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=300, blank=True)
    priority = models.CharField(max_length=10, choices=TicketPriority, default=TicketPriority.NORMAL)
    status = models.CharField(max_length=10, choices=TicketStatus, default=TicketStatus.OPEN)
    opened_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True, blank=True)
    first_response_minutes = models.PositiveIntegerField(null=True, blank=True)
    is_escalated = models.BooleanField(default=False, db_default=False)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets")

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["client", "-opened_at"], name="ticket_client_opened")]
        constraints = [
            natural_key("supportticket_key"),
            one_of("priority", TicketPriority, "supportticket_priority_known"),
            one_of("status", TicketStatus, "supportticket_status_known"),
            models.CheckConstraint(
                condition=Q(solved_at__gte=F("opened_at")) | Q(solved_at__isnull=True), name="supportticket_order"
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.external_id


class SurveyResponse(OfClient):
    """One answer to a survey. NPS is 0-10; CSAT is stored as 0-100 whatever scale it was asked on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=4, choices=SurveyKind)
    score = models.FloatField(validators=[MinValueValidator(0), MaxValueValidator(100)])
    respondent = models.CharField(max_length=200, blank=True, help_text="Contact's external id or a pseudonym.")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="answers")
    comment = models.TextField(blank=True)
    scale = models.CharField(
        max_length=12, blank=True, default="", db_default="", help_text="Scale of a CSAT question, such as 1-5."
    )
    answered_at = models.DateTimeField()

    class Meta:
        ordering = ["-answered_at"]
        indexes = [models.Index(fields=["client", "kind", "-answered_at"], name="survey_client_answered")]
        constraints = [
            natural_key("surveyresponse_key"),
            one_of("kind", SurveyKind, "surveyresponse_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="NPS", score__gte=0, score__lte=10) | Q(kind="CSAT", score__gte=0, score__lte=100),
                name="surveyresponse_score_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.score:g}"


class ClientOutcome(OfClient):
    """How a term ended: renewed, churned or downgraded, on `date`, with a reason. The churn label comes from here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outcome = models.CharField(max_length=10, choices=OutcomeKind)
    date = models.DateField()
    reason_code = models.CharField(max_length=20, choices=OutcomeReason, blank=True, default="", db_default="")
    reason = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True)
    arr_before = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    arr_after = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)

    class Meta:
        ordering = ["date"]
        constraints = [
            natural_key("clientoutcome_key"),
            one_of("outcome", OutcomeKind, "clientoutcome_known"),
            models.CheckConstraint(
                condition=Q(reason_code="") | Q(reason_code__in=OutcomeReason.values), name="clientoutcome_reason_known"
            ),
            models.UniqueConstraint(fields=["client", "date", "outcome"], name="clientoutcome_once"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.date}"


class SavedView(models.Model):
    """Filters, order and columns of the portfolio under a name. Its owner alone sees it unless it is shared; what a
    reader finds in it is limited to the clients that this reader may see."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(StaffUser, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=80)
    query = models.JSONField(default=dict, help_text="The parameters of the portfolio's address.")
    columns = models.JSONField(default=list, blank=True)
    is_shared = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], condition=Q(archived_at__isnull=True), name="savedview_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Change(models.Model):
    """Something that a member of staff did to records and may undo: one edit, a bulk action, an import."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    made_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    summary = models.CharField(max_length=300)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(StaffUser, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-made_at"]
        indexes = [models.Index(fields=["made_by", "-made_at"], name="change_made")]

    def __str__(self) -> str:
        return self.summary


class ChangeEntry(models.Model):
    """What one record was before a change and after it. `before` empty: it was made; `after` empty: it was removed;
    both: the fields that changed."""

    id = models.BigAutoField(primary_key=True)
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="entries")
    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="+")
    model = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["model", "object_id"], name="changeentry_object")]

    def __str__(self) -> str:
        return f"{self.model} {self.object_id}"


class ImportRun(models.Model):
    """The import of one file in the browser: what was sent, how it is read, what the check found, what was done.

    Its file lies in BELLWETHER_HOME/imports/<id>/ for a week. Files sent together share `batch`. `settings` say how the
    file is read and mapped, `detected` what was found out by itself, `check_result` what a dry run found, `counts` what
    the import did. `chunks_done` chunks of rows are stored: a run that was cut off goes on behind them. `change` holds
    what is needed to undo it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.UUIDField(default=uuid.uuid4)
    made_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    file_name = models.CharField(max_length=200)
    stored_name = models.CharField(max_length=40)
    size = models.PositiveBigIntegerField(default=0)
    columns = models.JSONField(default=list)
    kind = models.CharField(max_length=20, blank=True)
    detected = models.JSONField(default=dict)
    settings = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.MAPPING)
    rows_total = models.PositiveIntegerField(null=True)
    rows_done = models.PositiveIntegerField(default=0)
    chunks_done = models.PositiveIntegerField(default=0)
    check_result = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    stop_asked = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    change = models.OneToOneField(Change, null=True, on_delete=models.SET_NULL, related_name="import_run")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(StaffUser, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["-created_at"], name="importrun_created"),
            models.Index(fields=["state"], name="importrun_state"),
        ]
        constraints = [one_of("state", ImportState, "importrun_state_known")]

    def __str__(self) -> str:
        return self.file_name


class SearchEntry(models.Model):
    """The words of a record that can be found. Triggers of the database keep it (portfolio.search_index)."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10)
    object_id = models.UUIDField()
    client = models.ForeignKey(Client, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    author_id = models.UUIDField(null=True, help_text="Whose alone it is, for private notes.")
    title = models.TextField()
    body = models.TextField()
    scope = models.CharField(max_length=120, help_text="Kind, client and reader as words, for SQLite's index.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="searchentry_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
