import uuid

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "activity_type",
                    models.CharField(
                        choices=[
                            ("CALL", "Call"),
                            ("EMAIL", "E-mail"),
                            ("MEETING", "Meeting"),
                            ("QBR", "Quarterly business review"),
                            ("TRAINING", "Training"),
                            ("ONBOARDING", "Onboarding"),
                            ("SUPPORT_ESCALATION", "Support escalation"),
                            ("EXECUTIVE_TOUCHPOINT", "Executive touchpoint"),
                            ("INTERNAL_DISCUSSION", "Internal discussion"),
                            ("OTHER", "Other"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        blank=True, help_text="A preset's own word for the type, such as check-in.", max_length=60
                    ),
                ),
                ("subject", models.CharField(max_length=300)),
                ("description", models.TextField(blank=True)),
                ("occurred_at", models.DateTimeField()),
                ("scheduled_for", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("duration_minutes", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("SUCCESSFUL_ENGAGEMENT", "Successful engagement"),
                            ("ISSUE_IDENTIFIED", "Issue identified"),
                            ("EXPANSION_OPPORTUNITY", "Expansion opportunity"),
                            ("RISK_IDENTIFIED", "Risk identified"),
                            ("FOLLOW_UP_REQUIRED", "Follow-up required"),
                            ("NO_ACTION_NEEDED", "No action needed"),
                        ],
                        max_length=30,
                        null=True,
                    ),
                ),
                ("outcome_notes", models.TextField(blank=True)),
                ("follow_up_required", models.BooleanField(default=False)),
                ("follow_up_date", models.DateField(blank=True, null=True)),
                ("follow_up_completed_at", models.DateTimeField(blank=True, null=True)),
                ("salesforce_activity_id", models.CharField(blank=True, max_length=40)),
                ("hubspot_engagement_id", models.CharField(blank=True, max_length=40)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "activities",
                "ordering": ["-occurred_at"],
            },
        ),
        migrations.CreateModel(
            name="Client",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("organization_id", models.CharField(max_length=200, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("industry", models.CharField(blank=True, max_length=100)),
                ("employee_count", models.PositiveIntegerField(blank=True, null=True)),
                ("region", models.CharField(blank=True, max_length=100)),
                ("location", models.CharField(blank=True, max_length=200)),
                ("country", models.CharField(blank=True, max_length=2)),
                (
                    "contract_tier",
                    models.CharField(
                        choices=[
                            ("STARTER", "Starter"),
                            ("PROFESSIONAL", "Professional"),
                            ("ENTERPRISE", "Enterprise"),
                            ("CUSTOM", "Custom"),
                        ],
                        default="CUSTOM",
                        max_length=20,
                    ),
                ),
                ("contract_start_date", models.DateField(blank=True, null=True)),
                ("contract_end_date", models.DateField(blank=True, null=True)),
                (
                    "annual_recurring_revenue",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True),
                ),
                ("licensed_modules", models.JSONField(blank=True, default=list)),
                ("licensed_user_count", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "payment_status",
                    models.CharField(
                        blank=True,
                        choices=[("current", "Current"), ("late", "Late"), ("overdue", "Overdue")],
                        max_length=10,
                        null=True,
                    ),
                ),
                ("renewal_probability", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("auto_renew", models.BooleanField(blank=True, null=True)),
                ("current_health_score", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "health_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("HEALTHY", "Healthy"),
                            ("MONITOR", "Monitor"),
                            ("AT_RISK", "At risk"),
                            ("CRITICAL", "Critical"),
                        ],
                        max_length=10,
                        null=True,
                    ),
                ),
                (
                    "health_trend",
                    models.CharField(
                        blank=True, choices=[("UP", "Up"), ("DOWN", "Down"), ("FLAT", "Flat")], max_length=5, null=True
                    ),
                ),
                ("health_trend_change", models.SmallIntegerField(blank=True, null=True)),
                ("health_coverage", models.FloatField(blank=True, null=True)),
                ("health_reason", models.CharField(blank=True, max_length=200)),
                ("health_components", models.JSONField(blank=True, default=dict)),
                ("health_sparkline", models.JSONField(blank=True, default=list)),
                ("scored_on", models.DateField(blank=True, null=True)),
                ("churn_risk_score", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("salesforce_account_id", models.CharField(blank=True, max_length=40)),
                ("hubspot_company_id", models.CharField(blank=True, max_length=40)),
                ("crm_sync_enabled", models.BooleanField(default=False)),
                ("last_crm_sync_at", models.DateTimeField(blank=True, null=True)),
                ("go_live_date", models.DateField(blank=True, null=True)),
                ("last_activity_at", models.DateTimeField(blank=True, null=True)),
                ("last_csm_contact_at", models.DateTimeField(blank=True, null=True)),
                ("next_renewal_date", models.DateField(blank=True, null=True)),
                ("segment", models.CharField(blank=True, max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ClientOutcome",
            fields=[
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("RENEWED", "Renewed"), ("CHURNED", "Churned"), ("DOWNGRADED", "Downgraded")],
                        max_length=10,
                    ),
                ),
                ("date", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=100)),
                ("notes", models.TextField(blank=True)),
                ("arr_before", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ("arr_after", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
            ],
            options={
                "ordering": ["date"],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=60)),
                ("title", models.CharField(blank=True, max_length=120)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("CHAMPION", "Champion"),
                            ("EXECUTIVE_SPONSOR", "Executive sponsor"),
                            ("ADMIN", "Admin"),
                            ("USER", "User"),
                            ("BILLING", "Billing"),
                            ("OTHER", "Other"),
                        ],
                        default="OTHER",
                        max_length=20,
                    ),
                ),
                ("is_primary", models.BooleanField(default=False)),
                ("is_billing", models.BooleanField(default=False)),
                ("is_technical", models.BooleanField(default=False)),
                ("last_platform_login", models.DateTimeField(blank=True, null=True)),
                ("last_csm_contact", models.DateTimeField(blank=True, null=True)),
                (
                    "engagement_status",
                    models.CharField(
                        blank=True,
                        choices=[("ACTIVE", "Active"), ("DECLINING", "Declining"), ("INACTIVE", "Inactive")],
                        max_length=10,
                        null=True,
                    ),
                ),
                (
                    "user_key",
                    models.CharField(blank=True, help_text="Pseudonym of the platform user, if linked.", max_length=64),
                ),
                ("salesforce_contact_id", models.CharField(blank=True, max_length=40)),
                ("hubspot_contact_id", models.CharField(blank=True, max_length=40)),
                ("notes", models.TextField(blank=True)),
                ("is_active", models.BooleanField(default=True)),
                ("known_since", models.DateField(blank=True, null=True)),
                ("left_company_at", models.DateTimeField(blank=True, null=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ContractPeriod",
            fields=[
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("start_date", models.DateField()),
                ("end_date", models.DateField(blank=True, null=True)),
                (
                    "annual_recurring_revenue",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True),
                ),
                (
                    "contract_tier",
                    models.CharField(
                        choices=[
                            ("STARTER", "Starter"),
                            ("PROFESSIONAL", "Professional"),
                            ("ENTERPRISE", "Enterprise"),
                            ("CUSTOM", "Custom"),
                        ],
                        default="CUSTOM",
                        max_length=20,
                    ),
                ),
                ("licensed_user_count", models.PositiveIntegerField(blank=True, null=True)),
                ("licensed_modules", models.JSONField(blank=True, default=list)),
                ("auto_renew", models.BooleanField(blank=True, null=True)),
            ],
            options={
                "ordering": ["start_date"],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("content", models.TextField()),
                (
                    "note_type",
                    models.CharField(
                        choices=[
                            ("GENERAL", "General"),
                            ("STRATEGY", "Strategy"),
                            ("RISK", "Risk"),
                            ("OPPORTUNITY", "Opportunity"),
                            ("QBR_PREP", "QBR preparation"),
                            ("INTERNAL", "Internal"),
                        ],
                        default="GENERAL",
                        max_length=12,
                    ),
                ),
                ("is_private", models.BooleanField(default=False)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="SupportTicket",
            fields=[
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(blank=True, max_length=300)),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("normal", "Normal"), ("high", "High"), ("urgent", "Urgent")],
                        default="normal",
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("pending", "Pending"), ("solved", "Solved"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("solved_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-opened_at"],
            },
        ),
        migrations.CreateModel(
            name="SurveyResponse",
            fields=[
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("NPS", "NPS"), ("CSAT", "CSAT")], max_length=4)),
                (
                    "score",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ]
                    ),
                ),
                (
                    "respondent",
                    models.CharField(blank=True, help_text="Contact's external id or a pseudonym.", max_length=200),
                ),
                ("comment", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-answered_at"],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
    ]
