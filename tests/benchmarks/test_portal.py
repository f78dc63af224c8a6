"""What the operations portal is given."""

import pytest
from django.core.cache import caches

from bellwether.benchmarks.portal import portal_benchmarks
from bellwether.common.errors import InvalidInputError
from tests.benchmarks.builders import make_portfolio


@pytest.fixture
def made(staff):
    rows = [
        (f"C{place}", staff.ada if place < 2 else staff.cleo, "STARTER", "Financial services", 100,
         {"login_rate": 10.0 * place, "feature_adoption": 50.0})
        for place in range(8)
    ]  # fmt: skip
    yield make_portfolio(rows)
    caches["memory"].clear()


def test_quartiles_of_the_group_and_values_of_visible_clients_alone(staff, made):
    found = portal_benchmarks(staff.ada, size="smb", industry="financial")
    assert (found.peer_count, found.hidden) == (8, "")
    login = found.benchmarks["loginRate"]
    assert (login.peers, login.p25, login.median, login.p75) == (8, 17.5, 35, 52.5)  # 0 to 70 in tens
    assert found.benchmarks["caseResolutionDays"] is None
    assert set(found.client_metrics) == {made["C0"].pk, made["C1"].pk}
    assert found.client_metrics[made["C1"].pk]["loginRate"] == 10
    # Of the other seven one is lower than 10.
    assert found.client_percentiles[made["C1"].pk]["loginRate"] == pytest.approx(100 / 7)


def test_too_few_and_unknown_industries_are_hidden(staff, made):
    assert portal_benchmarks(staff.vera, size="enterprise").peer_count == 0
    assert "at least 5" in portal_benchmarks(staff.vera, size="enterprise").hidden
    assert portal_benchmarks(staff.vera, industry="healthcare").peer_count == 0


def test_a_size_that_is_none_is_named(staff, made):
    with pytest.raises(InvalidInputError) as caught:
        portal_benchmarks(staff.ada, size="huge")
    assert "size" in caught.value.errors
