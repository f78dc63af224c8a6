"""The churn list and the expansion list: figures, words of bands, filters, scope, files, predicting anew."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from polars import read_excel

from bellwether.churn.choices import ModelKind
from bellwether.churn.models import ChurnModel
from bellwether.common.models import JobRun, JobState
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.lake import Lake
from tests.analytics.foretold import REASON, make_model, predict
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
Browse = Callable[[StaffUser], Browser]


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()


@pytest.fixture
def browse() -> Browse:
    def signed_in(user: StaffUser) -> Browser:
        browser = Browser()
        browser.force_login(user)
        return browser

    return signed_in


@pytest.fixture
def foretold(clients: Clients) -> Clients:
    """Fading 60 % (40 % a month ago), Sturdy 10 % (5 %), Newborn banded; Elsewhere, Cleo's, 30 %."""
    model = make_model()
    predict(clients.fading, model, TODAY, 0.6, was=0.4, p90_low=0.45, p90_high=0.75, renewal_risk=0.5,
            renewal_low=0.4, renewal_high=0.6)  # fmt: skip
    predict(clients.sturdy, model, TODAY, 0.1, was=0.05)
    predict(clients.newborn, model, TODAY, 0.25, precision="BAND", precision_reason="Known of too few features.")
    predict(clients.elsewhere, model, TODAY, 0.3, was=0.3)
    return clients


def page_of(browser: Browser, address: str = "/churn/") -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def row_of(page: str, name: str) -> str:
    return next(part for part in page.split("<tr ")[1:] if f">{name}</a>" in part)


