"""The address of the executive view as a question, and back: period, CSM and breakdown live in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from bellwether.analytics.book import DIMENSIONS
from bellwether.analytics.executive import Asked, make_asked
from bellwether.analytics.periods import DEFAULT
from bellwether.common.errors import InvalidInputError

KEPT = ("period", "from", "to", "csm_id", "by", "names", "csms")
DEFAULTS = {"period": DEFAULT, "by": "tier", "names": "show"}


@dataclass(frozen=True)
class Address:
    """What the address asks for. `ignored` are sentences about what could not be used and was left out; `team_view`
    asks for the scorecard without names, `every_csm` for all of its rows."""

    asked: Asked
    given: dict[str, str]
    ignored: tuple[str, ...]
    team_view: bool
    every_csm: bool

    def link(self, **changes: str | None) -> str:
        """Return the query with `changes`; None takes away. `from_` stands for `from`."""
        values = {**self.given, **{name.rstrip("_"): value for name, value in changes.items()}}
        if values.get("period", DEFAULT) != "custom":
            values |= {"from": None, "to": None}
        kept = {name: str(values[name]) for name in KEPT if values.get(name)}
        return "?" + urlencode({name: value for name, value in kept.items() if value != DEFAULTS.get(name)})


def read_address(values: Mapping[str, str], *, today: date) -> Address:
    """Return the question of an address. Never fails: what cannot be used is left out and said."""
    given = {name: values[name].strip()[:60] for name in KEPT if values.get(name, "").strip()}
    ignored: list[str] = []
    days: dict[str, date | None] = {}
    for name in ("from", "to"):
        days[name] = None
        if name in given:
            try:
                days[name] = date.fromisoformat(given[name])
            except ValueError:
                ignored.append(f"{given.pop(name)!r} is no day. Give it as YYYY-MM-DD.")
    csm = None
    if "csm_id" in given:
        try:
            csm = UUID(given["csm_id"])
        except ValueError:
            ignored.append("csm_id needs the id of a member of staff.")
            del given["csm_id"]
    by = given.get("by", "tier")
    if by not in DIMENSIONS:
        ignored.append(f"Clients can be broken down by {', '.join(DIMENSIONS)}.")
        by = given.pop("by") and "tier"
    kind = given.get("period", DEFAULT)
    try:
        asked = make_asked(today=today, period=kind, first=days["from"], last=days["to"], csm=csm, by=by)
    except InvalidInputError as error:
        ignored.extend(error.errors.values())
        for name in ("period", "from", "to"):
            given.pop(name, None)
        asked = make_asked(today=today, csm=csm, by=by)
    return Address(asked, given, tuple(ignored), given.get("names") == "hide", given.get("csms") == "all")
