"""Two versions of the scorecard side by side, and the difference in words."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from bellwether.dashboard.client_access import answer
from bellwether.dashboard.scorecard_state import seen_scope
from bellwether.health.config_scopes import scope_of
from bellwether.health.config_words import difference_in_words
from bellwether.health.configs import main_scorecard
from bellwether.health.custom_registry import known_measures
from bellwether.health.formulas import parse_formula
from bellwether.health.models import HealthScoreConfig
from bellwether.portfolio.models import Client
from bellwether.staff import audit
from bellwether.staff.models import StaffUser

MOST = 200


@require_GET
@login_required
def compare(request: HttpRequest) -> HttpResponse:
    """Show what differs between the versions `a` and `b`; without them the two newest."""
    user, now = cast(StaffUser, request.user), timezone.now()
    rows = list(HealthScoreConfig.objects.filter(scorecard=main_scorecard()).order_by("-version")[:MOST])
    clients = [row.applies_to_client_id for row in rows if row.applies_to_client_id]
    seen = set(Client.objects.visible_to(user).filter(pk__in=clients).values_list("pk", flat=True))
    rows = [row for row in rows if row.applies_to_client_id is None or row.applies_to_client_id in seen]
    before = _asked(request, "a", rows, at=1)
    after = _asked(request, "b", rows, at=0)
    audit.record(actor=user, action="config.compare", object_type="config", object_id=after.pk, now=now)
    return answer(
        request,
        "dashboard/scorecard_compare.html",
        {
            "versions": [(str(row.pk), f"Version {row.version}{_for(row, user)}") for row in rows],
            "before": before,
            "after": after,
            "sentences": sentences(before, after),
            "lines": _lines(before.definition, after.definition),
        },
    )


def sentences(before: HealthScoreConfig, after: HealthScoreConfig) -> list[str]:
    """Return the difference in words, a sentence each; none where the versions say the same."""
    return difference_in_words(before.definition, after.definition, labels=measure_labels(before, after))


def _asked(request: HttpRequest, name: str, rows: list[HealthScoreConfig], *, at: int) -> HealthScoreConfig:
    text = request.GET.get(name, "")
    if not text:
        if not rows:
            raise Http404
        return rows[min(at, len(rows) - 1)]
    try:
        wanted = UUID(text)
    except ValueError as error:
        raise Http404 from error
    found = next((row for row in rows if row.pk == wanted), None)
    if found is None:
        raise Http404
    return found


def _for(row: HealthScoreConfig, user: StaffUser) -> str:
    scope = scope_of(row)
    return "" if scope.is_default else f" ({seen_scope(user, scope).words})"


def measure_labels(*rows: HealthScoreConfig) -> dict[str, str]:
    """Return every measure's label by slug; those that are no longer there stand for themselves."""
    labels = {slug: measure.label for slug, measure in known_measures().items()}
    for row in rows:
        for component in row.definition["components"]:
            for slug in parse_formula(component["formula"]).measures:
                labels.setdefault(slug, slug)
    return labels


def _lines(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Return (name, before, after, whether they differ) for weights and thresholds."""
    old = {component["key"]: component for component in before["components"]}
    new = {component["key"]: component for component in after["components"]}
    found = []
    for key in dict.fromkeys([*new, *old]):
        texts = [f"{side[key]['weight']:g}%" if key in side else "–" for side in (old, new)]
        found.append(((new.get(key) or old[key])["label"], texts[0], texts[1], texts[0] != texts[1]))
    limits = {"healthy": 80, "monitor": 60, "at_risk": 40}
    for name, label in (("healthy", "Healthy from"), ("monitor", "Monitor from"), ("at_risk", "At risk from")):
        texts = [str((limits | dict(side.get("thresholds", {})))[name]) for side in (before, after)]
        found.append((label, texts[0], texts[1], texts[0] != texts[1]))
    return found
