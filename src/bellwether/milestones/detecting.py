"""Milestones of the whole portfolio and all its past at once: each rule is a few steps over frames. Pure.

A day is exact where every day before it is known. Where usage began before the facts do, or older days were folded, the
day is the latest on which it can have been: "on or before".
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import polars as pl

from bellwether.milestones.frames import PROGRESS, REACHED, Facts, Found, empty, typed
from bellwether.milestones.rules import Kind, Rule
from bellwether.usage.event_match import EventMatch

RATE_DAYS = 30
"""How many days of use a forecast goes on with."""
FURTHEST_DAYS = 365
"""Later than this no day is forecast."""

Selection = tuple[tuple[EventMatch, ...], bool]
Part = tuple[pl.DataFrame, pl.DataFrame]
"""(client_id, achieved_on, exact, value) and (client_id, value, expected_on) of one rule."""


def detect(rules: Mapping[str, Rule], facts: Facts) -> Found:
    """Return what clients reached by each of `rules` (by key), and how far the others are.

    Nothing is reached after today or after a client left; clients that left make no progress.
    """
    reached, progress = [empty(REACHED)], [empty(PROGRESS)]
    selections = selections_of(rules.values())
    for key, rule in rules.items():
        got, way = _EVALUATE[rule.kind](rule, facts, selections)
        got = got.join(facts.clients.select("client_id", "ended_on"), on="client_id")
        got = got.filter(
            pl.col("achieved_on") <= pl.min_horizontal(pl.lit(facts.today), pl.col("ended_on").fill_null(facts.today))
        )
        reached.append(typed(got.with_columns(key=pl.lit(key)), REACHED))
        still = facts.clients.filter(pl.col("ended_on").is_null() | (pl.col("ended_on") > facts.today))
        way = way.join(still.select("client_id"), on="client_id", how="semi").join(got, on="client_id", how="anti")
        target = pl.col("target") if "target" in way.columns else pl.lit(rule.target)
        progress.append(typed(way.with_columns(key=pl.lit(key), target=target), PROGRESS))
    return Found(pl.concat(reached), pl.concat(progress))


def selections_of(rules: Iterable[Rule]) -> dict[Selection, int]:
    """Return the different selections of events that rules count, with their numbers (COUNTS)."""
    found: dict[Selection, int] = {}
    for rule in rules:
        if rule.kind == Kind.USES:
            found.setdefault((rule.events, rule.people_only), len(found))
    return found


def _uses(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
    """The day on which the running count of events reaches `times`."""
    mine = facts.counts.filter(pl.col("selection") == selections[rule.events, rule.people_only])
    rows = (
        mine.sort("organization_id", "date")
        .with_columns(total=pl.col("events").cum_sum().over("organization_id"))
        .join(facts.clients.select("client_id", "organization_id", "started_on"), on="organization_id")
    )
    before = pl.col("total") - pl.col("events")
    folded = pl.col("folded_to").is_not_null() & (before < rule.times - 1)  # the first of a folded row is on its day
    crossing = rows.filter(pl.col("total") >= rule.times).group_by("client_id", maintain_order=True).first()
    got = crossing.select(
        "client_id",
        achieved_on=pl.when(folded).then("folded_to").otherwise("date"),
        exact=~folded & _is_whole(facts),
        value=pl.lit(float(rule.times)),
    )
    recent = pl.col("date") > facts.today - timedelta(days=RATE_DAYS)
    totals = rows.group_by("client_id").agg(
        value=pl.col("events").sum().cast(pl.Float64), rate=pl.col("events").filter(recent).sum() / RATE_DAYS
    )
    return got, totals.select(
        "client_id", "value", expected_on=_in_days((rule.times - pl.col("value")) / pl.col("rate"), facts)
    )


def _is_whole(facts: Facts) -> pl.Expr:
    """Return whether all of a client's use is in the facts: it did not start before them."""
    if facts.facts_from is None:
        return pl.lit(True)
    return pl.col("started_on").is_null() | (pl.col("started_on") >= facts.facts_from)


