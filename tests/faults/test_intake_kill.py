"""kill -9 of the web server under load: what was answered with 200 is in the lake, once."""

import random
import threading
import time
from http.client import HTTPException
from typing import Any

import pytest

from tests.usage.workspace import Server, Workspace

pytestmark = pytest.mark.slow

ROUNDS = 4
SENDERS = 6
EVENTS = 8


class Sender(threading.Thread):
    """Sends batches until told to stop, and sends again what was not answered, as an SDK does."""

    def __init__(self, name: str, key: str) -> None:
        super().__init__(name=name, daemon=True)
        self.key = key
        self.server: Server | None = None
        self.stopped = threading.Event()
        self.answered: list[str] = []
        self.tried: set[str] = set()

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            ids = [f"{self.name}-{number}-{n}" for n in range(EVENTS)]
            self.tried.update(ids)
            batch = {"batch": [event(message_id) for message_id in ids]}
            while not self.stopped.is_set():
                if self._delivered(batch):
                    self.answered.extend(ids)
                    break
                time.sleep(0.05)
            number += 1

    def _delivered(self, batch: dict[str, Any]) -> bool:
        server = self.server
        try:
            return server is not None and server.post("/v1/batch", batch, key=self.key).status == 200
        except (OSError, HTTPException):  # refused, or cut in the middle of an answer
            return False


def wait_for_more(senders: list[Sender], before: int) -> None:
    for _ in range(600):
        if sum(len(sender.answered) for sender in senders) >= before + SENDERS * EVENTS:
            return
        time.sleep(0.05)
    raise AssertionError("the server answered nothing for 30 s")


def event(message_id: str) -> dict[str, Any]:
    return {"type": "track", "messageId": message_id, "userId": "u1", "event": "E", "context": {"groupId": "acct_1"}}


class TestKillingTheServer:
    def test_loses_no_answered_event_and_doubles_none(self, workspace: Workspace):
        key, chance = workspace.add_key(), random.Random(7)
        senders = [Sender(f"s{n}", key) for n in range(SENDERS)]
        for sender in senders:
            sender.start()
        for round_number in range(ROUNDS):
            with workspace.serve(processes=2) as server:
                before = sum(len(sender.answered) for sender in senders)
                for sender in senders:
                    sender.server = server
                wait_for_more(senders, before)
                time.sleep(chance.uniform(0.1, 1.0))
                if round_number == 1:
                    workspace.flush()
                server.kill()
        for sender in senders:
            sender.stopped.set()
        for sender in senders:
            sender.join(40)
        assert workspace.flush()["waiting"] == 0

        landed = workspace.events()["message_id"].to_list()
        answered = {message_id for sender in senders for message_id in sender.answered}
        tried = {message_id for sender in senders for message_id in sender.tried}
        assert answered - set(landed) == set()
        assert len(landed) == len(set(landed))
        assert set(landed) <= tried
