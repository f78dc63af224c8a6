"""Slack: messages within the limits of Block Kit, and what Slack's answers mean. Pure.

Limits: 50 blocks and 13,000 characters a message, 150 a header, 3,000 a section. Nothing in a message asks for an
answer: a link needs no address at which Slack reaches this site, a button would.
"""

import json
from typing import Any

from bellwether.delivery.content import SEVERITY_WORDS, Content, Item
from bellwether.delivery.results import Outcome, Result, from_answer
from bellwether.webhooks.sending import Answer

HEADER, SECTION, FALLBACK, WHOLE, BLOCKS = 150, 3_000, 3_000, 11_000, 45
PART_TEXT = 240
DEAD_WEBHOOK = {
    403: "Slack refuses messages to this channel: {}. Ask an administrator of Slack, or make a new webhook.",
    404: "Slack does not know this webhook any more: {}. Make a new one and store its address here.",
    410: "The Slack channel is archived: {}. Choose another and store the address of its webhook here.",
}
DEAD_ERRORS = {
    "channel_not_found": "Slack finds no channel with this id. Check it, and invite the bot if the channel is private.",
    "not_in_channel": "The bot is not in the channel. Invite it there: /invite and its name.",
    "is_archived": "The Slack channel is archived.",
    "invalid_auth": "Slack does not accept the token. Store a new one.",
    "not_authed": "Slack does not accept the token. Store a new one.",
    "token_revoked": "The token was revoked in Slack. Store a new one.",
    "token_expired": "The token has expired. Store a new one.",
    "account_inactive": "The bot's account is not active in Slack any more.",
    "missing_scope": "The bot lacks the scope chat:write. Add it in Slack and install the app again.",
    "no_permission": "The bot may not write here. Check its permissions in Slack.",
    "team_access_not_granted": "The bot has no access to this workspace of Slack.",
    "restricted_action": "Slack's settings do not let the bot write to this channel.",
}
FAILED_ERRORS = frozenset(
    {"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format", "no_text", "invalid_arguments"}
)


def escaped(text: str, length: int) -> str:
    """Return `text` with & < > as entities, so that it can neither mention people nor link, in at most `length`
    characters; what is cut ends in an ellipsis, never within an entity."""
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    pieces = [entities.get(character, character) for character in text]
    if sum(map(len, pieces)) <= length:
        return "".join(pieces)
    used, kept = 1, []
    for piece in pieces:
        used += len(piece)
        if used > length:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + "…"


def message_of(content: Content) -> dict[str, Any]:
    """Return `text` (for notices and screen readers) and `blocks` of a message, cut to Slack's limits."""
    item = content.item
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escaped(_headline(item), HEADER), "emoji": False}}
    ]
    body = _body(item)
    if body:
        blocks.append(_section(body))
    blocks += _parts(content)
    if item.href:
        blocks.append(_section(_link(item.href, "Open in Bellwether")))
    return {"text": escaped(": ".join(filter(None, [_headline(item), item.text])), FALLBACK), "blocks": blocks}


def answer_of_webhook(answer: Answer) -> Result:
    """Return what an incoming webhook's answer means: 200 is success, the plain text says what is wrong."""
    said = answer.text.strip()[:80] or "no reason given"
    if answer.status == 200:
        return from_answer(answer, Outcome.SENT)
    if answer.status in DEAD_WEBHOOK:
        return from_answer(answer, Outcome.DEAD, DEAD_WEBHOOK[answer.status].format(said))
    if answer.status == 400:
        return from_answer(answer, Outcome.FAILED, f"Slack did not accept the message: {said}.")
    return from_answer(answer, Outcome.AGAIN)


def answer_of_bot(answer: Answer) -> Result:
    """Return what chat.postMessage's answer means; it says 200 also when it failed, `ok` tells."""
    if answer.status != 200:
        return from_answer(answer, Outcome.AGAIN)
    try:
        said = json.loads(answer.text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return from_answer(answer, Outcome.AGAIN, "The answer was none of Slack's.")
    if said.get("ok") is True:
        return from_answer(answer, Outcome.SENT, remote_id=f"{said.get('channel', '')}:{said.get('ts', '')}")
    error = str(said.get("error") or "no reason given")[:80]
    if error in DEAD_ERRORS:
        return from_answer(answer, Outcome.DEAD, f"{DEAD_ERRORS[error]} ({error})")
    if error in FAILED_ERRORS:
        return from_answer(answer, Outcome.FAILED, f"Slack did not accept the message: {error}.")
    return from_answer(answer, Outcome.AGAIN, f"Slack could not take it now: {error}.")


def _headline(item: Item) -> str:
    word = SEVERITY_WORDS.get(item.severity)
    return f"{word}: {item.title}" if word else item.title


def _body(item: Item) -> str:
    lines = [escaped(item.text, 2_000)] if item.text else []
    used = sum(map(len, lines))
    for line in item.lines:
        one = f"• {escaped(line, 500)}"
        used += len(one) + 1
        if used > SECTION - 10:
            break
        lines.append(one)
    return "\n".join(lines)


def _parts(content: Content) -> list[dict[str, Any]]:
    """Return the sections of a digest, as many parts as there is room for, and how many more there are."""
    sections: list[list[str]] = []
    used = left = 0
    for number, part in enumerate(content.parts):
        line = _part(part)
        if used + len(line) > WHOLE:
            left = len(content.parts) - number
            break
        if not sections or sum(map(len, sections[-1])) + len(sections[-1]) + len(line) > SECTION:
            sections.append([])
        sections[-1].append(line)
        used += len(line) + 1
    blocks = [_section("\n".join(lines)) for lines in sections[:BLOCKS]]
    more = left + content.left_out
    return [*blocks, _section(f"and {more} more")] if more else blocks


def _part(item: Item) -> str:
    title = escaped(_headline(item), 200)
    text = f": {escaped(item.text, PART_TEXT)}" if item.text else ""
    return f"• {_link(item.href, title) if item.href else title}{text}"


def _link(href: str, label: str) -> str:
    """Return a link of ours; the label is escaped already and cannot close it."""
    address = href.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{address}|{label.replace('|', '/')}>"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
