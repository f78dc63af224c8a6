"""What one does with the portfolio: views, columns, cells, bulk actions, insights, files, renewals."""

import csv
import io
import re
import zipfile
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bellwether.dashboard.portfolio_query import Base, read_query
from bellwether.portfolio.models import Activity, Change, Client, SavedView, SurveyResponse, Tag
from bellwether.portfolio.preferences import preferences_of
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff
from tests.dashboard.portfolio_cast import give_scores

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    caches["memory"].clear()


@pytest.fixture
def scored(clients: Clients) -> Clients:
    now = timezone.now()
    give_scores(clients, now.date(), now)
    return clients


def as_user(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:500]
    return str(answer.content.decode())


def rows(text: str) -> list[str]:
    return re.findall(r"data-stop[^>]*>([^<]+)</a>", text)


class TestAddress:
    VIEW = Base("7b0d9d0a-0000-4000-8000-000000000001", {"tier": "ENTERPRISE", "sort": "-arr"})

    def test_says_only_what_differs_from_the_view(self) -> None:
        asked = read_query({"view": self.VIEW.name, "search": "x"}, self.VIEW)
        assert (asked.query.tier, asked.query.sort, asked.query.search) == ("ENTERPRISE", "-arr", "x")
        assert asked.link() == f"?search=x&view={self.VIEW.name}"
        assert asked.link(tier=None) == f"?search=x&tier=&view={self.VIEW.name}"
        assert asked.link(sort="-priority") == f"?search=x&view={self.VIEW.name}&sort=-priority"
        assert asked.changed

    def test_an_empty_filter_takes_the_views_own_away(self) -> None:
        asked = read_query({"view": self.VIEW.name, "tier": ""}, self.VIEW)
        assert asked.query.tier is None
        assert asked.changed

    def test_going_to_another_view_leaves_the_filters_behind(self) -> None:
        asked = read_query({"view": self.VIEW.name}, self.VIEW)
        assert asked.view_link("at_risk") == "?view=at_risk"
        assert not asked.changed

    def test_opens_with_the_readers_view_and_names_all(self) -> None:
        asked = read_query({}, Base(self.VIEW.name, self.VIEW.values, home=self.VIEW.name))
        assert asked.link() == "?"
        assert asked.view_link("all") == "?view=all"

    def test_joins_words_given_several_times(self) -> None:
        from django.http import QueryDict

        given = QueryDict("health_status=AT_RISK&health_status=CRITICAL")
        assert read_query(given).query.health_status == "AT_RISK,CRITICAL"  # type: ignore[arg-type]

    @pytest.mark.parametrize("given", [{"arr_min": "much"}, {"churn_max": "x"}, {"quiet": "-1"}, {"score_min": "101"}])
    def test_leaves_out_what_cannot_be_used(self, given: dict[str, str]) -> None:
        asked = read_query(given)
        assert len(asked.ignored) == 1
        assert asked.given == {}


