"""A world whose hazard is known: the back-test must rank scorecards as they truly see it.

The latent health of 400 clients wanders; every four weeks a client leaves with a probability that its latent health
alone decides. Three measures see it: one through noise of 10 points, one through noise of 30, one not at all. Which
scorecard is truly better is known twice over: by construction (the noise that its weights leave on the signal), and by
how well its scores order the planted hazard, which the back-test never sees.
"""

from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from bellwether.health.backtest_evaluation import Watch, evaluate
from bellwether.health.backtest_outcomes import CHURNS, follow, while_clients
from bellwether.health.backtest_result import Horizon
from bellwether.health.backtest_rules import Candidate, of_scores
from bellwether.health.engine import score_measures
from bellwether.health.scorecard import parse_scorecard, shipped_definition

D = date(2024, 1, 1)
MEASURES = ("csat_90d", "renewal_signal", "nps_latest")
# From best to worst: noise 10; sqrt(5^2 + 15^2) = 16; 30; half the signal and noise sqrt(15^2 + 15^2), that is 42 on
# the whole signal; none of the signal.
NOBODY = pl.DataFrame(schema={"client_id": pl.String, "last_day": pl.Date})
WEIGHTS = {"sharp": (100, 0, 0), "both": (50, 50, 0), "dull": (0, 100, 0), "diluted": (0, 50, 50), "blind": (0, 0, 100)}


def planted() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return client_id, date, the measures and the hazard of every living client and day; and the churns."""
    random = np.random.default_rng(20)
    rows, churns = [], []
    for number in range(400):
        client, latent = f"{number:03}", random.normal(60, 12)
        for step in range(20):
            hazard = 0.5 / (1 + np.exp((latent - 35) / 5))
            seen = (latent + random.normal(0, 10), latent + random.normal(0, 30), 60 + random.normal(0, 30))
            day = D + timedelta(days=28 * step)
            rows.append((client, day, *seen, hazard))
            if random.random() < hazard:
                churns.append((client, day + timedelta(days=int(random.integers(1, 28))), None))
                break
            latent += 0.1 * (60 - latent) + random.normal(0, 6)
    frame = pl.DataFrame(rows, schema=["client_id", "date", *MEASURES, "hazard"], orient="row")
    return frame.with_columns(pl.col(MEASURES).clip(0, 100)), pl.DataFrame(churns, schema=CHURNS, orient="row")


def definition(weights: tuple[int, ...]) -> dict[str, Any]:
    given = deepcopy(shipped_definition("prd-015"))
    given["components"] = [
        {"key": m, "label": m, "weight": w, "formula": {"kind": "scale", "measure": m, "factor": 1}}
        for m, w in zip(MEASURES, weights, strict=True)
    ]
    return given


@pytest.fixture(scope="module")
def outcome() -> tuple[Horizon, pl.DataFrame, list[Candidate]]:
    frame, churns = planted()
    rows = while_clients(frame.rename({"date": "as_of"}), churns, NOBODY).sort("client_id", "as_of")
    measures = rows.rename({"as_of": "date"})
    cards = {name: parse_scorecard(definition(weights)) for name, weights in WEIGHTS.items()}
    candidates = [of_scores(name, name, score_measures(measures, card), card) for name, card in cards.items()]
    last = D + timedelta(days=28 * 20)
    found = evaluate(
        follow(rows, churns, horizon=30, until=last), candidates, days=30, label="churned", watch=Watch(1, "CSM"),
        random=np.random.default_rng(1), draws=300,
    )  # fmt: skip
    return found, rows, candidates


def ranked(found: Horizon) -> list[str]:
    assert found.tested is not None
    tested = [found.tested, *found.against]
    return [one.key for one in sorted(tested, key=lambda one: -(one.auc.value or 0))]


def test_ranks_scorecards_as_they_were_made(outcome: tuple[Horizon, pl.DataFrame, list[Candidate]]) -> None:
    assert ranked(outcome[0]) == list(WEIGHTS)


def test_ranks_scorecards_as_they_see_the_planted_hazard(
    outcome: tuple[Horizon, pl.DataFrame, list[Candidate]],
) -> None:
    found, rows, candidates = outcome
    hazard = rows["hazard"].rank("average").to_numpy()
    truth = {c.key: -np.corrcoef(pl.Series(c.values).rank("average").to_numpy(), hazard)[0, 1] for c in candidates}
    assert ranked(found) == sorted(truth, key=lambda key: -truth[key])


def test_is_sure_of_the_large_differences(outcome: tuple[Horizon, pl.DataFrame, list[Candidate]]) -> None:
    verdicts = {one.key: one.difference.verdict for one in outcome[0].against if one.difference}
    assert verdicts["dull"] == verdicts["diluted"] == verdicts["blind"] == "better"
    blind = next(one for one in outcome[0].against if one.key == "blind")
    assert blind.auc.low95 is not None
    assert blind.auc.high95 is not None
    assert blind.auc.low95 < 0.5 < blind.auc.high95
