"""The words of delivery."""

from django.db.models import TextChoices


class Medium(TextChoices):
    IN_APP = "IN_APP", "In the product"
    EMAIL = "EMAIL", "E-mail"
    SLACK = "SLACK", "Slack"
    TEAMS = "TEAMS", "Teams"
    WEBHOOK = "WEBHOOK", "Webhook"


class ChannelKind(TextChoices):
    SLACK_WEBHOOK = "SLACK_WEBHOOK", "Slack, incoming webhook"
    SLACK_BOT = "SLACK_BOT", "Slack, bot"
    TEAMS_WORKFLOW = "TEAMS_WORKFLOW", "Teams, workflow"
    WEBHOOK = "WEBHOOK", "Webhook, signed"


class MessageState(TextChoices):
    PENDING = "PENDING", "Waiting"
    HELD = "HELD", "Held"
    DIGEST = "DIGEST", "Part of a digest"
    SENT = "SENT", "Sent"
    FAILED = "FAILED", "Given up"
    CANCELLED = "CANCELLED", "Cancelled"


MEDIUM_OF = {
    ChannelKind.SLACK_WEBHOOK: Medium.SLACK,
    ChannelKind.SLACK_BOT: Medium.SLACK,
    ChannelKind.TEAMS_WORKFLOW: Medium.TEAMS,
    ChannelKind.WEBHOOK: Medium.WEBHOOK,
}
"""The medium of each kind of channel."""
