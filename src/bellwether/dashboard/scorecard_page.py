"""How the health score is made: weights, thresholds, what a change would do, and the versions so far."""

from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.common.time import day_of
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.scorecard_actions import published_of
from bellwether.dashboard.scorecard_backtest_card import backtest_card
from bellwether.dashboard.scorecard_effect import changes_csv, effect_view
from bellwether.dashboard.scorecard_form import LIMIT, WEIGHT, Asked, read_asked, scope_text
from bellwether.dashboard.scorecard_state import State, state_of
from bellwether.dashboard.scorecard_tabs import scope_choices, tabs_of
from bellwether.dashboard.scorecard_versions import version_rows
from bellwether.health.config_scopes import Scope
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day, status_of

WHO_PUBLISHES = "Only administrators save and publish. You can move the sliders and see what they would do."
BANDS = (("healthy", "HEALTHY"), ("monitor", "MONITOR"), ("at_risk", "AT_RISK"))


@require_GET
@login_required
def scorecard(request: HttpRequest) -> HttpResponse:
    """Show the scorecard in use, or a draft of it with its effect on the clients that the reader sees."""
    user, now = cast(StaffUser, request.user), timezone.now()
    wanted = request.GET.get("client", "").strip()
    if wanted:
        return _scope_of_client(request, wanted, user)
    state = state_of(user, asked_of(request), now=now)
    audit.record(actor=user, action="scorecard.read", object_type="config", object_id=state.base.pk, now=now)
    values = page_values(state, now, horizon=horizon_of(request))
    values["published"] = published_of(request.GET.get("run", ""), request.GET.get("published", ""), now)
    return answer(request, "dashboard/scorecard.html", values)


@require_GET
@login_required
def preview(request: HttpRequest) -> HttpResponse:
    """Show what the draft of the form would do: the part of the page that follows the sliders."""
    user, now = cast(StaffUser, request.user), timezone.now()
    state = state_of(user, asked_of(request), now=now)
    detail = {"weights": {row.key: row.weight for row in state.weights}}
    audit.record(
        actor=user, action="config.simulate", object_type="config", object_id=state.base.pk, detail=detail, now=now
    )
    response = answer(request, "dashboard/scorecard_preview.html", draft_values(state, now))
    response["HX-Replace-Url"] = reverse("scorecard") + address_of(state)
    return response


@require_GET
@login_required
def backtest(request: HttpRequest) -> HttpResponse:
    """Show where the back-test of the draft stands: the part of the page that is asked again while it is made."""
    user, now = cast(StaffUser, request.user), timezone.now()
    state = state_of(user, asked_of(request), now=now)
    values = draft_values(state, now, horizon=horizon_of(request))
    return answer(request, "dashboard/scorecard_backtest.html", values)


@require_GET
@login_required
def changes(request: HttpRequest) -> HttpResponse:
    """Return every client whose score or band would change as CSV."""
    user, now = cast(StaffUser, request.user), timezone.now()
    state = state_of(user, asked_of(request), now=now)
    if state.effect is None:
        return HttpResponse("The draft cannot be used: " + state.why_not, status=422, content_type="text/plain")
    text, count = changes_csv(state.effect)
    detail = {"count": count, "weights": {row.key: row.weight for row in state.weights}}
    audit.record(
        actor=user, action="scorecard.export", object_type="config", object_id=state.base.pk, detail=detail, now=now
    )
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    name = f"health-score-changes-{day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _scope_of_client(request: HttpRequest, name: str, user: StaffUser) -> HttpResponse:
    """Go to the configuration of the only visible client that `name` fits, or say why that cannot be."""
    seen = Client.objects.visible_to(user).active().order_by("name")
    found = list(seen.filter(name__iexact=name)[:2]) or list(seen.filter(name__icontains=name)[:4])
    if len(found) == 1:
        return redirect(reverse("scorecard") + Asked(scope=Scope(client_id=found[0].pk)).query())
    names = ", ".join(client.name for client in found[:3])
    messages.error(request, f"{name!r} fits several clients: {names}." if found else f"No client is called {name!r}.")
    return redirect("scorecard")


def asked_of(request: HttpRequest) -> Asked:
    """Return what the query of the request asks for."""
    return read_asked(request.GET.dict())  # type: ignore[arg-type]


