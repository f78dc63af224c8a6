"""Evaluation out of time: what a fold may know, what the card says, what is put into use."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bellwether.churn.additive import AdditiveModel, predict
from bellwether.churn.card import Card, better, complete, from_data
from bellwether.churn.evaluation import Capacity, Evaluation, Fixed, evaluate, evaluation
from bellwether.churn.evaluation_drift import drift_of
from bellwether.churn.evaluation_figures import Measured, Measuring
from bellwether.churn.factors import FEATURES_BY_SLUG
from bellwether.churn.folds import folds_in_time, folds_of_clients, known_by
from bellwether.churn.labelling import Labels, interval_labels
from tests.churn.hazards import hazard

pytestmark = pytest.mark.one_database

FIRST, UNTIL = date(2025, 1, 6), date(2026, 2, 2)
WEEKS = [FIRST + timedelta(days=7 * week) for week in range(53)]
EVER = pl.DataFrame(schema={"client_id": pl.String, "last_day": pl.Date})


def _world(clients: int = 200, seed: int = 5, base: float = 1.0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return weekly rows of clients who leave as the expert's hazard says, and who left when."""
    random = np.random.default_rng(seed)
    truth = _truth(base)
    names = np.array([f"{n:032x}" for n in range(clients)])
    quiet = random.normal(0, 1, clients)
    usage = random.normal(0, 1, clients)
    there = np.ones(clients, bool)
    parts, gone = [], []
    for as_of in WEEKS:
        quiet = 0.9 * quiet + random.normal(0, 0.45, clients)
        usage = 0.9 * usage + random.normal(0, 0.45, clients)
        frame = pl.DataFrame(
            {
                "client_id": names,
                "as_of": [as_of] * clients,
                "days_since_use": np.expm1(np.clip(0.7 + quiet, 0, None)),
                "usage_change_month": np.exp(0.35 * usage),
                "tier": np.where(np.arange(clients) % 2 == 0, "PRO", "STARTER"),
                "industry": np.where(np.arange(clients) % 100 == 0, "Rare", "Common"),
            }
        )
        parts.append(frame.filter(pl.Series(there)))
        weekly = 1 - (1 - predict(truth, frame).p[:, 0]) ** (7 / 30)
        leaves = there & (random.random(clients) < weekly)
        days = random.integers(1, 7, clients)
        gone += [(names[n], as_of + timedelta(days=int(days[n]))) for n in np.flatnonzero(leaves)]
        there &= ~leaves
    left = pl.DataFrame(gone, schema={"client_id": pl.String, "left_on": pl.Date}, orient="row")
    return pl.concat(parts), left


def _truth(base: float) -> AdditiveModel:
    model = hazard(2.0)
    return replace(model, intervals=tuple(replace(one, intercept=one.intercept + base) for one in model.intervals))


def _labels(rows: pl.DataFrame, left: pl.DataFrame) -> Labels:
    return interval_labels(rows, left, left.select("client_id", last_day="left_on"), UNTIL)


def _card(rows: pl.DataFrame, left: pl.DataFrame, **given: object) -> Card:
    quiet = -rows["days_since_use"].to_numpy()
    arguments: dict[str, object] = {
        "fit": {"hazard": lambda rows, labels: _truth(1.0)},
        "fixed": {"expert": Fixed(hazard(0.0))},
        "rivals": {"last-login": quiet},
        "until": UNTIL,
        "capacity": Capacity(5),
        "random": np.random.default_rng(1),
        "draws": 60,
        "calibrate": False,
    }
    return evaluate(rows, _labels(rows, left), left, **(arguments | given))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world() -> tuple[pl.DataFrame, pl.DataFrame]:
    return _world()


@pytest.fixture(scope="module")
def shown(world: tuple[pl.DataFrame, pl.DataFrame]) -> Card:
    return _card(*world)


