import pytest

from bellwether.health.levels import level_of


class TestLevelOf:
    @pytest.mark.parametrize(
        ("score", "level"),
        [(100, "good"), (75, "good"), (74, "fair"), (60, "fair"), (59, "poor"), (0, "poor")],
    )
    def test_begins_at_75_and_60(self, score: int, level: str) -> None:
        assert level_of(score) == level
