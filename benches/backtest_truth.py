"""Does the back-test rank scorecards as the demo's planted truth does? Run on a demo of 1,000 clients:

    bellwether demo --clients 1000 --no-serve
    python -m benches.backtest_truth [--horizon 90]

The truth comes from demo/truth.parquet, which the product never reads: the true probability that the client leaves
within 90 days, as an oracle would have said on that day. The true worth of a ranking is the AUC that it would have on
the mean over all that might have come: how probably a row that leaves has a lower value than one that stays, when every
row leaves with its true probability. Exit status 1 where two rankings whose true worth differs by 0.03 or more, about
what 70 churned clients can tell, are in the other order by the back-test's AUC.
"""

# ruff: noqa: E402 (Django is set up before its models are imported)
import argparse
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
import django

django.setup()

import numpy as np
import polars as pl
from django.conf import settings
from django.utils import timezone

from bellwether.demo.home import truth_path
from bellwether.health.backtest_metrics import auc, tally
from bellwether.health.backtest_outcomes import as_of_dates, follow, while_clients
from bellwether.health.backtest_parameters import STEP_DAYS
from bellwether.health.backtest_reading import churns, first_day, ids_by_organization, last_days
from bellwether.health.backtest_rules import RULES, of_scores
from bellwether.health.backtest_suggestion import with_weights
from bellwether.health.engine import score_measures
from bellwether.health.replay import replay_measures
from bellwether.health.scorecard import SCORECARDS, parse_scorecard, shipped_definition
from bellwether.usage.workspace import workspace_lake

CLEAR = 0.03


def main() -> int:
    """Print true worth and AUC of every ranking, the truly best first; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--horizon", type=int, default=90)
    horizon = parser.parse_args().horizon
    now = timezone.now()
    main_card = shipped_definition("prd-015")
    keys = [component["key"] for component in main_card["components"]]
    definitions = {name: shipped_definition(name) for name in SCORECARDS}
    definitions |= {
        f"prd-015, {key} alone": with_weights(main_card, {k: 100 if k == key else 0 for k in keys}) for key in keys
    }
    cards = {name: parse_scorecard(definition) for name, definition in definitions.items()}
    dates = as_of_dates(first_day(workspace_lake(), now.date()), now.date(), STEP_DAYS)
    measures = pl.concat(replay_measures(dates, now=now, scorecards=list(cards.values()))).sort("client_id", "date")
    measures = while_clients(measures.rename({"date": "as_of"}), churns(), last_days()).rename({"as_of": "date"})
    rows = measures.select("client_id", pl.col("date").alias("as_of"))
    candidates = [of_scores(name, name, score_measures(measures, card), card) for name, card in cards.items()]
    candidates += [rule(measures) for rule in RULES.values()]
    label = follow(rows, churns(), horizon=horizon, until=now.date()).rows["label"].to_numpy()
    leaves = true_chances(rows)
    clients = rows["client_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    found: list[tuple[str, float, float]] = []
    for one in candidates:
        use = one.known & (label >= 0)
        table = tally(one.values[use], label[use] == 1, clients[use], int(clients.max()) + 1)
        true = expected_auc(one.values[one.known], leaves[one.known])
        found.append((one.title, true, float(auc(*table.drawn())[0])))
    found.sort(key=lambda row: -row[1])
    print(f"{'ranking':<28}{'true worth':>11}{f'AUC {horizon} d':>11}")
    for title, true, seen in found:
        print(f"{title:<28}{true:>11.3f}{seen:>11.3f}")
    pairs = [(a, b) for n, a in enumerate(found) for b in found[n + 1 :] if a[1] - b[1] >= CLEAR]
    wrong = [f"{a[0]} before {b[0]}" for a, b in pairs if a[2] <= b[2]]
    print(
        f"{len(pairs) - len(wrong)} of {len(pairs)} pairs that truly differ by {CLEAR} or more are in the true order."
    )
    for pair in wrong:
        print(f"  not so: {pair}")
    return 1 if wrong else 0


def true_chances(rows: pl.DataFrame) -> np.ndarray:
    """Return per row of client_id and as_of the true probability to leave within 90 days, 0 where there is none."""
    truth = pl.read_parquet(truth_path(settings.HOME)).join(ids_by_organization(), on="organization_id")
    told = truth.select("client_id", pl.col("date").alias("as_of"), "p90")
    found = rows.join(told, on=["client_id", "as_of"], how="left", maintain_order="left")
    return found["p90"].fill_null(0.0).to_numpy()


def expected_auc(values: np.ndarray, chances: np.ndarray) -> float:
    """Return how probably a row that leaves has a lower value than one that stays, ties counting half."""
    distinct, at = np.unique(values, return_inverse=True)
    leave = np.bincount(at, weights=chances, minlength=len(distinct))
    stay = np.bincount(at, weights=1 - chances, minlength=len(distinct))
    higher = stay.sum() - np.cumsum(stay) + stay / 2
    return float(leave @ higher / (leave.sum() * stay.sum()))


if __name__ == "__main__":
    sys.exit(main())
