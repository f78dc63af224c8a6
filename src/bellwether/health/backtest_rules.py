"""What is ranked in a back-test: a score, or a naive rule that a score must beat to be worth having. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from bellwether.health.backtest_metrics import Bools, Floats
from bellwether.health.scorecard import Scorecard

LOGIN_DAYS = 14
"""A client whose people have not logged in for so long is flagged by the rule of thumb."""

USAGE_DROP = -0.3
"""dau_change from which alerts speak of a decline of usage (formulas.md, section 6)."""


@dataclass(frozen=True)
class Candidate:
    """One ranking of the rows. `values` is low where it is bad, NaN where it says nothing; `flagged` is its alarm."""

    key: str
    kind: str  # "scorecard" or "rule"
    title: str
    flag: str
    values: Floats
    flagged: Bools

    @property
    def known(self) -> Bools:
        """Where it says something."""
        found: Bools = ~np.isnan(self.values)
        return found


def of_scores(key: str, title: str, scored: pl.DataFrame, card: Scorecard) -> Candidate:
    """Return the candidate of the whole scores as people see them; a score below the monitor band is a flag."""
    values = scored["score"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    limit = card.thresholds.monitor
    with np.errstate(invalid="ignore"):
        flagged = values < limit
    return Candidate(key, "scorecard", title, f"score below {limit}", values, flagged)


def combined(key: str, title: str, parts: Sequence[tuple[Bools, Candidate]]) -> Candidate:
    """Return the candidate that takes each row from the part whose mask holds it, as scopes of a scorecard do."""
    values, flagged = np.full(len(parts[0][0]), np.nan), np.zeros(len(parts[0][0]), bool)
    for mask, part in parts:
        values[mask], flagged[mask] = part.values[mask], part.flagged[mask]
    flags = dict.fromkeys(part.flag for _, part in parts)
    return Candidate(key, "scorecard", title, " or ".join(flags), values, flagged)


def last_login(measures: pl.DataFrame) -> Candidate:
    """Return the rule "no login for 14 days": the longer ago, the worse."""
    days = _column(measures, "days_since_login")
    with np.errstate(invalid="ignore"):
        flagged = days >= LOGIN_DAYS
    return Candidate("last-login", "rule", "Last login", f"no login for {LOGIN_DAYS} days", -days, flagged)


def usage_drop(measures: pl.DataFrame) -> Candidate:
    """Return the rule "usage down 30 %": dau_change in whole per cent, the lower the worse."""
    change = np.round(100 * _column(measures, "dau_change"))
    with np.errstate(invalid="ignore"):
        flagged = change <= 100 * USAGE_DROP
    return Candidate("usage-drop", "rule", "Usage drop", f"daily users down {-USAGE_DROP:.0%} or more", change, flagged)


RULES = {"last-login": last_login, "usage-drop": usage_drop}
"""The naive rules by their key."""


def _column(measures: pl.DataFrame, name: str) -> Floats:
    if name not in measures.columns:
        return np.full(measures.height, np.nan)
    return measures[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
