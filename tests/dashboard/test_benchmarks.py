"""The pages of benchmarks, both roles."""

import pytest
from django.core.cache import caches
from django.urls import reverse

from bellwether.benchmarks.models import Cohort
from bellwether.dashboard.benchmarks_view import ordinal
from bellwether.staff.models import AuditEvent
from tests.benchmarks.builders import make_portfolio

PAGE = "/benchmarks/"


@pytest.fixture(autouse=True)
def _no_figures_of_before():
    caches["memory"].clear()
    yield
    caches["memory"].clear()


@pytest.fixture
def made(staff):
    scores = {"Own & Co": 58, "A": 50, "B": 70, "C": 70, "D": 80, "E": 90, "F": 60}
    rows = [
        (name, staff.ada if name == "Own & Co" else staff.cleo, "ENTERPRISE", "Energy", 300,
         {"health": float(score), "usage_intensity": 50.0 if name == "Own & Co" else 72.0})
        for name, score in scores.items()
    ]  # fmt: skip
    rows += [(f"S{place}", staff.cleo, "STARTER", "Media", 300, {"health": 70.0}) for place in range(4)]
    rows += [(f"T{place}", staff.cleo, "PROFESSIONAL", "Retail", 300, {"health": 70.0}) for place in range(6)]
    return make_portfolio(rows)


def test_the_first_visible_client_against_its_tier(client, staff, made):
    client.force_login(staff.ada)
    page = client.get(PAGE).content.decode()
    assert "Position among 6 Enterprise clients" in page
    assert "Health score 58, median 70, P25 63, P75 78, 6 peers" in page
    assert ">17<small" in page  # 100 / 6
    assert "5 more monthly users" in page  # 22 % of 20 seats are 4.4
    assert "Own &amp; Co" in page
    assert not any(f">{name}<" in page for name in "ABCDEF")
    assert AuditEvent.objects.filter(action="benchmark.read", client_id=made["Own & Co"].pk).count() == 1


@pytest.mark.parametrize("address", ["benchmarks", "benchmarks_export", "benchmarks_count"])
def test_another_csms_client_does_not_exist(client, staff, made, address):
    client.force_login(staff.cleo)
    assert client.get(reverse(address), {"client": made["Own & Co"].pk}).status_code == 404


def test_a_small_group_is_locked_and_a_larger_one_offered(client, staff, made):
    client.force_login(staff.vera)
    page = client.get(PAGE, {"client": made["S0"].pk}).content.decode()
    assert "This group is too small to show" in page
    assert "It has 3 peers." in page
    assert "Use same size, 16 peers" in page


def test_a_client_is_found_by_name(client, staff, made):
    client.force_login(staff.ada)
    answer = client.get(PAGE, {"find": "own", "cohort": "size"})
    assert answer.url == f"{PAGE}?client={made['Own & Co'].pk}&cohort=size"
    assert "No client of that name" in client.get(PAGE, {"find": "S1"}).content.decode()
    client.force_login(staff.vera)
    assert "Clients named like S" in client.get(PAGE, {"find": "S"}).content.decode()


def test_a_group_that_cannot_be_used_says_why(client, staff, made):
    client.force_login(staff.ada)
    page = client.get(PAGE, {"cohort": "custom", "size": "huge"})
    assert page.status_code == 200
    assert "is no band" in page.content.decode()


def test_the_count_follows_the_choosing(client, staff, made):
    client.force_login(staff.ada)
    query = {"client": made["Own & Co"].pk}
    assert "6 peers" in client.get(reverse("benchmarks_count"), query | {"tier": "ENTERPRISE"}).content.decode()
    assert "It has 4 peers." in client.get(reverse("benchmarks_count"), query | {"tier": "STARTER"}).content.decode()
    assert "Choose at least one" in client.get(reverse("benchmarks_count"), query).content.decode()


def test_a_group_is_saved_archived_and_had_back(client, staff, made):
    client.force_login(staff.ada)
    own = str(made["Own & Co"].pk)
    given = {"client": own, "name": "Large", "tier": "ENTERPRISE"}
    answer = client.post(reverse("benchmarks_save"), given)
    row = Cohort.objects.get()
    assert row.filters == {"tier": ["ENTERPRISE"]}
    assert f"custom%3A{row.pk}" in answer.url
    assert "Position among 6 clients of Large" in client.get(answer.url).content.decode()
    page = client.post(reverse("benchmarks_group", args=[row.pk, "archive"]), {"client": own}, follow=True)
    assert "Archived Large." in page.content.decode()
    client.post(reverse("benchmarks_group", args=[row.pk, "restore"]), {"client": own})
    assert Cohort.objects.get().archived_at is None
    client.force_login(staff.cleo)
    assert client.post(reverse("benchmarks_group", args=[row.pk, "archive"])).status_code == 404
    assert client.get(reverse("benchmarks_group", args=[row.pk, "archive"])).status_code == 405


def test_the_export_has_no_lowest_and_highest_for_a_csm(client, staff, made):
    query = {"client": made["Own & Co"].pk}
    client.force_login(staff.ada)
    line = client.get(reverse("benchmarks_export"), query).content.decode().splitlines()[1].split(",")
    assert line[5:14] == ["58.0", "6", "16.6667", "62.5", "70.0", "77.5", "70.0", "", ""]
    client.force_login(staff.vera)
    line = client.get(reverse("benchmarks_export"), query).content.decode().splitlines()[1].split(",")
    assert line[12:14] == ["50.0", "90.0"]


def test_industries_of_all_and_of_the_own(client, staff, made):
    client.force_login(staff.vera)
    page = client.get(reverse("benchmarks_industries")).content.decode()
    assert "4 of 5 clients needed" in page  # Media
    assert "A health score of <b>75</b> or more" in page  # 50 58 60 70 70 80 90: place 4.5
    assert '<li><span class="grow">E</span></li>' in page
    client.force_login(staff.ada)
    page = client.get(reverse("benchmarks_industries")).content.decode()
    assert '<li><span class="grow">E</span></li>' not in page
    page = client.get(reverse("benchmarks_industries"), {"of": "own"}).content.decode()
    assert "1 of 5 clients needed" in page
    assert ">Media<" not in page
    lines = client.get(reverse("benchmarks_industries_export"), {"of": "own"}).content.decode().splitlines()
    assert len(lines) == 3


def test_before_the_first_night(client, staff, clients):
    client.force_login(staff.ada)
    assert "No figures yet" in client.get(PAGE).content.decode()
    assert "No figures yet" in client.get(reverse("benchmarks_industries")).content.decode()


def test_somebody_without_clients(client, staff, made):
    client.force_login(staff.ben if not staff.ben.team_id else staff.ed)
    assert "No clients to compare" in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("rank", "ending"), [(1, "st"), (2, "nd"), (3, "rd"), (4, "th"), (11, "th"), (13, "th"), (21, "st"), (100, "th")]
)
def test_ranks_read_as_people_say_them(rank, ending):
    assert ordinal(rank) == ending
