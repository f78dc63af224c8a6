"""From the words people and other systems use for why a contract ended to the codes that can be counted. Pure.

Words that are not known stay words: no code is guessed for them. Add them to WORDS, and run `bellwether outcomes code`.
"""

from typing import Final

LOST: Final = ("CHURNED", "DOWNGRADED")
"""The outcomes that have a reason code; a renewal may have words alone."""

REASONS: Final = {
    "VALUE": "Too little value seen",
    "ADOPTION": "Low adoption",
    "CHAMPION_LEFT": "Champion left",
    "SUPPORT": "Support experience",
    "PRODUCT": "Missing features or faults",
    "PRICE": "Price or budget",
    "COMPETITOR": "Went to a competitor",
    "IN_HOUSE": "Built in house",
    "ACQUIRED": "Company acquired or merged",
    "CLOSED": "Went out of business",
    "FEWER_SEATS": "Needs less",
    "NON_PAYMENT": "Did not pay",
    "OTHER": "Other",
}
"""The codes with their words."""

_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "VALUE": (
        "value", "no value", "low value", "little value", "lack of value", "roi", "no roi", "low roi", "unclear roi",
        "value not realized", "value not realised", "no business value",
    ),
    "ADOPTION": (
        "adoption", "low usage", "usage", "low use", "no usage", "no use", "not used", "not using it", "unused",
        "lack of adoption", "poor adoption", "lack of usage", "low engagement", "engagement", "onboarding",
        "poor onboarding", "failed onboarding",
    ),
    "CHAMPION_LEFT": (
        "champion", "champion lost", "lost champion", "champion change", "champion departed", "sponsor left",
        "executive sponsor left", "lost sponsor", "key contact left", "contact left", "stakeholder left",
        "stakeholder change", "new management", "management change", "leadership change", "reorganization",
        "reorganisation",
    ),
    "SUPPORT": (
        "support", "service", "customer service", "customer support", "bad support", "poor support", "poor service",
        "support quality", "response time", "unhappy with support",
    ),
    "PRODUCT": (
        "product", "feature", "features", "missing feature", "missing features", "feature gap", "feature gaps",
        "product gap", "product gaps", "lack of features", "functionality", "missing functionality", "bugs", "bug",
        "faults", "quality", "product quality", "stability", "reliability", "performance", "product fit", "poor fit",
        "not a fit", "integration", "integrations", "missing integration", "usability", "too complex",
    ),
    "PRICE": (
        "price", "pricing", "budget", "budget cut", "budget cuts", "cost", "costs", "cost cutting", "too expensive",
        "expensive", "price increase", "no budget", "lack of budget", "price or budget", "cost savings",
    ),
    "COMPETITOR": (
        "competitor", "competition", "competitors", "switched", "switched vendor", "switched to competitor",
        "lost to competitor", "competitive loss", "moved to competitor", "other vendor", "other supplier", "replaced",
    ),
    "IN_HOUSE": (
        "in house", "inhouse", "built in house", "internal solution", "internal tool", "own solution", "home grown",
        "homegrown", "built internally", "build in house",
    ),
    "ACQUIRED": (
        "acquired", "acquisition", "merger", "merged", "company acquired", "company merged", "m a", "m and a",
        "bought", "taken over", "takeover", "company sold",
    ),
    "CLOSED": (
        "closed", "out of business", "bankrupt", "bankruptcy", "insolvency", "insolvent", "business closed",
        "company closed", "closed business", "shut down", "shutdown", "liquidation", "ceased trading", "dissolved",
    ),
    "FEWER_SEATS": (
        "fewer seats", "fewer users", "less seats", "seat reduction", "seats", "downsizing", "downsized", "layoffs",
        "layoff", "headcount", "headcount reduction", "overprovisioned", "too many licences", "too many licenses",
        "project ended", "end of project", "no longer needed", "not needed",
    ),
    "NON_PAYMENT": (
        "non payment", "nonpayment", "payment", "not paid", "unpaid", "payment failed", "payment failure",
        "failed payment", "involuntary", "involuntary churn", "delinquent", "card declined", "past due",
    ),
    "OTHER": ("miscellaneous", "misc", "other reason", "others", "another reason"),
}  # fmt: skip
UNSAID: Final = frozenset({"", "unknown", "not given", "not known", "none", "no reason", "unspecified", "not specified",
                           "undisclosed", "n a", "na", "tbd", "null"})  # fmt: skip
"""Words that say that the reason is not known."""


def folded(words: str) -> str:
    """Return words in lower case, with single spaces in place of all that is no letter or digit."""
    return " ".join("".join(one if one.isalnum() else " " for one in words.casefold()).split())


WORDS: Final[dict[str, str]] = {
    folded(word): code for code, label in REASONS.items() for word in (code, label, *_SYNONYMS[code])
}
"""The code of each known wording, folded."""


def code_of(words: str) -> str:
    """Return the code that the words stand for, "" for words that are not known."""
    return WORDS.get(folded(words), "")


def is_unsaid(words: str) -> bool:
    """Return whether the words say nothing: empty, "unknown", "n/a"."""
    return folded(words) in UNSAID


def label_of(code: str) -> str:
    """Return a code in words, "" for none."""
    return REASONS[code] if code else ""


def coded(code: str, words: str, outcome: str) -> str:
    """Return the code to store: the one given, else that of the words of a term that was lost or made smaller."""
    return code or (code_of(words) if outcome in LOST else "")


def said(code: str, words: str) -> str:
    """Return the reason as it is shown: the code in words, then the free words where they say more; "" for none."""
    words = " ".join(words.split())
    if not code:
        return words
    if is_unsaid(words) or code_of(words) == code:
        return label_of(code)
    return words if code == "OTHER" else f"{label_of(code)}: {words}"
