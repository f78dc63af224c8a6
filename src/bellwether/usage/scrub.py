"""Personal data stops at the door: names, e-mail addresses, phone numbers and network addresses are removed from what
an event carries before anything is written to disk.

A key that names a person's datum goes with its value (`first_name`, `inviteeEmail`, `ip`). In every other text, an
e-mail address, a phone number or an IP address is cut out wherever it stands. What cannot be told from ordinary words,
such as a person's name inside a sentence, is not found; senders should not send it.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Any

import msgspec

REMOVED = "[removed]"
MAX_DEPTH = 12
REMEMBERED_LENGTH = 80
_NESTED = (str, dict, list)

_KEYS = frozenset(
    {
        "name", "firstname", "lastname", "middlename", "fullname", "givenname", "familyname", "surname",
        "nickname", "realname", "displayname", "username", "login", "personname", "email", "mail",
        "emailaddress", "mailaddress", "phone", "phonenumber", "mobile", "mobilephone", "tel", "telephone",
        "fax", "cell", "cellphone", "ip", "ipaddr", "ipaddress", "remoteaddr", "remoteip", "clientip",
        "address", "street", "streetaddress", "postaladdress", "homeaddress", "birthday", "birthdate",
        "dateofbirth", "dob", "avatar", "photo", "picture", "ssn", "passport", "userid", "anonymousid",
        "previousid", "distinctid",
    }
)  # fmt: skip
_ENDINGS = (
    "firstname", "lastname", "middlename", "fullname", "username", "displayname", "nickname", "surname",
    "email", "emailaddress", "phone", "phonenumber", "telephone", "ipaddress", "useremail", "mailaddress",
)  # fmt: skip
_PERSONS = (
    "user", "contact", "customer", "employee", "manager", "reporter", "assignee", "author", "owner", "person", "member",
    "invitee", "inviter", "agent", "sender", "recipient", "creator", "patient", "lead", "subscriber", "visitor",
)  # fmt: skip

# Each pattern starts at the edge of a word or is short: the work grows with the length of the text, not its square.
_WORD = r"[^\s@\"'<>()\[\]{},;:/?&=]"
_EMAIL = rf"(?<!{_WORD}){_WORD}+(?:@|%40){_WORD}+"
_IPV4 = r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)"
_PHONE = r"(?<![\w+])\+\d(?:[\s().\-/]?\d){7,14}(?!\d)|(?<!\d)\(?\d{3}\)?[-. ]\s?\d{3}[-. ]\d{4}(?!\d)"
_IPV6 = r"(?<![\w:.])(?=[0-9a-fA-F:]*:[0-9a-fA-F:]*:)[0-9a-fA-F:]{3,39}(?:%\w+)?(?![\w:.])"
_IN_TEXT = re.compile(f"{_EMAIL}|{_PHONE}|{_IPV4}", re.IGNORECASE)
_IPV6_IN_TEXT = re.compile(_IPV6)


def scrub(value: Any, *, depth: int = 0) -> Any:
    """Return decoded JSON `value` without personal data; objects and arrays keep their shape, removed keys are gone.

    What nests deeper than 12 levels is dropped, as nothing here reads it.
    """
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            return {}
        kept = {k: scrub(v, depth=depth + 1) for k, v in value.items() if not is_personal_key(k)}
        return {scrub_text(k): v for k, v in kept.items() if v != REMOVED}
    if isinstance(value, list):
        return [] if depth >= MAX_DEPTH else [scrub(item, depth=depth + 1) for item in value]
    return value


def scrub_text(text: str) -> str:
    """Return `text` with every e-mail address, phone number and IP address replaced by `[removed]`."""
    cleaned = _IN_TEXT.sub(REMOVED, text)
    return _IPV6_IN_TEXT.sub(_without_ipv6, cleaned) if cleaned.count(":") > 1 else cleaned


def scrub_json(raw: bytes) -> bytes:
    """Return the JSON document `raw` without personal data.

    A document that holds none comes back as it is, which is the common case and the fast one: keys and short texts
    repeat, so what is known about them is remembered. Raises msgspec.DecodeError if `raw` is not JSON.
    """
    value = msgspec.json.decode(raw)
    return msgspec.json.encode(scrub(value)) if holds_personal(value) else raw


def holds_personal(value: Any, depth: int = 0) -> bool:
    """Tell whether `scrub` would change the decoded JSON `value`: a quick look, as most hold nothing."""
    kind = type(value)
    if kind is str:
        return _is_personal_text(value) if len(value) <= REMEMBERED_LENGTH else scrub_text(value) != value
    if kind is dict:
        for key, item in value.items():
            if is_personal_key(key) or _is_personal_text(key):
                return True
            kind = type(item)
            if kind is str and len(item) <= REMEMBERED_LENGTH:
                if _is_personal_text(item):
                    return True
            elif kind in _NESTED and holds_personal(item, depth + 1):
                return True
        return depth >= MAX_DEPTH
    if kind is list:
        return depth >= MAX_DEPTH or any(holds_personal(item, depth + 1) for item in value)
    return False


@lru_cache(maxsize=50_000)
def _is_personal_text(text: str) -> bool:
    return scrub_text(text) != text


@lru_cache(maxsize=20_000)
def is_personal_key(key: str) -> bool:
    """Tell whether a property named `key` holds a person's datum; case and separators do not matter."""
    plain = "".join(filter(str.isalnum, key)).lower()
    if plain in _KEYS or plain.endswith(_ENDINGS) or plain.startswith("ipaddress"):
        return True
    return plain.endswith("name") and plain.removesuffix("name").endswith(_PERSONS)


def _without_ipv6(match: re.Match[str]) -> str:
    try:
        IPv6Address(match.group())
    except AddressValueError:
        return match.group()
    return REMOVED
