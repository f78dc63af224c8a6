"""The daily check of suppliers (seed 004): who looks after one that became critical gets a mail, once each day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Max
from django.urls import reverse

from bellwether.common.jobs import Counts
from bellwether.delivery.choices import Medium
from bellwether.delivery.outbox import Draft, send
from bellwether.health.models import HealthScore
from bellwether.health.scored_clients import SUPPLIERS, in_use
from bellwether.health.supplier_advice import recommendations
from bellwether.staff.models import Role, StaffUser

CRITICAL = "critical"
MOST_LINES = 20


@dataclass(frozen=True)
class Finding:
    """A supplier that became critical: its score, since which score it is, and what to do first."""

    client_id: UUID
    name: str
    csm_id: UUID | None
    score: int | None
    before: int | None
    advice: str

    @property
    def line(self) -> str:
        """The finding in one sentence or two."""
        fell = f", {self.before} before" if self.before is not None else ""
        return f"{self.name}: {'no score' if self.score is None else self.score}{fell}. {self.advice}".strip()


def check_suppliers(*, day: date, now: datetime) -> Counts | None:
    """Write to everybody who looks after a supplier that was critical on the newest scored day and not on the scored
    day before; administrators hear of those that nobody looks after. None where suppliers are not scored.

    The mail of a person and scored day goes once, however often this runs.
    """
    if not in_use(SUPPLIERS):
        return None
    found = became_critical(day)
    if found is None:
        return None
    scored_on, findings = found
    drafts = _drafts(findings, scored_on)
    return {"critical": len(findings), "mails": send(drafts, now=now)}


def became_critical(day: date) -> tuple[date, list[Finding]] | None:
    """Return the newest scored day up to `day` and the active suppliers that became critical on it, the worst first.

    A supplier without an earlier score counts as having become so. None before the first score. Three queries.
    """
    rows = HealthScore.objects.filter(scorecard=SUPPLIERS)
    newest = rows.filter(date__lte=day).aggregate(newest=Max("date"))["newest"]
    if newest is None:
        return None
    before = rows.filter(date__lt=newest).aggregate(before=Max("date"))["before"]
    known = set(rows.filter(date=before, risk=CRITICAL).values_list("client_id", flat=True)) if before else set()
    low = rows.filter(date=newest, risk=CRITICAL, client__archived_at__isnull=True).exclude(client__in=known)
    found = [
        Finding(
            client_id=row.client_id,
            name=row.client.name,
            csm_id=row.client.csm_user_id,
            score=row.overall_score,
            before=row.previous_score,
            advice=" ".join(recommendations(row.inputs, change=row.trend_change, at_most=1)),
        )
        for row in low.select_related("client").order_by("overall_score", "client__name")
    ]
    return newest, found


def _drafts(findings: Iterable[Finding], scored_on: date) -> list[Draft]:
    by_person: dict[UUID, list[Finding]] = {}
    active = {user.pk: user for user in StaffUser.objects.filter(is_active=True)}
    administrators = [pk for pk, user in active.items() if user.role == Role.ADMIN]
    for finding in findings:
        owners = [finding.csm_id] if finding.csm_id in active else administrators
        for pk in owners:
            if pk is not None:
                by_person.setdefault(pk, []).append(finding)
    return [_draft(pk, theirs, scored_on) for pk, theirs in by_person.items()]


def _draft(user_id: UUID, findings: list[Finding], scored_on: date) -> Draft:
    count = len(findings)
    title = "A supplier became critical" if count == 1 else f"{count} suppliers became critical"
    more = f"and {count - MOST_LINES} more" if count > MOST_LINES else ""
    return Draft(
        key=f"suppliers:critical:{scored_on.isoformat()}",
        topic="alert",
        severity="CRITICAL",
        title=title,
        text="Their score is under 40 points since the last check.",
        lines=[*(finding.line for finding in findings[:MOST_LINES]), *([more] if more else [])],
        href=f"{reverse('suppliers')}?risk=critical",
        user_id=user_id,
        medium=Medium.EMAIL,
        about="suppliers",
        about_id=scored_on.isoformat(),
    )
