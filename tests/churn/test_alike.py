"""Look-alikes: near in what the model says matters, never the client itself, one row of each other client."""

from datetime import date
from math import sqrt
from typing import Any

import numpy as np
import polars as pl
import pytest

from bellwether.churn.additive import AdditiveModel, Interval, Linear
from bellwether.churn.alike import ALIKE, alike
from bellwether.churn.factors import SLUGS
from bellwether.churn.features import FEATURE_ROWS
from bellwether.churn.labelling import interval_labels

pytestmark = pytest.mark.one_database

DAY, UNTIL = date(2026, 1, 5), date(2026, 10, 5)
MODEL = AdditiveModel(
    SLUGS,
    tuple(Interval(-4.0, {"seat_use": Linear(-1.0), "csat_90d": Linear(-0.1), "payment_late": Linear(1.0)})
          for _ in range(3)),
)  # fmt: skip


def row(client_id: str, as_of: date = DAY, **values: Any) -> dict[str, Any]:
    return {"client_id": client_id, "as_of": as_of, "tier": "ENTERPRISE", "industry": "Retail", **values}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{name: one.get(name) for name in FEATURE_ROWS} for one in rows], schema=FEATURE_ROWS)


def leaving(*found: tuple[str, date]) -> pl.DataFrame:
    return pl.DataFrame(list(found), schema={"client_id": pl.String, "left_on": pl.Date}, orient="row")


def found(client: pl.DataFrame, rows: pl.DataFrame, left: pl.DataFrame, n: int = 3) -> pl.DataFrame:
    last_days = left.rename({"left_on": "last_day"})
    labels = interval_labels(rows, left, last_days, UNTIL)
    return alike(MODEL, client, rows, labels, left, n=n)


def test_the_nearest_are_found_with_their_distance_and_what_is_alike() -> None:
    client = frame(row("me", date(2026, 10, 5), seat_use=0.35, csat_90d=80.0, payment_late=1.0))
    rows = frame(
        row("twin", seat_use=0.35, csat_90d=80.0, payment_late=1.0),
        row("near", seat_use=0.6, csat_90d=50.0, payment_late=1.0),
        row("stays", seat_use=0.35, csat_90d=65.0, payment_late=0.0),
        row("unlike", seat_use=1.0, csat_90d=95.0, payment_late=0.0),
        row("me", seat_use=0.35, csat_90d=80.0, payment_late=1.0),
    )
    left = leaving(("twin", date(2026, 2, 1)), ("near", date(2026, 4, 5)))
    alike_rows = found(client, rows, left)
    assert alike_rows.schema == pl.Schema(ALIKE)
    assert alike_rows.select("client_id", "left", "left_on").rows() == [
        ("twin", True, date(2026, 2, 1)),
        ("near", True, date(2026, 4, 5)),
        ("stays", False, None),
        ("unlike", False, None),
    ]
    # seat_use: (0.6 - 0.35) / 0.25 = 1 with weight 1; csat: 30 / 15 = 2 with weight 0.1; payment: 1 with weight 1.
    # Alike in all three intervals, so that the mean over them is that of one.
    assert alike_rows["distance"].to_list() == pytest.approx(
        [0.0, sqrt(1 + 0.2**2), sqrt(0.1**2 + 1), sqrt(2.6**2 + 0.1**2 + 1)]
    )
    assert alike_rows["shared"][0].to_list()[0] in ("seat_use", "payment_late")
    assert "payment_late" not in alike_rows["shared"][2].to_list()
    assert alike_rows["seat_use"].to_list() == [0.35, 0.6, 0.35, 1.0]


def test_of_another_client_only_the_nearest_week_counts() -> None:
    client = frame(row("me", seat_use=0.5))
    rows = frame(*(row("other", date(2026, 1, 5 + 7 * n), seat_use=0.9 - 0.2 * n) for n in range(3)))
    only = found(client, rows, leaving())
    assert only.select("client_id", "as_of").rows() == [("other", date(2026, 1, 19))]


def test_who_left_later_is_no_example_of_staying() -> None:
    client = frame(row("me", seat_use=0.5))
    rows = frame(row("later", seat_use=0.5), row("other", seat_use=0.5))
    assert found(client, rows, leaving(("later", date(2026, 9, 1))))["client_id"].to_list() == ["other"]


def test_outcomes_that_are_not_known_yet_do_not_count() -> None:
    client = frame(row("me", seat_use=0.5))
    rows = frame(row("new", date(2026, 9, 28), seat_use=0.5))
    assert found(client, rows, leaving()).is_empty()
    assert found(client, rows, leaving()).schema == pl.Schema(ALIKE)


def test_at_most_n_of_each_kind_and_none_that_is_far() -> None:
    client = frame(row("me", seat_use=0.5, payment_late=0.0))
    near = [row(f"{kind}{n}", seat_use=0.5 + 0.01 * n) for kind in "ls" for n in range(4)]
    far = row("far", seat_use=1.2, payment_late=2.0)
    left = leaving(*((f"l{n}", date(2026, 2, 1)) for n in range(4)))
    assert found(client, frame(*near, far), left, n=2)["client_id"].to_list() == ["l0", "l1", "s0", "s1"]
    assert found(client, frame(far), leaving()).is_empty()


def test_only_one_client_can_be_asked_for() -> None:
    rows = frame(row("a"), row("b"))
    with pytest.raises(ValueError, match="one client"):
        alike(MODEL, rows, rows, interval_labels(rows, leaving(), leaving().rename({"left_on": "last_day"}), UNTIL),
              leaving())  # fmt: skip


def test_nothing_to_compare_with_is_an_empty_frame() -> None:
    client = frame(row("me"))
    nothing = pl.DataFrame(schema=FEATURE_ROWS)
    labels = interval_labels(nothing, leaving(), leaving().rename({"left_on": "last_day"}), UNTIL)
    assert alike(MODEL, client, nothing, labels, leaving()).is_empty()
    assert np.array_equal(labels.decided.shape, (0, 3))
