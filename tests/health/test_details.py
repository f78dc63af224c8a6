"""The components of a stored score as the API gives them."""

import pytest

from bellwether.health.details import components
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import load_scorecard


class TestComponents:
    @pytest.mark.parametrize(
        ("value", "status"), [(75.0, "good"), (74.5, "good"), (74.4, "fair"), (60.0, "fair"), (59.4, "poor")]
    )
    def test_have_the_level_of_the_half_up_score(self, value: float, status: str) -> None:
        row = HealthScore(components={"usage": value, "outcome": None}, weights_snapshot={"usage": 25})
        found = components(row, load_scorecard("prd-015"))
        assert (found["usage"].status, found["outcome"].status) == (status, None)

    def test_have_the_level_of_their_share_of_the_top_where_points_are_added(self) -> None:
        card = load_scorecard("suppliers")
        key = card.components[0].key
        row = HealthScore(components={key: 24.0}, weights_snapshot={key: 30.0})
        found = components(row, card)[key]
        assert (found.score, found.status) == (24, "good")  # 24 of 30 is 80 of 100
