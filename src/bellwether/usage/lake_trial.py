"""Tries out whether a lake can be written, listed, read and removed from, and says what is wrong in plain words."""

import os

import polars as pl

from bellwether.common.errors import BellwetherError
from bellwether.usage.lake import Lake, write_part

CURES = (
    ("NoCredentials", "there are no credentials", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or LAKE_OPTIONS."),
    (
        "PermissionError",
        "access is refused",
        "Check the owner of the folder, or the rights of the store's credentials.",
    ),
    ("FileNotFoundError", "there is no such bucket or folder", "Make the bucket, or correct BELLWETHER_LAKE."),
    ("Endpoint", "the store does not answer", "Check endpoint_url in BELLWETHER_LAKE_OPTIONS, and the network."),
    ("Connect", "the store does not answer", "Check endpoint_url in BELLWETHER_LAKE_OPTIONS, and the network."),
    ("Timeout", "the store does not answer", "Check endpoint_url in BELLWETHER_LAKE_OPTIONS, and the network."),
    ("NotADirectoryError", "the path leads through a file", "Correct BELLWETHER_LAKE."),
    ("FileExistsError", "the path leads through a file", "Correct BELLWETHER_LAKE."),
)


class LakeUnusableError(BellwetherError):
    """The lake cannot be used: the text says why, `cure` what to do."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


def try_out(lake: Lake) -> None:
    """Write a small file into `lake`, list, read and remove it. Raises LakeUnusableError when any of that fails."""
    folder = lake.root / "trial"
    path = folder / f"trial-{os.getpid()}.parquet"
    told = pl.DataFrame({"works": [True]})
    try:
        write_part(told.to_arrow(), path)
        listed = path in [found for found, _ in lake.files(folder)]
        same = lake.read(path).equals(told)
        lake.remove([path])
        lake.remove_folder(folder)
    except Exception as error:  # what a store's library raises has no common base
        names = " ".join(type(cause).__name__ for cause in _causes(error))
        for sign, what, cure in CURES:
            if sign in names:
                raise LakeUnusableError(what, cure) from error
        raise LakeUnusableError(
            f"it cannot be used ({names})", "Read what the store says about it in the log."
        ) from error
    if not (listed and same):
        raise LakeUnusableError("what was written is not there when read", "Use a store with consistent reads.")


def _causes(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
