"""The level of a component: one set of words for pages and the API (docs/adr/0012). Pure."""

from typing import Literal

GOOD, FAIR = 75, 60
Level = Literal["good", "fair", "poor"]


def level_of(score: int) -> Level:
    """Return good from 75, fair from 60, else poor; `score` is 0-100, half-up."""
    return "good" if score >= GOOD else "fair" if score >= FAIR else "poor"
