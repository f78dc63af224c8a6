"""The list of clients: what is in it, in which order, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.listing import SORTS, ClientQuery, list_clients
from bellwether.portfolio.models import Activity, Client, Tag
from bellwether.portfolio.ranking import row_priority
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db


def change(client: Client, **fields: Any) -> None:
    Client.objects.filter(pk=client.pk).update(**fields)


def names(user: Any, **query: Any) -> list[str]:
    return [client.name for client in list_clients(user, ClientQuery(**query), today=TODAY).rows]


class TestListClients:
    def test_lists_what_the_user_may_see_and_nothing_archived(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.ada, sort="name") == ["Fading", "Newborn", "Sturdy"]
        assert names(staff.cleo, sort="name") == ["Elsewhere"]
        assert names(staff.ed, sort="name") == ["Sturdy"]
        assert names(staff.vera, sort="name") == ["Elsewhere", "Fading", "Newborn", "Sturdy"]

    def test_is_two_queries(self, staff: Staff, clients: Clients, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(2):
            for client in list_clients(staff.vera, ClientQuery(), today=TODAY).rows:
                assert client.csm_user.name

    def test_sums_the_whole_list_not_the_page(self, staff: Staff, clients: Clients) -> None:
        found = list_clients(staff.vera, ClientQuery(limit=1), today=TODAY)
        assert (len(found.rows), found.total, found.pages, found.arr) == (1, 4, 4, Decimal(480_000))

    def test_pages_neither_repeat_nor_lose_a_client(self, staff: Staff, clients: Clients) -> None:
        pages = [names(staff.vera, sort="arr", limit=1, page=page)[0] for page in (1, 2, 3, 4)]
        assert sorted(pages) == ["Elsewhere", "Fading", "Newborn", "Sturdy"]

    def test_shows_the_last_page_when_a_later_one_is_asked_for(self, staff: Staff, clients: Clients) -> None:
        found = list_clients(staff.vera, ClientQuery(limit=3, page=9), today=TODAY)
        assert (found.page, len(found.rows)) == (2, 1)

    def test_is_empty_for_somebody_without_clients(self, staff: Staff) -> None:
        found = list_clients(staff.ben, ClientQuery(), today=TODAY)
        assert (found.rows, found.total, found.page, found.pages, found.arr) == ([], 0, 1, 1, Decimal(0))


class TestFilters:
    def test_by_status_and_without_one(self, staff: Staff, clients: Clients) -> None:
        change(clients.fading, health_status="CRITICAL", current_health_score=30)
        assert names(staff.ada, health_status="CRITICAL") == ["Fading"]
        assert names(staff.ada, health_status="NA", sort="name") == ["Newborn", "Sturdy"]

    def test_by_tier_industry_segment_region(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, contract_tier="STARTER", industry="Media", segment="Large", region="North")
        for query in ({"tier": "STARTER"}, {"industry": "Media"}, {"segment": "Large"}, {"region": "North"}):
            assert names(staff.ada, **query) == ["Sturdy"], query

    def test_by_tag(self, staff: Staff, clients: Clients) -> None:
        clients.fading.tags.add(Tag.objects.create(name="Expansion"), Tag.objects.create(name="Pilot"))
        assert names(staff.ada, tag="Expansion") == ["Fading"]
        assert names(staff.ada, tag="Unknown") == []

    def test_by_people(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.vera, csm_id=staff.cleo.pk) == ["Elsewhere"]
        assert names(staff.vera, ae_id=staff.ed.pk) == ["Sturdy"]
        assert names(staff.vera, csm_id=uuid4()) == []

    def test_never_widens_what_is_visible(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.ada, csm_id=staff.cleo.pk) == []

    def test_by_part_of_the_name_or_organisation_id(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, organization_id="acct-0042")
        assert names(staff.ada, search="TURD") == ["Sturdy"]
        assert names(staff.ada, search="0042") == ["Sturdy"]
        assert names(staff.ada, search="100%") == []

    def test_by_amounts_both_ends_included(self, staff: Staff, clients: Clients) -> None:
        change(clients.fading, annual_recurring_revenue=50_000, churn_risk_score=70)
        change(clients.newborn, annual_recurring_revenue=None)
        assert names(staff.ada, arr_max=Decimal(50_000)) == ["Fading"]
        assert names(staff.ada, arr_min=Decimal(120_000)) == ["Sturdy"]
        assert names(staff.ada, churn_min=70, churn_max=70) == ["Fading"]
        change(clients.fading, churn_is_band=True)  # a figure that is not shown is not to be found out either
        assert names(staff.ada, churn_min=70) == []

    def test_by_churn_category(self, staff: Staff, clients: Clients) -> None:
        change(clients.fading, churn_category="HIGH", churn_is_band=True)
        change(clients.newborn, churn_category="LOW")
        assert names(staff.ada, churn_category="HIGH") == ["Fading"]
        assert sorted(names(staff.ada, churn_category="LOW,HIGH")) == ["Fading", "Newborn"]
        assert names(staff.ada, churn_category="MEDIUM") == []

    def test_by_renewal_counts_today_and_the_last_day(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, next_renewal_date=TODAY)
        change(clients.fading, next_renewal_date=TODAY + timedelta(days=90))
        change(clients.newborn, next_renewal_date=TODAY + timedelta(days=91))
        assert names(staff.ada, renewal_within=90, sort="name") == ["Fading", "Sturdy"]
        change(clients.sturdy, next_renewal_date=TODAY - timedelta(days=1))
        assert names(staff.ada, renewal_within=90) == ["Fading"]


class TestMoreFilters:
    def test_several_statuses_and_tiers(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, health_status="CRITICAL", contract_tier="STARTER")
        change(clients.fading, health_status="AT_RISK")
        assert names(staff.ada, health_status="AT_RISK,CRITICAL", sort="name") == ["Fading", "Sturdy"]
        assert names(staff.ada, health_status="AT_RISK,NA", sort="name") == ["Fading", "Newborn"]
        assert names(staff.ada, tier="STARTER,CUSTOM") == ["Sturdy"]

    def test_score_and_fall_both_ends_included(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, current_health_score=60, health_trend_change=-9)
        change(clients.fading, current_health_score=40, health_trend_change=-10)
        assert names(staff.ada, score_min=60) == ["Sturdy"]
        assert names(staff.ada, score_max=59) == ["Fading"]
        assert names(staff.ada, change_max=-10) == ["Fading"]

    def test_quiet_needs_usage_to_have_been(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, last_activity_at=datetime(2026, 6, 16, 23, 59, tzinfo=UTC))  # 14 days
        change(clients.fading, last_activity_at=datetime(2026, 6, 17, 0, 0, tzinfo=UTC))  # 13 days
        assert names(staff.ada, quiet=14) == ["Sturdy"]

    def test_month_of_the_renewal(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, next_renewal_date=date(2026, 12, 31))
        change(clients.fading, next_renewal_date=date(2027, 1, 1))
        assert names(staff.ada, renewal_month="2026-12") == ["Sturdy"]

    def test_follow_ups_overdue_and_within_a_week(self, staff: Staff, clients: Clients) -> None:
        done = {"occurred_at": NOW, "completed_at": NOW, "activity_type": "CALL", "follow_up_required": True}
        for client, days in ((clients.sturdy, -1), (clients.fading, 7), (clients.newborn, 8)):
            Activity.objects.create(client=client, follow_up_date=TODAY + timedelta(days=days), **done)
        assert names(staff.ada, follow_up="overdue") == ["Sturdy"]
        assert names(staff.ada, follow_up="week", sort="name") == ["Fading", "Sturdy"]
        Activity.objects.filter(client=clients.sturdy).update(follow_up_completed_at=NOW)
        assert names(staff.ada, follow_up="overdue") == []


class TestViews:
    def test_at_risk_holds_both_low_bands(self, staff: Staff, clients: Clients) -> None:
        change(clients.fading, health_status="AT_RISK")
        change(clients.sturdy, health_status="CRITICAL")
        change(clients.newborn, health_status="MONITOR")
        assert names(staff.ada, view="at_risk", sort="name") == ["Fading", "Sturdy"]

    def test_mine_are_those_of_the_csm_or_account_executive(self, staff: Staff, clients: Clients) -> None:
        change(clients.elsewhere, ae_user=staff.vera)
        assert names(staff.vera, view="mine") == ["Elsewhere"]
        assert names(staff.ben, view="mine") == []

    def test_no_contact_counts_workspace_days(self, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, last_csm_contact_at=datetime(2026, 5, 31, 23, 59, tzinfo=UTC))  # 30 days
        change(clients.fading, last_csm_contact_at=datetime(2026, 6, 1, 0, 0, tzinfo=UTC))  # 29 days
        assert names(staff.ada, view="no_contact") == ["Sturdy"]

    def test_no_contact_spares_a_client_that_has_just_started(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.ada, view="no_contact", sort="name") == ["Fading", "Sturdy"]  # Newborn started 5 days ago

    def test_renewals_are_those_of_90_days(self, staff: Staff, clients: Clients) -> None:
        change(clients.fading, next_renewal_date=TODAY + timedelta(days=36))
        assert names(staff.ada, view="renewals") == ["Fading"]  # the others renew on 30 September, in 92 days


class TestOrder:
    @pytest.mark.parametrize("word", SORTS)
    def test_every_word_sorts_both_ways(self, word: str, staff: Staff, clients: Clients) -> None:
        change(clients.sturdy, current_health_score=90, health_trend_change=5, churn_risk_score=10)
        change(clients.fading, current_health_score=30, health_trend_change=-20, churn_risk_score=80)
        change(clients.sturdy, annual_recurring_revenue=1, next_renewal_date=TODAY)
        change(clients.fading, last_csm_contact_at=datetime(2026, 6, 1, tzinfo=UTC))
        change(clients.sturdy, last_csm_contact_at=datetime(2026, 6, 20, tzinfo=UTC))
        change(clients.sturdy, csm_user=staff.ben)
        up, down = names(staff.ben, sort=word), names(staff.ben, sort=f"-{word}")
        assert (up.index("Sturdy") < up.index("Fading")) != (down.index("Sturdy") < down.index("Fading"))
        assert sorted(up) == sorted(down)

    @pytest.mark.parametrize("sort", ["score", "-score", "trend", "-trend", "churn", "-churn"])
    def test_clients_without_the_value_come_last(self, sort: str, staff: Staff, clients: Clients) -> None:
        for client, value in ((clients.sturdy, 90), (clients.fading, 30)):
            change(client, current_health_score=value, health_trend_change=value, churn_risk_score=value)
        assert names(staff.ada, sort=sort)[-1] == "Newborn"

    def test_priority_is_risk_times_arr_times_time_to_renewal(self, staff: Staff, clients: Clients) -> None:
        # Worked by hand: (1 - score/100)^2 * ARR * urgency; all three were met a week ago
        Client.objects.update(last_csm_contact_at=NOW - timedelta(days=7))
        change(clients.sturdy, current_health_score=90, annual_recurring_revenue=1_000_000)  # .01 * 1e6 * 1.25 = 12,500
        change(clients.fading, current_health_score=40, annual_recurring_revenue=30_000)  # .36 * 3e4 * 1.25 = 13,500
        change(clients.newborn, current_health_score=60, annual_recurring_revenue=60_000, next_renewal_date=TODAY)
        # Newborn is worth 60,000 and renews today, which counts twice: .16 of it, doubled, is 19,200.
        found = list_clients(staff.ada, ClientQuery(), today=TODAY).rows
        assert [(client.name, round(client.priority)) for client in found] == [
            ("Newborn", 19_200),
            ("Fading", 13_500),
            ("Sturdy", 12_500),
        ]

    def test_priority_takes_the_unknown_as_half_lost_and_of_average_size(self, staff: Staff, clients: Clients) -> None:
        Client.objects.update(last_csm_contact_at=NOW - timedelta(days=7))
        change(clients.sturdy, current_health_score=100, annual_recurring_revenue=10_000, next_renewal_date=None)
        change(clients.fading, current_health_score=50, annual_recurring_revenue=30_000, next_renewal_date=None)
        change(clients.newborn, current_health_score=None, annual_recurring_revenue=None, next_renewal_date=None)
        found = {client.name: client.priority for client in list_clients(staff.ada, ClientQuery(), today=TODAY).rows}
        assert found == {"Fading": 7_500, "Newborn": 5_000, "Sturdy": 0}  # .25 * 20,000, the mean of 10 and 30 thousand

    def test_priority_rises_with_a_fall_silence_an_overdue_follow_up_and_thin_data(
        self, staff: Staff, clients: Clients
    ) -> None:
        Client.objects.update(
            last_csm_contact_at=NOW - timedelta(days=7), current_health_score=50, annual_recurring_revenue=40_000,
            next_renewal_date=None, health_coverage=1.0, health_trend_change=-9,
        )  # fmt: skip

        def priority() -> int:
            rows = list_clients(staff.ada, ClientQuery(search="fading"), today=TODAY).rows
            [client] = rows
            # What the row says of itself is what the database ranked it by.
            own = row_priority(client, today=TODAY, typical_arr=1, zone=ZoneInfo("UTC"))
            assert own.value == pytest.approx(client.priority)
            return round(client.priority)

        assert priority() == 10_000  # .25 * 40,000
        change(clients.fading, health_trend_change=-10)
        assert priority() == 12_500
        change(clients.fading, health_trend_change=-20)
        assert priority() == 15_000
        change(clients.fading, last_csm_contact_at=NOW - timedelta(days=45))
        assert priority() == 18_750
        change(clients.fading, last_csm_contact_at=None)  # a client since July 2024
        assert priority() == 22_500
        done = {"occurred_at": NOW, "completed_at": NOW, "activity_type": "CALL", "subject": "Call"}
        follow_up = Activity.objects.create(
            client=clients.fading, follow_up_required=True, follow_up_date=TODAY, **done
        )
        assert priority() == 22_500  # due today is not overdue
        Activity.objects.filter(pk=follow_up.pk).update(follow_up_date=TODAY - timedelta(days=1))
        assert priority() == 27_000
        change(clients.fading, health_coverage=0.69)
        assert priority() == 29_700
        change(clients.fading, churn_risk_score=50)  # half lost is more than a quarter
        assert priority() == 59_400
        change(clients.fading, churn_is_band=True, churn_category="HIGH")  # 0.75, the middle of the band
        assert priority() == 89_100
        change(clients.fading, churn_category="MEDIUM")
        assert priority() == pytest.approx(41_580)
        change(clients.fading, churn_category="LOW")  # health says more
        assert priority() == 29_700

    def test_priority_falls_back_to_risk_when_no_arr_is_known(self, staff: Staff, clients: Clients) -> None:
        Client.objects.update(annual_recurring_revenue=None)
        change(clients.sturdy, current_health_score=20)
        change(clients.fading, current_health_score=80)
        assert names(staff.ada) == ["Sturdy", "Newborn", "Fading"]


class TestCheck:
    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"health_status": "SICK"}, "health_status"),
            ({"tier": "GOLD"}, "tier"),
            ({"churn_category": "HUGE"}, "churn_category"),
            ({"health_status": "AT_RISK,SICK"}, "health_status"),
            ({"renewal_month": "2026-13"}, "renewal_month"),
            ({"renewal_month": "0000-01"}, "renewal_month"),
            ({"renewal_month": "9999-12"}, "renewal_month"),
            ({"follow_up": "soon"}, "follow_up"),
            ({"score_max": 101}, "score_max"),
            ({"quiet": -1}, "quiet"),
            ({"view": "hot"}, "view"),
            ({"sort": "password"}, "sort"),
            ({"page": 0}, "page"),
            ({"limit": 0}, "limit"),
            ({"limit": 501}, "limit"),
            ({"renewal_within": -1}, "renewal_within"),
        ],
    )
    def test_names_the_field_that_cannot_be_used(self, query: dict[str, Any], field: str, staff: Staff) -> None:
        with pytest.raises(InvalidInputError) as failure:
            list_clients(staff.ada, ClientQuery(**query), today=date(2026, 6, 30))
        assert list(failure.value.errors) == [field]
