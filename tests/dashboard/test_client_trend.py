"""The trend of a client: its range, its lines, the day that is looked into, and its exports."""

import csv
import io
import struct
from datetime import date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from bellwether.common.time import day_of
from bellwether.dashboard import client_trend_page
from bellwether.dashboard.client_trend_export import ImageError, png_of
from bellwether.health.models import HealthScore, ScoreAsSeen
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff
from tests.dashboard import client_builders as make
from tests.dashboard.test_client_page import get, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cohorts() -> None:
    make.forget_cohorts()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


@pytest.fixture
def scored(clients: Clients, now: datetime, today: date) -> Client:
    """The fading client with 20 days of scores; the last two also differ in their measures."""
    make.history(clients.fading, today, 20, now=now, fall=80.0)
    HealthScore.objects.filter(client=clients.fading, date__lt=today).update(
        inputs=make.INPUTS | {"dau_avg_7d": 16.0, "tickets_30d": 1}
    )
    return clients.fading


def take(user: StaffUser, client: Client, kind: str, query: str = "") -> Any:
    browser = Browser()
    browser.force_login(user)
    return browser.get(reverse("client_trend_export", args=[client.pk, kind]) + query)


class TestRange:
    def test_of_ones_own_is_in_the_address(self, staff: Staff, scored: Client, today: date) -> None:
        start, end = today - timedelta(days=10), today - timedelta(days=5)
        response = get(staff.ada, scored, f"?start={start}&end={end}")
        table = response.content.decode().split("Health trend as table")[1].split("</table>")[0]
        assert table.count("<tr>") == 7
        assert f'value="{start}"' in response.content.decode()

    def test_that_cannot_be_used_is_told(self, staff: Staff, scored: Client) -> None:
        response = get(staff.ada, scored, "?start=2026-02-30&end=x")
        assert response.status_code == 200
        assert "The dates cannot be used" in text_of(response)

    def test_of_three_years_says_how_it_is_drawn_and_where_there_is_no_score(
        self, staff: Staff, scored: Client
    ) -> None:
        text = text_of(get(staff.ada, scored, "?days=1095"))
        assert "Each week is drawn by its lowest, highest and last score" in text
        assert "the client was not scored yet" in text

    def test_tells_the_reason_of_a_gap(self, staff: Staff, scored: Client, today: date) -> None:
        day = today - timedelta(days=3)
        HealthScore.objects.filter(client=scored, date=day).update(
            overall_score=None, no_score_reason="30% of the weight has data, 50% is needed"
        )
        assert "30% of the weight has data, 50% is needed." in text_of(get(staff.ada, scored))


class TestLine:
    def test_may_be_a_component(self, staff: Staff, scored: Client) -> None:
        response = get(staff.ada, scored, "?component=adoption")
        assert 'aria-label="Adoption, ' in response.content.decode()
        assert "Peers are compared by the whole score" in text_of(response)

    def test_is_the_score_for_a_component_that_there_is_not(self, staff: Staff, scored: Client) -> None:
        assert 'aria-label="Health score, ' in get(staff.ada, scored, "?component=charm").content.decode()

    def test_has_a_band_where_the_score_may_lie_elsewhere(self, staff: Staff, scored: Client, today: date) -> None:
        assert b"a-band" not in get(staff.ada, scored).content
        HealthScore.objects.filter(client=scored, date=today).update(interval_low=40, interval_high=70)
        response = get(staff.ada, scored)
        assert b'class="a-band"' in response.content
        assert "Where the score may lie" in text_of(response)

    def test_marks_versions_and_days_scored_again(
        self, staff: Staff, scored: Client, now: datetime, today: date
    ) -> None:
        HealthScore.objects.filter(client=scored, date=today).update(weights_version="prd-015 v7")
        ScoreAsSeen.objects.create(
            client=scored, scorecard="prd-015", date=today, overall_score=61, coverage=1, weights_version="prd-015 v1",
            replaced_at=now,
        )  # fmt: skip
        text = text_of(get(staff.ada, scored))
        assert "Version 7 came into force" in text
        assert "1 day scored again" in text
        panel = text_of(get(staff.ada, scored, f"?on={today}"))
        assert "Data that came late changed this day afterwards: when it was over, the score was 61." in panel


