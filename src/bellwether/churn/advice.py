"""What to do about a client's churn risk: one action for each factor that raises it, by rule. Pure.

The action of the largest factor comes first; actions that ask for the same are joined, with all their reasons. What is
done about a single alert is advised in alerts.advice, about findings of the health score in health.risk_factors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bellwether.churn.words import FactorLine, Impact
from bellwether.portfolio.approaching import Person, billing, by_role

MOST_ACTIONS = 5


class Do(StrEnum):
    """What the button of an action does: schedules an activity of a type, or opens a part of the client's pages."""

    CALL = "CALL"
    MEETING = "MEETING"
    TRAINING = "TRAINING"
    QBR = "QBR"
    SUPPORT_ESCALATION = "SUPPORT_ESCALATION"
    EXECUTIVE_TOUCHPOINT = "EXECUTIVE_TOUCHPOINT"
    INTERNAL_DISCUSSION = "INTERNAL_DISCUSSION"
    OPEN_ADOPTION = "OPEN_ADOPTION"
    OPEN_SUPPORT = "OPEN_SUPPORT"
    OPEN_CONTRACT = "OPEN_CONTRACT"
    OPEN_CONTACTS = "OPEN_CONTACTS"

    @property
    def is_activity(self) -> bool:
        """Whether it schedules an activity of the type that it is named after."""
        return not self.value.startswith("OPEN_")


@dataclass(frozen=True)
class Action:
    """Something to do: a stable `slug`, a `title`, why, what its buttons do, and whom it is about.

    `factors`: the slugs of the factors that it answers to, the largest first.
    """

    slug: str
    title: str
    reason: str
    factors: tuple[str, ...]
    does: tuple[Do, ...]
    person: Person | None = None


@dataclass(frozen=True)
class _Draft:
    slug: str
    title: str
    does: tuple[Do, ...]
    person: Person | None = None


Rule = Callable[[FactorLine, Sequence[Person]], _Draft]


def recommended(
    lines: Sequence[FactorLine], people: Sequence[Person] = (), *, category: str = "", account_executive: str = ""
) -> list[Action]:
    """Return what to do, at most MOST_ACTIONS, the most pressing first; empty where no factor raises the risk enough.

    Factors of medium or high impact that raise the risk count; where there is none, the largest of low impact. At the
    category HIGH the escalation to the VP comes first or second. `account_executive`: a name, "" if none.
    """
    rising = [line for line in lines if line.is_risk and line.is_notable and line.slug in RULES]
    pressing = [line for line in rising if line.impact is not Impact.LOW] or rising[:1]
    actions: list[Action] = []
    for line in pressing:
        if line.slug == "contract" and _is_opportunity(line):
            draft = _opportunity(account_executive)
        else:
            draft = RULES[line.slug](line, people)
        _join(actions, draft, line)
    if category == "HIGH":
        actions.insert(min(1, len(actions)), _escalation(lines, people))
    return actions[:MOST_ACTIONS]


def _join(actions: list[Action], draft: _Draft, line: FactorLine) -> None:
    """Add the draft for a factor, or its reason to the action that asks for the same."""
    reason = f"{line.sentence.rstrip('.')}."
    for place, action in enumerate(actions):
        if action.slug == draft.slug or _same_call(action, draft):
            does = (*action.does, *(one for one in draft.does if one not in action.does))
            actions[place] = Action(
                action.slug,
                action.title,
                f"{action.reason} {reason}",
                (*action.factors, line.slug),
                does,
                action.person or draft.person,
            )
            return
    actions.append(Action(draft.slug, draft.title, reason, (line.slug,), draft.does, draft.person))


def _same_call(action: Action, draft: _Draft) -> bool:
    """Return whether both are a call with the same person: one call answers to both."""
    calls = {"call", "champion"}
    return {action.slug, draft.slug} <= calls and draft.person is not None and action.person == draft.person


def _name(person: Person | None, otherwise: str) -> str:
    return person.name if person else otherwise


def _call(line: FactorLine, people: Sequence[Person]) -> _Draft:
    person = next((one for one in people if one.is_primary and not one.gone), None) or by_role(people, "CHAMPION")
    return _Draft("call", f"Schedule a call with {_name(person, 'the primary contact')}", (Do.CALL,), person)


