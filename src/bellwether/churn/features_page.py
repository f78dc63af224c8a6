"""The reference page of the churn model's features, made from the registry (docs/reference/churn-features.md). Pure.

python -m bellwether.churn.features_page > docs/reference/churn-features.md
"""

from bellwether.churn.factors import FACTORS, FEATURES, Feature

INTRODUCTION = """# Features of the churn model

What the model looks at: one row per client and as-of day, in the client's own numbers. Windows end on the day, that day
included; days are those of the workspace's time zone. A value that is not known is null; it is never guessed, and in
the model it counts as the centre. Most values are [measures](measures.md) of the same pipeline as the scores.

- **unit**: of the value itself. **riskier**: which way it may only raise the risk; the fit keeps to it. "data": either.
- **enters as** z = (value - centre) / scale, of the value itself or its logarithm, held within -3 and 3. Centre and
  scale are fixed, so that a coefficient means the same in every version.
- **expert** weight: change of the log-odds of leaving within 30 days per unit of z, before anything was learned, with
  its standard deviation ([ADR 44](../adr/0044-the-churn-model-is-additive-hazards-kept-as-numbers.md)).

This page is made from the registry (`python -m bellwether.churn.features_page`); a test compares it.

"""

LEAKAGE = """
With each row come `tier`, `industry` and `arr` of the day, which are no features, and `known`: the share (0 to 1) of
the features with an expert weight that are not null.

## Nothing of later is in a row

A row of 10 May holds what was known at the end of 10 May: events *received* by then, records that had been *told* by
then. [Scores as they were known](as-known.md) says what that means record by record. For the features besides:

| what | counts on a day |
| --- | --- |
| people's use | actions received by the end of the day; services left out |
| contacts | known since the day or earlier and not gone by then; who left counts from the day of leaving |
| tickets | open when opened and not solved by the end of the day: one that was solved later was open |
| contract terms | begun by the day; a term signed ahead counts from its first day |
| seats, renewal date | of the term of the day alone, see below |
| payment, renewal opportunity | as read with the scores of the day or of the 7 days before |
| outcomes | never. Who had left, with nobody saying so yet, still has a row, which is not learned from. |

Where a client has no contract term on a day, its own record could say seats and renewal. It says what holds *today*: a
client that renews next year has renewed. So these are null on past days without a term, and known today. Give contract
terms, so that the model can learn from them.

The row of a past day equals, value for value, what the same call gave on that day, where there are contract terms. A
test adds later and late events and records of every kind and compares.

What is not exact is said [there](as-known.md#what-is-not): records hold their present value, so that a role, a link to
a user, or a ticket that was marked solved without the time of it count as they are today. A contact who was switched
off without a day of leaving counts as never there.

## Kept rows

Rows of past days do not change. They are made once, two days after their day, and kept in the lake
(`churn_rows/`, one file a day), so that a weekly training reads only the weeks that are new. They are made anew when

- an import brings records that count from then or before, or its undo takes them away,
- events come for a day of the windows,
- a person is erased: the erasure removes all of them at once,
- definitions change: features, catalogue of features, working days, time zone, main scorecard.

Rows go with the scores of their day (`BELLWETHER_KEEP_SCORES_DAYS`), after three years at the latest. No row names a
person. What the retention of usage or activities removes later does not touch rows that were made before.

In code: `churn.reading.read_features(dates, now=…)` gives the rows, `read_endings()` how clients and terms ended.
"""
ENTERS = {
    "as it is": "value",
    "log(1 + x)": "log(1 + value)",
    "log": "log(value)",
    "term ends in the interval": "1 where the term ends in the interval",
}


def reference_table() -> str:
    """Return the features as a Markdown table, factor by factor."""
    headings = ["feature", "label", "unit", "riskier", "enters as", "centre", "scale", "expert", "definition"]
    lines = [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    for factor in FACTORS:
        lines += [_line(feature) for feature in FEATURES if feature.factor == factor.slug]
    return "\n".join(lines) + "\n"


def _line(one: Feature) -> str:
    riskier = {1: "higher", -1: "lower", 0: "data"}[one.direction]
    expert = f"{one.weight:+g} ± {one.doubt:g}" if one.weight else f"0 ± {one.doubt:g}"
    cells = [
        f"`{one.slug}`", one.label, one.unit.value, riskier, ENTERS[one.transform], f"{one.centre:g}", f"{one.scale:g}",
        expert, one.description,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def page() -> str:
    """Return the page as Markdown."""
    return INTRODUCTION + reference_table() + LEAKAGE


if __name__ == "__main__":
    print(page(), end="")
