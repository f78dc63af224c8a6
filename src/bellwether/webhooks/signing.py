"""Signatures of the Standard Webhooks kind: HMAC-SHA-256 over `id.timestamp.body`, one for each secret in use."""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new secret, `whsec_` and 32 random bytes in base64."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(secrets_in_use: Sequence[str], *, event_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers of one attempt. `at` is aware; the signed bytes are those of `body` in UTF-8."""
    signatures = [Webhook(secret).sign(event_id, at, body) for secret in secrets_in_use]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Bellwether webhooks",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
