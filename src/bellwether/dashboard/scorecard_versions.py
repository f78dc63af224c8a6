"""The version history of the health score page: what changed, why, who, how well it foretold churn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.dashboard.scorecard_form import Asked
from bellwether.dashboard.scorecard_state import State
from bellwether.dashboard.scorecard_tabs import scope_label
from bellwether.health.config_scopes import scope_of
from bellwether.health.models import BacktestRun, ConfigActivation, HealthScoreConfig
from bellwether.portfolio.models import Client
from bellwether.web.formatting import day, signed, status_of

MOST = 50
LIMIT_WORDS = {"healthy": "HEALTHY", "monitor": "MONITOR", "at_risk": "AT_RISK"}


@dataclass(frozen=True)
class VersionRow:
    """A version. `state` is "draft" (never in force), "in use" or "" (was in force)."""

    number: int
    state: str
    for_whom: str
    change: str
    reason: str
    auc: str
    who: str
    date: str
    open: bool
    open_href: str
    compare_href: str
    restore_href: str
    may_restore: bool


def version_rows(state: State, now: datetime) -> list[VersionRow]:
    """Return the newest versions of the scorecard, those for clients that the reader does not see left out."""
    found = HealthScoreConfig.objects.filter(scorecard=state.scorecard).order_by("-version")
    rows = list(found.select_related("created_by", "applies_to_client", "previous_version")[:MOST])
    seen = _visible(state, rows)
    rows = [row for row in rows if row.applies_to_client_id is None or row.applies_to_client_id in seen]
    activated = {
        config_id: (reason, at)
        for config_id, reason, at in ConfigActivation.objects.filter(scorecard=state.scorecard)
        .exclude(config=None)
        .order_by("activated_at", "id")
        .values_list("config_id", "reason", "activated_at")
    }
    in_use = {config.config_id for config in state.configs.by_version.values()}
    aucs = _aucs([row.digest for row in rows])
    names = {row.applies_to_client.pk: row.applies_to_client.name for row in rows if row.applies_to_client}
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    return [_row(row, state, activated, in_use, aucs, names, today) for row in rows]


def _row(
    row: HealthScoreConfig,
    state: State,
    activated: Mapping[UUID, tuple[str, datetime]],
    in_use: set[UUID | None],
    aucs: Mapping[str, str],
    names: Mapping[Any, str],
    today: Any,
) -> VersionRow:
    scope = scope_of(row)
    word = "in use" if row.pk in in_use else "" if row.pk in activated else "draft"
    address = reverse("scorecard") + Asked(scope=scope, config=row.pk).query()
    compared = state.current_row.pk if row.pk != state.current_row.pk else row.previous_version_id
    return VersionRow(
        number=row.version,
        state=word,
        for_whom="" if scope.is_default else scope_label(scope, dict(names)),
        change=_change(row),
        reason=activated.get(row.pk, (row.reason, None))[0] or row.reason,
        auc=aucs.get(row.digest, ""),
        who=row.created_by.name if row.created_by else "Bellwether",
        date=day(day_of(row.created_at, settings.BELLWETHER_WORKSPACE_ZONE), today),
        open=row.pk == state.base.pk,
        open_href=address if word == "draft" and row.pk != state.base.pk else "",
        compare_href=f"{reverse('scorecard_compare')}?a={compared}&b={row.pk}" if compared else "",
        restore_href=address,
        may_restore=state.user.may_configure and word == "" and row.pk != state.base.pk,
    )


def _change(row: HealthScoreConfig) -> str:
    before = row.previous_version
    if before is None:
        return row.reason if row.reason == "As shipped" else "First version"
    words = change_words(before.definition, row.definition)
    if not words and scope_of(before) != scope_of(row):
        return f"Separate configuration for {scope_of(row).words}"
    return words or "The same"


def change_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the difference between two definitions in a few words: "Usage +5, support −10, healthy from 85"."""
    old = {component["key"]: component for component in before["components"]}
    new = {component["key"]: component for component in after["components"]}
    parts = [f"{c['label']} added at {c['weight']:g}%" for key, c in new.items() if key not in old]
    parts += [f"{c['label']} removed" for key, c in old.items() if key not in new]
    both = [key for key in new if key in old]
    moved = [(new[key]["label"], new[key]["weight"] - old[key]["weight"]) for key in both]
    parts += [f"{label} {signed(by)}" for label, by in moved if abs(by) > 1e-9]
    if not before.get("points"):
        parts += [f"{new[key]['label']} measured anew" for key in both if new[key]["formula"] != old[key]["formula"]]
    limits = {"healthy": 80, "monitor": 60, "at_risk": 40}
    was, now = limits | dict(before.get("thresholds", {})), limits | dict(after.get("thresholds", {}))
    parts += [
        f"{status_of(word).label} from {now[name]}" for name, word in LIMIT_WORDS.items() if now[name] != was[name]
    ]
    rest = {"components", "thresholds", "bands", "title"}
    if not parts and any(before.get(key) != after.get(key) for key in {*before, *after} - rest):
        parts.append("Rules changed")
    return ", ".join([*parts[:1], *[part[:1].lower() + part[1:] for part in parts[1:]]])


def _visible(state: State, rows: list[HealthScoreConfig]) -> set[UUID]:
    ids = [row.applies_to_client_id for row in rows if row.applies_to_client_id]
    return set(Client.objects.visible_to(state.user).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def _aucs(digests: list[str]) -> dict[str, str]:
    """Return the AUC of the newest finished back-test of each definition, at the horizon that it prefers."""
    found: dict[str, str] = {}
    runs = BacktestRun.objects.filter(digest__in=set(digests), result__isnull=False).order_by("created_at")
    for digest, stored in runs.values_list("digest", "result"):
        result = stored or {"horizons": [], "horizon": 0}
        shown = next((one for one in result["horizons"] if one["days"] == result["horizon"]), None)
        value = ((shown or {}).get("tested") or {}).get("auc", {}).get("value")
        if value is not None:
            found[digest] = f"{value:.2f}"
    return found
