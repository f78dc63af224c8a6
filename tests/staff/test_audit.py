"""The access log only grows, and whoever tampers with it is found."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from bellwether.staff import append_only, audit
from bellwether.staff.chain import GENESIS, Link, link_hash, storable
from bellwether.staff.models import AuditEvent, AuditHead
from tests.conftest import NOW, Staff
from tests.homes import make_migrated

CLIENT = UUID("00000000-0000-4000-8000-000000000001")


def write(staff: Staff, count: int) -> None:
    for number in range(count):
        audit.record(actor=staff.ada, action="client.read", object_type="client", object_id=number, now=NOW)


class TestLinkHash:
    def test_is_the_sha256_of_the_sorted_compact_json_of_the_row(self) -> None:
        link = Link(
            seq=1,
            at=datetime(2026, 6, 30, 12, 0, tzinfo=UTC),
            actor_id=CLIENT,
            actor="ada@bellwether.example",
            action="client.read",
            object_type="client",
            object_id="7",
            client_id=None,
            detail={"count": 2.0},
            previous_hash=GENESIS,
        )
        text = (
            '{"action":"client.read","actor":"ada@bellwether.example",'
            '"actor_id":"00000000-0000-4000-8000-000000000001","at":"2026-06-30T12:00:00.000000+00:00",'
            '"client_id":null,"detail":{"count":2},"object_id":"7","object_type":"client",'
            '"previous_hash":"0000000000000000000000000000000000000000000000000000000000000000","seq":1}'
        )
        assert link_hash(link) == hashlib.sha256(text.encode()).hexdigest()


class TestStorable:
    @pytest.mark.parametrize(
        ("value", "stored"),
        [
            (1e16, 10**16),
            (0.25, 0.25),
            (float("nan"), "nan"),
            ("a\x00b", "a\ufffdb"),
            ("\ud800", "?"),
            ({1: (1, None)}, {"1": [1, None]}),
            (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
            ({"b", "a"}, ["a", "b"]),
            (CLIENT, str(CLIENT)),
        ],
    )
    def test_gives_plain_json_that_a_database_returns_unchanged(self, value: object, stored: object) -> None:
        assert storable(value) == stored
        assert json.loads(json.dumps(storable(value))) == stored


class TestRecord:
    def test_numbers_rows_without_gaps_and_chains_them(self, staff: Staff) -> None:
        write(staff, 3)
        rows = list(AuditEvent.objects.order_by("seq"))
        assert [row.seq for row in rows] == [1, 2, 3]
        assert rows[0].previous_hash == GENESIS
        assert rows[1].previous_hash == rows[0].hash
        assert str(AuditHead.objects.get()) == f"3:{rows[2].hash}"

    def test_keeps_who_what_and_when(self, staff: Staff) -> None:
        audit.record(actor=staff.ada, action="client.list", client_id=CLIENT, detail={"count": 4}, now=NOW)
        row = AuditEvent.objects.get()
        assert (row.actor, row.actor_id, row.action) == ("ada@bellwether.example", staff.ada.pk, "client.list")
        assert (row.client_id, row.detail, row.at) == (CLIENT, {"count": 4}, NOW)

    def test_names_the_product_when_nobody_acts(self, db: None) -> None:
        assert audit.record(actor=None, action="retention.swept", now=NOW).actor == "system"

    def test_takes_text_that_a_database_would_refuse(self, staff: Staff) -> None:
        audit.record(
            actor=staff.ada, action="a" * 99, object_id="\x00" * 99, detail={"q": "\ud800\x00", "n": 1e300}, now=NOW
        )
        assert audit.verify().whole

    def test_disappears_with_the_transaction_it_belongs_to(self, staff: Staff) -> None:
        with transaction.atomic():
            write(staff, 1)
            transaction.set_rollback(True)
        write(staff, 1)
        assert audit.verify().rows == 1
        assert audit.verify().whole


class TestTriggers:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE staff_auditevent SET actor = 'nobody' WHERE seq = 1",
            "DELETE FROM staff_auditevent WHERE seq = 2",
            "DELETE FROM staff_auditevent",
            "DELETE FROM staff_audithead",
            "UPDATE staff_audithead SET seq = 1",
        ],
    )
    def test_refuse_to_change_or_remove_rows(self, staff: Staff, statement: str) -> None:
        write(staff, 2)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert audit.verify().whole

    def test_refuse_changes_through_models_too(self, staff: Staff) -> None:
        write(staff, 1)
        with pytest.raises(IntegrityError), transaction.atomic():
            AuditEvent.objects.update(actor="nobody")
        with pytest.raises(IntegrityError), transaction.atomic():
            AuditEvent.objects.all().delete()


def change(seq: int) -> None:
    AuditEvent.objects.filter(seq=seq).update(actor="somebody.else@bellwether.example")


def remove(first: int, last: int) -> None:
    AuditEvent.objects.filter(seq__range=(first, last)).delete()


def insert_after(seq: int) -> None:
    for row in AuditEvent.objects.filter(seq__gt=seq).order_by("-seq"):
        AuditEvent.objects.filter(seq=row.seq).update(seq=row.seq + 1)
    before = AuditEvent.objects.get(seq=seq)
    forge(seq + 1, before.hash)


def append_forged() -> None:
    last = AuditEvent.objects.order_by("-seq")[0]
    forge(last.seq + 1, last.hash)


def forge(seq: int, previous_hash: str) -> None:
    link = Link(
        seq=seq, at=NOW, actor_id=None, actor="system", action="client.read", object_type="", object_id="",
        client_id=None, detail={}, previous_hash=previous_hash,
    )  # fmt: skip
    AuditEvent.objects.create(**vars(link), hash=link_hash(link))


def swap(one: int, two: int) -> None:
    AuditEvent.objects.filter(seq=one).update(seq=-1)
    AuditEvent.objects.filter(seq=two).update(seq=one)
    AuditEvent.objects.filter(seq=-1).update(seq=two)


def replace_last() -> None:
    last = AuditEvent.objects.order_by("-seq")[0]
    seq, previous_hash = last.seq, last.previous_hash
    last.delete()
    forge(seq, previous_hash)


class TestVerify:
    def test_finds_nothing_in_an_untouched_log(self, staff: Staff) -> None:
        write(staff, 5)
        result = audit.verify()
        assert result.whole
        assert result.rows == 5
        assert result.head == str(AuditHead.objects.get())

    def test_finds_nothing_in_an_empty_log(self, db: None) -> None:
        assert audit.verify() == audit.Verification(rows=0, head=f"0:{GENESIS}", findings=())

    def test_reads_in_batches(self, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(audit, "BATCH", 2)
        write(staff, 5)
        assert audit.verify().rows == 5
        assert audit.verify().whole

    @pytest.mark.parametrize(
        ("tamper", "sentence"),
        [
            (lambda: change(3), "row 3 was changed"),
            (lambda: remove(3, 3), "row 3 is missing"),
            (lambda: remove(2, 4), "rows 2 to 4 are missing"),
            (lambda: remove(1, 1), "row 1 is missing"),
            (lambda: remove(6, 6), "rows after 5 are missing"),
            (lambda: remove(1, 6), "rows after 0 are missing"),
            (lambda: insert_after(3), "row 5 does not continue row 4"),
            (append_forged, "rows after 6 were inserted"),
            (lambda: forge(0, GENESIS), "row 0 was inserted before the beginning"),
            (lambda: swap(3, 5), "row 3 does not continue row 2: it belongs after row 4"),
            (replace_last, "row 6 was replaced"),
        ],
    )
    def test_says_which_row_was_tampered_with(self, staff: Staff, tamper: Callable[[], None], sentence: str) -> None:
        write(staff, 6)
        append_only.remove(connection)
        tamper()
        append_only.install(connection)
        result = audit.verify()
        assert not result.whole
        assert sentence in " / ".join(finding.message for finding in result.findings)

    def test_says_so_when_the_triggers_are_gone(self, staff: Staff) -> None:
        write(staff, 1)
        append_only.remove(connection)
        assert any("trigger" in finding.message for finding in audit.verify().findings)

    def test_finds_a_log_rewritten_as_a_whole_by_a_head_noted_before(self, staff: Staff) -> None:
        write(staff, 3)
        head = audit.verify().head
        append_only.remove(connection)
        AuditEvent.objects.all().delete()
        AuditHead.objects.all().delete()
        append_only.install(connection)
        audit.record(actor=staff.ben, action="client.read", now=NOW)
        assert audit.verify().whole
        assert "rows after 1 are missing" in audit.verify(known_head=head).findings[0].message
        write(staff, 2)
        assert "is not the one noted" in audit.verify(known_head=head).findings[0].message

    def test_refuses_a_head_it_cannot_read(self, db: None) -> None:
        with pytest.raises(audit.BadHeadError, match="seq:hash"):
            audit.verify(known_head="12")


WRITER = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "bellwether.config.settings"
import django
django.setup()
from django.utils import timezone
from bellwether.staff.audit import record
for number in range(40):
    record(actor=None, action="client.read", object_id=number, now=timezone.now())
"""


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
class TestSeveralProcesses:
    def test_append_without_gap_or_fork(
        self, database: str, tmp_path: object, environment_of: Callable[[str], dict[str, str]]
    ) -> None:
        variables = environment_of(database)

        def bellwether(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-c", "from bellwether.cli import main; main()", *words]
            return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

        if database == "sqlite":
            make_migrated(Path(variables["BELLWETHER_HOME"]))
        assert bellwether("migrate").returncode == 0
        before = int(re.search(r"(\d+) rows", bellwether("audit", "verify").stdout)[1])  # the playbooks that come along
        writers = [subprocess.Popen([sys.executable, "-c", WRITER], env=variables) for _ in range(4)]
        assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0, 0]
        verified = bellwether("audit", "verify")
        assert verified.returncode == 0, verified.stderr
        assert f"{before + 160} rows" in verified.stdout