def _champion(line: FactorLine, people: Sequence[Person]) -> _Draft:
    left = any(one.slug == "key_contacts_left" and one.log_odds > 0 and (one.value or 0) > 0 for one in line.features)
    champion = next((one for one in people if one.role == "CHAMPION" and not one.gone), None)
    if left and champion is None:
        person = by_role(people, "EXECUTIVE_SPONSOR", "ADMIN")
        title = f"Ask {_name(person, 'the sponsor')} who takes over as champion"
        return _Draft("new_champion", title, (Do.CALL, Do.OPEN_CONTACTS), person)
    return _Draft("champion", f"Call {_name(champion, 'the champion')} and ask what has changed", (Do.CALL,), champion)


def _training(line: FactorLine, people: Sequence[Person]) -> _Draft:
    person = by_role(people, "ADMIN", "CHAMPION")
    title = f"Offer {_name(person, 'the admin')} a training on underutilised features"
    return _Draft("training", title, (Do.TRAINING, Do.OPEN_ADOPTION), person)


def _people(line: FactorLine, people: Sequence[Person]) -> _Draft:
    person = by_role(people, "ADMIN", "CHAMPION")
    title = f"Ask {_name(person, 'the admin')} what became of those who stopped"
    return _Draft("people", title, (Do.CALL, Do.OPEN_CONTACTS), person)


def _support(line: FactorLine, people: Sequence[Person]) -> _Draft:
    return _Draft("support", "Review the tickets with support", (Do.SUPPORT_ESCALATION, Do.OPEN_SUPPORT))


def _sentiment(line: FactorLine, people: Sequence[Person]) -> _Draft:
    person = by_role(people, "CHAMPION", "EXECUTIVE_SPONSOR")
    title = f"Request an NPS follow-up interview with {_name(person, 'the respondent')}"
    return _Draft("nps_interview", title, (Do.CALL,), person)


def _renewal(line: FactorLine, people: Sequence[Person]) -> _Draft:
    person = by_role(people, "EXECUTIVE_SPONSOR", "CHAMPION")
    title = f"Agree a renewal plan with {_name(person, 'the sponsor')}"
    return _Draft("renewal_plan", title, (Do.QBR, Do.OPEN_CONTRACT), person)


def _contract(line: FactorLine, people: Sequence[Person]) -> _Draft:
    person = billing(people)
    title = f"Settle the contract with {_name(person, 'the billing contact')}"
    return _Draft("contract", title, (Do.CALL, Do.OPEN_CONTRACT), person)


def _onboarding(line: FactorLine, people: Sequence[Person]) -> _Draft:
    person = by_role(people, "ADMIN", "CHAMPION")
    title = f"Check the first goals with {_name(person, 'the admin')}"
    return _Draft("first_goals", title, (Do.MEETING,), person)


def _opportunity(account_executive: str) -> _Draft:
    who = account_executive or "the account executive"
    return _Draft(
        "opportunity", f"Go through the renewal opportunity with {who}", (Do.INTERNAL_DISCUSSION, Do.OPEN_CONTRACT)
    )


def _is_opportunity(line: FactorLine) -> bool:
    most = max(line.features, key=lambda one: one.log_odds, default=None)
    return most is not None and most.slug == "renewal_signal"


def _escalation(lines: Sequence[FactorLine], people: Sequence[Person]) -> Action:
    person = by_role(people, "EXECUTIVE_SPONSOR")
    sponsor = person if person and person.role == "EXECUTIVE_SPONSOR" else None
    top = next((line for line in lines if line.is_risk), None)
    reason = "The risk is high." + (f" {top.heading} weighs the most." if top else "")
    title = "Escalate to the VP for executive outreach" + (f" to {sponsor.name}" if sponsor else "")
    does = (Do.EXECUTIVE_TOUCHPOINT, Do.INTERNAL_DISCUSSION)
    return Action("executive_outreach", title, reason, (top.slug,) if top else (), does, sponsor)


RULES: Mapping[str, Rule] = {
    "usage_decline": _call,
    "low_use": _training,
    "gone_quiet": _call,
    "champion": _champion,
    "people_lost": _people,
    "adoption_gap": _training,
    "support": _support,
    "sentiment": _sentiment,
    "contact_gap": _call,
    "renewal_near": _renewal,
    "contract": _contract,
    "tenure": _onboarding,
}
"""The rule of each factor that somebody can do something about; the season is none of them."""
