"""Teams: adaptive cards for a workflow, and what its answers mean. Pure.

A card may have about 28 KB. The workflow answers 202 and nothing else: that it was accepted is all there is to know.
"""

import json
from typing import Any

from bellwether.delivery.content import SEVERITY_WORDS, Content, Item, shortened
from bellwether.delivery.results import Outcome, Result, from_answer
from bellwether.webhooks.sending import Answer

MOST_BYTES = 25_000
HOSTS = (".environment.api.powerplatform.com", ".logic.azure.com", ".webhook.office.com")
"""How the names of Microsoft's hosts end that take cards for Teams."""
DEAD = (401, 403, 404, 410)
REFUSED = (400, 413, 415, 422)
COLOURS = {"CRITICAL": "Attention", "HIGH": "Warning"}


def message_of(content: Content) -> dict[str, Any]:
    """Return the message that a workflow posts: one adaptive card of at most 25 KB, further parts are counted."""
    shown = len(content.parts)
    while True:
        message = _message(content, shown)
        if shown == 0 or len(json.dumps(message, ensure_ascii=False).encode()) <= MOST_BYTES:
            return message
        shown = shown * 3 // 4


def answer_of(answer: Answer) -> Result:
    """Return what a workflow's answer means. A workflow dies with the account that it belongs to: 401 to 410."""
    if answer.accepted:
        return from_answer(answer, Outcome.SENT)
    if answer.status in DEAD:
        sentence = (
            f"The workflow does not take messages any more ({answer.status}). Make a new one and store its address."
        )
        return from_answer(answer, Outcome.DEAD, sentence)
    if answer.status in REFUSED:
        return from_answer(answer, Outcome.FAILED, f"The workflow did not accept the card ({answer.status}).")
    return from_answer(answer, Outcome.AGAIN)


def _message(content: Content, shown: int) -> dict[str, Any]:
    item = content.item
    body = [_block(_headline(item), 300, size="Medium", weight="Bolder", color=COLOURS.get(item.severity, "Default"))]
    if item.text:
        body.append(_block(item.text, 2_000))
    body += [_block(f"• {line}", 500, spacing="Small") for line in item.lines[:20]]
    for part in content.parts[:shown]:
        body.append(_block(_headline(part), 200, weight="Bolder"))
        if part.text:
            body.append(_block(part.text, 240, spacing="None", isSubtle=True))
    more = content.left_out + len(content.parts) - shown
    if more:
        body.append(_block(f"and {more} more", 40))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if item.href:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": item.href}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def _headline(item: Item) -> str:
    word = SEVERITY_WORDS.get(item.severity)
    return f"{word}: {item.title}" if word else item.title


def _block(text: str, length: int, **more: object) -> dict[str, Any]:
    """Return a text block. Cards read Markdown: a link in what customers wrote is taken apart."""
    return {"type": "TextBlock", "text": shortened(text, length).replace("](", "] ("), "wrap": True, **more}
