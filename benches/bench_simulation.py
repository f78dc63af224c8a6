"""Trying out weights on 10,000 clients: the whole request of the page's preview and of the API, warm and cold.

A throwaway workspace: 10,000 clients with one scored day (random measures, a tenth of them missing). Requests are asked
of Django in this process with its whole stack: session, scoping, simulation, audit, template or JSON. "Warm" is what a
moved slider costs, "cold" the first one of a process after a scoring, which reads and parses what 10,000 scores were
made of.

    python -m benches.bench_simulation [--clients 10000]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

from benches.health_workspace import make_home

LIMIT_MS = 100.0
COLD_LIMIT_MS = 2_000.0
TIMES = 15
OWN = 40
WEIGHTS = ("usage", "adoption", "support", "relationship", "contract", "outcome")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000)
    given = parser.parse_args()
    make_home()
    started = time.perf_counter()
    vera, ada = fill(given.clients, datetime.now(UTC))
    print(f"filled {given.clients:,} clients in {time.perf_counter() - started:.0f} s (not measured)")
    print("name | measured | limit | ratio")
    measure(vera, ada)


def fill(clients: int, now: datetime) -> tuple[Any, Any]:
    """Fill the database; return somebody who sees all clients and a CSM who sees OWN of them."""
    from bellwether.health.configs import active_config, main_scorecard
    from bellwether.health.engine import score_measures, with_expected_dau
    from bellwether.health.score_rows import score_rows
    from bellwether.health.storing import store_scores
    from bellwether.portfolio.models import Client
    from bellwether.staff.models import Role, StaffUser

    rng = np.random.default_rng(5)
    vera = StaffUser.objects.create_user("vera@bellwether.example", "x" * 20, role=Role.VP_CLIENT_SUCCESS)
    ada = StaffUser.objects.create_user("ada@bellwether.example", "x" * 20, role=Role.CSM)
    arr = rng.integers(10, 400, clients) * 1000
    Client.objects.bulk_create(
        [
            Client(
                organization_id=f"org-{n:05d}",
                name=f"Client {n:05d}",
                contract_tier=("STARTER", "PROFESSIONAL", "ENTERPRISE")[n % 3],
                annual_recurring_revenue=int(arr[n]),
                csm_user=ada if n < OWN else vera,
            )
            for n in range(clients)
        ],
        batch_size=2000,
    )
    config = active_config(main_scorecard(), now=now)
    frame = measures(sorted(pk.hex for pk in Client.objects.values_list("pk", flat=True)), now.date(), rng)
    frame = with_expected_dau(frame, config.scorecard)
    notable = pl.DataFrame(schema={"client_id": pl.String, "date": pl.Date, "notable_events": pl.List(pl.String)})
    rows = score_rows(
        score_measures(frame, config.scorecard),
        frame,
        scorecard=config.scorecard,
        version=config.version,
        digest=config.digest,
        notable=notable,
    )
    store_scores(rows, now=now)
    return vera, ada


def measures(client_ids: list[str], day: date, rng: np.random.Generator) -> pl.DataFrame:
    """Return random measures of every kind, a tenth of the values missing."""
    from bellwether.health.measures import DERIVED_LATER, MEASURES, Unit

    size = len(client_ids)
    columns: dict[str, Any] = {"client_id": client_ids, "date": [day] * size}
    for found in MEASURES:
        if found.slug in DERIVED_LATER:
            continue
        if found.unit is Unit.WORD:
            words = (
                ["starter", "professional", "enterprise"] if found.slug == "tier" else ["current", "late", "overdue"]
            )
            columns[found.slug] = rng.choice(words, size).tolist()
            continue
        most = 1.0 if found.unit is Unit.RATIO else 10 if found.unit is Unit.NPS else 100
        values = rng.random(size) * most
        known = pl.Series(values.astype(np.int64) if found.whole else values)
        columns[found.slug] = known.set(pl.Series(rng.random(size) < 0.1), None)
    return pl.DataFrame(columns).with_columns(previous_score=pl.Series(rng.integers(20, 100, size), dtype=pl.Int32))


def measure(vera: Any, ada: Any) -> None:
    """Ask for previews and simulations, warm and cold."""
    from django.conf import settings
    from django.test import Client as Browser

    from bellwether.health.configs import active_config, main_scorecard
    from bellwether.health.simulation_reading import forget, scored_portfolio

    settings.ALLOWED_HOSTS = ["*"]
    config_id = active_config(main_scorecard(), now=datetime.now(UTC)).config_id
    rng = np.random.default_rng(3)

    def weights() -> dict[str, int]:
        parts = rng.multinomial(100, [1 / 6] * 6)
        return {key: int(part) for key, part in zip(WEIGHTS, parts, strict=True)}

    def browser(user: Any) -> Browser:
        made = Browser()
        made.force_login(user)
        return made

    everybody, csm = browser(vera), browser(ada)

    def preview(who: Browser) -> None:
        asked = {f"w.{key}": str(value) for key, value in weights().items()}
        answer = who.get("/health-score/preview/", asked, headers={"HX-Request": "true"})
        assert answer.status_code == 200, answer.status_code

    def simulate(who: Browser) -> None:
        answer = who.post(
            f"/api/v1/client-success/config/health-score/{config_id}/simulate",
            json.dumps({"weights": weights()}),
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content[:300]

    preview(csm)  # templates, drivers and Polars are loaded by any first page
    forget()
    cold = []
    for _ in range(3):
        forget()
        cold += timed(lambda: preview(everybody), 1)
    line("preview of everybody, cold", cold, COLD_LIMIT_MS)
    line("preview of everybody, warm", timed(lambda: preview(everybody), TIMES), LIMIT_MS)
    line("simulate of everybody, warm", timed(lambda: simulate(everybody), TIMES), LIMIT_MS)
    line(f"preview of a CSM with {OWN} clients, warm", timed(lambda: preview(csm), TIMES), LIMIT_MS)
    line("whole page of everybody, warm", timed(lambda: everybody.get("/health-score/"), TIMES), LIMIT_MS)
    kept = scored_portfolio(main_scorecard(), vera)
    size = kept.measures.estimated_size() + kept.standing.estimated_size()
    print(f"kept in memory for {kept.measures.height:,} clients | {size / 1e6:.1f} MB | - | -")


def timed(run: Callable[[], object], times: int) -> list[float]:
    """Return the seconds of `times` runs."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return seconds


def line(name: str, seconds: list[float], limit_ms: float) -> None:
    """Print the median against its limit."""
    middle = 1000 * statistics.median(seconds)
    worst = 1000 * max(seconds)
    print(f"{name} | {middle:.0f} ms (slowest {worst:.0f}) | {limit_ms:g} ms | {limit_ms / middle:.2f}", flush=True)


if __name__ == "__main__":
    main()
