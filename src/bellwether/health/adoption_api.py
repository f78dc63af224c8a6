"""The adoption endpoints of the staff API (api.md, section 1), and the catalogue for administrators."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import duckdb
from django.core.cache import caches
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router

from bellwether.common.problems import ProblemError
from bellwether.common.rounding import half_up
from bellwether.health.adoption import FeatureLine
from bellwether.health.adoption_reading import AdoptionRead, read_adoption
from bellwether.health.adoption_schemas import (
    AdoptionOut,
    AdoptionStatus,
    FeatureAdoptionOut,
    FeatureDetailOut,
    FeatureIn,
    FeatureOut,
    FeaturesOut,
    FeatureUserOut,
    LicenceIn,
    OpportunityOut,
    UsageTrend,
    UsePointOut,
)
from bellwether.health.details import newest_score
from bellwether.health.feature_use import Level
from bellwether.health.room_to_grow import opportunities
from bellwether.portfolio.models import Client
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record
from bellwether.staff.idempotency import Answer, once
from bellwether.usage.catalogue import as_draft, features
from bellwether.usage.catalogue_changes import TIERS, NoSuchFeatureError, add_feature, change_feature, find_feature
from bellwether.usage.catalogue_data import draft_from_data
from bellwether.usage.event_match import EventMatch
from bellwether.usage.feature_users import FeatureUsers, feature_users
from bellwether.usage.licence import NOTHING
from bellwether.usage.licences import change_licences, effective_licences
from bellwether.usage.models import Feature
from bellwether.usage.workspace import workspace_lake

logger = logging.getLogger(__name__)
router = Router(tags=["adoption"])

DAYS = 90
TOP_USERS = 20
STATUSES = {
    Level.NOT_LICENSED: AdoptionStatus.NOT_LICENSED,
    Level.NOT_CONFIGURED: AdoptionStatus.NOT_CONFIGURED,
    Level.NOT_USED: AdoptionStatus.NOT_USED,
    Level.LIGHT: AdoptionStatus.LIGHT_USE,
    Level.ACTIVE: AdoptionStatus.ACTIVE_USE,
    Level.POWER: AdoptionStatus.POWER_USE,
}


@router.get(
    "/clients/{client_id}/adoption",
    response=AdoptionOut,
    operation_id="getClientAdoption",
    summary="Get the adoption of features by a client",
)
def adoption(request: StaffRequest, client_id: UUID) -> AdoptionOut:
    """Return every feature of the catalogue with its level, trend and peers, the adoption score, and room to grow."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    found = read_adoption(client, user=request.user, now=now, cache=caches["memory"]).adoption
    row = newest_score(client)
    users = (row.inputs or {}).get("mau") if row else None
    growth = opportunities(found.lines, seats=client.licensed_user_count, users=users)
    _note(request, client, "client.adoption", now)
    return AdoptionOut(
        client_id=client.pk,
        date=found.day,
        adoption_score=found.score,
        features_licensed=found.licensed,
        features_used=found.used,
        features_tracked=len(found.lines),
        features_adopted=found.adopted,
        licensed_not_used=found.unused,
        licensed_not_used_before=found.unused_before,
        adoption_percentile=found.percentile,
        tier_median=found.median,
        peers=found.peers,
        features=[FeatureAdoptionOut(**_feature(client, line)) for line in found.lines],
        opportunities=[OpportunityOut(**(vars(one) | {"feature_key": one.feature_key or None})) for one in growth],
    )


@router.get(
    "/clients/{client_id}/adoption/{feature}",
    response=FeatureDetailOut,
    operation_id="getClientFeatureAdoption",
    summary="Get the adoption of one feature by a client",
)
def feature_adoption(request: StaffRequest, client_id: UUID, feature: str) -> FeatureDetailOut:
    """Return one feature with its uses by day over 90 days and who used it in 30."""
    now = timezone.now()
    client = visible_client(request.user, client_id)
    read = read_adoption(client, user=request.user, now=now, cache=caches["memory"])
    line = _line(read, feature)
    _note(request, client, "client.adoption", now, feature=feature)
    return _detail(client, read, line)


@router.put(
    "/clients/{client_id}/adoption/{feature}",
    response=FeatureDetailOut,
    operation_id="updateClientFeatureAdoption",
    summary="Change what a client has licensed and set up",
)
def update_adoption(request: StaffRequest, client_id: UUID, feature: str, change: LicenceIn) -> FeatureDetailOut:
    """Change licence and set-up of one feature, and return it. Scores from the changed date on are made again."""
    given = change.dict(exclude_unset=True)
    empty: list[str] = [name for name in ("is_licensed", "is_configured") if name in given and given[name] is None]
    if not given or empty:
        errors = dict.fromkeys(empty, "needs to be true or false.") or {"": "no field is given"}
        raise ProblemError(422, "Give at least one field to change.", errors=errors)
    now = timezone.now()
    client = visible_client(request.user, client_id)
    if feature not in {one.key for one in features()}:
        raise Http404
    before = effective_licences(client, now=now).get(feature, NOTHING)
    change_licences(client, {feature: replace(before, **given)}, actor=request.user, now=now)
    read = read_adoption(client, user=request.user, now=now, cache=caches["memory"])
    return _detail(client, read, _line(read, feature))


