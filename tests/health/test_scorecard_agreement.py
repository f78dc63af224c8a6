"""Where scorecards disagree, in words worked by hand."""

import pytest

from bellwether.health.scorecard_agreement import Verdict, disagreement

MAIN = Verdict("Client health", 54, "at risk", (("Usage", 31), ("Outcomes", 86)))
USAGE = Verdict("Usage health", 81, "healthy", (("Level", 90), ("Recency", 70)))


class TestDisagreement:
    def test_names_the_two_that_differ_most_and_what_makes_them(self) -> None:
        between = Verdict("Tenant health", 70, "amber", (("Login activity", 65),))
        assert disagreement([MAIN, between, USAGE]) == (
            "Usage health says 81 (healthy), Client health says 54 (at risk): 27 points apart."
            " Client health is held down by Usage (31), Usage health is carried by Level (90)."
        )

    @pytest.mark.parametrize(
        ("scores", "text"),
        [
            ((54,), ""),
            ((54, 58), "Both agree: scores within 4 points."),
            ((54, 55), "Both agree: scores within 1 point."),
            ((54, 54, 54), "All 3 agree: the same score."),
            ((54, 59), "B says 59, A says 54: 5 points apart."),
            ((None, 59), "Only B has a score, so there is nothing to compare."),
            ((None, None), "None of the scorecards has a score."),
        ],
    )
    def test_says_when_they_agree_or_cannot_be_compared(self, scores: tuple[int | None, ...], text: str) -> None:
        verdicts = [Verdict(name, score, "") for name, score in zip("ABC", scores, strict=False)]
        assert disagreement(verdicts) == text