def _in_days(days: pl.Expr, facts: Facts) -> pl.Expr:
    usable = days.is_finite() & (days <= FURTHEST_DAYS)
    whole = pl.when(usable).then(days.ceil().clip(1)).otherwise(None).cast(pl.Int64)
    return pl.lit(facts.today) + pl.duration(days=whole)


def _seat_use(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
    """The first day on which the month's users are a share of the seats of the term, else of the client."""
    terms = facts.seats.filter(pl.col("seats") > 0).sort("start_date").rename({"seats": "term_seats"})
    rows = (
        facts.client_days.filter(pl.col("date") <= facts.today)
        .join(facts.clients.select("client_id", "organization_id", "started_on", "seats"), on="organization_id")
        .sort("date")
        .join_asof(terms, left_on="date", right_on="start_date", by="client_id", check_sortedness=False)
        .with_columns(seats=pl.coalesce("term_seats", "seats"))
        .filter(pl.col("seats") > 0)
        .with_columns(value=pl.col("mau") / pl.col("seats"))
    )
    first = rows.filter(pl.col("value") >= rule.at_least).group_by("client_id", maintain_order=True).first()
    got = first.select("client_id", "value", achieved_on="date", exact=~pl.col("folded") & _is_whole(facts))
    last = rows.group_by("client_id", maintain_order=True).last()
    return got, last.select("client_id", "value", expected_on=_NO_DAY)


_NO_DAY = pl.lit(None, dtype=pl.Date)


def _modules(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
    """The day on which the last of the licensed modules was used for the first time."""
    licensed = (
        facts.clients.select("client_id", "organization_id", "started_on", module="modules")
        .explode("module")
        .filter(pl.col("module").is_not_null())
        .with_columns(pl.col("module").str.to_lowercase())
        .unique()
    )
    used = licensed.join(facts.modules, on=["organization_id", "module"], how="left")
    rows = used.group_by("client_id").agg(
        achieved_on=pl.col("date").max(),
        target=pl.len().cast(pl.Float64),
        value=pl.col("date").count().cast(pl.Float64),
        exact=_is_whole(facts).first(),
    )
    got = rows.filter(pl.col("value") == pl.col("target")).drop("target")
    return got, rows.select("client_id", "value", "target", expected_on=_NO_DAY)


def _value(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
    """The first day on which a stored measure or component is at the level; known from the first score on."""
    stored = facts.values.filter(pl.col("measure") == measure_key(rule))
    rows = stored.filter(pl.col("value").is_not_null()).sort("client_id", "date")
    first = rows.filter(pl.col("value") >= rule.at_least).group_by("client_id", maintain_order=True).first()
    got = _from_start(first, "date", facts).select("client_id", "achieved_on", "exact", "value")
    last = rows.group_by("client_id", maintain_order=True).last()
    return got, last.select("client_id", "value", expected_on=_NO_DAY)


def measure_key(rule: Rule) -> str:
    """Return the name of a rule's measure in VALUES: components and measures may share a word."""
    return f"{rule.kind.value}:{rule.measure}"


def _from_start(rows: pl.DataFrame, day: str, facts: Facts) -> pl.DataFrame:
    """Return `rows` with achieved_on and exact: not exact on the first stored day of a client that started before."""
    joined = rows.join(facts.starts.rename({"date": "first_stored"}), on="client_id", how="left").join(
        facts.clients.select("client_id", "started_on"), on="client_id", how="inner"
    )
    older = pl.col("started_on").is_not_null() & (pl.col("started_on") < pl.col("first_stored"))
    at_start = pl.col(day) == pl.col("first_stored")
    return joined.with_columns(achieved_on=pl.col(day), exact=~(at_start & older).fill_null(value=False))


def _health_streak(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
    """The day on which a run of days with a score of the level gets long enough; a day without a score ends a run."""
    past = facts.scores.filter(pl.col("date") <= facts.today)
    good = past.filter(pl.col("score") >= rule.at_least).sort("client_id", "date")
    place = pl.int_range(pl.len()).over("client_id")
    runs = (
        good.with_columns(run=pl.col("date").cast(pl.Int32) - place)
        .group_by("client_id", "run", maintain_order=True)
        .agg(start=pl.col("date").min(), end=pl.col("date").max(), value=pl.len().cast(pl.Float64))
    )
    long = runs.filter(pl.col("value") >= rule.days).group_by("client_id", maintain_order=True).first()
    got = _from_start(long, "start", facts).select(
        "client_id",
        "exact",
        achieved_on=pl.col("start") + pl.duration(days=rule.days - 1),
        value=pl.lit(float(rule.days)),
    )
    newest = past["date"].max()
    going = runs.filter(pl.col("end") == newest) if newest is not None else runs.clear()
    return got, going.select("client_id", "value", expected_on=_in_days(rule.days - pl.col("value"), facts))


def _time(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
    """The day so many days or years after the start of the contract; 29 February counts as 28 in other years."""
    by = f"{12 * rule.years}mo" if rule.years else f"{rule.days}d"
    rows = facts.clients.filter(pl.col("started_on").is_not_null()).select(
        "client_id",
        achieved_on=pl.col("started_on").dt.offset_by(by),
        exact=pl.lit(True),
        elapsed=(pl.lit(facts.today) - pl.col("started_on")).dt.total_days().cast(pl.Float64),
        target=(pl.col("started_on").dt.offset_by(by) - pl.col("started_on")).dt.total_days().cast(pl.Float64),
    )
    way = rows.filter(pl.col("elapsed") >= 0).select("client_id", "target", value="elapsed", expected_on="achieved_on")
    return rows.select("client_id", "achieved_on", "exact", value="target"), way


def _go_live(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
    rows = facts.clients.filter(pl.col("go_live_date").is_not_null())
    got = rows.select("client_id", achieved_on="go_live_date", exact=pl.lit(True), value=pl.lit(1.0))
    coming = rows.filter(pl.col("go_live_date") > facts.today)
    return got, coming.select("client_id", value=pl.lit(0.0), target=pl.lit(1.0), expected_on="go_live_date")


def _happening(what: str) -> Callable[[Rule, Facts, Mapping[Selection, int]], Part]:
    """Return the rule for the n-th record of a kind whose value, if the rule asks for one, is high enough."""

    def evaluate(rule: Rule, facts: Facts, selections: Mapping[Selection, int]) -> Part:
        name = f"{what}:{rule.activity}" if rule.activity else what
        wanted = facts.happenings.filter((pl.col("what") == name) & (pl.col("date") <= facts.today))
        if rule.kind == Kind.NPS:
            wanted = wanted.filter(pl.col("value") >= rule.at_least)
        rows = wanted.sort("client_id", "date").with_columns(place=pl.int_range(1, pl.len() + 1).over("client_id"))
        got = rows.filter(pl.col("place") == rule.times).select(
            "client_id", achieved_on="date", exact=pl.lit(True), value=pl.col("value").fill_null(float(rule.times))
        )
        if rule.times == 1:
            return got, _no_way()
        way = rows.group_by("client_id").agg(value=pl.len().cast(pl.Float64))
        return got, way.select("client_id", "value", expected_on=_NO_DAY)

    return evaluate


def _no_way() -> pl.DataFrame:
    return pl.DataFrame(schema={"client_id": pl.String, "value": pl.Float64, "expected_on": pl.Date})


_EVALUATE: dict[Kind, Callable[[Rule, Facts, Mapping[Selection, int]], Part]] = {
    Kind.USES: _uses,
    Kind.SEAT_USE: _seat_use,
    Kind.MODULES: _modules,
    Kind.COMPONENT: _value,
    Kind.MEASURE: _value,
    Kind.HEALTH_STREAK: _health_streak,
    Kind.TIME: _time,
    Kind.GO_LIVE: _go_live,
    Kind.ACTIVITY: _happening("activity"),
    Kind.RENEWAL: _happening("renewal"),
    Kind.NPS: _happening("nps"),
}
