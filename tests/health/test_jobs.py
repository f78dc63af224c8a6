from datetime import date, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from bellwether.common.errors import InvalidInputError
from bellwether.common.jobs import request_job, run_job
from bellwether.common.models import JobRun, JobState
from bellwether.common.progress import NoProgress
from bellwether.health import commands, jobs
from bellwether.health.models import HealthScore
from bellwether.health.recompute import recompute
from bellwether.health.selectors import UnknownClientError, find_client
from bellwether.health.services import ScoreCounts
from bellwether.usage.dirty import mark_scores
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyScore
from tests.conftest import NOW, TODAY, Clients
from tests.health.test_services import records, usage  # noqa: F401

pytestmark = pytest.mark.django_db(databases="__all__")
assert jobs.KEPT_DAYS == 1095  # importing them declares them


def days_scored() -> set[date]:
    return set(HealthScore.objects.values_list("date", flat=True))


class TestScore:
    def test_scores_today_when_an_hour_has_passed(self, clients: Clients, lake: Lake) -> None:
        assert run_job("score", now=NOW)["dates"] == 1
        assert days_scored() == {TODAY}
        assert run_job("score", now=NOW + timedelta(minutes=30)) == {}
        assert run_job("score", now=NOW + timedelta(minutes=61))["changed"] == 0

    def test_scores_marked_days_and_settles_their_marks(self, clients: Clients, lake: Lake) -> None:
        run_job("score", now=NOW)
        mark_scores([TODAY - timedelta(days=3)], now=NOW)
        assert run_job("score", now=NOW)["dates"] == 2
        assert TODAY - timedelta(days=3) in days_scored()
        assert not DirtyScore.objects.exists()

    def test_leaves_marks_of_days_to_come(self, clients: Clients, lake: Lake) -> None:
        mark_scores([TODAY + timedelta(days=1)], now=NOW)
        run_job("score", now=NOW)
        assert DirtyScore.objects.count() == 1

    def test_drops_marks_older_than_scores_are_kept(self, clients: Clients, lake: Lake) -> None:
        mark_scores([TODAY - timedelta(days=1095)], now=NOW)
        run_job("score", now=NOW)
        assert not DirtyScore.objects.exists()
        assert days_scored() == {TODAY}

    def test_scores_today_with_each_part_of_a_long_run(
        self, clients: Clients, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "DAYS_AT_ONCE", 2)
        calls: list[set[date]] = []
        real = jobs.score_dates

        def noted(days: set[date], **named: Any) -> ScoreCounts:
            calls.append(set(days))
            return real(days, **named)

        monkeypatch.setattr(jobs, "score_dates", noted)
        mark_scores([TODAY - timedelta(days=n) for n in (9, 8, 7)], now=NOW)
        run_job("score", now=NOW)
        past = [TODAY - timedelta(days=n) for n in (9, 8, 7)]
        assert calls == [{*past[:2], TODAY}, {past[2], TODAY}]
        assert not DirtyScore.objects.exists()

    @pytest.mark.parametrize(
        ("took_ms", "seconds_later", "runs"),
        [
            (400, 0, True),  # ten times 0.4 s is less than the five seconds between sweeps
            (1_000, 9, False),
            (1_000, 10, True),
            (30_000, 59, False),
            (30_000, 60, True),  # never more seldom than every minute
        ],
    )
    def test_waits_ten_times_as_long_as_the_last_run_took_at_most_a_minute(
        self, took_ms: int, seconds_later: int, runs: bool, clients: Clients, lake: Lake
    ) -> None:
        self.last_run(took_ms)
        mark_scores([TODAY], now=NOW)
        assert bool(run_job("score", now=NOW + timedelta(seconds=seconds_later))) is runs
        assert DirtyScore.objects.exists() is not runs

    def test_answers_a_request_without_waiting(self, clients: Clients, lake: Lake) -> None:
        self.last_run(30_000)
        request = request_job("score", {}, requested_by_id=None, now=NOW)
        assert run_job("score", now=NOW, run=request)["dates"] == 1

    def test_says_how_long_it_took(self, clients: Clients, lake: Lake) -> None:
        assert 0 < run_job("score", now=NOW)["milliseconds"] < 60_000

    def last_run(self, took_ms: int) -> None:
        JobRun.objects.create(
            name="score", state=JobState.DONE, created_at=NOW, started_at=NOW, counts={"milliseconds": took_ms}
        )

    def test_does_nothing_without_clients(self, lake: Lake, db: None) -> None:
        assert run_job("score", now=NOW) == {}
        assert not JobRun.objects.exists()


