"""One client against a group of similar clients: the page, the count of a group being made, and the export."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.benchmarks.asking import Comparison, compare, compare_filters, licensed_features
from bellwether.benchmarks.choosing import KINDS, Choice, classes_of, describe, saved_key
from bellwether.benchmarks.cohorts import ATTRIBUTE_NAMES, Filters, class_name, read_filters
from bellwether.benchmarks.comparing import largest_gaps, radar
from bellwether.benchmarks.night import Night, Sight, newest_night, sight_of
from bellwether.benchmarks.percentiles import AT_LEAST
from bellwether.benchmarks.recoveries import stories
from bellwether.benchmarks.saved import visible_cohorts
from bellwether.common.errors import InvalidInputError
from bellwether.dashboard.benchmarks_export import csv_text
from bellwether.dashboard.benchmarks_radar import radar_of
from bellwether.dashboard.benchmarks_view import gap_row, profile_words, strip_row
from bellwether.dashboard.client_access import answer, client_or_404
from bellwether.health.configs import main_scorecard
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day, plural, spark

UNDO = "benchmarks_undo"
MOST_NAMES = 300


@dataclass(frozen=True)
class Link:
    """A group to choose. `locked` shows a padlock."""

    label: str
    peers: int
    href: str
    current: bool
    locked: bool


@require_GET
@login_required
def benchmarks(request: HttpRequest) -> HttpResponse:
    """Show a visible client (`client`, else the first by name) against a group (`cohort`, or filters of its own)."""
    user, now = cast(StaffUser, request.user), timezone.now()
    asked = request.GET.dict()
    names = list(Client.objects.visible_to(user).active().order_by("name").values_list("pk", "name")[:MOST_NAMES])
    if asked.get("find"):
        return _find(request, user, asked)  # type: ignore[arg-type]
    client = _client(user, asked, names)  # type: ignore[arg-type]
    values: dict[str, Any] = {"names": names, "client": client, "tab": "client", "problem": "", "least": AT_LEAST}
    night = newest_night()
    values["day"] = full_day(night.day) if night.day else ""
    if client is None or night.day is None:
        return answer(request, "dashboard/benchmarks.html", values | {"found": None})
    sight = sight_of(user, night)
    try:
        found = _compared(user, client, asked, night, sight)  # type: ignore[arg-type]
    except InvalidInputError as error:
        values["problem"] = str(error)
        found = compare(user, client, "tier", night, sight)
    _note(user, client, "benchmark.read", now, cohort=found.choice.key)
    return answer(request, "dashboard/benchmarks.html", values | _page(request, user, found, night, sight))


@require_GET
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Return the comparison that the page shows as CSV."""
    user, now = cast(StaffUser, request.user), timezone.now()
    asked = request.GET.dict()
    client = _client(user, asked, [])  # type: ignore[arg-type]
    if client is None:
        return redirect("benchmarks")
    night = newest_night()
    sight = sight_of(user, night)
    try:
        found = _compared(user, client, asked, night, sight)  # type: ignore[arg-type]
    except InvalidInputError as error:
        return HttpResponse(str(error), status=422, content_type="text/plain; charset=utf-8")
    response = HttpResponse(csv_text(found, night.day, sees_all=sight.sees_all), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="benchmark-{client.pk.hex[:8]}.csv"'
    response["Cache-Control"] = "private, no-store"
    _note(user, client, "benchmark.export", now, cohort=found.choice.key)
    return response


@require_GET
@login_required
def count(request: HttpRequest) -> HttpResponse:
    """Show how many peers the group of the form would have: the part that follows the choosing."""
    user = cast(StaffUser, request.user)
    asked = request.GET.dict()
    client = _client(user, asked, [])  # type: ignore[arg-type]
    night = newest_night()
    text, locked = "Choose at least one attribute", True
    if client is not None:
        try:
            filters = filters_of(asked)  # type: ignore[arg-type]
            choice = compare_filters(client, filters, night, sight_of(user, night), name="custom").choice
            text, locked = choice.locked or plural(choice.peers, "peer"), bool(choice.locked)
        except InvalidInputError:
            pass
    return answer(request, "dashboard/benchmarks_count.html", {"text": text, "locked": locked})


def filters_of(asked: Mapping[str, str]) -> Filters:
    """Return the filters that a form's fields say; raises InvalidInputError if none is chosen or one is no band."""
    return read_filters({name: [asked[name]] for name in ATTRIBUTE_NAMES if asked.get(name)})


def _find(request: HttpRequest, user: StaffUser, asked: Mapping[str, str]) -> HttpResponse:
    """Go to the client of the name that was typed, or list those that match."""
    visible = Client.objects.visible_to(user).active().order_by("name")
    wanted = asked["find"].strip()[:200]
    matches = list(visible.filter(name__iexact=wanted)[:2]) or list(visible.filter(name__icontains=wanted)[:20])
    kept = {name: value for name, value in asked.items() if name not in {"find", "client"} and value}
    if len(matches) == 1:
        return redirect(f"{reverse('benchmarks')}?{urlencode({'client': matches[0].pk, **kept})}")
    values = {
        "names": [], "client": None, "tab": "client", "problem": "", "day": "", "found": None, "least": AT_LEAST,
        "wanted": wanted,
        "matches": [(one.name, f"{reverse('benchmarks')}?{urlencode({'client': one.pk, **kept})}") for one in matches],
    }  # fmt: skip
    return answer(request, "dashboard/benchmarks.html", values)


def _client(user: StaffUser, asked: Mapping[str, str], names: list[tuple[UUID, str]]) -> Client | None:
    given = asked.get("client", "")
    if given:
        try:
            return client_or_404(user, UUID(given))
        except ValueError:
            return None
    return client_or_404(user, names[0][0]) if names else None


def _compared(user: StaffUser, client: Client, asked: Mapping[str, str], night: Night, sight: Sight) -> Comparison:
    cohort = asked.get("cohort", "tier")
    if cohort == "custom":
        return compare_filters(client, filters_of(asked), night, sight, name="Custom group")
    return compare(user, client, cohort, night, sight)


def _address(client: Client, choice_key: str, filters: Filters | None = None) -> str:
    query: dict[str, str] = {"client": str(client.pk), "cohort": choice_key}
    if filters is not None:
        query |= {name: values[0] for name, values in filters.as_json().items()}
    return f"{reverse('benchmarks')}?{urlencode(query)}"


def _page(request: HttpRequest, user: StaffUser, found: Comparison, night: Night, sight: Sight) -> dict[str, Any]:
    client, choice = found.client, found.choice
    licensed = licensed_features(client, night, main_scorecard())
    seats = client.licensed_user_count
    level = next((round(one.value) for one in found.positions if one.metric.key == "health" and one.value >= 0), None)
    is_custom = choice.key not in KINDS
    own = [(row, saved_key(row.pk) == choice.key, _address(client, saved_key(row.pk))) for row in visible_cohorts(user)]
    told = [] if choice.locked else stories(night, sight, choice, level)
    query = dict(request.GET.items()) | {"client": str(client.pk)}
    return {
        "found": found,
        "links": [
            Link(one.label, one.peers, _address(client, one.key), one.key == choice.key, bool(one.locked))
            for one in found.kinds
        ],
        "is_custom": is_custom,
        "custom_peers": choice.peers if is_custom else None,
        "custom_text": plural(choice.peers, "peer"),
        "chips": _chips(client, found) if is_custom else [],
        "rows": [strip_row(one) for one in found.positions],
        "radar": radar_of(radar(found.positions)),
        "profile": profile_words(radar(found.positions)),
        "gaps": [gap_row(one, seats=seats, licensed=licensed) for one in largest_gaps(found.positions)],
        "stories": [
            (one, spark([score for _, score in one.recovery.points]), reverse("client", args=[one.client_id]))
            for one in told
        ],
        "level": level,
        "instead": [(_instead_text(one), _instead_address(client, found, one)) for one in found.instead[:2]],
        "dots": range(min(choice.peers, AT_LEAST)),
        "missing_dots": range(choice.needed),
        "saved": own,
        "fields": _fields(night, found, sees_all=sight.sees_all),
        "kept": _kept(found),
        "export": f"{reverse('benchmarks_export')}?{urlencode(query)}",
        "sees_all": sight.sees_all,
        "undo": request.session.pop(UNDO, None),
        "can_change": found.cohort is not None and found.cohort.owner_id == user.pk,
    }


def _kept(found: Comparison) -> list[tuple[str, str]]:
    filters = found.filters.as_json() if found.filters else {}
    return [(name, one) for name, words in filters.items() for one in words]


def _chips(client: Client, found: Comparison) -> list[tuple[str, str, str]]:
    if found.filters is None:
        return []
    return [
        (name, words, _address(client, "custom", found.filters.without(attribute)))
        for attribute, name, words in describe(found.filters)
    ]


def _instead_text(choice: Choice) -> str:
    verb = choice.label if choice.key.startswith("drop:") else f"Use {choice.label[0].lower()}{choice.label[1:]}"
    return f"{verb}, {choice.peers} peers"


def _instead_address(client: Client, found: Comparison, choice: Choice) -> str:
    if choice.key.startswith("drop:") and found.filters is not None:
        return _address(client, "custom", found.filters.without(choice.key.removeprefix("drop:")))
    return _address(client, choice.key)


def _fields(night: Night, found: Comparison, *, sees_all: bool) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    chosen = found.filters.as_json() if found.filters else {}
    return [
        (
            name,
            ATTRIBUTE_NAMES[name],
            chosen.get(name, [""])[0],
            [(one, class_name(name, one)) for one in words],
        )
        for name, words in classes_of(night).items()
        if words and (sees_all or name != "tag")
    ]


def _note(user: StaffUser, client: Client, action: str, now: datetime, **detail: object) -> None:
    audit.record(
        actor=user, action=action, object_type="client", object_id=client.pk, client_id=client.pk, detail=detail,
        now=now,
    )  # fmt: skip
