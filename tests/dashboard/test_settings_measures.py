"""The pages of custom measures: who may do what, the form, its preview, and the filters of the portfolio."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client as Browser
from django.utils import timezone

from bellwether.common.progress import NoProgress
from bellwether.dashboard.explanations import explain_component
from bellwether.dashboard.settings_measures_examples import examples
from bellwether.dashboard.settings_measures_form import definition_data, form_of, read_form
from bellwether.health.custom_changes import Draft, create_measure
from bellwether.health.custom_grammar import parse_definition
from bellwether.health.custom_measures import Custom
from bellwether.health.custom_registry import as_measure
from bellwether.health.formulas import parse_formula
from bellwether.health.models import CustomMeasure, MeasureValue
from bellwether.health.scorecard import Component
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage import services
from bellwether.usage.dirty import mark_facts
from bellwether.usage.lake import Lake
from tests.conftest import Clients, Staff
from tests.usage.rollup_twin import event, place

LIST, NEW, PREVIEW = "/settings/measures/", "/settings/measures/new/", "/settings/measures/preview/"
CASES = {"kind": "count", "events": ["Case Created"]}
FIELDS = {"name": "Cases made", "kind": "count", "events": "Case Created", "window": "30", "who": "people"}
EDIT = "/settings/measures/edit/cases_made/"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    caches["memory"].clear()
    yield
    caches["memory"].clear()


def as_user(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(response: Any) -> str:
    plain = re.sub(r"<(script|datalist).*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain))


@pytest.fixture
def usage(clients: Clients, lake: Lake) -> Lake:
    """Three cases of Ann at Sturdy and one at Elsewhere, which is Cleo's, within the last days."""
    now = timezone.now()
    made = [event(now - timedelta(days=n), "ann") for n in (1, 2, 3)]
    made += [event(now - timedelta(days=1), "cy", "elsewhere")]
    mark_facts(place(lake, made), now=now)
    services.roll_up_dirty(now=now, progress=NoProgress())
    return lake


@pytest.fixture
def measure(clients: Clients, lake: Lake) -> CustomMeasure:
    return create_measure(Draft("Cases made", CASES), actor=None, now=timezone.now())


def give(measure: CustomMeasure, clients: Clients, **values: float | None) -> None:
    for name, value in values.items():
        client = getattr(clients, name)
        MeasureValue.objects.create(client=client, measure=measure, date=timezone.now().date(), value=value)


@pytest.mark.django_db
class TestList:
    def test_begins_with_examples_of_what_clients_do(self, staff: Staff, usage: Lake) -> None:
        page = as_user(staff.adam).get(LIST)
        assert "No measures of your own yet" in text_of(page)
        links = re.findall(r'class="starter" href="([^"]+)"', page.content.decode())
        assert len(links) == 3
        filled = as_user(staff.adam).get(links[0].replace("&amp;", "&"))
        assert "Number of Case Created events of people in 30 days, divided by licensed users." in text_of(filled)

    def test_is_of_use_before_any_event(self, staff: Staff, lake: Lake) -> None:
        assert "Begin with an empty form" in text_of(as_user(staff.adam).get(LIST))

    def test_shows_sentence_unit_use_and_coverage(self, staff: Staff, measure: CustomMeasure, clients: Clients) -> None:
        give(measure, clients, sturdy=3, fading=None, elsewhere=8)
        assert "2 of 3" in text_of(as_user(staff.vera).get(LIST))
        text = text_of(as_user(staff.ada).get(LIST))  # who does not see Elsewhere
        assert "Number of Case Created events of people in 30 days." in text
        assert "No scorecard" in text
        assert "1 of 2" in text

    def test_says_that_raw_events_are_being_counted(self, staff: Staff, lake: Lake) -> None:
        create_measure(Draft("Who", {"kind": "users", "event": "A"}), actor=None, now=timezone.now())
        assert "Counting raw events" in text_of(as_user(staff.ada).get(LIST))

    def test_of_others_offer_no_change(self, staff: Staff, measure: CustomMeasure) -> None:
        page = as_user(staff.vera).get(LIST).content.decode()
        assert "Only administrators" in page
        assert "archive/" not in page

    def test_needs_somebody_signed_in(self, db: None) -> None:
        for path in (LIST, NEW, PREVIEW):
            assert Browser().get(path).status_code == 302


