"""JSON data written as TOML that reads back as the same. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(data: Mapping[str, Any]) -> str:
    """Return `data` (texts, numbers, booleans, lists and tables; no nulls) as TOML.

    Lists of tables that hold a table stand one below the other as [[name]], everything else in a line of its own.
    Nulls in tables are left out.
    """
    apart = [key for key, value in data.items() if _stands_apart(value)]
    lines = [f"{_key(key)} = {_value(value)}" for key, value in data.items() if key not in apart and value is not None]
    for key in apart:
        for entry in data[key]:
            lines += ["", f"[[{_key(key)}]]"]
            lines += [f"{_key(name)} = {_value(value)}" for name, value in entry.items() if value is not None]
    return "\n".join(lines) + "\n"


def _stands_apart(value: Any) -> bool:
    entries = value if isinstance(value, list) else []
    return bool(entries) and all(isinstance(one, Mapping) for one in entries) and any(
        isinstance(held, Mapping) for one in entries for held in one.values()
    )  # fmt: skip


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items() if one is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):  # JSON escapes what TOML does, but for DEL, and pairs of surrogates, which TOML refuses
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
