"""Pages of delivery: own preferences, channels, the log of messages, unsubscribing."""

import re
from datetime import time
from typing import Any

import pytest
from django.core import mail
from django.test import Client as Browser

from bellwether.delivery.channels import ChannelForm, add_channel, secret_of
from bellwether.delivery.models import Channel, DeliveryDefaults, Message, Unsubscription
from bellwether.delivery.outbox import Draft, send, workspace_preferences
from bellwether.delivery.planning import preferences_of
from bellwether.delivery.unsubscribing import stop_path, unsubscribe
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, Clients, Staff
from tests.delivery.receivers import Said, http_receiver

HOOK = "https://hooks.slack.com/services/T1/B1/hush-hush"
CHOICE = {"digest": "hourly", "critical": "on", "quiet": "on", "start": "19:00", "end": "07:30", "days": ["6", "7"]}


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def page_of(browser: Browser, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def slack(staff: Staff, own: bool = False) -> Channel:
    form = ChannelForm(name="#cs-west", secret=HOOK)
    return add_channel("SLACK_WEBHOOK", form, own=own, actor=staff.ada if own else staff.adam, now=NOW)[0]


class TestPreferences:
    def test_what_is_chosen_is_kept_and_taken_back(self, staff: Staff) -> None:
        browser = signed_in(staff.ada)
        response = browser.post(
            "/settings/delivery/", CHOICE | {"least-alert-EMAIL": "CRITICAL", "least-alert-SLACK": "?"}
        )
        assert response.status_code == 302
        staff.ada.refresh_from_db()
        kept = preferences_of(staff.ada.preferences)
        assert (kept.least["alert"]["EMAIL"], kept.least["alert"]["SLACK"]) == ("CRITICAL", "HIGH")
        assert kept.quiet is not None
        assert (kept.quiet.start, kept.quiet.end, kept.quiet.days) == (time(19), time(7, 30), frozenset({6, 7}))
        assert (kept.digest, kept.critical_at_once) == ("hourly", True)
        assert 'value="07:30"' in page_of(browser, "/settings/delivery/")
        browser.post("/settings/delivery/do/reset/")
        staff.ada.refresh_from_db()
        assert staff.ada.preferences == {}

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"start": ""}, "id_start-error"),
            ({"end": "25:00"}, "id_end-error"),
            ({"days": list("1234567")}, "Leave a day on which"),
            ({"digest": "never"}, "id_digest-error"),
        ],
        ids=["no start", "no time", "all week", "no digest"],
    )
    def test_bad_input_names_its_field(self, values: dict[str, Any], field: str, staff: Staff) -> None:
        response = signed_in(staff.ada).post("/settings/delivery/", CHOICE | values)
        assert response.status_code == 422
        assert field in response.content.decode()
        staff.ada.refresh_from_db()
        assert staff.ada.preferences == {}

    def test_what_holds_for_everybody_is_the_administrators_matter(self, staff: Staff) -> None:
        assert signed_in(staff.vera).get("/settings/delivery/everybody/").status_code == 403
        browser = signed_in(staff.adam)
        browser.post("/settings/delivery/everybody/", CHOICE | {"least-alert-EMAIL": "LOW"})
        assert workspace_preferences().least["alert"]["EMAIL"] == "LOW"
        assert DeliveryDefaults.objects.get().updated_by == staff.adam
        assert '<option value="LOW" selected>' in page_of(browser, "/settings/delivery/everybody/")

    def test_a_test_mail_and_mail_again_after_unsubscribing(self, staff: Staff) -> None:
        browser = signed_in(staff.ada)
        browser.post(stop_path(staff.ada.email, "alert"))
        assert "Let it come again" in page_of(browser, "/settings/delivery/")
        browser.post("/settings/delivery/do/again/")
        assert not Unsubscription.objects.exists()
        browser.post("/settings/delivery/do/test/")
        assert mail.outbox[0].to == ["ada@bellwether.example"]
        assert "the mail server took it" in page_of(browser, "/settings/delivery/")


