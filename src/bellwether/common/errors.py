"""Expected failures. A message says what is wrong, where, how many, and what to do about it."""


class BellwetherError(Exception):
    """Base of every failure that the product expects and can explain to its user."""


class InvalidInputError(BellwetherError):
    """The caller gave something that cannot be used.

    `errors` maps a field path ("weights.usage", "row 12: email") to a sentence a person can act on.
    """

    def __init__(self, message: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or {}


class ConflictError(BellwetherError):
    """The state does not allow the change (HTTP 409)."""
