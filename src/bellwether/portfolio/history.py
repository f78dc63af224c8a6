"""Which records keep a history of changes (django-auditlog): who changed what, from which value to which.

Computed columns are left out: the scores keep their own history. Bulk imports are logged as one line of the access log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db.models.signals import pre_save

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
from bellwether.staff.models import StaffUser

ACTOR: ContextVar[StaffUser | None] = ContextVar("actor", default=None)


@contextmanager
def acting(user: StaffUser) -> Iterator[None]:
    """Let the history of what is changed inside name `user`, who may have come with a token: sessions are known to the
    middleware of django-auditlog, tokens are not."""
    token = ACTOR.set(user)
    try:
        yield
    finally:
        ACTOR.reset(token)


def _name_actor(sender: Any, instance: LogEntry, **more: Any) -> None:
    user = ACTOR.get()
    if user is not None:
        instance.actor, instance.actor_email = user, user.email


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
    "churn_low",
    "churn_high",
    "churn_category",
    "churn_is_band",
    "churn_change",
    "churn_reason",
    "churn_predicted_on",
    "last_activity_at",
    "last_csm_contact_at",
    "updated_at",
]


def keep_history() -> None:
    """Register the models; called once when Django starts."""
    pre_save.connect(_name_actor, sender=LogEntry, dispatch_uid="bellwether.history.actor")
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
