"""Similar clients: sought among old predictions, with their outcome, named only to those who see them."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import pytest
from django.core.cache import caches

from bellwether.churn.client_risk import risk_of
from bellwether.churn.features import FEATURE_ROWS
from bellwether.churn.kept_rows import KeptRows, Marks, rows_version
from bellwether.churn.models import ChurnModel
from bellwether.churn.similar import similar
from bellwether.health.loading import workspace_settings
from bellwether.usage.lake import Lake
from tests.churn.foretold import TROUBLED, foretell, version
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
OLD = TODAY - timedelta(days=120)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    caches["memory"].clear()
    yield
    caches["memory"].clear()


@pytest.fixture(autouse=True)
def _own_lake(lake: Lake) -> None:
    """Without kept rows of others."""


@pytest.fixture
def model(db: None) -> ChurnModel:
    return version()


def test_names_those_that_left_and_stayed_to_who_sees_them(staff: Staff, clients: Clients, model: ChurnModel) -> None:
    foretell(clients.fading, model)
    foretell(clients.gone, model, on=OLD)  # left on 1 May, 60 days after
    foretell(clients.elsewhere, model, on=OLD, nps_latest=5.0)
    foretell(clients.newborn, model, on=OLD, nps_latest=10.0, champion_quiet_days=0.0)
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


def test_kept_rows_of_the_training_come_before_stored_predictions(
    staff: Staff, clients: Clients, model: ChurnModel, lake: Lake
) -> None:
    """Elsewhere is alike in the stored prediction alone, Gone in the rows that were kept."""
    foretell(clients.fading, model)
    foretell(clients.elsewhere, model, on=OLD)
    rows = [
        {"client_id": one.pk.hex, "as_of": day, **TROUBLED, "tier": "ENTERPRISE", "industry": "Retail", "arr": 1.0}
        for one, day in ((clients.gone, OLD), (clients.sturdy, OLD), (clients.sturdy, OLD + timedelta(days=60)))
    ]
    frame = pl.DataFrame(rows, schema=FEATURE_ROWS)
    days = frame["as_of"].unique().to_list()
    kept = KeptRows(lake, rows_version(workspace_settings()))
    kept.store(frame, dict.fromkeys(days, Marks("a", "b", "c")), today=TODAY)
    risk = risk_of(clients.fading)
    assert risk is not None
    found = similar(risk, staff.vera, now=NOW)
    assert [(one.name, one.left, one.as_of) for one in found] == [("Gone", True, OLD), ("Sturdy", False, OLD)]
    assert found[0].described == "Enterprise, Retail"


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
