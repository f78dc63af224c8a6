"""One feature of a client in the panel beside the matrix: use over time, who uses it, what counts as use."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import duckdb
from django.core.cache import BaseCache
from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.dashboard.client_adoption import LOOKS, Look, change_of, expected_text, licence_text, share_text
from bellwether.dashboard.use_chart import UseChart, buckets, use_chart
from bellwether.health.adoption import FeatureLine
from bellwether.health.cohorts import AT_LEAST
from bellwether.health.inputs import FeatureSpec
from bellwether.health.published_groups import HELD_BACK
from bellwether.portfolio.models import Client, Contact
from bellwether.usage.event_match import EventMatch
from bellwether.usage.feature_users import WINDOW_DAYS, FeatureUser, FeatureUsers, feature_users
from bellwether.usage.models import PlatformUser
from bellwether.usage.people import pseudonym_name
from bellwether.usage.workspace import workspace_lake
from bellwether.web.formatting import Delta, day, full_day, number, percent, plural

logger = logging.getLogger(__name__)
KEPT_SECONDS = 60
SHOWN_USERS = 8


@dataclass(frozen=True)
class Panel:
    """The panel of a feature. `facts` are (label, value); `events` say what counts, one text each."""

    key: str
    name: str
    subtitle: str
    look: Look
    figure: str
    of: str
    change: Delta | None
    chart: UseChart | None
    facts: list[tuple[str, str]]
    events: list[str]
    counts: str
    edit: str
    close: str
    users_href: str


@dataclass(frozen=True)
class UserItem:
    """Somebody who uses it: a contact by name where one is linked, else a pseudonym."""

    name: str
    detail: str
    href: str
    uses: str
    last: str


@dataclass(frozen=True)
class Users:
    """Who is behind it in 30 days. `nothing` says why nobody is listed; `roles` sums the uses by role.

    `span` says since when it was counted.
    """

    total: str
    items: list[UserItem]
    roles: list[tuple[str, str]]
    nothing: str
    more: str
    span: str = f"in {WINDOW_DAYS} days"


def panel(
    line: FeatureLine, uses: Mapping[date, int], *, today: date, zone: ZoneInfo, close: str, users: str, edit: str
) -> Panel:
    """Return the panel; `uses` by day, the others are addresses, `edit` empty where licences cannot be changed."""
    spec, licence = line.spec, licence_text(line)
    expected = line.expected if spec.target == "expected" else None
    parts = buckets(uses, last=today, period_days=spec.days)
    is_share = spec.target == "share"
    wanted = f"of {expected_text(line)} expected" if line.expected is not None else "uses, any use counts"
    peers = line.peers
    using = f"{percent(peers.using)} of {number(peers.peers)}" if peers.using is not None else "–"
    missing = HELD_BACK if peers.held_back else f"{number(peers.peers)} peers, {AT_LEAST} are needed"
    facts = [
        ("First used", full_day(day_of(line.first_used, zone)) if line.first_used else "Never"),
        ("Last used", day(day_of(line.last_used, zone), today) if line.last_used else "Never"),
        ("Uses, 30 days", number(line.use_30d)),
        ("Peers using it", using if peers.using is not None else missing),
    ]
    if line.category:
        facts.append(("Category", line.category))
    return Panel(
        key=spec.key,
        name=spec.name,
        subtitle=", ".join(text for text in (spec.module, licence[0].lower() + licence[1:]) if text),
        look=LOOKS[line.level],
        figure=share_text(line) if is_share else number(line.use),
        of=f"{wanted} in {spec.days} days",
        change=change_of(line),
        chart=use_chart(parts, name=spec.name, expected=expected, period_days=spec.days, today=today)
        if any(part.uses for part in parts)
        else None,
        facts=facts,
        events=sorted(spec.events) + sorted(str(match) for match in spec.matches),
        counts=counts_text(spec),
        edit=edit,
        close=close,
        users_href=users,
    )


def counts_text(spec: FeatureSpec) -> str:
    """Return how use is judged, in a sentence."""
    if spec.target == "any":
        return "Any use counts, also by services: integrations are used by services."
    if spec.target == "share":
        good = ", ".join(sorted(spec.within)) or "no label"
        return f"{percent(spec.value)} of the uses should end as {good}. Light is under 25% of that, power over 75%."
    return f"Light is under 25% of what is expected in {spec.days} days, power over 75%. Only people count."


def users_of(
    client: Client, specs: Sequence[FeatureSpec], *, today: date, zone: ZoneInfo, cache: BaseCache, key: str
) -> Users:
    """Return who used `specs` in 30 days, kept for KEPT_SECONDS under `key`; says so where it cannot be read."""
    name = f"feature-users:{client.pk}:{today}:{key}"
    found: FeatureUsers | None = cache.get(name)
    if found is None:
        matches = sorted(
            {EventMatch(event) for spec in specs for event in spec.events}
            | {match for spec in specs for match in spec.matches}
        )
        services = any(spec.target == "any" for spec in specs)
        try:
            found = feature_users(workspace_lake(), client.organization_id, today, matches, services=services)
        except (duckdb.Error, OSError):
            logger.exception("The users of a feature could not be read.")
            return Users("", [], [], "The events could not be read just now. Try again in a minute.", "")
        cache.set(name, found, KEPT_SECONDS)
    return _users(client, found, today, zone)


def _users(client: Client, found: FeatureUsers, today: date, zone: ZoneInfo) -> Users:
    if not found.days:
        return Users("", [], [], f"The events of the last {WINDOW_DAYS} days are not kept here.", "")
    if not found.first:
        return Users("0", [], [], f"Nobody with a user id used it in {WINDOW_DAYS} days.", "")
    keys = [user.user_key for user in found.first]
    stored = PlatformUser.objects.filter(organization_id=client.organization_id, user_key__in=keys)
    roles_of = dict(stored.exclude(role="").values_list("user_key", "role"))
    linked = Contact.objects.filter(client=client, archived_at__isnull=True, user_key__in=keys)
    names = dict(linked.values_list("user_key", "name"))
    items = [
        UserItem(
            name=names.get(user.user_key) or ("Service " if user.is_service else "") + pseudonym_name(user.user_key),
            detail=_role(user, roles_of).lower(),
            href=reverse("client_person", args=[client.pk, user.user_key]),
            uses=number(user.uses),
            last=day(day_of(user.last_used, zone), today),
        )
        for user in found.first[:SHOWN_USERS]
    ]
    by_role: dict[str, list[int]] = {}
    for user in found.first:
        by_role.setdefault(_role(user, roles_of), []).append(user.uses)
    roles = sorted(by_role.items(), key=lambda pair: -sum(pair[1]))
    left = found.users - len(items)
    return Users(
        total=number(found.users),
        items=items,
        roles=[(role, f"{plural(len(uses), 'user')}, {plural(sum(uses), 'use')}") for role, uses in roles],
        nothing="",
        more=f"and {plural(left, 'more user', 'more users')}" if left > 0 else "",
        span=f"since {day(found.since, today)}, before which there are too many events to read for a page"
        if found.since
        else f"in {WINDOW_DAYS} days",
    )


def _role(user: FeatureUser, stored: Mapping[str, str]) -> str:
    return "Service" if user.is_service else user.role or stored.get(user.user_key) or "No role"
