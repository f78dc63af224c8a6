"""Features of past days: what each day knew, whatever came later, however many days are read at once."""

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from django.test.utils import CaptureQueriesContext
from polars.testing import assert_frame_equal

from bellwether.churn import kept_rows, reading
from bellwether.churn.factors import SLUGS
from bellwether.churn.features import FEATURE_ROWS, MEASURES
from bellwether.churn.reading import read_endings, read_features
from bellwether.churn.thinning import thin
from bellwether.common.progress import NoProgress
from bellwether.health.known_measures import KnownDays, known_measures
from bellwether.health.replay import replay_measures
from bellwether.portfolio.contracts import Churn, mark_churned
from bellwether.portfolio.models import Client, ClientOutcome, Contact, ContractPeriod, SupportTicket
from bellwether.usage.erasure_lake import CountedProperties, Substitution, erase_facts
from bellwether.usage.lake import Lake
from tests.conftest import NOW, Clients, Staff
from tests.health.leak_world import AFTER, AS_OF, LATER, deliver, later_events, make_world
from tests.usage.rollup_twin import Event, event

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
EVENING = datetime(2026, 5, 10, 20, tzinfo=UTC)


def made(clients: Clients, lake: Lake, *, scores: bool) -> Lake:
    make_world(clients, lake, customs=False, scores=scores)
    Contact.objects.filter(external_id="k").update(user_key="ann")
    SupportTicket.objects.filter(external_id="t0").update(solved_at=AFTER, status="solved")
    return lake


@pytest.fixture
def world(clients: Clients, lake: Lake) -> Lake:
    return made(clients, lake, scores=True)


@pytest.fixture
def use(clients: Clients, lake: Lake) -> Lake:
    """The world without stored scores, and so without what the CRM said on past days."""
    return made(clients, lake, scores=False)


def random_events(seed: int, count: int = 25) -> list[Event]:
    """Return events of any people from 2025 to 30 May 2026, of which many arrive days or months late."""
    drawn = random.Random(seed)
    found = []
    for _ in range(count):
        ts = datetime(2026, 5, 30, tzinfo=UTC) - timedelta(minutes=drawn.randint(0, 60 * 24 * drawn.choice((20, 200))))
        late = timedelta(hours=drawn.choice((0, 0, 5, 60, 24 * 30, 24 * 150)))
        user, organization = drawn.choice(("ann", "fay", "zoe")), drawn.choice(("sturdy", "fading", "newborn"))
        name = drawn.choice(("Case Created", "Case Closed"))
        found.append(event(ts, user, organization, event=name, received_at=ts + late))
    return found


def forget(lake: Lake) -> None:
    """Remove the rows that were kept, so that they are made again."""
    shutil.rmtree(lake.folder / "churn_rows")


def row(rows: pl.DataFrame, client: Client, day: date) -> dict[str, Any]:
    (found,) = rows.filter(client_id=client.pk.hex, as_of=day).iter_rows(named=True)
    return found


