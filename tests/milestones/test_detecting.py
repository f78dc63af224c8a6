"""Rules over frames, each expected day worked by hand."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.milestones.detecting import detect, selections_of
from bellwether.milestones.frames import (
    CLIENT_DAYS,
    CLIENTS,
    COUNTS,
    HAPPENINGS,
    MODULES,
    SCORES,
    SEATS,
    VALUES,
    Facts,
    Schema,
)
from bellwether.milestones.rules import FIELDS, Kind, Rule, progress_text, rule_from_data, rule_text
from bellwether.presets import PRESETS, load_preset

pytestmark = pytest.mark.one_database
TODAY, JAN = date(2026, 6, 30), date(2026, 1, 1)


def client(name: str, **fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys(CLIENTS)
    return {**empty, "client_id": name, "organization_id": f"org-{name}", "started_on": JAN, "modules": []} | fields


def facts(clients: list[dict[str, Any]], *, facts_from: date | None = JAN, **frames: list[dict[str, Any]]) -> Facts:
    schemas: dict[str, Schema] = {
        "counts": COUNTS, "client_days": CLIENT_DAYS, "seats": SEATS, "modules": MODULES, "scores": SCORES,
        "values": VALUES, "happenings": HAPPENINGS,
    }  # fmt: skip
    made = {name: pl.DataFrame(frames.get(name, []), schema=schema) for name, schema in schemas.items()}
    stored = [made[name].select("client_id", "date") for name in ("scores", "values")]
    made["starts"] = pl.concat(stored).group_by("client_id").agg(pl.col("date").min())
    return Facts(clients=pl.DataFrame(clients, schema=CLIENTS), facts_from=facts_from, today=TODAY, **made)


def counted(name: str, *days: tuple[date, int], folded_to: date | None = None) -> list[dict[str, Any]]:
    return [
        {"selection": 0, "organization_id": f"org-{name}", "date": on, "events": n, "folded_to": folded_to}
        for on, n in days
    ]


def reached(rule: dict[str, Any], known: Facts) -> dict[str, tuple[date, bool]]:
    rows = detect({"it": rule_from_data(rule)}, known).reached
    return {name: (on, exact) for name, on, exact in rows.select("client_id", "achieved_on", "exact").iter_rows()}


def progress(rule: dict[str, Any], known: Facts) -> dict[str, tuple[float, float, date | None]]:
    rows = detect({"it": rule_from_data(rule)}, known).progress
    return {
        name: (value, target, on)
        for name, value, target, on in rows.select("client_id", "value", "target", "expected_on").iter_rows()
    }


def uses(times: int) -> dict[str, Any]:
    return {"kind": "uses", "events": ["Case Created"], "times": times}


class TestUses:
    ROWS = counted("a", (date(2026, 3, 1), 4), (date(2026, 3, 5), 5), (date(2026, 6, 20), 3))

    @pytest.mark.parametrize(
        ("times", "day"), [(1, date(2026, 3, 1)), (4, date(2026, 3, 1)), (5, date(2026, 3, 5)), (10, date(2026, 6, 20))]
    )
    def test_the_day_on_which_the_count_gets_there(self, times: int, day: date) -> None:
        assert reached(uses(times), facts([client("a"), client("b")], counts=self.ROWS)) == {"a": (day, True)}

    def test_the_rest_at_the_pace_of_the_last_thirty_days(self) -> None:
        """Three in 30 days: eight more take 80 days."""
        known = facts([client("a"), client("b")], counts=self.ROWS)
        assert progress(uses(20), known) == {"a": (12.0, 20.0, TODAY + timedelta(days=80))}
        assert progress(uses(1000), known)["a"][2] is None  # more than a year away

    def test_who_began_before_the_facts_is_known_on_or_before(self) -> None:
        known = facts([client("a", started_on=date(2025, 12, 31))], counts=self.ROWS)
        assert reached(uses(5), known) == {"a": (date(2026, 3, 5), False)}

    def test_folded_days_give_the_last_day_they_may_stand_for(self) -> None:
        """Ten from 3 to 27 January in one row: the first was on the 3rd, the tenth on some day until the 31st."""
        rows = counted("a", (date(2026, 1, 3), 10), folded_to=date(2026, 1, 31))
        known = facts([client("a")], counts=rows)
        assert reached(uses(1), known) == {"a": (date(2026, 1, 3), True)}
        assert reached(uses(10), known) == {"a": (date(2026, 1, 31), False)}

    def test_nothing_after_a_client_left(self) -> None:
        known = facts([client("a", ended_on=date(2026, 3, 4))], counts=self.ROWS)
        assert reached(uses(4), known) == {"a": (date(2026, 3, 1), True)}
        assert reached(uses(5), known) == {}
        assert progress(uses(100), known) == {}

    def test_the_same_events_are_counted_once_for_many_rules(self) -> None:
        rules = [rule_from_data(uses(n)) for n in (1, 10, 100)] + [rule_from_data({"kind": "uses", "times": 1})]
        assert sorted(selections_of(rules).values()) == [0, 1]


class TestUse:
    def test_seats_are_those_of_the_term_else_of_the_client(self) -> None:
        """2 of 10 is under a quarter; with 8 seats from May on, 2 is a quarter."""
        days = [
            {"organization_id": f"org-{name}", "date": on, "mau": 2, "folded": False}
            for name in "ab"
            for on in (date(2026, 4, 1), date(2026, 5, 3))
        ]
        terms = [{"client_id": "a", "start_date": date(2026, 5, 1), "seats": 8}]
        known = facts([client("a", seats=10), client("b", seats=10), client("c")], client_days=days, seats=terms)
        rule = {"kind": "seat_use", "at_least": 0.25}
        assert reached(rule, known) == {"a": (date(2026, 5, 3), True)}
        assert progress(rule, known) == {"b": (0.2, 0.25, None)}

    def test_modules_count_in_any_case_and_only_licensed_ones(self) -> None:
        first = [
            {"organization_id": "org-a", "module": module, "date": date(2026, month, 1)}
            for module, month in (("cases", 2), ("policies", 4), ("chat", 6))
        ]
        clients = [client("a", modules=["Cases", "Policies"]), client("b", modules=["Cases"]), client("c")]
        known = facts(clients, modules=first)
        assert reached({"kind": "modules"}, known) == {"a": (date(2026, 4, 1), True)}
        assert progress({"kind": "modules"}, known) == {"b": (0.0, 1.0, None)}


class TestScores:
    def scores(self, name: str, first: date, values: list[int | None]) -> list[dict[str, Any]]:
        return [
            {"client_id": name, "date": first + timedelta(days=n), "score": value} for n, value in enumerate(values)
        ]

    def test_days_in_a_row_are_broken_by_a_low_day_and_by_a_missing_one(self) -> None:
        rule = {"kind": "health_streak", "at_least": 80, "days": 3}
        rows = self.scores("a", date(2026, 2, 1), [80, 90, 79, 80, 81, 82, 99])
        rows += self.scores("b", date(2026, 6, 25), [90, 90, None, 90, 90, 10])
        rows += self.scores("c", date(2026, 6, 29), [85, 85])
        known = facts([client(name) for name in "abc"], scores=rows)
        assert reached(rule, known) == {"a": (date(2026, 2, 6), True)}
        assert progress(rule, known) == {"c": (2.0, 3.0, date(2026, 7, 1))}

    def test_a_run_from_the_first_score_on_may_have_begun_before(self) -> None:
        rows = self.scores("a", date(2026, 2, 1), [80, 90, 95])
        known = facts([client("a")], scores=rows)
        assert reached({"kind": "health_streak", "at_least": 80, "days": 2}, known) == {"a": (date(2026, 2, 2), False)}

    def test_a_component_is_not_the_measure_of_the_same_name(self) -> None:
        rows = [
            {"client_id": "a", "measure": f"component:{name}", "date": date(2026, 3, n), "value": value}
            for name, n, value in (("adoption", 1, 30.0), ("adoption", 2, None), ("adoption", 3, 60.0))
        ]
        known = facts([client("a")], values=rows)
        component, measure = (
            {"kind": kind, "measure": "adoption", "at_least": 60} for kind in ("component", "measure")
        )
        assert reached(component, known) == {"a": (date(2026, 3, 3), True)}
        assert reached(measure, known) == {}


class TestRecords:
    def test_anniversaries_of_a_leap_day(self) -> None:
        known = facts([client("a", started_on=date(2024, 2, 29)), client("b", started_on=None)])
        assert reached({"kind": "time", "years": 1}, known) == {"a": (date(2025, 2, 28), True)}
        assert progress({"kind": "time", "years": 3}, known)["a"] == (852.0, 1095.0, date(2027, 2, 28))

    def test_go_live_only_once_it_was(self) -> None:
        known = facts([client("a", go_live_date=TODAY), client("b", go_live_date=TODAY + timedelta(days=3))])
        assert reached({"kind": "go_live"}, known) == {"a": (TODAY, True)}
        assert progress({"kind": "go_live"}, known) == {"b": (0.0, 1.0, TODAY + timedelta(days=3))}

    def test_the_nth_record_and_the_first_high_answer(self) -> None:
        def happened(what: str, month: int, value: float | None = None) -> dict[str, Any]:
            return {"client_id": "a", "what": what, "date": date(2026, month, 1), "value": value}

        rows = [happened("renewal", 3), happened("renewal", 5), happened("activity:QBR", 4)]
        rows += [happened("nps", 2, 8.0), happened("nps", 4, 9.0), happened("renewal", 9)]
        known = facts([client("a")], happenings=rows)
        assert reached({"kind": "renewal", "times": 2}, known) == {"a": (date(2026, 5, 1), True)}
        assert reached({"kind": "activity", "activity": "QBR", "times": 1}, known) == {"a": (date(2026, 4, 1), True)}
        assert reached({"kind": "nps", "at_least": 9}, known) == {"a": (date(2026, 4, 1), True)}
        assert progress({"kind": "renewal", "times": 3}, known) == {"a": (2.0, 3.0, None)}


class TestRules:
    @pytest.mark.parametrize("preset", PRESETS)
    def test_presets_can_be_read_written_and_said(self, preset: str) -> None:
        found = load_preset(preset)["milestones"]
        assert len({one["key"] for one in found}) == len(found) > 10
        for one in found:
            rule = rule_from_data(one["rule"])
            assert rule_from_data(rule.as_data()) == rule
            assert "{client}" in one["sentence"]
            assert rule_text(rule)

    def test_every_kind_can_be_evaluated_on_nothing(self) -> None:
        values = {
            "events": ["x"],
            "times": 1,
            "people_only": False,
            "at_least": 1,
            "days": 1,
            "measure": "m",
            "activity": "QBR",
        }
        rules = {k.value: rule_from_data({"kind": k, **{f: values[f] for f in FIELDS[k] if f in values}}) for k in Kind}
        found = detect(rules, facts([], facts_from=None))
        assert found.reached.is_empty()
        assert found.progress.is_empty()

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            ({"kind": "luck"}, "kind"),
            ("uses", "kind"),
            ({"kind": "uses", "times": 0}, "times"),
            ({"kind": "uses", "times": True}, "times"),
            ({"kind": "uses", "times": 1, "events": [""]}, "events"),
            ({"kind": "uses", "times": 1, "days": 3}, "days"),
            ({"kind": "seat_use", "at_least": "many"}, "at_least"),
            ({"kind": "time"}, "days"),
            ({"kind": "time", "days": 3, "years": 1}, "days"),
            ({"kind": "measure", "measure": "", "at_least": 1}, "measure"),
            ({"kind": "nps", "at_least": 11}, "at_least"),
        ],
        ids=range(11),
    )
    def test_what_cannot_be_used_names_its_field(self, data: Any, field: str) -> None:
        with pytest.raises(InvalidInputError) as found:
            rule_from_data(data)
        assert field in found.value.errors

    def test_progress_in_words(self) -> None:
        assert progress_text(Rule(kind=Kind.USES, times=100), 92, 100) == "92 of 100"
        assert progress_text(Rule(kind=Kind.SEAT_USE, at_least=0.25), 0.18, 0.25) == "18% of 25%"
        assert progress_text(Rule(kind=Kind.HEALTH_STREAK, days=90), 71, 90) == "71 of 90 days"
