"""Each kind: what it stores, what it refuses and why, and that doing it again changes nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bellwether.common.errors import ConflictError
from bellwether.common.progress import NoProgress
from bellwether.portfolio.importing import services
from bellwether.portfolio.importing.kinds import ImportOptions
from bellwether.portfolio.importing.readers import open_source
from bellwether.portfolio.importing.rejects import Rejects
from bellwether.portfolio.importing.services import KINDS, ImportCounts, import_records, map_source, record_import
from bellwether.portfolio.importing.values import Reading
from bellwether.portfolio.models import (
    Activity,
    Client,
    ClientOutcome,
    Contact,
    ContractPeriod,
    SupportTicket,
    SurveyResponse,
)
from bellwether.staff.models import AuditEvent
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.portfolio.importing.files import write_csv, write_json_lines, write_xlsx

BY_NAME = {kind.name: kind for kind in KINDS}


class Run:
    """An import of some text as a CSV file, with its counts and reasons at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reasons: list[str] = []
        self.path: Path | None = None

    def __call__(
        self,
        kind: str,
        text: str = "",
        *,
        path: Path | None = None,
        maps: list[tuple[str, str]] | None = None,
        constants: list[tuple[str, str]] | None = None,
        **options: Any,
    ) -> ImportCounts:
        source = open_source(path or write_csv(self.folder / f"{kind}.csv", text))
        mapping, self.notices = map_source(BY_NAME[kind], source, maps=maps or [], constants=constants or [])
        given = {"now": NOW, "today": TODAY, "pseudonym": lambda user_id: f"key of {user_id}"} | options
        with Rejects(source.path, source.columns, chosen=None, write=True) as rejects:
            counts = import_records(
                BY_NAME[kind],
                source,
                mapping,
                options=ImportOptions(**given),
                rejects=rejects,
                progress=NoProgress(),
            )
        self.reasons, self.path = [str(reject) for reject in rejects.first], rejects.path
        assert counts.read == counts.created + counts.updated + counts.unchanged + counts.rejected
        return counts


def numbers(counts: ImportCounts) -> tuple[int, int, int, int]:
    return counts.created, counts.updated, counts.unchanged, counts.rejected


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


