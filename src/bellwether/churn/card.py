"""The card of a churn model as data: what it learned from, how well it did, against what, and what is in use. Pure.

Definitions of every figure: docs/reference/churn-model-card.md. A figure that cannot be formed is None. No client is
named. `evaluation.evaluate` makes a card; `complete` adds the coefficients and what became of the version.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from bellwether.churn.additive import Z80, AdditiveModel, Linear
from bellwether.churn.factors import FACTORS_BY_SLUG, FADING, FEATURES_BY_SLUG
from bellwether.health.backtest_result import Interval

SCHEMA = 1
State = Literal["ok", "few", "not enough history"]
Kind = Literal["model", "prior", "base rate", "score", "rule"]
Verdict = Literal["better", "worse", "no clear difference"]

NAMES = {"hazard": "Hazard model", "boosted": "Boosted model", "expert": "Expert prior", "active": "Version in use"}
"""Words for candidates where the card has too little history to show figures of any."""
LEAST_CHURNED = 10
"""Fewer clients that left in the rows of the test leave an AUC uncertain by about ± 0.15; no figures are given."""
FEW_CHURNED = 30
LEAST_COMPARED = 5
"""Fewer clients that left in the shared rows and no version is put before another."""
LEAST_IN_GROUP = 5
"""A tier or industry with fewer clients that left has counts alone."""


@dataclass(frozen=True)
class ReliabilityPoint:
    """A tenth of the rows by probability: mean probability, share that left with its 95 % interval."""

    foretold: float
    came: float
    low: float | None
    high: float | None
    rows: int
    clients: int


@dataclass(frozen=True)
class Difference:
    """A figure of one less that of another on the rows where both say something; `verdict` is about the first."""

    value: Interval
    rows: int
    churned: int
    verdict: Verdict


@dataclass(frozen=True)
class Figures:
    """How one candidate did at one horizon. `foretold` and `came` are means over its rows (0-1), `churned` clients.

    Brier, log loss, ECE and `points` are of probabilities; a rule or a score has none.
    """

    rows: int
    clients: int
    churned: int
    came: float | None = None
    foretold: float | None = None
    auc: Interval = field(default_factory=Interval)
    pr_auc: Interval = field(default_factory=Interval)
    brier: Interval = field(default_factory=Interval)
    log_loss: Interval = field(default_factory=Interval)
    ece: Interval = field(default_factory=Interval)
    lift: Interval = field(default_factory=Interval)
    points: list[ReliabilityPoint] = field(default_factory=list)


@dataclass(frozen=True)
class AtCapacity:
    """What the weekly list finds: `precision` of its client-weeks left within 90 days; `recall` of the losses were on
    it in the 90 days before. `listed` client-weeks, `found` of `losses` clients."""

    precision: Interval = field(default_factory=Interval)
    recall: Interval = field(default_factory=Interval)
    listed: int = 0
    found: int = 0
    losses: int = 0


@dataclass(frozen=True)
class Lead:
    """Days from the first row that `what` was true of to the leaving: median and quartiles, over `crossed` of
    `losses` clients; the others never were."""

    median: float | None = None
    low: float | None = None
    high: float | None = None
    crossed: int = 0
    losses: int = 0


@dataclass(frozen=True)
class Group:
    """A tier or industry at 90 days. AUC and Brier are empty where fewer than 5 of its clients left."""

    name: str
    rows: int
    clients: int
    churned: int
    foretold: float | None = None
    came: float | None = None
    auc: Interval = field(default_factory=Interval)
    brier: Interval = field(default_factory=Interval)


@dataclass(frozen=True)
class Candidate:
    """One that foretells or ranks. `horizons` by days as text; `dated_log_loss`: over all intervals at risk.

    `ahead`: by the key of each fitted candidate, its AUC at 90 days less this one's.
    """

    key: str
    kind: Kind
    title: str
    horizons: dict[str, Figures] = field(default_factory=dict)
    dated_log_loss: Interval = field(default_factory=Interval)
    capacity: AtCapacity = field(default_factory=AtCapacity)
    lead_high: Lead = field(default_factory=Lead)
    lead_listed: Lead = field(default_factory=Lead)
    tiers: list[Group] = field(default_factory=list)
    industries: list[Group] = field(default_factory=list)
    ahead: dict[str, Difference] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Dated log loss of the challenger less that of the incumbent on the same rows: below 0 it is the better one."""

    challenger: str
    incumbent: str
    difference: Interval
    rows: int
    churned: int


@dataclass(frozen=True)
class Fold:
    """A test of the model: what was known at `start`, and the rows from `start` to `end` (days as text)."""

    start: str | None
    end: str | None
    training_rows: int
    training_churned: int
    rows: int
    churned: int


@dataclass(frozen=True)
class Drift:
    """How far a feature's newest values are from those of training. `psi` None: nothing to compare."""

    feature: str
    label: str
    psi: float | None
    words: str


@dataclass(frozen=True)
class Coefficient:
    """A feature's weight by interval against the expert's; `low` and `high` bound 80 %.

    `swing`: for a model of steps, the log-odds between its lowest and its highest step by interval.
    """

    feature: str
    label: str
    factor: str
    weights: list[float | None]
    low: list[float | None]
    high: list[float | None]
    expert: list[float]
    swing: list[float | None]


@dataclass(frozen=True)
class Decision:
    """Whether the challenger is put into use, and why, in a sentence."""

    better: bool
    reason: str


