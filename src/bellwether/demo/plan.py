"""What a demo is made from: five numbers and a day. Everything else follows from them."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import NAMESPACE_DNS, UUID, uuid5
from zlib import crc32

import numpy as np

from bellwether.common.errors import InvalidInputError
from bellwether.presets import PRESETS

NAMESPACE = uuid5(NAMESPACE_DNS, "demo.bellwether.example")
FEWEST_CLIENTS, MOST_CLIENTS = 4, 5_000
FEWEST_DAYS, MOST_DAYS = 30, 1_500


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """A demo of `clients` clients over `days` workspace days that end on `today`. Equal plans give equal content."""

    clients: int = 250
    days: int = 400
    seed: int = 7
    today: date
    preset: str = "ethico"

    @property
    def first(self) -> date:
        """The first day of usage."""
        return self.today - timedelta(days=self.days - 1)

    def day(self, index: float) -> date:
        """Return the date of the day `index`, 0 for the first; negative for days before it."""
        return self.first + timedelta(days=int(index))

    def index(self, day: date) -> int:
        """Return how many days after the first `day` is."""
        return (day - self.first).days

    def stream(self, *names: object) -> np.random.Generator:
        """Return a random stream of its own for `names`, so that a change in one part leaves the others as they are."""
        return np.random.default_rng([self.seed, crc32("/".join(map(str, names)).encode())])

    def uuid(self, *names: object) -> UUID:
        """Return the id of the thing called `names`; the same for the same seed."""
        return uuid5(NAMESPACE, "/".join(map(str, (self.seed, *names))))


def check_plan(plan: DemoPlan) -> DemoPlan:
    """Return `plan`; raise InvalidInputError that names each number out of its range."""
    errors = {}
    if not FEWEST_CLIENTS <= plan.clients <= MOST_CLIENTS:
        errors["clients"] = f"{plan.clients} is not between {FEWEST_CLIENTS} and {MOST_CLIENTS}"
    if not FEWEST_DAYS <= plan.days <= MOST_DAYS:
        errors["days"] = f"{plan.days} is not between {FEWEST_DAYS} and {MOST_DAYS}"
    if plan.seed < 0:
        errors["seed"] = f"{plan.seed} is negative; take 0 or more"
    if plan.preset not in PRESETS:
        errors["preset"] = f"{plan.preset!r} is not one of {', '.join(PRESETS)}"
    if errors:
        raise InvalidInputError("The demo cannot be made: " + "; ".join(f"{k}: {v}" for k, v in errors.items()), errors)
    return plan
