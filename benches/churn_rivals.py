"""What the benches on real data share: our one-interval fit, the models of well-known libraries, and the table.

Every model gets the same rows, the same features and the same training rows; what has to be chosen (strength of the
penalty, size of the trees) is chosen inside the training rows by five folds of whole clients, on log loss.
"""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from bellwether.churn.additive import AdditiveModel, Interval, Linear, predict, raw_values, standardised
from bellwether.churn.calibrating import calibrated, carried_over
from bellwether.churn.factors import FADING, INTERVAL_DAYS, SLUGS, Feature
from bellwether.churn.fitting import Prior, expert_prior, fit_logistic
from bellwether.churn.labelling import Labels
from bellwether.churn.metrics import auc_difference, cluster_weights, mean_over, ranked, reliability
from bellwether.health.backtest_result import Interval as Estimate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SEED = 20_261
DRAWS = 1_000
INNER_FOLDS = 5
CALIBRATION_SHARE = 0.2
"""Of the training clients, or of the newest training rows, those that our calibration is measured on."""
COX_PENALTY = 0.1


@dataclass(frozen=True)
class Rows:
    """Rows of one data set. `frame` has client_id and the features, `label` what came within `days`, `weights` what a
    row counts in our fit (1 over how often the same outcome shows), `order` is time where there is one."""

    frame: pl.DataFrame
    features: tuple[Feature, ...]
    label: Bools
    weights: Floats
    days: int
    order: Ints | None = None
    registry: Mapping[str, Feature] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "registry", {one.slug: one for one in self.features})

    @property
    def clients(self) -> Ints:
        """The client of each row as a number from 0."""
        return np.asarray(self.frame["client_id"].rank("dense").to_numpy(), np.int64) - 1

    def taken(self, rows: Bools) -> "Rows":
        """Return some of the rows."""
        order = None if self.order is None else self.order[rows]
        return replace(
            self, frame=self.frame.filter(pl.Series(rows)), label=self.label[rows], weights=self.weights[rows],
            order=order,
        )  # fmt: skip

    def raw(self) -> Floats:
        """Return the features as they are, NaN where unknown."""
        values = raw_values(self.frame, [one.slug for one in self.features])
        return np.column_stack(list(values.values()))

    def standard(self) -> Floats:
        """Return the features on the fixed scales, 0 where unknown."""
        raw = raw_values(self.frame, [one.slug for one in self.features])
        return np.column_stack([standardised(one.slug, raw[one.slug], 0, self.registry) for one in self.features])


Model = Callable[[Rows, Rows], Floats]
"""Fits on the first rows and returns the probability, or what is ranked by, of the second."""


def expert_within(features: Sequence[Feature], days: int) -> Prior:
    """Return the expert's prior on some of the product's features of leaving within `days`: three intervals of 30 days,
    and as the third from then on."""
    monthly = expert_prior(0)
    hazard = 1 / (1 + np.exp(-monthly.mean[0]))
    within = 1 - (1 - hazard) ** (days / INTERVAL_DAYS)
    count = max(1, round(days / INTERVAL_DAYS))
    fading = np.mean([FADING[min(k, len(FADING) - 1)] for k in range(count)])
    mean = monthly.mean * fading
    mean[0] = np.log(within / (1 - within))
    at = [0, *(1 + SLUGS.index(one.slug) for one in features)]
    return Prior(mean[at], monthly.doubt[at], monthly.low[at], monthly.high[at])


def neutral(features: Sequence[Feature], rate: float) -> Prior:
    """Return a prior for features that no expert was asked about: coefficients around 0, their doubt and direction as
    the features say, the intercept around the log-odds of `rate`."""
    directions = np.array([0, *(one.direction for one in features)])
    return Prior(
        np.array([np.log(rate / (1 - rate)), *(one.weight for one in features)]),
        np.array([2.0, *(one.doubt for one in features)]),
        np.where(directions == 1, 0.0, -np.inf),
        np.where(directions == -1, 0.0, np.inf),
    )


def flat(prior: Prior) -> Prior:
    """Return the same without an expert and without directions: around 0 and wide."""
    free = np.full(len(prior.mean), np.inf)
    mean = np.zeros(len(prior.mean))
    mean[0] = prior.mean[0]
    return Prior(mean, np.full(len(mean), 10.0), -free, free)


