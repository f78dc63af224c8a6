"""The schedule: what is due, one run at a time, and what people asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.errors import UniqueViolation

from bellwether.common.jobs import JOBS, JobContext, UnknownJobError, job, request_job
from bellwether.common.locks import exclusive
from bellwether.common.models import JobPulse, JobRun, JobState
from bellwether.config import schedule
from bellwether.config.schedule import REQUESTS, due, matches, run_requests, sweep
from tests.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def only_these_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    declared = dict(JOBS)
    JOBS.clear()
    yield
    JOBS.clear()
    JOBS.update(declared)


class TestDue:
    def test_names_a_job_once_per_interval(self) -> None:
        job("quick", every=timedelta(seconds=2))(lambda context: None)
        next_at: dict[str, float] = {}
        assert due(next_at, instant=100.0) == ["quick", REQUESTS]
        assert due(next_at, instant=101.0) == [REQUESTS]
        assert due(next_at, instant=102.0) == ["quick", REQUESTS]

    def test_leaves_out_jobs_without_an_interval(self) -> None:
        job("nightly", cron="30 2 * * *")(lambda context: None)
        assert due({}, instant=1.0) == [REQUESTS]


class TestMatches:
    @pytest.mark.parametrize(
        ("minute", "expected"),
        [(datetime(2026, 6, 30, 2, 30, tzinfo=UTC), True), (datetime(2026, 6, 30, 2, 31, tzinfo=UTC), False)],
    )
    def test_reads_five_fields_in_utc(self, minute: datetime, expected: bool) -> None:
        assert matches("30 2 * * *", minute) is expected


class TestSweep:
    def test_leaves_a_pulse_but_no_row_when_nothing_was_due(self) -> None:
        job("idle")(lambda context: {"flushed": 0})
        sweep.call_local("idle")
        assert JobPulse.objects.get(name="idle").last_finished_at is not None
        assert not JobRun.objects.exists()

    def test_leaves_a_row_with_counts_and_progress(self) -> None:
        @job("busy")
        def busy(context: JobContext) -> dict[str, int]:
            context.start("Counting", 3)
            context.advance(3)
            return {"counted": 3}

        sweep.call_local("busy")
        run = JobRun.objects.get()
        assert (run.state, run.counts, run.stage, run.progress_total) == (JobState.DONE, {"counted": 3}, "Counting", 3)

    def test_keeps_the_error_of_a_failed_run_and_goes_on(self) -> None:
        @job("broken")
        def broken(context: JobContext) -> None:
            raise ValueError("no such table")

        sweep.call_local("broken")
        assert JobRun.objects.get().error == "ValueError: no such table"
        assert JobPulse.objects.get(name="broken").last_error == "ValueError: no such table"

    @pytest.mark.sqlite_only  # an advisory lock is free to its own session
    def test_does_nothing_while_another_process_runs_the_job(self) -> None:
        ran: list[int] = []
        job("single")(lambda context: ran.append(1))
        with exclusive("job-single") as free:
            assert free
            sweep.call_local("single")
        assert ran == []
        sweep.call_local("single")
        assert ran == [1]


class TestRunRequests:
    def test_runs_what_was_asked_for_with_its_arguments(self) -> None:
        seen: list[dict[str, object]] = []
        job("wanted", requestable=True)(lambda context: seen.append(context.arguments))
        run = request_job("wanted", {"client_id": "x"}, requested_by_id=None, now=NOW)
        assert run_requests() == 1
        run.refresh_from_db()
        assert (run.state, seen) == (JobState.DONE, [{"client_id": "x"}])

    def test_answers_the_same_wish_with_the_same_row_while_it_waits(self) -> None:
        job("wanted")(lambda context: None)
        first = request_job("wanted", {}, requested_by_id=None, now=NOW)
        assert request_job("wanted", {}, requested_by_id=None, now=NOW) == first

    def test_refuses_a_job_that_nobody_declares(self) -> None:
        with pytest.raises(UnknownJobError, match="no job 'magic'"):
            request_job("magic", {}, requested_by_id=None, now=NOW)

    def test_keeps_the_error_of_a_failed_wish(self) -> None:
        @job("broken")
        def broken(context: JobContext) -> None:
            raise ValueError("no such client")

        run = request_job("broken", {}, requested_by_id=None, now=NOW)
        run_requests()
        run.refresh_from_db()
        assert (run.state, run.error) == (JobState.FAILED, "ValueError: no such client")

    def test_gives_up_a_run_whose_worker_is_gone(self) -> None:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        run = JobRun.objects.create(name="lost", state=JobState.RUNNING, created_at=long_ago, heartbeat_at=long_ago)
        run_requests()
        run.refresh_from_db()
        assert run.state == JobState.FAILED
        assert "worker stopped" in run.error


class TestQueueInPostgres:
    def test_is_there_when_another_process_makes_its_tables_at_the_same_moment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """PostgreSQL lets CREATE TABLE IF NOT EXISTS of two processes collide; the second try finds the table."""
        tries: list[str] = []

        def made(name: str, **_: object) -> str:
            tries.append(name)
            if len(tries) == 1:
                raise UniqueViolation("duplicate key value violates unique constraint")
            return "queue"

        monkeypatch.setattr(schedule, "PostgresHuey", made)
        monkeypatch.setattr(schedule.time, "sleep", lambda seconds: None)
        assert schedule._postgres_queue({}) == "queue"
        assert tries == ["bellwether", "bellwether"]
