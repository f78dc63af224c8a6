"""Which clients meet a trigger on a day, and on which occasion: pure, for all clients at once."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl

from bellwether.playbooks.definition import Trigger
from bellwether.playbooks.frames import MET, TriggerFacts, empty
from bellwether.playbooks.vocabulary import BANDS, SINCE, LoginState

HISTORY_DAYS = 30
"""How far before the days that count a score is looked for, to tell entering a band from being in it."""


def met(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    """Return MET: the clients that meet `trigger` on `facts.today`, with the occasion; at most one row a client.

    The newest occasion counts. What came about longer ago than the trigger's `within_days` enrols nobody.
    """
    found = _KINDS[trigger.kind](trigger, facts)
    if found.is_empty():
        return empty(MET)
    known = found.join(facts.clients.select("client_id"), on="client_id", how="semi")
    columns = [
        pl.col(name).cast(kind) if name in known.columns else pl.lit("").cast(kind).alias(name)
        for name, kind in MET.items()
    ]
    newest = known.select(columns).sort(["client_id", "since", "episode"], descending=[False, True, False])
    return newest.unique("client_id", keep="first", maintain_order=True)


def _recent(column: str, trigger: Trigger, facts: TriggerFacts) -> pl.Expr:
    """Return whether a day lies in the last `within_days`, today included."""
    return pl.col(column).is_between(facts.today - timedelta(days=trigger.within_days - 1), facts.today)


def _alert(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    rows = facts.alerts.filter(pl.col("type").is_in(trigger.types), _recent("opened_on", trigger, facts))
    if trigger.severities:
        rows = rows.filter(pl.col("severity").is_in(trigger.severities))
    return rows.with_columns(
        episode=pl.format("alert:{}", pl.col("alert_id")), since=pl.col("opened_on"), reason=pl.col("title")
    )


def _band(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    """Return clients whose newest score is in the band, since the first day of that run of days if it is recent.

    A client whose very first score is in the band entered it that day.
    """
    inside = (
        pl.col("score") < trigger.score_below
        if trigger.score_below is not None
        else pl.col("status").is_in(trigger.bands)
    )
    rows = facts.scores.filter(pl.col("date") <= facts.today).sort("client_id", "date").with_columns(
        inside=inside.fill_null(False)
    )  # fmt: skip
    changed = pl.col("inside") & ~pl.col("inside").shift(1).over("client_id").fill_null(False)
    runs = rows.with_columns(entered=pl.when(changed).then("date")).with_columns(
        since=pl.col("entered").forward_fill().over("client_id"), last=pl.col("date").max().over("client_id")
    )
    now = runs.filter(pl.col("inside"), pl.col("date") == pl.col("last"), _recent("since", trigger, facts))
    label = (
        pl.format(f"Health score {{}}, below {trigger.score_below}", pl.col("score"))
        if trigger.score_below is not None
        else pl.format("Health became {}", pl.col("status").replace_strict(BANDS, default="").str.to_lowercase())
    )
    return now.with_columns(episode=pl.format("band:{}", pl.col("since")), reason=label)


def _segment(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    rows = facts.segments.filter(pl.col("segment").is_in(trigger.segments), _recent("entered_on", trigger, facts))
    return rows.with_columns(
        episode=pl.format("segment:{}:{}", pl.col("segment").str.slice(0, 80), pl.col("entered_on")),
        since=pl.col("entered_on"),
        reason=pl.format("Entered the segment {}", pl.col("segment")),
    )


def _lifecycle(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    since = {"start": pl.col("start"), "go_live": pl.col("go_live")}.get(
        trigger.since, pl.coalesce(pl.col("go_live"), pl.col("start"))
    )
    days = trigger.days[0]
    rows = facts.clients.with_columns(began=since).filter(pl.col("began").is_not_null())
    rows = rows.with_columns(since=pl.col("began") + pl.duration(days=days)).filter(_recent("since", trigger, facts))
    if trigger.login == LoginState.NEVER:
        rows = rows.filter(pl.col("last_login").is_null())
    elif trigger.login == LoginState.NONE_SINCE:
        rows = rows.filter(pl.col("last_login").is_null() | (pl.col("last_login") <= pl.col("began")))
    said = {
        LoginState.NONE_SINCE: f"No login for {days} days after {SINCE[trigger.since]}",
        LoginState.NEVER: f"Never logged in, {days} days after {SINCE[trigger.since]}",
    }.get(LoginState(trigger.login), f"{days} days after {SINCE[trigger.since]}")
    return rows.with_columns(episode=pl.format(f"lifecycle:{days}:{{}}", pl.col("began")), reason=pl.lit(said))


def _milestone(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    rows = facts.milestones.filter(pl.col("type").is_in(trigger.milestones), _recent("achieved_on", trigger, facts))
    return rows.with_columns(
        episode=pl.format("milestone:{}", pl.col("type")),
        since=pl.col("achieved_on"),
        reason=pl.format("Milestone: {}", pl.col("name")),
    )


def _renewal(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    """Return clients that passed one of the days before their renewal within the last `within_days`."""
    parts = [
        facts.clients.filter(pl.col("renewal_on") >= facts.today)
        .with_columns(since=pl.col("renewal_on") - pl.duration(days=days))
        .filter(_recent("since", trigger, facts))
        .with_columns(
            episode=pl.format(f"renewal:{{}}:{days}", pl.col("renewal_on")),
            reason=pl.format("Renews on {}", pl.col("renewal_on")),
        )
        for days in trigger.days
    ]
    return pl.concat(parts)


def _hand(trigger: Trigger, facts: TriggerFacts) -> pl.DataFrame:
    return empty(MET)


_KINDS: dict[str, Callable[[Trigger, TriggerFacts], pl.DataFrame]] = {
    "alert": _alert,
    "band": _band,
    "segment": _segment,
    "lifecycle": _lifecycle,
    "milestone": _milestone,
    "renewal": _renewal,
    "hand": _hand,
}
