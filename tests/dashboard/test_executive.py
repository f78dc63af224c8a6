"""The executive summary as the server answers it."""

import html
import io
import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import fastexcel
import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bellwether.portfolio.models import Change, Client
from bellwether.staff.models import AuditEvent, StaffUser
from tests.analytics.cast import add_call, add_client, add_csms, add_end, add_nps, add_term
from tests.conftest import Clients, Staff
from tests.dashboard.portfolio_cast import give_scores

pytestmark = pytest.mark.django_db
MOST_QUERIES = 31  # 14 for the frames; the scorecard, session, user, access log and the frame of the page
MOST_KEPT_QUERIES = 14


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    caches["memory"].clear()


@pytest.fixture
def scored(clients: Clients) -> Clients:
    now = timezone.now()
    give_scores(clients, now.date(), now)
    Client.objects.update(contract_start_date=now.date() - timedelta(days=800))
    return clients


def browser_of(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def page(user: StaffUser, address: str = "/executive/") -> str:
    answer = browser_of(user).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def plain(text: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def figure(text: str, label: str) -> str:
    block = text[text.index(f'<span class="label">{label}</span>') :]
    return plain(block[: block.index("</div>")]).strip()


def section(text: str, name: str) -> str:
    block = text[text.index(f'id="{name}"') :]
    return block[: block.index("</section>")]


class TestFigures:
    def test_are_those_of_the_clients_one_sees(self, staff: Staff, scored: Clients) -> None:
        # Sturdy 90, Fading 45, Newborn without a score; $120,000 each. Elsewhere, 70, is Cleo's.
        own = page(staff.ada)
        assert figure(own, "Clients").startswith("Clients 3")
        assert figure(own, "ARR").startswith("ARR $360K")
        assert figure(own, "Average health").startswith("Average health 68")
        assert "ARR at risk $120K" in figure(own, "ARR at risk")
        assert "33.3% of ARR" in figure(own, "ARR at risk")
        assert figure(page(staff.vera), "Average health").startswith("Average health 68")  # (90 + 45 + 70) / 3
        assert "Fading" not in page(staff.cleo)

    def test_agree_with_plain_sql(self, staff: Staff, scored: Clients) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*), SUM(annual_recurring_revenue), AVG(current_health_score) FROM portfolio_client "
                "WHERE archived_at IS NULL"
            )
            clients, arr, health = cursor.fetchone()
        text = page(staff.vera)
        assert figure(text, "Clients").startswith(f"Clients {clients}")
        assert figure(text, "ARR").startswith(f"ARR ${float(arr) / 1000:.0f}K")
        assert figure(text, "Average health").startswith(f"Average health {round(float(health))}")

    def test_compare_with_the_day_before_the_period(self, staff: Staff, scored: Clients) -> None:
        first = timezone.now().date() - timedelta(days=6)
        text = page(staff.ada, f"/executive/?period=custom&from={first}")
        # Until seven days ago Sturdy had 89 and Fading 59: 74, now 67.5. ARR at risk was the same.
        assert "down 6" in figure(text, "Average health")
        assert "flat 0 pts" in figure(text, "ARR at risk")
        assert "(7 days), compared with the 7 days before" in text

    def test_never_show_a_churn_forecast(self, staff: Staff, scored: Clients) -> None:
        assert "no forecast" in page(staff.ada)

    def test_say_why_retention_is_missing(self, staff: Staff, scored: Clients) -> None:
        assert "Fewer than 5 clients had an ARR twelve months earlier." in figure(page(staff.ada), "Gross retention")

    def test_retention_is_worked_out_from_terms_and_outcomes(self, staff: Staff, clients: Clients) -> None:
        now = timezone.now()
        today = now.date()
        old, later = today - timedelta(days=700), today - timedelta(days=100)
        Client.objects.filter(csm_user=staff.ada).update(annual_recurring_revenue=None, contract_start_date=today)
        made = [add_client(f"Term {n}", staff.ada, 70, today, now, annual_recurring_revenue=100_000) for n in range(5)]
        for one in made:
            add_term(one, old, 100_000)
        add_term(made[0], later, 130_000)  # grew
        Client.objects.filter(pk=made[0].pk).update(annual_recurring_revenue=130_000)
        add_term(made[1], later, 60_000)  # shrank
        Client.objects.filter(pk=made[1].pk).update(annual_recurring_revenue=60_000)
        add_end(made[2], "CHURNED", later, 100_000, 0)
        Client.objects.filter(pk=made[2].pk).update(archived_at=now - timedelta(days=90))
        text = page(staff.ada)
        # 500,000 at start, 100,000 churned, 40,000 less, 30,000 more.
        assert figure(text, "Gross retention").startswith("Gross retention 72.0%")
        assert figure(text, "Net retention").startswith("Net retention 78.0%")
        assert figure(text, "Churned clients").startswith("Churned clients 20.0%")
        assert "1 client of 5 churned" in plain(text)


