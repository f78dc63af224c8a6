"""KEY_USER_INACTIVE and CHAMPION_RISK, worked by hand from formulas.md, section 6."""

import json

import polars as pl
import pytest

from bellwether.alerts.frames import ACTIONS, CONTACTS, SILENT, Facts
from tests.alerts.facts import A, clients, day, found, told

pytestmark = pytest.mark.one_database
P = "1" * 32


def contact(
    role: str = "CHAMPION", *, left: int | None = None, gone: int | None = None, last_login: int | None = None
) -> pl.DataFrame:
    days = [None if one is None else day(one) for one in (left, gone, last_login)]
    return pl.DataFrame([(A, P, role, None, *days)], schema=CONTACTS, orient="row")


def actions(by_day: dict[int, int]) -> pl.DataFrame:
    return pl.DataFrame([(A, P, day(on), count) for on, count in by_day.items()], schema=ACTIONS, orient="row")


def inactive(by_day: dict[int, int], *, last: int, **more: object) -> list[tuple[int, int | None]]:
    person = more.pop("person", contact("ADMIN"))
    facts = Facts(clients=clients(), contacts=person, actions=actions(by_day), **more)  # type: ignore[arg-type]
    return told(found(facts, "KEY_USER_INACTIVE", last=last))


def test_a_key_contact_is_inactive_on_the_fourteenth_day_without_a_login() -> None:
    assert inactive({0: 3}, last=13) == []
    assert inactive({0: 3}, last=14) == [(14, None)]


def test_a_login_clears_it_and_the_next_absence_is_another_episode() -> None:
    assert inactive({0: 1, 20: 1, 33: 2}, last=50) == [(14, 20), (47, None)]


def test_somebody_without_a_known_login_is_not_said_to_be_away() -> None:
    assert inactive({}, last=60) == []
    assert inactive({}, last=60, person=contact("ADMIN", last_login=-40)) == [(0, None)]


def test_a_contact_that_is_gone_is_no_key_user_any_more() -> None:
    assert inactive({0: 1}, last=40, person=contact("ADMIN", gone=20)) == [(14, 20)]
    assert inactive({0: 1}, last=40, person=contact("ADMIN", gone=10)) == []


def test_days_on_which_nobody_could_be_seen_do_not_count() -> None:
    silent = pl.DataFrame({"date": [day(on) for on in range(5, 10)]}, schema=SILENT)
    assert inactive({0: 1}, last=30, silent=silent) == [(19, None)]


def risk(by_day: dict[int, int], *, last: int, first: int = 60, person: pl.DataFrame | None = None) -> pl.DataFrame:
    facts = Facts(clients=clients(), contacts=contact() if person is None else person, actions=actions(by_day))
    return found(facts, "CHAMPION_RISK", first=first, last=last)


def test_a_champion_who_does_less_than_half_of_before_is_at_risk() -> None:
    # 20 actions in the days 1-30; on day 60 the windows are 31-60 and 1-30.
    assert told(risk({1: 20, 40: 10}, last=60)) == []  # exactly half
    episode = risk({1: 20, 40: 9}, last=60)
    assert told(episode) == [(60, None)]
    assert json.loads(episode["evidence"][0]) == {
        "actions": 9,
        "days": 30,
        "left": False,
        "actions_before": 20,
        "at_opening": None,
    }


def test_somebody_who_hardly_did_anything_has_nothing_to_lose() -> None:
    assert told(risk({1: 9}, last=60)) == []


def test_it_clears_over_three_quarters_of_what_was_done_before_it_fell() -> None:
    # Day 60: 9 after 20. Day 70 adds 6: 15 in 41-70, exactly 75 % of 20. Day 71 adds 1: 16.
    assert told(risk({1: 20, 45: 9, 70: 6}, last=70)) == [(60, None)]
    assert told(risk({1: 20, 45: 9, 70: 6, 71: 1}, last=71)) == [(60, 71)]


def test_a_champion_who_stays_away_does_not_recover_by_the_calendar() -> None:
    assert told(risk({1: 40}, last=150)) == [(60, None)]


def test_a_champion_who_leaves_is_at_risk_on_that_day_and_it_does_not_clear() -> None:
    rows = risk({}, first=0, last=50, person=contact(left=20, gone=20))
    assert told(rows) == [(20, None)]
    assert (rows["metric"][0], rows["value"][0]) == ("left_company", "left on 2026-01-21")


def test_a_champion_who_is_archived_is_forgotten() -> None:
    assert told(risk({1: 20, 40: 9}, last=80, person=contact(gone=65))) == [(60, 65)]


def test_only_champions_are_looked_at() -> None:
    assert told(risk({1: 20}, last=80, person=contact("ADMIN"))) == []
