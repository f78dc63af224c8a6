"""The features of a client as the operations portal reads them (seed 003, FeatureAdoptionGrid)."""

from datetime import datetime

from django.core.cache import caches
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from bellwether.health.adoption_reading import read_adoption
from bellwether.portfolio.models import Client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["operations portal"])


class PortalFeature(Schema):
    """A feature as a binary flag; `firstUsed` and `lastUsed` are left out while it was never used."""

    key: str
    name: str
    category: str
    adopted: bool = Field(description="Used at least once.")
    firstUsed: datetime | None = None  # noqa: N815 (the portal's name)
    lastUsed: datetime | None = None  # noqa: N815


@router.get(
    "/features/{organization_id}",
    response=list[PortalFeature],
    exclude_none=True,
    operation_id="getPortalFeatures",
    summary="Get the features of an organization",
)
def features(request: StaffRequest, organization_id: str) -> list[PortalFeature]:
    """Return each feature of the catalogue, whether it was ever used, and its first and last use."""
    now = timezone.now()
    visible = Client.objects.visible_to(request.user)
    client: Client = get_object_or_404(visible, organization_id=organization_id)
    found = read_adoption(client, user=request.user, now=now, cache=caches["memory"]).adoption
    record(
        actor=request.user,
        action="client.adoption",
        object_type="client",
        object_id=client.pk,
        client_id=client.pk,
        detail={"portal": True},
        now=now,
    )
    return [
        PortalFeature(
            key=line.spec.key,
            name=line.spec.name,
            category=line.category or line.spec.module or "Core",
            adopted=line.adopted,
            firstUsed=line.first_used,
            lastUsed=line.last_used,
        )
        for line in found.lines
    ]
