"""What staff are reminded of, when, in whose time zone, and only once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from bellwether.notifications.jobs import remove_old
from bellwether.notifications.models import Notification
from bellwether.notifications.reminders import remind, tell_assignments
from bellwether.notifications.services import notify
from bellwether.portfolio.models import Activity, Client, Contact
from bellwether.staff.models import StaffUser
from tests.conftest import NOW, TODAY, Clients, Staff


def titles(user: StaffUser) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("title", flat=True))


def follow_up(client: Client, who: StaffUser | None, on: date, **fields: Any) -> Activity:
    values = {"activity_type": "CALL", "subject": "Check-in", "occurred_at": NOW - timedelta(days=9)}
    return Activity.objects.create(
        client=client, performed_by=who, follow_up_required=True, follow_up_date=on, **{**values, **fields}
    )


class TestFollowUps:
    def test_are_told_on_the_day_and_once_more_when_overdue(self, staff: Staff, clients: Clients) -> None:
        follow_up(clients.sturdy, staff.ada, TODAY, follow_up_text="Send the plan")
        assert remind(NOW)["follow_up"] == 1
        assert remind(NOW + timedelta(hours=3))["follow_up"] == 0
        assert remind(NOW + timedelta(days=2))["follow_up"] == 1
        assert remind(NOW + timedelta(days=5))["follow_up"] == 0
        first, second = Notification.objects.filter(user=staff.ada).order_by("created_at")
        assert (first.title, first.text) == ("Follow-up with Sturdy is due today", "Send the plan")
        assert second.title == "Follow-up with Sturdy was due on 30 Jun"

    def test_the_day_is_that_of_the_owner(self, staff: Staff, clients: Clients) -> None:
        follow_up(clients.sturdy, staff.ada, TODAY + timedelta(days=1))
        assert remind(NOW)["follow_up"] == 0
        staff.ada.time_zone = "Pacific/Kiritimati"  # 14 hours ahead: 2 in the night of the next day
        staff.ada.save()
        assert remind(NOW)["follow_up"] == 1

    def test_a_day_of_reminder_comes_first(self, staff: Staff, clients: Clients) -> None:
        follow_up(clients.sturdy, staff.ada, TODAY + timedelta(days=5), follow_up_remind_on=TODAY)
        assert remind(NOW)["follow_up"] == 1
        assert titles(staff.ada) == ["Follow-up with Sturdy is due on 5 Jul"]

    def test_what_is_done_archived_old_or_of_a_client_that_left_is_not_told(
        self, staff: Staff, clients: Clients
    ) -> None:
        follow_up(clients.sturdy, staff.ada, TODAY, follow_up_completed_at=NOW)
        follow_up(clients.sturdy, staff.ada, TODAY, archived_at=NOW)
        follow_up(clients.sturdy, staff.ada, TODAY - timedelta(days=15))
        follow_up(clients.gone, staff.ada, TODAY)
        assert remind(NOW)["follow_up"] == 0

    def test_those_of_people_who_left_go_to_the_csm(self, staff: Staff, clients: Clients) -> None:
        staff.ben.is_active = False
        staff.ben.save()
        follow_up(clients.sturdy, staff.ben, TODAY)
        follow_up(clients.elsewhere, None, TODAY)
        assert remind(NOW)["follow_up"] == 2
        assert (len(titles(staff.ada)), len(titles(staff.cleo)), len(titles(staff.ben))) == (1, 1, 0)


class TestAppointments:
    def test_within_the_hour_for_all_who_take_part_in_their_own_time(self, staff: Staff, clients: Clients) -> None:
        staff.ada.time_zone = "Europe/Berlin"
        staff.ada.save()
        at = datetime(2026, 6, 30, 12, 30, tzinfo=UTC)
        planned = follow_up(clients.sturdy, staff.ada, date(2027, 1, 1), scheduled_for=at, occurred_at=at)
        planned.participants.set([staff.vera, staff.ada])
        assert remind(NOW - timedelta(hours=1))["scheduled"] == 0
        assert remind(NOW)["scheduled"] == 2
        assert remind(NOW + timedelta(minutes=10))["scheduled"] == 0
        assert titles(staff.ada) == ["Call with Sturdy at 14:30"]
        assert titles(staff.vera) == ["Call with Sturdy at 12:30"]

    def test_another_time_is_told_again_and_what_took_place_is_not(self, staff: Staff, clients: Clients) -> None:
        planned = follow_up(clients.sturdy, staff.ada, date(2027, 1, 1), scheduled_for=NOW + timedelta(minutes=30))
        assert remind(NOW)["scheduled"] == 1
        Activity.objects.filter(pk=planned.pk).update(scheduled_for=NOW + timedelta(minutes=45))
        assert remind(NOW)["scheduled"] == 1
        Activity.objects.filter(pk=planned.pk).update(scheduled_for=NOW + timedelta(minutes=50), completed_at=NOW)
        assert remind(NOW)["scheduled"] == 0


class TestAssignments:
    def test_the_first_time_only_remembers(self, staff: Staff, clients: Clients) -> None:
        assert tell_assignments(NOW) == 0
        Client.objects.filter(pk=clients.elsewhere.pk).update(csm_user=staff.ada)
        assert tell_assignments(NOW) == 1
        assert tell_assignments(NOW) == 0
        assert titles(staff.ada) == ["Elsewhere is yours now"]

    def test_whoever_gets_a_client_back_is_told_again(self, staff: Staff, clients: Clients) -> None:
        tell_assignments(NOW)
        for hour, csm in enumerate((staff.ada, staff.cleo, staff.ada)):
            Client.objects.filter(pk=clients.elsewhere.pk).update(csm_user=csm)
            assert tell_assignments(NOW + timedelta(hours=hour)) == 1
        assert len(titles(staff.ada)) == 2

    def test_many_at_once_are_one_sentence(self, staff: Staff, clients: Clients) -> None:
        tell_assignments(NOW)
        Client.objects.bulk_create(
            [
                Client(organization_id=f"new-{n}", name=f"New {n}", csm_user=staff.cleo, ae_user=staff.ed)
                for n in range(6)
            ]
        )
        assert tell_assignments(NOW) == 2
        assert titles(staff.cleo) == titles(staff.ed) == ["6 clients are yours now"]


def test_key_contacts_who_left_are_told_to_csm_and_account_executive(staff: Staff, clients: Clients) -> None:
    def left(name: str, role: str, days: int, **fields: Any) -> None:
        Contact.objects.create(
            client=clients.sturdy, name=name, role=role, left_company_at=NOW - timedelta(days=days), **fields
        )

    left("Mara", "CHAMPION", 2)
    left("Tom", "USER", 2)
    left("Rosa", "USER", 2, is_primary=True)
    left("Old", "CHAMPION", 20)
    assert remind(NOW)["contact_left"] == 4
    assert remind(NOW)["contact_left"] == 0
    assert sorted(titles(staff.ed)) == sorted(titles(staff.ada)) == ["Mara left Sturdy", "Rosa left Sturdy"]


def test_a_sweep_takes_a_fixed_number_of_queries(
    staff: Staff, clients: Clients, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        at = NOW + timedelta(minutes=n + 1)
        follow_up(clients.sturdy, staff.ada, TODAY - timedelta(days=n % 5), scheduled_for=at)
    with django_assert_max_num_queries(30):
        assert remind(NOW)["follow_up"] == 30


def test_what_is_older_than_90_days_goes(staff: Staff, clients: Clients) -> None:
    for days in (89, 91):
        at = NOW - timedelta(days=days)
        notify([staff.ada], kind="import", key=str(days), title=f"{days} days", now=at)
    assert remove_old(NOW) == 1
    assert titles(staff.ada) == ["89 days"]