class TestChannels:
    def test_everybody_adds_own_ones_and_the_secret_is_shown_nowhere(self, staff: Staff) -> None:
        browser = signed_in(staff.ada)
        given = {"name": "Mine", "secret": HOOK}
        assert browser.post("/settings/channels/new/?kind=SLACK_WEBHOOK", given).status_code == 302
        channel = Channel.objects.get()
        assert (channel.user, secret_of(channel)) == (staff.ada, {"url": HOOK})
        assert b"hush" not in bytes(channel.secret)
        pages = page_of(browser, "/settings/channels/") + page_of(browser, f"/settings/channels/{channel.pk}/edit/")
        assert "Mine" in pages
        assert "hush" not in pages
        assert not AuditEvent.objects.filter(detail__icontains="hush").exists()
        assert "Mine" not in page_of(signed_in(staff.adam), "/settings/channels/")

    def test_channels_of_the_workspace_are_the_administrators_matter(self, staff: Staff) -> None:
        channel = slack(staff)
        browser = signed_in(staff.ada)
        assert browser.get("/settings/channels/new/?kind=SLACK_WEBHOOK&whose=workspace").status_code == 404
        assert browser.get(f"/settings/channels/{channel.pk}/edit/").status_code == 404
        assert browser.post(f"/settings/channels/{channel.pk}/remove/").status_code == 404
        assert "#cs-west" not in page_of(browser, "/settings/channels/")
        assert "#cs-west" in page_of(signed_in(staff.adam), "/settings/channels/")

    @pytest.mark.parametrize(
        ("kind", "values", "field"),
        [
            ("SLACK_WEBHOOK", {"secret": "https://evil.example/services/1"}, "secret"),
            ("SLACK_WEBHOOK", {"secret": "http://hooks.slack.com/services/1"}, "secret"),
            ("SLACK_BOT", {"secret": HOOK, "target": "C1"}, "secret"),
            ("SLACK_BOT", {"secret": "xoxb-1", "target": ""}, "target"),
            ("TEAMS_WORKFLOW", {"secret": "https://logic.azure.com.evil.example/workflows"}, "secret"),
            ("WEBHOOK", {"secret": "https://user:word@example.com/"}, "secret"),
            ("WEBHOOK", {"secret": HOOK, "name": ""}, "name"),
        ],
        ids=["other host", "http", "no token", "no channel", "look-alike", "password in it", "no name"],
    )
    def test_bad_input_names_its_field(self, kind: str, values: dict[str, str], field: str, staff: Staff) -> None:
        response = signed_in(staff.ada).post(
            f"/settings/channels/new/?kind={kind}", {"name": "N", "secret": ""} | values
        )
        assert response.status_code == 422
        assert f"id_{field}-error" in response.content.decode()
        assert not Channel.objects.exists()

    def test_the_three_kinds_of_hosts_of_teams(self, staff: Staff) -> None:
        for host in ("default1.2.environment.api.powerplatform.com", "prod-1.westeurope.logic.azure.com:443"):
            form = ChannelForm(name="T", secret=f"https://{host}/workflows/1?sig=x")
            assert add_channel("TEAMS_WORKFLOW", form, own=True, actor=staff.ada, now=NOW)[0].is_enabled

    def test_a_webhook_shows_its_signing_secret_once_and_keeps_it(self, staff: Staff) -> None:
        browser = signed_in(staff.ada)
        given = {"name": "Hook", "secret": "https://example.com/a"}
        page = browser.post("/settings/channels/new/?kind=WEBHOOK", given)
        assert page["Cache-Control"] == "private, no-store"
        channel = Channel.objects.get()
        signing = secret_of(channel)["signing"]
        assert signing in page.content.decode()
        assert signing not in page_of(browser, "/settings/channels/")
        browser.post(f"/settings/channels/{channel.pk}/edit/", {"name": "Hook", "secret": "https://example.com/b"})
        channel.refresh_from_db()
        assert secret_of(channel) == {"url": "https://example.com/b", "signing": signing}

    def test_an_empty_secret_keeps_the_stored_one(self, staff: Staff) -> None:
        channel = slack(staff)
        given = {"name": "#new", "secret": "", "least_severity": "HIGH", "region": "", "topics": ["alert"]}
        assert signed_in(staff.adam).post(f"/settings/channels/{channel.pk}/edit/", given).status_code == 302
        channel.refresh_from_db()
        assert (channel.name, channel.least_severity, channel.topics) == ("#new", "HIGH", ["alert"])
        assert secret_of(channel) == {"url": HOOK}

    def test_the_button_sends_now_and_says_what_came_back(self, staff: Staff, settings: Any) -> None:
        settings.BELLWETHER_WEBHOOK_HOSTS = ["127.0.0.1"]
        with http_receiver() as receiver:
            receiver.answers = [Said(404, "no_service")]
            form = ChannelForm(name="#cs", secret=receiver.url)
            channel, _ = add_channel("SLACK_WEBHOOK", form, own=True, actor=staff.ada, now=NOW)
            browser = signed_in(staff.ada)
            browser.post(f"/settings/channels/{channel.pk}/test/")
            page = page_of(browser, "/settings/channels/")
            assert "did not take the test. Slack does not know this webhook any more: no_service" in page
            browser.post(f"/settings/channels/{channel.pk}/test/")  # at once again: told to wait
            assert len(receiver.received) == 1
        channel.refresh_from_db()
        assert channel.is_enabled  # a test switches nothing off

    def test_off_on_and_gone(self, staff: Staff) -> None:
        channel = slack(staff, own=True)
        browser = signed_in(staff.ada)
        for action, enabled in (("off", False), ("on", True)):
            browser.post(f"/settings/channels/{channel.pk}/{action}/")
            channel.refresh_from_db()
            assert channel.is_enabled is enabled
        browser.post(f"/settings/channels/{channel.pk}/remove/")
        channel.refresh_from_db()
        assert channel.removed_at is not None
        assert secret_of(channel) == {}
        assert browser.get(f"/settings/channels/{channel.pk}/edit/").status_code == 404