def as_model(rows: Rows, coefficients: Floats, covariance: Floats) -> AdditiveModel:
    """Return coefficients as the product's model of one interval."""
    slugs = tuple(rows.registry)
    terms = {slug: Linear(float(weight)) for slug, weight in zip(slugs, coefficients[1:], strict=True)}
    return AdditiveModel(slugs, (Interval(float(coefficients[0]), terms, covariance),), (0,))


def fit_ours(rows: Rows, prior: Prior) -> AdditiveModel:
    """Return the product's fit of one interval, uncalibrated."""
    x = np.column_stack([np.ones(rows.frame.height), rows.standard()])
    fitted = fit_logistic(x, rows.label.astype(np.float64), rows.weights, prior)
    return as_model(rows, fitted.coefficients, fitted.covariance)


def ours(prior: Callable[[Rows], Prior], *, calibrate: bool = True) -> Model:
    """Return our model: fitted, then calibrated on training rows that a first fit had not seen, as training does."""

    def run(train: Rows, test: Rows) -> Floats:
        whole = fit_ours(train, prior(train))
        if calibrate and train.label.any():
            newest, before = _kept_back(train)
            early = fit_ours(train.taken(before), prior(train.taken(before)))
            later = train.taken(newest)
            labels = _labels(later)
            checked = calibrated(early, later.frame, labels, registry=train.registry)
            whole = carried_over(checked, whole, later.frame, labels, registry=train.registry)
        return predict(whole, test.frame, registry=train.registry).p[:, 0]

    return run


def expert_alone(prior: Callable[[Rows], Prior]) -> Model:
    """Return the expert's prior without any data."""

    def run(train: Rows, test: Rows) -> Floats:
        given = prior(train)
        model = as_model(train, given.mean, np.diag(given.doubt**2))
        return predict(model, test.frame, registry=train.registry).p[:, 0]

    return run


def _kept_back(train: Rows) -> tuple[Bools, Bools]:
    """Return the rows to calibrate on and those to fit on: the newest, and those whose label was known when they began;
    without time those of some clients and those of the others."""
    if train.order is not None:
        edge = np.quantile(train.order, 1 - CALIBRATION_SHARE)
        return np.asarray(train.order >= edge), np.asarray(train.order + train.days <= edge)
    clients = train.clients
    drawn = np.random.default_rng(SEED).random(int(clients.max()) + 1) < CALIBRATION_SHARE
    return np.asarray(drawn[clients]), np.asarray(~drawn[clients])


def _labels(rows: Rows) -> Labels:
    column, known = rows.label[:, None], np.ones((len(rows.label), 1), bool)
    return Labels(known, column, known, column, rows.weights)


def logistic_regression(train: Rows, test: Rows) -> Floats:
    """Return scikit-learn's logistic regression on the standardised features, C from 0.001 to 10."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000))
    grid = {"logisticregression__C": np.logspace(-3, 1, 9)}
    return _searched(model, grid, train.standard(), train, test.standard())


def gradient_boosting(train: Rows, test: Rows) -> Floats:
    """Return scikit-learn's histogram gradient boosting on the values as they are, unknown ones included."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(random_state=SEED, early_stopping=False)
    grid = {"learning_rate": [0.05], "max_iter": [60, 150], "max_leaf_nodes": [4, 16]}
    return _searched(model, grid, train.raw(), train, test.raw())


def _searched(model: Any, grid: Mapping[str, Any], x: Floats, train: Rows, wanted: Floats) -> Floats:
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    folds = StratifiedGroupKFold(INNER_FOLDS, shuffle=True, random_state=SEED)
    search = GridSearchCV(model, dict(grid), cv=folds, scoring="neg_log_loss", error_score=-10.0)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(x, train.label, groups=train.clients)
        return np.asarray(search.predict_proba(wanted)[:, 1], np.float64)


