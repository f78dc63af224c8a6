"""Which records keep a history of changes (django-auditlog): who changed what, from which value to which.

Computed columns are left out: the scores keep their own history. Bulk imports are logged as one line of the access log.
"""

from auditlog.registry import auditlog

from bellwether.portfolio.models import (
    Activity,
    Client,
    ClientOutcome,
    Contact,
    ContractPeriod,
    Note,
    SupportTicket,
    SurveyResponse,
)

COMPUTED = [
    "current_health_score",
    "health_status",
    "health_trend",
    "health_trend_change",
    "health_coverage",
    "health_interval_low",
    "health_interval_high",
    "health_missing",
    "health_reason",
    "health_components",
    "health_sparkline",
    "scored_on",
    "churn_risk_score",
    "last_activity_at",
    "last_csm_contact_at",
    "updated_at",
]


def keep_history() -> None:
    """Register the models; called once when Django starts."""
    auditlog.register(Client, exclude_fields=COMPUTED, m2m_fields={"tags"})
    auditlog.register(
        Contact,
        exclude_fields=["last_platform_login", "last_csm_contact", "updated_at"],
        mask_fields=["user_key"],
        mask_callable="bellwether.portfolio.masking.short_pseudonym",
    )
    auditlog.register(Activity, exclude_fields=["updated_at"], m2m_fields={"client_contacts", "participants"})
    for model in (ClientOutcome, ContractPeriod, Note, SupportTicket, SurveyResponse):
        auditlog.register(model, exclude_fields=["updated_at"])
