"""Imports in the browser as the server answers them."""

import html
import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone
from typer.testing import CliRunner

from bellwether.common.jobs import run_job
from bellwether.portfolio.choices import ImportState
from bellwether.portfolio.models import (
    Client,
    ClientOutcome,
    ContractPeriod,
    ImportRun,
    SupportTicket,
    SurveyResponse,
)
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage import import_files
from bellwether.usage.import_files import folder_of
from bellwether.usage.import_undo_command import import_undo
from bellwether.usage.lake import Lake
from tests.conftest import Clients, Staff

pytestmark = pytest.mark.django_db(databases="__all__")
CLIENTS = "account_id\tname\tplan\nacme\tAcme Ltd\tPro\nbeta\tBeta AG\tGold\nfading\tFading\tPro\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, settings: Any, lake: Lake) -> None:
    settings.BELLWETHER_HOME = tmp_path / "home"


@pytest.fixture
def session() -> Callable[[StaffUser], Browser]:
    def sign_in(user: StaffUser) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    return sign_in


@pytest.fixture
def vera(staff: Staff, clients: Clients, session: Callable[[StaffUser], Browser]) -> Browser:
    return session(staff.vera)


def send(browser: Browser, *files: tuple[str, str | bytes], pasted: str = "") -> list[ImportRun]:
    before = set(ImportRun.objects.values_list("pk", flat=True))
    sent = [SimpleUploadedFile(n, text.encode() if isinstance(text, str) else text) for n, text in files]
    response = browser.post("/data/import/send/", {"files": sent, "pasted": pasted})
    assert response.status_code == 302, response.content.decode()[:500]
    return list(ImportRun.objects.exclude(pk__in=before).order_by("created_at", "file_name"))


def text_of(browser: Browser, run: ImportRun, query: str = "") -> str:
    page = browser.get(f"/data/import/{run.pk}/{query}")
    assert page.status_code == 200
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode())))


def post(browser: Browser, run: ImportRun, action: str, data: dict[str, Any] | None = None) -> ImportRun:
    response = browser.post(f"/data/import/{run.pk}/{action}/", data or {})
    assert response.status_code in (302, 422), response.status_code
    run = ImportRun.objects.filter(pk=run.pk).first() or run
    return run


def work() -> None:
    run_job("imports", now=timezone.now())