class TestClients:
    TEXT = (
        "AccountId;Account Name;Plan;ARR__c;Seats;Contract Start;Contract End;CSM;Tags;Country;Modules\n"
        'acme;Acme;Pro;"$1,200.50";25;01.02.2025;31.01.2027;ada@bellwether.example;gold, emea;DE;"Cases|Policies"\n'
    )

    def test_stores_what_the_file_says(self, run: Run, staff: Staff):
        assert numbers(run("clients", self.TEXT)) == (1, 0, 0, 0)
        client = Client.objects.get(organization_id="acme")
        assert (client.name, client.contract_tier, client.country) == ("Acme", "PROFESSIONAL", "DE")
        assert (client.annual_recurring_revenue, client.licensed_user_count) == (Decimal("1200.50"), 25)
        assert (client.contract_start_date, client.next_renewal_date) == (date(2025, 2, 1), date(2027, 1, 31))
        assert (client.csm_user, client.licensed_modules) == (staff.ada, ["Cases", "Policies"])
        assert set(client.tags.values_list("name", flat=True)) == {"gold", "emea"}

    def test_changes_nothing_when_repeated(self, run: Run, staff: Staff):
        run("clients", self.TEXT)
        assert numbers(run("clients", self.TEXT)) == (0, 0, 1, 0)

    def test_updates_only_the_columns_of_the_file(self, run: Run, clients: Clients):
        counts = run("clients", "client_id,seats\nsturdy,70\nfading,50\n")
        assert numbers(counts) == (0, 1, 1, 0)
        clients.sturdy.refresh_from_db()
        assert (clients.sturdy.licensed_user_count, clients.sturdy.name) == (70, "Sturdy")
        assert clients.sturdy.ae_user is not None

    def test_clears_what_the_file_leaves_empty(self, run: Run, clients: Clients):
        run("clients", "client_id,ae,industry\nsturdy,,\n")
        clients.sturdy.refresh_from_db()
        assert (clients.sturdy.ae_user, clients.sturdy.industry) == (None, "")

    def test_sets_alert_levels_in_the_words_of_others(self, run: Run, clients: Clients):
        given = "id,alert_level\nsturdy,High touch\nfading,PROACTIVE\nnewborn,\nelsewhere,off\n"
        assert numbers(run("clients", given)) == (0, 3, 1, 0)
        levels = dict(Client.objects.values_list("organization_id", "alert_level"))
        assert (levels["sturdy"], levels["fading"]) == ("PROACTIVE", "PROACTIVE")
        assert (levels["newborn"], levels["elsewhere"]) == ("DASHBOARD_ONLY", "NONE")

    def test_counts_a_change_of_tags_alone(self, run: Run, clients: Clients):
        run("clients", "client_id,tags\nsturdy,a;b\n")
        assert numbers(run("clients", "client_id,tags\nsturdy,b;c\n")) == (0, 1, 0, 0)
        assert set(clients.sturdy.tags.values_list("name", flat=True)) == {"b", "c"}
        assert numbers(run("clients", "client_id,tags\nsturdy,c|b\n")) == (0, 0, 1, 0)

    def test_archives_what_the_source_deleted_and_keeps_the_first_instant(self, run: Run, clients: Clients):
        assert numbers(run("clients", "id,is_deleted\nsturdy,true\ngone,true\nfading,false\n")) == (0, 1, 2, 0)
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.archived_at == NOW

    @pytest.mark.parametrize(
        ("columns", "row", "reason"),
        [
            ("id,contract_start_date", "a,31.02.2024", "row 2: contract_start_date '31.02.2024' is not a date"),
            ("id,Start Date", "a,soon", "row 2: contract_start_date (column Start Date) 'soon' is not a date"),
            ("id,arr", "a,12k", "row 2: annual_recurring_revenue (column arr) '12k' is not a number"),
            ("id,seats", "a,-1", "row 2: licensed_user_count (column seats) '-1' is not between 0 and 2147483647"),
            ("id,csm", "a,zoe@bellwether.example", "row 2: csm_email 'zoe@bellwether.example' is nobody on staff"),
            ("id,csm", "a,Zoe", "row 2: csm_email (column csm) 'Zoe' is not an e-mail address"),
            ("id,tier", "a,Platinum", "row 2: contract_tier (column tier) 'Platinum' is none of STARTER, PROFES"),
            ("id,alert_level", "a,Loud", "row 2: alert_level 'Loud' is none of NONE, DASHBOARD_ONLY, PROACTIVE"),
            ("id,country", "a,Atlantis", "row 2: country 'Atlantis' is not a country"),
            ("id,name", ",Acme", "row 2: organization_id (column id) is empty"),
            ("id,name", f"a,{'x' * 201}", f"row 2: name '{'x' * 60}…' is longer than 200 characters (201)"),
            ("id,renewal_probability", "a,140", "row 2: renewal_probability '140' is not a percentage from 0 to 100"),
            (
                "id,contract_start_date,contract_end_date",
                "a,2026-02-01,2026-01-01",
                "row 2: contract_end_date 2026-01-01 is before contract_start_date 2026-02-01",
            ),
        ],
    )
    def test_refuses_a_row_with_the_reason(self, run: Run, staff: Staff, columns: str, row: str, reason: str):
        assert numbers(run("clients", f"{columns}\n{row}\n")) == (0, 0, 0, 1)
        assert run.reasons[0].startswith(reason)
        assert not Client.objects.exists()

    def test_names_every_bad_cell_of_a_row_at_once(self, run: Run, db: None):
        run("clients", "id,arr,seats\na,x,y\n")
        assert "arr) 'x' is not a number; licensed" in run.reasons[0]

    def test_takes_equal_repetitions_and_refuses_contradicting_ones(self, run: Run, db: None):
        text = "id,seats\na,1\na,1\na,2\n"
        assert numbers(run("clients", text)) == (1, 0, 1, 1)
        assert run.reasons == ["row 4: has the same key as row 2 (organization_id) but other values"]
        assert numbers(run("clients", text)) == (0, 0, 2, 1)

    def test_leaves_the_customers_own_turnover_out_and_says_so(self, run: Run, db: None):
        run("clients", "id,AnnualRevenue\na,1000000\n")
        assert "--map AnnualRevenue=annual_recurring_revenue" in run.notices[0]
        assert Client.objects.get().annual_recurring_revenue is None

    def test_keeps_formula_like_text_as_it_is(self, run: Run, db: None):
        run("clients", "id,name\na,=1+1\n")
        assert Client.objects.get().name == "=1+1"

    def test_keeps_rejected_rows_beside_the_file_ready_to_be_mended(self, run: Run, db: None):
        run("clients", 'id,seats,note\na,many,"x, y"\nb,2,\n')
        assert run.path is not None
        assert run.path.name == "clients.csv.rejects.csv"
        header, rejected = run.path.read_text().splitlines()
        assert header == "row,reason,id,seats,note"
        assert rejected == "2,licensed_user_count (column seats) 'many' is not a number,a,many,\"x, y\""
        mended = write_csv(run.folder / "mended.csv", run.path.read_text().replace("many", "3"))
        assert numbers(run("clients", path=mended)) == (1, 0, 0, 0)

    def test_reads_workbooks_and_json_lines_alike(self, run: Run, db: None):
        run("clients", path=write_xlsx(run.folder / "a.xlsx", [["id", "seats"], ["a", 5], [17850, 7]]))
        run("clients", path=write_json_lines(run.folder / "a.jsonl", [{"id": 17850, "seats": 7}, {"id": "b"}]))
        assert dict(Client.objects.values_list("organization_id", "licensed_user_count")) == {
            "a": 5,
            "17850": 7,
            "b": None,
        }


