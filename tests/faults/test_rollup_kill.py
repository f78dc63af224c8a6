"""The rollup is killed between any two of its writes; the runs after it must leave what an undisturbed one leaves."""

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bellwether.usage.lake import Lake
from tests.homes import make_migrated
from tests.usage.rollup_twin import Event, event, place, refresh, stored, twin
from tests.usage.test_rollup_properties import whole

RUN = """
import os
import signal
import sys
from pathlib import Path
import django
django.setup()
from django.utils import timezone
from bellwether.common.progress import NoProgress
from bellwether.usage.services import roll_up_dirty

rename = Path.replace


def rename_and_die(self, target):
    if sys.argv[1] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    rename(self, target)
    os.kill(os.getpid(), signal.SIGKILL)


if sys.argv[1] != "never":
    Path.replace = rename_and_die
print(roll_up_dirty(now=timezone.now(), progress=NoProgress()).days)
"""
SETUP = """
import sys
from datetime import date
import django
django.setup()
from django.utils import timezone
from bellwether.usage.dirty import mark_facts
mark_facts([date.fromisoformat(day) for day in sys.argv[1:]], now=timezone.now())
"""
OWED = """
import django
django.setup()
from bellwether.usage.models import DirtyDate, DirtyScore
print(DirtyDate.objects.count(), DirtyScore.objects.count())
"""


def some_events(seed: int) -> list[Event]:
    chance = random.Random(seed)
    start = datetime(2026, 1, 20, tzinfo=UTC)
    return [
        event(
            start + timedelta(minutes=chance.randrange(60 * 24 * 20), seconds=chance.randrange(60)),
            f"user{chance.randrange(12)}",
            f"client{chance.randrange(3)}",
            message_id=f"{seed}-{n}",
        )
        for n in range(300)
    ]


def run(code: str, environment: dict[str, str], *arguments: str) -> str | None:
    """Run `code` in a process of its own; return what it printed, None if it was killed."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.stdout if done.returncode == 0 else None


@pytest.mark.slow
@pytest.mark.one_database
class TestKilledRollup:
    def test_leaves_the_same_facts_after_the_next_run(self, tmp_path: Path) -> None:
        """Each run is killed right after the first file that it changes, so a kill falls between any two of them."""
        home = tmp_path / "home"
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "bellwether.config.settings",
            "BELLWETHER_HOME": str(home),
        }
        lake, calm = Lake(home / "lake"), Lake(tmp_path / "calm")
        first, second = some_events(1), some_events(2)
        refresh(lake, place(lake, first, part="first"))  # so that files are replaced, not only made
        days = place(lake, second, part="second")
        make_migrated(home)
        run(SETUP, environment, *(day.isoformat() for day in days))

        assert run(RUN, environment, "before") is None
        kills = 0
        while run(RUN, environment, "after") is None:
            kills += 1
            assert kills < 50, "the killed runs do not come to an end"
        refresh(calm, place(calm, [*first, *second]))

        assert kills >= 8
        assert stored(lake) == twin([*first, *second])
        assert whole(lake) == whole(calm)
        owed = run(OWED, environment)
        assert owed is not None
        dates_owed, scores_owed = (int(number) for number in owed.split())
        assert (dates_owed, scores_owed >= 90) == (0, True)
