"""Locks: held by one at a time, waited for if asked, and gone with a killed process."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, connections

from bellwether.common.file_lock import file_lock
from bellwether.common.locks import exclusive, in_database
from bellwether.usage.lake import Lake, lake_at
from bellwether.usage.lake_locks import RollupBusyError, landing_lock, rollup_lock
from bellwether.usage.workspace import workspace_lake

HOLDER = """
import sys, time
from pathlib import Path
from bellwether.common.file_lock import file_lock
with file_lock(Path(sys.argv[1]), wait_seconds=0) as held:
    print(held, flush=True)
    time.sleep(60)
"""


def free(path: Path, wait_seconds: float | None = 0) -> bool:
    with file_lock(path, wait_seconds=wait_seconds) as held:
        return held


class TestFileLock:
    def test_keeps_another_out_until_it_is_given_back(self, tmp_path: Path) -> None:
        path = tmp_path / "locks" / "a.lock"
        with file_lock(path, wait_seconds=0) as held:
            assert held
            assert not free(path)
            assert free(tmp_path / "locks" / "b.lock")
        assert free(path)

    def test_goes_with_a_killed_process(self, tmp_path: Path) -> None:
        path = tmp_path / "a.lock"
        command = [sys.executable, "-c", HOLDER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "True\n"
            assert not free(path)
            holder.kill()
            holder.wait(10)
        assert free(path)

    @pytest.mark.parametrize("wait_seconds", [10, None])
    def test_may_be_waited_for(self, tmp_path: Path, wait_seconds: float | None) -> None:
        path, taken = tmp_path / "a.lock", threading.Event()

        def hold() -> None:
            with file_lock(path, wait_seconds=0):
                taken.set()
                time.sleep(0.3)

        thread = threading.Thread(target=hold)
        thread.start()
        taken.wait(5)
        assert free(path, wait_seconds)
        thread.join()

    def test_is_given_up_after_the_wait(self, tmp_path: Path) -> None:
        with file_lock(tmp_path / "a.lock", wait_seconds=0):
            begun = time.monotonic()
            assert not free(tmp_path / "a.lock", 0.3)
            assert 0.3 <= time.monotonic() - begun < 5


class TestLakeLocks:
    def test_keep_rollups_apart_but_not_landings(self, lake: Lake) -> None:
        with rollup_lock(lake, wait_seconds=0):
            with landing_lock(lake):
                pass
            with (
                pytest.raises(RollupBusyError, match="Another process is rolling up the lake"),
                rollup_lock(Lake(lake.root), wait_seconds=0),
            ):
                pass

    def test_of_a_store_lie_in_the_local_folder(self, tmp_path: Path) -> None:
        lake = lake_at("s3://bucket/x", work=tmp_path / "work", options={"key": "k", "secret": "s"})
        with rollup_lock(lake, wait_seconds=0), landing_lock(lake):
            assert {path.name for path in lake.folder.iterdir()} == {".rollup.lock", ".landing.lock"}

    def test_of_a_store_need_a_local_folder(self) -> None:
        with pytest.raises(ValueError, match="needs a local folder"):
            lake_at("s3://bucket/x", options={"key": "k", "secret": "s"}).folder  # noqa: B018


@pytest.mark.django_db(databases="__all__")
class TestLocksOfTheWorkspace:
    def test_are_free_again_after_an_error(self, lake: Lake) -> None:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError), rollup_lock(workspace_lake(), wait_seconds=0):
                raise ZeroDivisionError

    @pytest.mark.sqlite_only
    def test_need_no_database_with_sqlite(self) -> None:
        with in_database("x", wait_seconds=0) as held, in_database("x", wait_seconds=0) as again:
            assert held
            assert again

    @pytest.mark.postgresql_only
    def test_keep_sessions_of_postgresql_apart(self, lake: Lake, tmp_path: Path) -> None:
        other = connections.create_connection("default")
        number = "SELECT pg_try_advisory_lock(%s)"
        try:
            with exclusive("a-job") as held:
                assert held
                with connection.cursor() as cursor:
                    # Of this session alone: the list is of the whole server, where other tests hold locks too.
                    cursor.execute(
                        "SELECT objid, classid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                    )
                    low, high = (value & 0xFFFFFFFF for value in cursor.fetchone())
                key = (high << 32 | low) - (1 << 64 if high >> 31 else 0)
                with other.cursor() as cursor:
                    cursor.execute(number, [key])
                    assert cursor.fetchone() == (False,)
            with other.cursor() as cursor:
                cursor.execute(number, [key])
                assert cursor.fetchone() == (True,)
            with exclusive("a-job") as held:
                assert not held
        finally:
            other.close()