class TestContacts:
    def test_stores_and_repeats_by_e_mail_when_there_is_no_id(self, run: Run, clients: Clients):
        text = (
            "account_id,First Name,Last Name,email,role,user_id\n"
            "sturdy,Uma,Example,Uma@Client.example,Executive Sponsor,u-1\n"
        )
        assert numbers(run("contacts", text)) == (1, 0, 0, 0)
        contact = Contact.objects.get()
        assert (contact.name, contact.email, contact.role) == ("Uma Example", "uma@client.example", "EXECUTIVE_SPONSOR")
        assert contact.user_key == "key of u-1"
        assert numbers(run("contacts", text)) == (0, 0, 1, 0)
        assert numbers(run("contacts", text.replace("Uma,Ex", "Una,Ex"))) == (0, 1, 0, 0)

    def test_finds_the_client_by_its_crm_id_or_name(self, run: Run, clients: Clients):
        Client.objects.filter(pk=clients.fading.pk).update(salesforce_account_id="0011G00000eM9wv")
        run("contacts", "account,name\n0011G00000eM9wv,Uma\nSturdy,Una\n")
        assert set(Contact.objects.values_list("client__organization_id", "name")) == {
            ("fading", "Uma"),
            ("sturdy", "Una"),
        }

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("nobody,Uma,,CHAMPION", "organization_id 'nobody' is no client (import clients first"),
            ("sturdy,,,CHAMPION", "name is empty, and so are first_name, last_name and email"),
            ("sturdy,Uma,h_12,CHAMPION", "email 'h_12' is not an e-mail address"),
            ("sturdy,Uma,,King", "role 'King' is none of CHAMPION"),
        ],
    )
    def test_refuses_a_row_with_the_reason(self, run: Run, clients: Clients, row: str, reason: str):
        assert numbers(run("contacts", f"organization_id,name,email,role\n{row}\n")) == (0, 0, 0, 1)
        assert reason in run.reasons[0]


class TestTickets:
    HEAD = "ticket_id,account_id,submitted_at,closed_at,priority\n"

    def test_stores_what_the_file_says(self, run: Run, clients: Clients):
        text = self.HEAD + "T-1,sturdy,2026-06-01,2026-06-01,critical\nT-2,sturdy,2026-06-02,,\n"
        assert numbers(run("tickets", text)) == (2, 0, 0, 0)
        first, second = SupportTicket.objects.order_by("external_id")
        assert (first.priority, first.status, second.priority, second.status) == ("urgent", "solved", "normal", "open")
        assert first.solved_at == datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)
        assert numbers(run("tickets", text)) == (0, 0, 2, 0)
        assert numbers(run("tickets", text.replace("2026-06-02,,", "2026-06-02,2026-06-03,"))) == (0, 1, 1, 0)

    def test_keeps_equal_rows_without_id_apart_and_repeatable(self, run: Run, clients: Clients):
        text = "client_id,opened_at\nsturdy,2026-06-01\nsturdy,2026-06-01\n"
        assert numbers(run("tickets", text)) == (2, 0, 0, 0)
        assert numbers(run("tickets", text)) == (0, 0, 2, 0)

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("T,sturdy,2026-06-02,2026-06-01,low", "solved_at 2026-06-01 23:59 is before opened_at 2026-06-02 00:00"),
            ("T,sturdy,,,low", "opened_at (column submitted_at) is empty"),
            ("T,sturdy,2026-06-02,,whatever", "priority 'whatever' is none of low, normal, high, urgent"),
            ("T,,2026-06-02,,low", "organization_id (column account_id) is empty"),
        ],
    )
    def test_refuses_a_row_with_the_reason(self, run: Run, clients: Clients, row: str, reason: str):
        assert numbers(run("tickets", self.HEAD + row)) == (0, 0, 0, 1)
        assert reason in run.reasons[0]

    def test_refuses_what_the_source_has_deleted(self, run: Run, clients: Clients):
        run("tickets", "id,client_id,created_at,is_deleted\n1,sturdy,2026-06-01,true\n")
        assert "the source has deleted this record" in run.reasons[0]

    def test_gives_the_first_day_whose_scores_change(self, run: Run, clients: Clients):
        text = self.HEAD + "T-1,sturdy,2026-06-10,,low\nT-2,sturdy,2026-06-02,,low\n"
        assert run("tickets", text).affected == date(2026, 6, 1)
        assert run("tickets", text).affected is None

    def test_makes_bare_clients_on_request(self, run: Run, clients: Clients):
        counts = run("tickets", self.HEAD + "T-1,new,2026-06-10,,low\nT-2,new,2026-06-10,,low\n", create_clients=True)
        assert (counts.created, counts.clients_created) == (2, 1)
        assert Client.objects.get(organization_id="new").name == "new"


