"""The starter library: playbooks and templates that come with a preset, loaded once each as drafts."""

import tomllib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from django.conf import settings
from django.db import transaction

from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.models import MessageTemplate, Playbook
from bellwether.playbooks.services import create

FOLDER = "shelf"


@cache
def shelf(preset: str) -> dict[str, Any]:
    """Return the library of a preset as parsed TOML: `templates` and `playbooks`; empty where there is none."""
    file = files(__package__) / FOLDER / f"{preset}.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def load_library(preset: str = "", *, now: datetime) -> int:
    """Store what is not there yet of a preset's library (the workspace's by default); return how many that is.

    Playbooks come as drafts: none sends anything before somebody starts it. What is there, edited or archived, stays
    as it is; so loading again changes nothing.
    """
    name = preset or settings.BELLWETHER_PRESET
    found = shelf(name)
    known = set(Playbook.objects.values_list("key", flat=True))
    templates = set(MessageTemplate.objects.values_list("key", flat=True))
    missing = [one for one in found.get("playbooks", []) if one["key"] not in known]
    texts = [one for one in found.get("templates", []) if one["key"] not in templates]
    if not missing and not texts:
        return 0
    with transaction.atomic():
        MessageTemplate.objects.bulk_create(
            [
                MessageTemplate(
                    key=one["key"],
                    name=one["name"],
                    kind=one.get("kind", "email"),
                    subject=one.get("subject", ""),
                    body=one["body"].strip(),
                    from_preset=name,
                    created_at=now,
                    updated_at=now,
                )
                for one in texts
            ],
            ignore_conflicts=True,
        )
        names = {one.casefold() for one in Playbook.objects.values_list("name", flat=True)}
        for one in missing:
            if one["name"].casefold() not in names:
                create(
                    key=one["key"],
                    name=one["name"],
                    description=one.get("description", ""),
                    definition=definition_from_data(one["definition"]),
                    note="As shipped",
                    from_preset=name,
                    actor=None,
                    now=now,
                )
    return len(missing) + len(texts)