class TestWay:
    def test_pasted_clients_are_mapped_checked_imported_and_undone(self, vera: Browser, staff: Staff) -> None:
        (run,) = send(vera, pasted=CLIENTS)
        assert (run.kind, run.rows_total, run.settings["delimiter"]) == ("clients", 3, "\t")
        page = text_of(vera, run)
        assert re.search("(Looks like|May be) clients: plan, name", page)
        assert "'Gold' is none of STARTER" in page
        run = post(vera, run, "columns", {"word-2": ["Gold", "Pro"], "as-2": ["ENTERPRISE", ""]})
        assert run.state == ImportState.CHECKED
        assert (run.check_result["created"], run.check_result["updated"], run.check_result["rejected"]) == (2, 1, 0)
        assert not Client.objects.filter(organization_id="acme").exists()
        assert "was ENTERPRISE" in text_of(vera, run)
        run = post(vera, run, "start")
        work()
        tiers = dict(Client.objects.values_list("organization_id", "contract_tier"))
        assert (tiers["acme"], tiers["beta"], tiers["fading"]) == ("PROFESSIONAL", "ENTERPRISE", "PROFESSIONAL")
        assert "Imported." in text_of(vera, run)
        post(vera, run, "undo")
        work()
        run.refresh_from_db()
        assert (run.state, run.undone_by, run.result["undo"]["restored"]) == (ImportState.UNDONE, staff.vera, 3)
        assert "3 records are as before" in text_of(vera, run)
        assert set(Client.objects.values_list("organization_id", flat=True)) & {"acme", "beta"} == set()
        assert Client.objects.get(organization_id="fading").contract_tier == "ENTERPRISE"
        actions = list(AuditEvent.objects.filter(action__startswith="records.import").values_list("action", flat=True))
        assert actions == ["records.import", "records.import.undo"]

    def test_files_are_put_into_order_and_imported_together(self, vera: Browser) -> None:
        runs = send(
            vera,
            ("tickets.csv", "ticket_id,account_id,submitted_at,priority\nt1,acme,2026-05-01,critical\n"),
            ("accounts.csv", "account_id,account_name,industry\nacme,Acme,Retail\n"),
        )
        tickets = next(run for run in runs if run.kind == "tickets")
        clients = next(run for run in runs if run.kind == "clients")
        assert "accounts.csv holds clients and is not imported yet" in text_of(vera, tickets)
        tickets = post(vera, tickets, "columns")
        assert tickets.check_result["unknown"][0]["name"] == "acme"
        post(vera, clients, "start", {"all": "1"})
        work()
        assert list(SupportTicket.objects.values_list("client__name", "priority")) == [("Acme", "urgent")]
        clients.refresh_from_db()
        tickets.refresh_from_db()
        assert {clients.state, tickets.state} == {ImportState.DONE}
        post(vera, clients, "undo")
        work()
        assert "Acme stays because of 1 support ticket" in text_of(vera, clients)

    def test_rejected_rows_are_told_filtered_and_sent_again(self, vera: Browser) -> None:
        rows = "t1,fading,2026-05-01,2026-05-03\nt2,fading,2026-05-04,2026-05-01\n"
        rows += "t3,fadin,2026-05-01,\nt4,fading,31.02.2026,\n"
        (run,) = send(vera, ("tickets.csv", "ticket_id,account_id,opened_at,closed_at\n" + rows))
        run = post(vera, run, "columns")
        assert (run.check_result["created"], run.check_result["rejected"]) == (1, 3)
        page = text_of(vera, run)
        assert "solved_at 2026-05-01 23:59 is before opened_at 2026-05-04 00:00" in page
        assert "'31.02.2026' is not a time" in page
        assert re.search(r"fadin 1 fading|fadin 1 Fading \(fading\)", page)
        reason = next(why for why, _ in run.check_result["tally"] if why.startswith("solved_at"))
        shown = vera.get(f"/data/import/{run.pk}/", {"reason": reason}).content.decode()
        assert re.findall(r"<td>(t\d)</td>", shown.partition('id="rejects"')[2]) == ["t2"]
        file = vera.get(f"/data/import/{run.pk}/rejects.csv").content.decode()
        assert file.splitlines()[0] == "row,reason,ticket_id,account_id,opened_at,closed_at"
        (again,) = send(vera, ("rejects.csv", file.replace("fadin,", "fading,").replace("31.02", "28.02")))
        assert again.kind == "tickets"
        again = post(vera, again, "columns")
        assert (again.check_result["created"], again.check_result["rejected"]) == (2, 1)

    def test_a_mapping_is_offered_again_for_the_same_columns(self, vera: Browser) -> None:
        (run,) = send(vera, pasted=CLIENTS)
        post(vera, run, "columns", {"word-2": ["Gold"], "as-2": ["CUSTOM"], "column-1": ""})
        (second,) = send(vera, pasted=CLIENTS)
        assert second.settings["columns"]["name"] == ""
        assert second.settings["values"] == {"contract_tier": {"Gold": "CUSTOM"}}
        assert "has the same columns" in text_of(vera, second)
        second = post(vera, second, "read", {"suggest": "1"})
        assert second.settings["columns"]["name"] == "name"

    def test_clients_are_looked_up_through_contracts_and_through_other_files(
        self, vera: Browser, clients: Clients
    ) -> None:
        ContractPeriod.objects.create(client=clients.fading, external_id="S-1", start_date="2026-01-01")
        (run,) = send(vera, ("cases.csv", "ticket_id,subscription,opened_at\nt1,S-1,2026-05-01\nt2,S-9,2026-05-01\n"))
        assert (run.settings["columns"]["subscription"], run.settings["through"]) == ("", "")  # half of them are not
        run = post(vera, run, "columns", {"column-1": "organization_id", "through": "contracts"})
        assert run.check_result["created"] == 1
        assert run.check_result["tally"] == [["subscription '…' is not an imported contract of one client", 1]]
        (found,) = send(vera, ("more.csv", "ticket_id,subscription,opened_at,subject\nt1,S-1,2026-05-01,Help\n"))
        assert (found.settings["columns"]["subscription"], found.settings["through"]) == (
            "organization_id",
            "contracts",
        )
        files = send(
            vera,
            ("ticket_data.csv", "id,is_deleted,property_createdate,property_subject\n7,FALSE,2026-05-01,Help\n"),
            ("ticket_company_data.csv", "ticket_id,company_id\n7,fading\n"),
        )
        tickets = next(one for one in files if one.kind == "tickets")
        join = next(one for one in files if one.kind == "")
        assert "cannot be told" in text_of(vera, join)
        assert "Client is missing" in text_of(vera, tickets)
        tickets = post(vera, tickets, "columns", {"column-0": "organization_id", "through": f"file:{join.pk}"})
        assert tickets.check_result["created"] == 1
        post(vera, tickets, "start")
        work()
        assert SupportTicket.objects.get().client == clients.fading

    def test_a_file_of_tickets_is_used_again_for_its_answers(self, vera: Browser) -> None:
        text = "ticket_id,account_id,submitted_at,satisfaction_score\nt1,fading,2026-05-01,5\nt2,fading,2026-05-01,\n"
        (run,) = send(vera, ("tickets.csv", text))
        post(vera, run, "start")
        work()
        response = vera.post(f"/data/import/{run.pk}/again/", {"kind": "surveys"})
        answers = ImportRun.objects.get(pk=response["Location"].split("/")[-2])
        assert answers.settings["constants"] == {"kind": "CSAT"}
        answers = post(vera, answers, "columns", {"csat_scale": "1-5"})
        assert (answers.check_result["created"], answers.check_result["rejected"]) == (1, 1)
        post(vera, answers, "start")
        work()
        assert SurveyResponse.objects.get().score == 100


