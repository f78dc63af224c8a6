"""Names of events: which are used by what, which by nothing, and which are waited for in vain. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bellwether.usage import quality_thresholds as limit
from bellwether.usage.event_match import EventMatch
from bellwether.usage.quality_facts import Facts, NameFacts, Use
from bellwether.usage.quality_finding import Finding, counted, finding
from bellwether.usage.quality_sources import SourceState
from bellwether.web.formatting import percent, plural

PROTOCOL = frozenset({"identify", "group", "alias"})
USED, UNUSED, IGNORED = "used", "unused", "ignored"


@dataclass(frozen=True, kw_only=True)
class NameState:
    """The name of an event with its `state` (USED, UNUSED or IGNORED), what uses it, and a feature it may belong to."""

    facts: NameFacts
    state: str
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """An event that a feature waits for and that never came, with the name seen that is most like it ("" if none)."""

    feature: str
    feature_key: str
    event: str
    nearest: str


def name_states(names: Sequence[NameFacts], uses: Sequence[Use], ignored: Collection[str]) -> list[NameState]:
    """Return the state of each of `names`, those with most events of the last 30 days first."""
    by_event: dict[str, list[str]] = {}
    wide: list[tuple[EventMatch, str]] = []
    for use in uses:
        for match in use.matches:
            if match.event:
                by_event.setdefault(match.event, []).append(use.label)
            else:
                wide.append((match, use.label))
    found = []
    for one in names:
        if one.name in PROTOCOL:
            continue
        labels = [*by_event.get(one.name, ()), *(label for match, label in wide if _meets(one, match))]
        state = USED if labels else IGNORED if one.name in ignored else UNUSED
        found.append(NameState(facts=one, state=state, uses=tuple(dict.fromkeys(labels))))
    return sorted(found, key=lambda one: (-one.facts.recent, -one.facts.total, one.facts.name))


def _meets(name: NameFacts, match: EventMatch) -> bool:
    return (not match.module or match.module in name.modules) and (not match.feature or match.feature in name.features)


def unseen_events(names: Sequence[NameFacts], uses: Sequence[Use]) -> list[Unseen]:
    """Return the events of features that were never seen, each with the nearest name that was."""
    seen = {one.name for one in names}
    missing = [
        (use, match.event)
        for use in uses
        if use.is_feature
        for match in use.matches
        if match.event and match.event not in seen
    ]
    return [
        Unseen(feature=use.label, feature_key=use.key, event=event, nearest=nearest(event, seen))
        for use, event in missing
    ]


def nearest(name: str, others: Collection[str]) -> str:
    """Return the one of `others` that is most like `name`, whatever case and separators; "" if none is alike."""
    plain: Mapping[str, str] = {_plain(other): other for other in sorted(others, reverse=True)}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=limit.SIMILAR)
    return plain[found[0]] if found else ""


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def name_findings(facts: Facts, states: Sequence[SourceState]) -> Iterator[Finding]:
    """Yield the findings about names of events."""
    names = name_states(facts.names, facts.uses, facts.ignored)
    unused = [one.facts for one in names if one.state == UNUSED]
    if unused:
        events, total = sum(one.recent for one in unused), sum(one.facts.recent for one in names)
        span = f"the events of {limit.RECENT_DAYS} days"
        if not total:
            events, total = sum(one.total for one in unused), sum(one.facts.total for one in names)
            span = "all events"
        share = events / total if total else 0.0
        yield finding(
            "unused_names",
            "monitor" if share >= limit.UNKNOWN_SHARE else "info",
            counted(len(unused), "name", "of events is", "of events are") + " used by no feature",
            f"{percent(share)} of {span}. They count as activity, but for no feature: adoption does not see them.",
            "Use each in a feature, or ignore it.",
            "names",
            events=events,
            items=[one.name for one in unused],
        )
    if not facts.names:
        return
    unseen = unseen_events(facts.names, facts.uses)
    alike = [one for one in unseen if one.nearest]
    features = {one.feature_key for one in unseen}
    waiting = [
        use.label
        for use in facts.uses
        if use.is_feature and use.key in features and not _any_seen(use, facts.names)
    ]  # fmt: skip
    if alike:
        yield finding(
            "misspelt",
            "risk",
            f"{plural(len(alike), 'event')} of the feature catalogue may be misspelt",
            "The feature waits for a name that never comes, while a very similar one arrives: adoption is too low.",
            "Change the event of the feature to the name that arrives.",
            "names",
            items=[f"{one.event} ({one.feature}): is it {one.nearest}?" for one in alike],
        )
    if waiting:
        yield finding(
            "never_seen",
            "monitor",
            counted(len(waiting), "feature", "has", "have") + " never been used by anybody",
            "Every client that has licensed it counts as not using it. Perhaps its events are not sent at all.",
            "Let the product send the events, or take the feature out of the catalogue.",
            "names",
            items=waiting,
        )


def _any_seen(use: Use, names: Sequence[NameFacts]) -> bool:
    return any(
        (not match.event or match.event == one.name) and _meets(one, match) for match in use.matches for one in names
    )
