"""What usage is compared with: taken from the worker, kept, made anew beside the pages; tested without waiting."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import caches

from bellwether.common.jobs import run_job
from bellwether.health import jobs as _jobs  # noqa: F401 (declares them)
from bellwether.health import usage_cohort_keeping as keeping
from bellwether.health.usage_cohort import Cohort
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients
from tests.usage.daily_facts import back, keep_people

pytestmark = pytest.mark.django_db
FIRST = TODAY - timedelta(days=29)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


class Beside:
    """Stands for a thread: does its work when told."""

    waiting: list[Any]

    def __init__(self, target: Any, args: tuple[Any, ...], **_: Any) -> None:
        self.work = lambda: target(*args)

    def start(self) -> None:
        Beside.waiting.append(self.work)


@pytest.fixture(autouse=True)
def clock(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    Beside.waiting = []
    monkeypatch.setattr(keeping, "time", made)
    monkeypatch.setattr(keeping, "Thread", Beside)
    monkeypatch.setattr("bellwether.health.usage_cohort_keeping.connection.close", lambda: None)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()
    caches["default"].clear()
    yield made
    for work in Beside.waiting:
        work()
    caches["default"].clear()


@pytest.fixture
def used(lake: Lake, clients: Clients) -> Client:
    keep_people(lake, "sturdy", dict.fromkeys(back(TODAY, 40), 10), wau=20, mau=30)
    return clients.sturdy


def ask(lake: Lake, last: date = TODAY) -> Cohort:
    return keeping.cohort(lake, FIRST, last, working_days=(1, 2, 3, 4, 5), cache=caches["memory"])


def people(found: Cohort) -> dict[str, float]:
    return dict(zip(found.peers.rows, found.peers.figures["mau"].tolist(), strict=True))


def more(lake: Lake, clients: Clients) -> None:
    keep_people(lake, "elsewhere", dict.fromkeys(back(TODAY, 40), 5), wau=6, mau=7)


def test_is_made_once_and_kept(lake: Lake, used: Client, clients: Clients, clock: Clock) -> None:
    assert people(ask(lake)) == {"sturdy": 30}
    more(lake, clients)
    clock.now += keeping.FRESH_SECONDS - 1
    assert people(ask(lake)) == {"sturdy": 30}
    assert not Beside.waiting


def test_older_one_is_served_while_one_thread_makes_it_anew(
    lake: Lake, used: Client, clients: Clients, clock: Clock
) -> None:
    ask(lake)
    more(lake, clients)
    clock.now += keeping.FRESH_SECONDS
    assert [people(ask(lake)) for _ in range(3)] == [{"sturdy": 30}] * 3
    (work,) = Beside.waiting
    Beside.waiting = []
    work()
    assert people(ask(lake)) == {"sturdy": 30, "elsewhere": 7}


def test_one_that_is_too_old_is_not_served(lake: Lake, used: Client, clients: Clients, clock: Clock) -> None:
    ask(lake)
    more(lake, clients)
    clock.now += keeping.AT_HAND_SECONDS + 1
    assert people(ask(lake)) == {"sturdy": 30, "elsewhere": 7}
    assert not Beside.waiting


def test_failed_attempt_leaves_the_older_one_and_is_tried_again(
    lake: Lake, used: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(lake)
    clock.now += keeping.FRESH_SECONDS

    def broken(*_: object, **__: object) -> Cohort:
        raise OSError("no disk")

    monkeypatch.setattr(keeping, "read_cohort", broken)
    assert people(ask(lake)) == {"sturdy": 30}
    Beside.waiting.pop()()
    clock.now += keeping.FRESH_SECONDS
    assert people(ask(lake)) == {"sturdy": 30}
    assert len(Beside.waiting) == 1


class TestWorker:
    def test_pages_take_what_the_worker_stored(
        self, lake: Lake, used: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_job("usage_cohort", now=NOW)
        monkeypatch.setattr(keeping, "read_cohort", None)  # nobody may compute
        assert people(ask(lake)) == {"sturdy": 30}
        clock.now += 5 * keeping.WORKER_AT_IT_SECONDS
        caches["memory"].clear()
        assert people(ask(lake)) == {"sturdy": 30}  # old, but of the same facts

    def test_what_rests_on_other_facts_is_taken_only_while_the_worker_is_at_it(
        self, lake: Lake, used: Client, clients: Clients, clock: Clock
    ) -> None:
        run_job("usage_cohort", now=NOW)
        more(lake, clients)
        assert people(ask(lake)) == {"sturdy": 30}
        clock.now += keeping.WORKER_AT_IT_SECONDS
        caches["memory"].clear()
        assert people(ask(lake)) == {"sturdy": 30, "elsewhere": 7}

    def test_makes_anew_what_has_changed_only(self, lake: Lake, used: Client, clients: Clients) -> None:
        def store() -> bool:
            return keeping.store_cohort(lake, FIRST, TODAY, working_days=(1, 2, 3, 4, 5))

        assert [store(), store()] == [True, False]
        more(lake, clients)
        assert [store(), store()] == [True, False]
        assert people(ask(lake)) == {"sturdy": 30, "elsewhere": 7}
        Client.objects.filter(pk=used.pk).update(archived_at=NOW)
        assert [store(), store()] == [True, False]

    def test_without_clients_nothing_is_made(self) -> None:
        assert run_job("usage_cohort", now=NOW) == {}
