"""A small portfolio worked out by hand, as frames. Today is 30 June 2026; a year before it was 30 June 2025.

client  ARR 30.6.25  ARR now  score now (31.3.26)  what happened
Ash        100,000   120,000   90 (85)             grew at its renewal on 1 Jan 2026
Birch      200,000   150,000   55 (75)             shrank on 1 Jan 2026, fell to at risk
Cedar       50,000    50,000   70 (50)             recovered
Elm         40,000    gone     –  (35)             churned on 1 May 2026
Fir         10,000    10,000   –  (–)              never scored
Hazel            –    60,000   30 (–)              joined on 1 May 2026
Oak         80,000    gone     –  (–)              churned on 1 Feb 2026
"""

from datetime import date
from typing import Any

import polars as pl

from bellwether.analytics.book import CLIENTS, OUTCOMES, PERIODS, SCORES, Records, first_terms

TODAY = date(2026, 6, 30)
BEFORE = date(2026, 3, 31)
MINE, THEIRS = "a" * 32, "b" * 32
OLD, MID, NEW = date(2024, 1, 1), date(2026, 1, 1), date(2026, 5, 1)


def frame(rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def client(name: str, csm: str, tier: str, arr: float, score: int | None, status: str | None, **more: Any) -> Any:
    values = {
        "key": name.lower().ljust(32, "0"), "name": name, "tier": tier, "industry": "Energy", "segment": "",
        "region": "EMEA", "csm": csm, "arr": arr, "score": score, "status": status, "renewal": None,
        "probability": None, "active": True, "start": None, "gone": None, "churned": None,
    }  # fmt: skip
    return tuple((values | more).values())


def key(name: str) -> str:
    return name.lower().ljust(32, "0")


def records() -> Records:
    gone = {"active": False}
    clients = [
        client("Ash", MINE, "ENTERPRISE", 120_000, 90, "HEALTHY", renewal=date(2026, 12, 31)),
        client("Birch", MINE, "ENTERPRISE", 150_000, 55, "AT_RISK", renewal=date(2026, 12, 31), probability=40),
        client("Cedar", THEIRS, "STARTER", 50_000, 70, "MONITOR", renewal=date(2026, 7, 15)),
        client("Elm", MINE, "STARTER", 40_000, None, None, gone=date(2026, 5, 20), **gone),
        client("Fir", THEIRS, "STARTER", 10_000, None, None),
        client("Hazel", THEIRS, "ENTERPRISE", 60_000, 30, "CRITICAL", renewal=date(2026, 6, 1)),
        client("Oak", THEIRS, "STARTER", 80_000, None, None, gone=date(2026, 2, 10), **gone),
    ]
    periods = [
        (key("Ash"), OLD, 100_000.0), (key("Ash"), MID, 120_000.0),
        (key("Birch"), OLD, 200_000.0), (key("Birch"), MID, 150_000.0),
        (key("Cedar"), OLD, 50_000.0), (key("Elm"), OLD, 40_000.0), (key("Fir"), OLD, None),
        (key("Hazel"), NEW, 60_000.0), (key("Oak"), OLD, 80_000.0),
    ]  # fmt: skip
    outcomes = [
        (key("Ash"), MID, "RENEWED", 100_000.0, 120_000.0),
        (key("Birch"), MID, "DOWNGRADED", 200_000.0, 150_000.0),
        (key("Elm"), NEW, "CHURNED", 40_000.0, 0.0),
        (key("Oak"), date(2026, 2, 1), "CHURNED", 80_000.0, 0.0),
    ]
    scores = [
        (key("Ash"), BEFORE, 85), (key("Birch"), BEFORE, 75), (key("Cedar"), BEFORE, 50), (key("Elm"), BEFORE, 35),
    ]  # fmt: skip
    frames = frame(clients, CLIENTS), frame(periods, PERIODS), frame(outcomes, OUTCOMES)
    return Records(first_terms(*frames), frames[1], frames[2], frame(scores, SCORES), TODAY)
