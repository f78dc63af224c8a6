"""Presets: scorecards, feature catalogues and vocabularies as data (TOML), one file a system."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

PRESETS = ("ethico", "operations", "suppliers")


@cache
def load_preset(name: str) -> dict[str, Any]:
    """Return the preset `name` as parsed TOML: `workspace`, `scorecard`, `features`. KeyError for an unknown name."""
    if name not in PRESETS:
        raise KeyError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text("utf-8"))
