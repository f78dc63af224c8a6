"""What usage is compared with: averages, the best, and what must not be shown."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from bellwether.health.usage_comparison import Comparison, Counted, Peers, change, comparisons
from bellwether.usage.daily import FIGURES


def peers(tier: list[float], others: list[float], own: float = 99.0) -> Peers:
    """Return clients t0.. of the tier GOLD and o0.. of another, each with the same value for all figures; `me` too."""
    rows = [*(f"t{n}" for n in range(len(tier))), *(f"o{n}" for n in range(len(others))), "me"]
    values = np.array([*tier, *others, own])
    tiers = ["GOLD"] * len(tier) + ["SILVER"] * len(others) + ["GOLD"]
    return Peers(rows, [uuid4() for _ in rows], tiers, dict.fromkeys(FIGURES, values))


def everybody(kind: str, members: Any, reporting: Any) -> Any:
    """Let every group through."""
    return members


def compared(
    given: Peers, *, sees_all: bool = True, no_own: str = "", counted: Counted = everybody
) -> dict[str, Comparison]:
    own: dict[str, float | None] = dict.fromkeys(FIGURES, 7.0)
    found = comparisons(
        "me", "GOLD", "Gold", own=own, no_own=no_own, peers=given, sees_all=sees_all, counted=counted, held_back="Held."
    )
    return {item.against: item for item in found}


class TestComparisons:
    def test_leave_the_client_itself_out(self) -> None:
        found = compared(peers([1, 2, 3, 4, 5], [10, 10, 10, 10, 10]))
        assert (found["tier"].clients, found["tier"].values["dau"]) == (5, 3.0)
        assert (found["all"].clients, found["all"].values["mau"]) == (10, 6.5)
        assert found["own"].values["dau"] == 7.0

    def test_show_the_best_only_to_those_who_see_all_clients(self) -> None:
        given = peers([1, 2, 3, 4, 5], [10] * 6)
        assert (compared(given)["best"].label, compared(given)["best"].values["dau"]) == ("Best of Gold", 5.0)
        other = compared(given, sees_all=False)["best"]
        assert (other.label, other.values["dau"]) == ("Upper quartile of Gold", 4.0)

    def test_say_nothing_under_five_peers(self) -> None:
        found = compared(peers([1, 2, 3, 4], [10] * 6))
        for against in ("tier", "best"):
            assert set(found[against].values.values()) == {None}
            assert found[against].reason == "Only 4 other clients in the tier Gold have usage; 5 are needed."
        assert found["all"].values["dau"] == 7.0  # (1 + 2 + 3 + 4 + 60) / 10
        assert compared(peers([], []))["all"].reason == "No other client of the workspace has usage; 5 are needed."

    def test_hide_a_group_that_is_held_back_with_its_upper_quartile(self) -> None:
        def all_alone(kind: str, members: Any, reporting: Any) -> Any:
            return members if kind == "all" else None

        found = compared(peers([1, 2, 3, 4, 5], [10] * 3), sees_all=False, counted=all_alone)
        for against in ("tier", "best"):
            assert (set(found[against].values.values()), found[against].reason) == ({None}, "Held.")
        assert (found["all"].values["dau"], found["all"].reason) == (5.625, "")  # (1+2+3+4+5+30) / 8

    def test_average_those_who_count_and_no_fewer_than_five(self) -> None:
        def all_but_the_first(kind: str, members: Any, reporting: Any) -> Any:
            return members & (np.arange(len(members)) > 0)

        found = compared(peers([1, 2, 3, 4, 5, 6], []), sees_all=False, counted=all_but_the_first)
        assert found["tier"].values["dau"] == 4.0  # 2 to 6
        few = compared(peers([1, 2, 3, 4, 5], []), sees_all=False, counted=all_but_the_first)
        assert few["tier"].values["dau"] is None

    def test_a_figure_that_few_peers_have_is_not_averaged(self) -> None:
        given = peers([1, 2, 3, 4, 5], [10] * 5)
        values = {**given.figures, "session_minutes": np.array([np.nan] * 2 + [1.0] * 9)}
        found = compared(Peers(given.rows, given.clients, given.tiers, values))
        assert found["tier"].values["session_minutes"] is None
        assert found["tier"].values["dau"] == 3.0

    def test_say_why_there_is_no_baseline(self) -> None:
        own = compared(peers([1] * 5, []), no_own="Too young.")["own"]
        assert (own.reason, own.values["dau"]) == ("Too young.", None)


class TestChange:
    @pytest.mark.parametrize(
        ("value", "reference", "expected"),
        [(12.0, 20.0, -0.4), (20.0, 20.0, 0.0), (None, 20.0, None), (5.0, None, None), (5.0, 0.0, None)],
        ids=["less", "same", "no value", "no reference", "against nothing"],
    )
    def test_is_a_share_of_the_reference(self, value: float, reference: float, expected: float) -> None:
        assert change(value, reference) == (None if expected is None else pytest.approx(expected))
