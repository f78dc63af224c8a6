"""The page of one client, as staff get it."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bellwether.common.models import JobRun, JobState
from bellwether.common.time import day_of
from bellwether.portfolio.models import Client, Contact, Note
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff
from tests.dashboard import client_builders as make

pytestmark = pytest.mark.django_db
NOT_COUNTED = ("SAVEPOINT", "RELEASE", "BEGIN", "SELECT pg_advisory")  # they move no rows


@pytest.fixture(autouse=True)
def _fresh_cohorts() -> Iterator[None]:
    make.forget_cohorts()
    yield
    make.forget_cohorts()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def scored(clients: Clients, staff: Staff, now: datetime) -> Client:
    """The fading client with 60 days of scores that fell by 10, a contact, a ticket and a call long ago."""
    client = clients.fading
    make.history(client, day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), 60, now=now, fall=80.0)
    make.champion(client, last_platform_login=now - timedelta(days=21))
    make.ticket(client, now - timedelta(days=20))
    make.call(client, now - timedelta(days=62), staff.ada)
    return client


def get(user: StaffUser, client: Client, query: str = "", **headers: Any) -> Any:
    browser = Browser()
    browser.force_login(user)
    return browser.get(reverse("client", args=[client.pk]) + query, headers=headers)


def text_of(response: Any) -> str:
    plain = re.sub(r"<script.*?</script>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain))


class TestWhoSees:
    def test_the_client_is_shown_to_its_csm(self, staff: Staff, scored: Client) -> None:
        response = get(staff.ada, scored)
        assert response.status_code == 200
        assert "<h1>Fading" in response.content.decode()

    def test_the_client_does_not_exist_for_a_csm_of_others(self, staff: Staff, scored: Client) -> None:
        assert get(staff.cleo, scored).status_code == 404

    @pytest.mark.parametrize("name", ["client_reveal", "client_refresh"])
    def test_nothing_can_be_done_to_a_client_one_may_not_see(self, staff: Staff, scored: Client, name: str) -> None:
        browser = Browser()
        browser.force_login(staff.cleo)
        assert browser.post(reverse(name, args=[scored.pk])).status_code == 404
        assert not AuditEvent.objects.filter(action__in=["contact.reveal", "client.refresh"]).exists()

    def test_visitors_are_sent_to_sign_in(self, scored: Client) -> None:
        response = Browser().get(reverse("client", args=[scored.pk]))
        assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, "/accounts/login/")

    def test_each_view_is_written_down(self, staff: Staff, scored: Client) -> None:
        get(staff.ada, scored)
        get(staff.cleo, scored)
        events = AuditEvent.objects.filter(action="client.read").values_list("actor", "client_id")
        assert list(events) == [("ada@bellwether.example", scored.pk)]


class TestWhatIsShown:
    def test_the_score_with_its_change_and_how_it_is_calculated(self, staff: Staff, scored: Client) -> None:
        """Usage was 40 higher 30 days ago; a quarter of that is 10: 68.2 then, 58.2 now."""
        text = text_of(get(staff.ada, scored))
        assert "down 10 in 30 days" in text
        assert "How 58 is calculated" in text
        assert "41.2 × 25% 10.30" in text
        assert "Total 58.20" in text
        assert "prd-015 v1" in text

    def test_each_component_with_its_inputs_and_formula(self, staff: Staff, scored: Client) -> None:
        text = text_of(get(staff.ada, scored))
        for label in ("Usage", "Adoption", "Support", "Relationship", "Contract", "Outcomes"):
            assert f"How {label.lower()} is calculated" in text
        assert "Average daily users, 7 days 12 people" in text
        assert "Days since contact 45 days" in text

    def test_the_effect_of_a_component_on_the_score(self, staff: Staff, scored: Client) -> None:
        assert "−10" in text_of(get(staff.ada, scored))

    def test_the_figures_of_contract_contact_and_usage(self, staff: Staff, scored: Client) -> None:
        text = text_of(get(staff.ada, scored))
        assert "$120,000" in text
        assert "42 of 50 seats used" in text
        assert "62 days ago" in text
        assert "23 people" in text
        assert "42 in 30 days" in text

    def test_the_brief_and_the_risk_factors_with_their_sources(self, staff: Staff, scored: Client) -> None:
        response = get(staff.ada, scored)
        text = text_of(response)
        assert "Fading scores 58, at risk, 10 points fewer than 30 days ago." in text
        assert "Most of it comes from Usage (−10)." in text
        assert "Champion inactive" in text
        assert "Usage down 40%" in text
        assert "No contact for 62 days" in text
        targets = set(re.findall(r'class="src" href="#([a-z]+)"', response.content.decode()))
        assert targets <= set(re.findall(r'id="([a-z]+)"', response.content.decode()))

    def test_the_same_words_as_the_api(self, staff: Staff, scored: Client, now: datetime) -> None:
        Client.objects.filter(pk=scored.pk).update(
            payment_status="late", health_trend="DOWN", health_trend_change=-10, last_csm_contact_at=now
        )
        browser = Browser()
        browser.force_login(staff.ada)
        page = browser.get(reverse("client", args=[scored.pk])).content.decode()
        base = f"/api/v1/client-success/clients/{scored.pk}"
        factors = browser.get(base).json()["ai_risk_factors"]
        listed = browser.get("/api/v1/client-success/clients?search=Fading").json()["data"][0]["ai_risk_factors"]
        card = page[page.index('class="factors"') :]
        shown = re.findall(r"<b>(.*?)</b>.*?<p>(.*?)</p>", card[: card.index("</ul>")])
        assert len(shown) == 6
        assert [f"{headline}. {detail}" for headline, detail in shown] == [factor["detail"] for factor in factors]
        assert listed == factors
        text = page[page.index('id="brief-text">') :]
        sentences = re.findall(r"<span>(.*?)</span>", text[: text.index("</p>")])
        assert " ".join(sentences) == browser.get(f"{base}/summary").json()["ai_summary"]
        assert browser.get(f"{base}/health").json()["ai_analysis"].startswith(" ".join(sentences[:2]))

    def test_no_invented_median_for_fewer_than_five_peers(self, staff: Staff, scored: Client) -> None:
        text = text_of(get(staff.ada, scored))
        assert "No Enterprise median: no other client has a score, 5 are needed." in text

    def test_the_tier_median_without_the_client_itself(self, staff: Staff, scored: Client, now: datetime) -> None:
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        make.peers("ENTERPRISE", [50, 60, 70, 80, 90], today, now=now)
        response = get(staff.ada, scored, "?days=30")
        text = text_of(response)
        assert "Enterprise median, 5 clients" in text
        assert "Enterprise median stays near 70." in response.content.decode()
        assert "20th percentile of 5 other Enterprise clients" in text  # 1 of 5 is below 58
        assert 'style="--ref:70"' in response.content.decode()

    def test_private_notes_only_to_their_author(self, staff: Staff, scored: Client) -> None:
        Note.objects.create(client=scored, content="For me alone", is_private=True, created_by=staff.ada)
        Note.objects.create(client=scored, content="For all of us", created_by=staff.ada)
        assert "For me alone" in text_of(get(staff.ada, scored))
        assert "For me alone" not in text_of(get(staff.vera, scored))
        assert "For all of us" in text_of(get(staff.vera, scored))

    def test_text_from_records_as_text(self, staff: Staff, scored: Client, now: datetime) -> None:
        make.call(scored, now, staff.ada, subject="<script>alert(1)</script>", description="</script><b>x</b>")
        assert b"<script>alert(1)" not in get(staff.ada, scored).content


class TestTrend:
    def points(self, response: Any) -> list[dict[str, Any]]:
        found = re.search(r'class="trend-points">(.*?)</script>', response.content.decode(), re.S)
        assert found
        parsed: list[dict[str, Any]] = json.loads(found.group(1))
        return parsed

    @pytest.mark.parametrize(("days", "points"), [(30, 31), (90, 61), (180, 61)])
    def test_shows_the_chosen_period(self, staff: Staff, scored: Client, days: int, points: int) -> None:
        assert len(self.points(get(staff.ada, scored, f"?days={days}"))) == points

    @pytest.mark.parametrize("days", ["", "7", "x", "-1", "99999999999999"])
    def test_falls_back_to_ninety_days(self, staff: Staff, scored: Client, days: str) -> None:
        response = get(staff.ada, scored, f"?days={days}")
        assert response.status_code == 200
        assert 'aria-current="true">90 d' in response.content.decode()

    def test_gives_change_and_causes_of_a_day(self, staff: Staff, scored: Client) -> None:
        """Usage falls by 80/60 a day; a quarter of that is a third of a point."""
        last = self.points(get(staff.ada, scored))[-1]
        assert (last["score"], last["causes"]) == (58, [["Usage", "−0.3"]])

    def test_lists_the_same_in_a_table(self, staff: Staff, scored: Client) -> None:
        response = get(staff.ada, scored, "?days=30")
        table = response.content.decode().split("as-table")[1].split("</table>")[0]
        assert table.count("<tr>") == 32

    def test_explains_a_day_on_the_server(self, staff: Staff, scored: Client, now: datetime) -> None:
        day = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE) - timedelta(days=30)
        text = text_of(get(staff.ada, scored, f"?explain={day.isoformat()}"))
        assert "How 68 is calculated on" in text
        assert "81.2 × 25% 20.30" in text

    def test_says_when_nothing_is_stored_for_a_day(self, staff: Staff, scored: Client) -> None:
        assert "No score is stored for 1 Jan 2001" in text_of(get(staff.ada, scored, "?explain=2001-01-01"))

    @pytest.mark.parametrize("explain", ["yesterday", "2026-13-45"])
    def test_names_what_is_no_day(self, staff: Staff, scored: Client, explain: str) -> None:
        response = get(staff.ada, scored, f"?explain={explain}")
        assert response.status_code == 200
        assert f"Date: “{explain}” is no date. Write it as 2026-02-28." in text_of(response)

    def test_explains_nothing_that_was_not_asked_for(self, staff: Staff, scored: Client) -> None:
        assert b'id="explained"' not in get(staff.ada, scored, "?explain=").content

    def test_numbers_its_events(self, staff: Staff, scored: Client) -> None:
        assert "1 Ticket 4821, urgent" in text_of(get(staff.ada, scored))

    @pytest.mark.parametrize("target", ["trend", "timeline", "contacts"])
    def test_swaps_one_card(self, staff: Staff, scored: Client, target: str) -> None:
        response = get(staff.ada, scored, **{"HX-Request": "true", "HX-Target": target})
        assert response.content.decode().strip().startswith(f'<section class="card" id="{target}"')
        assert b"<html" not in response.content


class TestStates:
    def test_a_client_without_anything(self, staff: Staff, db: None) -> None:
        client = Client.objects.create(organization_id="bare", name="Bare", csm_user=staff.ada)
        text = text_of(get(staff.ada, client))
        for words in ("No score yet", "No trend yet", "No contract recorded", "No contacts", "Nothing is recorded"):
            assert words in text

    def test_too_little_data_says_why_there_is_no_score(self, staff: Staff, clients: Clients, now: datetime) -> None:
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        reason = "25% of the weight has data, 50% is needed; missing: Adoption"
        parts = dict.fromkeys(make.WEIGHTS) | {"usage": 40.0}
        make.score(clients.newborn, today, parts, now=now, inputs={"dau_avg_7d": 3.0, "expected_dau": 9}, reason=reason)
        response = get(staff.ada, clients.newborn)
        text = text_of(response)
        assert "Not enough data" in text
        assert reason in text
        assert "Why there is no score" in text
        assert 'aria-label="Health not available"' in response.content.decode()

    def test_a_component_without_data_is_left_out_and_said(self, staff: Staff, clients: Clients, now: datetime) -> None:
        """Without outcomes the others weigh 90: (41.2·25 + 72·20 + 55·15 + 40·15 + 75·15) / 90 = 55.78."""
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        inputs = {key: value for key, value in make.INPUTS.items() if not key.startswith(("cases", "assignments"))}
        make.score(clients.sturdy, today, make.SAMPLE | {"outcome": None}, now=now, inputs=inputs)
        text = text_of(get(staff.ada, clients.sturdy))
        assert "Total 55.78" in text
        assert "41.2 × 27.8% 11.44" in text
        assert "Rests on 90% of the weight: no outcomes." in text
        assert "Outcomes has none; the other weights are scaled up." in text

    def test_a_client_that_left_shows_its_history(self, staff: Staff, clients: Clients, now: datetime) -> None:
        make.history(clients.gone, clients.gone.archived_at.date(), 40, now=now)
        response = get(staff.ada, clients.gone)
        text = text_of(response)
        assert "This client left on 1 May 2026: price." in text
        assert "Archived" in text
        assert "its last score was 58" in text
        assert "None are sought for a client that has left." in text
        assert b"Refresh score" not in response.content
        assert b"l-main" in response.content

    @pytest.mark.parametrize(
        ("preset", "scorecard", "weights"),
        [
            (
                "operations",
                "operations",
                {
                    "login": 20,
                    "caseResolution": 25,
                    "campaignCompletion": 25,
                    "featureAdoption": 15,
                    "supportTickets": 15,
                },
            ),
            (
                "suppliers",
                "suppliers",
                {
                    "loginFrequency": 30,
                    "featureAdoption": 25,
                    "clientActivity": 25,
                    "formCompletionRate": 10,
                    "journeyPerformance": 10,
                },
            ),
        ],
    )
    def test_any_scorecard_of_the_workspace(
        self, staff: Staff, clients: Clients, now: datetime, settings: Any, preset: str, scorecard: str, weights: Any
    ) -> None:
        settings.BELLWETHER_PRESET = preset
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        parts = {key: weight * 0.8 if preset == "suppliers" else 80.0 for key, weight in weights.items()}
        made = make.score(clients.sturdy, today, parts, now=now, scorecard=scorecard, weights=weights)
        made.overall_score = 80
        made.save()
        text = text_of(get(staff.ada, clients.sturdy))
        assert "Total 80.00" in text
        assert "of 30 24.00" in text if preset == "suppliers" else "80 × 20% 16.00" in text


class TestNeighbours:
    def test_follow_the_order_of_the_portfolio(self, staff: Staff, scored: Client, clients: Clients) -> None:
        Client.objects.filter(pk=clients.sturdy.pk).update(name="Aardvark")
        response = get(staff.ada, scored, "?from=sort%3Dname")
        page = response.content.decode()
        assert "2 of 3" in page
        assert f'rel="prev" href="/clients/{clients.sturdy.pk}/?from=sort%3Dname"' in page
        assert f'rel="next" href="/clients/{clients.newborn.pk}/?from=sort%3Dname"' in page
        assert 'href="/?sort=name">Portfolio' in page

    def test_come_from_the_list_that_linked_here(self, staff: Staff, scored: Client) -> None:
        page = get(staff.ada, scored, referer="http://testserver/?sort=-name").content.decode()
        assert "?from=sort%3D-name" in page

    def test_ignore_other_sites(self, staff: Staff, scored: Client) -> None:
        page = get(staff.ada, scored, referer="https://elsewhere.example/?sort=-name").content.decode()
        assert "from=" not in page

    def test_survive_a_list_that_makes_no_sense(self, staff: Staff, scored: Client) -> None:
        assert get(staff.ada, scored, "?from=sort%3Dnonsense%26page%3Dx").status_code == 200


class TestTimeline:
    def test_marks_the_silence(self, staff: Staff, scored: Client) -> None:
        assert "No contact for 62 days" in text_of(get(staff.ada, scored, "?show=activities"))

    def test_shows_ten_entries_and_offers_the_rest(self, staff: Staff, scored: Client, now: datetime) -> None:
        for ago in range(15):
            make.call(scored, now - timedelta(days=ago), staff.ada, subject=f"Call {ago}")
        few, more = get(staff.ada, scored).content.decode(), get(staff.ada, scored, "?timeline=50").content.decode()
        assert few.count('class="node"') == 10
        assert "timeline=50#timeline" in few
        assert more.count('class="node"') > 14

    def test_narrows_to_tickets(self, staff: Staff, scored: Client) -> None:
        card = get(staff.ada, scored, "?show=support").content.decode().split('id="timeline"')[1].split("</section>")[0]
        assert "Ticket 4821 opened" in card
        assert "Check-in" not in card

    def test_tells_of_a_fall_of_the_score(self, staff: Staff, clients: Clients, now: datetime) -> None:
        today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
        for ago in range(10, -1, -1):
            usage = 81.2 if ago > 2 else 41.2
            make.score(clients.sturdy, today - timedelta(days=ago), make.SAMPLE | {"usage": usage}, now=now)
        assert "Health fell 10 points in 7 days, from 68 to 58" in text_of(
            get(staff.ada, clients.sturdy, "?show=score")
        )


class TestRevealContacts:
    def reveal(self, user: StaffUser, client: Client, **headers: Any) -> Any:
        browser = Browser()
        browser.force_login(user)
        return browser.post(reverse("client_reveal", args=[client.pk]), headers=headers)

    def test_shows_what_the_page_masks_and_writes_it_down(self, staff: Staff, scored: Client) -> None:
        before = get(staff.ada, scored).content.decode()
        after = self.reveal(staff.ada, scored).content.decode()
        assert "m•••@cobalt.example" in before
        assert "••• 42" in before
        assert "mara.lindqvist@cobalt.example" not in before
        assert "mara.lindqvist@cobalt.example" in after
        assert "+1 312 555 0142" in after
        [event] = AuditEvent.objects.filter(action="contact.reveal")
        contact = Contact.objects.get(client=scored)
        assert (event.actor, event.client_id) == ("ada@bellwether.example", scored.pk)
        assert event.detail == {"contacts": [str(contact.pk)], "count": 1}

    def test_swaps_the_card_for_htmx_and_is_not_kept_by_the_browser(self, staff: Staff, scored: Client) -> None:
        response = self.reveal(staff.ada, scored, **{"HX-Request": "true"})
        assert b"<html" not in response.content
        assert "no-store" in response.headers["Cache-Control"]

    def test_is_no_link(self, staff: Staff, scored: Client) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        assert browser.get(reverse("client_reveal", args=[scored.pk])).status_code == 405


class TestRefresh:
    def ask(self, user: StaffUser, client: Client, **headers: Any) -> Any:
        browser = Browser()
        browser.force_login(user)
        return browser.post(reverse("client_refresh", args=[client.pk]), headers=headers)

    def test_queues_the_job_once_and_shows_its_state(self, staff: Staff, scored: Client) -> None:
        response = self.ask(staff.ada, scored)
        self.ask(staff.ada, scored)
        run = JobRun.objects.get(name="health_refresh")
        assert (run.state, run.arguments) == (JobState.QUEUED, {"client_id": str(scored.pk)})
        assert response.headers["Location"].endswith(f"?refresh={run.pk}")
        assert "Waiting for a worker" in text_of(get(staff.ada, scored, f"?refresh={run.pk}"))

    def test_answers_htmx_with_a_region_that_asks_again(self, staff: Staff, scored: Client) -> None:
        page = self.ask(staff.ada, scored, **{"HX-Request": "true"}).content.decode()
        assert 'hx-trigger="every 1s"' in page
        assert 'role="status"' in page

    def test_reloads_the_page_when_the_score_is_made(self, staff: Staff, scored: Client, now: datetime) -> None:
        self.ask(staff.ada, scored)
        run = JobRun.objects.get()
        run.state, run.finished_at = JobState.DONE, now
        run.save()
        browser = Browser()
        browser.force_login(staff.ada)
        response = browser.get(reverse("client_refresh_state", args=[scored.pk, run.pk]))
        assert response.headers["HX-Refresh"] == "true"
        assert b"every 1s" not in response.content

    def test_says_why_it_failed_and_offers_it_again(self, staff: Staff, scored: Client) -> None:
        self.ask(staff.ada, scored)
        JobRun.objects.update(state=JobState.FAILED, error="The lake cannot be read.")
        page = get(staff.ada, scored, f"?refresh={JobRun.objects.get().pk}")
        assert "The score could not be made: The lake cannot be read." in text_of(page)
        assert b"Refresh score" in page.content

    def test_tells_nothing_of_runs_for_other_clients(self, staff: Staff, scored: Client, clients: Clients) -> None:
        self.ask(staff.ada, clients.sturdy)
        run = JobRun.objects.get()
        browser = Browser()
        browser.force_login(staff.ada)
        assert browser.get(reverse("client_refresh_state", args=[scored.pk, run.pk])).status_code == 404
        assert "Waiting" not in text_of(get(staff.ada, scored, f"?refresh={run.pk}"))


class TestQueries:
    def test_are_as_many_for_a_long_history_as_for_a_short_one(
        self, staff: Staff, scored: Client, clients: Clients, now: datetime
    ) -> None:
        """Session, user, client, configuration, seven kinds of records, people of activities, scores, whole scores,
        first scored day, days scored again, cohort (2, kept for a minute), neighbours (2), planned and promised (2),
        open alerts, playbooks under way, churn risk, last sweep, what is due, new alerts, the bell; the access log
        reads its head, adds, updates."""
        browser = Browser()
        browser.force_login(staff.ada)
        counts = []
        for client in (clients.newborn, scored):
            for query in ("?days=30", "?days=180"):
                make.forget_cohorts()
                browser.get(reverse("client", args=[client.pk]) + query)
                with CaptureQueriesContext(connection) as captured:
                    browser.get(reverse("client", args=[client.pk]) + query)
                counts.append(sum(not one["sql"].startswith(NOT_COUNTED) for one in captured))
        assert max(counts) <= 31
        assert counts[2] == counts[3]