class TestWarnings:
    def test_contradictions_are_told(self, vera: Browser, clients: Clients) -> None:
        ClientOutcome.objects.create(client=clients.sturdy, outcome="CHURNED", date="2026-04-01")
        (run,) = send(vera, pasted="account_id\tname\tchurn_flag\nfading\tFading\ttrue\nsturdy\tSturdy\tfalse\n")
        found = post(vera, run, "columns").check_result["warnings"]
        assert [(one["text"], one["examples"]) for one in found] == [
            ("Flagged by churn_flag, but without a recorded churn: 1 client.", ["fading"]),
            ("With a recorded churn, but not flagged by churn_flag: 1 client.", ["sturdy"]),
        ]
        terms = "S-1,fading,2026-01-01,2026-12-31\nS-2,fading,2026-06-01,2027-05-31\nS-3,fading,2026-06-01,\n"
        (run,) = send(vera, ("subs.csv", "subscription_id,account_id,start_date,end_date\n" + terms))
        found = post(vera, run, "columns").check_result
        assert "overlap an earlier one of the same client: 1, of 1 client." in found["warnings"][0]["text"]
        assert found["tally"] == [["row … has the same start_date for this client", 1]]
        (run,) = send(vera, ("tickets.csv", "ticket_id,account_id,opened_at\nt1,fading,2020-05-01\n"))
        found = post(vera, run, "columns").check_result
        assert found["warnings"][0]["text"] == "Dated before the client's first contract: 1 row."


