"""Why events were rejected, in words for whoever looks after the sender. Pure; the reasons are usage.intake_events'."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """`what`: the reason in plain words. `change`: what the sender should do."""

    what: str
    change: str


_KNOWN: tuple[tuple[str, Advice], ...] = (
    ("event: missing", Advice("A tracked action has no name", "Give every track call the name of the event.")),
    ("event: over", Advice("One event is too large", "Send fewer properties; one event may hold 32 KB of JSON.")),
    ("timestamp: lies before", Advice("The time lies before 1970", "Check that the clock of the sender is set.")),
    (
        "timestamp:",
        Advice("The time of the event cannot be read", "Send the time as ISO 8601, such as 2026-02-12T14:05:00Z."),
    ),
    (
        "sentAt:",
        Advice("The time of sending cannot be read", "Send the time as ISO 8601, such as 2026-02-12T14:05:00Z."),
    ),
    (
        "groupId: missing",
        Advice("A group call does not say which account", "Give every group call the organization id of the client."),
    ),
    (
        "groupId: over",
        Advice("The account id is too long", "Use the organization id of the client, up to 200 letters."),
    ),
    (
        "userId: missing",
        Advice(
            "Neither a user nor an account is given",
            "Identify the user before tracking, or send the account's id along.",
        ),
    ),
    (
        "type: needs",
        Advice("The kind of call is unknown", "Use track, page, screen, identify, group or alias as the type."),
    ),
    (
        "writeKey: another",
        Advice("The event carries another write key than its batch", "Send one batch for each write key."),
    ),
    ("batch: more than", Advice("The batch held too many events", "Send at most 2,500 events in one batch.")),
    (
        "spool:",
        Advice("A stored batch could not be read", "Nothing at the sender. The batch was kept aside; ask an operator."),
    ),
)
_MALFORMED = Advice(
    "The event has another form than the protocol asks for",
    "Compare the event with the documentation: the text of the error names the field.",
)


def advice(reason: str) -> Advice:
    """Return what `reason` means and what the sender should change."""
    return next((found for start, found in _KNOWN if reason.startswith(start)), _MALFORMED)
