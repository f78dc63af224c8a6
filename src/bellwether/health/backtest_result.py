"""The result of a back-test as data, as rows, the API and pages read it (docs/reference/backtest.md). Pure.

Every figure that cannot be formed is None. No client is named anywhere in it.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA = 1
Verdict = Literal["better", "worse", "no clear difference"]
State = Literal["ok", "few", "not enough history"]


@dataclass(frozen=True)
class Interval:
    """A figure with its 80 % and 95 % intervals."""

    value: float | None = None
    low80: float | None = None
    high80: float | None = None
    low95: float | None = None
    high95: float | None = None


@dataclass(frozen=True)
class Difference:
    """AUC of what was tested less that of the other one, on the rows where both say something, with its verdict.

    "better" and "worse" are said of what was tested, where the 95 % interval does not hold 0.
    """

    auc: Interval
    rows: int
    verdict: Verdict


@dataclass(frozen=True)
class Tested:
    """How one score or rule did at one horizon. `kind` is "scorecard" or "rule"; `rows` those that had a value, of
    which `share_flagged` had its flag up.

    `losses` has total, flagged, missed, without_score; `arr` has lost, missed, missed_share, unknown; `lead` has
    median, low and high (quartiles) in days; `false_alarms` has episodes, false, standing, weeks, watchers, per ("CSM"
    or "25 clients") and rate. `tenths` are dicts of tenth, rows, churned, rate, lowest, highest; `roc` and `gains` are
    lists of [x, y]. `difference` is None for what was tested itself.
    """

    key: str
    kind: str
    title: str
    flag: str
    rows: int
    share_of_rows: float
    share_flagged: float | None = None
    auc: Interval = field(default_factory=Interval)
    lift: Interval = field(default_factory=Interval)
    losses: dict[str, Any] = field(default_factory=dict)
    arr: dict[str, Any] = field(default_factory=dict)
    lead: dict[str, Any] = field(default_factory=dict)
    false_alarms: dict[str, Any] = field(default_factory=dict)
    tenths: list[dict[str, Any]] = field(default_factory=list)
    roc: list[list[float]] = field(default_factory=list)
    gains: list[list[float]] = field(default_factory=list)
    difference: Difference | None = None


@dataclass(frozen=True)
class Sample:
    """What a horizon rests on. `rows` are decided (client, as-of day) pairs, `clients` and `churned` distinct clients.

    `undecided` rows were left out because their horizon is not over; `without_score` of `rows` had no score of what was
    tested and were left out of its figures, `churned_without_score` of the churned clients never had one.
    """

    rows: int
    clients: int
    churned: int
    churned_rows: int
    base_rate: float | None
    undecided: int
    without_score: int
    churned_without_score: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Horizon:
    """One horizon. `state` is "not enough history" (then `tested` is None and `against` empty), "few" or "ok"."""

    days: int
    label: str
    state: State
    message: str
    sample: Sample
    tested: Tested | None = None
    in_use: Tested | None = None
    against: list[Tested] = field(default_factory=list)


@dataclass(frozen=True)
class Suggestion:
    """Weights that would have predicted better. `state` is "found", "none" or "not enough history"; `message` says why.

    `gain` is the AUC gained on as-of days after `split`, clients that churned before it left out; `train` and `test`
    have rows, clients, churned, first, last. `definition` can be tried in the simulator.
    """

    state: Literal["found", "none", "not enough history"]
    message: str
    horizon: int
    current: dict[str, float] = field(default_factory=dict)
    weights: dict[str, int] | None = None
    gain: Interval = field(default_factory=Interval)
    auc_current: float | None = None
    auc_suggested: float | None = None
    split: str | None = None
    train: dict[str, Any] = field(default_factory=dict)
    test: dict[str, Any] = field(default_factory=dict)
    definition: dict[str, Any] | None = None


@dataclass(frozen=True)
class Backtest:
    """The whole result. `scorecard` has name, title, version (or None for a draft) and digest.

    `horizon` is the one to show first; `watched` has watchers and per.
    """

    scorecard: dict[str, Any]
    horizon: int
    horizons: list[Horizon]
    suggestion: Suggestion | None
    first: str | None
    last: str | None
    dates: int
    step_days: int
    as_known: bool
    outcomes: str
    notes: list[str]
    seconds: float
    schema: int = SCHEMA

    def as_data(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        data: dict[str, Any] = asdict(self)
        return data


def for_roles_that_see_some(data: dict[str, Any]) -> dict[str, Any]:
    """Return the result without sums of ARR, which only roles that see every client are shown."""
    horizons = []
    for horizon in data.get("horizons", []):
        shown = dict(horizon)
        for name in ("tested", "in_use"):
            shown[name] = shown[name] and shown[name] | {"arr": {}}
        shown["against"] = [one | {"arr": {}} for one in shown["against"]]
        horizons.append(shown)
    return data | {"horizons": horizons}
