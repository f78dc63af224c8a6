"""What is recommended for a supplier, from its own numbers."""

import pytest

from bellwether.health.supplier_advice import recommendations

pytestmark = pytest.mark.one_database
WELL = {
    "days_since_login": 1, "feature_share": 0.75, "features_tracked": 8, "client_activity": 0.8,
    "form_completion_rate": 0.9, "journey_performance": 0.8,
}  # fmt: skip


def test_says_nothing_where_all_is_well() -> None:
    assert recommendations(WELL, change=-5) == []


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (None, "Has not logged in yet: plan an onboarding call."),
        (14, "No login for 14 days: plan a personal check-in call."),
        (7, "Last login 7 days ago: send a re-engagement e-mail with tips."),
        (6, ""),
    ],
    ids=["never", "two weeks", "a week", "six days"],
)
def test_login(days: int | None, sentence: str) -> None:
    assert recommendations(WELL | {"days_since_login": days}, change=None) == ([sentence] if sentence else [])


def test_what_brings_most_points_comes_first() -> None:
    # 25 * (1 - 0.2) = 20 points for its clients, 25 * (1 - 0.25) = 18.75 for features, 10 * (1 - 0.1) = 9 for forms.
    poor = WELL | {"feature_share": 0.25, "client_activity": 0.2, "form_completion_rate": 0.1}
    assert recommendations(poor, change=0) == [
        "20% of its clients were active in 30 days: help to bring the others back.",
        "Used 2 of 8 features in 30 days: offer a tour of the others.",
        "10% of started forms were completed in 90 days: make them shorter.",
    ]
    assert len(recommendations(poor | {"days_since_login": 20, "journey_performance": 0.0}, change=-20)) == 3


def test_a_supplier_that_never_came_is_not_told_about_forms() -> None:
    assert recommendations({}, change=None) == ["Has not logged in yet: plan an onboarding call."]