class TestDay:
    def test_tells_over_the_period_without_a_day(self, staff: Staff, scored: Client, today: date) -> None:
        """Usage was stored as 80 higher 20 days ago, but its measures say 16 then and 12 now of 18 expected."""
        text = text_of(get(staff.ada, scored))
        assert "What moved it in 20 days" in text
        assert "Daily users fell from 16 to 12 against 18 expected" in text

    def test_tells_what_moved_since_the_day_before(self, staff: Staff, scored: Client, today: date) -> None:
        """16 of 18 expected are 88.9, 12 are 66.7: a quarter of 22.2 is 5.6."""
        text = text_of(get(staff.ada, scored, f"?on={today}"))
        assert "Day before −1" in text
        assert "−5.6 Usage Daily users fell from 16 to 12 against 18 expected" in text
        assert "Average daily users, 7 days Usage 16 12" in text
        assert f"explain={today}" in get(staff.ada, scored, f"?on={today}").content.decode()

    def test_compares_with_what_is_chosen(self, staff: Staff, scored: Client, today: date) -> None:
        response = get(staff.ada, scored, f"?on={today}&against=week")
        panel = response.content.decode().split('id="moved"')[1].split("</section>")[0]
        assert 'aria-current="true">Week before −7' in panel

    def test_lists_the_events_of_the_day(self, staff: Staff, scored: Client, now: datetime, today: date) -> None:
        make.ticket(scored, now)
        panel = get(staff.ada, scored, f"?on={today}").content.decode().split('id="moved"')[1].split("</section>")[0]
        assert "Ticket 4821 opened" in panel

    def test_says_when_there_is_nothing(self, staff: Staff, scored: Client) -> None:
        assert "Nothing was scored on this day." in text_of(get(staff.ada, scored, "?on=2001-01-01"))

    def test_is_swapped_alone(self, staff: Staff, scored: Client, today: date) -> None:
        response = get(staff.ada, scored, f"?on={today}", **{"HX-Request": "true", "HX-Target": "moved"})
        assert response.content.decode().strip().startswith('<section class="moved" id="moved"')

    def test_does_not_exist_for_others(self, staff: Staff, scored: Client, today: date) -> None:
        assert get(staff.cleo, scored, f"?on={today}").status_code == 404


class TestExport:
    def test_of_the_drawing_is_a_slide_with_title_period_legend_and_source(
        self, staff: Staff, scored: Client, today: date
    ) -> None:
        make.ticket(scored, timezone.now() - timedelta(days=2))
        response = take(staff.ada, scored, "svg", "?days=30")
        root = ElementTree.fromstring(response.content)
        assert root.get("viewBox") == "0 0 1280 720"
        texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
        assert "Fading: health trend" in texts
        assert any(text.startswith("Client health, ") for text in texts)
        assert "Health score" in texts
        assert any(text.startswith("Ticket 4821, urgent, ") for text in texts)
        assert any(text.endswith(f"Source: Bellwether, {today.day} {today:%b %Y}.") for text in texts)
        assert response.headers["Content-Type"] == "image/svg+xml"
        assert ".svg" in response.headers["Content-Disposition"]

    def test_of_the_drawing_escapes_what_people_wrote(self, staff: Staff, scored: Client) -> None:
        Client.objects.filter(pk=scored.pk).update(name="<script>alert(1)</script> & Sons")
        response = take(staff.ada, scored, "svg")
        assert b"<script>" not in response.content
        assert ElementTree.fromstring(response.content).tag.endswith("svg")

    def test_of_the_image_is_as_large_as_a_screen(self, staff: Staff, scored: Client) -> None:
        response = take(staff.ada, scored, "png")
        assert response.content[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", response.content[16:24]) == (1920, 1080)

    def test_of_an_image_that_cannot_be_made_says_what_to_do(
        self, staff: Staff, scored: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(svg: str) -> bytes:
            raise ImageError("The image could not be made. Take the drawing (SVG) instead, or try again.")

        monkeypatch.setattr(client_trend_page, "png_of", fail)
        response = take(staff.ada, scored, "png")
        assert response.status_code == 503
        assert "Take the drawing" in response.content.decode()

    def test_of_what_is_no_drawing_is_an_error_of_ours(self) -> None:
        with pytest.raises(ImageError):
            png_of("no drawing")

    def test_of_the_table_has_every_day_and_runs_in_no_spreadsheet(
        self, staff: Staff, scored: Client, today: date
    ) -> None:
        Client.objects.filter(pk=scored.pk).update(name="=cmd|' /C calc'!A0")
        response = take(staff.ada, scored, "csv", "?days=30&component=adoption")
        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert len(rows) == 21
        assert rows[-1]["client"] == "'=cmd|' /C calc'!A0"
        assert (rows[-1]["date"], rows[-1]["value"], rows[-1]["health_score"]) == (today.isoformat(), "72", "58")

    def test_is_written_down(self, staff: Staff, scored: Client) -> None:
        take(staff.ada, scored, "csv", "?days=30")
        event = AuditEvent.objects.get(action="client.trend_export")
        assert (event.actor, event.client_id) == ("ada@bellwether.example", scored.pk)
        assert (event.detail["kind"], event.detail["count"]) == ("csv", 21)

    @pytest.mark.parametrize("kind", ["svg", "png", "csv"])
    def test_does_not_exist_for_others(self, staff: Staff, scored: Client, kind: str) -> None:
        assert take(staff.cleo, scored, kind).status_code == 404
        assert not AuditEvent.objects.filter(action="client.trend_export").exists()

    def test_has_three_kinds(self, staff: Staff, scored: Client) -> None:
        assert take(staff.ada, scored, "pdf").status_code == 404

    def test_of_a_client_without_a_score_says_so(self, staff: Staff, clients: Clients) -> None:
        response = take(staff.ada, clients.newborn, "svg")
        assert response.status_code == 404
        assert "There is no health score from" in response.content.decode()
