"""What changed between two texts."""

import pytest

from bellwether.web.text_difference import MOST_WORDS, Part, differences

pytestmark = pytest.mark.one_database


class TestDifferences:
    def test_marks_words(self) -> None:
        assert differences("Renewal in May", "Renewal in June") == [
            Part("same", "Renewal in "),
            Part("removed", "May"),
            Part("added", "June"),
        ]

    def test_keeps_every_character_of_short_texts(self) -> None:
        before, after = "a  b\n\nc d", "a b\n\nc e d"
        parts = differences(before, after)
        assert "".join(part.text for part in parts if part.kind != "removed") == after
        assert "".join(part.text for part in parts if part.kind != "added") == before

    def test_leaves_out_what_is_far_from_a_change(self) -> None:
        parts = differences("word " * 100 + "old", "word " * 100 + "new")
        assert [part.kind for part in parts] == ["left out", "same", "removed", "added"]

    def test_shows_very_long_texts_whole(self) -> None:
        long = "word " * MOST_WORDS
        assert differences(long, "x") == [Part("removed", long), Part("added", "x")]
