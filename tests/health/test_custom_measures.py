"""The grammar of custom measures: what may be said, what is refused and why, and how it reads."""

from typing import Any

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.health.custom_grammar import parse_definition
from bellwether.health.custom_measures import RESERVED, check_slug, slug_of
from bellwether.health.custom_preview import samples, spread
from bellwether.health.custom_text import sentence
from bellwether.health.measures import MEASURES, Better, Unit
from bellwether.health.scorecard import SCORECARDS, load_scorecard

EXPORTS = {"kind": "count", "event": "Report Exported"}


def problems(data: Any, **given: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        parse_definition(data, **given)
    return caught.value.errors


class TestSentences:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (EXPORTS, "Number of Report Exported events of people in 30 days."),
            (EXPORTS | {"people_only": False, "window_days": 1}, "Number of Report Exported events on the day."),
            (
                {"kind": "users", "events": ["B", "A"], "module": "Cases", "window_days": "all"},
                "People with A or B events in module Cases so far.",
            ),
            (
                {"kind": "ratio", "of": EXPORTS | {"window_days": 7}, "per": "seats"},
                "Number of Report Exported events of people in 7 days, divided by licensed users.",
            ),
            ({"kind": "days_since"}, "Whole days since the last of actions of any kind of people."),
            (
                {"kind": "sum", "event": "Paid", "property": "amount",
                 "where": [{"property": "plan", "is": "in", "value": ["b", "a"]},
                           {"property": "amount", "is": "greater", "value": 2}]},
                "Sum of amount in Paid events of people where amount is over 2 and plan is a or b in 30 days.",
            ),
            (
                {"kind": "last", "trait": "employees", "window_days": "all"},
                "Last employees from identify and group calls so far.",
            ),
        ],
        ids=["count", "no people", "users", "ratio", "days since", "sum", "trait"],
    )  # fmt: skip
    def test_says_what_it_is(self, data: dict[str, Any], text: str) -> None:
        definition = parse_definition(data)
        assert sentence(definition) == text
        assert parse_definition(definition.as_data()) == definition

    def test_the_order_of_events_and_conditions_does_not_matter(self) -> None:
        where = [{"property": "a", "is": "exists"}, {"property": "b", "value": 1}]
        one = parse_definition(EXPORTS | {"where": where})
        other = parse_definition(EXPORTS | {"where": where[::-1], "window_days": 30})
        assert one == other
        assert one.spec == other.spec


class TestDefaults:
    @pytest.mark.parametrize(
        ("data", "unit", "better", "window"),
        [
            (EXPORTS, Unit.COUNT, Better.HIGHER, 30),
            ({"kind": "users", "event": "A"}, Unit.PEOPLE, Better.HIGHER, 30),
            ({"kind": "days_since", "event": "A"}, Unit.DAYS, Better.LOWER, None),
            ({"kind": "ratio", "of": EXPORTS, "per": "users"}, Unit.RATIO, Better.HIGHER, None),
            (EXPORTS | {"better": "lower", "unit": "points"}, Unit.POINTS, Better.LOWER, 30),
        ],
        ids=["count", "users", "days since", "ratio", "given"],
    )
    def test_fit_the_kind(self, data: dict[str, Any], unit: Unit, better: Better, window: int | None) -> None:
        definition = parse_definition(data)
        assert (definition.unit, definition.better, definition.window) == (unit, better, window)


