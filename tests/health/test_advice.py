"""Sentences and next steps by rule, each from figures that are there."""

from datetime import date
from typing import Any

import pytest

from bellwether.health.advice import Figures, actions, analysis, sentences

TODAY = date(2026, 6, 30)


def figures(**fields: Any) -> Figures:
    values: dict[str, Any] = {
        "name": "Sturdy", "score": 82, "status": "HEALTHY", "change": 3, "change_days": 30, "reason": "",
        "components": {"usage": 90}, "renewal": None, "today": TODAY, "inputs": {},
    }  # fmt: skip
    return Figures(**(values | fields))


def text(**fields: Any) -> str:
    return " ".join(sentence.text for sentence in sentences(figures(**fields)))


class TestSentences:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, "Sturdy scores 82 of 100 (healthy), 3 points more than 30 days before."),
            ({"change": -1}, "Sturdy scores 82 of 100 (healthy), 1 point fewer than 30 days before."),
            ({"change": 0}, "Sturdy scores 82 of 100 (healthy), the same as 30 days before."),
            ({"change": None}, "Sturdy scores 82 of 100 (healthy); there is no earlier score to compare with."),
            ({"score": None, "reason": "Too little data."}, "Sturdy has no health score: Too little data."),
        ],
    )
    def test_begin_with_the_standing(self, fields: dict[str, Any], expected: str) -> None:
        assert text(**fields) == expected

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"components": {"caseResolution": 30}}, "The weakest part is case resolution (30)."),
            ({"components": {"usage": 90, "outcome": None}}, "There is no data for outcome."),
            ({"inputs": {"dau_change": 0.125}}, "Daily active users are up 13% on their 30-day average."),
            ({"inputs": {"days_since_contact": 0}}, "The last contact was today."),
            ({"inputs": {"days_since_contact": 1}}, "The last contact was 1 day ago."),
            ({"inputs": {"tickets_30d": 1}}, "1 support ticket was opened in 30 days."),
            ({"inputs": {"nps_latest": 9.0}}, "The latest NPS answer is 9 of 10."),
            ({"renewal": TODAY}, "The renewal on 2026-06-30 is today."),
            ({"renewal": date(2026, 6, 29)}, "The renewal date 2026-06-29 passed 1 day ago."),
            ({"renewal": date(2026, 7, 2)}, "The renewal on 2026-07-02 is 2 days away."),
        ],
    )
    def test_add_what_the_figures_say(self, fields: dict[str, Any], expected: str) -> None:
        assert text(**fields).endswith(expected)

    @pytest.mark.parametrize(
        "inputs", [{}, {"dau_change": None}, {"dau_change": 0.05}, {"tickets_30d": 0}, {"payment_status": "current"}]
    )
    def test_stay_silent_without_a_figure_worth_saying(self, inputs: dict[str, Any]) -> None:
        assert len(sentences(figures(inputs=inputs))) == 1

    def test_name_their_figures(self) -> None:
        everything = {"dau_change": -0.5, "days_since_contact": 60, "tickets_30d": 6, "nps_latest": 3}
        for sentence in sentences(figures(inputs=everything, renewal=TODAY)):
            assert sentence.sources


class TestAnalysis:
    def test_is_the_standing_alone_when_nothing_is_of_concern(self) -> None:
        inputs = {"dau_change": 0.2, "days_since_contact": 3, "tickets_30d": 1, "nps_latest": 9}
        assert analysis(figures(inputs=inputs)) == sentences(figures())[0].text


class TestActions:
    def test_ask_for_nothing_when_all_is_well(self) -> None:
        inputs = {"dau_change": 0.0, "days_since_contact": 44, "tickets_30d": 4, "nps_latest": 7, "features_used": 6,
                  "features_licensed": 10, "stakeholder_coverage_90d": 0.5}  # fmt: skip
        assert actions(figures(inputs=inputs, renewal=date(2026, 7, 30))) == []

    def test_follow_the_figures_over_their_thresholds(self) -> None:
        inputs = {"dau_change": -0.3, "days_since_contact": 45, "tickets_30d": 5, "nps_latest": 6, "features_used": 5,
                  "features_licensed": 10, "stakeholder_coverage_90d": 0.49, "payment_status": "overdue"}  # fmt: skip
        made = actions(figures(score=79, inputs=inputs, renewal=date(2026, 9, 28)))
        assert made == [
            "Clear the overdue payment with the billing contact",
            "Schedule a call with the champion to understand why daily use fell by 30%",
            "Get in touch: the last contact was 45 days ago",
            "Review the 5 support tickets of the last 30 days for unresolved issues",
            "Offer an executive business review before the renewal in 90 days",
            "Follow up on the NPS answer of 6",
            "Meet the key contacts: 49% of them were met in 90 days",
            "Plan a training: 5 of 10 licensed features are in use",
        ]