class TestViews:
    def save(self, user: StaffUser, listed: str, **fields: str) -> Any:
        return as_user(user).post("/portfolio/views/new/", {"list": listed, **fields})

    def test_keeps_filters_order_and_columns_under_a_name(self, staff: Staff, scored: Clients) -> None:
        answer = self.save(staff.ada, "health_status=AT_RISK&sort=-arr", name="Trouble")
        view = SavedView.objects.get()
        assert answer.headers["Location"] == f"/?view={view.pk}"
        assert view.query == {"health_status": "AT_RISK", "sort": "-arr"}
        assert (view.owner, view.is_shared) == (staff.ada, False)
        text = text_of(as_user(staff.ada).get(f"/?view={view.pk}"))
        assert rows(text) == ["Fading"]
        assert re.search(r'aria-current="page">Trouble <span class="count">1</span>', text)
        assert "Trouble" not in text_of(as_user(staff.cleo).get("/"))
        assert len(rows(text_of(as_user(staff.ada).get(f"/?view={view.pk}&health_status=")))) == 3

    def test_another_ones_view_does_not_exist(self, staff: Staff, scored: Clients) -> None:
        view = SavedView.objects.create(owner=staff.ada, name="Mine", query={"health_status": "AT_RISK"})
        assert as_user(staff.cleo).get(f"/portfolio/views/{view.pk}/").status_code == 404
        assert "is not known" in text_of(as_user(staff.cleo).get(f"/?view={view.pk}"))

    def test_a_shared_view_shows_each_reader_the_own_clients(self, staff: Staff, scored: Clients) -> None:
        self.save(staff.vera, "tier=ENTERPRISE", name="Large", shared="on")
        view = SavedView.objects.get()
        assert view.is_shared
        assert rows(text_of(as_user(staff.cleo).get(f"/?view={view.pk}"))) == ["Elsewhere"]
        # Nobody but the owner and administrators changes it.
        answer = as_user(staff.cleo).post(f"/portfolio/views/{view.pk}/", {"do": "delete"})
        assert answer.status_code == 403
        assert as_user(staff.cleo).post(f"/portfolio/views/{view.pk}/keep/", {"list": ""}).status_code == 403

    def test_a_csm_shares_nothing(self, staff: Staff, scored: Clients) -> None:
        assert 'name="shared"' not in text_of(as_user(staff.ada).get("/portfolio/views/new/"))
        self.save(staff.ada, "", name="Mine", shared="on")
        assert not SavedView.objects.get().is_shared

    def test_a_name_counts_once(self, staff: Staff, scored: Clients) -> None:
        self.save(staff.ada, "", name="Mine")
        assert "There is a view named mine already" in text_of(self.save(staff.ada, "", name="mine"), 422)
        assert "This field is required" in text_of(self.save(staff.ada, "", name=" "), 422)

    def test_is_renamed_kept_deleted_and_brought_back(self, staff: Staff, scored: Clients) -> None:
        view = SavedView.objects.create(owner=staff.ada, name="Mine", query={})
        browser = as_user(staff.ada)
        browser.post(f"/portfolio/views/{view.pk}/", {"name": "Ours"})
        browser.post(f"/portfolio/views/{view.pk}/keep/", {"list": f"view={view.pk}&search=fad"})
        view.refresh_from_db()
        assert (view.name, view.query) == ("Ours", {"search": "fad", "sort": "-priority"})
        browser.post(f"/portfolio/views/{view.pk}/", {"do": "delete"})
        assert "Ours" not in rows(text_of(browser.get("/")))
        change = Change.objects.get(kind="view.deleted")
        browser.post(f"/changes/{change.pk}/undo/")
        view.refresh_from_db()
        assert view.archived_at is None

    def test_opens_with_it_and_moves_it(self, staff: Staff, scored: Clients) -> None:
        first = SavedView.objects.create(owner=staff.ada, name="A", query={"search": "stur"})
        second = SavedView.objects.create(owner=staff.ada, name="B", query={})
        browser = as_user(staff.ada)
        browser.post(f"/portfolio/views/{first.pk}/", {"name": "A", "opens": "on"})
        assert rows(text_of(browser.get("/"))) == ["Sturdy"]
        assert len(rows(text_of(browser.get("/?view=all")))) == 3
        browser.post(f"/portfolio/views/{second.pk}/", {"do": "left"})
        staff.ada.refresh_from_db()
        assert preferences_of(staff.ada)["views"] == [str(second.pk), str(first.pk)]
        SavedView.objects.filter(pk=first.pk).update(archived_at=timezone.now())
        assert len(rows(text_of(browser.get("/")))) == 3  # what it opened with is gone

    def test_many_views_take_one_query_to_count(self, staff: Staff, scored: Clients) -> None:
        browser = as_user(staff.vera)
        browser.get("/")

        def count() -> int:
            caches["memory"].clear()
            with CaptureQueriesContext(connection) as queries:
                browser.get("/")
            return len(queries)

        SavedView.objects.create(owner=staff.vera, name="0", query={"tag": "Pilot"})
        one = count()
        SavedView.objects.bulk_create(
            SavedView(owner=staff.vera, name=f"V{n}", query={"score_max": str(n), "tag": "Pilot"}) for n in range(1, 9)
        )
        assert count() == one


