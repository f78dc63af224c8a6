"""The lake of this workspace, and what in its events is counted, as the settings say."""

import json
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

from bellwether.common.locks import in_database
from bellwether.presets import load_preset
from bellwether.usage.lake import Lake, lake_at


def workspace_lake() -> Lake:
    """Return the lake of this workspace. Nothing is asked of an object store here."""
    options = json.dumps(dict(getattr(settings, "BELLWETHER_LAKE_OPTIONS", {})), sort_keys=True)
    return _lake(str(settings.BELLWETHER_LAKE), options, str(settings.BELLWETHER_HOME))


def workspace_labels() -> dict[str, str]:
    """Return which property becomes an event's label, by event name, as the workspace's preset says."""
    return dict(load_preset(settings.BELLWETHER_PRESET).get("labels", {}))


@lru_cache(maxsize=8)
def _lake(location: str, options: str, home: str) -> Lake:
    work = Path(home) / "lake-work" / blake2b(location.encode(), digest_size=8).hexdigest()
    return lake_at(location, options=json.loads(options), work=work, guard=in_database)
