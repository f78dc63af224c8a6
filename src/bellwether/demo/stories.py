"""What really happens to each client: the truth that the product must find out from the traces it leaves.

Falls come over the whole span and before it, at the same rates at all times, so that what was learnt from one half of
a demo holds in the other. Who leaves follows from them (demo.hazard), not the other way round.
"""

from dataclasses import dataclass, replace

import numpy as np

from bellwether.demo.plan import DemoPlan

STEADY, STUCK, CHURNED = "steady", "stuck", "churned"
SHARES = {
    "newborn": 0.02,  # too little data for a score
    "onboarding": 0.035,
    "uncontacted": 0.03,  # nobody of ours talks to them
    "fading": 0.105,
    "champion_left": 0.04,
    "support_trouble": 0.03,
    "recovering": 0.065,
    "growing": 0.05,
}
STUCK_A_YEAR = 0.06
"""Share of the clients that fall in a year and stay low."""
ENTER_A_YEAR = 0.10
"""Share of the clients that sign in a year of the span, besides those of the last four months (see SHARES)."""

STEADY_LEVELS = ((0.49, 0.88, 0.04), (0.43, 0.66, 0.06), (0.08, 0.45, 0.07))
"""Share, mean and spread of the latent health of clients to which nothing in particular happens."""

CHAMPION_LEFT, SUPPORT = "champion left", "support"
"""What sets off a fall; others just happen."""
TRIGGERS = {"": 0.30, CHAMPION_LEFT: 0.28, SUPPORT: 0.42}
"""Shares of the falls that clients recover from."""
GAP_DAYS = 330.0
"""Mean days from a recovery to the next fall."""
BEFORE_DAYS = 240
"""Falls begin this long before the first day, so that some are under way on it."""
RISE_DAYS = 60
YOUNG_DAYS = 90
"""No fall begins in the first days of a contract."""


@dataclass(frozen=True, kw_only=True)
class Fall:
    """A fall of latent health by `depth` over `days` from `turn` on; `rise` of it comes back over RISE_DAYS from
    `rise_turn` on. Growth is a negative depth. Days are indexes from the first day of the plan."""

    turn: int
    depth: float
    days: int
    rise: float = 0.0
    rise_turn: int = 0
    trigger: str = ""


@dataclass(frozen=True, kw_only=True)
class Story:
    """The planted course of one client. Days are indexes from the first day of the plan, possibly negative.

    `kind` is what holds at present, `base` (0-1) the latent health without its `falls` (oldest first, no overlaps),
    `starts` the day of the contract's start, `churn` the last day of a client that left, for `cause`.
    """

    kind: str
    base: float
    starts: int
    falls: tuple[Fall, ...] = ()
    churn: int | None = None
    cause: str = ""

    @property
    def lived(self) -> tuple[Fall, ...]:
        """The falls that began while it was a client."""
        return tuple(fall for fall in self.falls if self.churn is None or fall.turn < self.churn)

    @property
    def last(self) -> Fall | None:
        """The last fall or growth that it lived through."""
        return self.lived[-1] if self.lived else None

    @property
    def recovers(self) -> int | None:
        """The day on which it began to recover from the last fall."""
        last = self.last
        return last.rise_turn if last and last.rise and (self.churn is None or last.rise_turn < self.churn) else None

    @property
    def settled(self) -> float:
        """The latent health on which all falls together settle, without noise."""
        return self.base - sum(fall.depth - fall.rise for fall in self.lived)

    @property
    def champion_leaves(self) -> int | None:
        """The day on which the champion leaves: once at most."""
        return next((fall.turn for fall in self.lived if fall.trigger == CHAMPION_LEFT), None)

    @property
    def champion_follows(self) -> int | None:
        """The day on which a successor of the champion is named: when the client begins to recover."""
        days = (fall.rise_turn for fall in self.lived if fall.trigger == CHAMPION_LEFT and fall.rise)
        return next((day for day in days if self.churn is None or day < self.churn), None)

    @property
    def waves(self) -> tuple[int, ...]:
        """The days on which waves of tickets begin."""
        return tuple(fall.turn for fall in self.lived if fall.trigger == SUPPORT)


def make_stories(plan: DemoPlan) -> list[Story]:
    """Return one story a client, in an order that mixes them, as if no client ever left (see demo.leaving)."""
    rng = plan.stream("stories")
    kinds = _kinds(plan)
    rng.shuffle(kinds)
    return [_story(plan, kind, plan.stream("story", number)) for number, kind in enumerate(kinds)]


def _kinds(plan: DemoPlan) -> list[str]:
    counts = {kind: max(1, round(share * plan.clients)) for kind, share in SHARES.items()}
    counts[STUCK] = round(STUCK_A_YEAR * plan.clients * (plan.days + BEFORE_DAYS - 160) / 365)
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    if plan.clients <= len(SHARES):
        kinds = ["fading", "recovering", "newborn", STEADY]
    steady = max(plan.clients - len(kinds), 0)
    return (kinds + [STEADY] * steady)[: plan.clients]


