"""What CSMs see of each other."""

from dataclasses import replace
from typing import Any

import pytest

from bellwether.analytics.figures import EMPTY
from bellwether.analytics.retention import Retention
from bellwether.analytics.scorecard import CsmRow, Nps, by_name, label, spreads_of, veiled
from tests.analytics.books import BEFORE, TODAY

pytestmark = pytest.mark.one_database


def row(key: str, **more: Any) -> CsmRow:
    values: dict[str, Any] = {
        "now": replace(EMPTY, clients=20, arr=1_234_567.0), "nps": Nps(8, 2, 20), "health_change": 1.26,
        "retention": Retention(BEFORE, TODAY, 10, 1, 100.0, 10.0, 0.0, 0.0), "activities": {"CALL": 33, "QBR": 4},
        "overdue": 3, "workload": 0.876,
    }  # fmt: skip
    return CsmRow(key=key, name=f"Name {key}", team="West", **(values | more))


ROWS = [row(letter) for letter in "abcdefgh"]


class TestNames:
    def test_are_for_those_who_lead(self) -> None:
        sight = by_name(ROWS, 90)
        assert [one.name for one in sight.named] == [f"Name {letter}" for letter in "abcdefgh"]
        assert (sight.others, sight.hidden) == ((), "")


class TestVeil:
    def test_shows_the_own_row_and_the_others_without_what_tells_who_they_are(self) -> None:
        sight = veiled(ROWS, known={"c"}, days=90, seed="s")
        assert [one.key for one in sight.named] == ["c"]
        assert [one.label for one in sight.others] == [f"CSM {letter}" for letter in "ABCDEFG"]
        one = sight.others[0]
        # NPS 30, change 1.26, 37 activities of 20 clients in 90 days are 0.62 in 30, workload 0.876.
        assert (one.nps, one.health_change, one.per_client, one.workload) == (30, 1, 0.5, 0.9)
        assert set(vars(one)) == {"label", "nps", "health_change", "per_client", "workload"}
        assert "Name" not in repr(sight.others)

    def test_order_says_nothing_and_changes_with_the_seed(self) -> None:
        rows = [row(letter, workload=place / 10) for place, letter in enumerate("abcdefgh")]
        orders = {tuple(one.workload for one in veiled(rows, known=(), days=90, seed=f"{n}").others) for n in range(12)}
        assert len(orders) > 9
        again = veiled(list(reversed(rows)), known=(), days=90, seed="0")
        assert again.others == veiled(rows, known=(), days=90, seed="0").others

    def test_hides_few(self) -> None:
        sight = veiled(ROWS[:5], known={"a"}, days=90, seed="s")
        assert sight.others == ()
        assert not sight.spreads
        assert "there are 4" in sight.hidden
        assert len(veiled(ROWS[:6], known={"a"}, days=90, seed="s").others) == 5

    def test_does_not_count_those_without_clients_as_cover(self) -> None:
        rows = [*ROWS[:5], *(row(letter, now=EMPTY) for letter in "xyz")]
        assert veiled(rows, known={"a"}, days=90, seed="s").others == ()

    def test_hides_short_periods(self) -> None:
        assert "28 days" in veiled(ROWS, known={"a"}, days=27, seed="s").hidden
        assert len(veiled(ROWS, known={"a"}, days=28, seed="s").others) == 7

    def test_middle_is_of_all_with_the_figure(self) -> None:
        rows = [row(letter, workload=place / 10) for place, letter in enumerate("abcdefg")]
        found = spreads_of([*rows, row("h", nps=Nps(1, 0, 1), workload=0.7)], 90)
        assert (found["workload"].median, found["workload"].of) == (0.35, 8)
        assert found["nps"].of == 7
        few = spreads_of([row(letter, nps=Nps(0, 0, 4)) for letter in "abcdefg"], 90)
        assert "nps" not in few

    def test_labels_go_on_after_z(self) -> None:
        assert [label(place) for place in (0, 25, 26, 52)] == ["CSM A", "CSM Z", "CSM AA", "CSM BA"]
