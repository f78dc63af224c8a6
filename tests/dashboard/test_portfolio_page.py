"""The portfolio page as the server answers it."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bellwether.common.models import JobPulse
from bellwether.dashboard.portfolio_rows import interval_text
from bellwether.health.scorecard import load_scorecard
from bellwether.portfolio.models import Client, Tag
from bellwether.staff.models import AuditEvent
from tests.conftest import Clients, Staff
from tests.dashboard.portfolio_cast import give_scores

pytestmark = pytest.mark.django_db
MOST_QUERIES = 20  # 11 of the page, session, user, scorecard, what is due, new alerts, the bell, 3 of the log's append


@pytest.fixture(autouse=True)
def _no_history_kept() -> None:
    caches["memory"].clear()


@pytest.fixture
def scored(clients: Clients) -> Clients:
    now = timezone.now()
    give_scores(clients, now.date(), now)
    return clients


def page(user: Any, address: str = "/", **headers: str) -> str:
    browser = Browser()
    browser.force_login(user)
    answer = browser.get(address, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def rows(text: str) -> list[str]:
    return re.findall(r"data-stop[^>]*>([^<]+)</a>", text)


def figure(text: str, label: str) -> str:
    block = next(part for part in text.split('<div class="kpi')[1:] if f">{label}<" in part)
    block = block.partition("</section>")[0].partition(">")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", block)).strip()


class TestSilence:
    def test_says_when_usage_itself_stopped_arriving(self, staff: Staff, scored: Clients) -> None:
        Client.objects.update(last_activity_at=timezone.now() - timedelta(days=30))
        assert "30 days ago. Their scores take that for people who stayed away" in page(staff.ada)

    def test_keeps_quiet_while_any_visible_client_is_in_use(self, staff: Staff, scored: Clients) -> None:
        Client.objects.update(last_activity_at=timezone.now() - timedelta(days=30))
        Client.objects.filter(pk=scored.sturdy.pk).update(last_activity_at=timezone.now())
        assert "has arrived since" not in page(staff.ada)
        assert "has arrived since" in page(staff.cleo)


class TestPortfolio:
    def test_shows_only_what_the_reader_may_see(self, staff: Staff, scored: Clients) -> None:
        assert sorted(rows(page(staff.ada))) == ["Fading", "Newborn", "Sturdy"]
        assert rows(page(staff.cleo)) == ["Elsewhere"]
        assert "Fading" not in page(staff.cleo)

    def test_sums_up_the_clients(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada)
        assert figure(text, "Clients").startswith("Clients 3")
        assert figure(text, "At risk or critical").startswith("At risk or critical 1")
        assert "Average health 68 of 100" in figure(text, "Average health")  # (90 + 45) / 2 = 67.5, half up
        assert "ARR at risk $120K 33.3% of $360K" in figure(text, "ARR at risk")

    def test_compares_with_last_week_and_last_month(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada)
        # Fading had 59, which was at risk as well; the average was (89 + 59) / 2 = 74.
        assert "flat 0 since last week" in figure(text, "At risk or critical")
        assert "down 6 since last month" in figure(text, "Average health")

    def test_compares_with_nothing_when_there_is_no_history(self, staff: Staff, clients: Clients) -> None:
        now = timezone.now()
        Client.objects.filter(pk=clients.sturdy.pk).update(
            current_health_score=90, health_status="HEALTHY", scored_on=now.date()
        )
        assert "no week to compare with" in page(staff.ada)

    def test_shows_na_with_the_reason(self, staff: Staff, scored: Clients) -> None:
        assert 'data-tip="Only 40% of the weights have data, 50% is needed"' in page(staff.ada)

    def test_leaves_churn_out_until_there_is_one(self, staff: Staff, scored: Clients) -> None:
        assert "Churn 90 d" not in page(staff.ada)
        Client.objects.filter(pk=scored.fading.pk).update(churn_risk_score=68)
        assert "68%" in page(staff.ada)

    def test_promises_nobody(self, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(churn_risk_score=0, churn_category="LOW")
        assert "&lt;1%" in page(staff.ada)

    def test_shows_a_churn_band_as_a_word(self, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(
            churn_risk_score=68, churn_is_band=True, churn_category="HIGH", churn_reason="No contact for 90 days"
        )
        shown = page(staff.ada)
        assert "68%" not in shown
        assert 'title="Too little is known for a figure. No contact for 90 days"' in shown
        assert "churn risk high, a band" in shown

    def test_says_when_the_scores_were_brought_up_to_date(self, staff: Staff, scored: Clients) -> None:
        assert "Updated" not in page(staff.ada)
        now = timezone.now()
        JobPulse.objects.create(name="score", last_finished_at=now)
        assert f"Updated {now:%H:%M}" in page(staff.ada)

    def test_counts_the_views(self, staff: Staff, scored: Clients) -> None:
        text = re.sub(r"\s+", " ", page(staff.vera))
        for view in ("All clients", "At risk", "Renewals in 90 days", "My clients", "No contact for 30 days"):
            assert view in text
        assert 'At risk <span class="count">1</span>' in text
        assert 'My clients <span class="count">0</span>' in text

    def test_lists_a_view(self, staff: Staff, scored: Clients) -> None:
        assert rows(page(staff.ada, "/?view=at_risk")) == ["Fading"]

    def test_sorts_through_links_and_says_so(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada, "/?sort=score")
        assert rows(text) == ["Fading", "Sturdy", "Newborn"]
        assert 'aria-sort="ascending"><a class="sort" href="?sort=-score"' in text

    def test_names_filters_that_are_set_and_how_to_remove_them(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada, "/?health_status=AT_RISK&search=fad&sort=-arr")
        assert rows(text) == ["Fading"]
        assert 'href="?search=fad&amp;sort=-arr"' in text
        assert 'aria-label="Remove filter Name: fad"' in text

    def test_offers_a_filter_only_if_it_makes_a_difference(self, staff: Staff, scored: Clients) -> None:
        assert 'name="csm_id"' not in page(staff.ada)
        assert 'name="csm_id"' in page(staff.vera)
        scored.sturdy.tags.add(Tag.objects.create(name="Expansion"))
        caches["memory"].clear()  # what clients have is kept for a minute
        assert 'name="tag"' in page(staff.ada)
        assert "Expansion" not in page(staff.cleo)

    def test_leaves_out_what_it_cannot_use_and_says_so(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada, "/?health_status=SICK&page=x&limit=7&csm_id=1&show=map&sort=evil&view=nope")
        assert len(rows(text)) == 3
        assert text.count("It was left out.") == 7

    def test_explains_why_nothing_is_found(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada, "/?health_status=CRITICAL&search=zzz")
        assert "No client matches these filters" in text
        assert "Name is zzz and Status is Critical." in text

    def test_shows_cards_with_the_parts_of_the_score(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada, "/?show=cards")
        assert sorted(rows(text)) == ["Fading", "Newborn", "Sturdy"]
        assert "Usage<small> 25%</small>" in text
        assert "<summary>" in text

    def test_pages(self, staff: Staff, scored: Clients) -> None:
        Client.objects.bulk_create(
            Client(organization_id=f"org-{n}", name=f"Client {n:03}", csm_user=staff.ada) for n in range(57)
        )
        text = page(staff.ada, "/?limit=25&page=2&sort=name")
        assert "26 to 50 of 60 clients" in text
        assert 'rel="next"' in text
        assert 'rel="prev"' in text
        assert "51 to 60 of 60 clients" in page(staff.ada, "/?limit=25&page=9&sort=name")

    def test_escapes_what_people_typed(self, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(name="<b>Fa&ding</b>", industry='"><i>')
        text = page(staff.ada, "/?search=<script>")
        assert "<script>" not in text.replace("<script src", "")
        assert "&lt;b&gt;Fa&amp;ding" in page(staff.ada)

    def test_swaps_only_the_list_for_htmx(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada, "/?view=at_risk", **{"HX-Request": "true"})
        assert "<html" not in text
        assert rows(text) == ["Fading"]
        assert 'id="views"' in text
        whole = page(staff.ada, "/", **{"HX-Request": "true", "HX-History-Restore-Request": "true"})
        assert "<html" in whole

    def test_keeps_its_number_of_queries_however_many_clients(self, staff: Staff, scored: Clients) -> None:
        browser = Browser()
        browser.force_login(staff.vera)
        browser.get("/")

        def count() -> int:
            caches["memory"].clear()
            with CaptureQueriesContext(connection) as queries:
                browser.get("/")
            return len([q for q in queries.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])

        few = count()
        Client.objects.bulk_create(
            Client(organization_id=f"org-{n}", name=f"Client {n}", csm_user=staff.ada, current_health_score=20)
            for n in range(80)
        )
        assert count() == few <= MOST_QUERIES + (connection.vendor == "postgresql")  # which takes a lock for the log

    def test_writes_one_line_into_the_access_log(self, staff: Staff, scored: Clients) -> None:
        before = AuditEvent.objects.count()
        page(staff.ada, "/?view=at_risk")
        event = AuditEvent.objects.get(seq__gt=before, action="client.list")
        assert event.actor_id == staff.ada.pk
        assert event.detail == {"filters": {"view": "at_risk"}, "count": 1}


class TestLinksToClients:
    def hrefs(self, text: str, client: Client) -> set[str]:
        return set(re.findall(rf'href="(/clients/{client.pk}/(?:[?#][^"]*)?)"', text))

    @pytest.mark.parametrize(
        ("asked", "carried"),
        [
            ("/", ""),
            ("/?sort=name&page=1", "?from=sort%3Dname"),
            ("/?view=at_risk&sort=-arr", "?from=view%3Dat_risk%26sort%3D-arr"),
            ("/?show=cards&sort=name", "?from=sort%3Dname%26show%3Dcards"),
        ],
    )
    def test_carry_the_list_so_that_previous_and_next_keep_its_order(
        self, staff: Staff, scored: Clients, asked: str, carried: str
    ) -> None:
        found = self.hrefs(page(staff.ada, asked), scored.fading)
        assert found
        assert {address.partition("#")[0] for address in found} == {f"/clients/{scored.fading.pk}/{carried}"}

    def test_lead_to_a_page_with_the_neighbours_of_that_list(self, staff: Staff, scored: Clients) -> None:
        [address] = {a for a in self.hrefs(page(staff.ada, "/?sort=-name"), scored.newborn) if "#" not in a}
        text = page(staff.ada, address)
        assert "2 of 3" in text
        assert f'rel="prev" href="/clients/{scored.sturdy.pk}/?from=sort%3D-name"' in text
        assert f'rel="next" href="/clients/{scored.fading.pk}/?from=sort%3D-name"' in text
        assert '<a href="/?sort=-name">Portfolio</a>' in text


class TestNeedsAttention:
    def test_ranks_and_gives_the_reasons_with_their_sources(self, staff: Staff, scored: Clients) -> None:
        text = page(staff.ada)
        panel = re.sub(r"\s+", " ", text[text.index('<aside class="card side"') :])
        # .55^2 * 120,000 * 1.5 = 54,450 before .5^2 * 120,000 = 30,000
        assert panel.index("Fading") < panel.index("Newborn")
        assert "Health down 14 points in 30 days." in panel
        assert "Usage 22 and relationship 31 of 100." in panel
        assert "No contact for 45 days." in panel
        assert f"/clients/{scored.fading.pk}/#health" in panel
        assert "No health score: only 40% of the weights have data, 50% is needed." in panel
        assert "Sturdy" not in panel

    def test_is_calm_when_nothing_is_wrong(self, staff: Staff, scored: Clients) -> None:
        assert "Nothing needs attention" in page(staff.cleo)


class TestEmpty:
    def test_tells_an_administrator_how_to_begin(self, staff: Staff) -> None:
        text = page(staff.adam)
        assert "No clients yet" in text
        assert "bellwether import clients" in text
        assert "bellwether demo" in text

    def test_tells_a_csm_whom_to_ask(self, staff: Staff) -> None:
        assert "No client is assigned to you." in page(staff.ada)

    def test_has_no_scores_before_the_first_run(self, staff: Staff, clients: Clients) -> None:
        assert "3 clients. Not scored yet." in page(staff.ada)


class TestThinData:
    SAID = "45, may lie between 41 and 51: data are missing for Outcomes"

    def test_the_row_says_where_the_score_may_lie(self, staff: Staff, scored: Clients) -> None:
        seen = page(staff.ada)
        assert seen.count(f'data-tip="{self.SAID}"') == 1
        assert seen.count("may lie between") == 2  # the tip and what a screen reader says, of one client of three
        assert 'data-tip="Only 40% of the weights have data, 50% is needed"' in seen

    def test_the_card_says_it_too(self, staff: Staff, scored: Clients) -> None:
        seen = page(staff.ada, "/?show=cards")
        assert f"{self.SAID}.</p>" in seen
        assert ">May lie in 41–51</span>" in seen
        assert ">Only 40% of the weights have data, 50% is needed</p>" in seen

    def test_names_several_parts_also_those_that_the_scorecard_no_longer_has(self) -> None:
        client = Client(current_health_score=58, health_interval_low=51, health_interval_high=66,
                        health_missing=["support", "contract", "old_part"])  # fmt: skip
        text = interval_text(client, load_scorecard("prd-015"))
        assert text == "58, may lie between 51 and 66: data are missing for Support, Contract and Old part"
        client.current_health_score = None
        assert interval_text(client, load_scorecard("prd-015")) == ""


class TestExport:
    def export(self, user: Any, query: str = "") -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(page(user, f"/clients.csv{query}"))))

    def test_holds_the_filtered_list_in_its_order(self, staff: Staff, scored: Clients) -> None:
        found = self.export(staff.ada, "?sort=-score")
        assert [(row["name"], row["health_score"]) for row in found] == [
            ("Sturdy", "90"),
            ("Fading", "45"),
            ("Newborn", ""),
        ]
        assert found[1]["reasons"].startswith("Health down 14 points in 30 days, usage 22 ")
        assert found[2]["health_status"] == "NA"
        assert found[2]["no_score_reason"] == "Only 40% of the weights have data, 50% is needed"
        kept = [[row[name] for name in ("interval_low", "interval_high", "missing_data")] for row in found]
        assert kept == [["", "", ""], ["41", "51", "Outcomes"], ["", "", ""]]
        assert self.export(staff.ada, "?health_status=HEALTHY")[0]["annual_recurring_revenue"] == "120000.00"

    def test_holds_the_chosen_rows_but_never_foreign_ones(self, staff: Staff, scored: Clients) -> None:
        found = self.export(staff.ada, f"?id={scored.fading.pk}&id={scored.elsewhere.pk}&id=x")
        assert [row["name"] for row in found] == ["Fading"]

    def test_holds_nothing_when_what_was_chosen_is_no_client(self, staff: Staff, scored: Clients) -> None:
        assert self.export(staff.ada, "?id=x") == []

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
    def test_runs_no_formula_in_a_spreadsheet(self, start: str, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(name=f"{start}cmd|' /C calc'!A0")
        names = [row["name"] for row in self.export(staff.ada)]
        assert f"'{start}cmd|' /C calc'!A0" in names

    def test_is_a_file_that_nobody_keeps(self, staff: Staff, scored: Clients) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        answer = browser.get("/clients.csv")
        today = timezone.now().date().isoformat()
        assert answer.headers["Content-Disposition"] == f'attachment; filename="clients-{today}.csv"'
        assert "no-store" in answer.headers["Cache-Control"]
        assert AuditEvent.objects.get(action="client.export").detail == {"count": 3, "filters": {}, "format": "csv"}

    def test_is_for_staff_only(self, scored: Clients) -> None:
        assert Browser().get("/clients.csv").status_code == 302


class TestDates:
    def test_shows_terms_in_days_and_the_date_on_demand(self, staff: Staff, scored: Clients) -> None:
        renewal = timezone.now().date() + timedelta(days=36)
        text = page(staff.ada, "/?search=Fading")
        assert re.search(rf'title="{renewal.day} \w\w\w {renewal.year}">36 d<', text)
        assert 'title="45 days ago">45 d<' in text
