"""From rows, what followed them and what ranked them to the figures of a back-test. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
import polars as pl

from bellwether.health import backtest_metrics as metrics
from bellwether.health.backtest_alarms import episodes, false_alarms, flagged_losses
from bellwether.health.backtest_metrics import Bools, Floats, Ints
from bellwether.health.backtest_outcomes import CENSORED, Followed
from bellwether.health.backtest_result import Difference, Horizon, Interval, Sample, State, Tested, Verdict
from bellwether.health.backtest_rules import Candidate

LEAST_CHURNED, LEAST_CLIENTS = 10, 30
"""Fewer churned clients leave an AUC uncertain by more than about ± 0.15 (80 %), so that it separates no score from a
coin; fewer clients have no tenths."""

FEW_CHURNED = 30
"""Under about 30 churned clients the interval of an AUC is still wider than most differences between scores."""

DRAWS = 1000


@dataclass(frozen=True)
class Watch:
    """Who looks after the clients: a number of CSMs ("CSM"), or of 25 clients each ("25 clients")."""

    watchers: float
    per: str


def evaluate(
    followed: Followed,
    candidates: Sequence[Candidate],
    *,
    days: int,
    label: str,
    watch: Watch,
    random: np.random.Generator,
    in_use: str | None = None,
    draws: int = DRAWS,
) -> Horizon:
    """Return the figures of one horizon. The first candidate is the one that is tested; `in_use` is another's key.

    Candidates have one value per row of `followed.rows`, which are in order of client and day.
    """
    sample, clients, decided = _sample(followed, candidates[0])
    state, message = judge(sample, days)
    if state == "not enough history":
        return Horizon(days, label, state, message, sample)
    weights = metrics.cluster_weights(random, sample.clients, draws)
    data = _Data(followed, clients, decided, weights, watch)
    tested = data.tested(candidates[0])
    others = [data.tested(other, against=candidates[0]) for other in candidates[1:]]
    return Horizon(
        days, label, state, message, sample, tested,
        next((one for one in others if one.key == in_use), None), [one for one in others if one.key != in_use],
    )  # fmt: skip


def judge(sample: Sample, days: int) -> tuple[State, str]:
    """Return whether the sample is enough, and a sentence about it for people."""
    if sample.churned < LEAST_CHURNED or sample.clients < LEAST_CLIENTS:
        return (
            "not enough history",
            f"Not enough history: {sample.churned} of {sample.clients} clients left within {days} days of a scored day;"
            f" at least {LEAST_CHURNED} of {LEAST_CLIENTS} are needed.",
        )
    if sample.clients - sample.churned < LEAST_CHURNED:
        return "not enough history", f"Not enough history: only {sample.clients - sample.churned} clients stayed."
    if sample.churned < FEW_CHURNED:
        return "few", f"Only {sample.churned} clients left: the intervals are wide, and small differences mean nothing."
    return "ok", f"{sample.churned} of {sample.clients} clients left within {days} days of a scored day."


def _sample(followed: Followed, tested: Candidate) -> tuple[Sample, Ints, Bools]:
    """Return the sample, per row its client as a number among the decided ones, and whether the row is decided."""
    rows = followed.rows
    label = rows["label"].to_numpy()
    decided: Bools = label != CENSORED
    part = rows.filter(pl.Series(decided))
    clients = np.zeros(rows.height, np.int64)
    if part.height:
        clients[decided] = part["client_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    churned = part.filter(pl.col("label") == 1)
    scored = rows.filter(pl.Series(decided & tested.known) & (pl.col("label") == 1))
    first, last = part["as_of"].min(), part["as_of"].max()
    found = Sample(
        rows=part.height,
        clients=part["client_id"].n_unique(),
        churned=churned["client_id"].n_unique(),
        churned_rows=churned.height,
        base_rate=churned.height / part.height if part.height else None,
        undecided=rows.height - part.height,
        without_score=int((decided & ~tested.known).sum()),
        churned_without_score=churned["client_id"].n_unique() - scored["client_id"].n_unique(),
        first=str(first) if first else None,
        last=str(last) if last else None,
    )
    return found, clients, decided


@dataclass(frozen=True)
class _Data:
    """Everything that the candidates of a horizon share."""

    followed: Followed
    clients: Ints
    decided: Bools
    weights: Floats
    watch: Watch

    def tested(self, candidate: Candidate, *, against: Candidate | None = None) -> Tested:
        """Return the figures of a candidate; with `against`, the difference of that one to it."""
        use = self.decided & candidate.known
        table = self._tally(candidate, use)
        one = table.drawn()
        many = table.drawn(self.weights)
        flags = episodes(self.followed.rows, candidate)
        losses = flagged_losses(flags, self.followed.losses)
        first = self.followed.rows["as_of"].min()
        alarms = false_alarms(flags, first=first if isinstance(first, date) else date.min, watchers=self.watch.watchers)
        both = bool(one[0].sum() and one[1].sum())
        rows = int(use.sum())
        return Tested(
            key=candidate.key,
            kind=candidate.kind,
            title=candidate.title,
            flag=candidate.flag,
            rows=rows,
            share_of_rows=rows / int(self.decided.sum()),
            share_flagged=float(candidate.flagged[use].mean()) if rows else None,
            auc=_interval(metrics.auc(*one), metrics.auc(*many)),
            lift=_interval(metrics.lift(*one), metrics.lift(*many)),
            losses={name: getattr(losses, name) for name in ("total", "flagged", "missed", "without_score")},
            arr=_arr(losses.arr_lost, losses.arr_missed, losses.arr_unknown),
            lead={"median": losses.lead_days, "low": losses.lead_low, "high": losses.lead_high},
            false_alarms=asdict(alarms) | asdict(self.watch),
            tenths=[asdict(tenth) | {"rate": tenth.rate} for tenth in metrics.tenths(table)],
            roc=[list(point) for point in metrics.roc_curve(table)] if both else [],
            gains=[list(point) for point in metrics.gains_curve(table)] if both else [],
            difference=self._difference(against, candidate) if against else None,
        )

    def _tally(self, candidate: Candidate, use: Bools) -> metrics.Tally:
        churned = self.followed.rows["label"].to_numpy()[use] == 1
        return metrics.tally(candidate.values[use], churned, self.clients[use], self.weights.shape[1])

    def _difference(self, tested: Candidate, other: Candidate) -> Difference:
        use = self.decided & tested.known & other.known
        one, two = self._tally(tested, use), self._tally(other, use)
        value = metrics.auc(*one.drawn()) - metrics.auc(*two.drawn())
        gain = _interval(value, metrics.auc(*one.drawn(self.weights)) - metrics.auc(*two.drawn(self.weights)))
        return Difference(gain, int(use.sum()), verdict(gain))


def verdict(gain: Interval) -> Verdict:
    """Return "better" or "worse" where the 95 % interval of the gain does not hold 0."""
    if gain.low95 is not None and gain.low95 > 0:
        return "better"
    return "worse" if gain.high95 is not None and gain.high95 < 0 else "no clear difference"


def _interval(value: Floats, draws: Floats) -> Interval:
    return metrics.estimate(float(value[0]), draws)


def _arr(lost: float | None, missed: float | None, unknown: int) -> dict[str, float | int | None]:
    share = missed / lost if lost and missed is not None else None
    return {"lost": lost, "missed": missed, "missed_share": share, "unknown": unknown}
