"""Reads the settings that say where the lake lies. What they hold may be secret: complaints never repeat it."""

import importlib.util
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

STORES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs"}
"""Schemes of object stores, where one request writes a whole file, and the library of fsspec that speaks each."""

LEAST_KEPT_DAYS, MOST_KEPT_DAYS = 400, 36_500
LEAST_ALERT_DAYS = 90


def lake_location(text: str, *, cwd: Path) -> str:
    """Return where the lake lies: an absolute folder, or the URL of an object store without a slash at its end.

    Raises ValueError, with the cure and without what was given, for a URL that cannot be used.
    """
    if "://" not in text:
        return str((cwd / Path(text).expanduser()).absolute())
    url = urlsplit(text)
    if url.scheme == "file":
        return text
    if url.username or url.password:
        raise ValueError("must not hold credentials; put them into BELLWETHER_LAKE_OPTIONS or AWS variables")
    if url.scheme not in STORES:
        raise ValueError(f"begins with {url.scheme}://, but needs a folder, or an address such as s3://bucket/prefix")
    if not url.netloc:
        raise ValueError(f"needs the name of a bucket, as in {url.scheme}://bucket/prefix")
    if importlib.util.find_spec(STORES[url.scheme]) is None:
        library = STORES[url.scheme]
        cure = "bellwether[s3]" if library == "s3fs" else library
        raise ValueError(f"needs the library {library}, which is not installed: install {cure}")
    return text.rstrip("/")


def lake_options(text: str) -> dict[str, Any]:
    """Return the options of the lake's file system, given as a JSON object; empty text gives none.

    Raises ValueError without what was given.
    """
    if not text:
        return {}
    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise ValueError('needs a JSON object such as {"endpoint_url": "https://store.example"}')
    return options


def kept_alert_days(text: str) -> int:
    """Return for how many days alerts that ended are kept, 0 for ever; raises ValueError for less than 90 days."""
    if not text.isdigit() or not (int(text) == 0 or LEAST_ALERT_DAYS <= int(text) <= MOST_KEPT_DAYS):
        raise ValueError(f"needs 0, or a whole number from {LEAST_ALERT_DAYS} to {MOST_KEPT_DAYS}")
    return int(text)


def kept_days(text: str) -> int:
    """Return for how many days something is kept, 0 for ever; raises ValueError for less than 400 days.

    Measures look back a year, so less would change the scores of today.
    """
    if not text.isdigit() or not (int(text) == 0 or LEAST_KEPT_DAYS <= int(text) <= MOST_KEPT_DAYS):
        raise ValueError(f"needs 0, or a whole number from {LEAST_KEPT_DAYS} to {MOST_KEPT_DAYS}")
    return int(text)
