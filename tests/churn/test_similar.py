"""Similar clients: sought among old predictions, with their outcome, named only to those who see them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import caches

from bellwether.churn.client_risk import risk_of
from bellwether.churn.models import ChurnModel
from bellwether.churn.similar import similar
from tests.churn.foretold import SOUND, foretell, version
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
OLD = TODAY - timedelta(days=120)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    caches["memory"].clear()
    yield
    caches["memory"].clear()


@pytest.fixture
def model(db: None) -> ChurnModel:
    return version()


def test_names_those_that_left_and_stayed_to_who_sees_them(staff: Staff, clients: Clients, model: ChurnModel) -> None:
    foretell(clients.fading, model)
    foretell(clients.gone, model, on=OLD)  # left on 1 May, 60 days after
    foretell(clients.elsewhere, model, on=OLD, nps_latest=5.0)
    foretell(clients.newborn, model, on=OLD, **SOUND)
    risk = risk_of(clients.fading)
    assert risk is not None
    first, second, *rest = similar(risk, staff.ada, now=NOW)
    assert (first.name, first.left, first.days, first.as_of) == ("Gone", True, 60, OLD)
    assert (second.client_id, second.name, second.left) == (None, None, False)
    assert second.described == "Enterprise, Manufacturing"
    assert "Elsewhere" not in repr((first, second, rest))
    assert first.alike
    seen_by_all = similar(risk, staff.vera, now=NOW)
    assert [one.name for one in seen_by_all[:2]] == ["Gone", "Elsewhere"]


def test_an_outcome_that_is_not_known_yet_is_no_example(staff: Staff, clients: Clients, model: ChurnModel) -> None:
    foretell(clients.fading, model)
    foretell(clients.sturdy, model, on=TODAY - timedelta(days=89))
    risk = risk_of(clients.fading)
    assert risk is not None
    assert similar(risk, staff.vera, now=NOW) == []


def test_the_pool_is_read_once_and_holds_no_names(
    staff: Staff, clients: Clients, model: ChurnModel, django_assert_num_queries: object
) -> None:
    foretell(clients.fading, model)
    foretell(clients.gone, model, on=OLD)
    risk = risk_of(clients.fading)
    assert risk is not None
    similar(risk, staff.ada, now=NOW)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert [one.name for one in similar(risk, staff.cleo, now=NOW)] == [None]
