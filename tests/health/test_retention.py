"""Retention: what is too old goes, and nothing that is kept changes because of it."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from bellwether.common.errors import InvalidInputError
from bellwether.common.jobs import run_job
from bellwether.common.progress import NoProgress
from bellwether.config import doctor
from bellwether.health import jobs, retention_command
from bellwether.health import retention as retention_module
from bellwether.health.loading import workspace_settings
from bellwether.health.models import HealthScore
from bellwether.health.reading_facts import Facts, read_facts
from bellwether.health.recompute import recompute
from bellwether.health.retention import Retention, apply_retention
from bellwether.health.services import score_dates
from bellwether.portfolio.choices import PaymentStatus
from bellwether.portfolio.models import Activity, SurveyResponse
from bellwether.staff.models import AuditEvent
from bellwether.usage import facts, retention_lake, services
from bellwether.usage.facts import KINDS, read_month, stored_months
from bellwether.usage.kept import EVENTS, FACTS, keep_from, kept_from
from bellwether.usage.lake import Lake
from bellwether.usage.retention_folds import FOLDS
from tests.conftest import NOW, TODAY, Clients
from tests.usage.rollup_twin import Event, event, place, refresh

pytestmark = pytest.mark.django_db(databases="__all__")

DAY = timedelta(days=1)
KEPT_DAYS = 400
EVENTS_FROM = date(2025, 5, 1)  # the month of 26 May 2025, 400 days before 30 June 2026
FACTS_FROM = date(2024, 4, 1)  # the month of 21 April 2024, 800 days before
EVENTS_OF_CASES = ("Case Created", "Case Closed", "Login")


def three_years() -> list[Event]:
    """Events from July 2023 on, some days a month, three people in turn, one of whom has gone for good."""
    made = []
    for number in range(0, 1090, 4):
        at = NOW - timedelta(days=number, hours=number % 9)
        who = ("ann", "bob", "cid" if number > 900 else "ann")[number % 3]
        client = ("sturdy", "fading")[number % 5 == 0]
        what = EVENTS_OF_CASES[number % 3]
        more = {"properties": '{"sla_status":"on_track"}'} if what == "Case Closed" else {}
        made.append(event(at, who, client, event=what, role=("USER", "ADMIN")[number % 2], **more))
    return made


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lake with the three years and their facts, to be copied."""
    lake = Lake(tmp_path_factory.mktemp("counted") / "lake")
    refresh(lake, place(lake, three_years()))
    return lake.folder


@pytest.fixture
def used(counted: Path, lake: Lake, clients: Clients, settings: Any) -> Lake:
    settings.BELLWETHER_KEEP_USAGE_DAYS = settings.BELLWETHER_KEEP_SCORES_DAYS = KEPT_DAYS
    clients.sturdy.payment_status, clients.sturdy.licensed_modules = PaymentStatus.CURRENT, ["Cases"]
    clients.sturdy.save()
    SurveyResponse.objects.create(client=clients.sturdy, kind="NPS", score=9, respondent="kim", answered_at=NOW)
    shutil.copytree(counted, lake.folder)
    return lake


def applied(**options: Any) -> Retention:
    return apply_retention(now=NOW, **options)


def content(lake: Lake) -> dict[str, bytes]:
    assert not lake.is_remote
    return {str(path.relative_to(lake.root)): path.read_bytes() for path in lake.root.rglob("*.parquet")}  # type: ignore[arg-type]


def scores() -> list[Any]:
    fields = ("client_id", "date", "overall_score", "coverage", "components", "inputs")
    return list(HealthScore.objects.order_by("client_id", "date").values_list(*fields))


def read(lake: Lake, first: date) -> Facts:
    return read_facts(lake, first, TODAY, workspace_settings())


