"""The attack: whatever two shown groups differ by, and whatever a calculation over all of them finds, is nobody."""

from itertools import combinations

import numpy as np
import pytest

from bellwether.benchmarks import privacy
from bellwether.benchmarks.cohorts import ATTRIBUTES, Roster, family
from bellwether.benchmarks.privacy import shown_groups


def _roster(columns):
    clients = len(next(iter(columns.values())))
    classes = {name: columns.get(name, [""] * clients) for name in ATTRIBUTES}
    nothing = np.full(clients, np.nan)
    return Roster(classes, nothing, nothing, [frozenset()] * clients, np.ones(clients, bool))


def _random(seed, clients):
    """Tiers, industries, sizes that depend on each other, a rare class here and there, an own book of random size."""
    chance = np.random.default_rng(seed)
    tier = chance.choice(["A", "B", "C"], clients, p=[0.5, 0.35, 0.15])
    industry = chance.choice([f"I{n}" for n in range(6)], clients, p=[0.35, 0.25, 0.2, 0.1, 0.07, 0.03])
    size = np.where(chance.random(clients) < 0.9, tier, chance.choice(["A", "B", "C"], clients))
    roster = _roster({"tier": list(tier), "industry": list(industry), "size": [f"s{one}" for one in size]})
    return roster, chance.random(clients) > chance.choice([0.1, 0.3, 0.6])


def _one_apart():
    """A tier and an industry that differ by one client, which is the plainest way to single one out."""
    return _roster({"tier": ["A"] * 20 + ["B"] * 20, "industry": ["X"] * 19 + ["Y"] * 21}), np.ones(40, bool)


def _complement():
    """Thirty of one tier, three of another: all less the tier is those three."""
    return _roster({"tier": ["A"] * 30 + ["B"] * 3}), np.ones(33, bool)


def _own_book():
    """A tier of twelve of which the viewer knows all but two."""
    known = np.array([False] * 30 + [True] * 10 + [False] * 2)
    return _roster({"tier": ["A"] * 30 + ["B"] * 12}), ~known


def _neither():
    """Two clients are neither in A nor in X: all - A - X + (A and X) is those two."""
    tier = ["A"] * 30 + ["B"] * 12
    return _roster({"tier": tier, "industry": ["X"] * 15 + ["Y"] * 15 + ["X"] * 10 + ["Y"] * 2}), np.ones(42, bool)


PORTFOLIOS = {
    **{
        f"random-{seed}-{clients}": (lambda s=seed, c=clients: _random(s, c))
        for seed in range(6)
        for clients in (23, 90)
    },
    "one-apart": _one_apart,
    "complement": _complement,
    "own-book": _own_book,
    "neither": _neither,
}


def _leaks(groups, roster, unseen):
    """Return what an attacker finds, worked out apart from the rule: sets of one to four unseen clients."""
    members = {group: frozenset(np.flatnonzero(roster.of(group) & unseen)) for group in groups}
    found = [one for one in members.values() if 1 <= len(one) < 5]
    for first, second in combinations(members.values(), 2):
        if 1 <= len(first ^ second) < 5:
            found.append(first ^ second)
        if first > second or second > first:
            found += [one for one in (first - second, second - first) if 1 <= len(one) < 5]
    for group in groups:  # a group less all its shown parts by one more attribute
        for attribute in ATTRIBUTES:
            parts = [
                members[one]
                for one in groups
                if set(group) < set(one) and len(one) == len(group) + 1 and attribute in dict(one)
            ]
            rest = members[group].difference(*parts)
            if parts and 1 <= len(rest) < 5:
                found.append(rest)
    for group in groups:  # neither in the one nor in the other
        if len(group) == 2 and all((one,) in members for one in group) and () in members:
            rest = members[()] - members[(group[0],)] - members[(group[1],)]
            if 1 <= len(rest) < 5:
                found.append(rest)
    return found + _solved(members)


def _solved(members):
    """Return the sets of alike clients whose sum follows from the sums of the groups, by least squares."""
    everyone = sorted(set().union(*members.values())) if members else []
    if not everyone:
        return []
    table = np.array([[client in one for client in everyone] for one in members.values()], float)
    alike = {}
    for place in range(len(everyone)):
        alike.setdefault(tuple(table[:, place]), []).append(place)
    found = []
    for places in alike.values():
        wanted = np.zeros(len(everyone))
        wanted[places] = 1
        answer, *_ = np.linalg.lstsq(table.T, wanted, rcond=None)
        if len(places) < 5 and np.allclose(table.T @ answer, wanted, atol=1e-6):
            found.append(frozenset(everyone[place] for place in places))
    return found


@pytest.mark.parametrize("name", sorted(PORTFOLIOS))
def test_no_two_shown_groups_and_no_sum_of_them_single_out_fewer_than_five(name):
    roster, unseen = PORTFOLIOS[name]()
    groups = family(roster)
    shown = shown_groups(groups, {group: roster.of(group) for group in groups}, unseen)
    assert () in shown
    assert _leaks([group for group in groups if group in shown], roster, unseen) == []


@pytest.mark.parametrize("name", ["one-apart", "complement", "own-book", "neither", "random-1-90"])
def test_the_attack_succeeds_where_only_five_peers_are_asked_for(name):
    roster, unseen = PORTFOLIOS[name]()
    naive = [group for group in family(roster) if roster.of(group).sum() >= privacy.AT_LEAST]
    assert _leaks(naive, roster, unseen)


def test_of_two_groups_one_client_apart_the_one_decided_on_first_is_shown():
    roster, unseen = _one_apart()
    groups = family(roster)
    shown = shown_groups(groups, {group: roster.of(group) for group in groups}, unseen)
    assert (("tier", "A"),) in shown
    assert (("industry", "X"),) not in shown
    assert (("industry", "Y"),) not in shown


def test_the_decision_is_the_same_whatever_order_the_clients_are_in():
    roster, unseen = _random(3, 60)
    turn = np.random.default_rng(9).permutation(60)
    turned = _roster({name: [words[place] for place in turn] for name, words in roster.classes.items()})
    groups = family(roster)
    assert family(turned) == groups
    assert shown_groups(groups, {group: roster.of(group) for group in groups}, unseen) == shown_groups(
        groups, {group: turned.of(group) for group in groups}, unseen[turn]
    )


def test_a_group_of_clients_that_the_viewer_all_sees_is_shown():
    roster = _roster({"tier": ["A"] * 6 + ["B"] * 20})
    unseen = np.array([False] * 6 + [True] * 20)
    groups = family(roster)
    assert (("tier", "A"),) in shown_groups(groups, {group: roster.of(group) for group in groups}, unseen)
