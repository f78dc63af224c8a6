"""E-mail addresses and phone numbers as they are shown before somebody reveals them."""

DOTS = "•••"


def masked_email(address: str) -> str:
    """Return `address` with all but the first letter of the name hidden: "m•••@cobalt.example"; "" stays "".

    The number of dots says nothing about the length. What is no address at all is hidden whole.
    """
    if not address:
        return ""
    name, at, domain = address.rpartition("@")
    return f"{name[0]}{DOTS}@{domain}" if at and name and domain else DOTS


def masked_phone(number: str) -> str:
    """Return `number` as dots and its last two digits: "••• 42"; under six digits are hidden whole; "" stays ""."""
    if not number.strip():
        return ""
    digits = [character for character in number if character.isdigit()]
    return f"{DOTS} {''.join(digits[-2:])}" if len(digits) >= 6 else DOTS


def short_pseudonym(user_key: str) -> str:
    """Return what logs that are kept for ever may hold of a platform user's pseudonym: its first eight digits.

    Enough to tell people of a client apart, too little to be the pseudonym, so that erasing a person leaves none of it.
    """
    return user_key[:8]
