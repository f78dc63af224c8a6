"""The scorecards that a workspace scores: its main one, and those beside it."""

from django.conf import settings

from bellwether.common.errors import InvalidInputError
from bellwether.health.configs import main_scorecard
from bellwether.health.scorecard import SCORECARDS, shipped_definition
from bellwether.presets import load_preset
from bellwether.web.formatting import words


def other_scorecards() -> list[str]:
    """Return the names of the scorecards beside the main one: the setting, else what the preset says."""
    named = settings.BELLWETHER_OTHER_SCORECARDS
    if named is None:
        named = load_preset(settings.BELLWETHER_PRESET)["workspace"].get("other_scorecards", [])
    return [name for name in dict.fromkeys(named) if name != main_scorecard()]


def scorecards_in_use() -> list[str]:
    """Return the names of all scorecards that are scored, the main one first."""
    return [main_scorecard(), *other_scorecards()]


def title_of(name: str) -> str:
    """Return what a scorecard is called: the title of the shipped one, else its name as words."""
    if name in SCORECARDS:
        return str(shipped_definition(name)["title"])
    return words(name).capitalize()


def scorecard_in_use(name: str | None) -> str:
    """Return `name`, the main scorecard for None or "". Raises InvalidInputError where it is not in use."""
    used = scorecards_in_use()
    if not name:
        return used[0]
    if name not in used:
        sentence = f"{name!r} is not in use; in use are {', '.join(used)}."
        raise InvalidInputError(f"The scorecard cannot be shown: {sentence}", {"scorecard": sentence})
    return name
