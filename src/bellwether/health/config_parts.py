"""The rows of a pass divided by the configuration that scores each: by day and by client."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from bellwether.health.configs import ActiveConfig, Timeline
from bellwether.health.inputs import Schema
from bellwether.health.records import of_clients
from bellwether.health.rows import read_frame
from bellwether.portfolio.models import Client

ASSIGNED_BY: Schema = {"client_id": pl.String, "tier": pl.String, "segment": pl.String}


def clients_to_assign(timelines: Sequence[Timeline], ids: list[str] | None = None) -> pl.DataFrame:
    """Return ASSIGNED_BY of all clients or those given (32 hex digits): tier and segment as they are now.

    No query and no rows where no configuration was ever in force for some clients only.
    """
    if all(line.default_only for line in timelines):
        return pl.DataFrame(schema=ASSIGNED_BY)
    clients = of_clients(Client.objects.order_by(), ids, "pk")
    return read_frame(clients, ASSIGNED_BY, {"client_id": "id", "tier": "contract_tier"})


def configs_on(line: Timeline, dates: Sequence[date]) -> list[ActiveConfig]:
    """Return the configurations in force on any of `dates`, each once."""
    return list({version: c for _, known in line.spans(dates) for version, c in known.by_version.items()}.values())


def divide(
    measures: pl.DataFrame, line: Timeline, dates: Sequence[date], clients: pl.DataFrame
) -> list[tuple[ActiveConfig, pl.DataFrame]]:
    """Return the rows of `measures` (client_id, date and more) by the configuration that scores them.

    `dates` are those of the rows, ascending, `clients` as `clients_to_assign` returns them. Rows keep their order; a
    configuration that scores none is left out, unless there are no rows at all.
    """
    spans = line.spans(dates)
    configs = {version: config for _, known in spans for version, config in known.by_version.items()}
    if len(configs) == 1 or measures.is_empty():
        return [(next(iter(configs.values())), measures)]
    days = pl.DataFrame(
        [(day, index) for index, (days, _) in enumerate(spans) for day in days],
        schema={"date": pl.Date, "span": pl.Int32},
        orient="row",
    )
    defaults = pl.DataFrame(
        {"span": range(len(spans)), "default": [known.default.version for _, known in spans]},
        schema={"span": pl.Int32, "default": pl.String},
    )
    own = pl.concat(
        clients.select("client_id", pl.lit(index, pl.Int32).alias("span"), known.assign(clients))
        for index, (_, known) in enumerate(spans)
    )
    versions = (
        measures.select("client_id", "date")
        .join(days, on="date", how="left", maintain_order="left")
        .join(defaults, on="span", how="left", maintain_order="left")
        .join(own, on=["client_id", "span"], how="left", maintain_order="left")
        .select(pl.coalesce("version", "default").alias("version"))["version"]
    )
    return [
        (configs[version], measures.filter(versions == version)) for version in versions.unique(maintain_order=True)
    ]
