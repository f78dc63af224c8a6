"""The page about the data as the server answers it."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bellwether.common.models import JobPulse, JobRun, JobState
from bellwether.health.models import CustomMeasure
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from bellwether.usage.catalogue import features
from bellwether.usage.facts import EVENT_DAYS, store_month
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyDate, IgnoredEvent, RejectedEvent, SourceDay, WarehouseSource
from tests.conftest import Clients, Staff
from tests.usage.people_cast import put_events

pytestmark = pytest.mark.django_db(databases="__all__")
MOST_QUERIES = 45
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
TODAY = date(2026, 6, 30)


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    caches["memory"].clear()
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def facts(lake: Lake, *rows: tuple[str, date, str, int]) -> None:
    values = [
        {"organization_id": o, "date": d, "event": e, "is_service": False, "events": n, "users": 1,
         "first_ts": NOW, "last_ts": NOW}
        for o, d, e, n in rows
    ]  # fmt: skip
    frame = pl.DataFrame(values, schema={name: EVENT_DAYS[name] for name in EVENT_DAYS})
    for month in sorted({f"{d:%Y-%m}" for _, d, _, _ in rows}):
        store_month(lake, "event_days", month, frame.filter(pl.col("date").dt.strftime("%Y-%m") == month))


@pytest.fixture
def arrived(clients: Clients, lake: Lake) -> Clients:
    """Events of today for Sturdy, of two months ago for Fading, of nobody's organization; rejects of two reasons."""
    known = features()[0].events[0]
    facts(
        lake,
        ("sturdy", TODAY, known, 60),
        ("sturdy", TODAY, "Odd <b>name</b>", 40),
        ("fading", date(2026, 4, 1), known, 10),
        ("newborm", TODAY, known, 5),
    )
    SourceDay.objects.create(
        source="web", date=TODAY, events=990, rejected=10, duplicates=5, lags={"10": 990}, batches=9,
        last_received_at=NOW - timedelta(seconds=30), last_part="flush-1",
    )  # fmt: skip
    SourceDay.objects.create(source="old-portal", date=TODAY, events=50, lags={"more": 50}, last_received_at=NOW)
    for number in range(25):
        RejectedEvent.objects.create(
            received_at=NOW - timedelta(minutes=number), source="web", message_id=f"m{number:02}",
            reason="event: missing, a track event needs its name" if number else "=1+1: a reason",
            sample={"type": "track"},
        )  # fmt: skip
    return clients