def test_a_fold_knows_nothing_after_its_start(world: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, left = world
    labels = _labels(rows, left)
    folds = folds_in_time(rows, labels)
    assert len(folds) == 4
    as_of = rows["as_of"].to_numpy()
    for fold in folds:
        assert fold.start is not None
        # An interval of a training row is over by the start, so the last such row lies 30 days before.
        assert as_of[fold.train].max() <= np.datetime64(fold.start - timedelta(days=30))
        assert as_of[fold.test].min() == np.datetime64(fold.start)
        known = known_by(rows, labels, fold.start)
        for k in range(3):
            over = as_of + np.timedelta64(30 * (k + 1), "D") <= np.datetime64(fold.start)
            assert not known.at_risk[~over, k].any()
            assert (known.at_risk[over, k] == labels.at_risk[over, k]).all()
    tests = np.sum([fold.test for fold in folds], axis=0)
    assert tests.max() == 1
    assert tests[as_of >= np.datetime64(folds[0].start)].sum() == tests.sum()


def test_what_happens_after_a_fold_starts_changes_nothing_in_its_training(
    world: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    """The leak test: every churn after the start of the last fold is taken away, and the fit gets the same."""
    rows, left = world
    start = folds_in_time(rows, _labels(rows, left))[-1].start
    assert start is not None
    later = left.filter(pl.col("left_on") <= start)
    assert later.height < left.height

    def given(gone: pl.DataFrame) -> list[tuple[int, float, float]]:
        seen = []

        def fit(part: pl.DataFrame, labels: Labels) -> AdditiveModel:
            seen.append((part.height, float(labels.at_risk.sum()), float(labels.left.sum())))
            return hazard()

        labels = interval_labels(rows, gone, left.select("client_id", last_day="left_on"), UNTIL)
        evaluate(
            rows, labels, gone, fit={"hazard": fit}, rivals={}, until=UNTIL, capacity=Capacity(),
            random=np.random.default_rng(1), draws=2,
        )  # fmt: skip
        return seen

    assert given(left)[-1] == given(later)[-1]


def test_held_out_clients_are_never_in_training(world: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, left = world
    folds = folds_of_clients(rows, _labels(rows, left), np.random.default_rng(1))
    names = rows["client_id"].to_numpy()
    assert len(folds) == 5
    for fold in folds:
        assert not set(names[fold.train]) & set(names[fold.test])
    assert np.sum([fold.test for fold in folds], axis=0).max() == 1


def test_the_true_model_beats_the_blind_one_and_the_card_says_so(
    world: tuple[pl.DataFrame, pl.DataFrame], shown: Card
) -> None:
    _, left = world
    card = shown
    assert card.state in {"few", "ok"}
    assert [one.key for one in card.candidates] == ["hazard", "expert", "base-rate", "last-login"]
    assert card.churned == left.filter(pl.col("left_on") <= UNTIL)["client_id"].n_unique()
    subject, expert, base, rule = card.candidates
    at90 = subject.horizons["90"]
    assert at90.auc.value is not None
    assert at90.auc.value > 0.65
    assert at90.ece.value is not None
    assert at90.ece.value < 0.06
    assert sum(point.rows for point in at90.points) == at90.rows
    assert expert.horizons["90"].auc.value == 0.5  # one value for all
    came = base.horizons["90"].came
    assert came is not None
    assert base.horizons["90"].brier.value == pytest.approx(came * (1 - came), abs=0.01)
    assert rule.horizons["90"].brier.value is None
    assert rule.horizons["90"].auc.value is not None
    assert rule.ahead["hazard"].value.value == pytest.approx(at90.auc.value - rule.horizons["90"].auc.value)
    decision = better(card, "hazard", "expert")
    assert decision.better
    assert "better than Expert prior out of time" in decision.reason


def test_counts_at_capacity_and_lead_time_by_hand() -> None:
    """Three clients; the one that is quiet leaves, is on the list every week, and is never above one half."""
    days = [FIRST + timedelta(days=7 * n) for n in range(40)]
    leaves = FIRST + timedelta(days=7 * 30 + 3)
    rows = pl.concat(
        pl.DataFrame(
            {
                "client_id": [name * 32] * 40,
                "as_of": days,
                "days_since_use": [quiet] * 40,
            }
        ).filter(pl.col("as_of") < (leaves if name == "a" else UNTIL))
        for name, quiet in (("a", 30.0), ("b", 1.0), ("c", 0.0))
    )
    left = pl.DataFrame({"client_id": ["a" * 32], "left_on": [leaves]})
    labels = interval_labels(rows, left, left.select("client_id", last_day="left_on"), UNTIL)

    p = predict(hazard(), rows).p
    names = rows["client_id"].to_numpy()
    clients = np.searchsorted(np.array(["a" * 32, "b" * 32, "c" * 32]), names).astype(np.int64)
    weeks = np.unique(rows["as_of"].to_numpy(), return_inverse=True)[1]
    measuring = Measuring(
        rows, labels, left, np.ones(rows.height, bool), clients, np.ones((3, 3)), (weeks.astype(np.int64), 1)
    )
    one = Measured("hazard", "model", "Hazard model", p, p[:, 2])
    found = measuring.candidate(one, [one])
    # Listed: client a in its 31 weeks, then b in the nine left, of which those after 90 days before UNTIL are open.
    decided_after = sum(day >= leaves and day + timedelta(days=90) <= UNTIL for day in days)
    assert found.capacity.listed == 31 + decided_after
    within = sum(0 < (leaves - day).days <= 90 for day in days)
    assert found.capacity.precision.value == pytest.approx(within / (31 + decided_after))
    assert (found.capacity.found, found.capacity.losses, found.capacity.recall.value) == (1, 1, 1.0)
    assert found.lead_listed.median == (leaves - FIRST).days
    assert (found.lead_high.crossed, found.lead_high.losses, found.lead_high.median) == (0, 1, None)


def test_too_little_history_is_said_plainly() -> None:
    rows, left = _world(clients=40, base=-1.0)
    card = _card(rows, left)
    assert card.state == "not enough history"
    assert card.candidates == []
    assert "at least 10 are needed" in card.message
    early = rows.filter(pl.col("as_of") < FIRST + timedelta(days=100))
    short = evaluate(
        early, _labels(early, left), left, fit={"hazard": lambda *_: hazard()}, rivals={}, until=UNTIL,
        capacity=Capacity(), random=np.random.default_rng(1),
    )  # fmt: skip
    assert short.folds == []
    assert "at least 148 days" in short.message
    assert not better(short, "hazard", "expert").better


def test_what_was_trained_on_the_test_is_not_measured_on_it(world: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, left = world
    seen_until = WEEKS[44]
    blind = hazard(0.0)
    fixed = {
        "active": Fixed(blind, known_until=seen_until),
        "newest": Fixed(blind, known_until=UNTIL),
    }
    card = _card(rows, left, fixed=fixed, draws=10)
    pair = next(one for one in card.pairs if one.incumbent == "active")
    labels = _labels(rows, left)
    assert pair.rows == int((labels.used & (rows["as_of"] >= seen_until).to_numpy()).sum())
    assert not any(one.incumbent == "newest" for one in card.pairs)
    assert next(one for one in card.candidates if one.key == "newest").horizons == {}
    decision = better(card, "hazard", "newest")
    assert not decision.better
    assert "Too early to compare Hazard model with newest" in decision.reason


def test_a_model_without_an_expert_behind_it_must_be_compared_on_more_that_left(
    world: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    card = _card(*world, draws=10)
    pair = next(one for one in card.pairs if (one.challenger, one.incumbent) == ("hazard", "expert"))
    assert better(card, "hazard", "expert", least=pair.churned).better
    decision = better(card, "hazard", "expert", least=pair.churned + 1)
    assert not decision.better
    assert f"{pair.churned} clients left" in decision.reason
    assert f"{pair.churned + 1} are needed" in decision.reason


def test_the_same_model_is_not_better_than_itself(world: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    card = _card(*world, fixed={"active": Fixed(_truth(1.0))})
    pair = next(one for one in card.pairs if one.incumbent == "active")
    assert pair.difference.value == 0
    decision = better(card, "hazard", "active")
    assert not decision.better
    assert "not clearly better" in decision.reason


def test_groups_with_few_losses_have_counts_alone(shown: Card) -> None:
    subject = shown.shown
    assert subject is not None
    rare = next(one for one in subject.industries if one.name == "Rare")
    assert 0 < rare.clients <= 2
    assert rare.came is not None
    assert rare.auc.value is None
    assert {one.name for one in subject.tiers} == {"PRO", "STARTER"}
    assert sum(one.rows for one in subject.tiers) == subject.horizons["90"].rows


def test_a_model_that_is_too_low_is_lifted_by_the_fold_before(world: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, left = world
    labels = _labels(rows, left)

    def tested(calibrate: bool) -> Evaluation:
        return evaluation(
            rows, labels, left, fit={"hazard": lambda *_: _truth(-1.0)}, rivals={}, until=UNTIL, capacity=Capacity(),
            random=np.random.default_rng(1), draws=20, calibrate=calibrate,
        )  # fmt: skip

    plain, lifted = tested(False), tested(True)
    assert plain.card.shown is not None
    assert lifted.card.shown is not None
    raw, better_now = plain.card.shown.horizons["90"], lifted.card.shown.horizons["90"]
    assert raw.foretold is not None
    assert raw.came is not None
    assert better_now.foretold is not None
    assert raw.foretold < better_now.foretold < raw.came * 1.5
    assert plain.last == {}
    # A model fitted to all rows takes over what the last fold says; it foretells as many of it as that one does.
    done = lifted.calibrated("hazard", _truth(-1.0))
    held = lifted.last["hazard"][1]
    assert predict(done, held).p[:, 0].mean() > predict(_truth(-1.0), held).p[:, 0].mean()
    assert lifted.calibrated("another", _truth(-1.0)).offset == 0
    assert str(held["as_of"].min()) == lifted.card.folds[-1].start


def test_the_card_survives_json_and_names_its_coefficients(world: tuple[pl.DataFrame, pl.DataFrame]) -> None:

    card = complete(_card(*world), hazard(1.0), subject="hazard", in_use="hazard", why="It foretold better.")
    data = json.loads(json.dumps(card.as_data(), allow_nan=False))
    assert from_data(data) == card
    assert from_data({}).state == "not enough history"
    assert "another edition" in from_data(data | {"candidates": "none"}).message
    first = card.coefficients[0]
    assert first.feature == "usage_change_month"
    assert first.weights == [pytest.approx(-0.45), pytest.approx(-0.45 * 0.75), pytest.approx(-0.45 * 0.55)]
    assert first.expert == first.weights
    doubt = FEATURES_BY_SLUG["usage_change_month"].doubt
    assert first.low[0] == pytest.approx(-0.45 - 1.2815515655446004 * (0.05**0.5) * doubt)


def test_drift_finds_what_moved(world: tuple[pl.DataFrame, pl.DataFrame], shown: Card) -> None:
    rows, left = world
    late = pl.col("as_of") >= WEEKS[-4]
    moved = rows.with_columns(
        pl.when(late).then(pl.col("days_since_use") + 30).otherwise(pl.col("days_since_use")).alias("days_since_use")
    )
    drift, _ = drift_of(moved, _labels(moved, left))
    assert drift[0].feature == "days_since_use"
    assert drift[0].words == "much drift"
    assert not any(one.feature.startswith("season") for one in drift)
    steady = {one.feature: one for one in shown.drift}
    assert steady["days_since_use"].words == "stable"