@pytest.mark.django_db
class TestSaving:
    def test_makes_a_measure_and_says_what_follows(self, staff: Staff, lake: Lake) -> None:
        response = as_user(staff.adam).post(NEW, FIELDS | {"action": "save"}, follow=True)
        assert "Cases made is saved." in text_of(response)
        row = CustomMeasure.objects.get()
        assert (row.slug, row.updated_by) == ("cases_made", staff.adam)
        assert parse_definition(row.definition) == parse_definition(CASES)

    def test_names_the_fields_and_keeps_what_was_typed(self, staff: Staff, lake: Lake) -> None:
        given = FIELDS | {"name": "", "slug": "mau", "window": "999", "where2": "plan", "is2": "greater", "value2": "x"}
        response = as_user(staff.adam).post(NEW, given)
        page = response.content.decode()
        assert response.status_code == 422
        assert not CustomMeasure.objects.exists()
        for name in ("name", "slug", "window", "where2"):
            assert f'id="error-{name}"' in page, name
        assert re.search(r'id="m-slug"[^>]* value="mau"', page)
        assert 'value="x"' in page

    def test_changes_it(self, staff: Staff, measure: CustomMeasure) -> None:
        as_user(staff.adam).post(EDIT, FIELDS | {"window": "7"})
        measure.refresh_from_db()
        assert (measure.version, measure.definition["window_days"]) == (2, 7)
        page = text_of(as_user(staff.adam).get(EDIT))
        assert "changed it, version 2" in page
        assert "made it, version 1" in page

    def test_takes_json_for_what_the_fields_cannot_say(self, staff: Staff, lake: Lake) -> None:
        far = {"kind": "ratio", "of": CASES, "per": {"kind": "users", "event": "A", "window_days": 7}}
        create_measure(Draft("Cases made", far), actor=None, now=timezone.now())
        page = as_user(staff.adam).get(EDIT).content.decode()
        assert 'name="json"' in page
        assert 'name="kind"' not in page
        refused = as_user(staff.adam).post(EDIT, {"name": "Cases made", "json": "{"})
        assert refused.status_code == 422
        assert 'id="error-json"' in refused.content.decode()
        as_user(staff.adam).post(EDIT, {"name": "Cases made", "json": '{"kind": "days_since"}'})
        assert CustomMeasure.objects.get().definition["kind"] == "days_since"

    def test_is_for_administrators(self, staff: Staff, measure: CustomMeasure) -> None:
        for user in (staff.ada, staff.vera):
            assert as_user(user).post(NEW, FIELDS | {"name": "Mine"}).status_code == 403
            assert as_user(user).post(EDIT, FIELDS | {"window": "7"}).status_code == 403
            assert as_user(user).post(EDIT + "archive/").status_code == 403
        assert CustomMeasure.objects.get().version == 1

    def test_of_nothing_does_not_exist(self, staff: Staff, measure: CustomMeasure) -> None:
        browser = as_user(staff.adam)
        assert browser.get("/settings/measures/edit/nothing/").status_code == 404
        assert browser.post("/settings/measures/edit/nothing/archive/").status_code == 404
        assert browser.post(EDIT + "burn/").status_code == 404


@pytest.mark.django_db
class TestArchiving:
    def test_can_be_undone(self, staff: Staff, measure: CustomMeasure) -> None:
        browser = as_user(staff.adam)
        page = text_of(browser.post(EDIT + "archive/", follow=True))
        assert "Restore it below to undo this." in page
        assert "Archived" in page
        assert "It is archived" in text_of(browser.get(EDIT))
        assert browser.post(EDIT, FIELDS).status_code == 422
        browser.post(EDIT + "restore/")
        measure.refresh_from_db()
        assert measure.archived_at is None
        done = AuditEvent.objects.filter(action__in=["measure.archive", "measure.restore"]).order_by("seq")
        assert [(one.action, one.actor_id) for one in done] == [
            ("measure.archive", staff.adam.pk), ("measure.restore", staff.adam.pk),
        ]  # fmt: skip


