"""The contract tab, as staff get it."""

import csv
import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from bellwether.common.time import day_of
from bellwether.portfolio.models import Change, Client, ClientOutcome, ContractPeriod
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def today() -> date:
    return day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)


@pytest.fixture
def client(clients: Clients, today: date) -> Client:
    """The sturdy client in its second term of a year, which ends in 99 days; its own record says another ARR."""
    first = today + timedelta(days=100) - timedelta(days=730)
    second = first + timedelta(days=365)
    for start, arr in ((first, 100_000), (second, 125_000)):
        ContractPeriod.objects.create(
            client=clients.sturdy, start_date=start, end_date=start + timedelta(days=364), contract_tier="ENTERPRISE",
            annual_recurring_revenue=arr, licensed_user_count=50, licensed_modules=["=Cases", "API", "Chat"],
        )  # fmt: skip
    ClientOutcome.objects.create(
        client=clients.sturdy, outcome="RENEWED", date=second - timedelta(days=1), arr_before=100_000, arr_after=125_000
    )
    return clients.sturdy


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def sent(today: date, **changes: object) -> dict[str, object]:
    """What the form of a term sends."""
    values = {
        "start_date": today + timedelta(days=100), "end_date": today + timedelta(days=464), "licensed_user_count": "60",
        "annual_recurring_revenue": "$150,000", "contract_tier": "ENTERPRISE", "auto_renew": "yes",
        "licensed_modules": "API, Chat, API",
    }  # fmt: skip
    return values | changes


class TestPage:
    def test_shows_terms_with_their_change_and_what_contradicts_them(self, staff: Staff, client: Client) -> None:
        text = text_of(signed_in(staff.ada).get(reverse("client_contract", args=[client.pk])))
        assert "ARR $120,000 instead of $125,000" in text  # the record of the cast says 120,000
        assert "$25K 25%" in text
        assert "Present" in text
        assert "Renewed" in text
        assert AuditEvent.objects.filter(action="client.contract", client_id=client.pk).count() == 1

    def test_of_a_client_without_terms_offers_to_record_them(self, staff: Staff, clients: Clients) -> None:
        text = text_of(signed_in(staff.ada).get(reverse("client_contract", args=[clients.fading.pk])))
        assert "No term recorded" in text
        assert "1 Jul 2024 to open, $120,000" in text

    def test_of_an_archived_client_offers_to_restore_it(self, staff: Staff, clients: Clients) -> None:
        page = signed_in(staff.ada).get(reverse("client_contract", args=[clients.gone.pk])).content.decode()
        assert reverse("client_restore", args=[clients.gone.pk]) in page
        assert reverse("contract_churn", args=[clients.gone.pk]) not in page

    def test_costs_a_fixed_number_of_queries(
        self, staff: Staff, client: Client, today: date, django_assert_max_num_queries: Any
    ) -> None:
        for year in range(1, 30):
            start = today - timedelta(days=800 + 400 * year)
            ContractPeriod.objects.create(client=client, start_date=start, end_date=start + timedelta(days=300))
        browser = signed_in(staff.ada)
        with django_assert_max_num_queries(18):
            browser.get(reverse("client_contract", args=[client.pk]))

    @pytest.mark.parametrize("name", ["client_contract", "contract_renew", "contract_churn", "contract_facts",
                                      "contract_term_new", "contract_outcome_new"])  # fmt: skip
    def test_does_not_exist_for_a_csm_of_others(self, staff: Staff, client: Client, name: str) -> None:
        assert signed_in(staff.cleo).get(reverse(name, args=[client.pk])).status_code == 404

    def test_a_term_of_another_client_does_not_exist(self, staff: Staff, client: Client, clients: Clients) -> None:
        term = ContractPeriod.objects.filter(client=client).first()
        browser = signed_in(staff.ada)
        assert browser.get(reverse("contract_term", args=[clients.fading.pk, term.pk])).status_code == 404
        assert browser.post(reverse("contract_term_remove", args=[client.pk, uuid4()])).status_code == 404


