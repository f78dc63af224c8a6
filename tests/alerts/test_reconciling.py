"""Episodes against stored alerts, worked by hand."""

from datetime import date
from uuid import UUID

import pytest

from bellwether.alerts.reconciling import Differences, Episode, Kept, differences

pytestmark = pytest.mark.one_database
CLIENT = "a" * 32
ONE, TWO = UUID(int=1), UUID(int=2)


def day(number: int) -> date:
    return date(2026, 6, number)


def episode(opened: int, cleared: int | None = None, subject: str = "") -> Episode:
    return Episode(
        client_id=CLIENT,
        alert_type="HEALTH_DROP",
        subject=subject,
        severity="HIGH",
        opened_on=day(opened),
        last_fired_on=day(opened),
        cleared_on=day(cleared) if cleared else None,
        times_fired=1,
    )


def kept(opened: int, ended: int | None = None, pk: UUID = ONE, subject: str = "") -> Kept:
    return Kept(
        id=pk,
        client_id=CLIENT,
        alert_type="HEALTH_DROP",
        subject=subject,
        opened_on=day(opened),
        ended_on=day(ended) if ended else None,
    )


def found(stored: list[Kept], episodes: list[Episode]) -> Differences:
    return differences(stored, episodes, today=day(30), since=day(23))


class TestDifferences:
    def test_what_is_new_opens(self) -> None:
        assert found([], [episode(29)]) == Differences([episode(29)], [], [], [])

    def test_what_is_stored_goes_on_even_if_it_now_begins_another_day(self) -> None:
        assert found([kept(20)], [episode(18)]) == Differences([], [(ONE, episode(18))], [], [])

    def test_what_cleared_ends_on_its_day(self) -> None:
        assert found([kept(20)], [episode(20, 28)]).clear == [(ONE, day(28), episode(20, 28))]

    def test_what_is_not_found_any_more_ends_today(self) -> None:
        assert found([kept(20)], []) == Differences([], [], [(ONE, day(30), None)], [])

    def test_one_that_ended_and_began_again_is_two(self) -> None:
        changes = found([kept(20)], [episode(20, 25), episode(27)])
        assert changes == Differences([episode(27)], [], [(ONE, day(25), episode(20, 25))], [])

    def test_an_ended_one_stays_ended(self) -> None:
        assert found([kept(20, 25)], [episode(20, 25)]) == Differences([], [], [], [])

    def test_one_that_ends_when_the_next_begins_is_another(self) -> None:
        assert found([kept(20, 25)], [episode(25)]).open == [episode(25)]

    def test_an_ended_one_that_holds_after_all_is_taken_up_again(self) -> None:
        assert found([kept(20, 25)], [episode(20)]) == Differences([], [], [], [(ONE, episode(20))])

    def test_what_came_and_went_between_two_looks_is_not_lost(self) -> None:
        assert found([], [episode(23, 25), episode(2, 5)]).open == [episode(23, 25)]

    def test_a_clear_day_before_the_stored_one_began_belongs_to_another(self) -> None:
        changes = found([kept(20)], [episode(10, 15), episode(19)])
        assert changes.hold == [(ONE, episode(19))]
        assert changes.open == []

    def test_subjects_are_apart(self) -> None:
        stored = [kept(20, subject="x"), kept(20, pk=TWO, subject="y")]
        changes = found(stored, [episode(20, subject="y")])
        assert [pk for pk, _, _ in changes.clear] == [ONE]
        assert [pk for pk, _ in changes.hold] == [TWO]