class TestSurveys:
    def test_brings_csat_to_0_to_100_and_leaves_nps_as_it_is(self, run: Run, clients: Clients):
        text = "client_id,kind,score,date\nsturdy,CSAT,4,2026-06-01\nsturdy,nps,9,2026-06-01\n"
        assert numbers(run("surveys", text, reading=Reading(csat_scale=(1, 5)))) == (2, 0, 0, 0)
        assert set(SurveyResponse.objects.values_list("kind", "score")) == {("CSAT", 75.0), ("NPS", 9.0)}
        assert numbers(run("surveys", text, reading=Reading(csat_scale=(1, 5)))) == (0, 0, 2, 0)

    def test_sees_the_kind_in_the_name_of_the_scores_column(self, run: Run, clients: Clients):
        run("surveys", "client_id,nps_score,answered_at\nsturdy,3,2026-06-01\n")
        assert SurveyResponse.objects.get().kind == "NPS"
        assert run.notices == ["Every row gets kind NPS."]

    def test_links_a_contact_by_e_mail_and_keeps_no_address(self, run: Run, clients: Clients):
        contact = Contact.objects.create(client=clients.sturdy, name="Uma", email="uma@client.example")
        run("surveys", "client_id,nps,answered_at,email\nsturdy,3,2026-06-01,Uma@client.example\n")
        answer = SurveyResponse.objects.get()
        assert (answer.contact, answer.respondent) == (contact, "key of uma@client.example")

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("sturdy,NPS,11,2026-06-01", "score '11' is not on the NPS scale 0 to 10"),
            ("sturdy,CSAT,0,2026-06-01", "score '0' is not on the CSAT scale 1 to 5 (say another with --csat-scale)"),
            ("sturdy,CES,5,2026-06-01", "kind 'CES' is none of NPS, CSAT"),
            ("sturdy,NPS,,2026-06-01", "score is empty"),
            ("sturdy,NPS,5,", "answered_at is empty"),
        ],
    )
    def test_refuses_a_row_with_the_reason(self, run: Run, clients: Clients, row: str, reason: str):
        text = f"client_id,kind,score,answered_at\n{row}\n"
        assert numbers(run("surveys", text, reading=Reading(csat_scale=(1, 5)))) == (0, 0, 0, 1)
        assert reason in run.reasons[0]