class TestHealthRefresh:
    def test_scores_one_client_today(self, clients: Clients, lake: Lake) -> None:
        run = request_job("health_refresh", {"client_id": str(clients.fading.pk)}, requested_by_id=None, now=NOW)
        run_job("health_refresh", now=NOW, run=run)
        assert list(HealthScore.objects.values_list("client", "date")) == [(clients.fading.pk, TODAY)]
        run.refresh_from_db()
        assert run.state == JobState.DONE

    @pytest.mark.parametrize("given", ["", "x", "00000000-0000-0000-0000-000000000000"])
    def test_refuses_what_is_no_client(self, given: str, clients: Clients, lake: Lake) -> None:
        run = request_job("health_refresh", {"client_id": given}, requested_by_id=None, now=NOW)
        with pytest.raises(InvalidInputError, match="client"):
            run_job("health_refresh", now=NOW, run=run)


class TestRecompute:
    def test_scores_the_span_and_marks_what_looks_back_into_it(self, clients: Clients, lake: Lake) -> None:
        first, last = TODAY - timedelta(days=50), TODAY - timedelta(days=40)
        done = recompute(first, last, now=NOW, progress=NoProgress())
        assert done.scores.dates == 11
        assert days_scored() == {first + timedelta(days=n) for n in range(11)}
        assert set(DirtyScore.objects.values_list("date", flat=True)) >= {last + timedelta(days=n) for n in (1, 30)}

    def test_refuses_dates_the_wrong_way_round_and_to_come(self, clients: Clients, lake: Lake) -> None:
        with pytest.raises(InvalidInputError, match="exchange them"):
            recompute(TODAY, TODAY - timedelta(days=1), now=NOW, progress=NoProgress())
        with pytest.raises(InvalidInputError, match="after today"):
            recompute(TODAY, TODAY + timedelta(days=1), now=NOW, progress=NoProgress())


class TestFindClient:
    def test_takes_organization_id_id_and_a_part_of_the_name(self, clients: Clients) -> None:
        for text in ("sturdy", str(clients.sturdy.pk), "STURDY", "turd"):
            assert find_client(text) == clients.sturdy

    def test_names_the_candidates_where_several_fit(self, clients: Clients) -> None:
        with pytest.raises(UnknownClientError, match=r"Gone \(gone\)"):
            find_client("n")
        with pytest.raises(UnknownClientError, match="No client"):
            find_client("nobody")


class TestCommands:
    @pytest.fixture
    def run(self, clients: Clients, usage: Any, records: Any, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811
        import typer

        app = typer.Typer()
        commands.register(app)
        monkeypatch.setattr(commands.timezone, "now", lambda: NOW)
        return lambda *arguments: CliRunner().invoke(app, arguments)

    def test_recompute_counts_in_its_last_line(self, run: Any) -> None:
        result = run("recompute", "--from", "2026-06-29", "--to", "2026-06-30", "--no-facts")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1].startswith(
            "2 days: 4 scored, 4 without a score (coverage), 8 rows changed"
        )

    def test_explain_reproduces_a_stored_score_and_splits_its_change(self, run: Any) -> None:
        run("recompute", "--from", "2026-05-31", "--to", "2026-06-30", "--no-facts")
        result = run("explain", "fading", "--since", "2026-05-31")
        assert result.exit_code == 0, result.output
        assert "Change since 2026-05-31" in result.stdout
        assert "Reproduced from the stored inputs" in result.stdout

    def test_explain_fails_where_the_stored_score_was_changed(self, run: Any, clients: Clients) -> None:
        run("recompute", "--from", "2026-06-30", "--no-facts")
        HealthScore.objects.filter(client=clients.sturdy).update(overall_score=12)
        result = run("explain", "sturdy", "--json")
        assert result.exit_code == 1
        assert "score is stored as 12" in result.stdout
