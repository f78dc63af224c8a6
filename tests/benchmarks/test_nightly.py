"""The job of the night: what it stores, that doing it again changes nothing, and months of the past."""

from datetime import date, timedelta

import pytest
import typer
from typer.testing import CliRunner

from bellwether.benchmarks import commands, jobs  # noqa: F401 (jobs declares the job)
from bellwether.benchmarks.models import ClientMetrics, PeerBenchmark
from bellwether.common.jobs import run_job
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client
from tests.conftest import NOW, TODAY

pytestmark = pytest.mark.django_db(databases="__all__")


def _score(client, day, score):
    return HealthScore(
        client=client,
        scorecard="prd-015",
        date=day,
        overall_score=score,
        coverage=1.0,
        components={"support": 50.0},
        inputs={"mau": 10, "licensed_user_count": 20, "tickets_30d": 2},
        weights_version="prd-015 v1",
        created_at=NOW,
    )


@pytest.fixture
def portfolio(lake):
    made = [
        Client.objects.create(
            organization_id=f"c{place}", name=f"C{place}", industry="Energy", contract_tier="STARTER",
            employee_count=100, contract_start_date=date(2025, 1, 1),
        )
        for place in range(6)
    ]  # fmt: skip
    days = (TODAY, date(2026, 5, 31), date(2026, 5, 30))
    HealthScore.objects.bulk_create(_score(one, day, 50 + 10 * place) for day in days for place, one in enumerate(made))
    return made


def _app():
    app = typer.Typer()
    commands.register(app)
    return app


def _figures():
    return list(PeerBenchmark.objects.order_by("date", "group", "metric").values_list(
        "date", "group", "metric", "peers", "p25", "median", "p75", "mean"
    ))  # fmt: skip


def test_stores_the_values_and_what_the_groups_came_to(portfolio):
    counts = run_job("benchmarks", now=NOW)
    assert counts == {"clients": 6, "figures": counts["figures"], "months": 1}
    kept = ClientMetrics.objects.get(client=portfolio[0])
    assert (kept.date, kept.values["health"], kept.values["usage_intensity"], kept.values["tickets"]) == (
        TODAY, 50, 50, 10,
    )  # fmt: skip
    assert (kept.attributes["size"], kept.attributes["tenure"]) == ("smb", "one-to-three")
    found = PeerBenchmark.objects.get(group="industry=Energy", metric="health", date=TODAY)
    assert (found.peers, found.p25, found.median, found.p75, found.mean) == (6, 62.5, 75, 87.5, 75)
    # Of May only the last scored day, and nothing of a metric without data.
    assert set(PeerBenchmark.objects.values_list("date", flat=True)) == {TODAY, date(2026, 5, 31)}
    assert not PeerBenchmark.objects.filter(metric="satisfaction").exists()


def test_again_changes_nothing(portfolio):
    run_job("benchmarks", now=NOW)
    before = _figures()
    assert run_job("benchmarks", now=NOW + timedelta(hours=1))["months"] == 0
    assert _figures() == before


def test_who_joins_or_leaves_does_so_for_the_groups_at_the_start_of_a_month(portfolio):
    run_job("benchmarks", now=NOW)
    joined = Client.objects.create(organization_id="new", name="New", industry="Energy", contract_tier="STARTER")
    Client.objects.filter(pk=portfolio[5].pk).update(archived_at=NOW)
    run_job("benchmarks", now=NOW)
    assert PeerBenchmark.objects.get(group="all", metric="health", date=TODAY).peers == 6
    assert ClientMetrics.objects.get(client=joined).attributes == {}
    july = TODAY + timedelta(days=1)
    scored = [*portfolio[:5], joined]
    HealthScore.objects.bulk_create([_score(one, july, 60) for one in scored])
    run_job("benchmarks", now=NOW + timedelta(days=1))
    assert {row.client_id for row in ClientMetrics.objects.all()} == {one.pk for one in scored}
    assert PeerBenchmark.objects.get(group="all", metric="health", date=july).peers == 6


def test_a_first_import_does_not_wait_for_the_next_month(portfolio):
    run_job("benchmarks", now=NOW)
    for place in range(10):
        Client.objects.create(organization_id=f"n{place}", name=f"N{place}", contract_tier="STARTER")
    run_job("benchmarks", now=NOW)
    assert all(row.attributes for row in ClientMetrics.objects.all())


def test_the_first_scores_do_not_wait_for_the_night(portfolio):
    assert run_job("first_benchmarks", now=NOW)["clients"] == 6
    assert run_job("first_benchmarks", now=NOW) == {}


def test_the_command_says_what_was_made(portfolio):
    assert "6 clients" in CliRunner().invoke(_app(), []).output


def test_without_scores_there_is_nothing_to_do(lake, db):
    assert run_job("benchmarks", now=NOW) == {}
    assert not PeerBenchmark.objects.exists()