class TestContracts:
    HEAD = "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount\n"

    def test_stores_the_terms_and_copies_the_current_one_to_the_client(self, run: Run, clients: Clients):
        text = self.HEAD + (
            "S-1,sturdy,2024-01-01,2025-12-31,Basic,5,100\n"
            "S-2,sturdy,2026-01-01,2026-12-31,Pro,9,200\n"
            "S-3,sturdy,2027-01-01,,Enterprise,20,900\n"
        )
        assert numbers(run("contracts", text)) == (3, 0, 0, 0)
        assert ContractPeriod.objects.get(external_id="S-1").annual_recurring_revenue == 1200
        client = Client.objects.get(organization_id="sturdy")
        assert (client.contract_start_date, client.next_renewal_date) == (date(2026, 1, 1), date(2026, 12, 31))
        assert (client.contract_tier, client.licensed_user_count) == ("PROFESSIONAL", 9)
        assert client.annual_recurring_revenue == 2400
        assert numbers(run("contracts", text)) == (0, 0, 3, 0)

    def test_takes_over_a_term_that_was_typed_in_without_an_id(self, run: Run, clients: Clients):
        ContractPeriod.objects.create(client=clients.sturdy, start_date=date(2026, 1, 1))
        assert numbers(run("contracts", self.HEAD + "S-2,sturdy,2026-01-01,,Pro,9,\n")) == (0, 1, 0, 0)
        assert ContractPeriod.objects.get().external_id == "S-2"

    def test_refuses_two_terms_with_one_start(self, run: Run, clients: Clients):
        text = self.HEAD + "S-1,sturdy,2026-01-01,,Pro,9,\nS-2,sturdy,2026-01-01,,Pro,9,\n"
        assert numbers(run("contracts", text)) == (1, 0, 0, 1)
        assert run.reasons == ["row 3: row 2 has the same start_date for this client"]
        run("contracts", self.HEAD + "S-9,sturdy,2026-01-01,,Pro,9,\n")
        assert run.reasons == ["row 2: the client has another record with this start_date: S-1"]

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("S,sturdy,2026-01-02,2026-01-01,,,", "end_date 2026-01-01 is before start_date 2026-01-02"),
            ("S,sturdy,,2026-01-01,,,", "start_date is empty"),
            ("S,sturdy,2026-01-02,,,,-5", "monthly_recurring_revenue (column mrr_amount) '-5' is a negative amount"),
        ],
    )
    def test_refuses_a_row_with_the_reason(self, run: Run, clients: Clients, row: str, reason: str):
        assert numbers(run("contracts", self.HEAD + row)) == (0, 0, 0, 1)
        assert reason in run.reasons[0]


class TestOutcomes:
    def test_stores_and_repeats(self, run: Run, clients: Clients):
        text = "client_id,outcome,date,reason\nsturdy,Cancelled,2026-05-01,price\nfading,renewal,2026-05-01,\n"
        assert numbers(run("outcomes", text)) == (2, 0, 0, 0)
        assert set(ClientOutcome.objects.exclude(client=clients.gone).values_list("outcome", "reason")) == {
            ("CHURNED", "price"),
            ("RENEWED", ""),
        }
        assert numbers(run("outcomes", text)) == (0, 0, 2, 0)

    def test_reads_a_file_of_churn_events_as_churn(self, run: Run, clients: Clients):
        run("outcomes", "churn_event_id,account_id,churn_date,reason_code\nC-1,sturdy,2026-05-01,budget\n")
        assert ClientOutcome.objects.get(client=clients.sturdy).outcome == "CHURNED"

    def test_takes_over_an_outcome_that_is_known_without_an_id(self, run: Run, clients: Clients):
        assert numbers(run("outcomes", "id,client_id,outcome,date,reason\nC-1,gone,churned,2026-05-01,price\n")) == (
            (0, 1, 0, 0)
        )

    def test_refuses_an_unknown_outcome(self, run: Run, clients: Clients):
        run("outcomes", "client_id,outcome,date\nsturdy,paused,2026-05-01\n")
        assert "outcome 'paused' is none of RENEWED, CHURNED, DOWNGRADED" in run.reasons[0]