class TestLake:
    def test_removes_events_by_months(self, used: Lake) -> None:
        before = used.event_dates()
        done = applied().lake
        assert used.event_dates() == [day for day in before if day >= EVENTS_FROM]
        assert done.days == sum(day < EVENTS_FROM for day in before) == done.parts
        assert done.bytes > 0

    def test_keeps_facts_by_the_day_for_400_days_more(self, used: Lake) -> None:
        first, last = FACTS_FROM, TODAY
        kinds = (facts.read_client_days, facts.read_event_days, facts.read_user_days)
        before = [read(used, first, last).rows() for read in kinds]
        applied()
        assert [read(used, first, last).rows() for read in kinds] == before
        assert [read(used, date(2000, 1, 1), last).rows() for read in kinds] == before

    def test_changes_no_measure_of_a_day_whose_events_are_kept(self, used: Lake) -> None:
        before = [read(used, day) for day in (EVENTS_FROM, TODAY)]
        applied()
        for day, old in zip((EVENTS_FROM, TODAY), before, strict=True):
            new = read(used, day)
            assert new.last_seen.sort("organization_id").equals(old.last_seen.sort("organization_id"))
            for kind in ("client_days", "event_days", "user_days"):
                assert _sums(getattr(new, kind)).equals(_sums(getattr(old, kind))), kind

    def test_changes_no_score_of_a_day_whose_events_are_kept(self, used: Lake) -> None:
        days = [*(EVENTS_FROM + n * DAY for n in range(0, 60, 10)), *(TODAY - n * DAY for n in range(3))]
        score_dates(days, now=NOW, progress=NoProgress())
        before = scores()
        assert any(components for *_, components, _ in before)
        applied()
        recounted = [day for day in days if day >= TODAY - KEPT_DAYS * DAY]
        assert score_dates(recounted, now=NOW, progress=NoProgress()).changed == 0
        assert scores() == [row for row in before if row[1] >= TODAY - KEPT_DAYS * DAY]

    def test_counts_the_users_ever_as_before_when_kept_days_are_counted_anew(self, used: Lake) -> None:
        before = facts.read_client_days(used, EVENTS_FROM, TODAY).rows()
        applied()
        services.roll_up_dates(date(2000, 1, 1), TODAY, now=NOW)
        assert facts.read_client_days(used, EVENTS_FROM, TODAY).rows() == before

    def test_keeps_the_facts_whose_events_went_whatever_is_marked(self, used: Lake) -> None:
        applied()
        before = content(used)
        late = EVENTS_FROM - 10 * DAY
        place(used, [event(datetime(late.year, late.month, late.day, 9, tzinfo=UTC), "new")])
        services.roll_up(used, [late, FACTS_FROM], progress=NoProgress())
        assert {name: body for name, body in content(used).items() if "facts" in name} == {
            name: body for name, body in before.items() if "facts" in name
        }

    def test_removes_nothing_more_the_second_time(self, used: Lake) -> None:
        applied()
        before = content(used)
        assert not any(applied().counts.values())
        assert content(used) == before
        assert AuditEvent.objects.filter(action="retention.apply").count() == 1

    def test_says_what_would_go_and_touches_nothing(self, used: Lake) -> None:
        before = content(used)
        would = applied(dry_run=True)
        assert content(used) == before
        assert kept_from(used, EVENTS) is None
        assert applied().counts == would.counts
        assert would.lake.months > 5

    def test_keeps_for_ever_when_told_so(self, used: Lake, settings: Any) -> None:
        settings.BELLWETHER_KEEP_USAGE_DAYS = settings.BELLWETHER_KEEP_SCORES_DAYS = 0
        settings.BELLWETHER_KEEP_ACTIVITIES_DAYS = 0
        before = content(used)
        done = applied()
        assert not any(done.counts.values())
        assert (done.lake.events_from, done.scores_from, done.activities_from) == (None, None, None)
        assert content(used) == before

    @pytest.mark.parametrize("step", ["keep_from", "_empty", "store_month"])
    @pytest.mark.parametrize("nth", [1, 2])
    def test_is_finished_by_the_next_run(
        self, used: Lake, monkeypatch: pytest.MonkeyPatch, step: str, nth: int
    ) -> None:
        expected = read(used, EVENTS_FROM)
        original, calls = getattr(retention_lake, step), []

        def dying(*given: Any, **more: Any) -> Any:
            calls.append(1)
            result = original(*given, **more)
            if len(calls) == nth:
                raise KeyboardInterrupt
            return result

        with monkeypatch.context() as patch:
            patch.setattr(retention_lake, step, dying)
            with pytest.raises(KeyboardInterrupt):
                applied()
        services.roll_up_dates(date(2000, 1, 1), TODAY, now=NOW)  # whoever counts in between loses nothing
        applied()
        assert min(used.event_dates()) >= EVENTS_FROM
        assert _sums(read(used, EVENTS_FROM).event_days).equals(_sums(expected.event_days))
        assert not any(applied().counts.values())

    def test_never_keeps_from_an_earlier_day_than_before(self, used: Lake) -> None:
        applied()
        keep_from(used, EVENTS, date(2020, 1, 1))
        assert (kept_from(used, EVENTS), kept_from(used, FACTS)) == (EVENTS_FROM, FACTS_FROM)

    def test_lets_nobody_recompute_days_without_events(self, used: Lake) -> None:
        applied()
        with pytest.raises(InvalidInputError, match="take --from 2025-05-01 or later"):
            recompute(date(2025, 1, 1), TODAY, now=NOW, progress=NoProgress())