def horizon_of(request: HttpRequest) -> int | None:
    """Return the horizon of the back-test that is asked for, in days."""
    text = request.GET.get("horizon", "")
    return int(text) if text.isdigit() and len(text) < 5 else None


def address_of(state: State) -> str:
    """Return the query that brings the draft back: only what differs from the version that it starts from."""
    asked = state.asked
    own = {component["key"]: float(component["weight"]) for component in state.base.definition["components"]}
    limits = {"healthy": 80, "monitor": 60, "at_risk": 40} | dict(state.base.definition.get("thresholds", {}))
    return Asked(
        scope=state.scope,
        config=asked.config,
        weights={key: value for key, value in asked.weights.items() if own.get(key) != value},
        thresholds={name: value for name, value in asked.thresholds.items() if limits[name] != value},
        everybody=asked.everybody,
    ).query()


def draft_values(state: State, now: datetime, *, horizon: int | None = None) -> dict[str, Any]:
    """Return what the parts that follow the sliders show."""
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    effect = state.effect
    query = address_of(state)
    joined = "&" if query else "?"
    return {
        "state": state,
        "may_edit": state.user.may_configure,
        "effect": effect_view(effect, everybody=state.asked.everybody) if effect else None,
        "as_of": day(effect.day, today) if effect and effect.day else "",
        "whose": "the portfolio" if state.user.sees_all_clients else "your portfolio",
        "draft_sentence": _sentence(state),
        "draft_query": query,
        "export_href": reverse("scorecard_changes") + query,
        "all_href": "" if state.asked.everybody else f"{reverse('scorecard')}{query}{joined}show=all#effect",
        "balance_href": reverse("scorecard") + _balanced(state),
        "problems": _problems(state),
        "backtest": backtest_card(state, query, horizon=horizon, now=now),
        "definition_href": reverse("scorecard_definition") + query,
    }


def page_values(state: State, now: datetime, *, horizon: int | None = None) -> dict[str, Any]:
    """Return what the whole page shows."""
    most = max([row.weight for row in state.weights] + [row.was or 0 for row in state.weights])
    limits = state.thresholds
    return draft_values(state, now, horizon=horizon) | {
        "tabs": tabs_of(state),
        "versions": version_rows(state, now),
        "choices": scope_choices(state),
        "who_publishes": WHO_PUBLISHES,
        "scope_text": scope_text(state.scope),
        "most": 50 if most <= 50 else 100,
        "weight_name": WEIGHT,
        "limit_name": LIMIT,
        "limits": [(name, status_of(word), limits[name]) for name, word in BANDS],
        "reset_href": reverse("scorecard") + Asked(scope=state.scope).query(),
    }


def _sentence(state: State) -> str:
    in_use = f"Version {state.current.number}"
    for_whom = "" if state.scope.is_default else f" for {state.scope.words[0].lower()}{state.scope.words[1:]}"
    own = state.current.scope == state.scope
    if not state.changed:
        return f"{in_use} is in use{for_whom}{'' if own else ': the one of all clients'}."
    return f"Draft of version {state.publishes}{for_whom}. {in_use} stays in use until you publish."


def _problems(state: State) -> list[str]:
    """Return what is wrong with the draft, a sentence each."""
    labels = {f"weights.{row.key}": row.label for row in state.weights}
    names = {"weights": "The weights", "scope": "The address", "": "The draft"}
    names |= {f"thresholds.{name}": status_of(word).label for name, word in BANDS}
    return [f"{labels.get(field) or names.get(field) or field} {text}" for field, text in state.problems.items()]


def _balanced(state: State) -> str:
    """Return the query of the same draft with whole weights that sum to 100, in the same proportions."""
    if state.total <= 0 or min(row.weight for row in state.weights) < 0:
        return Asked(scope=state.scope, config=state.asked.config).query()
    exact = {row.key: row.weight * 100 / state.total for row in state.weights}
    whole = {key: int(value) for key, value in exact.items()}
    left = round(100 - sum(whole.values()))
    for key in sorted(exact, key=lambda key: (whole[key] - exact[key], key))[:left]:
        whole[key] += 1
    weights = {key: float(value) for key, value in whole.items()}
    return Asked(state.scope, state.asked.config, weights, state.asked.thresholds).query()
