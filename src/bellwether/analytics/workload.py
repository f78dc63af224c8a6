"""How much work a book of clients is, against what one CSM can look after. Pure.

A client weighs TIER_WEIGHT x STATUS_FACTOR; a CSM's workload is the sum over the clients divided by CAPACITY. With 24,
a book of 30 healthy Starter clients, of 20 healthy Professional or of 15 healthy Enterprise ones is 100%: the 15 to 30
clients that PRD-015 plans for one CSM.
"""

import polars as pl

CAPACITY = 24.0
TIER_WEIGHT = {"STARTER": 0.8, "PROFESSIONAL": 1.2, "ENTERPRISE": 1.6, "CUSTOM": 1.2}
STATUS_FACTOR: dict[str | None, float] = {
    "HEALTHY": 1.0, "MONITOR": 1.1, "AT_RISK": 1.4, "CRITICAL": 1.6, None: 1.1
}  # fmt: skip
HIGH, FULL = 1.10, 1.00
FORMULA = (
    "Each client weighs 0.8 (Starter), 1.2 (Professional, Custom) or 1.6 (Enterprise), times 1 if healthy, 1.1 if to "
    "be monitored or not scored, 1.4 at risk, 1.6 critical. The sum is divided by 24, which is one full book: 30 "
    "healthy Starter, 20 Professional or 15 Enterprise clients."
)


def weight(tier: str, status: str | None) -> float:
    """Return what one client weighs; an unknown tier counts as Custom."""
    return TIER_WEIGHT.get(tier, TIER_WEIGHT["CUSTOM"]) * STATUS_FACTOR.get(status, STATUS_FACTOR[None])


def weights(book: pl.DataFrame) -> list[float]:
    """Return what each client of a book weighs, in its order."""
    return [weight(tier, status) for tier, status in book.select("tier", "status").iter_rows()]


def workloads(book: pl.DataFrame) -> dict[str, float]:
    """Return each CSM's workload as a share of a full book (1 is full), by id as 32 hex digits."""
    rows = book.select("csm").with_columns(pl.Series("weight", weights(book), dtype=pl.Float64))
    sums = rows.filter(pl.col("csm") != "").group_by("csm").agg(pl.col("weight").sum())
    return {str(csm): total / CAPACITY for csm, total in sums.iter_rows()}