class TestList:
    def test_shows_the_own_clients_the_riskiest_first(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        page = page_of(browse(staff.ada))
        assert page.index(">Fading</a>") < page.index(">Newborn</a>") < page.index(">Sturdy</a>")
        assert "Elsewhere" not in page
        row = row_of(page, "Fading")
        for text in ("60%", "45 to 75%", "20 pts", REASON, "risk 50%", ">High<", "$120K"):
            assert text in row
        assert "Predicted on 30 Jun 2026 by version 3, trained 1 Jun 2026 on 200 clients, of which 25 left." in page

    def test_says_a_band_in_words_alone(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        row = row_of(page_of(browse(staff.ada)), "Newborn")
        assert "Medium" in row
        assert "Known of too few features." in row
        assert "%" not in row.replace(REASON, "")

    def test_sums_up_what_may_be_lost(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        page = page_of(browse(staff.ada))
        # 120,000 x (.6 + .1 + .25); a month ago 120,000 x (.4 + .05).
        assert "$114K" in page
        assert "$60K" in page
        assert "Changes since 2 Jun 2026" in page

    def test_leads_see_everybody_and_may_choose_a_csm(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        browser = browse(staff.vera)
        assert ">Elsewhere</a>" in page_of(browser)
        page = page_of(browser, f"/churn/?csm_id={staff.cleo.pk}")
        assert ">Elsewhere</a>" in page
        assert ">Fading</a>" not in page
        # The sums follow the filter: 120,000 x .3.
        assert "$36K" in page

    def test_filters_by_category_but_sums_all(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        page = page_of(browse(staff.ada), "/churn/?category=HIGH")
        assert ">Fading</a>" in page
        assert ">Sturdy</a>" not in page
        assert "$114K" in page

    def test_leaves_out_what_cannot_be_used(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        page = page_of(browse(staff.ada), "/churn/?category=huge&page=x&csm_id=me&sort=colour&renewal_within=-3")
        assert page.count("It was left out.") == 5
        assert ">Fading</a>" in page

    def test_a_swap_brings_the_list_alone(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        answer = browse(staff.ada).get("/churn/?sort=arr", headers={"HX-Request": "true", "HX-Target": "churn-list"})
        assert b"<html" not in answer.content
        assert b'aria-sort="ascending"' in answer.content

    def test_a_client_that_left_is_no_longer_listed(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        foretold.fading.archived_at = NOW
        foretold.fading.save()
        ClientOutcome.objects.create(client=foretold.fading, outcome="CHURNED", date=TODAY)
        assert ">Fading</a>" not in page_of(browse(staff.ada))

    def test_nothing_at_risk_is_said(self, staff: Staff, clients: Clients, browse: Browse) -> None:
        predict(clients.sturdy, make_model(), TODAY, 0.1)
        page = page_of(browse(staff.ada))
        assert "Nothing at risk." in page
        assert "2 clients not predicted yet" in page
        assert "No client at this risk" in page_of(browse(staff.ada), "/churn/?category=HIGH")

    def test_the_prior_says_so_and_shows_no_figure(self, staff: Staff, clients: Clients, browse: Browse) -> None:
        model = make_model(ModelKind.PRIOR, version=1, clients=0, churned_clients=0)
        reason = "Expert prior, no history yet"
        predict(clients.sturdy, model, TODAY, 0.3, precision="BAND", precision_reason=reason)
        page = page_of(browse(staff.ada))
        assert "Expert prior, no history yet." in page
        assert "80% range, 90 days" in page
        assert "30%" not in page

    def test_before_the_first_prediction(self, staff: Staff, clients: Clients, browse: Browse) -> None:
        assert "No predictions yet" in page_of(browse(staff.ada))
        assert "Predict now" not in page_of(browse(staff.ada))
        assert "Predict now" in page_of(browse(staff.vera))

    def test_without_clients(self, staff: Staff, browse: Browse) -> None:
        assert "No clients to watch" in page_of(browse(staff.ada))

    def test_old_predictions_are_said(self, staff: Staff, clients: Clients, browse: Browse) -> None:
        predict(clients.sturdy, make_model(), TODAY - timedelta(days=5), 0.3)
        assert "The last prediction is of 25 Jun 2026." in page_of(browse(staff.ada))

    def test_takes_as_many_queries_for_more_clients(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        def queries() -> int:
            caches["memory"].clear()
            browser = browse(staff.vera)
            with CaptureQueriesContext(connection) as counted:
                page_of(browser)
            return len(counted)

        before = queries()
        model = ChurnModel.objects.get()
        for place in range(5):
            more = Client.objects.create(organization_id=f"more-{place}", name=f"More {place}", csm_user=staff.ada)
            predict(more, model, TODAY, 0.2, was=0.1)
        assert queries() == before


class TestFiles:
    def test_csv_holds_the_filtered_list_without_figures_of_bands(
        self, staff: Staff, foretold: Clients, browse: Browse
    ) -> None:
        answer = browse(staff.ada).get("/churn/export/csv/?category=HIGH,MEDIUM")
        head, *lines = answer.content.decode().splitlines()
        rows = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
        assert [row["client"] for row in rows] == ["Fading", "Newborn"]
        assert (rows[0]["p90"], rows[0]["p90_low"], rows[0]["change_points"]) == ("0.6", "0.45", "20")
        assert (rows[1]["category"], rows[1]["p90"], rows[1]["p30"]) == ("MEDIUM", "", "")
        assert AuditEvent.objects.get(action="churn.export").detail["count"] == 2

    def test_excel_too(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        book = io.BytesIO(browse(staff.ada).get("/churn/export/xlsx/").content)
        assert read_excel(book)["client"].to_list() == ["Fading", "Newborn", "Sturdy"]

    def test_no_other_kind(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        assert browse(staff.ada).get("/churn/export/pdf/").status_code == 404


class TestPredicting:
    def test_leads_ask_for_predictions_and_see_how_far_they_are(
        self, staff: Staff, foretold: Clients, browse: Browse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bellwether.common.jobs.JOBS", {"churn_predict": object()})
        browser = browse(staff.vera)
        answer = browser.post(reverse("churn_predict"))
        run = JobRun.objects.get(name="churn_predict")
        assert answer.url == f"/churn/?run={run.pk}"  # type: ignore[attr-defined]
        assert "Waiting for a worker" in page_of(browser, f"/churn/?run={run.pk}")
        assert browser.post(reverse("churn_predict")).status_code == 302
        assert JobRun.objects.count() == 1
        JobRun.objects.update(state=JobState.DONE)
        part = browser.get(
            reverse("churn_run", args=[run.pk]), headers={"HX-Request": "true", "HX-Target": "churn-run"}
        )
        assert part["HX-Redirect"] == "/churn/"

    def test_others_may_not(self, staff: Staff, clients: Clients, browse: Browse) -> None:
        assert browse(staff.ada).post(reverse("churn_predict")).status_code == 404
        assert not JobRun.objects.exists()


class TestExpansion:
    def test_shows_who_could_grow_and_holds_back_who_is_in_trouble(
        self, staff: Staff, clients: Clients, browse: Browse
    ) -> None:
        model = make_model()
        full = {"seat_use": 0.96, "daily_users": 20.0, "usage_change_month": 1.3}
        predict(clients.sturdy, model, TODAY, 0.05, inputs=full)
        predict(clients.fading, model, TODAY, 0.6, inputs=full)
        page = page_of(browse(staff.ada), "/churn/expansion/")
        row = row_of(page, "Sturdy")
        for text in ("48 of 50 seats used in 30 days", "Daily users up 30%", "More seats: 2 are left."):
            assert text in row
        assert "1 client held back" in page
        assert "Churn risk is high." in page
        assert "No client matches" in page_of(browse(staff.ada), "/churn/expansion/?signal=unlicensed")
        lines = browse(staff.ada).get("/churn/expansion/export/csv/").content.decode().splitlines()
        assert len(lines) == 2
        assert "sturdy,Sturdy" in lines[1]
        assert "Sturdy" not in page_of(browse(staff.cleo), "/churn/expansion/")

    def test_says_that_nothing_was_found(self, staff: Staff, foretold: Clients, browse: Browse) -> None:
        assert "No client shows signs of growth" in page_of(browse(staff.ada), "/churn/expansion/")

    def test_before_the_first_prediction(self, staff: Staff, clients: Clients, browse: Browse) -> None:
        assert "No predictions yet" in page_of(browse(staff.ada), "/churn/expansion/")
