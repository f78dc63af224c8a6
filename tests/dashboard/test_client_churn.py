"""The churn risk on a client's pages: card, key figure, the page that explains it, what-if, files."""

import csv
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bellwether.churn.choices import ModelKind
from bellwether.churn.models import ChurnModel
from bellwether.common.models import JobRun
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import AuditEvent, StaffUser
from tests.churn.foretold import MONTH_AGO, foretell, version
from tests.conftest import NOW, Clients, Staff
from tests.dashboard import client_builders as make

pytestmark = pytest.mark.django_db
CARD = {
    "state": "ok", "message": "", "subject": "hazard",
    "candidates": [{
        "key": "hazard", "kind": "model", "title": "Hazard",
        "horizons": {"90": {"rows": 900, "clients": 200, "churned": 42, "auc": {"value": 0.81}}},
    }],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    make.forget_cohorts()
    yield
    make.forget_cohorts()


@pytest.fixture
def model(db: None) -> ChurnModel:
    return version(scale=1.2, card=CARD)


@pytest.fixture
def prior(db: None) -> ChurnModel:
    return version(kind=ModelKind.PRIOR, churned=0, scale=1.2)


def get(user: StaffUser, client: Client, name: str = "client_churn", query: str = "", **headers: str) -> Any:
    browser = Browser()
    browser.force_login(user)
    return browser.get(reverse(name, args=[client.pk]) + query, headers=headers or None)


def text_of(response: Any) -> str:
    plain = re.sub(r"<script.*?</script>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain))


def part(response: Any, ident: str) -> str:
    """Return the section with this id, as text."""
    found = re.search(rf'<section[^>]* id="{ident}".*?</section>', response.content.decode(), flags=re.S)
    assert found, f"there is no section {ident}"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


class TestCard:
    def test_shows_the_probabilities_the_average_and_the_factors(
        self, staff: Staff, clients: Clients, model: ChurnModel
    ) -> None:
        stored = foretell(clients.fading, model)
        response = get(staff.ada, clients.fading, "client")
        card = part(response, "churn")
        assert f"{round(100 * stored.p90)}% 90 days" in card
        assert "Enterprise average" in card
        assert "Usage decline Daily users down 40% on their 90-day average" in card
        assert re.search(r"raises the odds, × \d", card)
        assert "AUC 0.81, 42 clients left" in card
        page = text_of(response)
        assert f"How {round(100 * stored.p90)}% is calculated" in page
        assert "together they turn" in page
        assert "80% interval" in page

    def test_a_band_has_the_word_and_the_reason_and_no_figure_of_the_model(
        self, staff: Staff, clients: Clients, prior: ChurnModel
    ) -> None:
        stored = foretell(clients.fading, prior)
        card = part(get(staff.ada, clients.fading, "client"), "churn")
        bounds = {"LOW": "Low, under 20%", "MEDIUM": "Medium, 20 to 50%", "HIGH": "High, over 50%"}[stored.category]
        assert f"{bounds} within 90 days" in card
        assert "Expert prior, no history yet" in card
        assert "×" not in card
        assert f"{round(100 * stored.p90)}%" not in card.replace(bounds, "")
        assert "Usage decline Daily users down 40% on their 90-day average High , raises the risk" in card

    def test_without_a_prediction_one_can_be_asked_for(self, staff: Staff, clients: Clients) -> None:
        response = get(staff.ada, clients.newborn, "client")
        assert "No churn risk yet" in part(response, "churn")
        assert "Predict now" in part(response, "churn")
        gone = part(get(staff.ada, clients.gone, "client"), "churn")
        assert "The client left before a churn risk was predicted." in gone
        assert "Predict now" not in gone

    def test_takes_one_query_once_the_record_of_the_model_is_kept(
        self, staff: Staff, clients: Clients, model: ChurnModel
    ) -> None:
        foretell(clients.fading, model)
        browser = Browser()
        browser.force_login(staff.ada)
        path = reverse("client", args=[clients.fading.pk])
        browser.get(path)
        with CaptureQueriesContext(connection) as caught:
            browser.get(path)
        about = [query["sql"] for query in caught if "churn_churn" in query["sql"]]
        assert len(about) == 1
        assert '"parameters"' not in about[0]
        assert '"card"' not in about[0]


class TestPage:
    def test_explains_with_a_sum_a_change_and_actions(self, staff: Staff, clients: Clients, model: ChurnModel) -> None:
        Contact.objects.create(client=clients.fading, name="Mara Lindqvist", role="CHAMPION", is_primary=True)
        foretell(clients.fading, model, on=MONTH_AGO, usage_change_month=1.0)
        foretell(clients.fading, model)
        response = get(staff.ada, clients.fading)
        assert response.status_code == 200
        assert "Together (" in part(response, "factors")
        assert "Change since 2 Jun" in part(response, "change")
        assert "Daily users level with their 90-day average" in part(response, "change")
        assert "Mara Lindqvist" in part(response, "actions")
        assert "Schedule call" in part(response, "actions")
        assert "type=CALL&amp;schedule=1&amp;contact=" in response.content.decode()
        assert '<svg viewBox="-12 0 804 236" role="img" aria-label="Churn risk within 90 days in percent' in (
            response.content.decode()
        )
        assert "25 of 25 features are known" in part(response, "known")

    def test_the_parts_shown_add_up_as_shown(self, staff: Staff, clients: Clients, model: ChurnModel) -> None:
        foretell(clients.fading, model)
        response = get(staff.ada, clients.fading)
        table = re.search(r'<table class="table plain tight churn-table">.*?</table>', response.content.decode(), re.S)
        assert table
        rows = re.findall(r'<td class="n">(?:<b>)?([+−]?\d+\.\d\d)', table[0])
        values = [float(text.replace("−", "-")) for text in rows]
        assert sum(values[:-1]) == pytest.approx(values[-1], abs=1e-9)
        assert len(values) == 15, "the reference, 13 factors and their sum"

    def test_a_band_says_it_in_words_alone(self, staff: Staff, clients: Clients, prior: ChurnModel) -> None:
        foretell(clients.fading, prior, on=MONTH_AGO, nps_latest=9.0)
        foretell(clients.fading, prior)
        response = get(staff.ada, clients.fading, query="?if_champion_back=1")
        page = text_of(response)
        assert "×" not in page
        assert "Log-odds" not in page
        assert "80% interval of" not in page
        assert "The risk would be lower" in part(response, "what-if")
        assert "Raises, high" in part(response, "factors")
        assert "Higher than on 2 Jun" in part(response, "change")

    def test_before_the_first_prediction(self, staff: Staff, clients: Clients) -> None:
        assert "No churn risk has been predicted yet" in text_of(get(staff.ada, clients.newborn))
        assert "left before" in text_of(get(staff.ada, clients.gone))

    def test_other_peoples_clients_do_not_exist(self, staff: Staff, clients: Clients, model: ChurnModel) -> None:
        foretell(clients.fading, model)
        assert get(staff.cleo, clients.fading).status_code == 404
        browser = Browser()
        browser.force_login(staff.cleo)
        for kind in ("json", "csv"):
            assert browser.get(reverse("client_churn_export", args=[clients.fading.pk, kind])).status_code == 404
        assert browser.post(reverse("client_churn_predict", args=[clients.fading.pk])).status_code == 404
        assert not AuditEvent.objects.filter(action__startswith="churn.").exists()

    def test_the_number_of_queries_does_not_depend_on_the_client(
        self, staff: Staff, clients: Clients, model: ChurnModel
    ) -> None:
        browser = Browser()
        browser.force_login(staff.ada)

        def count(client: Client) -> int:
            with CaptureQueriesContext(connection) as caught:
                assert browser.get(reverse("client_churn", args=[client.pk])).status_code == 200
            return len(caught)

        foretell(clients.sturdy, model)
        count(clients.sturdy)
        few = count(clients.sturdy)
        foretell(clients.sturdy, model, on=MONTH_AGO)
        for number in range(4):
            Contact.objects.create(client=clients.sturdy, name=f"Person {number}")
        assert count(clients.sturdy) == few


class TestWhatIf:
    def test_the_champion_is_back(self, staff: Staff, clients: Clients, model: ChurnModel) -> None:
        stored = foretell(clients.fading, model)
        query = "?if_champion_back=1&if_tickets_closed=2"
        answer = get(staff.ada, clients.fading, query=query, HX_Request="true", HX_Target="what-if")
        told = text_of(answer)
        assert "<html" not in answer.content.decode()
        assert f"{round(100 * stored.p90)}% now" in told
        assert "Champion not seen for 21 days → Champion seen up to the last day" in told
        assert "5 open tickets → 3 open tickets" in told
        assert "not a promise" in told
        assert AuditEvent.objects.filter(action="churn.what_if").count() == 1

    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("?if_tickets_closed=9", "Give a number from 0 to 5."),
            ("?if_nps=many", "Give a number."),
            ("?if_magic=1", "There is no lever of this name."),
        ],
        ids=["range", "word", "unknown"],
    )
    def test_says_what_cannot_be_used(
        self, staff: Staff, clients: Clients, model: ChurnModel, query: str, says: str
    ) -> None:
        foretell(clients.fading, model)
        shown = part(get(staff.ada, clients.fading, query=query), "what-if")
        assert says in shown
        assert "now," not in shown.replace(", now", "")


