"""Where the back-test of a draft stands: never run, under way, failed, without enough history, or done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from bellwether.dashboard.scorecard_backtest import BacktestView, backtest_view
from bellwether.dashboard.scorecard_form import Asked
from bellwether.dashboard.scorecard_state import State
from bellwether.health import backtest
from bellwether.health.models import BacktestRun
from bellwether.health.scorecard import definition_digest
from bellwether.web.formatting import moment

JOIN = "&horizon="


@dataclass(frozen=True)
class Card:
    """The card. `mine`: the figures are those of the draft itself, else those of the version in use.

    `waiting`: the back-test of the draft is queued or at work; `href` is then asked again until it is done.
    """

    view: BacktestView | None
    mine: bool
    name: str
    ran: str
    may_run: bool
    why_not: str
    waiting: bool
    stage: str
    percent: int | None
    failed: str
    href: str
    horizon_href: str
    horizon_part: str
    suggestion: str
    suggested_href: str


def backtest_card(state: State, query: str, *, horizon: int | None, now: datetime) -> Card:
    """Return the card for the draft; `query` is the address of the draft."""
    draft = None if state.scaled else state.draft
    run = backtest.newest_run(definition_digest(draft.definition)) if draft else None
    progress = backtest.state_of(run) if run else None
    shown = run if run and run.result is not None else None
    waiting = bool(progress and progress.state in {"queued", "running"})
    mine = shown is not None
    if shown is None and not waiting:
        shown = backtest.newest_run(state.current_row.digest, finished=True)
    view = None
    if shown is not None:
        result = backtest.shown_to(state.user, shown)
        view = None if result is None else backtest_view(
            result, days=horizon, in_use=state.current.number, sees_all=state.user.sees_all_clients
        )  # fmt: skip
    joined = query or "?"
    part = reverse("scorecard_backtest") + joined
    message, address = _suggestion(view, state)
    return Card(
        view=view,
        mine=mine,
        name="Draft" if mine and state.changed else f"Version {state.current.number}",
        ran=_ran(shown, now) if shown else "",
        may_run=backtest.may_backtest(state.user) and draft is not None,
        why_not="" if backtest.may_backtest(state.user) else "Roles that see all clients start back-tests.",
        waiting=waiting,
        stage=(progress.stage or "Waiting for a worker") if progress else "",
        percent=round(100 * progress.done / progress.total) if progress and progress.total else None,
        failed=progress.error if progress and progress.state == "failed" else "",
        href=part,
        horizon_href=reverse("scorecard") + joined + JOIN,
        horizon_part=part + JOIN,
        suggestion=message,
        suggested_href=address,
    )


def _ran(run: BacktestRun, now: datetime) -> str:
    seconds = (run.result or {}).get("seconds")
    took = "" if seconds is None else f", {max(1, round(seconds))} s"
    return f"Run {moment(run.finished_at, now, settings.BELLWETHER_WORKSPACE_ZONE)}{took}"


def _suggestion(view: BacktestView | None, state: State) -> tuple[str, str]:
    """Return what the back-test suggests in a sentence, and the address that tries it."""
    found: Any = view.suggestion if view else None
    if not found:
        return "", ""
    weights = found.get("weights")
    known = {row.key for row in state.weights}
    if found["state"] != "found" or not weights or not set(weights) <= known:
        return found["message"], ""
    asked = Asked(
        state.scope, state.asked.config, {key: float(value) for key, value in weights.items()}, state.asked.thresholds
    )
    return found["message"], reverse("scorecard") + asked.query()
