"""What is kept, for how long, and what makes it anew."""

from datetime import timedelta
from threading import Event

import pytest
from django.core.cache import caches
from django.utils import timezone

from bellwether.analytics import keeping
from bellwether.analytics.keeping import kept

pytestmark = pytest.mark.one_database


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    caches["memory"].clear()


class Counter:
    def __init__(self) -> None:
        self.made = 0
        self.ready = Event()

    def make(self) -> int:
        self.made += 1
        if self.made > 1:
            self.ready.set()
        return self.made


class TestKept:
    def test_is_made_once(self) -> None:
        counter = Counter()
        assert [kept(("a",), counter.make, seconds=60) for _ in range(3)] == [1, 1, 1]
        assert kept(("b",), counter.make, seconds=60) == 2

    def test_goes_with_the_memory_cache(self) -> None:
        counter = Counter()
        kept(("a",), counter.make, seconds=60)
        caches["memory"].clear()
        assert kept(("a",), counter.make, seconds=60) == 2

    def test_is_made_anew_for_who_changed_something_since(self) -> None:
        counter, now = Counter(), timezone.now()
        kept(("a",), counter.make, seconds=60)
        assert kept(("a",), counter.make, seconds=60, since=now - timedelta(minutes=1)) == 1
        assert kept(("a",), counter.make, seconds=60, since=now) == 2

    def test_what_is_older_is_given_out_once_more_and_made_in_the_background(self) -> None:
        counter = Counter()
        kept(("a",), counter.make, seconds=-1)
        assert kept(("a",), counter.make, seconds=60) == 1
        assert counter.ready.wait(5)

    def test_what_is_too_old_is_waited_for(self) -> None:
        counter = Counter()
        kept(("a",), counter.make, seconds=-keeping.OLDER_SECONDS - 1)
        assert kept(("a",), counter.make, seconds=60) == 2

    def test_a_failure_is_the_callers_and_leaves_nothing(self) -> None:
        def fail() -> int:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            kept(("a",), fail, seconds=60)
        assert kept(("a",), lambda: 7, seconds=60) == 7
