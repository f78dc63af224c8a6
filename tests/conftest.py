"""One cast for the whole suite.

Ada is the client's CSM, Ben her senior (same team), Cleo a CSM of other clients in another team. Vera is VP client
success, Ed an account executive, Adam an administrator. Clients: `sturdy`, `fading`, `newborn` (too little data) and
`gone` (churned) belong to Ada; `elsewhere` belongs to Cleo.
"""

import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import TransactionTestCase

from bellwether.churn import guard
from bellwether.portfolio.choices import ContractTier, OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff import append_only
from bellwether.staff.models import Role, StaffUser, Team
from bellwether.usage.lake import Lake

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"


IN_PROCESSES_OF_THEIR_OWN = ("tests/faults/", "tests/contract/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that are about the other database; that is no skip.

    With PostgreSQL, tests that touch no database are left out too: they run with SQLite, and nothing would differ.
    """
    postgresql = connections["default"].vendor == "postgresql"
    other = "sqlite_only" if postgresql else "postgresql_only"

    def belongs(item: pytest.Item) -> bool:
        if item.get_closest_marker(other):
            return False
        fixtures = set(getattr(item, "fixturenames", ()))
        touches = item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}
        return not postgresql or bool(touches) or item.nodeid.startswith(IN_PROCESSES_OF_THEIR_OWN)

    left = [item for item in items if not belongs(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if belongs(item)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the thousands of collected tests out of what the garbage collector looks through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """In CI, where nothing may be left out, a skipped test is a failure: say so."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and os.environ.get("NOTHING_LEFT_OUT"):
        terminalreporter.write_line(f"{len(skipped)} tests were left out, which counts as a failure here.", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run when tests were skipped and nothing may be left out."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("NOTHING_LEFT_OUT") and session.exitstatus == 0:
        session.exitstatus = 1


@dataclass(frozen=True)
class Staff:
    ada: StaffUser
    ben: StaffUser
    cleo: StaffUser
    vera: StaffUser
    ed: StaffUser
    adam: StaffUser


@dataclass(frozen=True)
class Clients:
    sturdy: Client
    fading: Client
    newborn: Client
    gone: Client
    elsewhere: Client


@pytest.fixture
def staff(db: None) -> Staff:
    west, east = Team.objects.create(name="West"), Team.objects.create(name="East")

    def person(first: str, role: Role, team: Team | None = None) -> StaffUser:
        email = f"{first.lower()}@bellwether.example"
        return StaffUser.objects.create_user(
            email, PASSWORD, first_name=first, last_name="Example", role=role, team=team
        )

    return Staff(
        ada=person("Ada", Role.CSM, west),
        ben=person("Ben", Role.SENIOR_CSM, west),
        cleo=person("Cleo", Role.CSM, east),
        vera=person("Vera", Role.VP_CLIENT_SUCCESS),
        ed=person("Ed", Role.AE),
        adam=person("Adam", Role.ADMIN),
    )


@pytest.fixture
def clients(staff: Staff) -> Clients:
    def client(name: str, csm: StaffUser, **fields: object) -> Client:
        values: dict[str, object] = {
            "organization_id": name.lower(),
            "name": name,
            "industry": "Manufacturing",
            "contract_tier": ContractTier.ENTERPRISE,
            "contract_start_date": date(2024, 7, 1),
            "next_renewal_date": date(2026, 9, 30),
            "annual_recurring_revenue": 120000,
            "licensed_user_count": 50,
            "csm_user": csm,
        }
        return Client.objects.create(**(values | fields))

    gone = client("Gone", staff.ada, archived_at=datetime(2026, 5, 1, tzinfo=UTC))
    ClientOutcome.objects.create(client=gone, outcome=OutcomeKind.CHURNED, date=date(2026, 5, 1), reason="price")
    return Clients(
        sturdy=client("Sturdy", staff.ada, ae_user=staff.ed),
        fading=client("Fading", staff.ada),
        newborn=client("Newborn", staff.ada, contract_start_date=date(2026, 6, 25)),
        gone=gone,
        elsewhere=client("Elsewhere", staff.cleo),
    )


@pytest.fixture(autouse=True, scope="session")
def _empty_the_access_log_between_tests() -> Iterator[None]:
    """Let transactional tests empty their tables: the triggers that refuse it step aside for that, and come back."""
    original = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def teardown(case: TransactionTestCase) -> None:
        connection = connections["default"]
        transactional = not connection.in_atomic_block
        if transactional:
            append_only.remove(connection)
            guard.remove(connection)
        try:
            original(case)
        finally:
            if transactional:
                append_only.install(connection)
                guard.install(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield


@pytest.fixture
def lake(tmp_path: Path, settings: object) -> Lake:
    """An empty lake, also set as the workspace's."""
    root = tmp_path / "lake"
    settings.BELLWETHER_LAKE = str(root)  # type: ignore[attr-defined]
    return Lake(root)
