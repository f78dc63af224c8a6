"""Values of custom measures: worked by hand, held against a plain count, and the same however they are asked for."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bellwether.common.progress import NoProgress
from bellwether.health.custom_grammar import parse_definition
from bellwether.health.custom_measures import Definition
from bellwether.health.custom_reading import FoldedMonths, read_custom_facts
from bellwether.health.custom_values import CustomFacts, custom_values
from bellwether.health.inputs import MeasureInputs
from bellwether.health.reading_facts import read_facts
from bellwether.usage.custom_facts import refresh_custom_facts
from bellwether.usage.lake import Lake
from tests.health.builders import SETTINGS, D, back, frame, inputs
from tests.usage.rollup_twin import event, place, refresh

EXPORTS = {"kind": "count", "event": "Export"}
DEFINITIONS: dict[str, Any] = {
    "week": EXPORTS | {"window_days": 7},
    "ever": EXPORTS | {"window_days": "all", "people_only": False},
    "cases": {"kind": "count", "module": "cases", "window_days": 90},
    "pdf": EXPORTS | {"where": [{"property": "format", "value": "pdf"}], "window_days": 200},
    "people": {"kind": "users", "event": "Export", "window_days": 14},
    "people_ever": {"kind": "users", "events": ["Export", "Close"], "window_days": "all"},
    "since": {"kind": "days_since", "event": "Close"},
    "since_pdf": {"kind": "days_since", "event": "Export", "where": [{"property": "format", "value": "pdf"}]},
    "pages": {"kind": "sum", "event": "Export", "property": "pages", "window_days": 30},
    "pages_ever": {"kind": "sum", "event": "Export", "property": "pages", "window_days": "all"},
    "last_pages": {"kind": "last", "event": "Export", "property": "pages", "window_days": 10},
    "last_ever": {"kind": "last", "event": "Export", "property": "pages", "window_days": "all"},
    "licences": {"kind": "sum", "trait": "licences", "window_days": "all"},
    "share": {"kind": "ratio", "of": EXPORTS, "per": {"kind": "count", "window_days": 30}},
    "each": {"kind": "ratio", "of": EXPORTS, "per": "users"},
    "seat": {"kind": "ratio", "of": EXPORTS, "per": "seats"},
}


def definitions(**data: Any) -> dict[str, Definition]:
    return {slug: parse_definition(one) for slug, one in data.items()}


ALL = definitions(**DEFINITIONS)


def instant(days_back: int, hour: int = 12) -> datetime:
    day = back(days_back)
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def export(days_back: int, user: str = "ann", organization: str = "o", hour: int = 12, **fields: Any) -> Any:
    return event(instant(days_back, hour), user, organization, **({"event": "Export"} | fields))


def fill(lake: Lake, events: list[Any], *more: Definition) -> None:
    """Make all facts of the events, those of every definition too."""
    days = place(lake, events)
    refresh(lake, days)
    specs = {spec.digest: spec for one in (*ALL.values(), *more) for spec in one.specs}
    refresh_custom_facts(lake, days, list(specs.values()), labels={}, progress=NoProgress())


def complete(chosen: dict[str, Definition]) -> frozenset[str]:
    return frozenset(spec.digest for one in chosen.values() for spec in one.specs)


def values(
    lake: Lake,
    dates: Sequence[date],
    chosen: dict[str, Definition],
    clients: pl.DataFrame | None = None,
    past: FoldedMonths | None = None,
) -> pl.DataFrame:
    found = read_facts(lake, min(dates), max(dates), SETTINGS)
    who = inputs().clients if clients is None else clients
    given = MeasureInputs(clients=who, client_days=found.client_days)
    facts = read_custom_facts(lake, dates, chosen.values(), complete=complete(chosen), past=past)
    return custom_values(chosen, given, facts, dates)


def value(lake: Lake, data: Any, on: date = D) -> float | None:
    found: float | None = values(lake, [on], definitions(it=data))["it"][0]
    return found


BY_HAND: list[tuple[Any, float | None]] = [
    (EXPORTS, 3),  # 13 days and twice 6 days ago; not the robot's, nor that of 40 days ago
    (EXPORTS | {"people_only": False}, 4),
    (EXPORTS | {"window_days": 41}, 4),
    (EXPORTS | {"window_days": 40}, 3),  # the window ends on the date, which is one of its days
    (EXPORTS | {"window_days": 7}, 2),
    (EXPORTS | {"window_days": 6}, 0),
    (EXPORTS | {"window_days": "all", "people_only": False}, 5),
    ({"kind": "users", "event": "Export"}, 2),
    ({"kind": "users", "event": "Export", "window_days": 7}, 1),
    ({"kind": "users", "event": "Export", "window_days": 3}, 0),
    ({"kind": "days_since", "event": "Export"}, 6),
    ({"kind": "days_since", "event": "Never"}, None),
    ({"kind": "days_since", "event": "Export", "where": [{"property": "pages", "is": "greater", "value": 50}]},
     40),
    ({"kind": "sum", "event": "Export", "property": "pages"}, 12.25),
    ({"kind": "sum", "event": "Export", "property": "pages", "window_days": "all"}, 112.25),
    ({"kind": "sum", "event": "Export", "property": "nothing"}, 0),
    ({"kind": "last", "event": "Export", "property": "pages"}, 4),
    ({"kind": "last", "event": "Export", "property": "pages", "window_days": 6}, None),
    ({"kind": "last", "event": "Export", "property": "pages", "people_only": False}, 1000),
    ({"kind": "last", "trait": "licences", "window_days": "all"}, 5),
    ({"kind": "sum", "trait": "licences", "window_days": "all"}, 9),  # bob 5, ann 4
    ({"kind": "sum", "trait": "licences", "window_days": 6}, 5),
    (EXPORTS | {"where": [{"property": "format", "value": "pdf"}], "window_days": "all"}, 2),
    ({"kind": "ratio", "of": EXPORTS | {"window_days": 7}, "per": EXPORTS}, 2 / 3),
    ({"kind": "ratio", "of": EXPORTS, "per": EXPORTS | {"window_days": 6}}, None),  # over nothing
    ({"kind": "ratio", "of": EXPORTS, "per": "seats"}, None),  # no seats known
    ({"kind": "ratio", "of": EXPORTS, "per": "users"}, 1.5),  # ann and bob in 30 days
]  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake of the client worked by hand."""
    made = Lake(Path(tmp_path_factory.mktemp("lake")))
    fill(
        made,
        [
            event(instant(100), "ann", "o", event="Start", module=None),
            export(40, properties='{"pages": 100, "format": "pdf"}'),
            export(13, "bob", properties='{"pages": 0.25}'),
            export(6, "ann", properties='{"pages": 8, "format": "csv"}'),
            export(6, "ann", hour=13, properties='{"pages": 4, "format": "pdf"}'),
            export(0, "robot", is_service=True, properties='{"pages": 1000}'),
            event(instant(20), "bob", "o", type="identify", event="identify", properties='{"licences": 3}'),
            event(instant(10), "ann", "o", type="identify", event="identify", properties='{"licences": 4}'),
            event(instant(5), "bob", "o", type="identify", event="identify", properties='{"licences": 5}'),
            export(30, "zoe", "someone else"),
        ],
        *(parse_definition(data) for data, _ in BY_HAND),
    )
    return made


