"""Risk factors as pages place them: where on the client page their figures stand, and in one line for lists. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bellwether.health.client_facts import Part
from bellwether.health.risk_factors import Finding

# The id of the element on the client page that shows the figures of a part.
ANCHORS: Mapping[Part, str] = {
    Part.HEALTH: "health",
    Part.SCORE: "components",
    Part.USAGE: "usage",
    Part.TIMELINE: "timeline",
    Part.SUPPORT: "timeline",
    Part.CONTRACT: "contract",
    Part.CONTACTS: "contacts",
}


@dataclass(frozen=True)
class Reason:
    """Why a client needs attention: a sentence, the part of the client page that it comes from, and that part's id."""

    text: str
    source: str
    anchor: str


def reasons(found: Iterable[Finding]) -> tuple[Reason, ...]:
    """Return the findings as sentences: the headline, and the reason where there is no score."""
    return tuple(Reason(f"{_said(finding)}.", finding.part, ANCHORS[finding.part]) for finding in found)


def summary(found: Sequence[Finding], at_most: int = 2) -> str:
    """Return the first findings in one line, "Usage down 40%, no contact for 45 days"; empty without any."""
    said = [finding.headline for finding in found[:at_most]]
    return ", ".join([*said[:1], *(text if text[:2].isupper() else text[:1].lower() + text[1:] for text in said[1:])])


def _said(finding: Finding) -> str:
    if finding.key != "no_score":
        return finding.headline
    return f"{finding.headline}: {finding.detail[:1].lower()}{finding.detail[1:].rstrip('.')}"
