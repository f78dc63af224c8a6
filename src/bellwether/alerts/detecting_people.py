"""KEY_USER_INACTIVE and CHAMPION_RISK: key contacts stay away, champions do less or leave. Pure."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.alerts.defaults import clears_at
from bellwether.alerts.detecting_health import Bools, Floats
from bellwether.alerts.episodes import Span, from_days, from_spans
from bellwether.alerts.frames import EPISODES, Facts, Rules, empty
from bellwether.alerts.matrices import Matrix, matrix
from bellwether.alerts.silence import Calendar, without_silence
from bellwether.common.rounding import NOISE

CHAMPION = "CHAMPION"
NOTABLE_ACTIONS = 10
"""Who did less than this in the days before has nothing to be compared with (as people pages do)."""
LEFT_DAYS = 30
"""For so many days somebody's leaving is news."""


def inactive_key_users(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return KEY_USER_INACTIVE by contact: no login for so many days; clears when the contact logs in."""
    mine = rules.of("KEY_USER_INACTIVE")
    contacts = facts.contacts.join(mine, on="client_id", how="inner")
    person = ["client_id", "contact_id"]
    logins = pl.concat(
        [
            facts.actions.filter(pl.col("actions") > 0).select(*person, "date"),
            contacts.select(*person, pl.col("last_login").alias("date")).drop_nulls(),
        ]
    ).unique()
    gaps = (
        logins.filter(pl.col("date") <= span.last)
        .sort(*person, "date")
        .with_columns(next=pl.col("date").shift(-1).over(person))
        .join(contacts.drop("last_login"), on=person, how="inner")
    )
    if gaps.is_empty():
        return from_spans("KEY_USER_INACTIVE", _no_spans(), span)
    earliest = gaps.select(pl.col("date").min()).item()
    calendar = Calendar(facts.silent["date"].to_list(), min(earliest, span.first), span.last)
    spans = gaps.with_columns(starts_on=calendar.after(gaps["date"], gaps["days"])).select(
        *person,
        "rule_severity",
        "starts_on",
        subject="contact_id",
        ends_on=pl.min_horizontal("next", "gone_on"),
        metric=pl.lit("days_since_login"),
        value=pl.format("last login {}", pl.col("date").cast(pl.String)),
        threshold=pl.format("{} days", pl.col("days").cast(pl.Int64)),
        related_type=pl.lit("contact"),
        related_id="contact_id",
        last_login=pl.col("date").cast(pl.String),
        days=pl.col("days").cast(pl.Int64),
        role="role",
    )
    return from_spans("KEY_USER_INACTIVE", spans.drop_nulls("starts_on"), span, evidence=("last_login", "days", "role"))


def _no_spans() -> pl.DataFrame:
    texts = dict.fromkeys(
        ("client_id", "subject", "rule_severity", "metric", "value", "threshold", "related_type", "related_id"),
        pl.String,
    )
    return pl.DataFrame(schema={**texts, "starts_on": pl.Date, "ends_on": pl.Date})


def champions_at_risk(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return CHAMPION_RISK by contact: far fewer actions than in the days before, or left the company.

    Clears when the champion is back at the share of what they did before it fell that alerts.defaults.clears_at says.
    """
    mine = rules.of("CHAMPION_RISK")
    champions = facts.contacts.filter(pl.col("role") == CHAMPION).join(mine, on="client_id", how="inner")
    parts = [empty(EPISODES)]
    rows = champions.with_columns(pl.col("days").cast(pl.Int64), pl.col("percent").cast(pl.Float64))
    for (window,), group in rows.partition_by("days", as_dict=True).items():
        own = replace(span, clients=span.clients.join(group, on="client_id", how="semi"))
        parts.append(_champions(facts, group, int(str(window)), own))
    return pl.concat(parts)


def _champions(facts: Facts, champions: pl.DataFrame, window: int, span: Span) -> pl.DataFrame:
    person = ["client_id", "contact_id"]
    origin = span.first - timedelta(days=2 * window)
    dates = pl.date_range(origin, span.last, eager=True).alias("date")
    grid = champions.join(dates.to_frame(), how="cross").join(facts.actions, on=[*person, "date"], how="left")
    at = matrix(grid.with_columns(pl.col("actions").fill_null(0)), person)
    now, before = _sums(at.of("actions"), window)
    limit = at.first_of("percent")[:, None] / 100
    enough = before >= NOTABLE_ACTIONS
    days = np.arange(at.days)
    silent = set(facts.silent["date"].to_list())
    if silent:
        kept = without_silence(dates.to_frame(), facts.silent, window)["date"]
        enough &= dates.is_in(kept.implode()).to_numpy()[None, :]
    fewer = enough & (now < limit * before - NOISE)
    people = at.keys.join(champions, on=person, how="left", maintain_order="left")
    left_on = ((people["left_on"] - origin).dt.total_days()).cast(pl.Float64).fill_null(np.inf).to_numpy()[:, None]
    left = (days >= left_on) & (days < left_on + LEFT_DAYS)
    back_at = np.array(
        [clears_at("CHAMPION_RISK", {"percent": percent}) or 100.0 for percent in people["percent"].to_list()]
    )[:, None] / 100  # fmt: skip
    start = _before(at, span)
    reference, back = _follow(at, now, before, fewer, back_at, start, at.column(span.first))
    if silent:
        back &= dates.is_in(kept.implode()).to_numpy()[None, :]
    rows = at.frame(
        now=now.astype(np.int64),
        reference=reference,
        fires=fewer | left,
        clears=back & ~(days >= left_on),
        left=np.broadcast_to(days >= left_on, now.shape),
    ).join(people.select(*person, "rule_severity", "percent", "gone_on", "left_on"), on=person)
    gone = pl.col("gone_on").is_not_null() & (pl.col("date") >= pl.col("gone_on")) & ~pl.col("left")
    told = rows.with_columns(
        subject=pl.col("contact_id"),
        fires=pl.col("fires") & ~gone,
        clears=pl.col("clears") | gone,
        actions="now",
        actions_before=pl.col("reference").fill_nan(None).round().cast(pl.Int64),
        days=pl.lit(window, pl.Int64),
        metric=pl.when("left").then(pl.lit("left_company")).otherwise(pl.lit("actions_30d")),
        value=pl.when("left")
        .then(pl.format("left on {}", pl.col("left_on").cast(pl.String)))
        .otherwise(pl.format("{} actions", "now")),
        threshold=pl.when("left")
        .then(pl.lit(""))
        .otherwise(
            pl.format("{} % of {}", pl.col("percent").cast(pl.Int64), pl.col("reference").fill_nan(None).cast(pl.Int64))
        ),
        related_type=pl.lit("contact"),
        related_id="contact_id",
    )
    return from_days("CHAMPION_RISK", told, span, evidence=("actions", "days", "left"), held=("actions_before",))


def _sums(actions: Floats, window: int) -> tuple[Floats, Floats]:
    """Return the sums over the window that ends on each day, and over the window before that; 0 before the grid."""
    running = np.concatenate([np.zeros((actions.shape[0], 1)), np.cumsum(actions, axis=1)], axis=1)
    days = np.arange(1, actions.shape[1] + 1)
    ends, middles, starts = days, np.maximum(days - window, 0), np.maximum(days - 2 * window, 0)
    return running[:, ends] - running[:, middles], running[:, middles] - running[:, starts]


def _before(at: Matrix, span: Span) -> Floats:
    told = span.before("CHAMPION_RISK").select(
        "client_id",
        contact_id="subject",
        start=pl.col("evidence").str.json_path_match("$.actions_before").cast(pl.Float64, strict=False),
    )
    found = at.keys.join(told, on=["client_id", "contact_id"], how="left", maintain_order="left")
    return found["start"].fill_null(np.nan).to_numpy().copy()


def _follow(
    at: Matrix, now: Floats, before: Floats, fires: Bools, back_at: Floats, start: Floats, begin: int
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return by person and day what was done before an open fall, and whether the person is back."""
    references, back = np.full_like(now, np.nan), np.zeros_like(fires)
    for day in range(max(begin, 0), at.days):
        here = fires[:, day]
        start = np.where(here, np.fmax(start, before[:, day]), start)
        with np.errstate(invalid="ignore"):
            returned = ~here & (now[:, day] > back_at[:, 0] * start + NOISE)
        references[:, day], back[:, day] = start, returned
        start = np.where(returned, np.nan, start)
    return references, back