def _sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what measures can still ask of rows, whether they are folded or not: all by client, first and last day."""
    key = [name for name in ("organization_id", "event", "label", "user_key", "role") if name in rows.columns]
    numbers = [pl.col(name).sum() for name in ("events", "dau", "actions") if name in rows.columns]
    recent = rows.filter(pl.col("date") >= EVENTS_FROM - 120 * DAY).group_by(key).agg(*numbers)
    dates = rows.group_by(key).agg(pl.col("date").min().alias("first"), pl.col("date").max().alias("last"))
    return dates.join(recent, on=key, how="left", nulls_equal=True).sort(key)


class TestFolds:
    @pytest.mark.parametrize("kind", sorted(FOLDS))
    def test_change_nothing_when_done_again(self, used: Lake, kind: str) -> None:
        for month in stored_months(used, kind):
            once = FOLDS[kind](read_month(used, kind, month))
            assert FOLDS[kind](once).sort(KINDS[kind].keys()).equals(once.sort(KINDS[kind].keys()))

    def test_keep_first_and_last_days_and_sums_of_events(self) -> None:
        at = datetime(2024, 1, 1, 9, tzinfo=UTC)
        rows = [
            {"organization_id": "a", "date": date(2024, 1, day), "event": "E", "is_service": False, "events": day,
             "users": 1, "first_ts": at + day * DAY, "last_ts": at + day * DAY}
            for day in (2, 5, 9)
        ]  # fmt: skip
        folded = FOLDS["event_days"](pl.DataFrame(rows, schema=KINDS["event_days"])).sort("date")
        assert folded.select("date", "events").rows() == [(date(2024, 1, 2), 7), (date(2024, 1, 9), 9)]
        assert folded["first_ts"][0] == at + 2 * DAY
        assert folded["last_ts"][0] == at + 5 * DAY

    def test_keep_the_last_day_on_which_a_client_was_active(self) -> None:
        rows = [
            {"organization_id": "a", "date": date(2024, 1, day), "dau": dau, "total_users": 3}
            for day, dau in ((1, 0), (2, 4), (3, 2), (4, 0), (5, 0))
        ]
        folded = FOLDS["client_days"](pl.DataFrame(rows, schema=KINDS["client_days"])).sort("date")
        assert folded["date"].dt.day().to_list() == [1, 3, 5]

    def test_keep_the_first_day_of_each_role_and_no_service_users(self) -> None:
        def row(user: str, day: int, role: str | None, service: bool = False) -> dict[str, Any]:
            at = {"date": date(2024, 1, day), "role": role}
            return {"organization_id": "a", "user_key": user, "is_service": service} | at

        rows = [row("u", 3, "X"), row("u", 2, "X"), row("u", 4, "Y"), row("v", 1, None), row("bot", 1, "X", True)]
        folded = FOLDS["user_days"](pl.DataFrame(rows, schema=KINDS["user_days"])).sort("date")
        assert folded.select("user_key", "role", pl.col("date").dt.day()).rows() == [("u", "X", 2), ("u", "Y", 4)]

    def test_keep_sums_and_last_values_of_custom_measures(self) -> None:
        def row(day: int, events: int, last: float | None) -> dict[str, Any]:
            return {"organization_id": "a", "date": date(2024, 1, day), "measure": "m", "events": events,
                    "total": 10 * events, "last": last}  # fmt: skip

        rows = [row(1, 1, 5.0), row(2, 2, 6.0), row(3, 4, None)]
        folded = FOLDS["custom_days"](pl.DataFrame(rows, schema=KINDS["custom_days"])).sort("date")
        assert folded.select("events", "total", "last").rows() == [(3, 30, 6.0), (4, 40, None)]


class TestRows:
    def test_removes_old_scores_in_batches(
        self, clients: Clients, lake: Lake, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.BELLWETHER_KEEP_SCORES_DAYS = KEPT_DAYS
        oldest_kept = TODAY - KEPT_DAYS * DAY
        for number in range(-3, 4):
            HealthScore.objects.create(
                client=clients.sturdy, scorecard="s", date=oldest_kept + number * DAY, coverage=1, weights_version="v",
                created_at=NOW,
            )  # fmt: skip
        monkeypatch.setattr(retention_module, "AT_ONCE", 2)
        assert applied().scores == 3
        assert HealthScore.objects.order_by("date").values_list("date", flat=True)[0] == oldest_kept

    def test_removes_activities_that_are_over_for_seven_years(self, clients: Clients, lake: Lake) -> None:
        ancient = NOW - 2600 * DAY

        def activity(**fields: Any) -> Activity:
            values = {"client": clients.sturdy, "activity_type": "CALL", "subject": "x", "occurred_at": ancient}
            return Activity.objects.create(**(values | fields))

        gone = activity(completed_at=ancient)
        kept = [
            activity(follow_up_required=True, follow_up_date=TODAY),
            activity(occurred_at=NOW - 2500 * DAY),
            activity(completed_at=NOW),
        ]
        assert applied().activities == 1
        assert set(Activity.objects.values_list("pk", flat=True)) == {one.pk for one in kept}
        assert not Activity.objects.filter(pk=gone.pk).exists()

    def test_is_in_the_access_log(self, clients: Clients, used: Lake) -> None:
        applied()
        entry = AuditEvent.objects.get(action="retention.apply")
        assert entry.detail["events_kept_from"] == str(EVENTS_FROM)
        assert entry.detail["days"] > 0


class TestDoctor:
    def test_warns_before_the_first_night_takes_a_history_away(self, used: Lake) -> None:
        (finding,) = doctor._retention(used, used.event_dates(), NOW)
        assert "go tonight" in finding.state
        assert "BELLWETHER_KEEP_USAGE_DAYS" in finding.cure
        applied()
        assert list(doctor._retention(used, used.event_dates(), NOW)) == []

    def test_says_nothing_when_all_is_kept(self, used: Lake, settings: Any) -> None:
        settings.BELLWETHER_KEEP_USAGE_DAYS = 0
        assert list(doctor._retention(used, used.event_dates(), NOW)) == []


class TestJobAndCommand:
    def test_the_job_reports_its_counts(self, used: Lake) -> None:
        assert jobs.retention is not None
        counts = run_job("retention", now=NOW)
        assert counts["days"] > 0
        assert not any(run_job("retention", now=NOW).values())

    def test_no_score_is_made_of_days_that_are_not_kept(self, used: Lake, settings: Any) -> None:
        assert jobs._kept_days() == KEPT_DAYS
        settings.BELLWETHER_KEEP_USAGE_DAYS = settings.BELLWETHER_KEEP_SCORES_DAYS = 0
        assert jobs._kept_days() == jobs.KEPT_DAYS

    def test_the_command_says_what_would_go(self, used: Lake) -> None:
        app = typer.Typer()
        app.command()(retention_command.retention)
        told = CliRunner().invoke(app, ["--dry-run"]).output
        assert "Events are kept from 20" in told
        assert "would go" in told
        assert "Activities are kept from 20" in told
        assert used.event_dates()[0] < EVENTS_FROM

    def test_the_zone_decides_which_day_is_today(self, used: Lake, settings: Any) -> None:
        settings.BELLWETHER_WORKSPACE_ZONE = ZoneInfo("Pacific/Kiritimati")  # 1 July there
        assert applied(dry_run=True).scores_from == TODAY + DAY - KEPT_DAYS * DAY