class TestColumns:
    ALL = ("tags", "segment", "tier", "industry", "region", "ae", "last_activity", "coverage", "tickets", "nps")

    def test_are_chosen_in_an_order_and_kept(self, staff: Staff, scored: Clients) -> None:
        browser = as_user(staff.ada)
        order = ["arr", "tags", "score", "segment"]
        browser.post("/portfolio/columns/", {"order": order, "column": ["arr", "score", "tags"]})
        heads = re.findall(r'<th scope="col" class="([^"]*)"', text_of(browser.get("/")))
        assert heads == ["c-check", "n c-rank", "c-name", "n", "c-more c-tags", "c-health", "row-actions"]
        browser.post("/portfolio/columns/", {"order": order, "reset": "1"})
        assert "c-tags" not in text_of(browser.get("/"))

    def test_move_without_being_kept_yet(self, staff: Staff, scored: Clients) -> None:
        answer = as_user(staff.ada).post(
            "/portfolio/columns/", {"order": ["arr", "score"], "column": ["arr"], "move": "down:arr"}
        )
        assert re.findall(r'name="order" value="(\w+)"', text_of(answer))[:2] == ["score", "arr"]
        staff.ada.refresh_from_db()
        assert preferences_of(staff.ada) == {}

    def test_of_a_view_are_its_own(self, staff: Staff, scored: Clients) -> None:
        view = SavedView.objects.create(owner=staff.ada, name="Mine", query={}, columns=["segment"])
        browser = as_user(staff.ada)
        assert "c-segment" in text_of(browser.get(f"/?view={view.pk}"))
        assert "c-segment" not in text_of(browser.get("/"))
        browser.post("/portfolio/columns/", {"order": ["tags"], "column": ["tags"], "view": str(view.pk)})
        assert "c-tags" in text_of(browser.get(f"/?view={view.pk}"))

    def test_need_at_least_one(self, staff: Staff, scored: Clients) -> None:
        answer = as_user(staff.ada).post("/portfolio/columns/", {"order": ["arr"], "column": ["password"]})
        assert "Choose at least one column." in text_of(answer, 422)

    def test_show_what_is_not_on_the_row_with_as_many_queries_for_many(self, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        for score in (10, 9, 6):  # two promoters, one detractor: 33
            SurveyResponse.objects.create(client=scored.sturdy, kind="NPS", score=score, answered_at=now)
        Activity.objects.create(
            client=scored.sturdy, activity_type="CALL", occurred_at=now, follow_up_required=True,
            follow_up_date=date(2036, 3, 4),
        )  # fmt: skip
        browser = as_user(staff.vera)
        chosen = [*self.ALL, "follow_up"]
        browser.post("/portfolio/columns/", {"order": chosen, "column": chosen})
        text = text_of(browser.get("/?search=sturdy"))
        assert 'data-l="NPS">+33<' in text
        assert 'data-l="Next follow-up">4 Mar 2036<' in text

        def count() -> int:
            caches["memory"].clear()
            with CaptureQueriesContext(connection) as queries:
                browser.get("/")
            return len(queries)

        few = count()
        Client.objects.bulk_create(Client(organization_id=f"o{n}", name=f"C{n}") for n in range(30))
        assert count() == few


class TestCells:
    def test_tags_are_edited_in_the_row(self, staff: Staff, scored: Clients) -> None:
        browser, address = as_user(staff.ada), f"/clients/{scored.sturdy.pk}/tags/"
        assert 'name="add"' in text_of(browser.get(address, headers=HTMX))
        text = text_of(browser.post(address, {"add": "Pilot"}, headers=HTMX))
        assert "Pilot" in text
        change = Change.objects.get()
        assert f"/changes/{change.pk}/undo/" in text
        browser.post(address, {"remove": "Pilot", "stay": "1"}, headers=HTMX)
        assert not scored.sturdy.tags.exists()
        browser.post(f"/changes/{Change.objects.latest('made_at').pk}/undo/")
        assert list(scored.sturdy.tags.values_list("name", flat=True)) == ["Pilot"]

    def test_a_segment_too_and_without_scripts(self, staff: Staff, scored: Clients) -> None:
        browser, address = as_user(staff.ada), f"/clients/{scored.sturdy.pk}/segment/"
        assert "<h1" in text_of(browser.get(address))
        answer = browser.post(address, {"segment": " Large ", "next": "/?view=all"})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/?view=all")
        scored.sturdy.refresh_from_db()
        assert scored.sturdy.segment == "Large"

    def test_says_what_cannot_be_used(self, staff: Staff, scored: Clients) -> None:
        answer = as_user(staff.ada).post(f"/clients/{scored.sturdy.pk}/tags/", {"add": "x" * 61}, headers=HTMX)
        assert "A tag has at most 60 characters." in text_of(answer, 422)

    def test_of_another_csms_client_do_not_exist(self, staff: Staff, scored: Clients) -> None:
        browser = as_user(staff.cleo)
        for cell in ("tags", "segment"):
            address = f"/clients/{scored.sturdy.pk}/{cell}/"
            assert browser.get(address).status_code == 404
            assert browser.post(address, {"add": "x", "segment": "x"}).status_code == 404
        assert not Change.objects.exists()


class TestBulk:
    def test_asks_shows_what_will_change_and_does_it_once_confirmed(self, staff: Staff, scored: Clients) -> None:
        browser = as_user(staff.ada)
        scored.sturdy.tags.add(Tag.objects.create(name="Pilot"))
        ids = [str(scored.sturdy.pk), str(scored.fading.pk)]
        assert "2 clients: Fading, Sturdy." in text_of(browser.get("/portfolio/bulk/tags/", {"id": ids}))
        text = text_of(browser.post("/portfolio/bulk/tags/", {"id": ids, "add": "Pilot"}))
        assert "Change 1 client?" in text
        assert "1 client is so already" in text
        assert not Change.objects.exists()
        browser.post("/portfolio/bulk/tags/", {"id": ids, "add": "Pilot", "confirmed": "1"})
        assert list(scored.fading.tags.values_list("name", flat=True)) == ["Pilot"]
        assert Change.objects.get().entries.count() == 1

    def test_means_the_whole_list_when_asked(self, staff: Staff, scored: Clients) -> None:
        browser = as_user(staff.ada)
        query = {"all": "1", "id": str(scored.sturdy.pk), "health_status": "AT_RISK"}
        assert "1 client: Fading." in text_of(browser.get("/portfolio/bulk/segment/", query))
        sent = {"all": "1", "list": "health_status=AT_RISK", "segment": "Risky", "confirmed": "1"}
        browser.post("/portfolio/bulk/segment/", sent)
        assert list(Client.objects.filter(segment="Risky").values_list("name", flat=True)) == ["Fading"]

    def test_touches_nobody_elses_clients(self, staff: Staff, scored: Clients) -> None:
        ids = [str(scored.elsewhere.pk)]
        as_user(staff.ada).post("/portfolio/bulk/segment/", {"id": ids, "segment": "X", "confirmed": "1"})
        assert not Client.objects.filter(segment="X").exists()

    def test_assigns_within_the_role(self, staff: Staff, scored: Clients) -> None:
        ids = [str(scored.sturdy.pk)]
        assert as_user(staff.ada).get("/portfolio/bulk/assign/", {"id": ids}).status_code == 404
        text = text_of(as_user(staff.ben).get("/portfolio/bulk/assign/", {"id": ids}))
        assert "Ada Example" in text
        assert "Cleo Example" not in text
        assert 'name="ae"' not in text
        sent = {"id": ids, "csm": str(staff.cleo.pk), "ae": "nobody", "confirmed": "1"}
        as_user(staff.vera).post("/portfolio/bulk/assign/", sent)
        scored.sturdy.refresh_from_db()
        assert (scored.sturdy.csm_user_id, scored.sturdy.ae_user_id) == (staff.cleo.pk, None)

    def test_logs_for_all_of_them(self, staff: Staff, scored: Clients) -> None:
        ids = [str(scored.sturdy.pk), str(scored.fading.pk)]
        sent = {"id": ids, "activity_type": "EMAIL", "subject": "News"}
        as_user(staff.ada).post("/portfolio/bulk/log/", sent)
        assert Activity.objects.filter(subject="News", performed_by=staff.ada).count() == 2

    def test_leaves_many_to_a_worker(self, staff: Staff, scored: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bellwether.dashboard.portfolio_bulk_page.AT_ONCE", 1)
        ids = [str(scored.sturdy.pk), str(scored.fading.pk)]
        browser = as_user(staff.ada)
        answer = browser.post("/portfolio/bulk/segment/", {"id": ids, "segment": "X", "confirmed": "1"})
        assert "Waiting for a worker" in text_of(browser.get(answer.headers["Location"]))
        assert as_user(staff.ben).get(answer.headers["Location"]).status_code == 404


class TestInsights:
    def test_each_says_the_number_that_its_link_lists(self, staff: Staff, scored: Clients) -> None:
        today = timezone.now().date()
        Client.objects.filter(pk=scored.fading.pk).update(
            next_renewal_date=today, last_activity_at=timezone.now() - timedelta(days=20), health_status="CRITICAL"
        )
        now = timezone.now()
        Activity.objects.create(
            client=scored.sturdy, activity_type="CALL", occurred_at=now, follow_up_required=True,
            follow_up_date=today - timedelta(days=2),
        )  # fmt: skip
        browser = as_user(staff.ada)
        text = text_of(browser.get("/"))
        panel = text[text.index('<ul class="insights">') :]
        panel = panel[: panel.index("</ul>")]
        found = re.findall(r'<a href="([^"]+)">.*?</svg>([^<]+)</a>', panel, re.S)
        said = [sentence.strip() for _, sentence in found]
        assert said == [
            "1 critical client without a contact in 14 days.",
            "1 client fell by 10 points or more in 30 days.",
            "1 renewal in 60 days without a contact in 30.",
            "$120K ARR of 1 client renews this quarter below 60.",
            "1 client has an overdue follow-up.",
            "No usage by 1 client for 14 days or more.",
            "1 client has no health score.",
        ]
        listed = [rows(text_of(browser.get("/" + href.replace("&amp;", "&")))) for href, _ in found]
        assert listed == [["Fading"]] * 4 + [["Sturdy"], ["Fading"], ["Newborn"]]

    def test_is_dismissed_for_a_week_by_its_reader(self, staff: Staff, scored: Clients) -> None:
        browser = as_user(staff.ada)
        browser.post("/portfolio/insights/fell/")
        text = text_of(browser.get("/"))
        assert "fell by 10 points" not in text
        assert "Show all (1 dismissed)" in text
        assert "fell by 10 points" in text_of(as_user(staff.vera).get("/"))
        staff.ada.refresh_from_db()
        until = preferences_of(staff.ada)["dismissed"]["fell"]
        assert until == (timezone.now().date() + timedelta(days=7)).isoformat()
        browser.post("/portfolio/insights/all/")
        assert "fell by 10 points" in text_of(browser.get("/"))
        assert browser.post("/portfolio/insights/evil/").status_code == 404


class TestFiles:
    def test_csv_has_the_columns_shown(self, staff: Staff, scored: Clients) -> None:
        staff.ada.preferences = {"portfolio": {"columns": ["arr", "segment"]}}
        staff.ada.save()
        Client.objects.filter(pk=scored.fading.pk).update(segment="=1+1", name="@Fading")
        text = text_of(as_user(staff.ada).get("/clients.csv?health_status=AT_RISK&columns=shown"))
        assert list(csv.reader(io.StringIO(text))) == [
            ["Organization id", "Client", "ARR", "Segment"],
            ["fading", "'@Fading", "120000.0", "'=1+1"],
        ]

    def test_workbook_has_typed_cells_and_no_formula(self, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(name='=HYPERLINK("https://x.example")')
        answer = as_user(staff.ada).get(f"/clients.xlsx?id={scored.fading.pk}")
        assert answer.headers["Content-Type"].endswith("spreadsheetml.sheet")
        book = zipfile.ZipFile(io.BytesIO(answer.content))
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        words = book.read("xl/sharedStrings.xml").decode()
        assert "<f>" not in sheet
        assert "'=HYPERLINK" in words
        assert 'state="frozen"' in sheet
        assert "<v>120000</v>" in sheet
        assert AuditEvent.objects.get(action="client.export").detail["format"] == "xlsx"

    def test_holds_only_what_the_reader_sees(self, staff: Staff, scored: Clients) -> None:
        answer = as_user(staff.cleo).get(f"/clients.xlsx?id={scored.fading.pk}")
        assert b"Fading" not in zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/sharedStrings.xml")


class TestRenewals:
    def test_shows_the_month_with_its_sum(self, staff: Staff, scored: Clients) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(next_renewal_date=date(2027, 2, 3))
        Client.objects.filter(pk=scored.sturdy.pk).update(next_renewal_date=date(2027, 2, 28), contract_tier="STARTER")
        text = text_of(as_user(staff.ada).get("/renewals/?month=2027-02"))
        assert "Feb 2027: 2 renewals, $240K ARR." in text
        assert 'rel="prev"' in text
        assert "month=2027-01" in text
        assert "month=2027-03" in text
        assert "Feb 2027: 1 renewal" in text_of(as_user(staff.ada).get("/renewals/?month=2027-02&tier=STARTER"))
        assert "Feb 2027: 0 renewals" in text_of(as_user(staff.cleo).get("/renewals/?month=2027-02"))
        link = re.search(r'href="/\?(renewal_month[^"]*)"', text)
        assert link is not None
        assert parse_qs(link[1].replace("&amp;", "&"))["renewal_month"] == ["2027-02"]
        assert len(rows(text_of(as_user(staff.ada).get("/?" + link[1].replace("&amp;", "&"))))) == 2

    @pytest.mark.parametrize("query", ["month=2027-13", "month=x", "csm_id=1", "tier=GOLD", "show=map"])
    def test_leaves_out_what_cannot_be_used(self, query: str, staff: Staff, scored: Clients) -> None:
        assert "Renewals" in text_of(as_user(staff.ada).get(f"/renewals/?{query}"))

    def test_calendar_file_has_whole_days_within_a_year(self, staff: Staff, scored: Clients) -> None:
        from icalendar import Calendar

        today = timezone.now().date()
        Client.objects.filter(pk=scored.sturdy.pk).update(next_renewal_date=today + timedelta(days=800))
        answer = as_user(staff.ada).get("/renewals.ics")
        events = Calendar.from_ical(answer.content).walk("VEVENT")
        told = {str(event["summary"]): event["dtstart"].dt for event in events}
        assert told == {
            "Renewal: Fading, $120K": today + timedelta(days=36),
            "Renewal: Newborn, $120K": today + timedelta(days=300),
        }

    def test_takes_as_many_queries_for_many_clients(self, staff: Staff, scored: Clients) -> None:
        browser = as_user(staff.vera)

        def count() -> int:
            caches["memory"].clear()
            with CaptureQueriesContext(connection) as queries:
                browser.get("/renewals/?month=2027-02")
            return len(queries)

        few = count()
        Client.objects.bulk_create(
            Client(
                organization_id=f"o{n}", name=f"C{n}", next_renewal_date=date(2027, 2, 1 + n % 28), csm_user=staff.ada
            )
            for n in range(60)
        )
        assert count() == few
