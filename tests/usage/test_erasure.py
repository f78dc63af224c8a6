"""Erasing a person: nothing leads back to them, and no figure changes."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from django.utils import timezone
from typer.testing import CliRunner

from bellwether.common.jobs import run_job
from bellwether.common.progress import NoProgress
from bellwether.health.models import HealthScore
from bellwether.health.services import score_dates
from bellwether.portfolio.choices import PaymentStatus
from bellwether.portfolio.models import Activity, Contact, SurveyResponse
from bellwether.staff.models import AuditEvent
from bellwether.usage import erasure as erasure_module
from bellwether.usage import erasure_lake, facts, lake_jobs, services
from bellwether.usage.erasure import ErasureError, erase, find_person, finish_erasures
from bellwether.usage.erasure_lake import CountedProperties
from bellwether.usage.facts import KINDS, read_month, stored_months
from bellwether.usage.flush import flush
from bellwether.usage.lake import Lake
from bellwether.usage.landing import index_of, land
from bellwether.usage.models import (
    CustomFact,
    DirtyDate,
    Erasure,
    ErasureState,
    EventBatch,
    PlatformUser,
    RejectedEvent,
)
from bellwether.usage.pseudonyms import pseudonym
from bellwether.usage.spool import store
from bellwether.usage.spool_format import Batch, Reject, SpooledEvent, microseconds, pack
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db(databases="__all__")

ZONE = ZoneInfo("UTC")
ANN, BOB = "a" * 32, "b" * 32
DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)


def spooled(number: int, at: datetime, user: str | None, **fields: Any) -> None:
    defaults: dict[str, Any] = {
        "organization_id": "sturdy", "is_service": False, "type": "track", "event": "Case Created", "module": "Cases",
        "feature": None, "role": None, "sent_at": None, "original_ts": None, "properties": '{"note":"from Ann"}',
    }  # fmt: skip
    one = SpooledEvent(message_id=f"m{number}", user_key=user, ts=microseconds(at), **(defaults | fields))
    store([(at, "web", 1, pack(Batch([one], [], "")))])


def flushed(lake: Lake) -> None:
    flush(lake=lake, zone=ZONE, now=NOW)


@pytest.fixture
def used(lake: Lake, clients: Clients) -> Lake:
    """Ann and Bob over two months and two clients, Ann across midnight too, counted."""
    for number in range(40):
        at = NOW - number % 13 * 3 * DAY - timedelta(hours=number % 7)
        spooled(number, at, (ANN, BOB)[number % 2], organization_id=("sturdy", "fading")[number % 3 == 0])
    spooled(200, datetime(2026, 6, 3, 23, 50, tzinfo=UTC), ANN)
    spooled(201, datetime(2026, 6, 4, 0, 10, tzinfo=UTC), ANN)
    closed = {"event": "Case Closed", "properties": '{"sla_status":"on_track"}'}
    spooled(202, datetime(2026, 6, 4, 9, 0, tzinfo=UTC), ANN, **closed)
    spooled(203, datetime(2026, 6, 4, 9, 0, tzinfo=UTC), None)
    flushed(lake)
    services.roll_up_dirty(now=NOW, progress=NoProgress())
    return lake


def raw(lake: Lake) -> pl.DataFrame:
    return lake.scan([path for day in lake.event_dates() for path, _ in lake.parts_of(day)]).collect()


def figures(lake: Lake) -> list[Any]:
    """Return all facts; people by their figures alone."""
    user_days = facts.read_user_days(lake, FIRST, LAST)
    return [
        facts.read_client_days(lake, FIRST, LAST).rows(),
        facts.read_event_days(lake, FIRST, LAST).rows(),
        sorted(user_days.drop("user_key").rows(), key=repr),
        sorted(user_days.group_by("organization_id", "user_key").agg(pl.len(), pl.col("actions").sum())["actions"]),
    ]


def keys_in(lake: Lake) -> set[str | None]:
    """Return every user key in the files of the lake."""
    found = set(raw(lake)["user_key"])
    for kind in [kind for kind, schema in KINDS.items() if "user_key" in schema]:
        for month in stored_months(lake, kind):
            found |= set(read_month(lake, kind, month)["user_key"])
    return found


def erased(key: str = ANN, **options: Any) -> Erasure:
    return erase(key, actor=None, now=NOW, **options)


class TestErase:
    def test_leaves_nothing_of_the_person_in_the_lake(self, used: Lake) -> None:
        row = erased()
        assert keys_in(used) == {row.replacement, BOB, None}
        theirs = raw(used).filter(pl.col("user_key") == row.replacement)
        assert theirs.height == 20 + 3
        assert all(message.startswith("erased-") for message in theirs["message_id"])
        assert theirs.filter(pl.col("event") == "Case Created")["properties"].unique().to_list() == [None]
        assert row.counts["events"] == 23

    def test_leaves_the_others_as_they_were(self, used: Lake) -> None:
        others = (pl.col("user_key") != ANN) | pl.col("user_key").is_null()
        before = raw(used).filter(others).sort("message_id").rows()
        row = erased()
        after = raw(used).filter((pl.col("user_key") != row.replacement) | pl.col("user_key").is_null())
        assert after.sort("message_id").rows() == before

    def test_changes_no_figure(self, used: Lake) -> None:
        before = figures(used)
        erased()
        assert figures(used) == before
        assert not DirtyDate.objects.exists()

    def test_changes_no_figure_when_all_is_counted_anew(self, used: Lake) -> None:
        before = figures(used)
        erased()
        stored = {kind: [read_month(used, kind, m) for m in stored_months(used, kind)] for kind in KINDS}
        services.roll_up(used, used.event_dates(), progress=NoProgress())
        assert figures(used) == before
        for kind, months in stored.items():  # what was replaced in the facts is what counting gives
            for month, frame in zip(stored_months(used, kind), months, strict=True):
                assert read_month(used, kind, month).equals(frame)

    def test_changes_no_score(self, used: Lake, clients: Clients) -> None:
        clients.sturdy.payment_status, clients.sturdy.licensed_modules = PaymentStatus.CURRENT, ["Cases"]
        clients.sturdy.save()
        SurveyResponse.objects.create(client=clients.sturdy, kind="NPS", score=9, respondent="kim", answered_at=NOW)
        Activity.objects.create(
            client=clients.sturdy, activity_type="CALL", subject="Check-in", occurred_at=NOW - DAY, completed_at=NOW
        )
        days = [TODAY - n * DAY for n in range(40)]
        score_dates(days, now=NOW, progress=NoProgress())
        fields = ("client_id", "date", "overall_score", "components", "inputs")
        before = list(HealthScore.objects.order_by("client_id", "date").values_list(*fields))
        assert any(score is not None for _, _, score, _, _ in before)
        erased()
        services.roll_up(used, used.event_dates(), progress=NoProgress())
        assert score_dates(days, now=NOW, progress=NoProgress()).changed == 0
        assert list(HealthScore.objects.order_by("client_id", "date").values_list(*fields)) == before

    def test_keeps_the_properties_that_are_counted(self, used: Lake) -> None:
        CustomFact.objects.create(
            digest="d",
            spec={"attribute": "amount", "where": [{"attribute": "kind", "comparison": "exists", "values": []}]},
            requested_at=NOW,
        )
        spooled(300, NOW, ANN, properties='{"amount":3,"kind":"x","note":"private"}')
        row = erased()
        closed = raw(used).filter((pl.col("user_key") == row.replacement) & pl.col("properties").is_not_null())
        assert closed.sort("ts")["properties"].to_list() == ['{"sla_status":"on_track"}', '{"amount":3,"kind":"x"}']

    def test_flushes_first_what_waits(self, used: Lake) -> None:
        spooled(301, NOW, ANN)
        row = erased()
        assert not EventBatch.objects.exists()
        assert row.counts["events"] == 24

    def test_takes_the_person_out_of_the_database(self, used: Lake, clients: Clients) -> None:
        Contact.objects.create(client=clients.sturdy, name="Ann Example", user_key=ANN)
        for number, name in enumerate((ANN, "ann@sturdy.example")):
            SurveyResponse.objects.create(
                client=clients.sturdy, kind="NPS", score=9, respondent=name, answered_at=NOW, external_id=f"s{number}"
            )
        RejectedEvent.objects.create(
            received_at=NOW, source="web", reason="no", sample={"properties": {"by": ["ann@sturdy.example"]}}
        )
        RejectedEvent.objects.create(received_at=NOW, source="web", reason="no", sample={"properties": {"by": "bob"}})
        row = erased(user_id="ann@sturdy.example")
        assert sorted(PlatformUser.objects.values_list("user_key", flat=True).distinct()) == sorted(
            [BOB, row.replacement]
        )
        assert Contact.objects.get().user_key == ""
        assert not SurveyResponse.objects.filter(respondent__in=[ANN, "ann@sturdy.example"]).exists()
        assert len(set(SurveyResponse.objects.values_list("respondent", flat=True))) == 2
        assert sorted(str(sample) for sample in RejectedEvent.objects.values_list("sample", flat=True)) == [
            "{'properties': {'by': 'bob'}}",
            "{}",
        ]
        assert {name: row.counts[name] for name in ("users", "contacts", "answers", "rejects")} == {
            "users": 2, "contacts": 1, "answers": 2, "rejects": 1
        }  # fmt: skip

    def test_remembers_only_that_it_happened(self, used: Lake, staff: Staff) -> None:
        row = erase(ANN, reason="asked by letter", actor=staff.adam, now=NOW)
        row.refresh_from_db()
        assert (row.state, row.user_key, row.secret) == (ErasureState.DONE, "", "")
        entry = AuditEvent.objects.get(action="person.erase")
        assert (entry.object_id, entry.detail["events"], entry.detail["reason"]) == (str(row.pk), 23, "asked by letter")
        assert ANN not in str(entry.detail)

    def test_refuses_a_reason_that_names_the_person(self, used: Lake) -> None:
        with pytest.raises(ErasureError, match="reason names the person"):
            erased(user_id="ann", reason="ann asked for it")
        assert not Erasure.objects.exists()

    def test_says_that_there_is_nobody(self, used: Lake) -> None:
        with pytest.raises(ErasureError, match="Nothing is stored"):
            erased("c" * 32)
        assert not Erasure.objects.exists()

    def test_finds_nothing_the_second_time(self, used: Lake) -> None:
        erased()
        with pytest.raises(ErasureError, match="Nothing is stored"):
            erased()
        assert Erasure.objects.count() == 1

    def test_counts_copies_of_a_message_once_afterwards(self, used: Lake) -> None:
        day = date(2026, 6, 4)
        (path, _), *_ = used.parts_of(day)
        copy = path.with_name("copy.parquet")
        assert not isinstance(copy, str)
        copy.write_bytes(path.read_bytes())
        before = figures(used)
        erased()
        services.roll_up(used, [day], progress=NoProgress())
        assert figures(used) == before

    def test_removes_what_a_killed_writer_left(self, used: Lake) -> None:
        left = used.events_of(date(2026, 6, 4)) / ".flush-1.parquet.77.tmp"
        left.write_text(ANN)
        erased()
        assert not left.exists()

    @pytest.mark.sqlite_only
    def test_removes_what_a_killed_rollup_left(self, used: Lake) -> None:
        spill = used.folder / ".spill"
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        dead, living = (spill / f"scratch-x-{pid}" for pid in (ended.pid, os.getpid()))
        for folder in (dead, living):
            folder.mkdir(parents=True)
        erased()
        assert (dead.exists(), living.exists()) == (False, True)


class TestLateCopies:
    def test_of_an_erased_message_are_dropped(self, used: Lake) -> None:
        erased()
        spooled(200, datetime(2026, 6, 3, 23, 50, tzinfo=UTC), ANN)
        flushed(used)
        assert ANN not in keys_in(used)

    def test_of_an_import_bring_nobody_back_and_take_nothing_away(self, lake: Lake, clients: Clients) -> None:
        rows = [("x1", ANN), ("x2", BOB)]
        at = NOW - 90 * DAY
        table = pl.DataFrame(
            {
                "message_id": [name for name, _ in rows], "organization_id": "sturdy", "user_key": [u for _, u in rows],
                "is_service": False, "type": "track", "event": "E", "module": None, "feature": None, "role": None,
                "ts": at, "received_at": at, "sent_at": None, "original_ts": None, "source": "file", "properties": None,
            },
            schema_overrides={"sent_at": pl.Datetime("us", "UTC"), "original_ts": pl.Datetime("us", "UTC")},
        ).to_arrow()  # fmt: skip

        def bring(days_later: int) -> int:
            today = TODAY + days_later * DAY
            return land(table, lake=lake, part="import-1", index=index_of(lake, today), zone=ZONE).new_rows

        bring(0)
        row = erased()
        assert bring(0) == bring(29) == 0
        assert sorted(raw(lake)["user_key"]) == sorted([BOB, row.replacement])
        assert bring(31) == 1  # as the documentation says: then the file brings the person back

    def test_of_new_use_make_a_new_person(self, used: Lake) -> None:
        erased()
        spooled(400, NOW, ANN)
        flushed(used)
        assert ANN in keys_in(used)
        assert erased().counts["events"] == 1


class TestFind:
    def test_counts_without_changing_anything(self, used: Lake) -> None:
        before = raw(used).rows()
        found = find_person(ANN)
        assert (found.events, found.users) == (23, 2)
        assert found.fact_rows == 19 + 4  # her days at both clients, and the months in which each saw her first
        assert raw(used).rows() == before
        assert not Erasure.objects.exists()


CRASHES = [
    ("erasure_lake", "write_part", 1),
    ("erasure_lake", "write_part", 7),
    ("erasure_lake", "store_month", 1),
    ("erasure_lake", "store_month", 3),
    ("erasure", "erase_facts", 1),
    ("erasure", "record", 1),
]


class TestCutOff:
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize(("module", "name", "nth"), CRASHES, ids=[f"{m}-{n}-{i}" for m, n, i in CRASHES])
    def test_is_finished_by_the_next_run(
        self, used: Lake, monkeypatch: pytest.MonkeyPatch, module: str, name: str, nth: int, when: str
    ) -> None:
        before, where = figures(used), {"erasure": erasure_module, "erasure_lake": erasure_lake}[module]
        original, calls = getattr(where, name), []

        def dying(*arguments: Any, **options: Any) -> Any:
            calls.append(1)
            if when == "before" and len(calls) == nth:
                raise KeyboardInterrupt
            result = original(*arguments, **options)
            if len(calls) == nth:
                raise KeyboardInterrupt
            return result

        with monkeypatch.context() as patch:
            patch.setattr(where, name, dying)
            with pytest.raises(KeyboardInterrupt):
                erased()
        assert Erasure.objects.get().state == ErasureState.WAITING
        row = erased()
        assert keys_in(used) == {row.replacement, BOB, None}
        assert figures(used) == before
        assert Erasure.objects.count() == AuditEvent.objects.filter(action="person.erase").count() == 1
        services.roll_up(used, used.event_dates(), progress=NoProgress())
        assert figures(used) == before

    def test_is_finished_before_the_next_rollup_counts(self, used: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        before = figures(used)
        with monkeypatch.context() as patch:
            patch.setattr(erasure_module, "erase_facts", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                erased()
        services.roll_up_dates(date(2026, 6, 1), TODAY, now=NOW)
        assert figures(used) == before
        assert Erasure.objects.get().state == ErasureState.DONE
        assert finish_erasures(used, now=NOW, progress=NoProgress()) == 0

    def test_is_finished_by_the_job(self, used: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(erasure_module, "erase_facts", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                erased()
        assert lake_jobs.finish_cut_off_erasures is not None
        assert run_job("erasure", now=NOW) == {"erasures": 1}
        assert run_job("erasure", now=NOW) == {}
        assert ANN not in keys_in(used)


class TestCountedProperties:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ('{"a":1,"b":2,"c":3}', '{"a":1,"b":2}'),
            ('{"c":3}', None),
            ("{}", None),
            (None, None),
            ("[1]", None),
            ("no json", None),
        ],
        ids=["some", "none-counted", "empty", "null", "a-list", "broken"],
    )
    def test_keep_what_is_counted(self, given: str | None, kept: str | None) -> None:
        counted = CountedProperties({"E": "a"}, frozenset({"b"}))
        assert counted.keep("E", given) == kept
        assert counted.keep("F", '{"a":1}') is None


class TestCommand:
    def app(self) -> Any:
        import typer

        from bellwether.usage import lake_commands

        app = typer.Typer()
        app.callback()(lambda: None)
        lake_commands.register(app)
        return app

    def test_erases_by_the_senders_id(self, lake: Lake, clients: Clients, settings: Any) -> None:
        key = pseudonym("ann@sturdy.example", settings.BELLWETHER_PSEUDONYM_KEY)
        spooled(1, timezone.now() - DAY, key)
        flush(lake=lake, zone=ZONE, now=timezone.now())
        told = CliRunner().invoke(self.app(), ["erase", "ann@sturdy.example", "--dry-run"])
        assert "Would erase: 1 events in 1 parts" in told.output
        assert key in keys_in(lake)
        told = CliRunner().invoke(self.app(), ["erase", "-"], input="ann@sturdy.example\n")
        assert "Erased: 1 events in 1 parts" in told.output
        assert key not in keys_in(lake)

    def test_takes_a_pseudonym(self, used: Lake) -> None:
        told = CliRunner().invoke(self.app(), ["erase", BOB, "--pseudonym"])
        assert "Erased: 20 events" in told.output
        assert BOB not in keys_in(used)

    def test_fails_for_nobody(self, used: Lake) -> None:
        told = CliRunner().invoke(self.app(), ["erase", "nobody@sturdy.example", "--dry-run"])
        assert isinstance(told.exception, ErasureError)


def test_rejects_in_the_spool_are_looked_through(lake: Lake, clients: Clients) -> None:
    store([(NOW, "web", 0, pack(Batch([], [Reject("m", "no", {"name": "ann-7"})], "")))])
    spooled(1, NOW, ANN)
    row = erased(user_id="ann-7")
    assert row.counts["rejects"] == 1
