"""Messages as mails: text and HTML, one-click unsubscription (RFC 8058), the same Message-ID at every attempt."""

import smtplib
from email.utils import make_msgid
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from bellwether.delivery.content import SEVERITY_WORDS, Content, shortened
from bellwether.delivery.models import Message
from bellwether.delivery.results import Outcome, Result
from bellwether.delivery.unsubscribing import stop_path

WHY = "You get this because of what you chose to be told about."
UNKNOWN_ADDRESS = (b"5.1.1", b"5.1.2", b"5.1.10")


def mail_of(message: Message, content: Content, address: str) -> EmailMultiAlternatives:
    """Return the mail of a message to `address`. To staff nothing about a client stands in the subject; a contact is
    written to, and answers to the client's CSM."""
    base = settings.BELLWETHER_BASE_URL.rstrip("/")
    stop = base + stop_path(address, message.topic)
    values = {
        "content": content,
        "words": SEVERITY_WORDS,
        "why": WHY,
        "stop": stop,
        "settings_href": f"{base}/settings/delivery/",
    }
    to_contact = message.contact_id is not None
    template = "delivery/contact" if to_contact else "delivery/message"
    csm = message.client.csm_user if to_contact and message.client else None
    made = EmailMultiAlternatives(
        subject=_one_line(content.item.title if to_contact else subject_of(message, content)),
        body=render_to_string(f"{template}.txt", values).strip() + "\n",
        to=[address],
        reply_to=[csm.email] if csm is not None and csm.is_active else None,
        headers={
            "Message-ID": message_id(message),
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    made.attach_alternative(render_to_string(f"{template}.html", values), "text/html")
    return made


def subject_of(message: Message, content: Content) -> str:
    """Return the subject of a mail to staff: how grave and how many, no client's name."""
    if content.parts or message.about in {"digest", "test"}:
        return content.item.title
    what = {"alert": "alert", "playbook": "message of a playbook"}.get(message.topic, "message")
    word = SEVERITY_WORDS.get(message.severity)
    return f"{word} {what} about a client" if word else f"A {what} about a client"


def message_id(message: Message) -> str:
    """Return the Message-ID of a message: made from its key, so the same at every attempt."""
    domain = urlsplit(settings.BELLWETHER_BASE_URL).hostname or make_msgid().partition("@")[2].rstrip(">")
    return f"<{sha256(message.key.encode()).hexdigest()[:40]}@{domain}>"


def send_mail(mail: EmailMultiAlternatives) -> Result:
    """Hand a mail over and return what came of it. A refusal for good (5xx) is not tried again."""
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (550, b""))
        return _refused(code, said)
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return Result(Outcome.AGAIN, error.smtp_code, "The mail server does not accept the user and password set.")
        return _refused(error.smtp_code, said)
    except ValueError as error:
        return Result(Outcome.FAILED, error=f"The mail cannot be written: {error}"[:300])
    except OSError as error:  # what smtplib raises for a server that goes away, and the network's errors
        return Result(Outcome.AGAIN, error=f"The mail server could not be reached: {type(error).__name__}.")
    return Result(Outcome.SENT, 250, remote_id=mail.extra_headers["Message-ID"], answer="Handed to the mail server.")


def is_unknown_address(result: Result) -> bool:
    """Return whether the server said that there is no such address."""
    return any(code.decode() in result.answer for code in UNKNOWN_ADDRESS)


def _refused(code: int, said: bytes) -> Result:
    text = said.decode("utf-8", "replace")[:200]
    for_good = 500 <= code < 600
    sentence = (
        f"The mail server refused it ({code}): {text}" if for_good else f"The mail server is busy ({code}): {text}"
    )
    return Result(Outcome.FAILED if for_good else Outcome.AGAIN, code, sentence[:300], answer=text)


def _one_line(text: str) -> str:
    return shortened(" ".join(text.split()), 200)