class TestActivities:
    HEAD = "client_id,type,subject,date,owner_email,contacts\n"

    def test_stores_completed_ones_and_moves_the_last_contact(self, run: Run, clients: Clients, staff: Staff):
        contact = Contact.objects.create(client=clients.sturdy, name="Uma", email="uma@client.example")
        text = self.HEAD + (
            "sturdy,Phone call,Renewal,2026-06-10 09:00,ada@bellwether.example,uma@client.example\n"
            "sturdy,internal,Worries,2026-06-20 09:00,,\n"
            "sturdy,check-in,,2026-07-20 09:00,,\n"
        )
        assert numbers(run("activities", text)) == (3, 0, 0, 0)
        call, internal, later = Activity.objects.order_by("occurred_at")
        assert (call.activity_type, call.performed_by, list(call.client_contacts.all())) == (
            "CALL",
            staff.ada,
            [contact],
        )
        assert call.completed_at == call.occurred_at
        assert internal.activity_type == "INTERNAL_DISCUSSION"
        assert (later.activity_type, later.label, later.subject) == ("CALL", "check-in", "Call")
        assert (later.completed_at, later.scheduled_for) == (None, later.occurred_at)
        for record, column in ((clients.sturdy, "last_csm_contact_at"), (contact, "last_csm_contact")):
            record.refresh_from_db()
            assert getattr(record, column) == datetime(2026, 6, 10, 9, tzinfo=UTC)
        assert numbers(run("activities", text)) == (0, 0, 3, 0)

    def test_means_the_contact_that_another_was_merged_into(self, run: Run, clients: Clients):
        kept = Contact.objects.create(client=clients.sturdy, name="Mara", email="mara@cobalt.example")
        Contact.objects.create(
            client=clients.sturdy, name="M.", email="m@cobalt.example", archived_at=NOW, merged_into=kept
        )
        assert numbers(run("activities", self.HEAD + "sturdy,CALL,x,2026-06-01,,m@cobalt.example")) == (1, 0, 0, 0)
        assert list(Activity.objects.get().client_contacts.all()) == [kept]

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("sturdy,CALL,x,,,", "occurred_at is empty, and so are completed_at and scheduled_for"),
            ("sturdy,seance,x,2026-06-01,,", "activity_type (column type) 'seance' is none of CALL"),
            ("sturdy,CALL,x,2026-06-01,zoe@bellwether.example,", "performed_by 'zoe@bellwether.example' is nobody"),
            ("sturdy,CALL,x,2026-06-01,,a@b.example", "contact_emails 'a@b.example' is no contact of this client"),
        ],
    )
    def test_refuses_a_row_with_the_reason(self, run: Run, clients: Clients, row: str, reason: str):
        assert numbers(run("activities", self.HEAD + row)) == (0, 0, 0, 1)
        assert reason in run.reasons[0]


class TestEveryImport:
    TEXT = "client_id,opened_at,priority\n" + "".join(f"sturdy,2026-06-{day:02d},low\n" for day in range(1, 21))

    def test_counts_the_same_in_a_dry_run_and_stores_nothing(self, run: Run, clients: Clients):
        text = self.TEXT + "nobody,2026-06-01,low\nnew,2026-06-01,low\nsturdy,x,low\n"
        dry = run("tickets", text, dry_run=True, create_clients=True)
        assert not SupportTicket.objects.exists()
        assert not Client.objects.filter(organization_id="new").exists()
        real = run("tickets", text, create_clients=True)
        assert (numbers(dry), dry.clients_created, dry.affected) == (numbers(real), real.clients_created, real.affected)

    def test_uses_the_same_few_queries_whatever_the_number_of_rows(
        self, run: Run, clients: Clients, django_assert_max_num_queries: Any
    ):
        with django_assert_max_num_queries(8):  # staff, clients, stored, savepoint and its release, insert
            run("tickets", self.TEXT)

    def test_ends_in_the_same_state_when_it_was_cut_off_and_repeated(
        self, run: Run, clients: Clients, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(services, "CHUNK", 6)
        stored = services.store
        calls = []

        def cut_off(*args: Any) -> None:
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            stored(*args)

        monkeypatch.setattr(services, "store", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run("tickets", self.TEXT)
        assert SupportTicket.objects.count() == 12
        assert numbers(run("tickets", self.TEXT)) == (8, 0, 12, 0)
        assert SupportTicket.objects.count() == 20

    def test_stores_a_chunk_whole_or_not_at_all(self, run: Run, clients: Clients, monkeypatch: pytest.MonkeyPatch):
        def fail(*args: Any, **options: Any) -> None:
            from django.db import IntegrityError

            raise IntegrityError("somebody was faster")

        monkeypatch.setattr("bellwether.portfolio.importing.store.refresh_clients", fail)
        with pytest.raises(ConflictError, match="run the import again"):
            run("tickets", self.TEXT)
        assert not SupportTicket.objects.exists()

    def test_leaves_one_row_in_the_access_log(self, run: Run, clients: Clients):
        source = open_source(write_csv(run.folder / "t.csv", self.TEXT))
        mapping, _ = map_source(BY_NAME["tickets"], source, maps=[], constants=[])
        record_import("tickets", source.path, ImportCounts(read=20, created=20), mapping, now=NOW)
        event = AuditEvent.objects.get()
        assert (event.action, event.object_type, event.detail["created"]) == ("records.import", "tickets", 20)

    def test_refuses_rows_that_cannot_be_read_and_goes_on(self, run: Run, clients: Clients):
        assert numbers(run("tickets", self.TEXT + "sturdy\nsturdy,2026-06-28,low\n")) == (21, 0, 0, 1)
        assert run.reasons == ["row 22: the row has 1 cells, the header 3"]
