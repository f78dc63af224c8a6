"""Sends the digests that are due."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from email.utils import make_msgid
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string

from bellwether.common.progress import Progress
from bellwether.common.time import day_of
from bellwether.dashboard.digest import DigestPage, digest_day, digest_of, since_day
from bellwether.dashboard.settings_you_page import unsubscribe_path
from bellwether.health.configs import main_scorecard
from bellwether.portfolio.follow_ups import due_follow_ups
from bellwether.staff.models import Digest, DigestMail, StaffUser
from bellwether.web.formatting import full_day

AGAIN_AFTER = timedelta(minutes=10)


def send_due_digests(now: datetime, *, clock: Callable[[], datetime], progress: Progress) -> dict[str, int]:
    """Send every digest that is due at `now` and return how many were sent, empty and failed.

    Each is claimed before it is made; a claim that was not finished within ten minutes is taken up again, with the same
    message id. A mail that cannot be handed over is tried again at the next sweep.
    """
    zone, days = settings.BELLWETHER_WORKSPACE_ZONE, settings.BELLWETHER_WORKING_DAYS
    wanting = StaffUser.objects.filter(is_active=True).exclude(digest=Digest.OFF).order_by("email")
    claimed = []
    for user in wanting:
        day = digest_day(user, now=now, workspace=zone, working_days=days)
        mail = _claim(user, day, now) if day else None
        if mail is not None:
            claimed.append((user, mail))
    counts = {"sent": 0, "empty": 0, "failed": 0}
    if not claimed:
        return counts
    progress.start("Sending digests", len(claimed))
    due = due_follow_ups(now, day_of(now, zone))
    for user, mail in claimed:
        since = since_day(user, mail.day, days)
        page = digest_of(user, due=due, scorecard=main_scorecard(), on=mail.day, since=since, now=now, zone=zone)
        counts[_send(user, mail, page, clock)] += 1
        progress.advance()
    return counts


def _claim(user: StaffUser, day: date, now: datetime) -> DigestMail | None:
    """Return the digest of the day if it is ours to send."""
    try:
        with transaction.atomic():
            return DigestMail.objects.create(user=user, day=day, claimed_at=now)
    except IntegrityError:
        stale = DigestMail.objects.filter(user=user, day=day, sent_at__isnull=True, claimed_at__lte=now - AGAIN_AFTER)
        return DigestMail.objects.get(user=user, day=day) if stale.update(claimed_at=now) else None


def _send(user: StaffUser, mail: DigestMail, page: DigestPage, clock: Callable[[], datetime]) -> str:
    if not page.sections:
        DigestMail.objects.filter(pk=mail.pk).update(sent_at=clock(), is_empty=True)
        return "empty"
    message = digest_message(user, mail, page)
    try:
        message.send()
    except OSError:  # what smtplib raises too; the claim stays open, so the next sweep tries again
        return "failed"
    DigestMail.objects.filter(pk=mail.pk).update(sent_at=clock())
    return "sent"


def digest_message(user: StaffUser, mail: DigestMail, page: DigestPage) -> EmailMultiAlternatives:
    """Return the mail: plain text and HTML, one-click unsubscription (RFC 8058), no client's name in the subject."""
    base = settings.BELLWETHER_BASE_URL.rstrip("/")
    stop = base + unsubscribe_path(user)
    values = {"page": page, "base": base, "stop": stop, "settings_path": "/settings/"}
    message = EmailMultiAlternatives(
        subject=f"Your digest, {full_day(mail.day)}",
        body=render_to_string("dashboard/digest_mail.txt", values),
        to=[user.email],
        headers={
            "Message-ID": _message_id(mail, base),
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(render_to_string("dashboard/digest_mail.html", values), "text/html")
    return message


def _message_id(mail: DigestMail, base: str) -> str:
    """Return the same id each time this digest is sent, so that mail programs show it once."""
    domain = urlsplit(base).hostname or make_msgid().partition("@")[2].rstrip(">")
    return f"<digest.{mail.pk}.{mail.day.isoformat()}@{domain}>"
