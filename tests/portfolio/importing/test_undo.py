"""Imports that are recorded, cut off, gone on with, and taken back."""

from pathlib import Path

import pytest

from bellwether.churn.models import ChurnPrediction, PredictionRemoval
from bellwether.common.progress import NoProgress
from bellwether.portfolio.importing import services
from bellwether.portfolio.importing.kinds import ImportOptions
from bellwether.portfolio.importing.readers import open_source
from bellwether.portfolio.importing.recorder import ChangeRecorder
from bellwether.portfolio.importing.rejects import Rejects
from bellwether.portfolio.importing.services import KINDS, ImportCounts, import_records, map_source
from bellwether.portfolio.models import (
    Activity,
    Change,
    ChangeEntry,
    Client,
    ContractPeriod,
    ImportRun,
    SupportTicket,
    Tag,
)
from bellwether.portfolio.undoing import TakenBack, take_back
from tests.churn.predictions import stored_prediction
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.portfolio.importing.files import write_csv

BY_NAME = {kind.name: kind for kind in KINDS}


class Recorded:
    """Imports of text as CSV with a recorder."""

    def __init__(self, folder: Path, staff: Staff) -> None:
        self.folder, self.staff = folder, staff

    def begin(self) -> ImportRun:
        change = Change.objects.create(made_by=self.staff.vera, made_at=NOW, kind="records.import", summary="Import")
        return ImportRun.objects.create(file_name="f.csv", created_at=NOW, change=change, made_by=self.staff.vera)

    def __call__(self, kind: str, text: str, run: ImportRun | None = None) -> tuple[ImportRun, ImportCounts]:
        run = run or self.begin()
        source = open_source(write_csv(self.folder / f"{kind}.csv", text))
        mapping, _ = map_source(BY_NAME[kind], source, maps=[], constants=[])
        with Rejects(source.path, source.columns, chosen=None, write=False) as rejects:
            counts = import_records(
                BY_NAME[kind],
                source,
                mapping,
                options=ImportOptions(now=NOW, today=TODAY),
                rejects=rejects,
                progress=NoProgress(),
                recorder=ChangeRecorder(run, run.change),
            )
        return run, counts


@pytest.fixture
def recorded(tmp_path: Path, staff: Staff) -> Recorded:
    return Recorded(tmp_path, staff)


def back(run: ImportRun) -> TakenBack:
    return take_back(run.change, today=TODAY, now=NOW, progress=NoProgress())


class TestTakeBack:
    def test_what_was_foretold_of_a_client_goes_with_it_and_that_is_noted(self, recorded: Recorded) -> None:
        run, _ = recorded("clients", "organization_id,name\nfresh,Fresh\nnew,New\n")
        fresh = Client.objects.get(organization_id="fresh")
        stored_prediction(fresh)
        assert back(run).left == []
        assert not Client.objects.filter(organization_id__in=["fresh", "new"]).exists()
        assert not ChurnPrediction.objects.exists()
        assert [one.client_id for one in PredictionRemoval.objects.all()] == [fresh.pk]

    def test_removes_what_was_made_and_puts_back_what_was_changed(self, recorded: Recorded, clients: Clients) -> None:
        clients.fading.tags.add(Tag.objects.create(name="old"))
        run, counts = recorded(
            "clients", "organization_id,name,industry,tags,csm_email\nfading,Fading AG,Retail,new,\nfresh,Fresh,,,\n"
        )
        assert (counts.created, counts.updated) == (1, 1)
        done = back(run)
        assert (done.restored, done.left) == (2, [])
        fading = Client.objects.get(organization_id="fading")
        assert (fading.name, fading.industry, fading.csm_user) == ("Fading", "Manufacturing", clients.fading.csm_user)
        assert [tag.name for tag in fading.tags.all()] == ["old"]
        assert not Client.objects.filter(organization_id="fresh").exists()
        assert ChangeEntry.objects.filter(change=run.change).count() == 2
        assert back(run).restored == 2  # again: nothing left to do, nothing complained about

    def test_leaves_later_edits_and_records_in_use_and_says_so(self, recorded: Recorded, clients: Clients) -> None:
        run, _ = recorded("clients", "organization_id,name,segment\nfading,Fading,A\nfresh,Fresh,A\nother,Other,A\n")
        Client.objects.filter(organization_id="fading").update(segment="B")
        SupportTicket.objects.create(client=Client.objects.get(organization_id="fresh"), opened_at=NOW)
        done = back(run)
        assert done.restored == 1
        assert sorted(done.left) == [
            "Fading was changed since (segment).",
            "Fresh stays because of 1 support ticket.",
        ]
        assert set(Client.objects.values_list("organization_id", flat=True)) >= {"fresh", "fading"}
        assert not Client.objects.filter(organization_id="other").exists()

    def test_puts_the_clients_contract_back_with_its_terms(self, recorded: Recorded, clients: Clients) -> None:
        run, _ = recorded(
            "contracts", "organization_id,start_date,end_date,arr,seats\nfading,2026-01-01,2026-12-31,5000,9\n"
        )
        clients.fading.refresh_from_db()
        assert (clients.fading.annual_recurring_revenue, clients.fading.licensed_user_count) == (5000, 9)
        assert back(run).left == []
        clients.fading.refresh_from_db()
        assert (clients.fading.annual_recurring_revenue, clients.fading.licensed_user_count) == (120000, 50)
        assert not ContractPeriod.objects.exists()

    def test_puts_the_last_contact_back(self, recorded: Recorded, clients: Clients) -> None:
        run, _ = recorded("activities", "organization_id,type,occurred_at\nfading,call,2026-06-01\n")
        clients.fading.refresh_from_db()
        assert clients.fading.last_csm_contact_at is not None
        back(run)
        clients.fading.refresh_from_db()
        assert (clients.fading.last_csm_contact_at, Activity.objects.count()) == (None, 0)

    def test_needs_few_queries_for_many_rows(
        self, recorded: Recorded, clients: Clients, django_assert_max_num_queries
    ) -> None:
        rows = "".join(f"fading,t{n},2026-05-01\n" for n in range(400))
        run, _ = recorded("tickets", "organization_id,ticket_id,opened_at\n" + rows)
        with django_assert_max_num_queries(30):
            assert back(run).restored == 400
        assert not SupportTicket.objects.exists()


class TestGoingOn:
    def test_counts_and_entries_are_those_of_one_import(
        self, recorded: Recorded, clients: Clients, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "CHUNK", 2)
        text = "organization_id,ticket_id,opened_at\n" + "".join(
            f"{'fading' if n != 3 else 'nobody'},t{n},2026-05-0{n}\n" for n in range(1, 6)
        )
        run = recorded.begin()
        stored = services.store

        def cut_off(*arguments: object) -> None:
            if run.chunks_done == 1:
                raise KeyboardInterrupt
            stored(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(services, "store", cut_off)
        with pytest.raises(KeyboardInterrupt):
            recorded("tickets", text, run)
        run.refresh_from_db()
        assert (run.chunks_done, run.rows_done, SupportTicket.objects.count()) == (1, 2, 2)
        monkeypatch.setattr(services, "store", stored)
        _, counts = recorded("tickets", text, run)
        assert (counts.read, counts.created, counts.unchanged, counts.rejected) == (5, 4, 0, 1)
        assert run.change.entries.count() == 4
        assert back(run).restored == 4
