"""Random portfolios for property tests: every kind of record, deterministic by seed."""

from datetime import timedelta

import numpy as np

from bellwether.health.inputs import MeasureInputs, MeasureSettings
from bellwether.usage.event_match import EventMatch
from tests.health.builders import D, at, back, count, feature, inputs, settings

SPAN = 420
BULK = EventMatch(feature="bulk")
SETTINGS: MeasureSettings = settings(
    customer_role="customer",
    login_events=frozenset({"Signed In"}),
    counts=(
        count("cases_closed", "Closed"),
        count("cases_on_time", "Closed", "on_track"),
        count("assignments_total", "Assigned", days=None),
        count("forms_started", "Signed In", days=90),
        count("forms_completed", "Closed", days=90),
    ),
    features=(
        feature("cases", events=frozenset({"Closed", "Assigned"})),
        feature("share", events=frozenset({"Closed"}), target="share", value=0.8, within=frozenset({"on_track"})),
        feature("yearly", module="Chatbot", events=frozenset({"Asked"}), days=365, value=3.0),
        feature("any", module="API", events=frozenset({"Called"}), target="any", value=1.0),
        feature("part", events=frozenset({"Asked"}), matches=frozenset({EventMatch("Closed", feature="bulk")})),
        feature("far", events=frozenset(), matches=frozenset({EventMatch(module="chatbot"), BULK}), days=365),
        feature("service", events=frozenset(), matches=frozenset({BULK}), target="any", value=1.0),
        feature("tiers", events=frozenset({"Asked"}), by_tier=(("STARTER", 2.0), ("ENTERPRISE", 4.0))),
    ),
)
EVENTS = ("Signed In", "Closed", "Assigned", "Asked", "Called")
MODULES = ("Analytics", "chatbot", "API", None)


def portfolio(seed: int, *, clients: int = 6) -> MeasureInputs:
    """Return a portfolio of some clients with 420 days of history, full of gaps, ties and missing sources."""
    rng = np.random.default_rng(seed)

    def whole(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    def one(values: tuple) -> object:
        return values[whole(0, len(values))]

    ids = [f"c{n}" for n in range(clients)]
    kinds: dict[str, list[dict]] = {
        "clients": [
            {
                "client_id": c,
                "organization_id": f"o-{c}",
                "licensed_user_count": one((None, 0, 20)),
                "licensed_modules": one(([], ["Analytics"], ["analytics", "Chatbot", "API"])),
                "contract_start_date": one((None, back(whole(0, SPAN)))),
                "next_renewal_date": one((None, back(whole(-300, 30)))),
            }
            for c in ids
        ]
    }
    kinds["contracts"] = [
        {"client_id": c, "start_date": back(n), "end_date": one((None, back(n - 200))), "licensed_user_count": n}
        for c in ids
        for n in sorted({whole(0, SPAN) for _ in range(whole(0, 3))})
    ]
    kinds["readings"] = [
        {"client_id": c, "date": back(n), "payment_status": one(("late", None, "current")), "renewal_signal": n}
        for c in ids
        for n in sorted({whole(0, 90) for _ in range(whole(0, 5))})
    ]
    kinds["contacts"] = [
        {
            "contact_id": f"{c}-{n}",
            "client_id": c,
            "role": one(("CHAMPION", "ADMIN", "USER")),
            "is_active": bool(whole(0, 4)),
            "known_since": one((None, back(whole(0, SPAN)))),
            "left_at": one((None, None, at(whole(0, 200)))),
        }
        for c in ids
        for n in range(whole(0, 5))
    ]
    kinds["activities"] = [
        {
            "activity_id": f"a-{c}-{n}",
            "client_id": c,
            "activity_type": one(("CALL", "QBR", "INTERNAL_DISCUSSION")),
            "completed_at": one((None, at(whole(0, SPAN), whole(0, 24)), at(whole(0, SPAN), whole(0, 24)))),
        }
        for c in ids
        for n in range(whole(0, 12))
    ]
    kinds["activity_contacts"] = [
        {"activity_id": a["activity_id"], "contact_id": person["contact_id"]}
        for a in kinds["activities"]
        for person in kinds["contacts"]
        if person["client_id"] == a["client_id"] and whole(0, 2)
    ]
    kinds["tickets"] = [
        {"client_id": c, "priority": one(("low", "normal", "high", "urgent")), "opened_at": at(whole(0, 300))}
        for c in ids
        for _ in range(whole(0, 15))
    ]
    kinds["surveys"] = [
        {
            "client_id": c,
            "kind": kind,
            "score": float(whole(0, 11)) if kind == "NPS" else whole(0, 1000) / 10,
            "respondent": one(("", "kim", "lee")),
            "answered_at": at(whole(0, SPAN), whole(0, 24)),
        }
        for c in ids
        for kind in ("NPS", "CSAT")
        for _ in range(whole(0, 6))
    ]
    kinds["adoption"] = [
        {"client_id": c, "feature_key": key, "is_configured": bool(whole(0, 2)), "licensed_at": back(whole(0, SPAN))}
        for c in ids[:2]
        for key in ("cases", "any")
    ]
    kinds["client_days"] = [
        {
            "organization_id": f"o-{c}",
            "date": back(n),
            "dau": (dau := whole(0, 9)),
            "wau": dau + 3,
            "mau": dau + 5,
            "total_users": 10 + (SPAN - n) // 40,
            "sessions": dau * 2,
            "session_seconds": dau * 600,
            "actions": dau * 7,
        }
        for c in ids[1:]
        for n in range(whole(60, SPAN), whole(0, 40), -1)
        if whole(0, 5)
    ]
    kinds["event_days"] = [
        {
            "organization_id": f"o-{c}",
            "date": back(whole(0, SPAN)),
            "event": one(EVENTS),
            "module": one(MODULES),
            "feature": one((None, "bulk", "single")),
            "label": one((None, "on_track", "breached")),
            "is_service": not whole(0, 5),
            "events": whole(1, 6),
        }
        for c in ids[1:]
        for _ in range(120)
    ]
    kinds["user_days"] = [
        {
            "organization_id": f"o-{c}",
            "user_key": f"u{whole(0, 6)}",
            "date": back(whole(0, SPAN)),
            "actions": whole(0, 3),
            "role": one((None, None, "customer", "owner")),
        }
        for c in ids[1:]
        for _ in range(30)
    ]
    unique = {(row["organization_id"], row["user_key"], row["date"]): row for row in kinds["user_days"]}
    return inputs(**(kinds | {"user_days": list(unique.values())}))


DATES = sorted({D - timedelta(days=n) for n in (*range(40), 61, 90, 91, 120, 200, 300)})
