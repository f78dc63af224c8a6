"""What really happens to each client: the truth that the product must find out from the traces it leaves."""

from dataclasses import dataclass

import numpy as np

from bellwether.demo.plan import DemoPlan

STEADY = "steady"
SHARES = {
    "newborn": 0.02,  # too little data for a score
    "onboarding": 0.035,
    "uncontacted": 0.03,  # nobody of ours talks to them
    "fading": 0.09,
    "champion_left": 0.035,
    "support_trouble": 0.03,
    "recovering": 0.06,
    "growing": 0.05,
}
CHURN_A_YEAR = 0.065
CHURN_CAUSES = {"low adoption": 0.32, "champion left": 0.22, "support": 0.18, "price": 0.16, "acquired": 0.12}
ABRUPT = "acquired"
"""A client that is bought leaves in good health; no score can see it coming, and the demo does not pretend so."""

STEADY_LEVELS = ((0.46, 0.88, 0.04), (0.40, 0.66, 0.06), (0.14, 0.45, 0.07))
"""Share, mean and spread of the latent health of clients to which nothing in particular happens."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """The planted course of one client. Days are indexes from the first day of the plan, possibly negative.

    Latent health starts at `base` (0-1), falls by `depth` from `turn` on over `fall_days`, and if `rise` is given
    regains that much from `rise_turn` on over 60 days. Growth is a negative depth.
    """

    kind: str
    base: float
    depth: float = 0.0
    turn: int = 0
    fall_days: int = 60
    rise: float = 0.0
    rise_turn: int = 0
    starts: int | None = None  # day of the contract's start when it lies in the window
    champion_leaves: int | None = None
    spike: int | None = None  # day on which a wave of tickets begins
    churn: int | None = None
    cause: str = ""


def make_stories(plan: DemoPlan) -> list[Story]:
    """Return one story a client, in an order that mixes them."""
    rng = plan.stream("stories")
    kinds = _kinds(plan)
    rng.shuffle(kinds)
    return [_story(plan, kind, plan.stream("story", number)) for number, kind in enumerate(kinds)]


def _kinds(plan: DemoPlan) -> list[str]:
    counts = {kind: max(1, round(share * plan.clients)) for kind, share in SHARES.items()}
    counts["churned"] = max(1, round(CHURN_A_YEAR * plan.clients * plan.days / 365)) if plan.days >= 60 else 0
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    if plan.clients <= len(counts):
        kinds = ["fading", "recovering", "newborn", "churned" if counts["churned"] else STEADY]
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
            return Story(kind=kind, base=float(rng.uniform(0.5, 0.8)))
        case "fading":
            depth, fall = float(rng.uniform(0.3, 0.65)), int(rng.integers(45, 120))
            return Story(kind=kind, base=good, depth=depth, turn=ago(35, 160), fall_days=min(fall, plan.days))
        case "champion_left":
            leaves = ago(20, 75)
            depth = float(rng.uniform(0.2, 0.35))
            return Story(kind=kind, base=good, depth=depth, turn=leaves, fall_days=40, champion_leaves=leaves)
        case "support_trouble":
            spike = ago(8, 35)
            return Story(kind=kind, base=good, depth=0.18, turn=spike, fall_days=30, spike=spike)
        case "recovering":
            turn = ago(120, 240)
            depth = float(rng.uniform(0.35, 0.5))
            rise_turn = min(turn + int(rng.integers(60, 110)), last - 20)
            return Story(
                kind=kind, base=good, depth=depth, turn=turn, rise=depth * rng.uniform(0.7, 1.0), rise_turn=rise_turn
            )
        case "growing":
            base = float(rng.uniform(0.5, 0.62))
            return Story(kind=kind, base=base, depth=-float(rng.uniform(0.2, 0.35)), turn=ago(60, 200), fall_days=90)
        case "churned":
            return _churned(plan, rng, good)
    return Story(kind=STEADY, base=_steady_base(rng))


def _churned(plan: DemoPlan, rng: np.random.Generator, good: float) -> Story:
    last = plan.days - 1
    churn = int(rng.integers(min(75, last // 2), last - 4))
    cause = str(rng.choice(list(CHURN_CAUSES), p=list(CHURN_CAUSES.values())))
    if cause == ABRUPT:
        return Story(kind="churned", base=good, churn=churn, cause=cause)
    fall = int(rng.integers(70, 150))
    turn = churn - fall
    return Story(
        kind="churned",
        base=float(np.clip(good - rng.uniform(0, 0.15), 0.5, 0.9)),
        depth=float(rng.uniform(0.35, 0.6)),
        turn=turn,
        fall_days=max(fall - 20, 30),
        champion_leaves=turn if cause == "champion left" else None,
        spike=turn + 10 if cause == "support" else None,
        churn=churn,
        cause=cause,
    )


def latent_health(plan: DemoPlan, stories: list[Story]) -> np.ndarray:
    """Return the latent health, clients × days, 0.04-0.98; it is defined also outside a client's contract."""
    days = np.arange(plan.days)
    rng = plan.stream("latent")
    health = np.empty((len(stories), plan.days), np.float32)
    for row, story in enumerate(stories):
        path = story.base - story.depth * smooth_step((days - story.turn) / story.fall_days)
        if story.rise:
            path = path + story.rise * smooth_step((days - story.rise_turn) / 60)
        health[row] = path
    noisy = health + _autoregressive(rng, len(stories), plan.days)
    return np.asarray(np.clip(noisy, 0.04, 0.98), np.float32)


def smooth_step(progress: np.ndarray) -> np.ndarray:
    """Return 0 before 0, 1 after 1, and a smooth rise between."""
    x = np.clip(progress, 0.0, 1.0)
    return np.asarray(x * x * (3 - 2 * x))


def _autoregressive(rng: np.random.Generator, rows: int, columns: int, *, keep: float = 0.97) -> np.ndarray:
    """Return AR(1) noise of standard deviation 0.035 along the second axis."""
    steps = rng.normal(0.0, 0.035 * np.sqrt(1 - keep**2), (rows, columns))
    steps[:, 0] = rng.normal(0.0, 0.035, rows)
    for day in range(1, columns):
        steps[:, day] += keep * steps[:, day - 1]
    return steps