@pytest.mark.django_db
class TestPreview:
    def test_shows_the_readers_own_clients(self, staff: Staff, usage: Lake) -> None:
        text = text_of(as_user(staff.ada).get(PREVIEW, FIELDS))
        assert "Sturdy highest 3" in text
        assert "1 of 3 clients with a value" in text
        assert "Elsewhere" not in text
        assert "Elsewhere" in text_of(as_user(staff.vera).get(PREVIEW, FIELDS))
        assert AuditEvent.objects.filter(action="measure.preview").count() == 2

    def test_counts_raw_events_before_anything_is_saved(self, staff: Staff, usage: Lake) -> None:
        text = text_of(as_user(staff.ada).get(PREVIEW, FIELDS | {"kind": "users"}))
        assert "People with Case Created events in 30 days." in text
        assert "1 person" in text
        assert not CustomMeasure.objects.exists()

    def test_says_what_is_missing(self, staff: Staff, usage: Lake) -> None:
        text = text_of(as_user(staff.ada).get(PREVIEW, FIELDS | {"kind": "users", "events": ""}))
        assert "Not yet: Event is needed for users" in text

    def test_works_with_a_button_too_and_for_everybody(self, staff: Staff, usage: Lake) -> None:
        response = as_user(staff.ada).post(NEW, FIELDS | {"action": "preview"})
        assert response.status_code == 200
        assert "Sturdy highest 3" in text_of(response)
        assert not CustomMeasure.objects.exists()

    def test_never_breaks_on_what_is_sent(self, staff: Staff, usage: Lake) -> None:
        browser = as_user(staff.ada)
        for odd in (
            {"kind": "median"},
            {"json": "[" * 5000},
            {"json": "{}"},
            {"window": "-1"},
            {"where1": "'\"", "is1": "x"},
        ):
            assert browser.get(PREVIEW, FIELDS | odd).status_code == 200, odd

    def test_asks_the_database_a_fixed_number_of_times(
        self, staff: Staff, usage: Lake, django_assert_max_num_queries: Any
    ) -> None:
        browser = as_user(staff.vera)
        browser.get(PREVIEW, FIELDS)
        with django_assert_max_num_queries(14):
            browser.get(PREVIEW, FIELDS | {"window": "7"})


@pytest.mark.django_db
class TestPortfolio:
    @pytest.fixture(autouse=True)
    def values(self, measure: CustomMeasure, clients: Clients) -> None:
        give(measure, clients, sturdy=12, fading=3, newborn=None, elsewhere=50)

    def names(self, user: StaffUser, query: str) -> list[str]:
        page = as_user(user).get("/" + query).content.decode()
        return re.findall(r"data-stop[^>]*>([^<]+)</a>", page)

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("?m.cases_made=10..", ["Sturdy"]),
            ("?m.cases_made=..10", ["Fading"]),
            ("?m.cases_made=3..12", ["Fading", "Sturdy"]),
            ("?m.cases_made=3", ["Fading"]),
            ("?m.cases_made=*", ["Fading", "Sturdy"]),
            ("?m.nothing=1..", []),
            ("?measure=cases_made&measure_min=10&measure_max=", ["Sturdy"]),
        ],
    )
    def test_is_filtered(self, staff: Staff, query: str, names: list[str]) -> None:
        assert self.names(staff.ada, f"{query}&sort=name") == names

    def test_is_sorted_and_shows_the_values(self, staff: Staff) -> None:
        assert self.names(staff.ada, "?sort=-m.cases_made") == ["Sturdy", "Fading", "Newborn"]
        assert self.names(staff.ada, "?sort=m.cases_made") == ["Fading", "Sturdy", "Newborn"]
        assert "Cases made" in text_of(as_user(staff.ada).get("/?sort=m.cases_made"))

    def test_keeps_the_filter_in_its_links_and_shows_it_as_a_chip(self, staff: Staff) -> None:
        page = as_user(staff.ada).get("/?m.cases_made=3..&show=cards").content.decode()
        assert "Cases made</i>at least 3" in page
        assert all("m.cases_made=3.." in link for link in re.findall(r'href="(\?[^"]*sort=[^"]*)"', page))
        assert "?m.cases_made=3.." in re.findall(r'href="(\?[^"]*)"', page)

    @pytest.mark.parametrize(
        "query", ["?m.cases_made=many", "?m.Odd name=1..", "?m.cases_made=9..1", "?m.cases_made=.."]
    )
    def test_says_what_it_left_out(self, staff: Staff, query: str) -> None:
        response = as_user(staff.ada).get("/" + query)
        assert response.status_code == 200
        assert "It was left out." in text_of(response)

    def test_exports_the_filtered_list(self, staff: Staff) -> None:
        text = as_user(staff.ada).get("/clients.csv?m.cases_made=10..").content.decode()
        assert "Sturdy" in text
        assert "Fading" not in text


