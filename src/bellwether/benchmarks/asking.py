"""What somebody asks for as text, such as "custom:ID", as a group; for the API and the pages."""

from dataclasses import dataclass
from uuid import UUID

from bellwether.benchmarks.choosing import KINDS, Choice, choices, custom, narrowed, nearest_larger, saved_key
from bellwether.benchmarks.cohorts import Filters, read_filters
from bellwether.benchmarks.comparing import Position, positions
from bellwether.benchmarks.models import Cohort
from bellwether.benchmarks.night import Night, Sight
from bellwether.benchmarks.saved import visible_cohort
from bellwether.common.errors import InvalidInputError
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser


@dataclass(frozen=True)
class Comparison:
    """A client against a group. `instead` are groups that can be shown, best first, where this one is locked."""

    client: Client
    choice: Choice
    kinds: list[Choice]
    positions: list[Position]
    instead: list[Choice]
    filters: Filters | None
    cohort: Cohort | None


def compare(user: StaffUser, client: Client, cohort: str, night: Night, sight: Sight) -> Comparison:
    """Return the comparison that `cohort` asks for: tier, industry, size, tenure or custom:ID.

    `client` must be visible to `user`. Raises InvalidInputError for another word, Http404 for a group that the user
    may not see.
    """
    if cohort in KINDS:
        kinds = choices(night, sight, client.pk)
        return _compared(client, kinds[list(KINDS).index(cohort)], kinds, night, sight)
    if cohort.startswith("custom:"):
        try:
            cohort_id = UUID(cohort.removeprefix("custom:"))
        except ValueError:
            raise _unknown(cohort) from None
        row = visible_cohort(user, cohort_id)
        return compare_filters(client, read_filters(row.filters), night, sight, name=row.name, cohort=row)
    raise _unknown(cohort)


def compare_filters(
    client: Client, filters: Filters, night: Night, sight: Sight, *, name: str, cohort: Cohort | None = None
) -> Comparison:
    """Return the comparison with the group that `filters` describe."""
    kinds = choices(night, sight, client.pk)
    key = saved_key(cohort.pk) if cohort else "custom"
    choice = custom(night, sight, client.pk, filters, key=key, name=name)
    instead = narrowed(night, sight, client.pk, filters) if choice.locked else []
    return _compared(client, choice, kinds, night, sight, instead, filters, cohort)


def _compared(
    client: Client,
    choice: Choice,
    kinds: list[Choice],
    night: Night,
    sight: Sight,
    instead: list[Choice] | None = None,
    filters: Filters | None = None,
    cohort: Cohort | None = None,
) -> Comparison:
    others = nearest_larger(choice, kinds) if choice.locked else []
    found = positions(night, sight, client.pk, choice)
    return Comparison(client, choice, kinds, found, [*(instead or []), *others], filters, cohort)


def licensed_features(client: Client, night: Night, scorecard: str) -> int | None:
    """Return how many features are licensed for the client by its score of the night."""
    if night.day is None:
        return None
    row = HealthScore.objects.filter(client=client, scorecard=scorecard, date=night.day).only("inputs").first()
    found = row.inputs.get("features_licensed") if row else None
    return None if found is None else int(found)


def _unknown(cohort: str) -> InvalidInputError:
    sentence = f"{cohort!r} is no group; use {', '.join(KINDS)} or custom:ID with the id of a saved group."
    return InvalidInputError(f"The group cannot be used: {sentence}", {"cohort": sentence})