def _steady_base(rng: np.random.Generator) -> float:
    shares = [share for share, _, _ in STEADY_LEVELS]
    _, mean, spread = STEADY_LEVELS[rng.choice(len(shares), p=shares)]
    return float(np.clip(rng.normal(mean, spread), 0.2, 0.96))


def _story(plan: DemoPlan, kind: str, rng: np.random.Generator) -> Story:
    last = plan.days - 1
    good = float(np.clip(rng.normal(0.84, 0.04), 0.72, 0.94))

    def ago(low: int, high: int) -> int:
        return last - int(rng.integers(min(low, last), min(high, last) + 1))

    match kind:
        case "newborn":
            return Story(kind=kind, base=good, starts=last - int(rng.integers(2, 6)))
        case "onboarding":
            return Story(kind=kind, base=good, starts=ago(30, 110))
        case "uncontacted":
            story = Story(kind=kind, base=float(rng.uniform(0.5, 0.8)), starts=_old(rng))
        case "growing":
            growth = Fall(turn=ago(60, 200), depth=-float(rng.uniform(0.2, 0.35)), days=90)
            story = Story(kind=kind, base=float(rng.uniform(0.5, 0.62)), starts=_old(rng), falls=(growth,))
        case "fading":
            story = Story(kind=kind, base=good, starts=_old(rng), falls=(_fall(rng, "", ago(35, 160)),))
        case "champion_left":
            story = Story(kind=kind, base=good, starts=_old(rng), falls=(_fall(rng, CHAMPION_LEFT, ago(20, 75)),))
        case "support_trouble":
            story = Story(kind=kind, base=good, starts=_old(rng), falls=(_fall(rng, SUPPORT, ago(8, 35)),))
        case "recovering":
            fall = _fall(rng, CHAMPION_LEFT if rng.random() < 0.3 else "", ago(120, 240))
            rise_turn = min(fall.turn + int(rng.integers(60, 110)), last - 20)
            fall = replace(fall, rise=fall.depth * float(rng.uniform(0.7, 1.0)), rise_turn=rise_turn)
            story = Story(kind=kind, base=good, starts=_old(rng), falls=(fall,))
        case "stuck":
            turn = int(rng.integers(-BEFORE_DAYS, last - 160))
            trigger = str(rng.choice(["", CHAMPION_LEFT, SUPPORT], p=[0.5, 0.3, 0.2]))
            fall = replace(_fall(rng, trigger, turn), depth=float(rng.uniform(0.28, 0.55)))
            story = Story(kind=kind, base=good, starts=_old(rng), falls=(fall,))
        case _:
            story = Story(kind=STEADY, base=_steady_base(rng), starts=_steady_start(plan, rng))
    return replace(story, falls=(*_overcome(plan, story, rng), *story.falls))


def _fall(rng: np.random.Generator, trigger: str, turn: int) -> Fall:
    """Return a fall from which there is no way back yet."""
    if trigger == CHAMPION_LEFT:
        return Fall(turn=turn, depth=float(rng.uniform(0.2, 0.35)), days=40, trigger=trigger)
    if trigger == SUPPORT:
        return Fall(turn=turn, depth=0.18, days=30, trigger=trigger)
    return Fall(turn=turn, depth=float(rng.uniform(0.3, 0.65)), days=int(rng.integers(45, 120)))


def _overcome(plan: DemoPlan, story: Story, rng: np.random.Generator) -> list[Fall]:
    """Return the falls that the client had before those of its story, and has recovered from."""
    ends = story.falls[0].turn if story.falls else plan.days
    may_lose_champion = story.champion_leaves is None
    falls: list[Fall] = []
    day = -BEFORE_DAYS - RISE_DAYS + float(rng.exponential(GAP_DAYS))
    while day < ends:
        trigger = str(rng.choice(list(TRIGGERS), p=list(TRIGGERS.values())))
        if trigger == CHAMPION_LEFT:
            trigger, may_lose_champion = (trigger if may_lose_champion else ""), False
        fall = _fall(rng, trigger, int(day))
        rise_turn = fall.turn + int(rng.integers(30, 60) if trigger == SUPPORT else rng.integers(60, 110))
        fall = replace(fall, rise=fall.depth, rise_turn=rise_turn)
        if rise_turn + RISE_DAYS <= ends and fall.turn >= story.starts + YOUNG_DAYS:
            falls.append(fall)
        day = rise_turn + RISE_DAYS + float(rng.exponential(GAP_DAYS))
    return falls


def _old(rng: np.random.Generator) -> int:
    """Return the start of a contract signed before the first day."""
    years = int(rng.choice([1, 2, 3, 4, 5], p=[0.2, 0.3, 0.25, 0.15, 0.1]))
    return -int(rng.integers(60, 60 + 365 * years))


def _steady_start(plan: DemoPlan, rng: np.random.Generator) -> int:
    """Return the start of the contract of a steady client: for some within the span, evenly."""
    within = plan.days - 110
    share = ENTER_A_YEAR * within / 365 / max(1 - sum(SHARES.values()) - STUCK_A_YEAR * plan.days / 365, 0.1)
    return int(rng.integers(within)) if within > 0 and rng.random() < min(share, 0.8) else _old(rng)
