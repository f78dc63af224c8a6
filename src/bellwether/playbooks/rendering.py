"""Texts of messages: Jinja2 in a sandbox with a fixed set of variables and nothing else. Pure.

    Dear {{ contact.first_name }}, … {% if days_to_renewal < 60 %} … {% endif %} … {{ csm.name }}

A template may name the VARIABLES, compare and choose. Attributes of Python, calls, loops and imports are refused, so
that what it takes is bounded by its length. A variable that has no value is an error that names it, unless the template
asks `{% if contact.first_name is defined %}` or gives `| default("there")`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bellwether.common.errors import InvalidInputError

LONGEST_TEMPLATE = 10_000
LONGEST_TEXT = 20_000
MOST_NODES = 2_000

VARIABLES: Mapping[str, str] = {
    "client.name": "The client's name",
    "client.industry": "Its industry",
    "client.tier": "Its tier, such as Enterprise",
    "client.segment": "Its segment",
    "contact.name": "The contact's full name",
    "contact.first_name": "The contact's first name",
    "contact.title": "The contact's job title",
    "csm.name": "The CSM's full name",
    "csm.first_name": "The CSM's first name",
    "csm.email": "The CSM's e-mail address",
    "score": "The health score, 0-100",
    "status": "The health status, such as At risk",
    "days_to_renewal": "Days until the renewal",
    "renewal_date": "The renewal, such as 30 Sep 2026",
    "last_login": "The day of the last login, such as 12 Feb 2026",
    "days_since_login": "Days since the last login",
    "days_since_contact": "Days since the last contact",
    "reason": "Why the client is in the playbook, in words",
    "today": "Today, such as 30 Jun 2026",
}
"""What templates may name, with what it says."""
EXAMPLE: Mapping[str, Any] = {
    "client": {"name": "Cobalt Foundry", "industry": "Manufacturing", "tier": "Enterprise", "segment": "Mid-market"},
    "contact": {"name": "Mara Lindqvist", "first_name": "Mara", "title": "Head of Compliance"},
    "csm": {"name": "Jane Okafor", "first_name": "Jane", "email": "jane.okafor@example.com"},
    "score": 58,
    "status": "At risk",
    "days_to_renewal": 64,
    "renewal_date": "30 Sep 2026",
    "last_login": "12 Jun 2026",
    "days_since_login": 18,
    "days_since_contact": 21,
    "reason": "Key user inactive",
    "today": "30 Jun 2026",
}
"""Values to try templates with."""
_ALLOWED_FILTERS = frozenset(
    {"capitalize", "default", "d", "lower", "upper", "title", "trim", "round", "int", "first", "last", "length"}
)
_REFUSED = (
    nodes.Call, nodes.For, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends, nodes.Macro, nodes.CallBlock,
    nodes.Block, nodes.Pow, nodes.Mul, nodes.Concat, nodes.Mod, nodes.FilterBlock, nodes.Assign, nodes.AssignBlock,
)  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    """A message ready to send: a subject in one line, and a plain text."""

    subject: str
    text: str

    @property
    def html(self) -> str:
        """The text as HTML paragraphs, escaped."""
        return html_of(self.text)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)
    made.globals.clear()
    made.filters = {name: kind for name, kind in made.filters.items() if name in _ALLOWED_FILTERS}
    return made


def render(subject: str, body: str, values: Mapping[str, Any]) -> Rendered:
    """Return the message that templates make of `values` (see `EXAMPLE` for their form).

    InvalidInputError under "subject" or "body": what is wrong and, for a variable without a value, which one.
    """
    errors: dict[str, str] = {}
    made: dict[str, str] = {}
    for name, template in (("subject", subject), ("body", body)):
        wrong = check(template)
        if not wrong:
            made[name], wrong = _filled(template, values)
        if wrong:
            errors[name] = wrong
    if errors:
        raise InvalidInputError("The message cannot be written. " + " ".join(errors.values()), errors)
    return Rendered(" ".join(made["subject"].split())[:300], made["body"].strip())


@lru_cache(maxsize=1_024)
def check(template: str) -> str:
    """Return what is wrong with a template as it stands, empty if it can be used: its syntax, what it names."""
    if len(template) > LONGEST_TEMPLATE:
        return f"Write at most {LONGEST_TEMPLATE:,} characters; these are {len(template):,}."
    try:
        tree = _environment().parse(template)
    except TemplateSyntaxError as error:
        return f"Line {error.lineno}: {error.message}"
    found = list(tree.find_all(nodes.Node))
    if len(found) > MOST_NODES:
        return "This template is too complicated. Make it shorter."
    for node in found:
        if isinstance(node, _REFUSED):
            return f"Line {node.lineno}: {_word(node)} cannot be used here. Use variables and plain conditions."
        if isinstance(node, nodes.Filter) and node.name not in _ALLOWED_FILTERS:
            known = ", ".join(sorted(_ALLOWED_FILTERS))
            return f"Line {node.lineno}: there is no filter {node.name!r}; there are {known}."
    return _unknown(tree)


def names_in(template: str) -> tuple[str, ...]:
    """Return the variables that a template names, in the order of VARIABLES."""
    found = {name for name, _ in _named(_environment().parse(template))}
    return tuple(name for name in VARIABLES if name in found)


def html_of(text: str) -> str:
    """Return a plain text as HTML: paragraphs, line breaks, everything escaped."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "\n".join(f"<p>{'<br>'.join(escape(line) for line in part.splitlines())}</p>" for part in parts)