class TestFilesAndJobs:
    def test_the_sum_as_csv_and_json(self, staff: Staff, clients: Clients, model: ChurnModel) -> None:
        stored = foretell(clients.fading, model)
        browser = Browser()
        browser.force_login(staff.ada)
        sheet = browser.get(reverse("client_churn_export", args=[clients.fading.pk, "csv"])).content.decode()
        rows = list(csv.DictReader(sheet.splitlines()))
        assert sum(float(row["log_odds"]) for row in rows) == pytest.approx(stored.contributions["log_odds"], abs=1e-5)
        body = json.loads(browser.get(reverse("client_churn_export", args=[clients.fading.pk, "json"])).content)
        assert body["within_90_days"]["probability"] == stored.p90
        assert browser.get(reverse("client_churn_export", args=[clients.fading.pk, "doc"])).status_code == 404
        assert AuditEvent.objects.filter(action="churn.export", client_id=clients.fading.pk).count() == 2

    def test_a_file_of_a_band_holds_no_figure_of_the_model(
        self, staff: Staff, clients: Clients, prior: ChurnModel
    ) -> None:
        foretell(clients.fading, prior)
        browser = Browser()
        browser.force_login(staff.ada)
        sheet = browser.get(reverse("client_churn_export", args=[clients.fading.pk, "csv"])).content.decode()
        rows = list(csv.DictReader(sheet.splitlines()))
        assert len(rows) == 28
        assert all(row["log_odds"] == row["multiplier"] == "" for row in rows)

    def test_asks_for_a_prediction_and_tells_how_far_it_is(self, staff: Staff, clients: Clients) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        asked = browser.post(reverse("client_churn_predict", args=[clients.newborn.pk]))
        (run,) = JobRun.objects.filter(name="churn_predict")
        assert run.arguments == {"client_id": str(clients.newborn.pk)}
        assert "Waiting for a worker" in text_of(browser.get(asked.headers["Location"]))
        mine, other = (
            reverse("client_churn_run", args=[client.pk, run.pk]) for client in (clients.newborn, clients.sturdy)
        )
        assert browser.get(mine).status_code == 200
        assert browser.get(other).status_code == 404
        assert browser.post(reverse("client_churn_predict", args=[clients.gone.pk])).status_code == 404