class TestNarrative:
    def test_every_number_stands_on_the_page_too(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        add_client("Joiner", staff.ada, 35, now.date(), now, contract_start_date=now.date())
        text = page(staff.ada, "/executive/?period=year")
        told = re.findall(r"<span data-sentence>(.*?)</span>", text)
        assert len(told) >= 3
        rest = plain(re.sub(r"<span data-sentence>.*?</span>", "", text))
        for sentence in told:
            for number in re.findall(r"\$?\d[\d,.]*[KM%]?", sentence.rstrip(".")):
                wanted = number.rstrip(".,")
                assert re.search(rf"(?<![\d.,$]){re.escape(wanted)}(?![\d%KM])", rest), (wanted, sentence)

    def test_every_sentence_leads_to_its_rows(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada)
        links = re.findall(r'</span> <a class="src" href="([^"]+)"', text)
        assert len(links) == len(re.findall("data-sentence", text))
        for link in links:
            if link.startswith("#"):
                assert f'id="{link[1:]}"' in text
            else:
                assert browser_of(staff.ada).get(html.unescape(link)).status_code == 200


class TestBreakdown:
    @pytest.mark.parametrize("by", ["tier", "industry", "csm", "region", "segment"])
    def test_links_lead_to_as_many_clients(self, staff: Staff, scored: Clients, by: str) -> None:
        now = timezone.now()
        add_client(
            "Eins & Co", staff.ada, 50, now.date(), now, industry="Food & drink", region="US/West", segment="A+B"
        )
        browser = browser_of(staff.vera)
        rows = re.findall(
            r'<a href="([^"]+)" aria-label="([\d,]+) clients, ([^:]+): open',
            section(page(staff.vera, f"/executive/?by={by}"), "breakdown"),
        )
        assert len(rows) >= 2
        for href, count, name in rows:
            found = browser.get(html.unescape(href)).content.decode()
            assert len(re.findall(r"data-stop[^>]*>", found)) == int(count), name

    def test_at_risk_links_lead_to_those_at_risk(self, staff: Staff, scored: Clients) -> None:
        [href] = set(re.findall(r'href="([^"]+)" aria-label="\$120K at risk, Enterprise', page(staff.vera)))
        found = browser_of(staff.vera).get(html.unescape(href)).content.decode()
        assert re.findall(r"data-stop[^>]*>([^<]+)</a>", found) == ["Fading"]

    def test_filters_the_whole_page_by_csm(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.vera, f"/executive/?csm_id={staff.cleo.pk}")
        assert figure(text, "Clients").startswith("Clients 1")
        assert "Clients of Cleo Example." in text
        assert "Fading" not in section(text, "movements")
        assert f"csm_id={staff.cleo.pk}" in section(text, "breakdown")

    def test_ignores_a_csm_whose_clients_one_does_not_see(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada, f"/executive/?csm_id={staff.cleo.pk}")
        assert figure(text, "Clients").startswith("Clients 3")
        assert "Nobody with this id" in text
        assert "Cleo" not in text

    @pytest.mark.parametrize(
        "query",
        ["period=week", "by=colour", "csm_id=x", "period=custom", "period=custom&from=yesterday", "from=2026-99-01"],
    )
    def test_says_what_it_cannot_use(self, staff: Staff, scored: Clients, query: str) -> None:
        assert 'data-status="monitor" role="status"' in page(staff.ada, f"/executive/?{query}")

    def test_a_workspace_without_clients_says_so(self, staff: Staff) -> None:
        assert "No clients to sum up" in page(staff.vera)


class TestScorecard:
    def test_vps_see_names(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        today = now.date()
        for n in range(2):
            add_call(scored.sturdy, staff.ada, now - timedelta(hours=n + 1))
        add_call(scored.sturdy, staff.ada, now - timedelta(days=400))
        add_call(scored.fading, staff.ada, now - timedelta(days=200), follow_up_required=True,
                 follow_up_date=today - timedelta(days=2))  # fmt: skip
        for place, score in enumerate((10, 9, 9, 7, 3)):
            add_nps(scored.sturdy, score, now - timedelta(days=3), f"r{place}")
        add_nps(scored.sturdy, 0, now - timedelta(days=9), "r0")  # answered again since
        first = today - timedelta(days=9)
        text = plain(section(page(staff.vera, f"/executive/?period=custom&from={first}"), "csms"))
        # Ada: 3 clients, $360K, too few for retention, NPS (3 - 1) / 5, health change 67.5 - 74 = -6.5, 2 calls in 10
        # days of 3 clients are 2 a month and client; one overdue; 1.6 x (1 + 1.4 + 1.1) / 24.
        assert "Ada Example 3 $360K – – +40 down 6 2 0 0 2 1 –" in text
        assert "23%" in text
        assert "Cleo Example 1 $120K" in text

    def test_csms_see_themselves_and_nobody_by_name(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        add_csms(6, now.date(), now)
        first = now.date() - timedelta(days=60)
        text = page(staff.ada, f"/executive/?period=custom&from={first}")
        assert "Hidden" not in text
        assert "Cleo" not in text
        card = plain(section(text, "csms"))
        assert "You 3 $360K" in card
        assert [f"CSM {letter}" in card for letter in "ABCDEFGH"] == [True] * 7 + [False]

    def test_few_others_are_not_shown(self, staff: Staff, scored: Clients) -> None:
        first = timezone.now().date() - timedelta(days=60)
        card = plain(section(page(staff.ada, f"/executive/?period=custom&from={first}"), "csms"))
        assert "CSM A" not in card
        assert "there are 1" in card

    def test_seniors_see_their_team_by_name(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        add_csms(6, now.date(), now)
        text = page(staff.ben, f"/executive/?period=custom&from={now.date() - timedelta(days=60)}")
        assert "Ada Example" in text
        assert "Hidden" not in text

    def test_the_team_view_of_a_vp_has_no_names(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        add_csms(6, now.date(), now)
        address = f"/executive/?names=hide&period=custom&from={now.date() - timedelta(days=60)}"
        card = section(page(staff.vera, address), "csms")
        assert "Hidden" not in card
        assert "CSM A" in card

    def test_account_executives_have_none(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ed)
        assert figure(text, "Clients").startswith("Clients 1")
        assert "CSM scorecard" not in text

    def test_the_page_of_a_csm_is_for_who_sees_the_name(self, staff: Staff, scored: Clients) -> None:
        address = f"/executive/csm/{staff.ada.pk}/"
        allowed = {"ada": 200, "ben": 200, "vera": 200, "adam": 200, "cleo": 404, "ed": 404}
        for name, status in allowed.items():
            assert browser_of(getattr(staff, name)).get(address).status_code == status, name
        assert browser_of(staff.vera).get(f"/executive/csm/{staff.ed.pk}/").status_code == 404
        assert browser_of(staff.ada).get(f"/executive/csm/{UUID(int=1)}/").status_code == 404

    def test_the_page_of_a_csm_shows_what_to_look_at(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        due = now.date() - timedelta(days=2)
        add_call(scored.fading, staff.ada, now, follow_up_required=True, follow_up_date=due, follow_up_text="Ask Mara")
        text = plain(page(staff.vera, f"/executive/csm/{staff.ada.pk}/"))
        assert "Fading Ask Mara 2 days late" in text
        assert "Activities 1" in text


def overload(staff: Staff, today: date, now: datetime) -> list[Client]:
    """Give Ada 34 healthy Starter clients: 34 x 0.8 / 24 = 113%."""
    Client.objects.filter(csm_user=staff.ada).update(csm_user=None)
    return [add_client(f"Book {n:02}", staff.ada, 90, today, now, region="EMEA") for n in range(34)]


class TestHandOver:
    def test_moves_a_client_and_can_be_undone(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        overload(staff, now.date(), now)
        browser = browser_of(staff.vera)
        text = section(page(staff.vera), "rebalancing")
        fields = dict(re.findall(r'name="(client|giver|taker)" value="([^"]+)"', text))
        assert fields["giver"] == str(staff.ada.pk)
        assert fields["taker"] == str(staff.ben.pk)  # the same team
        answer = browser.post("/executive/hand-over/", fields, follow=True)
        moved = Client.objects.get(pk=fields["client"])
        assert moved.csm_user == staff.ben
        assert f"{moved.name} moved from Ada Example to Ben Example." in answer.content.decode()
        assert AuditEvent.objects.filter(action="client.reassigned", client_id=moved.pk).exists()
        browser.post(f"/changes/{Change.objects.get().pk}/undo/")
        moved.refresh_from_db()
        assert moved.csm_user == staff.ada

    def test_does_nothing_when_the_client_is_no_longer_the_givers(self, staff: Staff, scored: Clients) -> None:
        fields = {"client": scored.elsewhere.pk, "giver": staff.ada.pk, "taker": staff.ben.pk}
        answer = browser_of(staff.vera).post("/executive/hand-over/", fields, follow=True)
        assert "Elsewhere is no longer Ada Example&#39;s" in answer.content.decode()
        assert not Change.objects.exists()

    def test_is_not_for_csms_nor_about_what_one_does_not_see(self, staff: Staff, scored: Clients) -> None:
        fields = {"client": scored.fading.pk, "giver": staff.ada.pk, "taker": staff.cleo.pk}
        browser_of(staff.ada).post("/executive/hand-over/", fields)
        browser_of(staff.ed).post("/executive/hand-over/", fields)
        assert browser_of(staff.ben).post("/executive/hand-over/", fields).status_code == 404  # Cleo: another team
        theirs = {"client": scored.elsewhere.pk, "giver": staff.cleo.pk, "taker": staff.ada.pk}
        assert browser_of(staff.ben).post("/executive/hand-over/", theirs).status_code == 404
        assert browser_of(staff.vera).post("/executive/hand-over/", {"client": "x"}).status_code == 404
        assert not Change.objects.exists()

    def test_csms_see_no_suggestions(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        overload(staff, now.date(), now)
        assert "Suggested hand-overs" not in page(staff.ada)


class TestExports:
    def test_csv_has_the_figures_of_the_page(self, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.sturdy.pk).update(industry="=1+1")
        answer = browser_of(staff.ada).get("/executive.csv")
        assert answer["Cache-Control"] == "private, no-store"
        text = answer.content.decode()
        assert "\r\nClients,3," in text
        assert "\r\nAverage health,67.5," in text
        assert "Industry,'=1+1,1," in text
        assert "Elsewhere" not in text
        assert AuditEvent.objects.filter(action="executive.export").exists()

    def test_excel_has_a_sheet_for_each_table(self, staff: Staff, scored: Clients) -> None:
        answer = browser_of(staff.vera).get("/executive.xlsx")
        book = fastexcel.read_excel(io.BytesIO(answer.content).read())
        assert book.sheet_names == [
            "Summary", "Breakdown", "Scores", "Trend", "Renewals", "Renewal rates", "Movements", "CSMs"
        ]  # fmt: skip
        summary = book.load_sheet("Summary").to_polars()
        assert summary.row(0)[:2] == ("Clients", 4.0)
        assert len(book.load_sheet("Breakdown").to_polars()) >= 5

    def test_other_kinds_do_not_exist(self, staff: Staff, scored: Clients) -> None:
        assert browser_of(staff.vera).get("/executive.exe").status_code == 404

    def test_a_csm_exports_nobody_by_name(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        add_csms(6, now.date(), now)
        text = browser_of(staff.ada).get("/executive.csv?period=last_quarter").content.decode()
        assert "Hidden" not in text
        assert "CSM A" in text


class TestQueries:
    def test_do_not_grow_with_clients(self, staff: Staff, scored: Clients) -> None:
        browser = browser_of(staff.vera)
        browser.get("/executive/")

        def count() -> int:
            caches["memory"].clear()
            with CaptureQueriesContext(connection) as seen:
                browser.get("/executive/")
            return len(seen)

        before = count()
        now = timezone.now()
        add_csms(3, now.date(), now)
        assert count() == before <= MOST_QUERIES

    def test_are_few_while_figures_are_kept(self, staff: Staff, scored: Clients) -> None:
        browser = browser_of(staff.vera)
        browser.get("/executive/")
        with CaptureQueriesContext(connection) as seen:
            browser.get("/executive/")
        assert len(seen) <= MOST_KEPT_QUERIES

    def test_a_change_shows_at_once(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        made = overload(staff, now.date(), now)
        assert "Ada Example 34" in plain(section(page(staff.vera), "csms"))
        fields = {"client": made[0].pk, "giver": staff.ada.pk, "taker": staff.ben.pk}
        browser_of(staff.vera).post("/executive/hand-over/", fields)
        assert "Ada Example 33" in plain(section(page(staff.vera), "csms"))


def test_needs_signing_in(client: Any) -> None:
    for address in ("/executive/", "/executive.csv", f"/executive/csm/{UUID(int=1)}/"):
        assert client.get(address).status_code == 302
