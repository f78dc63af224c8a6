"""A worker that is killed with -9 in the middle of a request, in processes of its own and over real HTTP."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.delivery.receivers import Receiver, Said, http_receiver
from tests.homes import environment_of, make_migrated

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

SCRIPT = """
import sys
from datetime import timedelta
import django
django.setup()
from django.utils import timezone
from bellwether.delivery.channels import ChannelForm, add_channel
from bellwether.delivery.delivering import deliver_due
from bellwether.delivery.models import Message
from bellwether.delivery.outbox import Draft, send
from bellwether.staff.models import StaffUser
now = timezone.now()
if sys.argv[1] == "tell":
    adam = StaffUser.objects.create_user("adam@bellwether.example", role="ADMIN", first_name="Adam")
    for kind in ("SLACK_WEBHOOK", "WEBHOOK"):
        given = ChannelForm(name=kind, secret=f"{sys.argv[2]}/{kind}")
        add_channel(kind, given, own=False, actor=adam, now=now)
    send([Draft(key="alert:1", topic="alert", title="Fading fell", workspace=True)], now=now)
now += timedelta(minutes={"tell": 0, "later": 3, "latest": 6}[sys.argv[1]])
deliver_due(now, clock=lambda: now)
print(sorted(Message.objects.values_list("medium", "state")))
"""


def work(home: Path, receiver: Receiver, *words: str) -> subprocess.Popen[str]:
    environment = environment_of(home, BELLWETHER_WEBHOOK_HOSTS="127.0.0.1")
    command = [sys.executable, "-c", SCRIPT, *words, receiver.url]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def kill_in_the_middle(home: Path, receiver: Receiver, word: str, wanted: int) -> None:
    """Start a worker and kill it when its request number `wanted` has arrived and is not answered."""
    worker = work(home, receiver, word)
    while len(receiver.received) < wanted:
        assert receiver.arrived.wait(60)
        receiver.arrived.clear()
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()


def test_once_for_each_channel_even_after_kill_9(tmp_path: Path) -> None:
    make_migrated(tmp_path)
    with http_receiver() as receiver:
        receiver.answers = [Said(slow=20), Said(slow=20), Said()]
        kill_in_the_middle(tmp_path, receiver, "tell", 1)
        kill_in_the_middle(tmp_path, receiver, "later", 2)
        out, _ = work(tmp_path, receiver, "latest").communicate(timeout=60)
    assert [one.path for one in receiver.received] == ["/SLACK_WEBHOOK", "/WEBHOOK", "/WEBHOOK"]
    assert len({one.headers["webhook-id"] for one in receiver.received[1:]}) == 1  # its receiver knows it as one
    assert "[('SLACK', 'FAILED'), ('WEBHOOK', 'SENT')]" in out  # the first in doubt, for somebody to look
