"""The use of all clients: made by the worker, read by pages, which make it only where nothing is there."""

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.core.cache import caches

from bellwether.common.jobs import JobContext
from bellwether.common.models import JobRun, JobState
from bellwether.health import jobs, portfolio_reading
from bellwether.health.adoption import PortfolioUse, TierUse
from bellwether.health.loading import workspace_settings
from bellwether.health.portfolio_reading import as_bytes, from_bytes, portfolio_use, read_portfolio
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients
from tests.health.use_facts import store_use, use

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    for cache in (caches["memory"], caches["default"]):
        cache.clear()
    yield
    for cache in (caches["memory"], caches["default"]):
        cache.clear()


@pytest.fixture
def used(clients: Clients, lake: Lake) -> Clients:
    """Two enterprise clients with cases, 4 and 7 in the month, and one that is archived."""
    days = [("sturdy", 4), ("fading", 7), ("gone", 9)]
    store_use(lake, [use(name, TODAY - timedelta(days=3), "Case Created", events) for name, events in days])
    return clients


def cases(use: PortfolioUse) -> dict[str, int]:
    tier = use.tiers["ENTERPRISE"]
    return dict(zip(tier.client_ids, tier.use["case_creation"], strict=True))


def seen(**more: object) -> PortfolioUse:
    return portfolio_use(workspace_settings(), **({"day": TODAY, "cache": caches["memory"]} | more))  # type: ignore[arg-type]


def made(at: timedelta = timedelta(0)) -> int:
    """Run the worker's job, and return the clients that it read."""
    return (jobs.peers(JobContext(now=NOW + at)) or {})["clients"]


def worked(name: str = "rollup", *, at: timedelta = timedelta(0)) -> None:
    JobRun.objects.create(name=name, state=JobState.DONE, created_at=NOW + at, finished_at=NOW + at)


def test_bytes_give_the_same_back() -> None:
    tier = TierUse(["a", "b"], {"reports": [1, 70_000]}, {"reports": [0.1, 1 / 3]}, [None, 200 / 3])
    use = PortfolioUse({"A": tier}, {"reports": {"LIGHT": 2}}, {"reports": 2})
    assert from_bytes(as_bytes(use)) == use


def test_reads_the_same_a_few_clients_at_a_time(used: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = workspace_settings()
    whole = read_portfolio(settings, TODAY)
    assert cases(whole) == {used.sturdy.pk.hex: 4, used.fading.pk.hex: 7}
    monkeypatch.setattr(portfolio_reading, "CLIENTS_AT_ONCE", 1)
    assert read_portfolio(settings, TODAY) == whole


def test_a_page_takes_what_the_worker_made(used: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made() == 4
    monkeypatch.setattr(portfolio_reading, "read_portfolio", Mock(side_effect=AssertionError("read by a page")))
    assert cases(seen()) == {used.sturdy.pk.hex: 4, used.fading.pk.hex: 7}
    caches["memory"].clear()
    assert cases(seen(day=TODAY + timedelta(days=1)))[used.sturdy.pk.hex] == 4  # just after midnight


@pytest.mark.parametrize("days", [-1, 2])
def test_a_page_does_not_take_what_is_of_another_time(used: Clients, lake: Lake, days: int) -> None:
    made()
    store_use(lake, [use("sturdy", TODAY - timedelta(days=3), "Case Created", 5)])
    assert cases(seen(day=TODAY + timedelta(days=days)))[used.sturdy.pk.hex] == 5


def test_without_a_worker_a_page_makes_it_and_others_go_on_with_the_older(
    used: Clients, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(portfolio_reading, "monotonic", lambda: clock[0])
    assert cases(seen())[used.sturdy.pk.hex] == 4
    store_use(lake, [use("sturdy", TODAY - timedelta(days=3), "Case Created", 5)])
    assert cases(seen())[used.sturdy.pk.hex] == 4
    clock[0] += portfolio_reading.KEPT_SECONDS
    with portfolio_reading._ONE_AT_A_TIME:
        assert cases(seen())[used.sturdy.pk.hex] == 4
    assert cases(seen())[used.sturdy.pk.hex] == 5


def test_the_worker_makes_it_again_only_after_work(used: Clients, lake: Lake) -> None:
    assert made() == 4
    assert made(timedelta(minutes=1)) == 0
    store_use(lake, [use("sturdy", TODAY - timedelta(days=3), "Case Created", 5)])
    worked(at=timedelta(minutes=1))
    assert made(timedelta(minutes=2)) == 4
    assert cases(seen())[used.sturdy.pk.hex] == 5
    assert made(timedelta(minutes=31)) == 0
    assert made(timedelta(minutes=33)) == 4
    assert made(timedelta(days=1)) == 4


def test_the_worker_pauses_after_a_long_one(used: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 30.0])  # thirty seconds, so ten minutes of pause
    monkeypatch.setattr(portfolio_reading, "monotonic", lambda: next(clock))
    made()
    worked("score", at=timedelta(minutes=5))
    assert made(timedelta(minutes=9)) == 0
    clock = iter([0.0, 1.0])
    monkeypatch.setattr(portfolio_reading, "monotonic", lambda: next(clock))
    assert made(timedelta(minutes=11)) == 4