class TestByHand:
    """One client `o` on Tuesday 30 June; its first event was 100 days before."""

    @pytest.mark.parametrize(("data", "expected"), BY_HAND, ids=str)
    def test_values(self, lake: Lake, data: Any, expected: float | None) -> None:
        assert value(lake, data) == expected

    def test_before_the_first_event_nothing_is_known_and_after_it_zero_is(self, lake: Lake) -> None:
        found = values(lake, [back(101), back(100), back(99)], definitions(n=EXPORTS, p=DEFINITIONS["people"]))
        assert found["n"].to_list() == [None, 0, 0]
        assert found["p"].to_list() == [None, 0, 0]

    def test_nothing_is_known_while_the_facts_are_counted(self, lake: Lake) -> None:
        chosen = definitions(people=DEFINITIONS["people"], n=EXPORTS)
        facts = read_custom_facts(lake, [D], chosen.values(), complete=frozenset())
        given = MeasureInputs(clients=inputs().clients, client_days=read_facts(lake, D, D, SETTINGS).client_days)
        assert custom_values(chosen, given, facts, [D]).row(0) == ("c", D, None, 3)

    def test_seats_are_those_of_the_contract(self, lake: Lake) -> None:
        who = frame("clients", [{"licensed_user_count": 12}])
        assert values(lake, [D], definitions(seat=DEFINITIONS["seat"]), who)["seat"].to_list() == [0.25]


def random_events(seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(400):
        name = str(rng.choice(["Export", "Close", "Look"]))
        made.append(
            export(
                int(rng.integers(0, 420)),
                str(rng.choice(["ann", "bob", "cy"])),
                str(rng.choice(["o-1", "o-2", "o-3", ""])),
                hour=int(rng.integers(0, 24)),
                event=name,
                module=str(rng.choice(["Cases", "cases", "Other"])),
                is_service=bool(rng.random() < 0.2),
                properties=str(
                    rng.choice(["{}", '{"pages": 3, "format": "pdf"}', '{"pages": 0.1}', '{"format": "pdf"}'])
                ),
            )
        )
    told = [
        export(
            int(rng.integers(0, 420)), str(rng.choice(["ann", "bob"])), str(rng.choice(["o-1", "o-2"])),
            type="identify", event="identify", properties=f'{{"licences": {int(rng.integers(1, 9))}}}',
        )
        for _ in range(40)
    ]  # fmt: skip
    return made + told


CLIENTS = [{"client_id": f"c{n}", "organization_id": f"o-{n}", "licensed_user_count": n * 5} for n in range(5)]
DATES = [back(n) for n in range(400, -1, -1)]


@pytest.fixture(scope="module", params=[1, 2])
def portfolio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[Any]]:
    there = Lake(Path(tmp_path_factory.mktemp("lake")))
    events = random_events(request.param)
    fill(there, events)
    return there, events