@router.get("/config/features", response=FeaturesOut, operation_id="listFeatures", summary="List the catalogue")
def list_features(request: StaffRequest) -> FeaturesOut:
    """Return the features in their order, archived ones included."""
    found = features(archived=True)
    detail = {"count": len(found)}
    record(actor=request.user, action="feature.list", object_type="feature", detail=detail, now=timezone.now())
    return FeaturesOut(data=[_stored(one) for one in found])


@router.post("/config/features", response={201: FeatureOut}, operation_id="createFeature", summary="Add a feature")
def create_feature(request: StaffRequest, body: FeatureIn) -> HttpResponse:
    """Add a feature to the catalogue; administrators only. Takes an Idempotency-Key."""
    _administrators(request)

    def make() -> Answer:
        draft = draft_from_data(body.as_data(), tiers=TIERS)
        made = add_feature(draft, actor=request.user, now=timezone.now())
        url = reverse("api:updateFeature", kwargs={"key": made.key})
        return Answer(201, _stored(made).model_dump(mode="json"), {"Location": url})

    return once(request, make)


@router.put(
    "/config/features/{key}",
    response=FeatureOut,
    operation_id="updateFeature",
    summary="Change a feature",
    url_name="updateFeature",
)
def update_feature(request: StaffRequest, key: str, body: FeatureIn) -> FeatureOut:
    """Replace what the catalogue says about a feature; administrators only. Scores of today are made again."""
    _administrators(request)
    try:
        find_feature(key)
    except NoSuchFeatureError as error:
        raise Http404 from error
    draft = draft_from_data(body.as_data() | {"key": body.key or key}, tiers=TIERS)
    change_feature(key, draft, actor=request.user, now=timezone.now())
    return _stored(find_feature(key))


def _administrators(request: StaffRequest) -> None:
    if not request.user.may_configure:
        raise ProblemError(403, "Only administrators change the catalogue.")


def _stored(feature: Feature) -> FeatureOut:
    draft = as_draft(feature)
    values: dict[str, Any] = vars(draft) | {
        "events": [event.as_data() for event in draft.events],
        "expected": None if draft.target == "any" else draft.expected,
        "within": list(draft.within),
        "archived": feature.archived_at is not None,
    }
    return FeatureOut(**values)


def _line(read: AdoptionRead, key: str) -> FeatureLine:
    for line in read.adoption.lines:
        if line.spec.key == key:
            return line
    raise Http404


def _feature(client: Client, line: FeatureLine) -> dict[str, Any]:
    spec, licence = line.spec, line.licence
    is_share = spec.target == "share"
    return {
        "client_id": client.pk,
        "feature_key": spec.key,
        "feature_name": spec.name,
        "module": spec.module,
        "category": line.category,
        **vars(licence),
        "adoption_status": None if line.level is None else STATUSES[line.level],
        "first_used_at": line.first_used,
        "last_used_at": line.last_used,
        "usage_30_days": line.use_30d,
        "usage_before_30_days": line.use_before_30d,
        "usage_trend": UsageTrend(line.trend),
        "usage_in_period": line.use,
        "period_days": spec.days,
        "expected_usage": None if line.expected is None or is_share else half_up(line.expected),
        "expected_share": line.expected if is_share else None,
        "share_of_expected": None if spec.target == "any" else line.share,
        "adoption_percentile": line.peers.percentile,
        "peers": line.peers.peers,
        "peers_using": line.peers.using,
    }


def _detail(client: Client, read: AdoptionRead, line: FeatureLine) -> FeatureDetailOut:
    spec, last = line.spec, read.adoption.day
    uses = read.daily_uses(spec)
    days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    users = _users(client, line, read)
    matches = sorted({EventMatch(event) for event in spec.events} | spec.matches)
    return FeatureDetailOut(
        **_feature(client, line),
        events=[match.as_data() for match in matches],
        daily_usage=[UsePointOut(first=day, last=day, uses=uses.get(day, 0)) for day in days],
        active_users_30_days=users.users if users and users.days and not users.since else None,
        top_users=[
            FeatureUserOut(
                user_key=one.user_key,
                role=one.role or None,
                is_service=one.is_service,
                uses=one.uses,
                last_used_at=one.last_used,
            )
            for one in (users.first[:TOP_USERS] if users else [])
        ],
    )


def _users(client: Client, line: FeatureLine, read: AdoptionRead) -> FeatureUsers | None:
    matches = sorted({EventMatch(event) for event in line.spec.events} | line.spec.matches)
    lake, services = workspace_lake(), line.spec.target == "any"
    try:
        return feature_users(lake, client.organization_id, read.adoption.day, matches, services=services)
    except (duckdb.Error, OSError):
        logger.exception("The users of a feature could not be read.")
        return None


def _note(request: StaffRequest, client: Client, action: str, now: datetime, **detail: object) -> None:
    record(
        actor=request.user,
        action=action,
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail=detail,
        now=now,
    )
