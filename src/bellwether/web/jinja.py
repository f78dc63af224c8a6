"""The Jinja2 environment of all pages: icons, addresses and the interface's words and numbers."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import lucide as lucide_icons
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static as plain_static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined
from lucide.jinja import lucide
from markupsafe import Markup

from bellwether import __version__
from bellwether.web import formatting
from bellwether.web.glossary import term_of


@cache
def icon(name: str, size: str = "") -> Markup:
    """Return the Lucide icon `name`: 16 px, "s" 14 px, "xs" 12 px. Text beside it says the same."""
    drawing = str(lucide_icons._render_icon(name, 24))
    inner = drawing[drawing.index(">") + 1 : drawing.rindex("</svg>")].replace("\n", "").replace("  ", "").strip()
    classes = f"icon {size}".strip()
    return Markup(f'<svg class="{classes}" viewBox="0 0 24 24" aria-hidden="true">{inner}</svg>')  # noqa: S704


@cache
def _digest(path: str) -> str:
    found = finders.find(path)
    if not isinstance(found, str):
        return ""
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:8]


def static(path: str) -> str:
    """Return the address of a static file; it changes with the file's content, so browsers may keep what they have."""
    if settings.DEBUG:
        _digest.cache_clear()
    digest = _digest(path)
    return f"{plain_static(path)}?v={digest}" if digest else plain_static(path)


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """Return the address of the page called `name`: `url("client", client.id)`."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def environment(**options: Any) -> Environment:
    """Return the environment: autoescaped, undefined names are errors, icons and urls at hand."""
    env = Environment(  # noqa: S701 (Django turns autoescape on)
        **{"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True, **options}
    )
    env.globals.update(
        static=static,
        url=url,
        lucide=lucide,
        icon=icon,
        status_of=formatting.status_of,
        term_of=term_of,
        version=__version__,
        workspace=settings.BELLWETHER_WORKSPACE_NAME,
    )
    for name in (
        "money",
        "short_money",
        "number",
        "percent",
        "signed",
        "day",
        "full_day",
        "clock",
        "moment",
        "days_short",
        "days_ago",
        "initials",
        "words",
        "spark",
    ):
        env.filters[name] = getattr(formatting, name)
    env.globals["plural"] = formatting.plural
    return env