class TestRefusals:
    def test_others_see_nothing(self, vera: Browser, staff: Staff, session: Callable[[StaffUser], Browser]) -> None:
        (run,) = send(vera, pasted=CLIENTS)
        for user in (staff.ada, staff.ben, staff.ed):
            browser = session(user)
            for address in ("", f"{run.pk}/", f"{run.pk}/state/", f"{run.pk}/rejects.csv"):
                assert browser.get(f"/data/import/{address}").status_code == 404
            for action in ("read", "columns", "start", "stop", "undo", "again", "discard"):
                assert browser.post(f"/data/import/{run.pk}/{action}/").status_code == 404
            assert browser.post("/data/import/send/", {"pasted": CLIENTS}).status_code == 404
        assert session(staff.adam).get(f"/data/import/{run.pk}/").status_code == 200
        assert ImportRun.objects.count() == 1

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("old.xls", b"\xd0\xcf", "Save it as .xlsx or .csv"),
            ("data.zip", b"PK", "Unpack it"),
            ("photo.png", b"\x89PNG", "Send CSV, XLSX, JSON Lines or Parquet"),
            ("empty.csv", b"", "empty.csv is empty"),
            ("broken.xlsx", b"PK\x03\x04 nothing", "broken.xlsx is not a readable workbook"),
            ("twice.csv", b"a,a\n1,2\n", "columns with the same name"),
            ("list.json", b'[{"a": 1}]', "is one JSON list"),
        ],
        ids=lambda value: value if isinstance(value, str) and "." in value and " " not in value else "",
    )
    def test_files_that_cannot_be_read_say_why(self, vera: Browser, name: str, content: bytes, says: str) -> None:
        response = vera.post("/data/import/send/", {"files": SimpleUploadedFile(name, content)})
        assert response.status_code == 422
        page = response.content.decode()
        assert says in page
        assert "/imports/" not in page
        assert not ImportRun.objects.exists()

    def test_a_file_that_is_too_large_is_not_kept(
        self, vera: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(import_files, "MOST_BYTES", 10)
        response = vera.post("/data/import/send/", {"files": SimpleUploadedFile("a.csv", b"name\n" + b"x" * 20)})
        assert response.status_code == 422
        assert "a.csv is larger than" in response.content.decode()
        assert not list((tmp_path / "home").rglob("source*"))

    def test_a_mapping_with_faults_is_not_checked(self, vera: Browser) -> None:
        (run,) = send(vera, pasted=CLIENTS)
        response = vera.post(
            f"/data/import/{run.pk}/columns/", {"column-0": "", "column-1": "name", "column-2": "name"}
        )
        assert response.status_code == 422
        page = response.content.decode()
        assert "Client is missing" in page
        assert "Name has two columns: name and plan" in page
        run.refresh_from_db()
        assert run.state == ImportState.MAPPING

    def test_an_import_is_begun_and_undone_once(self, vera: Browser) -> None:
        (run,) = send(vera, pasted=CLIENTS)
        assert "There is nothing to undo" in vera.post(f"/data/import/{run.pk}/undo/", follow=True).content.decode()
        post(vera, run, "start")
        assert "that cannot be done now" in vera.post(f"/data/import/{run.pk}/start/", follow=True).content.decode()
        work()
        assert Client.objects.filter(organization_id="acme").count() == 1
        assert "gone on already" in vera.post(f"/data/import/{run.pk}/discard/", follow=True).content.decode()


class TestWorker:
    def test_stops_when_asked_and_goes_on(self, vera: Browser) -> None:
        (run,) = send(vera, pasted=CLIENTS)
        post(vera, run, "start")
        post(vera, run, "stop")
        work()
        run.refresh_from_db()
        assert (run.state, Client.objects.filter(organization_id="acme").exists()) == (ImportState.CANCELLED, False)
        post(vera, run, "start")
        work()
        run.refresh_from_db()
        assert (run.state, run.counts["created"]) == (ImportState.DONE, 1)
        assert run.counts["rejected"] == 1

    def test_events_are_imported_but_not_undone(self, vera: Browser) -> None:
        text = "event,account_id,user_id,timestamp\nCase Created,fading,u1,2026-06-01T10:00:00Z\n"
        (run,) = send(vera, ("events.csv", text))
        assert run.kind == "events"
        assert "cannot be undone" in text_of(vera, run)
        run = post(vera, run, "columns")
        assert (run.state, run.check_result["created"]) == (ImportState.CHECKED, 1)
        post(vera, run, "start")
        work()
        run.refresh_from_db()
        assert (run.state, run.counts["created"]) == (ImportState.DONE, 1)
        page = vera.post(f"/data/import/{run.pk}/undo/", follow=True).content.decode()
        assert "Events cannot be undone" in page

    def test_removes_files_after_a_week(self, vera: Browser) -> None:
        done, _ = send(vera, ("a.csv", CLIENTS), ("b.csv", CLIENTS))
        post(vera, done, "start")
        work()
        run_job("clean_imports", now=timezone.now() + timedelta(days=6))
        assert folder_of(done.pk).exists()
        run_job("clean_imports", now=timezone.now() + timedelta(days=8))
        assert not folder_of(done.pk).exists()
        assert list(ImportRun.objects.values_list("pk", flat=True)) == [done.pk]
        assert "Imported." in text_of(vera, done)


class TestReading:
    def test_sheets_and_layouts_can_be_changed(self, vera: Browser) -> None:
        pytest.importorskip("xlsxwriter")
        book = io.BytesIO()
        import xlsxwriter

        with xlsxwriter.Workbook(book) as workbook:
            workbook.add_worksheet("Notes").write_row(0, 0, ["x"])
            sheet = workbook.add_worksheet("Accounts")
            sheet.write_row(0, 0, ["account_id", "account_name", "industry"])
            sheet.write_row(1, 0, ["acme", "Acme", "Retail"])
        (run,) = send(vera, ("book.xlsx", book.getvalue()))
        assert run.detected["sheets"] == ["Notes", "Accounts"]
        run = post(vera, run, "read", {"sheet": "Accounts"})
        assert (run.kind, run.rows_total) == ("clients", 1)
        (text,) = send(vera, ("a.csv", "account_id|name, full\nacme|Acme, Ltd\n"))
        text = post(vera, text, "read", {"delimiter": ","})
        assert text.columns == ["account_id|name", "full"]

    def test_parquet_and_json_lines(self, vera: Browser) -> None:
        file = io.BytesIO()
        pl.DataFrame({"account_id": ["acme"], "account_name": ["Acme"], "industry": ["x"]}).write_parquet(file)
        runs = send(
            vera,
            ("a.parquet", file.getvalue()),
            ("b.jsonl", '{"account_id": "acme", "account_name": "Acme", "industry": "x"}\n'),
        )
        assert [(run.kind, run.rows_total) for run in runs] == [("clients", 1), ("clients", 1)]

    def test_list_needs_few_queries(self, vera: Browser, django_assert_max_num_queries: Any) -> None:
        send(vera, *[(f"{n}.csv", CLIENTS) for n in range(8)])
        with django_assert_max_num_queries(22):
            page = vera.get("/data/import/")
        assert page.status_code == 200
        assert "0.csv" in page.content.decode()


class TestCommand:
    def test_takes_an_import_back(self, vera: Browser) -> None:
        (run,) = send(vera, pasted=CLIENTS.replace("Gold", "Pro"))
        post(vera, run, "start")
        work()
        app, runner = typer.Typer(), CliRunner()
        app.command("import-undo")(import_undo)
        assert str(run.pk) in runner.invoke(app, []).output
        done = runner.invoke(app, [str(run.pk)])
        assert (done.exit_code, done.stdout) == (0, "put back 3, left 0\n")
        assert not Client.objects.filter(organization_id="acme").exists()
        again = runner.invoke(app, [str(run.pk)])
        assert (again.exit_code, "This import is undone" in again.output) == (1, True)
        assert runner.invoke(app, ["nonsense"]).exit_code == 2
