"""The mail that celebrates a milestone: templates in a sandbox, as text and HTML. It is drafted, never sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bellwether.milestones.rules import Kind

NAMES = ("client", "contact", "csm", "milestone", "sentence", "date", "when", "target")
"""What a template may name: client's name, first name of the contact, CSM's name, milestone's name and sentence, its
day, the day with "on", or with "by" where it is the latest possible one, and the number it was about."""
EXAMPLE = dict.fromkeys(NAMES, "example")
LONGEST = 20_000


@dataclass(frozen=True)
class Mail:
    """A drafted mail. `fault` says which of the workspace's templates could not be used, empty if all could."""

    subject: str
    text: str
    html: str
    fault: str = ""

    def mailto(self, address: str) -> str:
        """Return the address that opens the draft in the reader's mail program."""
        return f"mailto:{quote(address, safe='@')}?subject={quote(self.subject)}&body={quote(self.text)}"


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)


@cache
def _pages() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True, trim_blocks=True)


@cache
def shipped(kind: Kind) -> tuple[str, str]:
    """Return subject and text as shipped for milestones of a kind, else those for all."""
    folder = files(__package__) / "templates" / "mail"
    name = kind.value if (folder / f"{kind.value}.txt").is_file() else "default"
    subject, _, text = (folder / f"{name}.txt").read_text("utf-8").partition("\n\n")
    return subject.removeprefix("Subject: ").strip(), text.strip()


def draft(kind: Kind, values: Mapping[str, str], *, subject: str = "", text: str = "") -> Mail:
    """Return the mail for a milestone of a kind; `subject` and `text` are the workspace's own templates, if any.

    A template of the workspace that fails gives way to the one as shipped, and `Mail.fault` says so.
    """
    own_subject, own_text = shipped(kind)
    given_subject, given_text = _rendered(subject, values), _rendered(text, values)
    made_subject = given_subject if subject and given_subject is not None else _shipped(own_subject, values)
    made_text = given_text if text and given_text is not None else _shipped(own_text, values)
    failed = [word for word, given in (("subject", given_subject), ("text", given_text)) if given is None]
    fault = (
        f"The workspace's {' and '.join(failed)} could not be used; the draft is the one as shipped." if failed else ""
    )
    paragraphs = [part.strip().split("\n") for part in made_text.split("\n\n") if part.strip()]
    page = (files(__package__) / "templates" / "mail" / "page.html").read_text("utf-8")
    html = _pages().from_string(page).render(subject=made_subject, paragraphs=paragraphs)
    return Mail(" ".join(made_subject.split())[:200], made_text, html, fault)


def check_template(text: str) -> str:
    """Return what is wrong with a template, empty if it can be used."""
    if not text:
        return ""
    try:
        _environment().from_string(text).render(EXAMPLE)
    except TemplateError as error:
        names = ", ".join(f"{{{{ {name} }}}}" for name in NAMES)
        return f"This cannot be used: {error}. You may use {names}."
    except Exception:  # whatever a template computes: it is refused, it does not break the page
        return "This cannot be computed. Use names and plain conditions only."
    return ""


def _rendered(template: str, values: Mapping[str, str]) -> str | None:
    """Return the text, None where the template cannot be used with these values."""
    try:
        return _environment().from_string(template).render(values)[:LONGEST].strip()
    except Exception:
        return None


def _shipped(template: str, values: Mapping[str, str]) -> str:
    return _environment().from_string(template).render(values).strip()
