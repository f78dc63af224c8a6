"""What the editor of playbooks offers to choose from: the grammar's words, and those of this workspace."""

from typing import Any

from bellwether.milestones.models import MilestoneDefinition
from bellwether.playbooks import selectors as read
from bellwether.playbooks.vocabulary import (
    ALERT_TYPES,
    BANDS,
    CONDITION_FIELDS,
    OPERATOR_WORDS,
    OPERATORS,
    OUTCOMES,
    RECEIVERS,
    SEVERITIES,
    SINCE,
    STEPS,
    TRIGGERS,
    LoginState,
    ValueKind,
)
from bellwether.portfolio.models import Client, Tag

LOGINS = {
    LoginState.ANY.value: "Whether somebody logged in or not",
    LoginState.NONE_SINCE.value: "If nobody logged in for that long",
    LoginState.NEVER.value: "If nobody has ever logged in",
}
MOST_OFFERED = 200


def choices() -> dict[str, Any]:
    """Return the lists of the form's choices; four queries."""
    clients = Client.objects.active().order_by()
    segments = clients.exclude(segment="").values_list("segment", flat=True).distinct()[:MOST_OFFERED]
    industries = clients.exclude(industry="").values_list("industry", flat=True).distinct()[:MOST_OFFERED]
    return {
        "triggers": [(kind, words.label) for kind, words in TRIGGERS.items()],
        "alert_types": list(ALERT_TYPES.items()),
        "severities": list(SEVERITIES.items()),
        "bands": list(BANDS.items()),
        "since": list(SINCE.items()),
        "logins": list(LOGINS.items()),
        "milestones": list(MilestoneDefinition.objects.order_by("position").values_list("key", "name")),
        "client_fields": [(name, one.label) for name, one in CONDITION_FIELDS.items() if not one.steps_only],
        "step_fields": [(name, one.label) for name, one in CONDITION_FIELDS.items()],
        "operators": {kind.value: [(word, OPERATOR_WORDS[word]) for word in OPERATORS[kind]] for kind in ValueKind},
        "all_operators": list(OPERATOR_WORDS.items()),
        "step_kinds": [(kind, words.label, words.fields) for kind, words in STEPS.items()],
        "receivers": list(RECEIVERS.items()),
        "outcomes": [(kind, words.label, words.days) for kind, words in OUTCOMES.items()],
        "templates": [(row.key, row.name, row.kind) for row in read.templates()],
        "segments": sorted(str(one) for one in segments),
        "industries": sorted(str(one) for one in industries),
        "tags": list(Tag.objects.order_by("name").values_list("name", flat=True)[:MOST_OFFERED]),
    }