def signed_in(user: Any) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def page(user: Any, address: str = "/data/", **headers: str) -> str:
    answer = signed_in(user).get(address, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def section(html: str, key: str) -> str:
    start = html.index(f'id="{key}"')
    return plain(html[start : html.index("</section>", start)])


class TestAccess:
    @pytest.mark.parametrize("who", ["ada", "ben", "cleo", "ed"])
    @pytest.mark.parametrize("address", ["/data/", "/data/rejects.csv"])
    def test_does_not_exist_for_those_who_see_some_clients(
        self, staff: Staff, lake: Lake, who: str, address: str
    ) -> None:
        assert signed_in(getattr(staff, who)).get(address).status_code == 404

    @pytest.mark.parametrize("address", ["/data/ignore/", "/data/run/"])
    def test_lets_only_administrators_act(self, staff: Staff, lake: Lake, address: str) -> None:
        given = {"name": "E", "job": "rollup"}
        assert signed_in(staff.ada).post(address, given).status_code == 404
        assert signed_in(staff.vera).post(address, given).status_code == 403
        assert not JobRun.objects.exists()
        assert not IgnoredEvent.objects.exists()

    def test_sends_strangers_to_the_login(self, db: None) -> None:
        assert Browser().get("/data/").status_code == 302


class TestPage:
    def test_explains_how_to_begin_while_nothing_arrived(self, staff: Staff, lake: Lake) -> None:
        text = page(staff.vera)
        assert "bellwether key add web-app" in text
        assert "Findings" not in text

    def test_says_the_verdict_and_the_key_figures(self, staff: Staff, arrived: Clients) -> None:
        JobPulse.objects.create(name="flush", last_started_at=NOW)
        text = page(staff.vera)
        assert "Events arrive as they should." in text
        figures = section(text, "data-figures")
        assert "Events today 1,040" in figures
        assert "Last received 12:00 0 s ago" in figures
        assert "Median lag under 10 s" in figures
        assert "Rejected 0.9% 10 events in 7 days" in figures  # 10 of 1,040 new, 5 repeated and 10 rejected
        assert "Sources 2 1 of 1 sending" in figures

    def test_lists_sources_by_what_they_are(self, staff: Staff, arrived: Clients) -> None:
        WarehouseSource.objects.create(
            name="warehouse", connection=b"", shown_as="", table="t", created_at=NOW, last_error="no <such> table",
        )  # fmt: skip
        text = section(page(staff.vera), "sources")
        assert re.search(r"web Sent to the intake .* 990 11:59 under 10 s under 10 s 0.5% 1.0% –", text)
        assert "old-portal Imported file" in text
        assert "warehouse Warehouse table" in text
        assert "no &lt;such&gt; table" in text

    def test_shows_rejects_in_plain_words(self, staff: Staff, arrived: Clients) -> None:
        text = section(page(staff.vera), "rejects")
        assert "A tracked action has no name event: missing, a track event needs its name" in text
        assert "The newest 20 of 25 rejected events" in text
        assert "m19" in text
        assert "m20" not in text
        filtered = section(page(staff.vera, "/data/?source=web&reason=%3D1%2B1"), "rejects")
        assert "The newest 1 of 1 rejected event" in filtered
        assert "No rejected event matches" in page(staff.vera, "/data/?source=nobody")

    def test_groups_event_names_by_what_reads_them(self, staff: Staff, arrived: Clients) -> None:
        text = page(staff.adam)
        names = section(text, "names")
        assert "Used by nothing 1 Used 1 Ignored 0" in names
        assert "Odd &lt;b&gt;name&lt;/b&gt; nothing 40 1 40 30 Jun 30 Jun Use in a feature Ignore" in names
        assert "<b>name</b>" not in text
        assert "/settings/features/?event=Odd+%3Cb%3Ename%3C%2Fb%3E" in text
        known = features()[0]
        used = section(page(staff.vera, "/data/?names=used"), "names")
        assert f"{known.events[0]} {known.name}" in used
        assert "65 2 75 1 Apr 30 Jun" in used  # 60 of Sturdy and 5 of an unknown organization; Fading's are older
        unseen = section(page(staff.vera, "/data/?names=unseen"), "names")
        assert features()[1].events[0] in unseen

    def test_finds_names_and_says_when_there_is_none(self, staff: Staff, arrived: Clients) -> None:
        assert "Odd &lt;b&gt;" in section(page(staff.vera, "/data/?q=ODD"), "names")
        assert "No such name" in section(page(staff.vera, "/data/?q=zzz"), "names")

    def test_pages_through_many_names(self, staff: Staff, clients: Clients, lake: Lake) -> None:
        facts(lake, *[("sturdy", TODAY, f"Odd {number:02}", 100 - number) for number in range(60)])
        text = page(staff.vera, "/data/?page=3")
        names = section(text, "names")
        assert "Page 3 of 3, 60 names Previous" in names
        assert "Odd 49" not in names
        assert "Odd 50" in names
        assert "?names=unused&amp;page=2#names" in text
        assert "Page 3 of 3" in section(page(staff.vera, "/data/?page=99"), "names")
        assert "Page 1 of 3" in section(page(staff.vera, "/data/?page=x"), "names")

    def test_knows_what_custom_measures_read(self, staff: Staff, arrived: Clients) -> None:
        CustomMeasure.objects.create(
            slug="odd", name="Odd things", created_at=NOW, updated_at=NOW,
            definition={"kind": "ratio", "of": {"kind": "count", "events": ["Odd <b>name</b>"]}},
        )  # fmt: skip
        assert "Odd things" in section(page(staff.vera, "/data/?names=used"), "names")

    def test_lists_clients_without_events_and_organizations_that_are_no_client(
        self, staff: Staff, arrived: Clients
    ) -> None:
        text = page(staff.vera)
        silent = section(text, "clients")
        assert "3 clients" in silent
        assert silent.index("Elsewhere") < silent.index("Newborn") < silent.index("Fading")
        assert "newborn, perhaps newborm in the events" in silent
        assert "Sturdy" not in silent
        assert "newborm last 30 Jun 5 events" in section(text, "strangers")

    def test_answers_the_refresh_of_the_figures_alone_and_unrecorded(self, staff: Staff, arrived: Clients) -> None:
        text = page(staff.vera, **{"HX-Request": "true", "HX-Target": "data-figures"})
        assert text.strip().startswith("<section")
        assert "Findings" not in text
        assert not AuditEvent.objects.filter(action="data.read").exists()
        page(staff.vera)
        assert AuditEvent.objects.filter(action="data.read", actor=staff.vera.email).count() == 1

    def test_answers_the_search_for_names_alone(self, staff: Staff, arrived: Clients) -> None:
        text = page(staff.vera, "/data/?q=odd", **{"HX-Request": "true", "HX-Target": "names"})
        assert text.strip().startswith("<section")
        assert "Sources" not in text

    def test_takes_a_fixed_number_of_queries(self, staff: Staff, arrived: Clients) -> None:
        Client.objects.bulk_create(Client(organization_id=f"o{n}", name=f"O{n}") for n in range(200))
        SourceDay.objects.bulk_create(SourceDay(source=f"s{n}", date=TODAY, events=5) for n in range(30))
        browser = signed_in(staff.vera)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get("/data/")
        assert len(queries) <= MOST_QUERIES


class TestExport:
    def test_gives_the_filtered_rejects_safe_for_spreadsheets(self, staff: Staff, arrived: Clients) -> None:
        answer = signed_in(staff.vera).get("/data/rejects.csv")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert (len(rows), rows[0]["message_id"]) == (25, "m00")
        assert rows[0]["reason"] == "'=1+1: a reason"
        assert rows[1]["meaning"] == "A tracked action has no name"
        few = signed_in(staff.vera).get("/data/rejects.csv?reason=event")
        assert len(few.content.decode().strip().splitlines()) == 25
        assert AuditEvent.objects.filter(action="data.rejects.export").count() == 2


class TestIgnore:
    def test_sets_a_name_aside_and_takes_it_back(self, staff: Staff, arrived: Clients) -> None:
        browser, name = signed_in(staff.adam), "Odd <b>name</b>"
        answer = browser.post("/data/ignore/", {"name": name, "names": "unused"}, follow=True)
        text = section(answer.content.decode(), "names")
        assert "is ignored: it is not asked about again. Undo" in text
        assert "Ignored 1" in text
        assert IgnoredEvent.objects.get().ignored_by == staff.adam
        browser.post("/data/ignore/", {"name": name})
        assert AuditEvent.objects.filter(action="event.ignore").count() == 1  # again: changes nothing
        answer = browser.post("/data/ignore/", {"name": name, "undo": "1", "names": "ignored"}, follow=True)
        assert "Ignored 0" in section(answer.content.decode(), "names")
        assert AuditEvent.objects.filter(action="event.unignore").count() == 1

    @pytest.mark.parametrize("name", ["", "x" * 201, "a\x00b"], ids=["empty", "long", "nul"])
    def test_refuses_what_is_no_name(self, staff: Staff, lake: Lake, name: str) -> None:
        answer = signed_in(staff.adam).post("/data/ignore/", {"name": name}, follow=True)
        assert "The name of an event has 1 to 200 letters." in answer.content.decode()
        assert not IgnoredEvent.objects.exists()


class TestRuns:
    @pytest.mark.parametrize("job", ["rollup", "score"])
    def test_asks_for_a_job_and_shows_how_far_it_is(self, staff: Staff, arrived: Clients, job: str) -> None:
        browser = signed_in(staff.adam)
        answer = browser.post("/data/run/", {"job": job}, follow=True)
        run = JobRun.objects.get()
        assert (run.name, run.state, run.requested_by_id) == (job, JobState.QUEUED, staff.adam.pk)
        assert "waiting for a worker" in answer.content.decode()
        run.state, run.progress_done, run.progress_total = JobState.RUNNING, 1, 4
        run.save()
        state = browser.get(f"/data/run/{run.pk}/")
        assert "25%" in state.content.decode()
        assert "HX-Refresh" not in state
        run.state = JobState.DONE
        run.save()
        assert browser.get(f"/data/run/{run.pk}/")["HX-Refresh"] == "true"
        assert AuditEvent.objects.filter(action="job.request").count() == 1

    def test_counts_days_that_have_events_anew(self, staff: Staff, arrived: Clients, lake: Lake) -> None:
        put_events(lake, [("sturdy", "u", date(2026, 6, 29), "Case Created", None)])
        lake.events_of(date(2026, 6, 28)).mkdir(parents=True)  # emptied: counting it would lose its facts
        browser = signed_in(staff.adam)
        answer = browser.post(
            "/data/run/", {"job": "recount", "first": "2026-06-28", "last": "2026-06-30"}, follow=True
        )
        assert "1 day will be counted anew" in answer.content.decode()
        assert list(DirtyDate.objects.values_list("date", flat=True)) == [date(2026, 6, 29)]
        assert JobRun.objects.get().name == "rollup"
        assert AuditEvent.objects.get(action="data.recount").detail["days"] == 1

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"job": "recount", "first": "soon", "last": "2026-06-30"}, "Give the first and the last day"),
            ({"job": "recount", "first": "2026-06-30", "last": "2026-06-29"}, "is after the last"),
            ({"job": "recount", "first": "2026-06-30", "last": "2026-07-01"}, "2026-07-01 lies ahead"),
            ({"job": "recount", "first": "2024-01-01", "last": "2026-06-30"}, "Take at most 400 days"),
            ({"job": "recount", "first": "2026-01-01", "last": "2026-01-02"}, "There are no events from"),
            ({"job": "flush"}, "There is no job"),
            ({}, "There is no job"),
        ],
        ids=["no day", "backwards", "ahead", "long", "empty", "other job", "no job"],
    )
    def test_refuses_what_cannot_be_run(self, staff: Staff, arrived: Clients, given: dict[str, str], told: str) -> None:
        answer = signed_in(staff.adam).post("/data/run/", given, follow=True)
        assert told in answer.content.decode()
        assert not JobRun.objects.exists()
        assert not DirtyDate.objects.exists()

    def test_shows_no_other_jobs(self, staff: Staff, lake: Lake) -> None:
        other = JobRun.objects.create(name="health_refresh", created_at=timezone.now())
        assert signed_in(staff.vera).get(f"/data/run/{other.pk}/").status_code == 404
        assert signed_in(staff.vera).get("/data/?run=nonsense").status_code == 200


class TestCommand:
    @pytest.fixture
    def run(self, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
        import typer
        from typer.testing import CliRunner

        from bellwether.health.data_command import data

        app = typer.Typer()
        app.command()(data)

        def call(*given: str) -> tuple[int, str]:
            done = CliRunner().invoke(app, list(given))
            return done.exit_code, done.output

        return call

    def test_prints_verdict_sources_and_findings(self, arrived: Clients, run: Callable[..., tuple[int, str]]) -> None:
        status, output = run()
        assert status == 0
        assert "source web: sent to the intake, 990 events today, 990 in 7 days, last 11:59, lag under 10 s" in output
        assert "to improve: 1.0% of the events of web cannot be used." in output
        assert '"key": "rejects:web"' in run("--json")[1]

    def test_exits_with_1_when_something_is_critical(
        self, arrived: Clients, run: Callable[..., tuple[int, str]]
    ) -> None:
        SourceDay.objects.filter(source="web").update(rejected=2_000)
        assert run()[0] == 1