class TestForms:
    def test_renew_is_filled_in_and_undone_by_its_button(self, staff: Staff, client: Client, today: date) -> None:
        browser = signed_in(staff.ada)
        address = reverse("contract_renew", args=[client.pk])
        shown = browser.get(address).content.decode()
        assert f'value="{today + timedelta(days=100)}"' in shown
        assert 'value="125,000"' in shown
        answer = browser.post(address, sent(today, decided_on=today, reason="", notes=""), follow=True)
        assert "Sturdy renewed" in text_of(answer)
        term = ContractPeriod.objects.get(client=client, start_date=today + timedelta(days=100))
        assert (term.annual_recurring_revenue, term.licensed_modules, term.auto_renew) == (
            150_000,
            ["API", "Chat"],
            True,
        )
        browser.post(reverse("change_undo", args=[Change.objects.get().pk]))
        assert ContractPeriod.objects.filter(client=client).count() == 2

    @pytest.mark.parametrize(
        ("changes", "field", "words"),
        [
            ({"annual_recurring_revenue": "12o"}, "annual_recurring_revenue", "Write a number such as"),
            ({"annual_recurring_revenue": "-5"}, "annual_recurring_revenue", "ARR cannot be negative."),
            ({"end_date": "2020-01-01"}, "end_date", "The term ends before it starts"),
            ({"end_date": "soon"}, "end_date", "Write the date like 2026-02-12."),
            ({"licensed_user_count": "many"}, "licensed_user_count", "Write a whole number."),
            ({"start_date": ""}, "start_date", "This field is required."),
        ],
        ids=["letters", "negative", "order", "word", "seats", "missing"],
    )
    def test_what_is_wrong_stands_at_its_field(
        self, staff: Staff, client: Client, today: date, changes: dict[str, str], field: str, words: str
    ) -> None:
        address = reverse("contract_term_new", args=[client.pk])
        answer = signed_in(staff.ada).post(address, sent(today, **changes))
        assert answer.status_code == 422
        page = answer.content.decode()
        assert f'id="id_{field}-error"' in page
        assert words in page
        assert ContractPeriod.objects.filter(client=client).count() == 2

    def test_an_overlap_is_saved_when_somebody_says_so(self, staff: Staff, client: Client, today: date) -> None:
        browser, address = signed_in(staff.ada), reverse("contract_term_new", args=[client.pk])
        over = sent(today, start_date=today)
        refused = browser.post(address, over)
        assert "Overlaps with" in text_of(refused)
        assert 'name="allow_overlap"' in refused.content.decode()
        assert browser.post(address, over | {"allow_overlap": "on"}).status_code == 302
        assert ContractPeriod.objects.filter(client=client).count() == 3

    def test_a_dialog_goes_back_to_where_it_was_opened(self, staff: Staff, client: Client, today: date) -> None:
        headers = {"HX-Request": "true", "HX-Target": "dialog"}
        address = reverse("contract_churn", args=[client.pk])
        values = {"date": today, "reason_code": "PRICE", "reason": "", "notes": "", "archive": "on",
                  "next": "/?sort=arr"}  # fmt: skip
        answer = signed_in(staff.ada).post(address, values, headers=headers)
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/?sort=arr")
        assert Client.objects.get(pk=client.pk).archived_at is not None

    def test_an_outcome_in_other_words_is_changed_and_removed(self, staff: Staff, client: Client, today: date) -> None:
        browser, known = signed_in(staff.ada), ClientOutcome.objects.get(client=client)
        address = reverse("contract_outcome", args=[client.pk, known.pk])
        values = {
            "outcome": "RENEWED",
            "date": known.date,
            "arr_before": "100000",
            "arr_after": "125000.50",
            "notes": "",
        }
        browser.post(address, values | {"reason_code": "", "reason": "New sponsor"})
        known.refresh_from_db()
        assert (known.reason, str(known.arr_after)) == ("New sponsor", "125000.50")
        assert 'value="New sponsor"' in browser.get(address).content.decode()
        browser.post(reverse("contract_outcome_remove", args=[client.pk, known.pk]))
        assert not ClientOutcome.objects.filter(client=client).exists()

    @pytest.mark.parametrize(
        ("values", "field", "words"),
        [
            ({"reason_code": "", "reason": ""}, "reason_code", "Choose why."),
            ({"reason_code": "", "reason": "Own words"}, "reason_code", "Choose why."),
            ({"reason_code": "OTHER", "reason": ""}, "reason", "Say in a few words what it was."),
            ({"reason_code": "MOOD", "reason": ""}, "reason_code", "Select a valid choice."),
        ],
        ids=["none", "words", "other", "unknown"],
    )
    def test_a_lost_client_needs_a_reason(
        self, staff: Staff, client: Client, today: date, values: dict[str, str], field: str, words: str
    ) -> None:
        browser = signed_in(staff.ada)
        for name, extra in (("contract_churn", {}), ("contract_outcome_new", {"outcome": "DOWNGRADED"})):
            answer = browser.post(reverse(name, args=[client.pk]), {"date": today, "notes": "", **extra, **values})
            assert answer.status_code == 422
            assert f'id="id_{field}-error"' in answer.content.decode()
            assert words in text_of(answer)
        assert ClientOutcome.objects.filter(client=client).count() == 1

    def test_a_renewal_for_less_needs_a_reason(self, staff: Staff, client: Client, today: date) -> None:
        browser, address = signed_in(staff.ada), reverse("contract_renew", args=[client.pk])
        less = sent(today, annual_recurring_revenue="90000", decided_on=today, reason_code="", reason="", notes="")
        refused = browser.post(address, less)
        assert 'id="id_reason_code-error"' in refused.content.decode()
        assert browser.post(address, less | {"reason_code": "FEWER_SEATS", "reason": "Team halved"}).status_code == 302
        stored = ClientOutcome.objects.get(client=client, outcome="DOWNGRADED")
        assert (stored.reason_code, stored.reason) == ("FEWER_SEATS", "Team halved")
        page = text_of(browser.get(reverse("client_contract", args=[client.pk])))
        assert "Needs less: Team halved" in page

    def test_words_of_before_stay_valid_and_known_ones_show_their_code(
        self, staff: Staff, client: Client, today: date
    ) -> None:
        browser = signed_in(staff.ada)
        for words, code, status in (("Their own plans", "", 302), ("Budget", "PRICE", 302), ("", "", 422)):
            known = ClientOutcome.objects.create(
                client=client, outcome="CHURNED", date=today - timedelta(days=len(words)), reason=words
            )
            address = reverse("contract_outcome", args=[client.pk, known.pk])
            chosen = f'<option value="{code}" selected>'
            assert chosen in browser.get(address).content.decode()
            values = {"outcome": "CHURNED", "date": known.date, "reason_code": code, "reason": words, "notes": "Late"}
            assert browser.post(address, values).status_code == status
            known.refresh_from_db()
            assert known.reason_code == code
            known.delete()

    def test_the_record_takes_what_the_term_says(self, staff: Staff, client: Client) -> None:
        signed_in(staff.ada).post(reverse("contract_take", args=[client.pk]))
        assert Client.objects.get(pk=client.pk).annual_recurring_revenue == 125_000


