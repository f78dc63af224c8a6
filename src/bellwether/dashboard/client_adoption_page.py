"""The adoption tab of a client: matrix or grid of features, one feature beside it, its users, and the export."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.dashboard import client_adoption as texts
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_access import answer, client_or_404, head_of, list_address, target_of
from bellwether.dashboard.client_adoption_export import csv_text
from bellwether.dashboard.client_adoption_feature import Panel, panel, users_of
from bellwether.dashboard.client_adoption_licences import take_undo
from bellwether.health.adoption import FeatureLine
from bellwether.health.adoption_reading import AdoptionRead, read_adoption
from bellwether.health.details import newest_score
from bellwether.health.room_to_grow import Rule, opportunities
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import percent

GRID_PRESETS = frozenset({"operations"})
RULE_ICONS = {
    Rule.NOT_LICENSED: "lock",
    Rule.NEVER_CONFIGURED: "wrench",
    Rule.LIGHT_USE: "circle-dot",
    Rule.SEATS: "armchair",
}


@dataclass(frozen=True)
class Seen:
    """What every answer of the tab is made of."""

    client: Client
    user: StaffUser
    read: AdoptionRead
    asked: texts.Asked
    lines: list[FeatureLine]
    now: datetime
    listed: str

    def address(self, feature: str = "") -> Address:
        """Return the address of the tab, or of a feature in it, with the choices made."""
        path = (
            reverse("client_adoption_feature", args=[self.client.pk, feature])
            if feature
            else reverse("client_adoption", args=[self.client.pk])
        )
        query = self.asked.query() | {"from": self.listed}
        if query["view"] == default_view():
            query["view"] = ""
        return Address(path, query)


def default_view() -> str:
    """Return the view that this workspace's preset begins with."""
    return "grid" if settings.BELLWETHER_PRESET in GRID_PRESETS else "levels"


@require_GET
@login_required
def adoption(request: HttpRequest, client_id: UUID, feature: str = "") -> HttpResponse:
    """Show the adoption of a client that the reader may see, with `feature` beside it; for a swap only its part."""
    seen = _seen(request, client_id)
    line = _line(seen, feature) if feature else None
    target = target_of(request)
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    if target in {"users", "feature-users"}:
        values: dict[str, Any] = {"users": _users(seen, line)}
        response = answer(request, "dashboard/client_adoption_users.html", values)
    elif target == "feature-panel" and line is not None:
        response = answer(request, "dashboard/client_adoption_feature.html", {"panel": _panel(seen, line)})
    else:
        values = _page(request, seen, line)
        values["users"] = _users(seen, line) if request.GET.get("users") == "1" else None
        template = "dashboard/client_adoption_list.html" if target == "features" else "dashboard/client_adoption.html"
        if target != "features":
            values["head"] = head_of(request, seen.client, user=seen.user, tab="client_adoption", now=seen.now)
            values["undo"] = take_undo(request, seen.client)
        response = answer(request, template, values | {"zone": zone})
    _note(seen, "client.adoption", {"feature": feature} if feature else {})
    return response


