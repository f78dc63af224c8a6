"""What every figure means, in words (glossary.toml): shown beside it and together on the page Help. Pure.

A figure finds its term by its label, so labels of figures are worded as there.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Term:
    """A figure: what it says, how it is made, and what else it is called where it stands."""

    name: str
    text: str
    formula: str = ""
    labels: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The id of the term in addresses and pages."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name.lower()).strip("-")


@dataclass(frozen=True)
class Group:
    """Terms of one matter."""

    title: str
    terms: tuple[Term, ...]


def _read() -> tuple[Group, ...]:
    data = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return tuple(
        Group(
            group["title"],
            tuple(
                Term(one["name"], one["text"], one.get("formula", ""), tuple(one.get("labels", ())))
                for one in group["term"]
            ),
        )
        for group in data["group"]
    )


GROUPS: tuple[Group, ...] = _read()
BY_LABEL: Mapping[str, Term] = {
    label.lower(): term for group in GROUPS for term in group.terms for label in (term.name, *term.labels)
}


def term_of(label: str) -> Term | None:
    """Return the term of a figure's label, whatever its case; None where there is none."""
    return BY_LABEL.get(label.strip().lower())
