"""What a store's library raises, said in one kind of error."""

from collections.abc import Iterator
from contextlib import contextmanager

from bellwether.common.errors import BellwetherError

LONGEST = 200


class LakeStoreError(BellwetherError):
    """The object store of the lake did not do what it was asked."""


@contextmanager
def asking_the_store() -> Iterator[None]:
    """Raise LakeStoreError for whatever the store's library raises in the block, but that a file does not exist."""
    try:
        yield
    except (FileNotFoundError, BellwetherError):
        raise
    except Exception as error:  # the libraries' errors have no common base
        text = f"{type(error).__name__}: {error}"[:LONGEST].rstrip(". ")
        raise LakeStoreError(
            f"The object store of the lake does not do what it is asked ({text}). See what `bellwether doctor` says."
        ) from error