class TestWhatNeedsRawEvents:
    @pytest.mark.parametrize(
        ("data", "needs"),
        [
            (EXPORTS, False),
            (EXPORTS | {"module": "M", "feature": "f", "label": "late"}, False),
            ({"kind": "days_since", "event": "A"}, False),
            ({"kind": "ratio", "of": EXPORTS, "per": EXPORTS}, False),
            ({"kind": "ratio", "of": EXPORTS, "per": "users"}, False),
            ({"kind": "users", "event": "A"}, True),
            (EXPORTS | {"where": [{"property": "a", "is": "exists"}]}, True),
            ({"kind": "sum", "event": "A", "property": "n"}, True),
            ({"kind": "last", "trait": "n"}, True),
            ({"kind": "ratio", "of": {"kind": "users", "event": "A"}, "per": "seats"}, True),
        ],
    )
    def test_is_said_of_each(self, data: dict[str, Any], needs: bool) -> None:
        assert parse_definition(data).needs_raw is needs

    def test_windows_share_their_facts(self) -> None:
        week = parse_definition({"kind": "users", "event": "A", "window_days": 7})
        year = parse_definition({"kind": "users", "event": "A", "window_days": 365})
        assert week.specs == year.specs


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "paths"),
        [
            (None, {"definition"}),
            ([], {"definition"}),
            ({}, {"kind"}),
            ({"kind": "median"}, {"kind"}),
            (EXPORTS | {"window_days": 366}, {"window_days"}),
            (EXPORTS | {"window_days": 0}, {"window_days"}),
            (EXPORTS | {"window_days": True}, {"window_days"}),
            (EXPORTS | {"window_days": "30"}, {"window_days"}),
            (EXPORTS | {"events": ["A"]}, {"event"}),
            ({"kind": "count", "events": [""]}, {"events"}),
            ({"kind": "count", "events": [7]}, {"events"}),
            ({"kind": "count", "events": ["a"] * 21}, {"events"}),
            ({"kind": "users"}, {"events"}),
            ({"kind": "sum", "event": "A"}, {"property"}),
            ({"kind": "sum", "event": "A", "property": "a", "trait": "b"}, {"property", "events"}),
            ({"kind": "last", "trait": 'quo"ted'}, {"trait"}),
            (EXPORTS | {"property": "a"}, {"property"}),
            (EXPORTS | {"unit": "furlongs", "better": "sideways"}, {"unit", "better"}),
            (EXPORTS | {"people_only": "yes"}, {"people_only"}),
            (EXPORTS | {"colour": "red"}, {"colour"}),
            ({"kind": "days_since", "window_days": 30}, {"window_days"}),
            (EXPORTS | {"where": "a"}, {"where"}),
            (EXPORTS | {"where": ["a"]}, {"where.0"}),
            (EXPORTS | {"where": [{"is": "exists"}]}, {"where.0.property"}),
            (EXPORTS | {"where": [{"property": "a", "is": "like", "value": "b"}]}, {"where.0.is"}),
            (EXPORTS | {"where": [{"property": "a", "is": "greater", "value": "many"}]}, {"where.0.value"}),
            (EXPORTS | {"where": [{"property": "a", "is": "greater", "value": float("nan")}]}, {"where.0.value"}),
            (EXPORTS | {"where": [{"property": "a", "is": "in", "value": []}]}, {"where.0.value"}),
            (EXPORTS | {"where": [{"property": "a", "is": "equals"}]}, {"where.0.value"}),
            (EXPORTS | {"where": [{"property": "a", "is": "exists", "value": 3}]}, {"where.0.value"}),
            (EXPORTS | {"where": [{"property": "a", "value": 1, "not": True}]}, {"where.0.not"}),
            (EXPORTS | {"where": [{"property": "a", "is": "exists"}] * 6}, {"where"}),
            ({"kind": "ratio"}, {"of", "per"}),
            ({"kind": "ratio", "of": {"kind": "ratio"}, "per": "clients"}, {"of.kind", "per"}),
            ({"kind": "ratio", "of": EXPORTS | {"window_days": 0}, "per": EXPORTS | {"unit": "count"}},
             {"of.window_days", "per.unit"}),
            ({"kind": "count", "label": "late"}, {"label"}),
        ],
    )  # fmt: skip
    def test_name_the_field(self, data: Any, paths: set[str]) -> None:
        assert set(problems(data)) == paths

    def test_a_label_needs_an_event_that_has_one(self) -> None:
        data = EXPORTS | {"label": "late"}
        assert "Case Closed" in problems(data, labelled=["Case Closed"])["label"]
        assert parse_definition(data, labelled=["Report Exported"]).label == "late"

    def test_all_problems_are_said_at_once(self) -> None:
        assert set(problems(EXPORTS | {"window_days": 0, "unit": "x", "module": 4})) == {
            "window_days",
            "unit",
            "module",
        }


class TestSlugs:
    @pytest.mark.parametrize("slug", ["", "a", "Reports", "1st", "re-ports", "a" * 61, "naïve", "a.version"])
    def test_have_a_form(self, slug: str) -> None:
        assert "small letters" in (check_slug(slug) or "")

    def test_are_not_those_of_built_in_measures(self) -> None:
        for measure in MEASURES:
            assert "built-in" in (check_slug(measure.slug) or ""), measure.slug

    def test_are_not_words_of_scoring(self) -> None:
        assert {
            c.key for name in SCORECARDS for c in load_scorecard(name).components if check_slug(c.key) is None
        } == set()
        assert all(check_slug(word) for word in RESERVED)

    def test_are_taken_once(self) -> None:
        assert check_slug("reports_exported") is None
        assert "another measure" in (check_slug("reports_exported", taken=["reports_exported"]) or "")

    @pytest.mark.parametrize(
        ("name", "slug"),
        [("Reports exported, 30 days", "reports_exported_30_days"), ("90 days of use", "days_of_use"), ("→", "")],
        ids=["words", "number first", "nothing left"],
    )
    def test_are_made_of_names(self, name: str, slug: str) -> None:
        assert slug_of(name) == slug


class TestSamples:
    def rows(self, *values: float | None) -> list[Any]:
        return [(n, f"Client {n}", value) for n, value in enumerate(values)]

    def test_show_the_ends_the_middle_and_who_has_none(self) -> None:
        shown = samples(self.rows(1, 2, 3, 4, 5, 6, 7, None, None, None))
        assert [(s.place, s.value) for s in shown] == [
            ("highest", 7), ("highest", 6), ("middle", 5), ("middle", 4), ("lowest", 2), ("lowest", 1),
            ("no value", None), ("no value", None),
        ]  # fmt: skip

    @pytest.mark.parametrize("count", range(7))
    def test_show_nobody_twice(self, count: int) -> None:
        shown = samples(self.rows(*range(count)))
        assert len({s.client_id for s in shown}) == len(shown) == min(count, 6)

    def test_a_spread_counts_everybody_once(self) -> None:
        bins = spread([0, 0, 1, 5, 20])
        assert sum(one.clients for one in bins) == 5
        assert (bins[0].low, bins[0].clients) == (0, 3)
        assert bins[-1].low <= 20

    def test_a_spread_of_one_value_is_one_bin(self) -> None:
        assert [(b.low, b.high, b.clients) for b in spread([3.0, 3.0])] == [(3, 3, 2)]
        assert spread([]) == []
