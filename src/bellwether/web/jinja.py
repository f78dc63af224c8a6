"""The Jinja2 environment of all pages."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined
from lucide.jinja import lucide


def environment(**options: Any) -> Environment:
    """Return the environment: autoescaped, undefined names are errors, icons and urls at hand."""
    env = Environment(  # noqa: S701 (Django turns autoescape on)
        **{"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True, **options}
    )
    env.globals.update(static=static, url=reverse, lucide=lucide)
    return env
