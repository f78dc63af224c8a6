import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portfolio", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="activity",
            name="performed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="activities",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="client",
            name="ae_user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="ae_clients",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="client",
            name="csm_user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="csm_clients",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="activity",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="clientoutcome",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="activity",
            name="client_contacts",
            field=models.ManyToManyField(blank=True, related_name="activities", to="portfolio.contact"),
        ),
        migrations.AddField(
            model_name="contractperiod",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="notes", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="supportticket",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="surveyresponse",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="surveyresponse",
            name="contact",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="answers",
                to="portfolio.contact",
            ),
        ),
        migrations.AddField(
            model_name="client",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="clients", to="portfolio.tag"),
        ),
        migrations.AddConstraint(
            model_name="clientoutcome",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("client", "external_id"),
                name="clientoutcome_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientoutcome",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome__in", ["RENEWED", "CHURNED", "DOWNGRADED"]), ("outcome__isnull", True), _connector="OR"
                ),
                name="clientoutcome_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientoutcome",
            constraint=models.UniqueConstraint(fields=("client", "date", "outcome"), name="clientoutcome_once"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["email"], name="contact_email"),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("client", "external_id"),
                name="contact_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("role__in", ["CHAMPION", "EXECUTIVE_SPONSOR", "ADMIN", "USER", "BILLING", "OTHER"]),
                    ("role__isnull", True),
                    _connector="OR",
                ),
                name="contact_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("engagement_status__in", ["ACTIVE", "DECLINING", "INACTIVE"]),
                    ("engagement_status__isnull", True),
                    _connector="OR",
                ),
                name="contact_engagement_known",
            ),
        ),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(fields=["client", "-occurred_at"], name="activity_client_occurred"),
        ),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(fields=["follow_up_date"], name="activity_follow_up"),
        ),
        migrations.AddConstraint(
            model_name="activity",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("client", "external_id"),
                name="activity_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="activity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "activity_type__in",
                        [
                            "CALL",
                            "EMAIL",
                            "MEETING",
                            "QBR",
                            "TRAINING",
                            "ONBOARDING",
                            "SUPPORT_ESCALATION",
                            "EXECUTIVE_TOUCHPOINT",
                            "INTERNAL_DISCUSSION",
                            "OTHER",
                        ],
                    ),
                    ("activity_type__isnull", True),
                    _connector="OR",
                ),
                name="activity_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="activity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        [
                            "SUCCESSFUL_ENGAGEMENT",
                            "ISSUE_IDENTIFIED",
                            "EXPANSION_OPPORTUNITY",
                            "RISK_IDENTIFIED",
                            "FOLLOW_UP_REQUIRED",
                            "NO_ACTION_NEEDED",
                        ],
                    ),
                    ("outcome__isnull", True),
                    _connector="OR",
                ),
                name="activity_outcome_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractperiod",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("client", "external_id"),
                name="contractperiod_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("contract_tier__in", ["STARTER", "PROFESSIONAL", "ENTERPRISE", "CUSTOM"]),
                    ("contract_tier__isnull", True),
                    _connector="OR",
                ),
                name="contractperiod_tier_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractperiod",
            constraint=models.UniqueConstraint(fields=("client", "start_date"), name="contractperiod_start"),
        ),
        migrations.AddConstraint(
            model_name="contractperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("end_date__gte", models.F("start_date")), ("end_date__isnull", True), _connector="OR"
                ),
                name="contractperiod_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("client", "external_id"),
                name="note_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("note_type__in", ["GENERAL", "STRATEGY", "RISK", "OPPORTUNITY", "QBR_PREP", "INTERNAL"]),
                    ("note_type__isnull", True),
                    _connector="OR",
                ),
                name="note_type_known",
            ),
        ),
        migrations.AddIndex(
            model_name="supportticket",
            index=models.Index(fields=["client", "-opened_at"], name="ticket_client_opened"),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("client", "external_id"),
                name="supportticket_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("priority__in", ["low", "normal", "high", "urgent"]), ("priority__isnull", True), _connector="OR"
                ),
                name="supportticket_priority_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["open", "pending", "solved", "closed"]), ("status__isnull", True), _connector="OR"
                ),
                name="supportticket_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("solved_at__gte", models.F("opened_at")), ("solved_at__isnull", True), _connector="OR"
                ),
                name="supportticket_order",
            ),
        ),
        migrations.AddIndex(
            model_name="surveyresponse",
            index=models.Index(fields=["client", "kind", "-answered_at"], name="survey_client_answered"),
        ),
        migrations.AddConstraint(
            model_name="surveyresponse",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=("client", "external_id"),
                name="surveyresponse_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="surveyresponse",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["NPS", "CSAT"]), ("kind__isnull", True), _connector="OR"),
                name="surveyresponse_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="surveyresponse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "NPS"), ("score__gte", 0), ("score__lte", 10)),
                    models.Q(("kind", "CSAT"), ("score__gte", 0), ("score__lte", 100)),
                    _connector="OR",
                ),
                name="surveyresponse_score_range",
            ),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["csm_user"], name="client_csm"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["ae_user"], name="client_ae"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["health_status"], name="client_health_status"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["current_health_score"], name="client_health_score"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["next_renewal_date"], name="client_renewal"),
        ),
        migrations.AddIndex(
            model_name="client",
            index=models.Index(fields=["contract_tier"], name="client_tier"),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("contract_tier__in", ["STARTER", "PROFESSIONAL", "ENTERPRISE", "CUSTOM"]),
                    ("contract_tier__isnull", True),
                    _connector="OR",
                ),
                name="client_tier_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("payment_status__in", ["current", "late", "overdue"]),
                    ("payment_status__isnull", True),
                    _connector="OR",
                ),
                name="client_payment_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("health_status__in", ["HEALTHY", "MONITOR", "AT_RISK", "CRITICAL"]),
                    ("health_status__isnull", True),
                    _connector="OR",
                ),
                name="client_health_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("health_trend__in", ["UP", "DOWN", "FLAT"]), ("health_trend__isnull", True), _connector="OR"
                ),
                name="client_trend_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("current_health_score__gte", 0), ("current_health_score__lte", 100)),
                    ("current_health_score__isnull", True),
                    _connector="OR",
                ),
                name="client_score_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("churn_risk_score__gte", 0), ("churn_risk_score__lte", 100)),
                    ("churn_risk_score__isnull", True),
                    _connector="OR",
                ),
                name="client_churn_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("renewal_probability__gte", 0), ("renewal_probability__lte", 100)),
                    ("renewal_probability__isnull", True),
                    _connector="OR",
                ),
                name="client_renewal_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(("organization_id", ""), _negated=True), name="client_organization_given"
            ),
        ),
        migrations.AddConstraint(
            model_name="client",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("annual_recurring_revenue__gte", 0), ("annual_recurring_revenue__isnull", True), _connector="OR"
                ),
                name="client_arr_not_negative",
            ),
        ),
    ]
