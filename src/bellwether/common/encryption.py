"""Texts that must be readable again, such as connection URLs, encrypted at rest (Fernet: AES-128 with HMAC-SHA-256).

The first of BELLWETHER_ENCRYPTION_KEYS encrypts, all of them decrypt. To change the key: put a new one in front, wait
until everything was encrypted anew (`is_current`), then take the old one away.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from bellwether.common.errors import BellwetherError


class UnreadableSecretError(BellwetherError):
    """No key that is set decrypts the text."""


def encrypt(text: str) -> bytes:
    """Return `text` encrypted under the first key. The same text gives other bytes each time."""
    return _all().encrypt(text.encode())


def decrypt(token: bytes | memoryview) -> str:
    """Return the text of `token`; UnreadableSecretError when none of the keys fits."""
    try:
        return _all().decrypt(bytes(token)).decode()
    except InvalidToken:
        raise UnreadableSecretError(
            "A stored secret cannot be decrypted with the keys that are set. "
            "Add the key it was encrypted with to BELLWETHER_ENCRYPTION_KEYS, or store the secret again."
        ) from None


def is_current(token: bytes | memoryview) -> bool:
    """Return whether `token` is encrypted under the first key, so that the others are not needed for it."""
    try:
        _fernet(_keys()[0]).decrypt(bytes(token))
    except InvalidToken:
        return False
    return True


def _keys() -> Sequence[str]:
    keys: Sequence[str] = settings.BELLWETHER_ENCRYPTION_KEYS
    return keys


def _all() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in _keys()])


def _fernet(key: str) -> Fernet:
    """Return the cipher of a key of any form; its hash has the length and the shape that Fernet asks for."""
    return Fernet(urlsafe_b64encode(sha256(key.encode()).digest()))
