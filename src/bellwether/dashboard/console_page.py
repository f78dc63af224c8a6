"""The first page of the operations console: traffic lights over the portfolio, and the clients as cards."""

from collections import Counter
from datetime import date
from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer, target_of
from bellwether.dashboard.console_cards import LIGHTS, console_card
from bellwether.dashboard.scored_list import NONE, ListAsked, Tile, narrowed, ordered, paged, read_list, sort_links
from bellwether.health import scored_clients as read
from bellwether.health.scorecard import load_scorecard
from bellwether.health.scored_clients import OPERATIONS, ScoredClient
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day, plural

LIST = "listing"
NOTES = {"green": "80 and more", "amber": "60 to 79", "red": "under 60"}
TITLES = {"green": "Healthy", "amber": "At risk", "red": "Critical"}


def need(scorecard: str) -> None:
    """Raise Http404 where the workspace does not use `scorecard`: its pages do not exist then."""
    if not read.in_use(scorecard):
        raise Http404


@require_GET
@login_required
def console(request: HttpRequest) -> HttpResponse:
    """Show the clients that the reader may see with their traffic lights; for a swap of the list, only the list."""
    need(OPERATIONS)
    user = cast(StaffUser, request.user)
    now, zone = timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE
    today = day_of(now, zone)
    every = read.scored_clients(user, OPERATIONS)
    asked = read_list(request.GET.dict(), path=reverse("console"), of="light", words=read.LIGHTS)  # type: ignore[arg-type]
    wanted = narrowed(every, asked, word=lambda one: one.light, name=lambda one: one.client.name)
    found = ordered(
        wanted,
        asked,
        {"score": lambda one: one.score, "name": lambda one: one.client.name.casefold(), "trend": _change},
    )
    page = paged(found, asked, one="client", many="clients")
    shown = cast(list[ScoredClient], page.rows)
    scored_on = max((one.row.date for one in every if one.row), default=None)
    lines = read.score_lines([one.client.pk for one in shown], OPERATIONS, last=scored_on) if scored_on else {}
    cards, shipped = read.cards_of(shown), load_scorecard(OPERATIONS)
    values = {
        "asked": asked,
        "tiles": tiles(every, asked),
        "sorts": sort_links(asked),
        "page": page,
        "cards": [
            console_card(
                one,
                cards[one.row.weights_version] if one.row else shipped,
                lines.get(one.client.pk, []),
                today=today,
                zone=zone,
                scored_on=scored_on,
            )
            for one in shown
        ],
        "subtitle": subtitle(len(every), scored_on, today),
        "empty": not every,
        "unscored": bool(every) and scored_on is None,
        "may_import": user.sees_all_clients,
    }
    swap = target_of(request) == LIST
    detail = {"console": True, "count": len(shown), "filters": {"light": asked.chosen, "search": asked.search}}
    audit.record(actor=user, action="client.list", object_type="client", detail=detail, now=now)
    return answer(request, "dashboard/console_listing.html" if swap else "dashboard/console.html", values)


def tiles(every: list[ScoredClient], asked: ListAsked) -> list[Tile]:
    """Return the counts that filter: all, each light, and those without a score where there are any."""
    counts = Counter(one.light for one in every)
    found = [Tile("All clients", "", len(every), "", asked.link(light=None), not asked.chosen)]
    found += [
        Tile(
            f"{LIGHTS[light].label}: {TITLES[light].lower()}", NOTES[light], counts[light], LIGHTS[light].status,
            asked.link(light=light), asked.chosen == light,
        )
        for light in read.LIGHTS
    ]  # fmt: skip
    if counts[None] or asked.chosen == NONE:
        current = asked.chosen == NONE
        found.append(Tile("No score", "nothing is known yet", counts[None], "na", asked.link(light=NONE), current))
    return found


def subtitle(count: int, scored_on: date | None, today: date) -> str:
    """Return how many clients there are and of which day their scores are."""
    clients = plural(count, "client")
    return f"{clients}. Scores of {day(scored_on, today)}." if scored_on else f"{clients}. Not scored yet."


def _change(one: ScoredClient) -> int | None:
    return one.row.trend_change if one.row else None
