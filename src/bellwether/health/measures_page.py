"""The reference page of measures, made from the registry (docs/reference/measures.md). Pure.

python -m bellwether.health.measures_page > docs/reference/measures.md
"""

from bellwether.health.measures import reference_table

INTRODUCTION = """# Measures

One row per client and date. Windows end on the date, that date included; days are those of the workspace's time zone.
A measure without a value is null, and a component that lacks its measures is left out of the score, never guessed.

This page is made from the registry (`python -m bellwether.health.measures_page`); a test compares it.

"""

MISSING = """
## When a source counts as missing

| source | null while | afterwards |
| --- | --- | --- |
| usage, counts, features | the client has had no event | silence is zero |
| tickets | the workspace has had no ticket | a client without tickets has zero |
| activities, contacts | the workspace has had no completed activity | never contacted: days since the client is known |
| surveys | nobody answered within the window | |
| contract | the term (or the client) does not say | |
| payment status, renewal signal | never read on or before the date | the reading of the day of the score is kept |

Days before a client's first event do not count in means over days. `dau_change` needs 14 days of history. Service users
(bots) are never people; their events count for cases, assignments, forms and features that any use adopts.
A contact without a day since which it is known counts as always known; one that is inactive without a day on which it
left is not counted at all. Reasons: [ADR 6](../adr/0006-measures-in-one-pass.md).
"""


def page() -> str:
    """Return the page as Markdown."""
    return INTRODUCTION + reference_table() + MISSING


if __name__ == "__main__":
    print(page(), end="")
