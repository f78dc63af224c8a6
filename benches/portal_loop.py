"""The nightly job of the operations portal (seed 001), client by client, as our own code on Django's ORM.

The tables that the portal has and we do not (users with a last login, cases, campaigns, assignments, adopted features,
tenant scores) are made in the same database and filled alike. Per tenant: 2 counts of users, 4 of cases, a count of
campaigns and a grouping of assignments, the adopted features, the last score, one insert: the queries of
`calculateHealthScore`, in its order. Collecting daily metrics, which the job can do as well, is left out.
"""

import math
from datetime import datetime, timedelta

import numpy as np
from django.db import connection, models

FEATURES = 14
PAUSE_S = 0.1


class PortalUser(models.Model):
    organization = models.CharField(max_length=40, db_index=True)
    last_login_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        app_label = "portal"


class PortalCase(models.Model):
    organization = models.CharField(max_length=40, db_index=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    sla_status = models.CharField(max_length=10)

    class Meta:
        app_label = "portal"


class PortalCampaign(models.Model):
    organization = models.CharField(max_length=40, db_index=True)
    status = models.CharField(max_length=10)

    class Meta:
        app_label = "portal"


class PortalAssignment(models.Model):
    campaign = models.ForeignKey(PortalCampaign, on_delete=models.CASCADE)
    status = models.CharField(max_length=10)

    class Meta:
        app_label = "portal"


class PortalFeature(models.Model):
    organization = models.CharField(max_length=40, db_index=True)
    feature = models.CharField(max_length=30)
    is_adopted = models.BooleanField()

    class Meta:
        app_label = "portal"


class PortalScore(models.Model):
    organization = models.CharField(max_length=40, db_index=True)
    calculated_at = models.DateTimeField(db_index=True)
    login = models.IntegerField()
    case_resolution = models.IntegerField()
    campaign_completion = models.IntegerField()
    feature_adoption = models.IntegerField()
    support_tickets = models.IntegerField()
    overall = models.IntegerField()
    trend = models.CharField(max_length=10)
    risk = models.CharField(max_length=10)
    previous = models.IntegerField(null=True)

    class Meta:
        app_label = "portal"


TABLES = (PortalUser, PortalCase, PortalCampaign, PortalAssignment, PortalFeature, PortalScore)


def fill_portal(organizations: list[str], now: datetime) -> None:
    """Make and fill the portal's tables: per tenant 60 users, 120 cases, 2 campaigns of 30, 14 features, 30 scores."""
    rng = np.random.default_rng(11)
    with connection.schema_editor() as editor:
        for table in TABLES:
            editor.create_model(table)

    def past(days: int) -> datetime:
        return now - timedelta(days=float(rng.random()) * days)

    PortalUser.objects.bulk_create(
        [PortalUser(organization=o, last_login_at=past(60)) for o in organizations for _ in range(60)], batch_size=5000
    )
    PortalCase.objects.bulk_create(
        [
            PortalCase(
                organization=o, created_at=(at := past(365)), closed_at=at + timedelta(days=5) if n % 5 else None,
                sla_status=("ON_TRACK", "WARNING", "BREACHED", "ON_TRACK")[n % 4],
            )
            for o in organizations
            for n in range(120)
        ],
        batch_size=5000,
    )  # fmt: skip
    campaigns = PortalCampaign.objects.bulk_create(
        [PortalCampaign(organization=o, status="ACTIVE") for o in organizations for _ in range(2)], batch_size=5000
    )
    PortalAssignment.objects.bulk_create(
        [
            PortalAssignment(campaign=c, status="COMPLETED" if n % 4 else "PENDING")
            for c in campaigns
            for n in range(30)
        ],
        batch_size=5000,
    )
    PortalFeature.objects.bulk_create(
        [
            PortalFeature(organization=o, feature=f"F{n}", is_adopted=bool(rng.integers(0, 2)))
            for o in organizations
            for n in range(FEATURES)
        ],
        batch_size=5000,
    )
    PortalScore.objects.bulk_create(
        [
            PortalScore(
                organization=o, calculated_at=now - timedelta(days=n + 1), login=50, case_resolution=50,
                campaign_completion=50, feature_adoption=50, support_tickets=100, overall=57, trend="STABLE",
                risk="LOW",
            )
            for o in organizations
            for n in range(30)
        ],
        batch_size=5000,
    )  # fmt: skip


def run_portal_loop(organizations: list[str], now: datetime) -> int:
    """Score every tenant, one after the other, without the pause; return how many."""
    for organization in organizations:
        score_tenant(organization, now)
    return len(organizations)


def score_tenant(organization: str, now: datetime) -> None:
    """Score one tenant as the portal does, each query on its own and each insert its own transaction."""
    since = now - timedelta(days=30)
    users = PortalUser.objects.filter(organization=organization, is_active=True)
    active = users.filter(last_login_at__gte=since, last_login_at__lte=now).count()
    total = users.count()
    cases = PortalCase.objects.filter(organization=organization)
    cases.filter(created_at__gte=since, created_at__lte=now).count()
    closed_cases = cases.filter(closed_at__gte=since, closed_at__lte=now)
    closed = closed_cases.count()
    on_time = closed_cases.filter(sla_status__in=["ON_TRACK", "WARNING"]).count()
    cases.filter(closed_at__isnull=True, sla_status__in=["BREACHED", "CRITICAL"]).count()
    PortalCampaign.objects.filter(organization=organization, status="ACTIVE").count()
    grouped = dict(
        PortalAssignment.objects.filter(campaign__organization=organization)
        .values("status")
        .annotate(n=models.Count("pk"))
        .values_list("status", "n")
    )
    adoptions = list(PortalFeature.objects.filter(organization=organization))
    adopted = sum(feature.is_adopted for feature in adoptions)
    tickets = 0
    last = PortalScore.objects.filter(organization=organization).order_by("-calculated_at").first()
    login = 0 if total == 0 else min(100, rounded(active / total / 0.7 * 100))
    case = 100 if closed == 0 else min(100, rounded(on_time / closed / 0.9 * 100))
    assigned = sum(grouped.values())
    campaign = 100 if assigned == 0 else min(100, rounded(grouped.get("COMPLETED", 0) / assigned / 0.85 * 100))
    feature = min(100, rounded(adopted / FEATURES / 0.6 * 100))
    support = max(0, 100 - tickets * 10)
    overall = rounded(login * 0.20 + case * 0.25 + campaign * 0.25 + feature * 0.15 + support * 0.15)
    delta = 0 if last is None else overall - last.overall
    trend = "IMPROVING" if delta > 5 else "DECLINING" if delta < -5 else "STABLE"
    high = overall < 40 or (overall < 60 and trend == "DECLINING")
    risk = "HIGH" if high else "MEDIUM" if overall < 70 or trend == "DECLINING" else "LOW"
    PortalScore.objects.create(
        organization=organization, calculated_at=now, login=login, case_resolution=case, campaign_completion=campaign,
        feature_adoption=feature, support_tickets=support, overall=overall, trend=trend, risk=risk,
        previous=None if last is None else last.overall,
    )  # fmt: skip


def rounded(value: float) -> int:
    """Return `value` rounded as JavaScript's Math.round does."""
    return math.floor(value + 0.5)
