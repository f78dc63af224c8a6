"""What if: levers change what they say, never surprise towards their good side, and refuse what makes no sense."""

import pytest

from bellwether.churn.additive import predict
from bellwether.churn.differences import frame_of
from bellwether.churn.factors import SLUGS
from bellwether.churn.levers import LEVERS, LEVERS_BY_SLUG, bounds_of, changed_inputs, offers, told
from bellwether.churn.what_if import category_of, what_if
from bellwether.common.errors import InvalidInputError
from tests.churn.hazards import hazard, renewal

pytestmark = pytest.mark.one_database

TROUBLED: dict[str, float | None] = dict.fromkeys(SLUGS) | {
    "usage_change_month": 0.6, "usage_change_week": 0.8, "daily_users": 12.0, "days_since_use": 4.0,
    "champion_quiet_days": 21.0, "open_tickets": 5.0, "nps_latest": 6.0, "csat_90d": 60.0, "payment_late": 1.0,
    "days_since_contact": 45.0, "days_to_renewal": 49.0, "seat_use": 0.4, "feature_breadth": 0.4,
    "stakeholder_coverage": 0.25, "renewal_signal": 50.0,
}  # fmt: skip


def test_the_champion_returns_and_two_tickets_are_closed() -> None:
    changed = changed_inputs(TROUBLED, {"champion_back": 1, "tickets_closed": 2}, {})
    assert changed == {"champion_quiet_days": 0.0, "open_tickets": 3.0}
    found = what_if(hazard(), renewal(), TROUBLED, changed)
    expected = predict(hazard(), frame_of([TROUBLED, TROUBLED | changed], SLUGS)).p
    assert [chance.p for chance in found.before.days] == pytest.approx(list(expected[0]))
    assert [chance.p for chance in found.after.days] == pytest.approx(list(expected[1]))
    assert found.points == pytest.approx(100 * (expected[1, 2] - expected[0, 2]))
    assert found.points < 0
    assert {line.slug for line in found.lines} == {"champion", "support"}
    assert sum(line.log_odds for line in found.lines) == pytest.approx(found.log_odds)
    assert sum(line.points for line in found.lines) == pytest.approx(found.points)
    assert found.before.renewal is not None
    assert found.after.renewal is not None
    assert found.after.renewal.p < found.before.renewal.p
    assert "not a promise" in found.note


def test_users_back_at_their_average_move_all_figures_that_go_with_it() -> None:
    changed = changed_inputs(TROUBLED, {"usage_back": 1}, {})
    assert changed == {
        "usage_change_month": 1.0, "usage_change_week": 1.0, "daily_users": pytest.approx(20.0), "days_since_use": 0.0,
    }  # fmt: skip
    assert told(TROUBLED, {"usage_change_month": 1.0}) == [("Daily users, 30 against 90 days", "−40%", "0%")]


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_no_lever_surprises_towards_its_good_side(scale: float) -> None:
    for lever in LEVERS:
        if lever.slug == "renewed":
            continue
        value = lever.maximum if lever.number else 1.0
        value = 5.0 if lever.slug == "tickets_closed" else value
        found = what_if(hazard(scale), None, TROUBLED, changed_inputs(TROUBLED, {lever.slug: value}, {}))
        assert found.points <= 1e-12, lever.slug
        assert all(a.p <= b.p + 1e-12 for a, b in zip(found.after.days, found.before.days, strict=True)), lever.slug


def test_a_renewal_out_of_sight_is_not_foretold() -> None:
    found = what_if(hazard(), renewal(), TROUBLED, changed_inputs(TROUBLED, {"renewed": 1}, {}))
    assert found.changed == {"days_to_renewal": 414.0}
    assert found.before.renewal is not None
    assert found.after.renewal is None
    assert found.points < 0


def test_offers_only_what_is_known_and_would_change_something() -> None:
    found = {offer.lever.slug: offer for offer in offers(TROUBLED)}
    assert set(found) == set(LEVERS_BY_SLUG)
    assert (found["tickets_closed"].maximum, found["nps"].value, found["seats"].value) == (5, 6, 40)
    calm = TROUBLED | {"champion_quiet_days": 0.0, "payment_late": 0.0, "open_tickets": 0.0, "nps_latest": None}
    assert {"champion_back", "paid", "tickets_closed", "nps"}.isdisjoint(offer.lever.slug for offer in offers(calm))
    assert offers(dict.fromkeys(SLUGS)) == []


@pytest.mark.parametrize(
    ("levers", "values", "field", "says"),
    [
        ({"magic": 1}, {}, "levers.magic", "no lever of this name"),
        ({"tickets_closed": 6}, {}, "levers.tickets_closed", "from 0 to 5"),
        ({"nps": 11}, {}, "levers.nps", "from 0 to 10"),
        ({"champion_back": 2}, {}, "levers.champion_back", "from 0 to 1"),
        ({}, {"magic": 1}, "inputs.magic", "no feature of this name"),
        ({}, {"nps_latest": -1}, "inputs.nps_latest", "from 0 to 10"),
        ({}, {"days_since_use": float("nan")}, "inputs.days_since_use", "from 0 to 3650"),
    ],
    ids=["lever", "too-many-tickets", "nps", "yes-or-no", "feature", "negative", "nan"],
)
def test_names_the_field_that_cannot_be_used(
    levers: dict[str, float], values: dict[str, float], field: str, says: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        changed_inputs(TROUBLED, levers, values)
    assert says in refused.value.errors[field]


def test_what_is_not_known_cannot_be_asked_by_a_lever() -> None:
    with pytest.raises(InvalidInputError) as refused:
        changed_inputs(TROUBLED | {"champion_quiet_days": None}, {"champion_back": 1}, {})
    assert "champion last seen is not known" in refused.value.errors["levers.champion_back"]


def test_a_lever_that_is_not_pulled_changes_nothing() -> None:
    assert changed_inputs(TROUBLED, {"champion_back": 0, "nps": 6}, {"open_tickets": 5}) == {}


def test_every_feature_has_bounds() -> None:
    assert all(low < high for low, high in map(bounds_of, SLUGS))


@pytest.mark.parametrize(("p90", "category"), [(0.199, "LOW"), (0.2, "MEDIUM"), (0.5, "MEDIUM"), (0.51, "HIGH")])
def test_the_categories_of_the_formulas(p90: float, category: str) -> None:
    assert category_of(p90) == category
