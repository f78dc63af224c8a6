"""Probabilities as people read them."""

import pytest

from bellwether.web.chances import chance, chance_in, chances, risk_of

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, "–"), (0.0, "<1%"), (0.0049, "<1%"), (0.005, "1%"), (0.235, "24%"), (0.994, "99%"), (0.995, ">99%")],
    ids=str,
)
def test_never_promises(p: float | None, text: str) -> None:
    assert chance(p) == text


@pytest.mark.parametrize(
    ("p", "category", "text"),
    [
        (0.1949, "LOW", "19%"), (0.1962, "LOW", "19.6%"), (0.19999, "LOW", "19.9%"), (0.2, "MEDIUM", "20%"),
        (0.5, "MEDIUM", "50%"), (0.50001, "HIGH", "50.1%"), (0.5031, "HIGH", "50.4%"), (0.505, "HIGH", "51%"),
    ],
    ids=str,
)  # fmt: skip
def test_a_figure_stays_in_its_category(p: float, category: str, text: str) -> None:
    assert chance_in(p, category) == text


def test_intervals_and_words() -> None:
    assert chances(0.41, 0.66) == "41 to 66%"
    assert chances(0.001, 0.002) == "<1%"
    assert chances(None, 0.2) == ""
    assert (risk_of("HIGH").key, risk_of("").label) == ("critical", "Not predicted")
