"""Who matters at a client: lanes, coverage, cautions, successors, and who is there twice."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from bellwether.portfolio.contact_duplicates import Named, Pair, duplicates
from bellwether.portfolio.stakeholder_map import Stakeholder, stakeholder_map, successors
from tests.conftest import TODAY

pytestmark = pytest.mark.one_database


def number(n: int) -> UUID:
    return UUID(int=n)


def person(
    n: int, role: str = "USER", *, met: int | None = None, login: int | None = None, **more: object
) -> Stakeholder:
    days = {
        "met_on": None if met is None else TODAY - timedelta(days=met),
        "login_on": None if login is None else TODAY - timedelta(days=login),
    }
    return Stakeholder(**{"id": number(n), "name": f"P{n}", "role": role, **days, **more})  # type: ignore[arg-type]


def keys(*people: Stakeholder, recorded: bool = True) -> list[str]:
    return [found.key for found in stakeholder_map(people, today=TODAY, recorded=recorded).warnings]


class TestCoverage:
    def test_is_the_share_of_key_contacts_met_in_90_days(self) -> None:
        """Met 0 and 89 days ago count, 90 days ago does not; users are no key contacts: 2 of 4."""
        found = stakeholder_map(
            [person(1, "CHAMPION", met=0), person(2, "ADMIN", met=89), person(3, "ADMIN", met=90),
             person(4, "EXECUTIVE_SPONSOR"), person(5, "USER", met=1)], today=TODAY,
        )  # fmt: skip
        assert found.coverage == 0.5
        assert [one.name for one in found.uncovered] == ["P4", "P3"]

    @pytest.mark.parametrize(
        "gone", [{"present": False}, {"known_since": date(2026, 7, 1)}], ids=["has left", "not known yet"]
    )
    def test_is_about_those_who_are_there(self, gone: dict[str, object]) -> None:
        found = stakeholder_map([person(1, "CHAMPION", met=3), person(2, "ADMIN", **gone)], today=TODAY)
        assert found.coverage == 1.0

    def test_is_unknown_without_key_contacts_or_records(self) -> None:
        assert stakeholder_map([person(1)], today=TODAY).coverage is None
        assert stakeholder_map([person(1, "ADMIN")], today=TODAY, recorded=False).coverage is None


class TestLanes:
    def test_follow_the_roles_and_the_primary_contact_comes_first(self) -> None:
        people = [person(1, "USER"), person(2, "CHAMPION"), person(3, "CHAMPION", is_primary=True)]
        lanes = {lane.role: [one.name for one in lane.people] for lane in stakeholder_map(people, today=TODAY).lanes}
        assert list(lanes) == ["EXECUTIVE_SPONSOR", "CHAMPION", "ADMIN", "USER", "BILLING", "OTHER"]
        assert lanes["CHAMPION"] == ["P3", "P2"]


class TestCautions:
    def test_nobody(self) -> None:
        assert keys(person(1, present=False)) == ["nobody"]

    def test_no_champion_and_no_sponsor(self) -> None:
        assert keys(person(1, met=1), person(2, met=2)) == ["no_champion", "no_sponsor"]

    def test_single_threaded_when_one_of_many_was_met(self) -> None:
        people = (person(1, "CHAMPION", met=1), person(2, "EXECUTIVE_SPONSOR", met=91))
        assert keys(*people) == ["single_threaded"]
        assert keys(*people, recorded=False) == []

    def test_a_champion_without_a_login_for_14_days(self) -> None:
        sponsor = person(2, "EXECUTIVE_SPONSOR", met=1)
        assert keys(person(1, "CHAMPION", met=1, login=14), sponsor) == ["quiet_champion"]
        assert keys(person(1, "CHAMPION", met=1, login=13), sponsor) == []


class TestSuccessors:
    def test_come_by_role_then_title_then_when_last_seen(self) -> None:
        leaving = person(1, "CHAMPION", title="Head of Compliance")
        same_role = person(2, "CHAMPION", met=80)
        colleague = person(3, "USER", title="Compliance analyst")
        recent, quiet = person(4, "USER", login=1), person(5, "USER", login=1, engagement="INACTIVE")
        gone = person(6, "CHAMPION", present=False)
        found = successors(leaving, [quiet, gone, recent, colleague, same_role, leaving], today=TODAY)
        assert [one.name for one in found] == ["P2", "P3", "P4", "P5"]


class TestDuplicates:
    def test_share_a_mailbox_or_a_name(self) -> None:
        people = [
            Named(number(1), "Mara Lindqvist", "mara@cobalt.example"),
            Named(number(2), "M. Lindqvist", "Mara+crm@COBALT.example"),
            Named(number(3), "Dr. Lindqvist, Mára", "other@cobalt.example"),
            Named(number(4), "Support", ""),
            Named(number(5), "support", ""),
        ]
        assert duplicates(people) == [
            Pair(number(1), number(2), "email"),
            Pair(number(1), number(3), "name"),
        ]
