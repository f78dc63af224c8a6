"""Custom measures beside the built-in ones: those that scorecards read, on every day that is scored."""

from collections.abc import Iterable, Sequence
from datetime import date

import polars as pl

from bellwether.health.custom_measures import Custom
from bellwether.health.custom_reading import FoldedMonths, read_custom_facts
from bellwether.health.custom_registry import custom_measures
from bellwether.health.custom_values import custom_values
from bellwether.health.inputs import MeasureInputs
from bellwether.health.measures import MEASURES_BY_SLUG
from bellwether.health.scorecard import Scorecard
from bellwether.usage.custom_specs import FactSpec
from bellwether.usage.custom_wants import complete_facts
from bellwether.usage.known_facts import KnownFacts
from bellwether.usage.workspace import workspace_lake

_PAST = FoldedMonths()


def customs_of(scorecards: Iterable[Scorecard]) -> list[Custom]:
    """Return the custom measures that `scorecards` read; no query where they read none."""
    asked = {slug for card in scorecards for slug in card.measures} - set(MEASURES_BY_SLUG)
    return custom_measures(slugs=asked, archived=True) if asked else []


def facts_of(customs: Iterable[Custom]) -> list[FactSpec]:
    """Return the facts of raw events that `customs` need, each once, in the order of their digests."""
    specs = {part.spec.digest: part.spec for custom in customs for part in custom.definition.parts if part.spec}
    return [specs[digest] for digest in sorted(specs)]


def values_on(
    customs: Sequence[Custom], inputs: MeasureInputs, dates: Sequence[date], *, as_known: KnownFacts | None = None
) -> pl.DataFrame:
    """Return client_id, date and a column per custom measure, for all clients of `inputs` and `dates`.

    `as_known`: as their facts were known on its day, with `facts_of` the customs among what was counted for it.
    """
    definitions = {custom.slug: custom.definition for custom in customs}
    facts = read_custom_facts(
        workspace_lake(), dates, definitions.values(), complete=complete_facts(), past=_PAST, known=as_known
    )
    return custom_values(definitions, inputs, facts, dates)


def with_customs(
    measures: pl.DataFrame,
    customs: Sequence[Custom],
    inputs: MeasureInputs,
    dates: Sequence[date],
    *,
    as_known: KnownFacts | None = None,
) -> pl.DataFrame:
    """Return `measures`, as `measuring.measure` made them of `inputs` and `dates`, with a column per custom measure."""
    if not customs:
        return measures
    return measures.hstack(values_on(customs, inputs, dates, as_known=as_known).drop("client_id", "date"))
