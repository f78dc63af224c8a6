"""Learning a version from made-up histories whose truth is known."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bellwether.churn.additive import predict
from bellwether.churn.evaluation import Capacity
from bellwether.churn.factors import FEATURES_BY_SLUG, SLUGS
from bellwether.churn.fitting import expert_model
from bellwether.churn.learning import History, Incumbent, Learned, NotEnoughHistoryError, learn

pytestmark = pytest.mark.one_database
FIRST, WEEKS = date(2025, 1, 6), 44
UNTIL = FIRST + timedelta(weeks=WEEKS)


def world(clients: int, monthly: float, *, told: bool) -> History:
    """A portfolio in which `monthly` of the clients leave each month; `told`: champions grow quiet 60 days before."""
    random = np.random.default_rng(3)
    leaving = random.exponential(30 / monthly, clients)
    rows, left = [], []
    centre = {slug: FEATURES_BY_SLUG[slug].centre for slug in SLUGS} | {
        "days_to_renewal": 400.0,
        "licensed_users": 30.0,
    }
    for number in range(clients):
        name = f"{number:032x}"
        gone = int(leaving[number])
        if gone < WEEKS * 7:
            left.append((name, FIRST + timedelta(days=gone)))
        for week in range(WEEKS):
            day = 7 * week
            if day >= gone:
                break
            quiet = (60.0 if gone - day <= 60 else 3.0) if told else 3.0
            values = centre | {"champion_quiet_days": quiet + random.integers(0, 3), "daily_users": 10.0}
            rows.append({"client_id": name, "as_of": FIRST + timedelta(days=day), "tier": "ENTERPRISE"} | values)
    schema = {"client_id": pl.String, "as_of": pl.Date, "tier": pl.String} | dict.fromkeys(SLUGS, pl.Float64)
    frame = pl.DataFrame(rows, schema=schema).with_columns(industry=pl.lit("Retail"), arr=1000.0, known=1.0)
    gone_frame = pl.DataFrame(left, schema={"client_id": pl.String, "left_on": pl.Date}, orient="row")
    last = gone_frame.rename({"left_on": "last_day"})
    terms = pl.DataFrame(schema={"client_id": pl.String, "term_end": pl.Date, "outcome": pl.String})
    return History(frame.sort("as_of", "client_id"), gone_frame, last, terms, UNTIL)


def incumbent() -> Incumbent:
    return Incumbent(expert_model(), "Expert prior", None)


@pytest.fixture(scope="module")
def history() -> History:
    return world(90, 0.05, told=True)


@pytest.fixture(scope="module")
def learned(history: History) -> Learned:
    return learn(history, incumbent(), expert=expert_model(), rivals={}, capacity=Capacity())


def test_a_model_that_sees_what_precedes_leaving_takes_the_place_of_the_prior(
    history: History, learned: Learned
) -> None:
    found = learned
    assert found.decision.better, found.decision.reason
    assert "Expert prior" in found.decision.reason
    assert found.card.in_use == found.card.subject == found.kind
    held = history.rows.filter(pl.col("as_of") == FIRST + timedelta(weeks=30))
    p90 = predict(found.hazard, held).p[:, -1]
    quiet = (held["champion_quiet_days"] > 30).to_numpy()
    assert p90[quiet].min() > p90[~quiet].max()
    assert found.card.churned == history.left.height


def test_the_version_in_use_is_compared_on_days_that_it_has_not_seen(history: History, learned: Learned) -> None:
    again = Incumbent(learned.hazard, "Version 2, in use", UNTIL - timedelta(days=7))
    second = learn(history, again, expert=expert_model(), rivals={}, capacity=Capacity())
    assert not second.decision.better
    assert second.card.in_use == "active"


def test_without_anybody_who_left_it_says_what_is_missing() -> None:
    nobody = world(20, 0.00001, told=True)
    for must in (False, True):
        with pytest.raises(NotEnoughHistoryError, match="0 clients left in the weeks that training looks at"):
            learn(nobody, incumbent(), expert=expert_model(), rivals={}, capacity=Capacity(), must=must)


def test_too_few_who_left_are_learned_from_on_request_alone() -> None:
    few = world(30, 0.008, told=True)
    assert 0 < few.left.height < 10
    with pytest.raises(NotEnoughHistoryError, match="Not enough history"):
        learn(few, incumbent(), expert=expert_model(), rivals={}, capacity=Capacity())
    found = learn(few, incumbent(), expert=expert_model(), rivals={}, capacity=Capacity(), must=True)
    assert found.kind == "hazard"
    assert not found.decision.better
