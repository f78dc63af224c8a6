import numpy as np
import polars as pl
import pytest

from bellwether.churn import precision
from bellwether.churn.factors import FEATURES, SLUGS

pytestmark = pytest.mark.one_database

FULL = pl.DataFrame({slug: [1.0] for slug in SLUGS})


def judged(
    features: pl.DataFrame = FULL,
    *,
    kind: precision.Kind = "HAZARD",
    churned: int = 10,
    low: float = 0.1,
    high: float = 0.3,
) -> list[precision.Judged]:
    count = features.height
    return precision.judge(kind, churned, features, np.full(count, low), np.full(count, high))


def without(*slugs: str) -> pl.DataFrame:
    return FULL.with_columns(pl.lit(None, pl.Float64).alias(slug) for slug in slugs)


def test_a_known_client_of_a_trained_model_has_a_figure() -> None:
    assert judged() == [("FIGURE", "")]
    assert judged(kind="BOOSTED") == [("FIGURE", "")]


@pytest.mark.parametrize(
    ("kind", "churned", "reason"),
    [
        ("PRIOR", 0, "Expert prior, no history yet"),
        ("HAZARD", 9, "Only 9 clients have left so far"),
        ("HAZARD", 1, "Only 1 client has left so far"),
        ("HAZARD", 0, "No client has left so far"),
    ],
)
def test_a_thin_history_gives_a_band_with_its_reason(kind: precision.Kind, churned: int, reason: str) -> None:
    assert judged(kind=kind, churned=churned) == [("BAND", reason)]


def test_few_known_features_say_which_sources_are_missing() -> None:
    sources = ("tickets", "surveys", "contract", "usage")
    missing = [slug for source in sources for slug in precision.SOURCES[source]]
    known = 25 - len(missing)
    assert judged(without(*missing)) == [
        ("BAND", f"Only {known} of 25 features are known: no usage, tickets, surveys, contract")
    ]


def test_half_of_the_features_are_enough() -> None:
    weighted = [feature.slug for feature in FEATURES if feature.weight]
    assert judged(without(*weighted[:12])) == [("FIGURE", "")]
    assert judged(without(*weighted[:13]))[0][0] == "BAND"


def test_features_without_an_expert_weight_do_not_count() -> None:
    assert precision.coverage(without("season_cos", "season_sin")).tolist() == [1.0]
    assert precision.coverage(without("season_cos", "nps_latest")).tolist() == [0.96]


def test_an_interval_from_low_to_high_leaves_the_category_open() -> None:
    assert judged(low=0.12, high=0.63) == [("BAND", "The interval reaches from low (12%) to high (63%)")]
    assert judged(low=0.12, high=0.5) == [("FIGURE", "")]
    assert judged(low=0.2, high=0.63) == [("FIGURE", "")]


def test_each_client_is_judged_by_its_own() -> None:
    assert [one for one, _ in judged(pl.concat([FULL, without(*SLUGS)]))] == ["FIGURE", "BAND"]


@pytest.mark.parametrize(
    ("p90", "category"), [(0.0, "LOW"), (0.199, "LOW"), (0.2, "MEDIUM"), (0.5, "MEDIUM"), (0.501, "HIGH")]
)
def test_category(p90: float, category: str) -> None:
    assert precision.category(p90) == category


def test_every_weighted_feature_but_tenure_has_a_source() -> None:
    named = {slug for slugs in precision.SOURCES.values() for slug in slugs}
    assert {feature.slug for feature in FEATURES if feature.weight} - named == {"tenure_days"}
