"""Every measure of formulas.md, section 1, against values worked by hand. D, 30 June 2026, is a Tuesday."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.common.frames import FrameError
from bellwether.health.inputs import MeasureInputs, settings_from_preset
from bellwether.health.measures import DERIVED_LATER, MEASURES
from bellwether.health.measuring import lifetimes, measure
from bellwether.presets import PRESETS, load_preset
from tests.health.builders import D, at, back, count, days, feature, frame, inputs, measured, settings


class TestPeople:
    def test_takes_the_exact_users_of_the_date(self) -> None:
        m = measured(client_days=[{"date": back(1), "dau": 9}, {"date": D, "dau": 3, "wau": 7, "mau": 12}])
        assert (m["dau"], m["wau"], m["mau"], m["active_users_30d"]) == (3, 7, 12, 12)

    def test_reads_a_day_without_a_row_as_nobody(self) -> None:
        m = measured(client_days=[{"date": back(40), "dau": 3, "wau": 3, "mau": 3, "total_users": 3}])
        assert (m["dau"], m["mau"], m["total_users"]) == (0, 0, 3)

    def test_is_null_before_the_first_event(self) -> None:
        m = measured(on=back(5), client_days=days(4, 0, dau=3, mau=3))
        assert [m[slug] for slug in ("dau", "mau", "total_users", "dau_avg_7d", "days_since_login")] == [None] * 5

    def test_knows_at_least_as_many_users_as_are_active(self) -> None:
        assert measured(client_days=[{"date": D, "mau": 8, "total_users": 5}])["total_users"] == 8

    def test_takes_a_fifth_of_the_users_as_power_users_rounded_up(self) -> None:
        assert measured(client_days=[{"date": D, "mau": 11}])["power_users"] == 3
        assert measured(client_days=[{"date": D, "mau": 10}])["power_users"] == 2
        assert measured(client_days=[{"date": D, "mau": 1}])["power_users"] == 1

    def test_divides_monthly_users_by_seats(self) -> None:
        client = {"licensed_user_count": 40}
        assert measured(clients=[client], client_days=[{"date": D, "mau": 10}])["seat_use"] == 0.25
        assert measured(clients=[{"licensed_user_count": 0}], client_days=[{"date": D, "mau": 10}])["seat_use"] is None
        assert measured(client_days=[{"date": D, "mau": 10}])["seat_use"] is None


class TestMeanDailyUsers:
    def test_counts_working_days_only(self) -> None:
        # 24 to 30 June 2026: Wed Thu Fri Sat Sun Mon Tue. Weekend users do not count.
        rows = [{"date": back(n), "dau": dau} for n, dau in zip(range(6, -1, -1), (2, 4, 6, 90, 90, 8, 5), strict=True)]
        assert measured(client_days=[{"date": back(100)}, *rows])["dau_avg_7d"] == 25 / 5

    def test_follows_the_workspaces_working_week(self) -> None:
        rows = [{"date": back(n), "dau": n} for n in range(6, -1, -1)]
        everyday = settings(working_days=frozenset(range(1, 8)))
        assert measured(everyday, client_days=[{"date": back(100)}, *rows])["dau_avg_7d"] == 3.0

    def test_leaves_out_days_before_the_first_event(self) -> None:
        # First event on Monday: two working days, 6 and 9.
        m = measured(client_days=[{"date": back(1), "dau": 6}, {"date": D, "dau": 9}])
        assert (m["dau_avg_7d"], m["dau_avg_30d"], m["dau_avg_90d"]) == (7.5, 7.5, 7.5)

    def test_is_null_while_the_client_has_only_weekend_days(self) -> None:
        saturday = date(2026, 6, 27)
        assert measured(on=saturday, client_days=[{"date": saturday, "dau": 4}])["dau_avg_7d"] is None

    def test_counts_days_without_anybody_as_zero(self) -> None:
        # 30 days to 30 June hold 22 working days; 11 users on the first of them, Monday 1 June.
        m = measured(client_days=[{"date": back(60), "dau": 5}, {"date": back(29), "dau": 11}])
        assert m["dau_avg_30d"] == 11 / 22
        assert m["dau_avg_7d"] == 0

    def test_ends_the_window_on_the_date_and_starts_it_inside(self) -> None:
        m = measured(client_days=[{"date": back(200)}, {"date": back(7), "dau": 50}, {"date": back(6), "dau": 10}])
        assert m["dau_avg_7d"] == 2


class TestDauChange:
    def test_compares_a_week_with_a_month(self) -> None:
        m = measured(client_days=days(100, 7, dau=10) + days(6, 0, dau=4))
        # 22 working days in 30: 17 with 10, 5 with 4, mean 190 / 22.
        assert m["dau_change"] == pytest.approx(4 / (190 / 22) - 1)

    def test_is_null_under_fourteen_days_of_history(self) -> None:
        assert measured(client_days=days(12, 0, dau=5))["dau_change"] is None
        assert measured(client_days=days(13, 0, dau=5))["dau_change"] == 0

    def test_is_null_where_nobody_came_in_thirty_days(self) -> None:
        assert measured(client_days=[{"date": back(80), "dau": 5}])["dau_change"] is None


class TestStickiness:
    def test_divides_the_monthly_mean_by_monthly_users(self) -> None:
        assert measured(client_days=[*days(60, 1, dau=6), {"date": D, "dau": 6, "mau": 24}])["stickiness"] == 0.25

    def test_is_null_without_monthly_users(self) -> None:
        assert measured(client_days=[{"date": back(80), "dau": 5, "mau": 5}])["stickiness"] is None


class TestSessions:
    def test_gives_means_over_thirty_days(self) -> None:
        busy = {"sessions": 12, "session_seconds": 7200, "actions": 60}
        m = measured(client_days=[{"date": back(90)}, {"date": back(30), "sessions": 99}, {"date": back(29)} | busy])
        assert (m["sessions"], m["session_minutes"], m["session_depth"]) == (12 / 30, 10.0, 5.0)

    def test_divides_by_the_days_since_the_first_event(self) -> None:
        assert measured(client_days=days(3, 0, sessions=2))["sessions"] == 2

    def test_has_no_length_or_depth_without_sessions(self) -> None:
        m = measured(client_days=[{"date": back(90), "sessions": 4, "session_seconds": 60, "actions": 9}])
        assert (m["sessions"], m["session_minutes"], m["session_depth"]) == (0, None, None)


class TestDaysSinceLogin:
    def test_counts_from_the_last_day_with_people(self) -> None:
        m = measured(client_days=[{"date": back(9), "dau": 2}, {"date": back(2), "dau": 0}])
        assert m["days_since_login"] == 7 + 2

    def test_is_zero_on_the_day_itself(self) -> None:
        assert measured(client_days=[{"date": D, "dau": 1}])["days_since_login"] == 0

    def test_is_null_where_people_never_came(self) -> None:
        assert measured(client_days=[{"date": back(2), "dau": 0}])["days_since_login"] is None

    def test_reaches_back_over_any_gap(self) -> None:
        assert measured(client_days=[{"date": back(2000), "dau": 2}])["days_since_login"] == 2000

    def test_knows_the_presets_login_events_and_leaves_out_services(self) -> None:
        rows = [
            {"date": back(20), "event": "Signed In"},
            {"date": back(3), "event": "Signed In", "is_service": True},
            {"date": back(1), "event": "Viewed"},
        ]
        logins = settings(login_events=frozenset({"Signed In"}))
        assert measured(logins, client_days=days(20, 0, dau=1), event_days=rows)["days_since_login"] == 20


class TestClientActivity:
    SETTINGS = settings(customer_role="customer")

    def test_gives_the_share_of_known_customers_active_in_thirty_days(self) -> None:
        people = [
            {"user_key": "a", "date": back(29), "role": "customer"},
            {"user_key": "b", "date": back(30), "role": "customer"},
            {"user_key": "c", "date": back(3), "role": "customer"},
            {"user_key": "c", "date": back(1)},
            {"user_key": "staff", "date": D, "role": "owner"},
            {"user_key": "bot", "date": D, "role": "customer", "is_service": True},
        ]
        assert measured(self.SETTINGS, user_days=people)["client_activity"] == pytest.approx(2 / 3)

    def test_is_null_without_known_customers_and_without_such_a_role(self) -> None:
        people = [{"user_key": "a", "date": D, "role": "customer"}]
        assert measured(self.SETTINGS)["client_activity"] is None
        assert measured(user_days=people)["client_activity"] is None


class TestCounts:
    CASES = settings(
        counts=(
            count("cases_created", "Case Created"),
            count("cases_closed", "Case Closed"),
            count("cases_on_time", "Case Closed", "on_track", "warning"),
            count("assignments_total", "Assigned", days=None),
            count("campaigns_launched", "Launched", days=None),
            count("campaigns_closed", "Ended", days=None),
            count("cases_breached", "Breached", days=None),
            count("cases_closed_late", "Case Closed", "breached", "critical", days=None),
            count("forms_started", "Started", days=90),
            count("forms_completed", "Completed", days=90),
        )
    )
    STARTED = [{"date": back(500)}]

    def test_counts_closed_cases_by_their_sla_state(self) -> None:
        rows = [
            {"date": back(29), "event": "Case Closed", "label": "on_track", "events": 5},
            {"date": back(2), "event": "Case Closed", "label": "warning", "events": 3},
            {"date": back(2), "event": "Case Closed", "label": "breached", "events": 2},
            {"date": back(30), "event": "Case Closed", "label": "on_track", "events": 50},
        ]
        m = measured(self.CASES, client_days=self.STARTED, event_days=rows)
        assert (m["cases_closed"], m["cases_on_time"], m["cases_created"]) == (10, 8, 0)

    def test_keeps_the_current_state_over_all_time(self) -> None:
        rows = [
            {"date": back(490), "event": "Assigned", "events": 40},
            {"date": back(490), "event": "Launched", "events": 3},
            {"date": back(10), "event": "Ended", "events": 1},
            {"date": back(400), "event": "Breached", "events": 4},
            {"date": back(1), "event": "Case Closed", "label": "critical", "events": 3},
        ]
        m = measured(self.CASES, client_days=self.STARTED, event_days=rows)
        assert (m["assignments_total"], m["campaigns_active"], m["cases_overdue"]) == (40, 2, 1)

    def test_never_counts_below_zero(self) -> None:
        rows = [{"date": D, "event": "Ended"}, {"date": D, "event": "Case Closed", "label": "breached"}]
        m = measured(self.CASES, client_days=self.STARTED, event_days=rows)
        assert (m["campaigns_active"], m["cases_overdue"]) == (0, 0)

    def test_gives_completion_as_a_share_of_at_most_one(self) -> None:
        rows = [{"date": back(89), "event": "Started", "events": 4}, {"date": D, "event": "Completed", "events": 3}]
        assert measured(self.CASES, client_days=self.STARTED, event_days=rows)["form_completion_rate"] == 0.75
        rows.append({"date": D, "event": "Completed", "events": 9})
        assert measured(self.CASES, client_days=self.STARTED, event_days=rows)["form_completion_rate"] == 1

    def test_has_no_completion_where_nothing_was_started(self) -> None:
        assert measured(self.CASES, client_days=self.STARTED)["form_completion_rate"] is None

    def test_is_null_before_the_first_event_and_for_counts_the_preset_lacks(self) -> None:
        assert measured(self.CASES)["cases_closed"] is None
        assert measured(client_days=self.STARTED)["cases_closed"] is None


class TestTickets:
    def test_counts_and_weighs_the_tickets_of_thirty_days(self) -> None:
        priorities = ("low", "normal", "high", "urgent")
        rows = [{"opened_at": at(n), "priority": p} for n, p in zip((29, 3, 1, 0), priorities, strict=True)]
        m = measured(tickets=[*rows, {"opened_at": at(30), "priority": "urgent"}])
        assert (m["tickets_30d"], m["ticket_points_30d"]) == (4, 15)

    def test_takes_the_norm_from_the_ninety_days_before_those_thirty(self) -> None:
        rows = [{"opened_at": at(n)} for n in (0, 29, 30, 60, 119, 120)]
        assert measured(tickets=rows)["tickets_norm"] == 1

    def test_is_zero_for_a_client_without_tickets_where_others_have_some(self) -> None:
        clients = [{}, {"client_id": "d", "organization_id": "p"}]
        m = measured(clients=clients, tickets=[{"client_id": "d", "opened_at": at(50)}])
        assert (m["tickets_30d"], m["ticket_points_30d"], m["tickets_norm"]) == (0, 0, 0)

    def test_is_null_until_the_workspace_has_a_ticket(self) -> None:
        m = measured(on=back(1), tickets=[{"opened_at": at(0)}])
        assert (m["tickets_30d"], m["ticket_points_30d"]) == (None, None)

    def test_has_no_norm_where_tickets_were_not_recorded_then(self) -> None:
        assert measured(tickets=[{"opened_at": at(29)}])["tickets_norm"] is None

    def test_takes_the_day_of_the_workspaces_time_zone(self) -> None:
        sydney = settings(zone=ZoneInfo("Australia/Sydney"))
        late = [{"opened_at": at(0, hour=15)}]  # already 1 July in Sydney
        assert measured(sydney, tickets=late)["tickets_30d"] is None
        assert measured(sydney, on=D + timedelta(days=1), tickets=late)["tickets_30d"] == 1


class TestSurveys:
    def test_takes_the_mean_csat_of_ninety_days(self) -> None:
        rows = [{"kind": "CSAT", "answered_at": at(n), "score": s} for n, s in ((89, 100.0), (5, 50.0), (90, 0.0))]
        assert measured(surveys=rows)["csat_90d"] == 75

    def test_takes_each_respondents_last_nps_answer(self) -> None:
        rows = [
            {"respondent": "kim", "answered_at": at(300), "score": 10.0},
            {"respondent": "kim", "answered_at": at(10), "score": 4.0},
            {"respondent": "lee", "answered_at": at(364), "score": 9.0},
            {"respondent": "old", "answered_at": at(365), "score": 0.0},
        ]
        assert measured(surveys=rows)["nps_latest"] == 6.5

    def test_takes_the_later_of_two_answers_on_a_day(self) -> None:
        rows = [{"respondent": "kim", "answered_at": at(3, hour), "score": s} for hour, s in ((15, 2.0), (9, 8.0))]
        assert measured(surveys=rows)["nps_latest"] == 2

    def test_counts_answers_of_nobody_each_by_itself(self) -> None:
        rows = [{"answered_at": at(n), "score": s} for n, s in ((9, 10.0), (3, 5.0))]
        assert measured(surveys=rows)["nps_latest"] == 7.5

    def test_is_null_without_answers_up_to_the_date(self) -> None:
        rows = [{"kind": "NPS", "answered_at": at(0), "score": 9.0}]
        m = measured(on=back(1), surveys=rows)
        assert (m["nps_latest"], m["csat_90d"]) == (None, None)


class TestContact:
    def test_counts_from_the_last_completed_activity(self) -> None:
        rows = [{"completed_at": at(40)}, {"completed_at": at(12)}, {"completed_at": None}]
        assert measured(activities=rows)["days_since_contact"] == 12

    def test_does_not_count_internal_discussions(self) -> None:
        rows = [{"completed_at": at(40)}, {"completed_at": at(2), "activity_type": "INTERNAL_DISCUSSION"}]
        assert measured(activities=rows)["days_since_contact"] == 40

    def test_is_null_until_the_workspace_has_an_activity(self) -> None:
        assert measured(on=back(13), activities=[{"completed_at": at(12)}])["days_since_contact"] is None

    def test_never_shows_a_client_as_healthy_that_nobody_contacted(self) -> None:
        clients = [{"contract_start_date": back(200)}, {"client_id": "d", "organization_id": "p"}]
        m = measured(clients=clients, activities=[{"client_id": "d", "completed_at": at(3)}])
        assert m["days_since_contact"] == 200

    def test_counts_a_neglected_client_from_its_first_event_if_that_is_earlier(self) -> None:
        clients = [{"contract_start_date": back(20)}, {"client_id": "d", "organization_id": "p"}]
        others = [{"client_id": "d", "completed_at": at(30)}]
        assert measured(clients=clients, activities=others, client_days=days(90, 90))["days_since_contact"] == 180


class TestStakeholderCoverage:
    def met(self, *pairs: tuple[str, int]) -> dict[str, list[dict]]:
        return {
            "activities": [{"activity_id": f"a{n}", "completed_at": at(n)} for _, n in pairs],
            "activity_contacts": [{"activity_id": f"a{n}", "contact_id": contact} for contact, n in pairs],
        }

    def test_gives_the_share_of_key_contacts_met_in_ninety_days(self) -> None:
        people = [
            {"contact_id": "champion"},
            {"contact_id": "sponsor", "role": "EXECUTIVE_SPONSOR"},
            {"contact_id": "admin", "role": "ADMIN"},
            {"contact_id": "user", "role": "USER"},
        ]
        met = self.met(("champion", 89), ("champion", 4), ("sponsor", 90), ("user", 1))
        assert measured(contacts=people, **met)["stakeholder_coverage_90d"] == pytest.approx(1 / 3)

    def test_counts_the_contacts_that_were_there_on_the_date(self) -> None:
        people = [
            {"contact_id": "left", "left_at": at(10)},
            {"contact_id": "came", "known_since": back(5)},
            {"contact_id": "vague", "is_active": False},
        ]
        met = self.met(("left", 20), ("came", 2))
        assert measured(contacts=people, **met)["stakeholder_coverage_90d"] == 1  # only came, met 2 days ago
        assert measured(on=back(11), contacts=people, **met)["stakeholder_coverage_90d"] == 1  # only left
        assert measured(on=back(5), contacts=people, **met)["stakeholder_coverage_90d"] == 0  # came, not met yet

    def test_is_null_without_key_contacts_and_without_any_activity(self) -> None:
        assert measured(contacts=[{"contact_id": "x", "role": "USER"}], **self.met(("x", 1)))[
            "stakeholder_coverage_90d"
        ] is None  # fmt: skip
        assert measured(contacts=[{"contact_id": "x"}])["stakeholder_coverage_90d"] is None

    def test_is_zero_where_nobody_was_met(self) -> None:
        assert measured(contacts=[{"contact_id": "x"}], activities=[{"completed_at": at(2)}])[
            "stakeholder_coverage_90d"
        ] == 0  # fmt: skip


class TestContract:
    CLIENT = {"next_renewal_date": back(-40), "licensed_user_count": 50, "contract_tier": "ENTERPRISE"}
    TERMS = [
        {"start_date": back(400), "end_date": back(36), "contract_tier": "STARTER", "licensed_user_count": 10},
        {"start_date": back(35), "end_date": back(-330), "contract_tier": "PROFESSIONAL", "licensed_user_count": 20},
    ]

    @pytest.mark.parametrize(
        ("on", "tier", "seats", "renewal"),
        [
            (back(500), "ENTERPRISE", 50, 540),
            (back(36), "STARTER", 10, 0),
            (back(35), "PROFESSIONAL", 20, 365),
            (D, "PROFESSIONAL", 20, 330),
        ],
    )
    def test_takes_the_term_of_the_date(self, on: date, tier: str, seats: int, renewal: int) -> None:
        m = measured(on=on, clients=[self.CLIENT], contracts=self.TERMS)
        assert (m["tier"], m["licensed_user_count"], m["days_to_renewal"]) == (tier, seats, renewal)

    def test_takes_the_clients_columns_where_there_are_no_terms(self) -> None:
        m = measured(clients=[self.CLIENT])
        assert (m["tier"], m["licensed_user_count"], m["days_to_renewal"]) == ("ENTERPRISE", 50, 40)

    def test_goes_below_zero_once_the_term_has_passed(self) -> None:
        assert measured(contracts=[{"start_date": back(400), "end_date": back(5)}])["days_to_renewal"] == -5

    def test_is_null_for_a_contract_without_an_end(self) -> None:
        assert measured()["days_to_renewal"] is None

    def test_takes_what_the_crm_said_last_on_or_before_the_date(self) -> None:
        seen = [
            {"date": back(9), "payment_status": "late", "renewal_signal": 30},
            {"date": back(2), "payment_status": "current", "renewal_signal": None},
        ]
        on = {n: measured(on=back(n), readings=seen) for n in (10, 3, 0)}
        assert [on[n]["payment_status"] for n in (10, 3, 0)] == [None, "late", "current"]
        assert [on[n]["renewal_signal"] for n in (10, 3, 0)] == [None, 30, None]


class TestFeatures:
    STARTED = [{"date": back(500)}]

    def test_counts_licensed_used_tracked_and_adopted(self) -> None:
        catalogue = settings(
            features=(
                feature("a", events=frozenset({"A"})),
                feature("b", events=frozenset({"B"})),
                feature("c", module="Chatbot", events=frozenset({"C"})),
            )
        )
        rows = [{"date": back(3), "event": "A", "events": 2}, {"date": back(3), "event": "C"}]
        rows.append({"date": back(450), "event": "B"})
        m = measured(
            catalogue,
            clients=[{"licensed_modules": ["analytics", "Policy"]}],
            client_days=self.STARTED,
            event_days=rows,
        )
        assert (m["features_licensed"], m["features_used"]) == (2, 1)
        assert (m["features_tracked"], m["features_adopted"]) == (3, 3)
        assert m["feature_share"] == pytest.approx(2 / 3)

    def test_says_nothing_about_licences_that_nobody_recorded(self) -> None:
        m = measured(settings(features=(feature(),)), client_days=self.STARTED)
        assert (m["features_licensed"], m["features_used"], m["features_adopted"]) == (None, None, 0)

    def test_is_null_before_the_first_event(self) -> None:
        m = measured(settings(features=(feature(),)), clients=[{"licensed_modules": ["Analytics"]}])
        assert (m["features_licensed"], m["features_used"], m["features_adopted"]) == (1, None, None)
        assert (m["feature_share"], m["feature_breadth"]) == (None, None)

    def test_believes_the_rows_about_features_over_the_modules(self) -> None:
        catalogue = settings(features=(feature("a"), feature("b", events=frozenset({"B"}))))
        said = [{"feature_key": "a", "licensed_at": back(10)}, {"feature_key": "unknown"}]
        client = {"licensed_modules": ["Analytics"]}
        assert measured(catalogue, clients=[client], adoption=said)["features_licensed"] == 1
        assert measured(catalogue, on=back(11), clients=[client], adoption=said)["features_licensed"] == 0

    def test_takes_the_breadth_over_licensed_modules(self) -> None:
        rows = [
            {"date": back(29), "event": "X", "module": "ANALYTICS"},
            {"date": back(30), "event": "X", "module": "Policy"},
            {"date": back(1), "event": "X", "module": "Chatbot"},
            {"date": back(1), "event": "X", "module": "Policy", "is_service": True},
        ]
        client = {"licensed_modules": ["Analytics", "Policy"]}
        assert measured(clients=[client], client_days=self.STARTED, event_days=rows)["feature_breadth"] == 0.5

    def test_knows_the_module_of_an_event_that_carries_none(self) -> None:
        used = measured(
            settings(features=(feature(),)),
            clients=[{"licensed_modules": ["Analytics"]}],
            client_days=self.STARTED,
            event_days=[{"date": D, "event": "Used"}],
        )
        assert used["feature_breadth"] == 1


class TestMeasure:
    def test_gives_a_row_for_every_client_and_date_in_order(self) -> None:
        both = inputs(clients=[{"client_id": "b", "organization_id": "1"}, {"client_id": "a", "organization_id": "2"}])
        frame = measure(both, [D, back(3), D], settings())
        assert frame.select("client_id", "date").rows() == [("b", back(3)), ("b", D), ("a", back(3)), ("a", D)]

    def test_has_every_measure_of_the_registry_with_its_type(self) -> None:
        schema = measure(inputs(), [D], settings()).schema
        for m in MEASURES:
            if m.slug not in DERIVED_LATER:
                word = pl.String if m.unit.value == "word" else None
                assert schema[m.slug] == (word or (pl.Int64 if m.whole else pl.Float64)), m.slug

    def test_measures_no_clients_at_all(self) -> None:
        assert measure(inputs(clients=[]), [D], settings()).is_empty()

    def test_refuses_no_dates(self) -> None:
        with pytest.raises(InvalidInputError, match="no dates"):
            measure(inputs(), [], settings())

    def test_refuses_a_frame_of_another_type(self) -> None:
        with pytest.raises(FrameError, match=r"Measure input tickets: opened_at is String"):
            MeasureInputs(clients=frame("clients", [{}]), tickets=frame("tickets", []).cast({"opened_at": pl.String}))


class TestLifetimes:
    def test_begins_on_the_earliest_day_that_tells_of_the_client(self) -> None:
        known = {"contract_start_date": back(20), "known_since": back(5), "last_day": back(1)}
        assert lifetimes(inputs(clients=[known])).rows() == [("c", back(20), back(1))]
        assert lifetimes(inputs(clients=[known], client_days=days(30, 30))).rows()[0][1] == back(30)
        assert lifetimes(inputs(clients=[known], contracts=[{"start_date": back(50)}])).rows()[0][1] == back(50)


class TestSettingsFromPreset:
    @pytest.mark.parametrize("preset", PRESETS)
    def test_reads_every_shipped_preset(self, preset: str) -> None:
        read = settings_from_preset(load_preset(preset), working_days=frozenset({1}), zone=ZoneInfo("UTC"))
        assert len(read.features) == len(load_preset(preset)["features"])

    def test_names_every_fault_with_its_path(self) -> None:
        faulty = {
            "counts": {"x": {"events": ["X"], "window": "soon"}},
            "features": [{"key": "f", "events": ["F"], "period": "week"}, {"key": "g", "events": ["G"]}],
        }
        with pytest.raises(InvalidInputError) as caught:
            settings_from_preset(faulty, working_days=frozenset({1}), zone=ZoneInfo("UTC"))
        assert set(caught.value.errors) == {"counts.x.window", "features.f.period", "features.g"}