@dataclass(frozen=True)
class Card:
    """The card. `method`: "out of time" or "held-out clients". `rows`, `clients`, `churned` and `base_rates` (share of
    client-weeks followed by leaving, by horizon) are of all rows; `test_…` of those in the folds. Days are text.

    `subject`: key of the candidate that this version is; `in_use`: of the one that is used; `why` in words.
    """

    state: State
    message: str
    method: str = "out of time"
    subject: str = ""
    first: str | None = None
    last: str | None = None
    until: str | None = None
    rows: int = 0
    clients: int = 0
    churned: int = 0
    base_rates: dict[str, float | None] = field(default_factory=dict)
    test_rows: int = 0
    test_clients: int = 0
    test_churned: int = 0
    folds: list[Fold] = field(default_factory=list)
    capacity: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    drift_window: str = ""
    coefficients: list[Coefficient] = field(default_factory=list)
    in_use: str = ""
    why: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    schema: int = SCHEMA

    def as_data(self) -> dict[str, Any]:
        """Return the card as JSON data."""
        data: dict[str, Any] = _plain(asdict(self))
        return data

    def candidate(self, key: str) -> Candidate | None:
        """Return the candidate of that key, None if there is none."""
        return next((one for one in self.candidates if one.key == key), None)

    @property
    def shown(self) -> Candidate | None:
        """The candidate that the card is about."""
        return self.candidate(self.subject)


_CARD = TypeAdapter(Card)
EMPTY = Card("not enough history", "Expert prior, no history yet.")
UNREADABLE = Card("not enough history", "The card of this version was written by another edition; train a new version.")


def from_data(data: Mapping[str, Any]) -> Card:
    """Return the card that `as_data` made `data` from; the empty card for {}, one that says so for another schema."""
    if not data:
        return EMPTY
    try:
        return _CARD.validate_python(dict(data))
    except ValidationError:  # stored cards are never changed, so an edition may meet those of another one
        return UNREADABLE


def complete(card: Card, model: AdditiveModel, *, subject: str, in_use: str, why: str) -> Card:
    """Return the card of a version: with the coefficients of its model and what became of it."""
    return replace(card, subject=subject, coefficients=coefficients(model), in_use=in_use, why=why)


def better(card: Card, challenger: str, incumbent: str, *, least: int = LEAST_COMPARED) -> Decision:
    """Return whether the candidate `challenger` is put before `incumbent`.

    It is where its dated log loss on the same out-of-time rows is lower with the whole 80 % interval over clients below
    0, and at least `least` clients left in these rows. Anything else leaves the incumbent in use.
    """
    names = {one.key: one.title for one in card.candidates}
    one, other = (names.get(key) or NAMES.get(key, key) for key in (challenger, incumbent))
    pair = next((p for p in card.pairs if (p.challenger, p.incumbent) == (challenger, incumbent)), None)
    if pair is None or pair.difference.value is None or pair.difference.high80 is None:
        if not card.pairs:
            return Decision(False, f"Not compared out of time. {card.message}")
        told = f"Too early to compare {one} with {other}: what follows the days that neither had seen is not known yet."
        return Decision(False, told)
    told = (
        f"log loss {pair.difference.value:+.4f} ({pair.difference.low80:+.4f} to {pair.difference.high80:+.4f}) "
        f"on {pair.rows} shared rows with {pair.churned} clients that left"
    ).replace("-", "−")
    if pair.churned < least:
        return Decision(
            False,
            f"Too early to compare {one} with {other}: {pair.churned} clients left in the rows that neither had seen, "
            f"{least} are needed.",
        )
    if pair.difference.high80 < 0:
        return Decision(True, f"{one} foretold better than {other} out of time: {told}.")
    word = "worse than" if (pair.difference.low80 or 0) > 0 else "not clearly better than"
    return Decision(False, f"{one} foretold {word} {other} out of time: {told}.")


def coefficients(model: AdditiveModel) -> list[Coefficient]:
    """Return the weight of every feature by interval with its 80 % interval, against the expert's."""
    found = []
    for at, slug in enumerate(model.features):
        feature = FEATURES_BY_SLUG[slug]
        weights: list[float | None] = []
        low: list[float | None] = []
        high: list[float | None] = []
        swing: list[float | None] = []
        for interval in model.intervals:
            term = interval.terms.get(slug, Linear(0.0))
            weight = term.weight if isinstance(term, Linear) else None
            known = weight is not None and interval.covariance is not None
            spread = Z80 * math.sqrt(max(float(interval.covariance[at + 1, at + 1]), 0.0)) if known else None  # type: ignore[index]
            weights.append(weight)
            low.append(None if spread is None or weight is None else weight - spread)
            high.append(None if spread is None or weight is None else weight + spread)
            swing.append(None if isinstance(term, Linear) else max(term.values) - min(term.values))
        # Where the term ends counts in the interval in which it ends, however far off that is.
        fading = (1.0,) * len(FADING) if feature.transform == "term ends in the interval" else FADING
        found.append(
            Coefficient(
                slug, feature.label, FACTORS_BY_SLUG[feature.factor].risk, weights, low, high,
                [feature.weight * fade for fade in fading[: len(model.intervals)]], swing,
            )
        )  # fmt: skip
    return found


def _plain(value: Any) -> Any:
    """Return the value with every number that is not finite as None, as JSON needs it."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