class TestExport:
    def test_csv_holds_terms_and_outcomes_and_no_formula(self, staff: Staff, client: Client) -> None:
        answer = signed_in(staff.ada).get(reverse("client_contract_export", args=[client.pk, "csv"]))
        lines = answer.content.decode().splitlines()
        assert lines[0].startswith("record,organization_id,external_id,start_date")
        assert [line.split(",")[0] for line in lines[1:]] == ["terms", "terms", "outcomes"]
        assert ",'=Cases;API;Chat," in lines[1]

    def test_xlsx_has_a_sheet_of_each(self, staff: Staff, client: Client) -> None:
        answer = signed_in(staff.ada).get(reverse("client_contract_export", args=[client.pk, "xlsx"]))
        terms, outcomes = (pl.read_excel(answer.content, sheet_name=name) for name in ("terms", "outcomes"))
        assert terms["licensed_modules"].to_list() == ["=Cases;API;Chat"] * 2  # a text: a formula has no value yet
        assert (terms["annual_recurring_revenue"].to_list(), outcomes["outcome"].to_list()) == (
            [100_000, 125_000],
            ["RENEWED"],
        )

    def test_other_kinds_do_not_exist(self, staff: Staff, client: Client) -> None:
        assert signed_in(staff.ada).get(reverse("client_contract_export", args=[client.pk, "pdf"])).status_code == 404


class TestReasons:
    def test_the_list_counts_and_filters_by_code(self, staff: Staff, clients: Clients, today: date) -> None:
        for client, code, words in (
            (clients.sturdy, "PRICE", "Discount refused"),
            (clients.fading, "SUPPORT", ""),
        ):
            ClientOutcome.objects.create(
                client=client,
                outcome="CHURNED",
                date=today,
                reason_code=code,
                reason=words,
                arr_before=1000,
                arr_after=0,
            )
        browser = signed_in(staff.vera)
        page = browser.get(reverse("outcomes"), {"reason": "PRICE"})
        text = text_of(page)
        assert "Outcomes: Price or budget" in text
        assert "Support experience" in text
        assert "Price or budget: Discount refused" in text
        assert page.content.decode().count('data-l="Client"') == 1
        sheet = browser.get(reverse("outcomes_export", args=["csv"]), {"reason": "PRICE"}).content.decode()
        rows = list(csv.DictReader(sheet.splitlines()))
        assert [(row["client"], row["reason_code"], row["reason"]) for row in rows] == [
            ("Sturdy", "PRICE", "Discount refused")
        ]
        assert "Sturdy" in text_of(browser.get(reverse("outcomes"), {"reason": "MOOD"}))
