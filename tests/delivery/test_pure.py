"""Slack's and Teams' limits and answers, retries and bursts."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bellwether.delivery import slack, teams
from bellwether.delivery.content import Content, Item, digest_title, item_of
from bellwether.delivery.results import Outcome
from bellwether.delivery.retrying import Burst, Waiting, burst, next_attempt
from bellwether.webhooks.sending import Answer
from tests.conftest import NOW

pytestmark = pytest.mark.one_database

HOSTILE = "<!channel> & <https://evil.example|click> [x](https://evil.example)"


def texts(message: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in message["blocks"]]


class TestSlackMessages:
    def test_a_message(self) -> None:
        item = Item("Initech fell", "From 69 to 58.", "https://b.example/a/?x=1&y=2", "CRITICAL", ("Seats 41 of 50",))
        message = slack.message_of(Content(item))
        assert message["text"] == "Critical: Initech fell: From 69 to 58."
        assert [block["type"] for block in message["blocks"]] == ["header", "section", "section"]
        assert texts(message) == [
            "Critical: Initech fell",
            "From 69 to 58.\n• Seats 41 of 50",
            "<https://b.example/a/?x=1&amp;y=2|Open in Bellwether>",
        ]

    def test_what_customers_wrote_neither_mentions_nor_links(self) -> None:
        item = Item(HOSTILE, HOSTILE, lines=(HOSTILE,))
        text = json.dumps(slack.message_of(Content(item, (Item(HOSTILE, HOSTILE, "https://b.example/1"),), 1)))
        assert "<!channel" not in text
        assert "<https://evil" not in text
        assert text.count("<") == text.count("<https://b.example/1|") == 1

    def test_cut_text_ends_whole(self) -> None:
        assert slack.escaped("&" * 10, 12) == "&amp;&amp;…"
        assert slack.escaped("a<b", 6) == "a&lt;b"

    def test_a_digest_keeps_to_the_limits_and_counts_the_rest(self) -> None:
        parts = tuple(Item("&" * 300, "<" * 900, f"https://b.example/{number}") for number in range(100))
        message = slack.message_of(Content(Item("130 alerts", "x" * 9_000, lines=("y" * 900,) * 40), parts, 130))
        assert len(message["blocks"]) <= 50
        assert len(texts(message)[0]) <= 150
        assert all(len(text) <= 3_000 for text in texts(message))
        assert sum(map(len, texts(message))) <= 13_000 + 3_000
        shown = sum(text.count("https://b.example/") for text in texts(message))
        assert 0 < shown < 100
        assert f"and {130 - shown} more" in texts(message)


class TestSlackAnswers:
    @pytest.mark.parametrize(
        ("status", "text", "outcome"),
        [
            (200, "ok", Outcome.SENT),
            (400, "invalid_blocks", Outcome.FAILED),
            (403, "action_prohibited", Outcome.DEAD),
            (404, "no_service", Outcome.DEAD),
            (410, "channel_is_archived", Outcome.DEAD),
            (429, "", Outcome.AGAIN),
            (500, "rollup_error", Outcome.AGAIN),
            (302, "", Outcome.AGAIN),
            (None, "", Outcome.AGAIN),
        ],
    )
    def test_of_a_webhook(self, status: int | None, text: str, outcome: Outcome) -> None:
        assert slack.answer_of_webhook(Answer(status, 1, text)).outcome == outcome

    @pytest.mark.parametrize(
        ("text", "outcome"),
        [
            ('{"ok":true,"channel":"C1","ts":"1.2"}', Outcome.SENT),
            ('{"ok":false,"error":"invalid_auth"}', Outcome.DEAD),
            ('{"ok":false,"error":"not_in_channel"}', Outcome.DEAD),
            ('{"ok":false,"error":"msg_too_long"}', Outcome.FAILED),
            ('{"ok":false,"error":"ratelimited"}', Outcome.AGAIN),
            ('{"ok":false,"error":"something_new"}', Outcome.AGAIN),
            ("<html>", Outcome.AGAIN),
            ("[]", Outcome.AGAIN),
        ],
    )
    def test_of_a_bot_is_in_the_body(self, text: str, outcome: Outcome) -> None:
        assert slack.answer_of_bot(Answer(200, 1, text)).outcome == outcome

    def test_its_name_for_the_message_is_kept(self) -> None:
        assert slack.answer_of_bot(Answer(200, 1, '{"ok":true,"channel":"C1","ts":"1.2"}')).remote_id == "C1:1.2"


class TestTeams:
    def test_a_card(self) -> None:
        message = teams.message_of(Content(Item("Initech fell", "Why", "https://b.example/a", "HIGH", ("Line",))))
        (attachment,) = message["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        assert [block["text"] for block in attachment["content"]["body"]] == ["High: Initech fell", "Why", "• Line"]
        assert attachment["content"]["actions"][0]["url"] == "https://b.example/a"

    def test_links_that_customers_wrote_are_taken_apart(self) -> None:
        assert "](https://evil" not in json.dumps(teams.message_of(Content(Item(HOSTILE, HOSTILE))))

    def test_a_large_digest_fits_and_counts_the_rest(self) -> None:
        parts = tuple(Item("ü" * 300, "ö" * 900) for _ in range(100))
        message = teams.message_of(Content(Item("120 alerts"), parts, 120))
        body = message["attachments"][0]["content"]["body"]
        assert len(json.dumps(message, ensure_ascii=False).encode()) <= 28_000
        assert body[-1]["text"] == f"and {120 - (len(body) - 2) // 2} more"

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [(202, "SENT"), (200, "SENT"), (400, "FAILED"), (401, "DEAD"), (404, "DEAD"), (429, "AGAIN"), (502, "AGAIN")],
    )
    def test_answers(self, status: int, outcome: str) -> None:
        assert teams.answer_of(Answer(status, 1)).outcome == outcome


class TestRetries:
    @pytest.mark.parametrize(("attempts", "seconds"), [(1, 30), (2, 120), (3, 480)])
    def test_each_wait_is_four_times_the_one_before(self, attempts: int, seconds: int) -> None:
        given: dict[str, Any] = {"now": NOW, "retry_after": None}
        assert next_attempt(attempts, random=lambda: 0.0, **given) == NOW + timedelta(seconds=seconds)
        assert next_attempt(attempts, random=lambda: 1.0, **given) == NOW + timedelta(seconds=seconds * 1.2)

    def test_three_retries(self) -> None:
        assert next_attempt(4, now=NOW, retry_after=1.0, random=lambda: 0.0) is None

    def test_who_asks_for_time_gets_it_up_to_a_day(self) -> None:
        given: dict[str, Any] = {"now": NOW, "random": lambda: 0.0}
        assert next_attempt(1, retry_after=90.0, **given) == NOW + timedelta(seconds=90)
        assert next_attempt(1, retry_after=10.0, **given) == NOW + timedelta(seconds=30)
        assert next_attempt(1, retry_after=1e9, **given) == NOW + timedelta(days=1)


class TestBursts:
    def now_and(self, waiting: int, sent: int, severity: str = "HIGH", held: bool = False) -> Burst:
        times = [NOW - timedelta(minutes=minute) for minute in range(1, sent + 1)]
        return burst([Waiting(severity, held)] * waiting, times, NOW)[0]

    def test_a_few_come_one_by_one(self) -> None:
        assert self.now_and(5, 0) == Burst.SINGLE
        assert self.now_and(1, 4) == Burst.SINGLE

    def test_many_at_once_come_together(self) -> None:
        assert self.now_and(6, 0) == Burst.MERGE
        assert self.now_and(2, 4) == Burst.MERGE

    def test_what_comes_after_many_waits_for_the_end_of_ten_minutes(self) -> None:
        times = [NOW - timedelta(minutes=minute) for minute in (1, 2, 3, 4, 9)]
        assert burst([Waiting("LOW", False)], times, NOW) == (Burst.WAIT, NOW + timedelta(minutes=1))
        assert burst([Waiting("LOW", False)], times, NOW + timedelta(minutes=2))[0] == Burst.SINGLE

    def test_critical_ones_do_not_wait(self) -> None:
        assert self.now_and(1, 9, "CRITICAL") == Burst.SINGLE
        assert self.now_and(2, 9, "CRITICAL") == Burst.MERGE

    def test_what_was_held_comes_together_whatever_came_before(self) -> None:
        assert self.now_and(2, 9, held=True) == Burst.MERGE
        assert self.now_and(1, 9, held=True) == Burst.SINGLE


def test_what_a_digest_is_called() -> None:
    assert digest_title(["alert"] * 12, ["CRITICAL"] * 3 + ["LOW"] * 9) == "12 alerts, 3 critical"
    assert digest_title(["alert", "playbook"], ["", ""]) == "2 messages"


def test_addresses_are_made_whole() -> None:
    assert item_of({"title": "T", "href": "/a/"}, "LOW", "https://b.example/").href == "https://b.example/a/"