class TestLog:
    @pytest.fixture
    def letters(self, staff: Staff, clients: Clients) -> dict[str, Message]:
        slack(staff)
        given = {"topic": "alert", "severity": "HIGH"}
        drafts = [
            Draft(key="own", title="To Cleo", user_id=staff.cleo.pk, medium="EMAIL", **given),
            Draft(key="client", title="About Fading", workspace=True, client_id=clients.fading.pk, **given),
            Draft(key="other", title="About Elsewhere", workspace=True, client_id=clients.elsewhere.pk, **given),
        ]
        send(drafts, now=NOW)
        Message.objects.filter(client=clients.fading).update(state="FAILED", last_error="Answered 500.", attempts=4)
        return {message.payload["title"]: message for message in Message.objects.all()}

    def test_who_sees_what(self, staff: Staff, letters: dict[str, Message]) -> None:
        ada, cleo, adam = (
            page_of(signed_in(one), "/settings/deliveries/") for one in (staff.ada, staff.cleo, staff.adam)
        )
        assert [title in ada for title in letters] == [False, True, False]
        assert [title in cleo for title in letters] == [True, False, True]
        assert all(title in adam for title in letters)
        assert "Could not be delivered" in ada
        assert "Answered 500." in ada
        assert "Could not be delivered" not in cleo

    def test_what_is_given_up_is_sent_again_and_what_waits_is_stopped(
        self, staff: Staff, letters: dict[str, Message]
    ) -> None:
        browser = signed_in(staff.ada)
        browser.post("/settings/deliveries/resend/")
        browser.post("/settings/deliveries/cancel/", {"message": letters["About Fading"].pk})
        assert Message.objects.get(pk=letters["About Fading"].pk).state == "CANCELLED"
        assert AuditEvent.objects.filter(action__in=["message.resent", "message.cancelled"]).count() == 2
        for given in (letters["To Cleo"].pk, "x", 10**30):
            assert browser.post("/settings/deliveries/resend/", {"message": given}).status_code == 404
        assert Message.objects.get(pk=letters["To Cleo"].pk).state == "PENDING"

    def test_filters_and_queries(
        self, staff: Staff, letters: dict[str, Message], django_assert_max_num_queries: Any
    ) -> None:
        browser = signed_in(staff.adam)
        assert "To Cleo" not in page_of(browser, "/settings/deliveries/?state=FAILED")
        assert "To Cleo" in page_of(browser, "/settings/deliveries/?medium=EMAIL&state=PENDING&page=99")
        many = [
            Draft(key=f"n{number}", topic="alert", title="N", user_id=staff.cleo.pk, medium="EMAIL")
            for number in range(60)
        ]
        send(many, now=NOW)
        with django_assert_max_num_queries(22):
            page = page_of(browser, "/settings/deliveries/")
        assert "Page 1 of 2" in page


class TestUnsubscribing:
    def test_get_asks_and_post_does_without_signing_in(self, db: None) -> None:
        browser = Browser(enforce_csrf_checks=True)
        path = stop_path("kim@fading.example", "playbook")
        assert "Stop these mails?" in page_of(browser, path)
        assert not Unsubscription.objects.exists()
        for _ in range(2):
            response = browser.post(
                path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
            )
            assert response.status_code == 200
        assert list(Unsubscription.objects.values_list("topic", flat=True)) == ["playbook"]
        assert "kim@" not in str(Unsubscription.objects.values().get())
        browser.post(path, {"what": "all"})
        assert sorted(Unsubscription.objects.values_list("topic", flat=True)) == ["", "playbook"]

    def test_a_link_that_was_changed_is_none_of_ours(self, db: None) -> None:
        path = stop_path("kim@fading.example", "playbook")
        for wrong in (
            path.replace(".playbook", "."),
            re.sub(r"/u/.", "/u/0" if path[3] != "0" else "/u/1", path),
            "/u/x/",
        ):
            assert Browser().post(wrong).status_code == 404
        assert not Unsubscription.objects.exists()

    def test_once_is_enough(self, db: None) -> None:
        assert [unsubscribe("d" * 64, "alert", now=NOW) for _ in range(2)] == [True, False]
        assert AuditEvent.objects.filter(action="mail.unsubscribed").count() == 1
