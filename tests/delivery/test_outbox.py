"""From drafts to messages: once each, over the media that the receiver wants."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bellwether.common.encryption import encrypt
from bellwether.delivery.models import Channel, DeliveryDefaults, Message
from bellwether.delivery.outbox import Draft, key_of, plan_for_user, send
from bellwether.notifications.models import Notification
from bellwether.staff.models import StaffUser
from tests.conftest import NOW, Clients, Staff


def draft(**values: Any) -> Draft:
    return Draft(**({"key": "alert:1", "topic": "alert", "title": "Fading fell", "href": "/alerts/1/"} | values))


def channel(kind: str = "SLACK_WEBHOOK", **values: Any) -> Channel:
    return Channel.objects.create(kind=kind, name="#cs", secret=encrypt("{}"), created_at=NOW, **values)


def prefer(user: StaffUser, **given: Any) -> None:
    user.preferences = {"delivery": given}
    user.save()


def stored() -> list[tuple[str, str]]:
    return sorted(Message.objects.values_list("medium", "state"))


class TestToStaff:
    def test_the_bell_and_mail_once(self, staff: Staff) -> None:
        one = draft(user_id=staff.ada.pk, severity="HIGH", text="From 69 to 58.")
        assert [send([one], now=NOW), send([one, one], now=NOW)] == [2, 0]
        assert stored() == [("EMAIL", "PENDING"), ("IN_APP", "SENT")]
        told = Notification.objects.get()
        assert (told.user, told.kind, told.title, told.text) == (staff.ada, "alert", "Fading fell", "From 69 to 58.")
        assert Message.objects.filter(key=key_of("alert:1", "EMAIL", staff.ada.pk)).exists()

    def test_less_grave_ones_come_to_the_bell_alone(self, staff: Staff) -> None:
        send([draft(user_id=staff.ada.pk, severity="MEDIUM")], now=NOW)
        assert stored() == [("IN_APP", "SENT")]

    def test_the_same_key_to_two_people(self, staff: Staff) -> None:
        assert send([draft(user_id=one.pk) for one in (staff.ada, staff.ben)], now=NOW) == 2

    def test_who_left_or_turned_the_bell_off_is_not_told(self, staff: Staff) -> None:
        staff.ada.preferences = {"notifications": {"off": ["alert"]}}
        staff.ada.save()
        StaffUser.objects.filter(pk=staff.ben.pk).update(is_active=False)
        assert send([draft(user_id=one.pk) for one in (staff.ada, staff.ben)], now=NOW) == 0
        assert not Notification.objects.exists()

    def test_own_channels_get_it_too(self, staff: Staff) -> None:
        mine = channel(user=staff.ada)
        channel(user=staff.ben)
        channel(user=staff.ada, is_enabled=False)
        send([draft(user_id=staff.ada.pk, severity="HIGH", media=["SLACK", "TEAMS"])], now=NOW)
        assert Message.objects.get().channel == mine

    def test_one_medium_that_somebody_decided(self, staff: Staff) -> None:
        send([draft(user_id=staff.ada.pk, medium="EMAIL", severity="LOW")], now=NOW)
        assert stored() == [("EMAIL", "PENDING")]

    def test_quiet_hours_hold_mail_in_the_own_zone(self, staff: Staff) -> None:
        staff.ada.time_zone = "Asia/Tokyo"  # 21:00 there
        prefer(staff.ada, quiet={"from": "20:00", "to": "08:30", "days": []})
        send([draft(user_id=staff.ada.pk, severity="HIGH")], now=NOW)
        mail = Message.objects.get(medium="EMAIL")
        assert (mail.state, mail.due_at) == ("HELD", datetime(2026, 6, 30, 23, 30, tzinfo=NOW.tzinfo))
        assert Notification.objects.count() == 1

    def test_what_the_workspace_says_holds_for_who_says_nothing(self, staff: Staff) -> None:
        kept = {"delivery": {"media": {"alert": {"EMAIL": "LOW"}}}}
        DeliveryDefaults.objects.create(preferences=kept, updated_at=NOW)
        prefer(staff.ben, media={"alert": {"EMAIL": "NEVER"}})
        assert [one.medium for one in plan_for_user(staff.ada, "alert", "LOW", NOW)] == ["IN_APP", "EMAIL", "WEBHOOK"]
        send([draft(user_id=one.pk, severity="LOW") for one in (staff.ada, staff.ben)], now=NOW)
        assert Message.objects.filter(medium="EMAIL").get().user == staff.ada

    def test_not_before(self, staff: Staff) -> None:
        later = NOW + timedelta(days=2)
        send([draft(user_id=staff.ada.pk, medium="EMAIL", at=later)], now=NOW)
        assert (Message.objects.get().state, Message.objects.get().due_at) == ("PENDING", later)


class TestToTheWorkspace:
    def test_what_fits_topic_severity_and_region(self, staff: Staff, clients: Clients) -> None:
        clients.fading.region = "West"
        clients.fading.save()
        fits = {channel(), channel(region="West", least_severity="HIGH"), channel("TEAMS_WORKFLOW", topics=["alert"])}
        channel(region="East")
        channel(least_severity="CRITICAL")
        channel(topics=["playbook"])
        channel(user=staff.ada)
        channel(removed_at=NOW)
        given = {"workspace": True, "client_id": clients.fading.pk, "severity": "HIGH"}
        assert send([draft(**given)], now=NOW) == 3
        assert {message.channel for message in Message.objects.all()} == fits
        assert send([draft(**given, key="alert:2", media=["TEAMS"])], now=NOW) == 1

    def test_one_channel(self, staff: Staff) -> None:
        one = channel()
        assert send([draft(channel_id=one.pk)], now=NOW) == 1
        off = channel(is_enabled=False)
        assert send([draft(channel_id=off.pk)], now=NOW) == 0


@pytest.mark.parametrize(
    "values",
    [{}, {"workspace": True, "channel_id": "x"}, {"topic": "gossip"}, {"medium": "FAX"}, {"key": ""}, {"href": "//x"}],
    ids=["no receiver", "two receivers", "topic", "medium", "key", "address"],
)
def test_what_cannot_be_sent_is_refused_whole(values: dict[str, Any], staff: Staff) -> None:
    receiver = {} if not values or "workspace" in values else {"user_id": staff.ada.pk}
    with pytest.raises(ValueError, match=r"goes to|There is no|characters|no address"):
        send([draft(key="fine", user_id=staff.ada.pk), draft(**receiver, **values)], now=NOW)
    assert not Message.objects.exists()


def test_long_keys_stay_apart(staff: Staff) -> None:
    keys = ["x" * 199 + end for end in "ab"]
    assert send([draft(key=key, user_id=staff.ada.pk, medium="EMAIL") for key in keys], now=NOW) == 2


def test_queries_do_not_grow(staff: Staff, clients: Clients, django_assert_max_num_queries: Any) -> None:
    channel(region="West")
    drafts = [
        draft(key=f"alert:{number}", user_id=one.pk, severity="HIGH", client_id=clients.fading.pk)
        for number in range(20)
        for one in (staff.ada, staff.ben)
    ]
    with django_assert_max_num_queries(14):
        assert send([*drafts, draft(workspace=True, client_id=clients.fading.pk)], now=NOW) == 80
