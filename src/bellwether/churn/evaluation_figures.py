"""The figures of one candidate on the pooled rows of a test: by horizon, at capacity, lead time, groups. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from bellwether.churn import metrics
from bellwether.churn.card import (
    LEAST_IN_GROUP,
    AtCapacity,
    Candidate,
    Difference,
    Figures,
    Group,
    Kind,
    Lead,
    Verdict,
)
from bellwether.churn.factors import HORIZONS
from bellwether.churn.labelling import Labels
from bellwether.churn.metrics import Bools, Floats, Interval, Ints

HIGH = 0.5
"""From this 90-day probability on the category is high."""
LOST_WITHIN_DAYS = HORIZONS[-1]


@dataclass(frozen=True)
class Measured:
    """What is measured: probabilities (rows × 3, NaN outside the test) or None, and what the rows are ranked by."""

    key: str
    kind: Kind
    title: str
    p: Floats | None
    values: Floats


@dataclass(frozen=True)
class Measuring:
    """What all candidates share. `clients`: number of each test row's client, as in `weights` (draws × clients);
    `lists`: the weekly list that each row competes for, and how many fit on one."""

    rows: pl.DataFrame
    labels: Labels
    left: pl.DataFrame
    test: Bools
    clients: Ints
    weights: Floats
    lists: tuple[Ints, int]

    def candidate(self, one: Measured, fitted: Sequence[Measured]) -> Candidate:
        """Return every figure of a candidate, none where it says nothing of any tested row.

        `fitted` are those that a version may be made of.
        """
        if np.isnan(one.values[self.test]).all():
            return Candidate(one.key, one.kind, one.title)
        listed = metrics.top_of_each(np.where(self.test, one.values, np.nan), *self.lists)
        found = Candidate(
            key=one.key,
            kind=one.kind,
            title=one.title,
            horizons={str(days): self._figures(one, k) for k, days in enumerate(HORIZONS)},
            ahead={
                other.key: found
                for other in fitted
                if other.key != one.key and (found := self._ahead(other, one)) is not None
            },
        )
        if one.kind == "base rate":  # ranks nobody
            return replace(found, dated_log_loss=self._dated(one.p)) if one.p is not None else found
        found = replace(found, capacity=self._at_capacity(one, listed), lead_listed=self._lead(one, listed))
        if one.p is None:
            return found
        with np.errstate(invalid="ignore"):
            high: Bools = one.p[:, -1] > HIGH
        return replace(
            found,
            dated_log_loss=self._dated(one.p),
            lead_high=self._lead(one, self.test & high),
            tiers=self._groups(one, "tier"),
            industries=self._groups(one, "industry"),
        )

    def paired(self, one: Floats, other: Floats) -> tuple[Interval, int, int]:
        """Return the dated log loss of `one` less that of `other`, with the shared rows and the churned clients."""
        use = self.test & ~np.isnan(one[:, -1]) & ~np.isnan(other[:, -1]) & self.labels.used
        if not use.any():
            return Interval(), 0, 0
        taken = self.labels.taken(use)
        difference = (dated_losses(one[use], taken) - dated_losses(other[use], taken))[taken.at_risk]
        clients = np.broadcast_to(self.clients[use][:, None], taken.at_risk.shape)[taken.at_risk]
        churned = len(np.unique(self.clients[use][taken.left.any(axis=1)]))
        return metrics.mean_over(difference, clients, self.weights), int(use.sum()), churned

    def _dated(self, p: Floats) -> Interval:
        use = self.test & ~np.isnan(p[:, -1])
        taken = self.labels.taken(use)
        clients = np.broadcast_to(self.clients[use][:, None], taken.at_risk.shape)[taken.at_risk]
        return metrics.mean_over(dated_losses(p[use], taken)[taken.at_risk], clients, self.weights)

    def _figures(self, one: Measured, k: int) -> Figures:
        values = one.values if one.p is None else one.p[:, k]
        use = self._use(values, k)
        came, clients = self.labels.left_within[use, k], self.clients[use]
        found = Figures(
            rows=int(use.sum()),
            clients=len(np.unique(clients)),
            churned=len(np.unique(clients[came])),
            came=float(came.mean()) if len(came) else None,
        )
        if not found.churned or came.all():
            return found
        order = metrics.ranked(values[use], came, clients, self.weights)
        found = replace(found, auc=order.auc, pr_auc=order.pr_auc, lift=order.lift)
        if one.p is None:
            return found
        p = values[use]
        points, ece = metrics.reliability(p, came, clients, self.weights)
        return replace(
            found,
            foretold=float(p.mean()),
            brier=metrics.mean_over((p - came) ** 2, clients, self.weights),
            log_loss=metrics.mean_over(metrics.row_log_loss(p, came), clients, self.weights),
            ece=ece,
            points=points,
        )

    def _use(self, values: Floats, k: int) -> Bools:
        found: Bools = self.test & self.labels.decided[:, k] & ~np.isnan(values)
        return found

    def _ahead(self, subject: Measured, other: Measured) -> Difference | None:
        last = len(HORIZONS) - 1
        use = self._use(subject.values, last) & self._use(other.values, last)
        came, clients = self.labels.left_within[use, last], self.clients[use]
        if not came.any() or came.all():
            return None
        value = metrics.auc_difference(subject.values[use], other.values[use], came, clients, self.weights)
        return Difference(value, int(use.sum()), len(np.unique(clients[came])), verdict(value))

    def _at_capacity(self, one: Measured, listed: Bools) -> AtCapacity:
        decided = self._use(one.values, -1)
        came = self.labels.left_within[:, -1]
        lost = decided & came
        count = self.weights.shape[1]
        of_loss = np.unique(self.clients[lost])
        caught = np.isin(np.arange(count), np.unique(self.clients[lost & listed]))
        losses = np.isin(np.arange(count), of_loss)
        return AtCapacity(
            precision=metrics.share_over(
                came[decided], listed[decided], self.clients[decided], self.weights
            ),
            recall=metrics.share_over(caught, losses, np.arange(count), self.weights),
            listed=int((listed & decided).sum()),
            found=int((caught & losses).sum()),
            losses=len(of_loss),
        )  # fmt: skip

    def _lead(self, one: Measured, crossed: Bools) -> Lead:
        """Return the days from the first crossed row of the test to the leaving that came next."""
        days = _days_to_leaving(self.rows, self.left)
        known = self.test & ~np.isnan(one.values) & ~np.isnan(days)
        lost = np.unique(self.clients[known])
        hits = known & crossed
        if not hits.any():
            return Lead(losses=len(lost))
        longest = np.zeros(self.weights.shape[1])
        np.maximum.at(longest, self.clients[hits], days[hits])
        low, median, high = (float(q) for q in np.quantile(longest[longest > 0], [0.25, 0.5, 0.75]))
        return Lead(median, low, high, int((longest > 0).sum()), len(lost))

    def _groups(self, one: Measured, column: str) -> list[Group]:
        if column not in self.rows.columns or one.p is None:
            return []
        last = len(HORIZONS) - 1
        use = self._use(one.values, last)
        names = self.rows[column].fill_null("").to_numpy()
        return [
            self._group(str(name), one.p[:, last], use & (names == name))
            for name in sorted({str(name) for name in names[use]})
        ]

    def _group(self, name: str, p: Floats, use: Bools) -> Group:
        came, clients = self.labels.left_within[use, -1], self.clients[use]
        churned = len(np.unique(clients[came]))
        found = Group(name, int(use.sum()), len(np.unique(clients)), churned, float(p[use].mean()), float(came.mean()))
        if churned < LEAST_IN_GROUP or came.all():
            return found
        return replace(
            found,
            auc=metrics.ranked(p[use], came, clients, self.weights).auc,
            brier=metrics.mean_over((p[use] - came) ** 2, clients, self.weights),
        )


def verdict(value: Interval) -> Verdict:
    """Return "better" or "worse" where the 95 % interval of a difference does not hold 0."""
    if value.low95 is not None and value.low95 > 0:
        return "better"
    return "worse" if value.high95 is not None and value.high95 < 0 else "no clear difference"


def dated_losses(p: Floats, labels: Labels) -> Floats:
    """Return the log loss of each interval, rows × intervals, from cumulative probabilities; see `at_risk` for use.

    The hazard of interval k is 1 - (1 - p_k) / (1 - p_(k-1)).
    """
    stays = 1 - np.clip(p, 0, 1 - metrics.SMALLEST)
    hazards = 1 - stays / np.column_stack([np.ones(len(p)), stays[:, :-1]])
    return metrics.row_log_loss(hazards, labels.left)


def _days_to_leaving(rows: pl.DataFrame, left: pl.DataFrame) -> Floats:
    """Return the days from each row to the next leaving after it, NaN where there is none so far."""
    joined = (
        rows.select("client_id", "as_of")
        .with_row_index("row")
        .sort("as_of", "client_id")
        .join_asof(
            left.select("client_id", "left_on").drop_nulls().sort("left_on", "client_id"),
            left_on="as_of", right_on="left_on", by="client_id", strategy="forward", allow_exact_matches=False,
            check_sortedness=False, coalesce=False,
        )
        .sort("row")
    )  # fmt: skip
    days = (joined["left_on"] - joined["as_of"]).dt.total_days().cast(pl.Float64)
    return days.fill_null(float("nan")).to_numpy()
