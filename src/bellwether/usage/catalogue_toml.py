"""The catalogue as TOML, as presets write it: there and back. Pure."""

import json
import tomllib
from collections.abc import Iterable, Sequence

from bellwether.common.errors import InvalidInputError
from bellwether.usage.catalogue_data import FeatureDraft, draft_from_data


def catalogue_toml(drafts: Iterable[FeatureDraft]) -> str:
    """Return the features as TOML, a table `[[features]]` each."""
    return "\n".join(_table(draft) for draft in drafts)


def drafts_from_toml(text: str, *, tiers: Sequence[str]) -> list[FeatureDraft]:
    """Return the features of a TOML text. Raises InvalidInputError that names each wrong field of each feature."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"The file is no TOML: {error}.", {"file": f"is no TOML: {error}."}) from error
    tables = data.get("features")
    if not isinstance(tables, list) or not tables:
        sentence = "has no [[features]]."
        raise InvalidInputError(f"The file {sentence}", {"file": sentence})
    drafts: list[FeatureDraft] = []
    problems: dict[str, str] = {}
    for number, table in enumerate(tables, start=1):
        try:
            drafts.append(draft_from_data(table, tiers=tiers))
        except InvalidInputError as error:
            name = table.get("key") if isinstance(table, dict) else None
            problems |= {f"features.{name or number}.{field}": sentence for field, sentence in error.errors.items()}
    if problems:
        said = "; ".join(f"{field} {sentence}" for field, sentence in problems.items())
        raise InvalidInputError(f"The catalogue cannot be used: {said}", problems)
    return drafts


def _table(draft: FeatureDraft) -> str:
    lines = [f"{name} = {_value(value)}" for name, value in draft.as_data().items() if value not in ("", [])]
    return "[[features]]\n" + "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    # A JSON string is a TOML basic string, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
