"""The churn forecast on the executive summary, in its files and in the API; the drawing of renewals by quarter."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.cache import caches
from django.test import Client as Browser

from bellwether.analytics.churn_forecast import RenewalQuarter
from bellwether.churn.choices import ModelKind
from bellwether.churn.expected import Expected, Loss
from bellwether.dashboard.executive_churn import far_text, quarter_bars, quarter_rows
from bellwether.staff.models import StaffUser
from bellwether.usage.lake import Lake
from tests.analytics.foretold import make_model, predict
from tests.api.conftest import BASE
from tests.conftest import NOW, TODAY, Clients, Staff

Read = Callable[..., str]


def quarter(arr: float, mean: float, *, is_band: bool = False, far: float = 0.0) -> RenewalQuarter:
    loss = Expected(Loss(mean, mean / 2, mean * 2), Loss(0, 0, 0), arr, 1, 0.5)
    return RenewalQuarter(date(2026, 7, 1), date(2026, 9, 30), 2, arr, arr, far, loss, is_band)


NOTHING = RenewalQuarter(date(2026, 10, 1), date(2026, 12, 31), 0, 0.0, 0.0, 0.0, None, is_band=False)


@pytest.mark.one_database
class TestDrawing:
    def test_stacks_loss_on_what_renews(self) -> None:
        drawn = quarter_bars([quarter(2_000_000, 500_000), NOTHING])
        assert drawn is not None
        kept, lost = drawn.kept[0], drawn.lost[0]
        assert lost.height == pytest.approx(kept.height / 3, abs=0.2)
        assert kept.y == pytest.approx(lost.y + lost.height, abs=0.2)
        [(_, low, high)] = drawn.spans
        assert low < kept.y < high
        assert "Q3 2026 $2M due, $500K loss, Q4 2026 – due, unknown loss" in drawn.sentence.replace("$2.00M", "$2M")

    def test_a_band_has_its_range_alone(self) -> None:
        drawn = quarter_bars([quarter(1000, 100, is_band=True)])
        assert drawn is not None
        assert not drawn.lost
        assert drawn.notes[0][1] is not None
        assert drawn.notes[0][1].text == "$50 to $200 loss"
        assert quarter_rows([quarter(1000, 100, is_band=True)])[0].loss == ""

    def test_nothing_due_is_not_drawn(self) -> None:
        assert quarter_bars([NOTHING]) is None
        assert far_text([NOTHING]) == ""
        assert far_text([quarter(1000, 10, far=600)]).startswith("$600 renew in more than 180 days")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, lake: Lake) -> Read:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()

    def page(user: StaffUser, address: str = "/executive/") -> str:
        browser = Browser()
        browser.force_login(user)
        return browser.get(address).content.decode()

    return page


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


@pytest.mark.django_db
class TestPage:
    @pytest.fixture
    def foretold(self, clients: Clients) -> Clients:
        model = make_model()
        renewal = {"renewal_risk": 0.25, "renewal_low": 0.25, "renewal_high": 0.25}
        predict(clients.sturdy, model, TODAY, 0.1, **renewal)
        predict(clients.fading, model, TODAY, 0.6)
        predict(clients.elsewhere, model, TODAY, 0.2)
        return clients

    def test_shows_the_forecast_of_the_readers_clients(self, staff: Staff, foretold: Clients, read: Read) -> None:
        text = words(read(staff.ada))
        # 120,000 x .7 of the 240,000 of those that are predicted.
        assert "Churn forecast, next quarter" in text
        assert "$84K of ARR (35.0%) is expected to churn within 90 days" in text
        assert "1 client is at high risk" in text
        assert "$360K due" in text
        assert "$30K loss" in text

    def test_follows_the_choice_of_a_csm(self, staff: Staff, foretold: Clients, read: Read) -> None:
        text = words(read(staff.vera, f"/executive/?csm_id={staff.cleo.pk}"))
        assert "$24K of ARR (20.0%) is expected to churn" in text
        assert f'href="/churn/?csm_id={staff.cleo.pk}"' in read(staff.vera, f"/executive/?csm_id={staff.cleo.pk}")

    def test_is_not_told_before_the_first_prediction(self, staff: Staff, clients: Clients, read: Read) -> None:
        page = read(staff.ada)
        assert "No prediction has been made yet." in page
        assert "Renewal forecast" not in page

    def test_the_prior_gives_a_range_alone(self, staff: Staff, clients: Clients, read: Read) -> None:
        model = make_model(ModelKind.PRIOR, version=1)
        predict(clients.sturdy, model, TODAY, 0.3, precision="BAND", precision_reason="Expert prior, no history yet")
        text = words(read(staff.ada))
        assert "too little history for a figure" in text
        assert "Expert prior, no history yet: a range is all that can be said." in text
        assert "30%" not in text

    def test_says_what_each_csm_has_at_stake(self, staff: Staff, foretold: Clients, read: Read) -> None:
        text = words(read(staff.vera))
        assert "ARRat stake" in text
        assert "$360K$84K" in text

    def test_files_hold_it_as_numbers(self, staff: Staff, foretold: Clients, read: Read) -> None:
        found = read(staff.ada, "/executive.csv")
        assert '"Churn forecast, 90 days, ARR",84000.0' in found
        assert "Renewal forecast" in found

    def test_the_api_says_the_same(self, staff: Staff, foretold: Clients, read: Read) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        body = browser.get(f"{BASE}/analytics/portfolio").json()
        assert body["churn_forecast"]["arr"]["mean"] == pytest.approx(84_000)
        quarters = browser.get(f"{BASE}/analytics/renewals").json()["quarters"]
        assert [one["name"] for one in quarters] == ["Q2 2026", "Q3 2026", "Q4 2026", "Q1 2027"]
        assert quarters[1]["expected_loss"]["mean"] == pytest.approx(30_000)
        assert TODAY + timedelta(days=1) == date.fromisoformat(quarters[1]["first"])
        rows = browser.get(f"{BASE}/analytics/csm/{staff.ada.pk}/metrics").json()
        assert rows["csm"]["expected_churned_arr"] == pytest.approx(84_000)