class TestForm:
    @pytest.mark.parametrize(
        "data",
        [
            CASES,
            {"kind": "users", "events": ["A", "B"], "module": "M", "feature": "f", "window_days": "all"},
            {"kind": "ratio", "of": CASES | {"window_days": 45}, "per": "seats", "unit": "points", "better": "lower"},
            {"kind": "ratio", "of": CASES, "per": {"kind": "count", "events": ["B"]}},
            {"kind": "days_since", "label": "late", "event": "A", "people_only": False},
            {"kind": "sum", "event": "A", "property": "n",
             "where": [{"property": "a", "is": "in", "value": ["x", "y"]},
                       {"property": "b", "is": "greater", "value": 2},
                       {"property": "c", "is": "exists"}]},
            {"kind": "last", "trait": "employees", "window_days": 7},
        ],
        ids=["count", "users", "seats", "events", "days since", "sum", "trait"],
    )  # fmt: skip
    def test_says_the_definition_it_was_made_of(self, data: Any) -> None:
        definition = parse_definition(data)
        form = form_of("N", "n", "", definition)
        assert not form.advanced
        sent = read_form(form.values)
        assert parse_definition(definition_data(sent)) == definition

    @pytest.mark.parametrize(
        "data",
        [
            {"kind": "ratio", "of": {"kind": "users", "event": "A"}, "per": "seats"},
            {"kind": "ratio", "of": CASES, "per": CASES | {"window_days": 7}},
            CASES | {"where": [{"property": p, "is": "exists"} for p in "abcd"]},
            CASES | {"where": [{"property": "a", "is": "in", "value": ["x, y", "z"]}]},
        ],
        ids=["people", "windows", "conditions", "commas"],
    )
    def test_falls_back_to_json(self, data: Any) -> None:
        definition = parse_definition(data)
        form = form_of("N", "n", "", definition)
        assert form.advanced
        assert parse_definition(definition_data(form)) == definition


class TestExamples:
    def test_are_of_events_that_several_clients_have(self) -> None:
        seen = [("Rare", 1), ("View", 9), ("Export", 5), ("Close", 4)]
        found = examples(seen, preferred={"Export", "Rare"})
        assert [one.name for one in found] == ["Export for each seat", "People with View", "Days since Close"]

    def test_are_few_where_little_is_known(self) -> None:
        assert examples([], preferred=()) == []
        assert len(examples([("Only", 1)], preferred=())) == 3


class TestExplanation:
    def test_names_a_measure_of_the_workspace_with_its_version(self) -> None:
        component = Component(
            "usage", "Usage", 25, parse_formula({"kind": "scale", "measure": "cases_made", "factor": 10})
        )
        custom = Custom("cases_made", "Cases made", parse_definition(CASES), version=2)
        why = explain_component(
            component,
            {"cases_made": 3.0, "cases_made.version": 2},
            no_data=False,
            made="Today.",
            customs={"cases_made": as_measure(custom)},
        )
        (shown,) = why.inputs
        assert "cases made" in why.formula
        assert (shown.label, shown.value) == ("Cases made", "3")
        assert "Number of Case Created events of people in 30 days. Version 2" in shown.definition
