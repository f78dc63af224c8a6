"""Which arm a client is drawn into. Pure.

The draw is a salted hash of (playbook version, client, episode), formulas.md section 7. The salt is the version's id,
a random UUID that never changes: the draws of one version say nothing about those of another, nobody can foresee them
before the version is saved, and no secret that may be changed or lost stands behind them (docs/adr/0043).
"""

from hashlib import blake2b
from typing import Literal
from uuid import UUID

from bellwether.common.errors import InvalidInputError

TREATED: Literal["TREATED"] = "TREATED"
HELD_OUT: Literal["HELD_OUT"] = "HELD_OUT"
ArmName = Literal["TREATED", "HELD_OUT"]

DEFAULT_HOLD_OUT = 10
MOST_HELD_OUT = 50
_PURPOSE = b"playbook arm"
_DRAWS = 2**64


def draw(version_id: UUID, client_id: UUID, episode: str) -> float:
    """Return the number in [0, 1) that decides the arm, uniform over clients and episodes; the same for ever."""
    hashed = blake2b(key=version_id.bytes, digest_size=8, person=_PURPOSE)
    hashed.update(client_id.bytes)
    hashed.update(episode.encode())
    return int.from_bytes(hashed.digest(), "big") / _DRAWS


def arm(version_id: UUID, client_id: UUID, episode: str, hold_out: float) -> ArmName:
    """Return the arm of an enrolment: held out with a probability of `hold_out` percent (0-50), otherwise treated.

    The values are those of choices.Arm. A greater hold-out keeps everybody held out who was so under a smaller one.
    Raises InvalidInputError for a hold-out out of range.
    """
    if not 0 <= hold_out <= MOST_HELD_OUT:
        raise InvalidInputError(
            f"hold_out: {hold_out} is not between 0 and {MOST_HELD_OUT} percent.",
            {"hold_out": f"take 0 to {MOST_HELD_OUT} percent"},
        )
    return HELD_OUT if draw(version_id, client_id, episode) * 100 < hold_out else TREATED