class TestNothingLaterChangesARow:
    def test_neither_events_nor_records_of_any_kind(self, world: Lake, clients: Clients) -> None:
        today = read_features(AS_OF[2:], now=EVENING)
        before = read_features(AS_OF, now=NOW)
        hindsight = read_features(AS_OF, now=NOW, as_known=False)
        deliver(world, later_events(), "late")
        for arrive in LATER.values():
            arrive(clients)
        SupportTicket.objects.filter(external_id="t1").update(solved_at=AFTER, status="solved")
        forget(world)
        after = read_features(AS_OF, now=NOW)
        assert_frame_equal(before, after, check_exact=True)
        # What the call gave on the day itself is what it gives of that day for ever, where there are contract terms.
        terms = pl.col("client_id").is_in([clients.sturdy.pk.hex, clients.fading.pk.hex])
        assert_frame_equal(today.filter(terms), after.filter(terms, as_of=AS_OF[2]), check_exact=True)
        # What was added could have been seen: with everything that is there today it shows.
        now_seen = read_features(AS_OF, now=NOW, as_known=False)
        both = hindsight.join(now_seen, on=["client_id", "as_of"], suffix="_now")
        changed = {slug for slug in SLUGS if not both[slug].equals(both[f"{slug}_now"].alias(slug))}
        assert changed >= {
            "usage_change_month", "usage_change_week", "seat_use", "daily_users", "days_since_use", "lead_user_share",
            "feature_share_used", "ticket_ratio", "open_tickets", "csat_90d", "nps_latest", "days_since_contact",
            "stakeholder_coverage", "days_to_renewal", "licensed_users",
        }  # fmt: skip

    def test_nor_that_the_client_left_within_its_term(self, use: Lake, clients: Clients, staff: Staff) -> None:
        Client.objects.filter(pk=clients.sturdy.pk).update(contract_start_date=date(2025, 7, 1))  # as its first term
        before = read_features(AS_OF, now=NOW)
        assert row(before, clients.sturdy, AS_OF[2])["days_to_renewal"] == (date(2026, 6, 30) - AS_OF[2]).days
        left = date(2026, 6, 15)
        mark_churned(clients.sturdy, Churn(date=left, reason="Price"), actor=staff.adam, today=NOW.date(), now=NOW)
        assert ContractPeriod.objects.filter(client=clients.sturdy).latest("start_date").end_date == left
        forget(use)
        assert_frame_equal(before, read_features(AS_OF, now=NOW), check_exact=True)
        slow = pl.concat(replay_measures(AS_OF, now=NOW, scorecards=[], as_known=True))
        known = slow.filter(client_id=clients.sturdy.pk.hex, date=AS_OF[2])["days_to_renewal"].item()
        assert known == (date(2026, 6, 30) - AS_OF[2]).days


class TestManyDaysAtOnce:
    def test_are_what_each_day_alone_is(self, world: Lake, clients: Clients) -> None:
        deliver(world, [*later_events(), *random_events(1)], "late")
        for arrive in LATER.values():
            arrive(clients)
        days = [date(2026, 1, 10), *(date(2026, 5, day) for day in (10, 20))]
        fast = [
            known.measures.select("client_id", "date", *MEASURES)
            for known in known_measures(days, slugs=MEASURES, now=NOW)
        ]
        slow = [
            frame.select("client_id", "date", *MEASURES)
            for frame in replay_measures(days, now=NOW, scorecards=[], as_known=True)
        ]
        order = ["date", "client_id"]
        assert_frame_equal(pl.concat(fast).sort(order), pl.concat(slow).sort(order), check_exact=True)
        together = read_features(days, now=NOW)
        forget(world)
        assert_frame_equal(together.filter(as_of=days[1]), read_features([days[1]], now=NOW), check_exact=True)


def test_values_of_some_clients_and_of_all(use: Lake, clients: Clients, django_assert_max_num_queries: Any) -> None:
    mine = clients.sturdy.pk.hex
    with django_assert_max_num_queries(60) as few:
        everybody = read_features(AS_OF, now=NOW)
    assert_frame_equal(
        read_features(AS_OF, now=NOW, client_ids=[mine]), everybody.filter(client_id=mine), check_exact=True
    )
    assert read_features([], now=NOW).schema == everybody.schema == pl.Schema(FEATURE_ROWS)
    day = AS_OF[2]
    found = row(everybody, clients.sturdy, day)
    assert found["champion_quiet_days"] == 2  # ann began on the evening of 7 May and ended after midnight
    assert found["tenure_days"] == (day - date(2024, 7, 1)).days
    assert found["days_to_renewal"] == (date(2026, 6, 30) - day).days
    assert found["licensed_users"] == 20
    assert found["payment_late"] is None

    # However many clients there are, the queries are the same.
    forget(use)
    for n in range(20):
        Client.objects.create(name=f"Client {n}", organization_id=f"more-{n}")
    assert isinstance(few, CaptureQueriesContext)
    with django_assert_max_num_queries(len(few)):
        read_features(AS_OF, now=NOW)

    # The client's own record says what holds today: one that renewed has its next renewal there.
    forget(use)
    ContractPeriod.objects.all().delete()
    Client.objects.update(next_renewal_date=date(2027, 6, 30), licensed_user_count=30)
    rows = read_features([day, NOW.date()], now=NOW)
    then, today = (row(rows, clients.sturdy, one) for one in (day, NOW.date()))
    assert (then["days_to_renewal"], then["licensed_users"], then["seat_use"]) == (None, None, None)
    assert (today["days_to_renewal"], today["licensed_users"]) == (365, 30)


