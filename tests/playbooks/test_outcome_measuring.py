"""Each kind of outcome over hand-made facts; the window is 1 to 14 March, enrolment on Saturday 28 February 2026."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.playbooks import outcome_measuring as measuring

pytestmark = pytest.mark.one_database

ENROLLED, LAST = date(2026, 2, 28), date(2026, 3, 14)
WEEKDAYS = frozenset({1, 2, 3, 4, 5})


def due(*names: str, **fields: Any) -> pl.DataFrame:
    values = {"enrolled_on": ENROLLED, "last_on": LAST, "feature": "", "at_least": None, "user_key": None,
              "left_on": None} | fields  # fmt: skip
    rows = [{"enrolment_id": one, "client_id": one, "organization_id": one} | values for one in names]
    return pl.DataFrame(rows, schema=measuring.DUE)


def frame(schema: dict[str, Any], *rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def values(found: pl.DataFrame) -> dict[str, float | None]:
    assert found.schema == measuring.MEASURED
    return dict(found.select("enrolment_id", "value").iter_rows())


def test_logins_of_anybody_after_the_day_of_enrolment():
    days = frame(
        measuring.LOGIN_DAYS,
        ("first day", ENROLLED + timedelta(days=1)), ("last day", LAST), ("same day", ENROLLED),
        ("too late", LAST + timedelta(days=1)),
    )  # fmt: skip
    names = ["first day", "last day", "same day", "too late"]

    found = measuring.logins(
        due(*names, "silent"), people=measuring.empty(measuring.PERSON_DAYS), clients=days, seen=names
    )

    assert values(found) == {"first day": 1, "last day": 1, "same day": 0, "too late": 0, "silent": None}
    assert found.filter(pl.col("enrolment_id") == "silent")["detail"].item() == measuring.NO_USE


def test_logins_of_the_person_it_is_about():
    """Others of the client came every day; the champion of `b` did once."""
    clients = frame(measuring.LOGIN_DAYS, ("a", LAST), ("b", LAST))
    people = frame(measuring.PERSON_DAYS, ("b", "champion", LAST), ("a", "another", LAST))

    found = measuring.logins(due("a", "b", user_key="champion"), people=people, clients=clients, seen=["a", "b"])

    assert values(found) == {"a": 0, "b": 1}


def test_score_changes_take_the_newest_score_of_a_week():
    scores = frame(
        measuring.SCORES,
        ("a", ENROLLED, 58.0), ("a", LAST, 66.0), ("a", LAST + timedelta(days=1), 90.0),
        ("b", ENROLLED - timedelta(days=7), 70.0), ("b", LAST - timedelta(days=3), 65.0),
        ("c", ENROLLED - timedelta(days=8), 70.0), ("c", LAST, 65.0),
        ("d", ENROLLED, 70.0), ("d", LAST, None),
    )  # fmt: skip

    found = measuring.score_changes(due("a", "b", "c", "d"), scores)

    assert values(found) == {"a": 8, "b": -5, "c": None, "d": None}
    assert dict(found.select("enrolment_id", "detail").iter_rows())["c"] == "There was no score at enrolment"


def test_leaving():
    ends = frame(measuring.ENDS, ("a", LAST, "CHURNED"), ("b", LAST, "RENEWED"), ("c", ENROLLED, "CHURNED"))

    assert values(measuring.churned(due("a", "b", "c"), ends)) == {"a": 1, "b": 0, "c": 0}


def test_leaving_is_not_known_of_clients_archived_without_an_outcome():
    ends = frame(measuring.ENDS, ("a", LAST, "CHURNED"))
    archived = measuring.churned(due("a", "b", left_on=LAST), ends)
    later = measuring.churned(due("b", left_on=LAST + timedelta(days=1)), ends)

    assert values(archived) == {"a": 1, "b": None}
    assert values(later) == {"b": 0}


def test_renewing_for_less_is_renewing():
    ends = frame(
        measuring.ENDS,
        ("a", LAST, "RENEWED"), ("b", LAST, "DOWNGRADED"), ("c", LAST, "CHURNED"),
        ("d", ENROLLED, "RENEWED"), ("e", ENROLLED + timedelta(days=2), "RENEWED"), ("e", LAST, "CHURNED"),
    )  # fmt: skip

    assert values(measuring.renewals(due("a", "b", "c", "d", "e"), ends)) == {"a": 1, "b": 1, "c": 0, "d": None, "e": 1}


def test_the_feature_asked_for():
    uses = frame(measuring.USES, ("a", "reports", LAST), ("b", "exports", LAST))

    found = measuring.features_used(due("a", "b", feature="reports"), uses, known=["reports"])
    unknown = measuring.features_used(due("a", feature="gone"), uses, known=["reports"])

    assert values(found) == {"a": 1, "b": 0}
    assert values(unknown) == {"a": None}


def test_daily_users_recover():
    """10 a working day before, from 23 January to 21 February; 8 to 14 March are the last week. a: 9 a day, b: 8.9.
    Weekends do not count: c has 9 a day and nobody at the weekend; d had no use before; e is back at 90 of 100."""
    before = [ENROLLED - timedelta(days=36 - n) for n in range(30)]
    week = [LAST - timedelta(days=n) for n in range(7)]
    rows = [(name, day, 10.0) for name in "abc" for day in before if day.weekday() < 5]
    rows += [(name, day, 500.0) for name in "ab" for day in [*before, *week] if day.weekday() >= 5]
    rows += [(name, day, {"a": 9.0, "b": 8.9, "c": 9.0, "d": 9.0}[name])
             for name in "abcd" for day in week if day.weekday() < 5]  # fmt: skip
    rows += [("a", ENROLLED - timedelta(days=n), 0.0) for n in range(7)]  # the fall itself is no level to come back to

    found = measuring.recovered(due("a", "b", "c", "d"), frame(measuring.DAU, *rows), working_days=WEEKDAYS)
    asked = measuring.recovered(due("b", at_least=80.0), frame(measuring.DAU, *rows), working_days=WEEKDAYS)

    assert values(found) == {"a": 1, "b": 0, "c": 1, "d": None}
    assert values(asked) == {"b": 1}


def test_csat_on_both_scales():
    """Means of 75 and 74; "4 of 5" is 75."""
    answers = frame(
        measuring.ANSWERS,
        ("a", LAST, 100.0), ("a", LAST, 50.0), ("b", LAST, 74.0), ("c", LAST + timedelta(days=1), 100.0),
    )  # fmt: skip

    for at_least in (None, 4.0, 75.0):
        found = measuring.good_answers(due("a", "b", "c", at_least=at_least), answers)
        assert values(found) == {"a": 1, "b": 0, "c": None}


def test_nps_improves_on_the_last_answer_before():
    answers = frame(
        measuring.ANSWERS,
        ("a", ENROLLED - timedelta(days=90), 9.0), ("a", ENROLLED, 4.0), ("a", LAST, 7.0),
        ("b", ENROLLED, 4.0), ("b", LAST - timedelta(days=1), 9.0), ("b", LAST, 4.0),
        ("c", LAST, 9.0), ("d", ENROLLED, 9.0), ("e", ENROLLED - timedelta(days=366), 1.0), ("e", LAST, 9.0),
    )  # fmt: skip

    found = measuring.better_answers(due("a", "b", "c", "d", "e"), answers)

    assert values(found) == {"a": 1, "b": 0, "c": None, "d": None, "e": None}
