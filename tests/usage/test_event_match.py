"""What counts as using a feature, as data and as text."""

import pytest

from bellwether.usage.event_match import EventMatch, match_from_data, match_from_text

SAID = [
    ("Case Created", "Case Created", EventMatch("Case Created")),
    ("commit where feature = tests", {"event": "commit", "feature": "tests"}, EventMatch("commit", feature="tests")),
    ("any event where module = docs", {"module": "docs"}, EventMatch(module="docs")),
    (
        "commit where module = lib and feature = tests",
        {"event": "commit", "module": "lib", "feature": "tests"},
        EventMatch("commit", "lib", "tests"),
    ),
]


@pytest.mark.parametrize(("text", "data", "match"), SAID, ids=[text for text, _, _ in SAID])
def test_reads_and_writes_text_and_data(text: str, data: object, match: EventMatch) -> None:
    assert match_from_text(text) == match
    assert match_from_data(data) == match
    assert (str(match), match.as_data()) == (text, data)


def test_takes_a_name_that_merely_sounds_like_a_condition() -> None:
    assert match_from_text("Asked where to click") == EventMatch("Asked where to click")


@pytest.mark.parametrize("text", ["", "   ", "commit where feature = tests and feature = docs"], ids=repr)
def test_refuses_text_that_says_nothing_or_two_things(text: str) -> None:
    with pytest.raises(ValueError, match=r"is empty|gives feature twice"):
        match_from_text(text)


@pytest.mark.parametrize("data", ["", {}, {"event": 3}, {"events": "commit"}, {"module": " "}, 7, None], ids=repr)
def test_refuses_data_that_names_nothing(data: object) -> None:
    with pytest.raises(ValueError, match=r"needs|has events"):
        match_from_data(data)
