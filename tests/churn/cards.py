"""A small card with figures, for tests of what shows it."""

from bellwether.churn.card import (
    AtCapacity,
    Candidate,
    Card,
    Difference,
    Drift,
    Figures,
    Fold,
    Group,
    Lead,
    Pair,
    ReliabilityPoint,
    complete,
)
from bellwether.churn.metrics import Interval
from tests.churn.hazards import hazard


def around(value: float, by: float = 0.05) -> Interval:
    """Return a figure with intervals of `by` and 2 × `by` around it."""
    return Interval(value, value - by, value + by, value - 2 * by, value + 2 * by)


def small_card(reason: str = "Hazard model foretold better than Expert prior out of time.") -> Card:
    """Return a card of two candidates and a rule with made-up figures."""
    points = [
        ReliabilityPoint(0.02, 0.01, 0.0, 0.03, 500, 60),
        ReliabilityPoint(0.3, 0.25, 0.1, 0.4, 500, 40),
    ]
    figures = Figures(
        1000, 80, 22, 0.13, 0.16, around(0.81), around(0.42), around(0.09, 0.01), around(0.3), around(0.021, 0.004),
        around(4.2, 0.5), points,
    )  # fmt: skip
    ahead = {"hazard": Difference(around(0.14), 1000, 22, "better")}
    card = Card(
        state="ok",
        message="22 clients left in the months that the test covers.",
        first="2025-01-06", last="2026-03-30", until="2026-06-29",
        rows=4000, clients=100, churned=40, base_rates={"30": 0.01, "60": 0.02, "90": 0.03},
        test_rows=1000, test_clients=80, test_churned=22,
        folds=[Fold("2025-12-01", "2026-03-30", 3000, 18, 1000, 22)],
        capacity="5 clients per CSM and week",
        candidates=[
            Candidate(
                "hazard", "model", "Hazard model", {"30": figures, "60": figures, "90": figures}, around(0.05, 0.01),
                AtCapacity(around(0.31), around(0.64), 200, 14, 22), Lead(41, 20, 63, 12, 22), Lead(70, 40, 90, 14, 22),
                [Group("ENTERPRISE", 600, 50, 14, 0.15, 0.14, around(0.8), around(0.1)), Group("STARTER", 4, 3, 1)],
                [Group("", 1000, 80, 22, 0.16, 0.13, around(0.81), around(0.09))],
            ),
            Candidate("expert", "prior", "Expert prior", {"90": figures}, around(0.07, 0.01), ahead=ahead),
            Candidate("last-login", "rule", "Last login", {"90": Figures(900, 70, 20, 0.12, auc=around(0.6))}),
        ],
        pairs=[Pair("hazard", "expert", Interval(-0.02, -0.03, -0.01, -0.035, -0.005), 1000, 22)],
        drift=[
            Drift("seat_use", "Seats in use", 0.31, "much drift"),
            Drift("csat_90d", "CSAT, 90 days", None, "nothing to compare"),
        ],
        drift_window="6 Mar 2026 to 30 Mar 2026 against the training rows before",
        notes=["Invented for a test."],
    )  # fmt: skip
    return complete(card, hazard(), subject="hazard", in_use="hazard", why=reason)
