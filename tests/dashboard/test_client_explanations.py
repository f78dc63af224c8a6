"""How a score comes about, in figures and words."""

from datetime import date

import pytest

from bellwether.dashboard.explanations import (
    Basis,
    component_rows,
    explain_component,
    explain_score,
    largest,
    measure_text,
)
from bellwether.health.score_changes import contributions, effective_weights, effects, without_data
from bellwether.health.scorecard import SCORECARDS, load_scorecard
from tests.dashboard.client_builders import INPUTS, SAMPLE, WEIGHTS

TODAY = date(2026, 6, 30)
CARD = load_scorecard("prd-015")


def basis(components: dict[str, float | None] = SAMPLE, **changes: object) -> Basis:
    values: dict[str, object] = {
        "day": TODAY,
        "score": 58,
        "components": components,
        "weights": WEIGHTS,
        "inputs": INPUTS,
        "coverage": 1.0,
        "reason": "",
        "version": "prd-015 v1",
        "made_at": "14:05",
    }
    return Basis(**(values | changes))  # type: ignore[arg-type]


class TestContributions:
    def test_add_up_to_the_exact_score(self) -> None:
        """41.2·25% + 72·20% + 55·15% + 40·15% + 75·15% + 80·10% = 58.2."""
        found = contributions(SAMPLE, WEIGHTS, points=False)
        assert found["usage"] == pytest.approx(10.3)
        assert sum(found.values()) == pytest.approx(58.2)

    def test_scale_up_the_rest_when_a_component_is_missing(self) -> None:
        shares = effective_weights(SAMPLE | {"outcome": None}, WEIGHTS, points=False)
        assert shares["usage"] == pytest.approx(25 / 90)
        assert sum(shares.values()) == pytest.approx(1.0)

    def test_are_the_points_themselves_in_a_points_scorecard(self) -> None:
        assert contributions({"login": 20.0, "forms": None}, {"login": 30, "forms": 10}, points=True) == {"login": 20.0}

    def test_are_none_without_any_component(self) -> None:
        assert contributions({"usage": None}, {"usage": 25}, points=False) == {}


class TestEffects:
    def test_add_up_to_the_change_also_when_a_component_comes_or_goes(self) -> None:
        before = contributions(SAMPLE, WEIGHTS, points=False)
        after = contributions(SAMPLE | {"outcome": None}, WEIGHTS, points=False)
        assert sum(effects(before, after).values()) == pytest.approx(sum(after.values()) - sum(before.values()))

    def test_rank_by_size_and_leave_out_noise(self) -> None:
        moves = {"usage": -7.75, "support": -2.5, "contract": 3.0, "outcome": 0.04}
        labels = {"usage": "Usage", "contract": "Contract"}
        assert largest(moves, labels, at_most=2) == [("Usage", -7.75), ("Contract", 3.0)]
        assert len(largest(moves, labels, at_most=9)) == 3


class TestWithoutData:
    def test_finds_components_without_a_score(self) -> None:
        inputs = {key: value for key, value in INPUTS.items() if not key.startswith(("cases", "assignments"))}
        assert without_data(CARD, inputs, SAMPLE | {"outcome": None}) == {"outcome"}

    def test_finds_a_number_that_rests_on_an_empty_denominator(self) -> None:
        """No closed cases give 100 in the operations scorecard, which is a rule and no data."""
        card = load_scorecard("operations")
        inputs = {"active_users_30d": 7, "total_users": 10, "cases_on_time": 0, "cases_closed": 0, "tickets_30d": 1}
        parts = {"login": 100.0, "caseResolution": 100.0, "supportTickets": 90.0}
        found = without_data(card, inputs, parts)
        assert "caseResolution" in found
        assert not found & {"login", "supportTickets"}


class TestMeasureText:
    @pytest.mark.parametrize(
        ("slug", "value", "expected"),
        [
            ("dau_avg_7d", 12.4, "12.4 people"),
            ("wau", 1, "1 person"),
            ("dau_change", -0.4, "−40%"),
            ("days_since_contact", 45, "45 days"),
            ("nps_latest", 9.0, "9 of 10"),
            ("csat_90d", 81.25, "81.3 of 100"),
            ("payment_status", "late", "late"),
            ("ticket_points_30d", 1, "1 point"),
            ("cases_closed", 1200, "1,200"),
            ("wau", None, "–"),
            ("of_old", 3, "3"),
        ],
    )
    def test_gives_the_value_its_unit(self, slug: str, value: object, expected: str) -> None:
        assert measure_text(slug, value) == expected


class TestExplainScore:
    def test_shows_the_sum(self) -> None:
        why = explain_score(basis(), CARD, today=TODAY)
        assert why.title == "How 58 is calculated"
        assert [(row.label, row.term, row.amount) for row in why.rows][:2] == [
            ("Usage", "41.2 × 25%", "10.30"),
            ("Adoption", "72 × 20%", "14.40"),
        ]
        assert why.total == "58.20"
        assert why.note == "All components have data. Made 14:05."

    def test_names_the_day_when_it_is_not_today(self) -> None:
        assert explain_score(basis(day=date(2026, 2, 8)), CARD, today=TODAY).title == "How 58 is calculated on 8 Feb"

    def test_says_why_there_is_no_score(self) -> None:
        why = explain_score(basis(score=None, reason="25% of the weight has data"), CARD, today=TODAY)
        assert (why.title, why.total) == ("Why there is no score", "N/A")
        assert why.note.startswith("25% of the weight has data.")


class TestComponentRows:
    def test_compares_with_an_earlier_score(self) -> None:
        rows = component_rows(
            basis(), CARD, earlier=(SAMPLE | {"usage": 72.2}, WEIGHTS), medians={"usage": 76}, today=TODAY
        )
        usage = rows[0]
        assert (usage.value, usage.status, usage.median, usage.effect) == ("41", "risk", 76, "−7.8")
        assert usage.change is not None
        assert (usage.change.direction, usage.change.text, usage.change.tone) == ("down", "31", "bad")

    def test_calls_seventy_five_good_and_sixty_fair(self) -> None:
        parts = SAMPLE | {"usage": 75.0, "adoption": 74.4, "support": 60.0, "relationship": 59.4}
        rows = component_rows(basis(parts), CARD, earlier=None, medians={}, today=TODAY)
        assert [row.word for row in rows[:4]] == ["Good", "Fair", "Fair", "Poor"]

    def test_reads_points_as_a_share_of_their_top(self) -> None:
        card = load_scorecard("suppliers")
        weights = card.weights
        parts = {key: weight * 0.8 for key, weight in weights.items()}
        rows = component_rows(basis(parts, weights=weights), card, earlier=None, medians={}, today=TODAY)
        assert (rows[0].value, rows[0].weight, rows[0].bar, rows[0].status) == ("24", "30 pts", 80.0, "healthy")


class TestExplainComponent:
    @pytest.mark.parametrize("name", SCORECARDS)
    def test_puts_every_component_of_every_scorecard_into_words(self, name: str) -> None:
        for component in load_scorecard(name).components:
            why = explain_component(component, {}, no_data=True, made="")
            assert len(why.formula) > 10
            assert {found.label for found in why.inputs}
            assert why.note == "No data, so this component is left out of the score."

    def test_says_which_part_has_no_data(self) -> None:
        contract = next(component for component in CARD.components if component.key == "contract")
        why = explain_component(contract, {"nps_latest": 8.0, "payment_status": "current"}, no_data=False, made="")
        assert why.note == "Without data: Renewal signal. The rest of the formula stands for them."
