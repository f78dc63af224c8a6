from pathlib import Path

from bellwether.health.measures import MEASURES, MEASURES_BY_SLUG
from bellwether.health.measures_page import page
from bellwether.health.scorecard import SCORECARDS, load_scorecard

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "measures.md"


class TestMeasures:
    def test_have_slugs_and_labels_of_their_own(self) -> None:
        assert len(MEASURES_BY_SLUG) == len(MEASURES) == len({measure.label for measure in MEASURES})

    def test_hold_everything_that_a_shipped_scorecard_reads(self) -> None:
        for name in SCORECARDS:
            assert load_scorecard(name).measures <= set(MEASURES_BY_SLUG), name


class TestPage:
    def test_is_the_one_in_the_docs(self) -> None:
        assert PAGE.read_text("utf-8") == page(), (
            "Refresh it: python -m bellwether.health.measures_page > docs/reference/measures.md"
        )
