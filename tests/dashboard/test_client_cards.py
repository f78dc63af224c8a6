"""Key figures, contract and contacts in words."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_cards import (
    arr_figure,
    contact_card,
    contact_figure,
    contract_card,
    contract_year,
    renewal_figure,
    usage_figure,
)
from bellwether.dashboard.client_trend_range import median_days
from bellwether.portfolio.contacting import LastContact
from bellwether.portfolio.models import Client, Contact, ContractPeriod

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def client(**fields: object) -> Client:
    return Client(**({"name": "Sturdy", "organization_id": "sturdy", "contract_tier": "ENTERPRISE"} | fields))


class TestContractYear:
    @pytest.mark.parametrize(
        ("start", "year"),
        [(date(2026, 6, 30), 1), (date(2025, 7, 1), 1), (date(2025, 6, 30), 2), (date(2024, 2, 29), 3)],
    )
    def test_begins_on_the_anniversary(self, start: date, year: int) -> None:
        assert contract_year(start, TODAY) == year


class TestArrFigure:
    def test_tells_value_year_and_seats(self) -> None:
        known = client(annual_recurring_revenue=120000, licensed_user_count=60, contract_start_date=date(2024, 1, 1))
        figure = arr_figure(known, {"mau": 42}, TODAY)
        assert (figure.value, figure.note) == ("$120,000", "Year 3, 42 of 60 seats used")

    def test_tells_seats_without_usage_and_no_value_without_one(self) -> None:
        figure = arr_figure(client(licensed_user_count=60), {}, TODAY)
        assert (figure.value, figure.note, figure.reason) == (None, "60 seats", "No contract value is recorded.")


class TestRenewalFigure:
    @pytest.mark.parametrize(
        ("days", "auto", "expected"),
        [
            (88, False, ("88", "days", "26 Sep 2026, no auto-renew")),
            (1, True, ("1", "day", "1 Jul 2026, auto-renew")),
            (0, None, ("Today", "", "30 Jun 2026")),
            (-12, None, ("12", "days overdue", "18 Jun 2026")),
        ],
    )
    def test_counts_the_days(self, days: int, auto: bool | None, expected: tuple[str, str, str]) -> None:
        figure = renewal_figure(
            client(next_renewal_date=TODAY + timedelta(days=days), auto_renew=auto), TODAY, ended=False
        )
        assert (figure.value, figure.unit, figure.note) == expected

    def test_has_none_for_a_client_that_left(self) -> None:
        figure = renewal_figure(client(next_renewal_date=TODAY), TODAY, ended=True)
        assert (figure.value, figure.reason) == (None, "The contract has ended.")


class TestContactFigure:
    def test_counts_workspace_days(self) -> None:
        """23:30 in UTC is already the next day in Tokyo."""
        last = LastContact(datetime(2026, 6, 27, 23, 30, tzinfo=UTC), "Call")
        assert contact_figure(last, TODAY, ZONE).value == "3"
        assert contact_figure(last, TODAY, ZoneInfo("Asia/Tokyo")).value == "2"

    def test_says_today_and_yesterday(self) -> None:
        assert contact_figure(LastContact(NOW, "Call"), TODAY, ZONE).value == "Today"
        assert contact_figure(LastContact(NOW - timedelta(days=1), ""), TODAY, ZONE).value == "Yesterday"

    def test_says_when_there_was_none(self) -> None:
        assert contact_figure(None, TODAY, ZONE).reason == "No completed contact is recorded."


class TestUsageFigure:
    def test_tells_week_month_and_change(self) -> None:
        figure = usage_figure({"wau": 23, "mau": 42, "dau_change": -0.4}, measured="")
        assert (figure.value, figure.unit, figure.note) == ("23", "people", "42 in 30 days")
        assert figure.change is not None
        assert (figure.change.direction, figure.change.text, figure.change.tone) == ("down", "40%", "bad")

    def test_calls_a_small_change_neither_good_nor_bad(self) -> None:
        change = usage_figure({"wau": 23, "mau": 42, "dau_change": -0.05}, measured="").change
        assert change is not None
        assert change.tone == ""

    def test_names_the_day_when_it_is_not_today(self) -> None:
        assert usage_figure({"wau": 23, "mau": 42}, measured="1 May").note == "42 in 30 days, on 1 May"

    def test_is_unknown_without_measures(self) -> None:
        assert usage_figure({}, measured="").value is None


class TestContractCard:
    def test_takes_the_term_that_holds_today(self) -> None:
        periods = [
            ContractPeriod(start_date=date(2024, 7, 1), end_date=date(2025, 6, 30), contract_tier="PROFESSIONAL"),
            ContractPeriod(start_date=date(2025, 7, 1), end_date=date(2026, 6, 30), contract_tier="ENTERPRISE"),
        ]
        card = contract_card(client(), periods, {}, TODAY)
        assert ("Term", "1 year") in [(term.label, term.value) for term in card.terms]
        assert card.earlier == ["1 Jul 2024 to 30 Jun 2025, Professional"]

    def test_is_unknown_without_any_fact(self) -> None:
        assert not contract_card(client(), [], {}, TODAY).known

    def test_leaves_out_what_is_not_recorded(self) -> None:
        labels = {term.label for term in contract_card(client(licensed_user_count=60), [], {}, TODAY).terms}
        assert labels == {"Tier", "ARR", "Seats"}


class TestContactCard:
    def people(self) -> list[Contact]:
        return [
            Contact(name="Zoe User", role="USER", email="zoe@cobalt.example"),
            Contact(name="Left Champion", role="CHAMPION", left_company_at=NOW - timedelta(days=3)),
            Contact(name="Ada Admin", role="ADMIN", last_platform_login=NOW - timedelta(days=2)),
            Contact(name="Carl Champion", role="CHAMPION", last_platform_login=NOW - timedelta(days=14)),
            Contact(name="Eve Sponsor", role="EXECUTIVE_SPONSOR", last_csm_contact=NOW - timedelta(days=9)),
        ]

    def test_puts_key_roles_first_and_those_who_left_last(self) -> None:
        card = contact_card(self.people(), today=TODAY, zone=ZONE, everyone=True)
        assert [item.name for item in card.items] == [
            "Carl Champion",
            "Eve Sponsor",
            "Ada Admin",
            "Zoe User",
            "Left Champion",
        ]

    def test_shows_four_and_counts_the_rest(self) -> None:
        card = contact_card(self.people(), today=TODAY, zone=ZONE, everyone=False)
        assert (len(card.items), card.total, card.hidden) == (4, 5, 1)

    def test_tells_the_last_login_else_the_last_contact(self) -> None:
        card = contact_card(self.people(), today=TODAY, zone=ZONE, everyone=True)
        assert [(item.status, item.state, item.state_words) for item in card.items] == [
            ("critical", "14 d", "Last login 14 days ago"),
            ("na", "9 d", "Last contact 9 days ago, no login known"),
            ("healthy", "2 d", "Last login 2 days ago"),
            ("na", "–", "No login and no contact known"),
            ("na", "Left", "Left 27 Jun"),
        ]

    def test_masks_all_but_the_revealed(self) -> None:
        [zoe] = self.people()[:1]
        masked = contact_card([zoe], today=TODAY, zone=ZONE, everyone=True)
        clear = contact_card([zoe], today=TODAY, zone=ZONE, everyone=True, revealed=[zoe.pk])
        assert (masked.items[0].email, clear.items[0].email) == ("z•••@cobalt.example", "zoe@cobalt.example")


class TestAddress:
    def test_changes_one_choice_and_keeps_the_others(self) -> None:
        address = Address("/clients/1/", {"days": "30", "from": "sort=name&page=2", "show": ""})
        assert address.with_(show="support") == "/clients/1/?days=30&from=sort%3Dname%26page%3D2&show=support"
        assert address.with_(days=None) == "/clients/1/?from=sort%3Dname%26page%3D2"

    def test_is_the_path_without_choices(self) -> None:
        assert str(Address("/clients/1/", {"days": ""})) == "/clients/1/"


class TestSampledDays:
    @pytest.mark.parametrize("span", [30, 90, 180])
    def test_takes_about_thirty_days_and_both_ends(self, span: int) -> None:
        first = TODAY - timedelta(days=span)
        days = median_days(first, TODAY)
        assert (days[0], days[-1]) == (first, TODAY)
        assert 30 <= len(days) <= 32
        assert max((b - a).days for a, b in itertools.pairwise(days)) <= 6
