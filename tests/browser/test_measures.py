"""Custom measures in a browser: the preview follows the typing, and everything works without scripts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.common.progress import NoProgress
from bellwether.health.models import CustomMeasure, MeasureValue
from bellwether.portfolio.models import Client
from bellwether.usage import services
from bellwether.usage.dirty import mark_facts
from bellwether.usage.lake import Lake
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff
from tests.usage.rollup_twin import event, place

NEW = "/settings/measures/new/"


@pytest.fixture
def usage(scored: Clients, lake: Lake) -> Iterator[None]:
    """Three cases of Ann at Sturdy, one of Cy at Elsewhere."""
    caches["memory"].clear()
    now = timezone.now()
    made = [event(now - timedelta(days=n), "ann", properties='{"plan": "gold"}') for n in (1, 2, 3)]
    made += [event(now - timedelta(days=1), "cy", "elsewhere")]
    mark_facts(place(lake, made), now=now)
    services.roll_up_dirty(now=now, progress=NoProgress())
    yield
    caches["memory"].clear()


def row(page: Any, name: str) -> Any:
    return page.locator("#preview").get_by_role("row", name=name)


class TestMaking:
    def test_the_preview_follows_the_typing(self, open_page: Opener, staff: Staff, usage: None) -> None:
        page = open_page(NEW, user=staff.adam)
        assert not page.get_by_label("Other events").is_visible()
        page.get_by_label("Events", exact=True).fill("Case Created")
        expect(row(page, "Sturdy")).to_contain_text("3")
        page.get_by_text("How many different people did it").click()
        expect(page.locator("#preview")).to_contain_text("People with Case Created events in 30 days.")
        expect(row(page, "Sturdy")).to_contain_text("1 person")
        page.get_by_text("Only some of them").click()
        page.get_by_label("Property of condition 1").fill("plan")
        page.get_by_label("Value of condition 1").fill("silver")
        expect(row(page, "Sturdy")).to_contain_text("0 people")
        page.get_by_label("Value of condition 1").fill("gold")
        expect(row(page, "Sturdy")).to_contain_text("1 person")
        assert not CustomMeasure.objects.exists()
        page.get_by_label("Name", exact=True).fill("Gold people")
        page.get_by_role("button", name="Add measure").click()
        expect(page.get_by_text("Gold people is saved.")).to_be_visible()
        assert CustomMeasure.objects.get().slug == "gold_people"

    def test_an_example_is_one_click(self, open_page: Opener, staff: Staff, usage: None) -> None:
        page = open_page("/settings/measures/", user=staff.adam)
        page.get_by_role("link", name="People with Case Created").click()
        expect(row(page, "Sturdy")).to_contain_text("1 person")
        page.get_by_role("button", name="Add measure").click()
        expect(page.get_by_role("link", name="People with Case Created")).to_be_visible()
        page.get_by_role("button", name="Archive: People with Case Created").click()
        page.get_by_role("button", name="Restore: People with Case Created").click()
        assert CustomMeasure.objects.get().archived_at is None

    def test_works_without_scripts(self, open_page: Opener, staff: Staff, usage: None) -> None:
        page = open_page(NEW, user=staff.adam, js=False)
        page.get_by_label("Events", exact=True).fill("Case Created")
        page.get_by_text("How long ago it last happened").click()
        expect(page.get_by_label("Within")).to_be_hidden()
        page.get_by_role("button", name="Preview").click()
        assert "1 day" in row(page, "Sturdy").inner_text()
        page.get_by_label("Name", exact=True).fill("Days since a case")
        page.get_by_role("button", name="Add measure").click()
        expect(page.get_by_text("Whole days since the last of Case Created events of people.")).to_be_visible()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fits_a_phone_and_is_accessible(
        self, open_page: Opener, staff: Staff, usage: None, no_violations: Any, scheme: str
    ) -> None:
        page = open_page("/settings/measures/", user=staff.adam, size=PHONE, scheme=scheme)
        no_violations(page)
        page.goto(NEW + "?kind=users&events=Case+Created&name=Who+makes+cases")
        assert width(page) <= PHONE[0]
        no_violations(page)
        page.get_by_role("button", name="Add measure").click()
        expect(page.get_by_role("link", name="Who makes cases")).to_be_visible()
        assert width(page) <= PHONE[0]
        no_violations(page)


class TestPortfolio:
    def test_is_filtered_by_a_measure(self, open_page: Opener, staff: Staff, usage: None, no_violations: Any) -> None:
        now = timezone.now()
        measure = CustomMeasure.objects.create(
            slug="cases", name="Cases", definition={"kind": "count"}, created_at=now, updated_at=now
        )
        for name, value in (("Sturdy", 12.0), ("Fading", 3.0)):
            client = Client.objects.get(name=name)
            MeasureValue.objects.create(client=client, measure=measure, date=now.date(), value=value)
        page = open_page("/", user=staff.ada)
        page.get_by_role("button", name="Measure").click()
        page.get_by_label("At least").fill("10")
        page.get_by_role("button", name="Filter", exact=True).click()
        expect(page.locator("[data-stop]")).to_have_text(["Sturdy"])
        no_violations(page)
        page.get_by_role("link", name="Remove filter Cases: at least 10").click()
        expect(page.locator("[data-stop]")).to_have_count(3)
