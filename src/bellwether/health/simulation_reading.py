"""Reads the portfolio of the newest scored day for simulations: what every score was made of, and where it stands.

Kept in the memory of the process until a scoring, an activation or a change of the clients: moving a slider reads
nothing but whether that is so.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Any

import polars as pl
from django.db.models import Count, FloatField, Max, TextField
from django.db.models.functions import Cast

from bellwether.health.configs import configs_of
from bellwether.health.engine import score_measures, with_expected_dau
from bellwether.health.inputs import Schema
from bellwether.health.measures import MEASURES, MEASURES_BY_SLUG, Unit
from bellwether.health.models import ConfigActivation, HealthScore, MeasureValue
from bellwether.health.rows import read_frame
from bellwether.health.scorecard import Scorecard, load_scorecard
from bellwether.health.simulation import STANDING
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

MOST_KEPT = 4
ROWS: Schema = {
    **STANDING, "tier": pl.String, "segment": pl.String, "version": pl.String, "previous_score": pl.Int32,
    "inputs": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class ScoredPortfolio:
    """The active clients that have a row of `scorecard` on its newest day, by name.

    `measures` is what the engine reads (client_id, date, every measure but those that the scorecard derives,
    previous_score); `standing` has simulation.STANDING and tier, segment and version of the configuration, in the same
    order. `day` is None where nobody was ever scored.
    """

    scorecard: str
    day: date | None
    measures: pl.DataFrame
    standing: pl.DataFrame

    def of(self, client_ids: Sequence[str]) -> "ScoredPortfolio":
        """Return the part of it that holds `client_ids` (32 hex digits)."""
        wanted = self.standing["client_id"].is_in(list(client_ids))
        return ScoredPortfolio(self.scorecard, self.day, self.measures.filter(wanted), self.standing.filter(wanted))


_kept: OrderedDict[str, tuple[Any, ScoredPortfolio]] = OrderedDict()
_lock = Lock()


def scored_portfolio(scorecard: str, user: StaffUser) -> ScoredPortfolio:
    """Return the part of the portfolio that `user` may see; four small queries where nothing has changed."""
    whole = _whole(scorecard)
    if user.is_active and user.sees_all_clients:
        return whole
    ids = Client.objects.active().visible_to(user).values_list("pk", flat=True)
    return whole.of([client_id.hex for client_id in ids])


def with_customs_of(portfolio: ScoredPortfolio, card: Scorecard) -> pl.DataFrame:
    """Return the measures with the newest values of the custom ones that `card` reads; one query if it reads any."""
    own = card.measures - set(MEASURES_BY_SLUG)
    measures = portfolio.measures
    if not own or measures.is_empty():
        return measures
    rows = MeasureValue.objects.filter(measure__slug__in=own, date=portfolio.day or date.min)
    schema: Schema = {"client_id": pl.String, "slug": pl.String, "value": pl.Float64}
    values = read_frame(rows.order_by(), schema, {"slug": "measure__slug"})
    for slug in sorted(own):
        found = values.filter(pl.col("slug") == slug).select("client_id", pl.col("value").alias("newest"))
        joined = measures.select("client_id").join(found, on="client_id", how="left", maintain_order="left")
        stored = measures[slug] if slug in measures.columns else pl.Series(slug, [None], pl.Float64)
        measures = measures.with_columns(joined["newest"].alias(slug))
        if stored.len() == measures.height:
            measures = measures.with_columns(pl.coalesce(pl.col(slug), stored).alias(slug))
    return measures


def forget() -> None:
    """Let go of what is kept: the next simulation reads it anew."""
    with _lock:
        _kept.clear()


def _whole(scorecard: str) -> ScoredPortfolio:
    day = HealthScore.objects.filter(scorecard=scorecard).aggregate(day=Max("date"))["day"]
    key = _key(scorecard, day)
    with _lock:
        kept = _kept.get(scorecard)
    if kept is not None and kept[0] == key:
        return kept[1]
    made = _load(scorecard, day)
    with _lock:
        _kept[scorecard] = (key, made)
        _kept.move_to_end(scorecard)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return made


def _key(scorecard: str, day: date | None) -> tuple[Any, ...]:
    rows = HealthScore.objects.filter(scorecard=scorecard, date=day or date.min)
    scores = rows.aggregate(made=Max("created_at"), rows=Count("pk"))
    clients = Client.objects.active().aggregate(changed=Max("updated_at"), clients=Count("pk"))
    activation = ConfigActivation.objects.aggregate(newest=Max("pk"))
    changed: datetime | None = clients["changed"]
    return day, scores["made"], scores["rows"], changed, clients["clients"], activation["newest"]


def _load(scorecard: str, day: date | None) -> ScoredPortfolio:
    rows = HealthScore.objects.filter(scorecard=scorecard, date=day or date.min, client__archived_at=None)
    sources: dict[str, Any] = {
        "name": "client__name",
        "arr": Cast("client__annual_recurring_revenue", FloatField()),
        "score": "overall_score",
        "health_status": "status",  # replaced below by the product's word
        "tier": "client__contract_tier",
        "segment": "client__segment",
        "version": "weights_version",
        "inputs": Cast("inputs", TextField()),
    }
    found = read_frame(rows.order_by("client__name", "client_id"), ROWS, sources)
    cards = _cards(found["version"].unique().to_list(), scorecard)
    measures = _measures(found, day, cards)
    standing = found.select(*STANDING, "tier", "segment", "version")
    standing = standing.with_columns(_product_status(measures, standing, cards))
    return ScoredPortfolio(scorecard, day, measures, standing)


def _cards(versions: Sequence[str], scorecard: str) -> dict[str, Scorecard]:
    known = configs_of(versions)
    return {
        version: known[version].scorecard if version in known else load_scorecard(scorecard) for version in versions
    }


def _measures(found: pl.DataFrame, day: date | None, cards: dict[str, Scorecard]) -> pl.DataFrame:
    """Return the inputs of the scores as columns. What the scorecard derives from them is left to the engine."""
    kinds: dict[str, Any] = {
        m.slug: pl.String if m.unit is Unit.WORD else pl.Int64 if m.whole else pl.Float64
        for m in MEASURES
        if m.slug not in {"previous_score", "expected_dau"}
    }
    own = {slug for card in cards.values() for slug in card.measures} - set(MEASURES_BY_SLUG)
    kinds |= dict.fromkeys(sorted(own), pl.Float64)
    values = found["inputs"].str.json_decode(pl.Struct(kinds)).struct.unnest()
    head = found.select("client_id", pl.lit(day, pl.Date).alias("date"))
    return head.hstack(values).with_columns(found["previous_score"])


def _product_status(measures: pl.DataFrame, standing: pl.DataFrame, cards: dict[str, Scorecard]) -> pl.Series:
    """Return the product's band of each stored score, by the configuration that made it."""
    status = pl.Series("health_status", [None], pl.String).new_from_index(0, standing.height)
    for version, card in cards.items():
        rows = (standing["version"] == version).arg_true()
        scored = score_measures(with_expected_dau(measures[rows], card), card)
        status = status.scatter(rows, scored["health_status"])
    return status