def cox_over_time(age: Callable[[Rows], Floats], step: float) -> Model:
    """Return lifelines' Cox model with covariates that change: each row is the client's time from `age` on for `step`,
    the outcome of its label at the end of it. Its risk is made a probability by a baseline that is the same at all
    ages, set so that the training rows expect as many outcomes as came."""

    def run(train: Rows, test: Rows) -> Floats:
        from lifelines import CoxTimeVaryingFitter

        names = [one.slug for one in train.features]
        x, varies = train.standard(), train.standard().std(axis=0) > 1e-6
        frame = pd.DataFrame(x[:, varies], columns=np.array(names)[varies])
        frame["client"], frame["event"] = train.clients, train.label
        frame["start"] = age(train)
        frame["stop"] = frame["start"] + step
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitter = CoxTimeVaryingFitter(penalizer=COX_PENALTY)
            fitter.fit(frame, id_col="client", event_col="event", start_col="start", stop_col="stop")
        of_test = pd.DataFrame(test.standard()[:, varies], columns=np.array(names)[varies])
        risk = [np.asarray(fitter.predict_partial_hazard(one), np.float64) for one in (frame, of_test)]
        low, high = 0.0, 100.0
        for _ in range(200):
            base = (low + high) / 2
            expected = float((1 - np.exp(-base * risk[0])).sum())
            low, high = (base, high) if expected < train.label.sum() else (low, base)
        return np.asarray(1 - np.exp(-base * risk[1]), np.float64)

    return run


def ranking(slug: str, sign: float = 1.0) -> Model:
    """Return the rule that ranks by one column of the frame; rows that do not know it stand in the middle."""

    def run(train: Rows, test: Rows) -> Floats:
        values = sign * test.frame[slug].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return np.where(np.isnan(values), np.nanmedian(values), values)

    return run


def base_rate(train: Rows, test: Rows) -> Floats:
    """Return the training rows' share of outcomes for every row."""
    return np.full(test.frame.height, train.label.mean())


@dataclass
class Result:
    """What a model foretold of the test rows of all folds together, and how long its fits took."""

    name: str
    values: Floats
    seconds: float
    is_probability: bool


def run(
    rows: Rows, folds: Sequence[tuple[Bools, Bools]], models: Mapping[str, Model], rules: Sequence[str] = ()
) -> tuple[Rows, list[Result]]:
    """Return the test rows of all folds and what each model foretold of them. `rules` foretell no probability."""
    tested = np.concatenate([np.flatnonzero(test) for _, test in folds])
    found = []
    for name, model in models.items():
        began = time.perf_counter()
        values = np.concatenate([model(rows.taken(train), rows.taken(test)) for train, test in folds])
        found.append(Result(name, values, time.perf_counter() - began, name not in rules))
    order = None if rows.order is None else rows.order[tested]
    whole = replace(
        rows, frame=rows.frame[tested], label=rows.label[tested], weights=rows.weights[tested], order=order
    )  # fmt: skip
    return whole, found


def table(tested: Rows, results: Sequence[Result], title: str) -> str:
    """Return the figures as Markdown: each with its 95 % interval over clients, drawn 1,000 times."""
    clients, came = tested.clients, tested.label
    weights = cluster_weights(np.random.default_rng(SEED), int(clients.max()) + 1, DRAWS)
    gone = len(np.unique(clients[came]))
    lines = [
        f"{title}: {len(came):,} test rows of {weights.shape[1]:,} clients, {int(came.sum()):,} positive"
        f" ({came.mean():.1%}) of {gone:,} clients.",
        "",
        "| model | AUC | PR-AUC | Brier | ECE | lift, top 10 % | AUC less that of ours | fits, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    mine = results[0].values
    for one in results:
        found = ranked(one.values, came, clients, weights)
        cells = [_shown(found.auc), _shown(found.pr_auc)]
        if one.is_probability:
            squares = mean_over((one.values - came) ** 2, clients, weights)
            cells += [_shown(squares, 4), _shown(reliability(one.values, came, clients, weights)[1])]
        else:
            cells += ["–", "–"]
        gap = auc_difference(one.values, mine, came, clients, weights)
        cells += [_shown(found.lift, 1), "–" if one is results[0] else _shown(gap, signed=True), f"{one.seconds:.1f}"]
        lines.append(f"| {one.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _shown(one: Estimate, digits: int = 3, *, signed: bool = False) -> str:
    if one.value is None:
        return "–"
    sign = "+" if signed else ""
    return f"{one.value:{sign}.{digits}f} ({one.low95:{sign}.{digits}f} to {one.high95:{sign}.{digits}f})"
