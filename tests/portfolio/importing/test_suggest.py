"""What a file holds and what its columns become, worked out from names and values."""

from pathlib import Path

import pytest

from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.delimited import Layout, detect_layout
from bellwether.portfolio.importing.detect import detect_kind
from bellwether.portfolio.importing.kind_clients import CLIENTS
from bellwether.portfolio.importing.kind_contacts import CONTACTS
from bellwether.portfolio.importing.kind_support import TICKETS
from bellwether.portfolio.importing.profiles import (
    ColumnProfile,
    csat_scale,
    date_order,
    joining_columns,
    profiles,
)
from bellwether.portfolio.importing.readers import open_source
from bellwether.portfolio.importing.services import KINDS
from bellwether.portfolio.importing.suggest import suggest, unreadable, vocabulary
from bellwether.portfolio.importing.values import Reading
from tests.portfolio.importing.files import write_csv

pytestmark = pytest.mark.one_database
FIELDS = {kind.name: kind.fields for kind in KINDS}
READING = Reading(date_order="dmy")


def column(name: str, *cells: str) -> ColumnProfile:
    return ColumnProfile(name, max(len(cells), 1), len(cells), cells)


def field(kind: tuple[Field, ...], name: str) -> Field:
    return next(f for f in kind if f.name == name)


class TestDetect:
    @pytest.mark.parametrize(
        ("columns", "file", "kind"),
        [
            ("account_id,account_name,industry,country,signup_date,plan_tier,seats", "a.csv", "clients"),
            ("ticket_id,account_id,submitted_at,closed_at,priority", "a.csv", "tickets"),
            ("subscription_id,account_id,start_date,end_date,mrr_amount,auto_renew_flag", "a.csv", "contracts"),
            ("churn_event_id,account_id,churn_date,reason_code", "a.csv", "outcomes"),
            ("id,property_email,property_firstname,property_lastname", "contact_data.csv", "contacts"),
            ("id,account_id,subject,activity_date,task_subtype", "sf_task_data.csv", "activities"),
            ("response_id,account_id,nps_score,responded_at,verbatim", "x.csv", "surveys"),
        ],
        ids=lambda value: value if "," not in value else "columns",
    )
    def test_by_the_columns(self, columns: str, file: str, kind: str) -> None:
        best = detect_kind(columns.split(","), file, FIELDS)[0]
        assert best.kind == kind
        assert best.reason.split(", ")[0] in columns

    @pytest.mark.parametrize("columns", ["ticket_id,company_id", "deal_id,portal_id,colour"], ids=["join", "strange"])
    def test_says_nothing_of_files_that_hold_no_records(self, columns: str) -> None:
        assert detect_kind(columns.split(","), "ticket_company_data.csv", FIELDS) == []


class TestLayout:
    def test_is_found_and_can_be_overruled(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "a.csv", "name;città\nAda;Roma\n", "cp1252")
        assert detect_layout(path) == Layout(encoding="cp1252", delimiter=";", header=True)
        assert open_source(path, layout=Layout(delimiter=",")).columns == ["name;città"]

    def test_without_a_header_columns_are_numbered(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "a.csv", "acme,2026-01-02,17\nbeta,2026-01-03,18\n")
        layout = detect_layout(path)
        assert layout.header is False
        source = open_source(path, layout=layout)
        assert source.columns == ["column 1", "column 2", "column 3"]
        assert [row for batch in source.read(10) for row in batch.rows] == [1, 2]

    def test_dates_decide_their_order(self) -> None:
        assert date_order(["13/04/2026", "03/04/2026"]).order == "dmy"
        assert date_order(["04/13/2026", "03/04/2026"]).order == "mdy"
        found = date_order(["03/04/2026", "05-06-2026", "07/07/2026"])
        assert (found.order, found.either) == ("", 2)
        assert date_order(["13/04/2026", "04/13/2026"]).order == ""

    @pytest.mark.parametrize(
        ("cells", "scale"), [(["1", "5"], (1, 5)), (["0", "7"], (0, 10)), (["80"], (0, 100)), ([], (0, 100))]
    )
    def test_scales_of_answers(self, cells: list[str], scale: tuple[float, float]) -> None:
        assert csat_scale(cells) == scale


class TestSuggest:
    def test_by_name_alias_and_likeness(self) -> None:
        columns = {c.name: c for c in (column("AccountId", "a"), column("Nmae", "x"), column("Employes", "12"))}
        found = suggest(columns, CLIENTS.fields, reading=READING)
        assert {name: one.field for name, one in found.items()} == {
            "AccountId": "organization_id",
            "Nmae": "",
            "Employes": "employee_count",
        }

    def test_leaves_out_what_cannot_be_read_and_takes_the_next(self) -> None:
        columns = {
            c.name: c
            for c in (
                column("account_id", "a"),
                column("email", "h_0af0663c59c55429"),
                column("work_email", "mara@acme.example"),
            )
        }
        found = suggest(columns, CONTACTS.fields, reading=READING)
        assert found["email"].field == ""
        assert "'h_0af0663c59c55429' is not an e-mail address" in found["email"].reason
        assert found["work_email"].field == "email"

    def test_by_values_where_names_say_nothing(self) -> None:
        columns = {c.name: c for c in (column("k1", "acme", "beta"), column("k2", "2026-01-02"), column("k3", "x"))}
        found = suggest(columns, TICKETS.fields, reading=READING, known_clients={"acme", "beta", "gamma"})
        assert [found[name].field for name in ("k1", "k2", "k3")] == ["organization_id", "opened_at", ""]
        assert found["k1"].reason == "100% of its values are clients"

    def test_says_what_cannot_be_read(self) -> None:
        tier = field(CLIENTS.fields, "contract_tier")
        profile = column("plan", "Basic", "Gold", "Gold", "Pro")
        wrong = unreadable(profile, tier, READING)
        assert wrong is not None
        assert (wrong.count, wrong.of) == (2, 4)
        assert unreadable(profile, tier, READING, {"Gold": "ENTERPRISE"}) is None
        words, more = vocabulary(profile, tier, READING)
        assert [(w.text, w.count, w.read_as) for w in words] == [
            ("Gold", 2, ""),
            ("Basic", 1, "STARTER"),
            ("Pro", 1, "PROFESSIONAL"),
        ]
        assert more == 0

    def test_profiles_hold_samples_and_how_much_is_filled(self, tmp_path: Path) -> None:
        found = profiles(open_source(write_csv(tmp_path / "a.csv", "a,b\n1,\n2,x\n2,\n")))
        assert (found["a"].samples, found["b"].filled, found["b"].rows) == (["1", "2"], 1, 3)

    def test_joins_by_shared_values(self) -> None:
        others = {c.name: c for c in (column("ticket_id", "1", "2"), column("company_id", "9"), column("kind", "x"))}
        assert joining_columns(["1", "7"], others, ["company_id"]) == ("ticket_id", "company_id")
        assert joining_columns(["8"], others, ["company_id"]) == ("", "")
