"""The people of one client with 10,000 users: engagement, the pages, the CSV file, what people mainly do, contacts.

A throwaway workspace: 90 days of user-days of that client (each user active on a third of the days) in the same files
as those of 200 ordinary clients, and 30 days of raw events, a million of the client and as many of others. Pages are
asked of Django in this process, the fastest and the median of several; "cold" reads the facts, as the first page after
new facts does. Limits are those of the client page (100 ms), and what a reader waits for without noticing.

    python -m benches.bench_people [--users 10000] [--events 1000000]
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from benches.health_workspace import make_home

DAYS, EVENT_DAYS, OTHERS, OTHER_USERS = 90, 30, 200, 40
BIG = "big"
MODULES = ["Case Management", "Disclosures", "Policy Management", "Analytics", "Chatbot", None]
EVENTS = ["Case Created", "Disclosure Reviewed", "Policy Published", "Dashboard Viewed", "Chatbot Used", "Page Viewed"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    given = parser.parse_args()
    make_home()
    now = datetime.now(UTC)
    started = time.perf_counter()
    client_id, user = fill(now.date(), given.users, given.events)
    print(
        f"filled {given.users:,} users, {given.events:,} events in {time.perf_counter() - started:.0f} s (not measured)"
    )
    print("name | measured | limit | ratio")
    engagement_alone(now.date(), given.users)
    pages(client_id, user, given.users)
    contacts(now, given.users)
    print(f"peak memory | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB | - | -")


def line(name: str, seconds: list[float], limit_ms: float | None) -> None:
    middle = 1000 * statistics.median(seconds)
    ratio = "-" if limit_ms is None else f"{limit_ms / middle:.2f}"
    limit = "-" if limit_ms is None else f"{limit_ms:g} ms"
    print(f"{name} | {middle:.0f} ms (fastest {1000 * min(seconds):.0f}) | {limit} | {ratio}", flush=True)


def timed(run: Callable[[], Any], times: int) -> list[float]:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return seconds


def fill(today: date, users: int, events: int) -> tuple[str, Any]:
    """Fill database and lake; return the id of the big client and somebody who sees it."""
    from bellwether.portfolio.models import Client, Contact
    from bellwether.staff.models import Role, StaffUser
    from bellwether.usage.models import PlatformUser
    from bellwether.usage.workspace import workspace_lake

    rng = np.random.default_rng(11)
    somebody = StaffUser.objects.create_user("vera@bellwether.example", "x" * 20, role=Role.VP_CLIENT_SUCCESS)
    names = [BIG, *(f"org-{n:03d}" for n in range(OTHERS))]
    Client.objects.bulk_create([Client(organization_id=name, name=name, csm_user=somebody) for name in names])
    big = Client.objects.get(organization_id=BIG)
    keys = {name: user_keys(name, users if name == BIG else OTHER_USERS) for name in names}
    now = datetime.now(UTC)
    PlatformUser.objects.bulk_create(
        [
            PlatformUser(
                organization_id=name,
                user_key=key,
                role="Investigator",
                first_seen_at=now - timedelta(days=400),
                last_seen_at=now,
            )
            for name, of_client in keys.items()
            for key in of_client
        ],
        batch_size=2_000,
    )
    Contact.objects.bulk_create(
        [
            Contact(client=client, name=f"Contact {n} of {client.name}", role="CHAMPION", user_key=keys[client.name][n])
            for client in Client.objects.all()
            for n in range(5)
        ],
        batch_size=500,
    )
    fill_days(workspace_lake(), today, keys, rng)
    fill_events(workspace_lake(), today, keys, events, rng)
    return str(big.pk), somebody


def user_keys(name: str, count: int) -> list[str]:
    return [f"{(hash_of(name) + n * 2_654_435_761) % 2**32:08x}" + "0" * 24 for n in range(count)]


def hash_of(name: str) -> int:
    return int.from_bytes(name.encode(), "big") % 1_000_003


def user_days(today: date, keys: dict[str, list[str]], rng: np.random.Generator) -> pl.DataFrame:
    """Return user_days of all DAYS days: each user active on a third of them."""
    from bellwether.usage.facts import KINDS

    organization = np.concatenate([np.repeat(name, len(of_client)) for name, of_client in keys.items()])
    user = np.concatenate(list(keys.values()))
    who, ago = np.nonzero(rng.random((len(user), DAYS)) < rng.beta(1, 2, len(user))[:, None])
    at = np.datetime64(today) - ago.astype("timedelta64[D]")
    instant = pl.Series(at.astype("datetime64[us]")).dt.replace_time_zone("UTC")
    made: dict[str, Any] = {
        "organization_id": organization[who],
        "user_key": user[who],
        "date": at.astype("datetime64[D]"),
        "actions": rng.poisson(5, len(who)) + 1,
        "sessions": rng.poisson(0.3, len(who)) + 1,
        "session_seconds": rng.integers(60, 3_000, len(who)),
        "is_service": np.zeros(len(who), bool),
        "role": np.where(rng.random(len(who)) < 0.1, "Investigator", "Analyst"),
        "modules": np.ones(len(who), int),
        "fragments": np.ones(len(who), int),
        "fragment_us": np.ones(len(who), int),
    }
    instants = {name: instant for name in KINDS["user_days"] if name.endswith("_ts")}
    frame = pl.DataFrame(made | instants)
    return frame.select([pl.col(name).cast(dtype) for name, dtype in KINDS["user_days"].items()])


def fill_days(lake: Any, today: date, keys: dict[str, list[str]], rng: np.random.Generator) -> None:
    from bellwether.usage.facts import store_month

    for (month,), rows in user_days(today, keys, rng).group_by(pl.col("date").dt.strftime("%Y-%m")):
        store_month(lake, "user_days", str(month), rows)


def fill_events(lake: Any, today: date, keys: dict[str, list[str]], events: int, rng: np.random.Generator) -> None:
    """Store `events` events of the big client and as many of the others, a part a day."""
    from bellwether.usage.lake import EVENT_SCHEMA, write_part

    others = [(name, key) for name, of_client in keys.items() if name != BIG for key in of_client]
    for ago in range(EVENT_DAYS):
        day, count = today - timedelta(days=ago), events // EVENT_DAYS
        kind = rng.integers(0, len(EVENTS), 2 * count)
        picked = rng.integers(0, len(others), count)
        organization = [BIG] * count + [others[n][0] for n in picked]
        of_big = [keys[BIG][n] for n in rng.integers(0, len(keys[BIG]), count)]
        order = rng.permutation(2 * count)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        columns = {
            "message_id": [f"{ago}-{n:x}" for n in range(2 * count)],
            "organization_id": [organization[n] for n in order],
            "user_key": [(of_big[n] if n < count else others[picked[n - count]][1]) for n in order],
            "is_service": [False] * (2 * count),
            "type": ["track"] * (2 * count),
            "event": [EVENTS[n] for n in kind],
            "module": [MODULES[n] for n in kind],
            "ts": [at] * (2 * count),
            "received_at": [at] * (2 * count),
            "source": ["web"] * (2 * count),
            "properties": ['{"a": 1}'] * (2 * count),
        }
        frame = pl.DataFrame(columns).with_columns(pl.col("ts", "received_at").cast(pl.Datetime("us", "UTC")))
        missing = [pl.lit(None, pl.String).alias(name) for name in ("feature", "role")]
        missing += [pl.lit(None, pl.Datetime("us", "UTC")).alias(name) for name in ("sent_at", "original_ts")]
        rows = frame.with_columns(missing).select(EVENT_SCHEMA.names)
        write_part(rows.to_arrow().cast(EVENT_SCHEMA), lake.events_of(day) / "part.parquet")


def engagement_alone(today: date, users: int) -> None:
    """Measure the formulas alone, on facts in memory."""
    from bellwether.usage.engagement import engagement
    from bellwether.usage.facts import read_user_days
    from bellwether.usage.workspace import workspace_lake

    days = read_user_days(workspace_lake(), today - timedelta(days=DAYS - 1), today, organization_ids=[BIG])
    name = f"engagement of {users:,} users from {days.height:,} user-days"
    line(name, timed(lambda: engagement(days, today), 7), 300)


def pages(client_id: str, user: Any, users: int) -> None:
    from django.core.cache import caches
    from django.test import Client as Browser
    from django.urls import reverse

    browser = Browser()
    browser.force_login(user)

    def get(name: str, query: str = "", *more: str) -> bytes:
        response = browser.get(reverse(name, args=[client_id, *more]) + query, headers={"Host": "localhost"})
        assert response.status_code == 200, (name, response.status_code)
        return bytes(response.content)

    key = user_keys(BIG, users)[users // 2]
    get("client_people")  # templates and code are compiled once
    cold = []
    for _ in range(5):
        caches["memory"].clear()
        cold += timed(lambda: get("client_people"), 1)
    line("page of all users, cold: facts read and counted", cold, 500)
    line("page of all users", timed(lambda: get("client_people"), 15), 100)
    line("the last page", timed(lambda: get("client_people", "?people_page=200"), 9), 100)
    line("sorted by name", timed(lambda: get("client_people", "?people_sort=name"), 9), 100)
    line("inactive ones", timed(lambda: get("client_people", "?people=inactive"), 9), 100)
    line("found by pseudonym", timed(lambda: get("client_people", f"?people_search={key[:4]}"), 9), 100)
    cold = []
    for _ in range(5):
        caches["memory"].clear()
        get("client_people")
        cold += timed(lambda: get("client_people_activities", f"?user={key}"), 1)
    line("what they mainly do, loaded after the page, cold", cold, 1_000)
    line("the same, kept", timed(lambda: get("client_people_activities", f"?user={key}"), 9), 100)
    line("one person", timed(lambda: get("client_person", "", key), 9), 100)
    line("contacts and suggestions", timed(lambda: get("client_people_links"), 9), 300)
    line("all users as CSV", timed(lambda: get("client_people_export"), 5), 1_000)
    print(f"size of the page of all users | {len(get('client_people')) / 1024:.0f} KB | - | -")


def contacts(now: datetime, users: int) -> None:
    from django.conf import settings

    from bellwether.usage.contact_logins import refresh_contacts
    from bellwether.usage.workspace import workspace_lake

    zone = settings.BELLWETHER_WORKSPACE_ZONE
    run = lambda: refresh_contacts(workspace_lake(), now=now, zone=zone)  # noqa: E731
    line("logins of 1,005 linked contacts, all new", timed(run, 1), 1_000)
    line("the same, nothing new", timed(run, 5), 500)


if __name__ == "__main__":
    main()