@require_GET
@login_required
def export(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Return the features that the filters let through as CSV."""
    seen = _seen(request, client_id)
    response = HttpResponse(csv_text(seen.lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="adoption-{seen.client.pk.hex[:8]}.csv"'
    response["Cache-Control"] = "private, no-store"
    _note(seen, "client.adoption.export", {"count": len(seen.lines)})
    return response


def _seen(request: HttpRequest, client_id: UUID) -> Seen:
    user = cast(StaffUser, request.user)
    now = timezone.now()
    client = client_or_404(user, client_id)
    read = read_adoption(client, user=user, now=now, cache=caches["memory"])
    asked = texts.read_asked(request.GET.dict(), read.adoption, default_view=default_view())  # type: ignore[arg-type]
    lines = texts.matching(read.adoption.lines, asked)
    return Seen(client, user, read, asked, lines, now, list_address(request))


def _line(seen: Seen, key: str) -> FeatureLine:
    for line in seen.read.adoption.lines:
        if line.spec.key == key:
            return line
    raise Http404


def _page(request: HttpRequest, seen: Seen, line: FeatureLine | None) -> dict[str, Any]:
    adoption, asked, address = seen.read.adoption, seen.asked, seen.address()
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    row = newest_score(seen.client)
    users = (row.inputs or {}).get("mau") if row else None
    seats = seen.client.licensed_user_count

    def href(key: str) -> str:
        return str(seen.address(key))

    found = opportunities(adoption.lines, seats=seats, users=users)
    counted = len(adoption.lines)
    return {
        "client_id": seen.client.pk,
        "adoption": adoption,
        "asked": asked,
        "figures": texts.figures(adoption, tier=str(seen.client.get_contract_tier_display()), users=users, seats=seats),
        "tier": str(seen.client.get_contract_tier_display()),
        "picks": texts.picks(adoption, asked, address),
        "headings": texts.headings(asked, address),
        "groups": texts.groups(seen.lines, asked, href, open_key=line.spec.key if line else ""),
        "flags": texts.flag_groups(seen.lines, href, adoption.day, zone) if asked.view == "grid" else [],
        "rate": percent(adoption.adopted / counted) if counted else "",
        "views": [
            ("Levels", address.with_(view=_view("levels")), asked.view == "levels"),
            ("Grid", address.with_(view=_view("grid")), asked.view == "grid"),
        ],
        "address": address,
        "export": Address(reverse("client_adoption_export", args=[seen.client.pk]), asked.query()).with_(view=None),
        "licences": _licences(seen),
        "may_edit": seen.client.archived_at is None,
        "may_configure": seen.user.may_configure,
        "panel": _panel(seen, line) if line else None,
        "users_href": str(seen.address(line.spec.key if line else "").with_(users="1")),
        "growth": [
            (one, RULE_ICONS[one.rule], percent(one.peers_using), href(one.feature_key) if one.feature_key else "")
            for one in found
        ],
        "quiet": texts.quiet_text(adoption, zone),
        "modules": _modules(adoption.lines),
        "count_text": f"{len(seen.lines)} of {counted} features",
    }


def _view(name: str) -> str | None:
    return None if name == default_view() else name


def _modules(lines: list[FeatureLine]) -> list[tuple[str, int, int]]:
    """Return (module, features used, features licensed), for modules with licensed features."""
    found: dict[str, list[int]] = {}
    for line in lines:
        if line.level:
            counts = found.setdefault(line.spec.module or "No module", [0, 0])
            counts[0] += line.is_used
            counts[1] += 1
    return [(module, used, licensed) for module, (used, licensed) in found.items()]


def _licences(seen: Seen) -> str:
    return Address(reverse("client_licences", args=[seen.client.pk]), {"from": seen.listed}).with_()


def _panel(seen: Seen, line: FeatureLine) -> Panel:
    return panel(
        line,
        seen.read.daily_uses(line.spec),
        today=seen.read.adoption.day,
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
        close=str(seen.address()),
        users=seen.address(line.spec.key).with_(users="1"),
        edit=_licences(seen) if seen.client.archived_at is None else "",
    )


def _users(seen: Seen, line: FeatureLine | None) -> Any:
    lines = [line] if line else [one for one in seen.read.adoption.lines if one.is_used]
    return users_of(
        seen.client,
        [one.spec for one in lines],
        today=seen.read.adoption.day,
        zone=settings.BELLWETHER_WORKSPACE_ZONE,
        cache=caches["memory"],
        key=line.spec.key if line else "",
    )


def _note(seen: Seen, action: str, detail: dict[str, Any]) -> None:
    audit.record(
        actor=seen.user,
        action=action,
        object_type="client",
        object_id=seen.client.pk,
        client_id=seen.client.pk,
        detail=detail,
        now=seen.now,
    )
