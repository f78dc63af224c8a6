"""The inbox of alerts: list, detail, actions, file, the card of a client."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser
from django.utils import timezone

from bellwether.alerts.models import Alert
from bellwether.alerts.selectors import open_counts
from bellwether.analytics.alert_response import alert_responses
from bellwether.analytics.scorecard import AlertResponse
from bellwether.dashboard.portfolio_columns import texts_of
from bellwether.portfolio.models import Activity, Contact, SupportTicket
from bellwether.staff.models import AuditEvent, StaffUser
from tests.alerts.making import an_alert
from tests.conftest import NOW, TODAY, Clients, Staff

URL = "/alerts/"


@pytest.fixture
def now() -> Any:
    return timezone.now()


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text(browser: Browser, address: str, **headers: str) -> str:
    response = browser.get(address, headers=headers)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_the_list_has_headings_filters_and_one_alert_beside_it(
    staff: Staff, clients: Clients, now: Any, django_assert_max_num_queries: Any
) -> None:
    overdue = an_alert(clients.sturdy, created_at=now - timedelta(hours=10), root_cause="use")
    an_alert(clients.sturdy, "USAGE_DECLINE", created_at=now - timedelta(hours=1), severity="MEDIUM", root_cause="use",
             description="Daily users fell 40%.")  # fmt: skip
    an_alert(clients.fading, "FEATURE_ABANDONED", severity="LOW", created_at=now, respond_by=now + timedelta(days=7))
    an_alert(clients.elsewhere, title="Not for Ada")
    browser = signed_in(staff.ada)
    browser.get(URL)
    with django_assert_max_num_queries(48):
        page = text(browser, URL)
    for words in ("3 open.", "Overdue 2 h", "2 alerts, one cause", ">Later<", "Daily users fell 40%.", "Acknowledge"):
        assert words in page
    assert "Not for Ada" not in page
    assert page.index(">Overdue<") < page.index(">Later<")
    assert page.count('id="alert-detail"') == 1
    assert f'data-alert="{overdue.pk}"' in page
    low = text(browser, f"{URL}?severity=LOW")
    assert "1 open." in low
    assert "one cause" not in low
    assert "No alert matches" in text(browser, f"{URL}?search=nobody&severity=nonsense&page=x&csm=y")
    assert AuditEvent.objects.filter(action="alert.list").count() >= 3


def test_an_alert_of_another_does_not_exist(staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.elsewhere)
    browser = signed_in(staff.ada)
    assert browser.get(f"{URL}{alert.pk}/").status_code == 404
    for action in ("acknowledge", "snooze", "dismiss", "resolve", "reopen", "assign"):
        assert browser.post(f"{URL}{alert.pk}/{action}/").status_code == 404
    assert browser.post(f"{URL}{alert.pk}/log/", {"activity_type": "CALL"}).status_code == 404
    assert browser.post(f"{URL}act/", {"action": "acknowledge", "ids": [str(alert.pk)]}).status_code == 404
    assert browser.post(f"{URL}{alert.pk}/explode/").status_code == 404
    alert.refresh_from_db()
    assert alert.status == "NEW"


@pytest.mark.parametrize(
    "kind",
    ["HEALTH_DROP", "CRITICAL_HEALTH", "KEY_USER_INACTIVE", "CHAMPION_RISK", "SUPPORT_SPIKE", "USAGE_DECLINE",
     "FEATURE_ABANDONED", "RENEWAL_APPROACHING", "CONTRACT_UTILIZATION_LOW", "NPS_DETRACTOR", "PAYMENT_ISSUE"],
)  # fmt: skip
def test_every_type_opens_where_hardly_anything_is_known(kind: str, staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.newborn, kind, trigger_value="", evidence={})
    page = text(signed_in(staff.ada), f"{URL}{alert.pk}/", **{"HX-Request": "true", "HX-Target": "alert-detail"})
    assert page.count("<article") == 1
    assert "Suggested next step" in page
    assert "<html" not in page


def test_the_detail_names_the_people_and_tickets_behind_it(staff: Staff, clients: Clients, now: Any) -> None:
    champion = Contact.objects.create(client=clients.sturdy, name="Mara Lindqvist", role="CHAMPION",
                                      last_platform_login=now - timedelta(days=20))  # fmt: skip
    SupportTicket.objects.create(client=clients.sturdy, subject="Export fails", priority="high",
                                 opened_at=now - timedelta(days=3))  # fmt: skip
    alert = an_alert(clients.sturdy, "KEY_USER_INACTIVE", related_entity_type="contact",
                     related_entity_id=champion.pk.hex)  # fmt: skip
    page = text(signed_in(staff.ada), f"{URL}{alert.pk}/")
    assert "Write to Mara Lindqvist" in page
    assert "last login 20 days ago" in page
    assert "“Export fails” has been open for 3 days." in page
    assert "has not logged in for 14 days" in page  # the rule in force


def test_buttons_forms_and_undo(staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.sturdy)
    browser = signed_in(staff.ada)
    here = f"{URL}{alert.pk}/"
    answer = browser.post(f"{here}acknowledge/", {"next": here}, follow=True)
    page = answer.content.decode()
    assert "Health drop at Sturdy acknowledged." in page
    assert "Taken on by Ada Example" in page
    undo = page.split('action="/changes/')[1].split('"')[0]
    browser.post(f"/changes/{undo}")
    alert.refresh_from_db()
    assert alert.status == "NEW"
    for action, words in (("snooze", "A time of my own"), ("resolve", "What settled it"), ("assign", "Ben Example")):
        assert words in text(browser, f"{here}{action}/")
    refused = browser.post(f"{here}snooze/", {"until": "own", "time": "2020-01-01T10:00"})
    assert refused.status_code == 422
    assert "Choose a time to come." in refused.content.decode()
    browser.post(f"{here}snooze/", {"until": "week"})
    alert.refresh_from_db()
    assert alert.status == "SNOOZED"
    assert "Back " in text(browser, f"{URL}?tab=snoozed")
    assert browser.post(f"{here}assign/", {"assigned_to": str(staff.cleo.pk)}).status_code == 422
    browser.post(f"{here}resolve/", {"resolution_notes": "Export fixed."})
    assert "Export fixed." in text(browser, f"{here}?tab=done")
    assert "Reopen it first" in browser.post(f"{here}acknowledge/", follow=True).content.decode()


def test_logging_from_the_alert_saves_once_and_takes_it_on(staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.sturdy)
    browser = signed_in(staff.ada)
    key = str(uuid4())
    sent = {"activity_type": "INTERNAL_DISCUSSION", "text": "Spoke with support.", "key": key, "next": "/alerts/"}
    assert "the alert is taken on" in browser.post(f"{URL}{alert.pk}/log/", sent, follow=True).content.decode()
    browser.post(f"{URL}{alert.pk}/log/", sent)
    activity = Activity.objects.get()
    assert (activity.subject, activity.details["from"]) == ("Spoke with support.", f"alert:{alert.pk}")
    alert.refresh_from_db()
    assert alert.status == "ACKNOWLEDGED"
    assert "Choose what you did." in browser.post(
        f"{URL}{alert.pk}/log/", {"activity_type": "DANCE"}, follow=True
    ).content.decode()  # fmt: skip


def test_several_at_once(staff: Staff, clients: Clients) -> None:
    first, second = an_alert(clients.sturdy), an_alert(clients.fading)
    closed = an_alert(clients.newborn, status="DISMISSED")
    browser = signed_in(staff.ada)
    ids = [str(one.pk) for one in (first, second, closed)]
    page = browser.post(f"{URL}act/", {"action": "snooze:day", "ids": ids}, follow=True).content.decode()
    assert "2 alerts snoozed. 1 left as they are" in page
    assert set(Alert.objects.values_list("status", flat=True)) == {"SNOOZED", "DISMISSED"}
    assert "Choose alerts first." in browser.post(f"{URL}act/", {"action": "dismiss"}, follow=True).content.decode()
    form = browser.post(f"{URL}act/", {"action": "assign", "ids": ids[:2]}).content.decode()
    assert form.count('name="ids"') == 2
    browser.post(f"{URL}act/", {"action": "assign", "ids": ids[:2], "assigned_to": str(staff.ben.pk)})
    assert Alert.objects.filter(assigned_to=staff.ben).count() == 2


def test_file_and_muted_clients(staff: Staff, clients: Clients) -> None:
    an_alert(clients.sturdy, title="=2+2")
    an_alert(clients.elsewhere)
    browser = signed_in(staff.ada)
    rows = list(csv.DictReader(io.StringIO(text(browser, "/alerts.csv"))))
    assert [(row["client"], row["alert_type"], row["title"]) for row in rows] == [("Sturdy", "HEALTH_DROP", "'=2+2")]
    assert "Nobody is muted" in text(browser, f"{URL}?tab=muted")
    assert "No open alerts" not in text(browser, URL)
    assert "Everything has been seen to." not in text(signed_in(staff.ed), URL)


def test_the_client_page_has_a_card_and_the_list_a_column(staff: Staff, clients: Clients) -> None:
    alert = an_alert(clients.sturdy)
    an_alert(clients.sturdy, "NPS_DETRACTOR", is_silent=True)
    browser = signed_in(staff.ada)
    page = text(browser, f"/clients/{clients.sturdy.pk}/")
    card = page.split('id="client-alerts"')[1].split("</section>")[0]
    assert "Health fell from 69 to 58." in card
    assert f'action="/alerts/{alert.pk}/acknowledge/"' in card
    assert "No alert is open." in text(browser, f"/clients/{clients.fading.pk}/")
    assert open_counts([clients.sturdy.pk, clients.fading.pk]) == {str(clients.sturdy.pk): 1}
    assert texts_of([clients.sturdy], ["alerts"], today=TODAY, now=NOW, zone=ZoneInfo("UTC")) == {
        "alerts": {str(clients.sturdy.pk): "1"}
    }


def test_the_rail_counts_new_alerts(staff: Staff, clients: Clients) -> None:
    an_alert(clients.sturdy)
    an_alert(clients.fading, status="ACKNOWLEDGED")
    link = text(signed_in(staff.ada), "/follow-ups/").split('href="/alerts/"')[1].split("</a>")[0]
    assert '>1<span class="sr"> new' in link
    assert "due-count" not in text(signed_in(staff.cleo), "/follow-ups/").split('href="/alerts/"')[1].split("</a>")[0]


def test_scorecards_of_csms_show_how_quickly_alerts_were_answered(staff: Staff, clients: Clients) -> None:
    made = NOW - timedelta(days=1)
    for hours, subject in ((2, "a"), (5, "b"), (9, "c")):
        an_alert(clients.sturdy, subject=subject, created_at=made, first_response_at=made + timedelta(hours=hours))
    found = alert_responses([staff.ada.pk.hex, staff.cleo.pk.hex], TODAY - timedelta(days=7), TODAY)
    assert found == {staff.ada.pk.hex: AlertResponse(5.0, 3)}
