"""Contract terms as they stood on a date, and what the CRM said on it. Pure.

The term of a date is the one that started last on or before it; before the first term, and for clients without terms,
the client's own columns stand in.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from bellwether.health.grids import NEVER, Bools, Floats, Grid, Ints, known
from bellwether.health.inputs import MeasureInputs


@dataclass(frozen=True)
class Terms:
    """All terms in one table, and for each client and date the row of its term."""

    table: pl.DataFrame  # contract_tier, licensed_user_count, modules (lower case), renewal_date
    at: Ints  # (clients, dates)

    def has_module(self, module: str) -> Bools:
        """Return (clients, dates): whether the term names `module` (lower case)."""
        return self.table["modules"].list.contains(module).to_numpy()[self.at]  # type: ignore[no-any-return]

    def modules(self) -> Ints:
        """Return (clients, dates): the number of modules that the term names."""
        return self.table["modules"].list.len().cast(pl.Int64).to_numpy()[self.at]  # type: ignore[no-any-return]

    def seats(self) -> Floats:
        """Return (clients, dates): licensed users, NaN where not given."""
        values = self.table["licensed_user_count"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return values[self.at]  # type: ignore[no-any-return]

    def tiers(self) -> pl.Series:
        """Return the tier per client and date, client by client."""
        return self.table["contract_tier"].gather(self.at.ravel())


def contract_terms(inputs: MeasureInputs, grid: Grid) -> Terms:
    """Return the terms of every client and wanted date."""
    modules = pl.col("licensed_modules").fill_null([]).list.eval(pl.element().str.to_lowercase()).list.unique()
    own = inputs.clients.select(
        "contract_tier",
        "licensed_user_count",
        modules.alias("modules"),
        pl.coalesce("next_renewal_date", "contract_end_date").alias("renewal_date"),
    )
    placed = grid.place(inputs.contracts.sort("client_id", "start_date"), by="client_id", day="start_date")
    fallback = inputs.clients.select("client_id", pl.coalesce("next_renewal_date", "contract_end_date").alias("_own"))
    of_terms = placed.frame.join(fallback, on="client_id", how="left", maintain_order="left").select(
        "contract_tier",
        "licensed_user_count",
        modules.alias("modules"),
        pl.coalesce("end_date", "_own").alias("renewal_date"),
    )
    rows = grid.clients + np.arange(len(placed.row))
    latest = grid.last_of(placed, rows)
    own_rows = np.arange(grid.clients)[:, None]
    return Terms(pl.concat([own, of_terms]), np.where(latest > NEVER, latest, own_rows))


def contract_measures(inputs: MeasureInputs, grid: Grid, terms: Terms) -> dict[str, Floats]:
    """Return days_to_renewal and licensed_user_count as (clients, dates) arrays."""
    renewal = terms.table["renewal_date"].cast(pl.Int32).cast(pl.Float64).fill_null(np.nan).to_numpy()
    return {"days_to_renewal": renewal[terms.at] - grid.wanted, "licensed_user_count": terms.seats()}


def readings(inputs: MeasureInputs, grid: Grid) -> tuple[pl.Series, Floats]:
    """Return payment_status (client by client) and renewal_signal as last read on or before each date."""
    placed = grid.place(inputs.readings.sort("client_id", "date"), by="client_id", day="date")
    at = grid.last_of(placed, np.arange(len(placed.row)))
    seen = at > NEVER
    rows = np.where(seen, at, placed.frame.height)
    status = pl.concat([placed.frame["payment_status"], pl.Series("payment_status", [None], pl.String)])
    signal = pl.concat(
        [placed.frame["renewal_signal"].cast(pl.Float64), pl.Series("renewal_signal", [None], pl.Float64)]
    )
    return status.gather(rows.ravel()), known(signal.fill_null(np.nan).to_numpy()[rows], seen)
