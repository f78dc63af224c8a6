"""Stored scores that did not hold when they were checked: found every night, kept until they hold again."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction

from bellwether.health.models import HealthScore, ScoreFault
from bellwether.health.verifying import Verified, verify_scores
from bellwether.usage.quality_finding import Finding, counted, finding

NIGHTLY = 500
CURE = "Run bellwether verify-scores --all; scoring the days again puts them right: bellwether recompute --from DATE."


def verify_nightly(*, today: date, now: datetime) -> Verified:
    """Check 500 stored scores drawn anew each day, and all that did not hold before; keep those that do not."""
    known = list(ScoreFault.objects.values_list("score_id", flat=True))
    found = verify_scores(sample=NIGHTLY, seed=today.toordinal(), also=known)
    keep_faults(found, now=now)
    return found


def keep_faults(found: Verified, *, now: datetime) -> None:
    """Let `found` say which scores do not hold; it must have checked all that did not before. Twice changes nothing."""
    by_score = {one.score_id: one.faults for one in found.faults}
    with transaction.atomic():
        ScoreFault.objects.exclude(score_id__in=list(by_score)).delete()
        ScoreFault.objects.bulk_create(
            [ScoreFault(score_id=score, faults=faults, found_at=now) for score, faults in by_score.items()],
            update_conflicts=True,
            unique_fields=["score_id"],
            update_fields=["faults"],
        )


def faulty_scores() -> list[str]:
    """Return the stored scores that did not hold when last checked: "Sturdy on 2026-06-30 (prd-015)", by name."""
    rows = HealthScore.objects.filter(pk__in=ScoreFault.objects.values("score_id"))
    named = rows.order_by("client__name", "-date", "scorecard").values_list("client__name", "date", "scorecard")
    return [f"{name} on {day} ({scorecard})" for name, day, scorecard in named]


def fault_title(count: int) -> str:
    """Return the finding in a sentence without its end: "3 stored scores were changed by hand or damaged"."""
    return counted(count, "stored score", "was changed by hand or damaged", "were changed by hand or damaged")


def fault_findings() -> Iterator[Finding]:
    """Yield a finding if stored scores do not hold."""
    scores = faulty_scores()
    if scores:
        yield finding(
            "scores_changed",
            "critical",
            fault_title(len(scores)),
            "They are not what their inputs and configuration give, so what they say is not what was measured.",
            CURE,
            "pipeline",
            items=scores,
        )