class TestWhatMustHold:
    def test_a_date_alone_has_the_values_that_it_has_among_all(self, portfolio: tuple[Lake, list[Any]]) -> None:
        lake, _ = portfolio
        who, past = frame("clients", CLIENTS), FoldedMonths()
        whole = values(lake, DATES, ALL, who)
        for day in DATES[::23]:
            alone = values(lake, [day], ALL, who, past)
            assert_frame_equal(whole.filter(pl.col("date") == day), alone, check_exact=True)

    def test_the_order_and_company_of_clients_do_not_matter(self, portfolio: tuple[Lake, list[Any]]) -> None:
        lake, _ = portfolio
        whole = values(lake, DATES[::5], ALL, frame("clients", CLIENTS))
        turned = values(lake, DATES[::5], ALL, frame("clients", CLIENTS[::-1]))
        assert_frame_equal(whole, turned.sort("client_id", "date"), check_exact=True)
        one = values(lake, DATES[::5], ALL, frame("clients", CLIENTS[2:3]))
        assert_frame_equal(whole.filter(pl.col("client_id") == "c2"), one, check_exact=True)

    def test_the_order_of_the_facts_does_not_matter(self, portfolio: tuple[Lake, list[Any]]) -> None:
        lake, _ = portfolio
        facts = read_custom_facts(lake, DATES, ALL.values(), complete=complete(ALL))
        mixed = CustomFacts(
            **{
                name: getattr(facts, name).sample(fraction=1, shuffle=True, seed=3)
                for name in ("counts", "days", "users")
            },
            complete=facts.complete,
        )
        given = MeasureInputs(
            clients=frame("clients", CLIENTS), client_days=read_facts(lake, DATES[0], D, SETTINGS).client_days
        )
        assert_frame_equal(
            custom_values(ALL, given, facts, DATES), custom_values(ALL, given, mixed, DATES), check_exact=True
        )

    def test_the_values_are_those_of_a_plain_count(self, portfolio: tuple[Lake, list[Any]]) -> None:
        lake, events = portfolio
        days = DATES[::37]
        found = values(lake, days, ALL, frame("clients", CLIENTS))
        compared = 0
        for row in found.iter_rows(named=True):
            organization = f"o-{row['client_id'][1:]}"
            plain = Plain([e for e in events if e["organization_id"] == organization], row["date"])
            for slug in ("week", "ever", "cases", "pdf", "people", "people_ever", "since", "since_pdf", "pages",
                         "pages_ever", "last_pages", "last_ever", "licences"):  # fmt: skip
                expected = getattr(plain, slug)() if plain.started else None
                assert row[slug] == pytest.approx(expected), (organization, row["date"], slug)
                compared += expected is not None
        assert compared > 200


class Plain:
    """The measures of DEFINITIONS from the events of one client, the slow and obvious way."""

    def __init__(self, events: list[Any], on: date) -> None:
        self.on = on
        self.events = sorted((e for e in events if e["ts"].date() <= on), key=lambda e: (e["ts"], e["message_id"]))
        self.started = bool(self.events)

    def of(self, name: str | None, days: int | None, *, people: bool = True, **where: Any) -> list[Any]:
        first = self.on - timedelta(days=days - 1) if days else date.min
        return [
            e for e in self.events
            if (name is None or e["event"] == name) and e["type"] == "track" and e["ts"].date() >= first
            and not (people and e["is_service"]) and all(want in e[field] for field, want in where.items())
        ]  # fmt: skip

    def week(self) -> int:
        return len(self.of("Export", 7))

    def ever(self) -> int:
        return len(self.of("Export", None, people=False))

    def cases(self) -> int:
        return len(self.of(None, 90, module="ases"))

    def pdf(self) -> int:
        return len(self.of("Export", 200, properties="pdf"))

    def people(self) -> int:
        return len({e["user_key"] for e in self.of("Export", 14)})

    def people_ever(self) -> int:
        return len({e["user_key"] for name in ("Export", "Close") for e in self.of(name, None)})

    def since(self) -> int | None:
        found = self.of("Close", None)
        return (self.on - found[-1]["ts"].date()).days if found else None

    def since_pdf(self) -> int | None:
        found = self.of("Export", None, properties="pdf")
        return (self.on - found[-1]["ts"].date()).days if found else None

    def numbers(self, days: int | None) -> list[float]:
        return [3 if "3" in e["properties"] else 0.1 for e in self.of("Export", days, properties="pages")]

    def pages(self) -> float:
        return sum(self.numbers(30))

    def pages_ever(self) -> float:
        return sum(self.numbers(None))

    def last_pages(self) -> float | None:
        return (self.numbers(10) or [None])[-1]

    def last_ever(self) -> float | None:
        return (self.numbers(None) or [None])[-1]

    def licences(self) -> float:
        last = {}
        for e in self.events:
            if e["type"] == "identify" and not e["is_service"]:
                last[e["user_key"]] = int(e["properties"].split()[1][:-1])
        return sum(last.values())
