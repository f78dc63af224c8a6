"""The model card as Markdown: everything that the issue asks of it, in tables that hold together."""

import re

import pytest

from bellwether.churn.card import EMPTY, better
from bellwether.churn.card_text import About, markdown
from tests.churn.cards import small_card

pytestmark = pytest.mark.one_database
ABOUT = About(3, "Hazard model", "In use", "2026-06-30 12:00 UTC", "It was better.", "1-abc", "d1g357", 12.0)


def test_says_everything_in_whole_tables() -> None:
    text = markdown(small_card(), ABOUT)
    for heading in (
        "# Churn model, version 3", "## What it is for", "## Data", "## Method", "### Within 30 days",
        "### Within 90 days", "### Against each other", "### Reliability at 90 days", "### At the capacity of a week",
        "### Lead time", "### By tier, 90 days", "### By industry, 90 days", "## Drift", "## Coefficients", "## Limits",
    ):  # fmt: skip
        assert re.search(rf"^{re.escape(heading)}", text, re.MULTILINE), heading
    assert "4,000 client-weeks of 100 clients, as-of days 2025-01-06 to 2026-03-30" in text
    assert "| Hazard model | 0.810 (0.760 to 0.860) | 0.420 (0.370 to 0.470) |" in text
    assert "| Expert prior | +0.140 (+0.090 to +0.190) | better |" in text
    assert "| first above 50 % at 90 days | 41 | 20 to 63 | 12 of 22 |" in text
    assert "| None given | 1,000 | 80 | 22 |" in text
    assert "| STARTER | 4 | 3 | 1 | – | – | – | – |" in text
    assert "| Seats in use | 0.310 | much drift |" in text
    assert "Invented for a test." in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {line.count("|") for line in block.strip().splitlines()}
        assert len(widths) == 1, block


def test_without_history_says_so() -> None:
    text = markdown(EMPTY, ABOUT)
    assert "Expert prior, no history yet." in text
    assert "No client-week has an outcome yet" in text
    assert "### Within" not in text


def test_the_decision_stands_on_the_pair() -> None:
    assert better(small_card(), "hazard", "expert").better
    assert "Too early" in better(small_card(), "expert", "hazard").reason