class TestKeptRows:
    def test_stand_in_for_days_that_are_past(
        self, use: Lake, clients: Clients, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        made: list[date] = []

        def watched(dates: list[date], **more: Any) -> Iterator[KnownDays]:
            made.extend(dates)
            return known_measures(dates, **more)

        monkeypatch.setattr(reading, "known_measures", watched)

        def again(days: list[date] = AS_OF, now: datetime = NOW) -> tuple[pl.DataFrame, list[date]]:
            made.clear()
            return read_features(days, now=now), list(made)

        early, days = again(AS_OF[2:], EVENING + timedelta(days=1))
        assert again(AS_OF[2:], EVENING + timedelta(days=1))[1] == days == AS_OF[2:]  # may still be counted
        first, days = again()
        assert days == AS_OF
        assert_frame_equal(first.filter(as_of=AS_OF[2]), early, check_exact=True)
        second, days = again()
        assert days == []
        assert_frame_equal(first, second, check_exact=True)

        # An import brings a ticket of April: it counts from then on, and its undo takes it away again.
        ticket = SupportTicket.objects.create(
            client=clients.sturdy, external_id="late", opened_at=datetime(2026, 4, 20, tzinfo=UTC)
        )
        third, days = again()
        assert days == AS_OF[1:]
        assert row(third, clients.sturdy, AS_OF[1])["open_tickets"] == 1
        ticket.delete()
        fourth, days = again()
        assert days == AS_OF[1:]
        assert_frame_equal(first, fourth, check_exact=True)

        # Events of May change no earlier day, and what is read anew is the same.
        deliver(use, [event(AFTER, "ann", "sturdy")], "may")
        assert again()[1] == AS_OF[2:]
        # Other definitions make other rows, and the old ones go.
        monkeypatch.setattr(kept_rows, "EDITION", 99)
        fifth, days = again()
        assert days == AS_OF
        assert_frame_equal(first, fifth, check_exact=True)
        assert len(list((use.folder / "churn_rows").glob("version=*"))) == 1
        assert len(list((use.folder / "churn_rows").glob("*/*.parquet"))) == 3

        # Erasing a person removes them: when a champion was last seen is about one person.
        assert row(fifth, clients.sturdy, AS_OF[2])["champion_quiet_days"] == 2
        ann = Substitution("ann", "nobody", b"secret", CountedProperties({}, frozenset()))
        erase_facts(use, ann, progress=NoProgress())
        Contact.objects.filter(user_key="ann").update(user_key="")
        assert not list((use.folder / "churn_rows").glob("*/*.parquet"))
        sixth, days = again()
        assert days == AS_OF
        assert row(sixth, clients.sturdy, AS_OF[2])["champion_quiet_days"] is None

        # They go with the scores of their days.
        settings.BELLWETHER_KEEP_SCORES_DAYS = 70
        thin(now=NOW)
        kept = sorted(path.name[:10] for path in (use.folder / "churn_rows").glob("*/*.parquet"))
        assert kept == ["2026-04-30", "2026-05-10"]


def test_endings_keep_clients_that_came_back(clients: Clients) -> None:
    ContractPeriod.objects.create(
        client=clients.sturdy, external_id="1", start_date=date(2025, 7, 1), end_date=date(2026, 6, 30)
    )
    ClientOutcome.objects.create(
        client=clients.sturdy, outcome="CHURNED", date=date(2026, 2, 1), reason_code="PRICE", arr_before=12_000
    )
    ContractPeriod.objects.create(client=clients.sturdy, external_id="2", start_date=date(2026, 4, 1))
    ClientOutcome.objects.create(client=clients.fading, outcome="CHURNED", date=date(2026, 6, 1), arr_before=5)
    endings = read_endings()
    left = {(one["client_id"], one["left_on"]): one for one in endings.left.iter_rows(named=True)}
    assert left[clients.sturdy.pk.hex, date(2026, 2, 1)]["arr"] == 12_000
    assert left[clients.sturdy.pk.hex, date(2026, 2, 1)]["reason_code"] == "PRICE"
    gone = dict(endings.last_days.iter_rows())
    assert clients.sturdy.pk.hex not in gone
    assert gone[clients.fading.pk.hex] == date(2026, 6, 1)
    terms = {(one["client_id"], one["term_end"]): one["outcome"] for one in endings.terms.iter_rows(named=True)}
    assert terms[clients.sturdy.pk.hex, date(2026, 6, 30)] == "CHURNED"
