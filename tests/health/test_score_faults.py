"""The nightly check of stored scores: what it finds stays a finding until it holds again."""

from datetime import timedelta
from typing import Any

import pytest
import typer
from django.core.cache import caches
from typer.testing import CliRunner

from bellwether.common.jobs import JOBS, run_job
from bellwether.common.models import JobRun
from bellwether.config import doctor
from bellwether.health import commands, jobs, score_faults, verifying
from bellwether.health.data_quality import data_quality
from bellwether.health.models import HealthScore, ScoreFault
from bellwether.health.verifying import verify_scores
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients
from tests.health.test_services import records, usage  # noqa: F401 (fixtures)
from tests.health.test_verifying import run

pytestmark = pytest.mark.django_db(databases="__all__")
assert jobs.verify is not None  # importing them declares them


@pytest.fixture
def stored(clients: Clients, usage: Lake, records: None) -> Clients:  # noqa: F811
    run(TODAY - timedelta(days=1), TODAY)
    caches["memory"].clear()
    return clients


def tamper(clients: Clients) -> None:
    HealthScore.objects.filter(client=clients.sturdy, date=TODAY).update(overall_score=97)


def titles() -> list[str]:
    return [one.title for one in data_quality(now=NOW, cache=caches["memory"]).findings if one.key == "scores_changed"]


def test_it_runs_at_night_and_on_request() -> None:
    declared = JOBS["verify_scores"]
    assert (declared.cron, declared.requestable) == ("23 3 * * *", True)
    assert run_job("verify_scores", now=NOW)["checked"] == 0  # nothing stored: no row about it
    assert not JobRun.objects.exists()


def test_untouched_scores_are_no_finding(stored: Clients) -> None:
    assert next(iter(doctor._scores(NOW))).state == "not checked yet; some are every night"
    counts = run_job("verify_scores", now=NOW)
    assert counts == {"checked": HealthScore.objects.count(), "without_seal": 0, "faulty": 0}
    assert JobRun.objects.get(name="verify_scores").counts == counts
    assert titles() == []
    [found] = doctor._scores(NOW)
    assert (found.cure, found.serious) == ("", False)
    assert found.state.startswith(f"all {counts['checked']} checked on ")


def test_a_changed_score_is_a_finding_until_it_holds_again(stored: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper(stored)
    assert run_job("verify_scores", now=NOW)["faulty"] == 1
    assert titles() == ["1 stored score was changed by hand or damaged"]
    [found] = doctor._scores(NOW)
    assert found.state == f"1 stored score was changed by hand or damaged: Sturdy on {TODAY} (prd-015)"
    assert found.serious
    assert "bellwether verify-scores --all" in found.cure

    monkeypatch.setattr(score_faults, "NIGHTLY", 0)  # the next night draws others; what is known is checked again
    assert run_job("verify_scores", now=NOW + timedelta(days=1))["faulty"] == 1
    assert ScoreFault.objects.get().found_at == NOW
    run(TODAY)  # scoring again puts it right
    assert run_job("verify_scores", now=NOW + timedelta(days=2)) == {"checked": 1, "without_seal": 0, "faulty": 0}
    assert (titles(), ScoreFault.objects.count()) == ([], 0)


def test_a_score_that_is_no_longer_kept_is_no_finding(stored: Clients) -> None:
    tamper(stored)
    run_job("verify_scores", now=NOW)
    HealthScore.objects.filter(overall_score=97).delete()
    assert titles() == []


def test_the_command_over_all_scores_keeps_what_it_finds(stored: Clients) -> None:
    tamper(stored)
    app, runner = typer.Typer(), CliRunner()
    commands.register(app)
    assert runner.invoke(app, ["verify-scores", "--all", "--scorecard", "prd-015"]).exit_code == 1
    assert not ScoreFault.objects.exists()  # it did not check every score
    assert runner.invoke(app, ["verify-scores", "--all"]).exit_code == 1
    assert ScoreFault.objects.count() == 1
    run(TODAY)
    assert runner.invoke(app, ["verify-scores", "--all"]).exit_code == 0
    assert not ScoreFault.objects.exists()


def test_very_many_scores_are_drawn_without_reading_all_ids(stored: Clients, monkeypatch: Any) -> None:
    ids = set(HealthScore.objects.values_list("pk", flat=True))
    monkeypatch.setattr(verifying, "FEW_ROWS", len(ids) - 1)
    drawn = verifying._drawn(HealthScore.objects.order_by("pk"), 1, 7)
    assert len(drawn) == 1
    assert set(drawn) < ids
    assert drawn == verifying._drawn(HealthScore.objects.order_by("pk"), 1, 7)
    assert verify_scores(sample=1, seed=7, also=sorted(ids)).checked == len(ids)
