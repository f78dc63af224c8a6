"""Recoveries by the rule: 15 points up from a similar score within a year, kept for 60 days."""

from datetime import date, timedelta

from bellwether.benchmarks.stories import recovery

START = date(2025, 1, 1)


def _points(*scores, step=14):
    return [(START + timedelta(days=step * place), score) for place, score in enumerate(scores)]


def test_a_rise_that_held():
    found = recovery(_points(57, 60, 66, 74, 76, 78, 79, 80, 81), 58)
    assert (found.low, found.high, found.began, found.reached) == (57, 80, START, START + timedelta(days=42))
    assert found.months == 1  # 42 days


def test_a_rise_that_did_not_hold_for_sixty_days():
    assert recovery(_points(57, 60, 66, 74, 76, 70, 79, 80, 81), 58) is None


def test_a_rise_too_young_to_know():
    assert recovery(_points(57, 60, 66, 74, 76, 78), 58) is None


def test_a_rise_from_elsewhere():
    assert recovery(_points(40, 60, 76, 80, 80, 80, 80, 80), 58) is not None  # 60 is similar to 58, 76 is 16 up
    assert recovery(_points(40, 43, 58, 60, 60, 60, 60, 60), 80) is None


def test_a_rise_of_fourteen_points_is_none():
    assert recovery(_points(57, 60, 66, 70, 71, 71, 71, 71, 71), 57) is None