def _filled(template: str, values: Mapping[str, Any]) -> tuple[str, str]:
    plain = {name: value for name, value in values.items() if value is not None}
    try:
        size, pieces = 0, []
        for piece in _environment().from_string(template).generate(_plain(plain)):
            size += len(piece)
            if size > LONGEST_TEXT:
                return "", f"The message is longer than {LONGEST_TEXT:,} characters."
            pieces.append(piece)
    except UndefinedError as error:
        return "", f"{_missing(template, values) or error.message} has no value for this client."
    except (SecurityError, TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        return "", f"This cannot be computed: {error}."
    return "".join(pieces), ""


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return texts, numbers and tables of them; nothing that has methods worth calling goes in."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            made[name] = {key: one for key, one in _plain(value).items() if one not in (None, "")}
        elif isinstance(value, bool | int | float | str) and value != "":
            made[name] = value
    return made


def _named(tree: nodes.Template) -> list[tuple[str, int]]:
    """Return what a template names, dotted, with the line."""
    found: list[tuple[str, int]] = []
    inner: set[int] = set()
    held: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in held:
        if isinstance(node.node, nodes.Name):
            inner.add(id(node.node))
            part = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", "?")
            found.append((f"{node.node.name}.{part}", node.lineno))
        else:
            found.append(("?", node.lineno))
    found += [(one.name, one.lineno) for one in tree.find_all(nodes.Name) if id(one) not in inner]
    return found


def _unknown(tree: nodes.Template) -> str:
    for name, line in _named(tree):
        if name not in VARIABLES:
            return f"Line {line}: there is no variable {name!r}; there are {', '.join(VARIABLES)}."
    return ""


def _missing(template: str, values: Mapping[str, Any]) -> str:
    """Return the first variable that a template names and that has no value."""
    plain = _plain({name: value for name, value in values.items() if value is not None})
    for name in names_in(template):
        first, _, rest = name.partition(".")
        held = plain.get(first)
        if held is None or (rest and (not isinstance(held, dict) or rest not in held)):
            return name
    return ""


def _word(node: nodes.Node) -> str:
    return {
        "For": "a loop",
        "Call": "a call",
        "Assign": "set",
        "AssignBlock": "set",
        "Mul": "*",
        "Pow": "**",
        "Concat": "~",
        "Mod": "%",
    }.get(type(node).__name__, type(node).__name__.lower())
