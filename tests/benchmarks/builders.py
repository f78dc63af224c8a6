"""A small portfolio with the metrics of its night."""

from datetime import date

import numpy as np
from django.core.cache import caches

from bellwether.benchmarks.cohorts import size_band
from bellwether.benchmarks.models import ClientMetrics
from bellwether.portfolio.models import Client

NIGHT = date(2026, 6, 30)


def make_portfolio(rows, *, night=NIGHT):
    """Make clients of (name, csm, tier, industry, employees, values) and their metrics; return them by name."""
    made = {}
    for name, csm, tier, industry, employees, values in rows:
        client = Client.objects.create(
            organization_id=name.lower(),
            name=name,
            csm_user=csm,
            contract_tier=tier,
            industry=industry,
            employee_count=employees,
            licensed_user_count=20,
        )
        made[name] = client
        attributes = {
            "tier": tier,
            "industry": industry,
            "region": "",
            "segment": "",
            "size": size_band(employees),
            "tenure": "",
            "employees": employees,
            "months": None,
            "tags": [],
        }
        ClientMetrics.objects.create(
            client=client, date=night, values=values, attributes=attributes, attributes_on=night
        )
    caches["memory"].clear()
    caches["default"].clear()
    return made


def random_rows(seed, clients, csms):
    """Return rows for make_portfolio: tiers, industries and sizes of uneven frequency, health scores 0-100."""
    chance = np.random.default_rng(seed)
    return [
        (
            f"Client {place}",
            csms[int(chance.integers(len(csms)))],
            str(chance.choice(["STARTER", "PROFESSIONAL", "ENTERPRISE"], p=[0.5, 0.35, 0.15])),
            str(chance.choice(["Energy", "Media", "Retail"], p=[0.5, 0.35, 0.15])),
            int(chance.choice([100, 500, 2000])),
            {"health": float(chance.integers(20, 100)), "tickets": float(chance.integers(0, 9))},
        )
        for place in range(clients)
    ]
