"""Who wants no more mail, or cannot get any: addresses are kept as keyed digests, never in clear.

Links are signed and hold for good. The one in a mail's header is called by mail programs with a bare POST (RFC 8058).
"""

import hmac
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from bellwether.delivery.models import Unsubscription
from bellwether.staff import audit

SALT = "bellwether.delivery.unsubscribe"
ASKED = "Unsubscribed by a link in a mail."
BOUNCED = "The mail server does not know this address."


def digest_of(address: str) -> str:
    """Return the keyed digest of a mail address, the same for every spelling of its letters."""
    return hmac.new(settings.BELLWETHER_PSEUDONYM_KEY, address.strip().lower().encode(), sha256).hexdigest()


def stop_path(address: str, topic: str) -> str:
    """Return the address of this site that ends mail of a topic to `address`, without signing in."""
    return reverse("unsubscribe", args=[Signer(salt=SALT).sign(f"{digest_of(address)}.{topic}")])


def read_token(token: str) -> tuple[str, str]:
    """Return the address's digest and the topic of a link; BadSignature when it is none of ours."""
    digest, _, topic = Signer(salt=SALT).unsign(token).partition(".")
    if len(digest) != 64:
        raise BadSignature("This is no link to unsubscribe.")
    return digest, topic


def unsubscribe(digest: str, topic: str, *, reason: str = ASKED, now: datetime) -> bool:
    """Note that an address wants no mail of a topic ("": of none) and return whether that is new."""
    _, new = Unsubscription.objects.get_or_create(
        address_digest=digest, topic=topic, defaults={"reason": reason, "at": now}
    )
    if new:
        detail = {"topic": topic or "all", "reason": reason}
        audit.record(
            actor=None,
            action="mail.unsubscribed",
            object_type="address",
            object_id=digest[:16],
            detail=detail,
            now=now,
        )
    return new


def subscribe_again(address: str, *, now: datetime) -> int:
    """Lift what holds against an address, for whom it belongs to; return how many topics that were."""
    gone, _ = Unsubscription.objects.filter(address_digest=digest_of(address)).delete()
    if gone:
        audit.record(actor=None, action="mail.subscribed_again", object_type="address", detail={}, now=now)
    return gone


def refusal(address: str, topic: str) -> str:
    """Return why no mail of a topic goes to an address; "" when it may."""
    held = Unsubscription.objects.filter(address_digest=digest_of(address), topic__in=["", topic])
    return held.values_list("reason", flat=True).first() or ""


def suppressed(addresses: Iterable[str], topic: str) -> Collection[str]:
    """Return those of `addresses` to which no mail of a topic goes, in one query."""
    known = {digest_of(address): address for address in addresses if address}
    held = Unsubscription.objects.filter(address_digest__in=known, topic__in=["", topic])
    return {known[digest] for digest in held.values_list("address_digest", flat=True)}
