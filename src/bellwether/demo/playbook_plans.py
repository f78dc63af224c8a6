"""The playbooks of the demo: what they do, how often they ran, and the effect that is planted in them."""

from dataclasses import dataclass, field
from typing import Any, Literal

Source = Literal["generated", "go_lives", "renewals", "drops"]

HELLO = "Hello {{ contact.first_name | default('there') }},\n\n"
BYE = "\n\nBest regards\n{{ csm.first_name | default('Your team') }}"


def written(text: str, *, client: str, contact: str, csm: str) -> str:
    """Return a message of the demo as it was sent: its template with the names of client, contact and CSM."""
    names = {"{{ contact.first_name | default('there') }}": contact, "{{ csm.first_name | default('Your team') }}": csm}
    for place, name in (names | {"{{ client.name }}": client}).items():
        text = text.replace(place, name)
    return text


@dataclass(frozen=True, kw_only=True)
class PlaybookPlan:
    """A playbook of the demo. Shares and effects are 0-1.

    `source` says where the occasions come from: "generated" days, or what the demo's records and usage tell (go-lives,
    renewals, drops of usage). `runs` are those of 250 clients in two years, where they are generated; `base` is the
    share of those held out that reach the outcome, where it is generated, and `effect` what treatment adds. `lasts` is
    how many days its steps take, `second` what the calls came to, for those reached and the others.
    """

    key: str
    name: str
    description: str
    state: str
    source: Source
    effect: float
    base: float = 0.0
    runs: int = 0
    lasts: int = 7
    reason: str = ""
    second: tuple[str, str] = ("Spoken to", "No answer")
    definition: dict[str, Any] = field(default_factory=dict)
    earlier: dict[str, Any] | None = None

    @property
    def hold_out(self) -> int:
        """Percent held out."""
        return int(self.definition["hold_out"])

    @property
    def days(self) -> int:
        """Days of the outcome's window."""
        return int(self.definition["outcome"]["days"])

    @property
    def measured(self) -> bool:
        """Whether outcomes are measured in the demo's data; else the demo invents them."""
        return self.source in {"renewals", "drops"}


def _email(title: str, text: str, to: str = "") -> dict[str, Any]:
    return {"key": "write", "kind": "email", "title": title, "text": HELLO + text + BYE, "approval": True} | (
        {"to": to} if to else {}
    )


def _call(title: str, text: str, days: int, to: str = "") -> dict[str, Any]:
    step = {"key": "call", "kind": "call", "title": title, "text": text, "wait_days": days}
    return step | ({"to": to} if to else {})


CAPS = {"running_per_client": 1, "quiet_days": 14}


def playbook_plans(feature: str) -> list[PlaybookPlan]:
    """Return the playbooks; `feature` is the key of the feature that trainings are about."""
    champion: dict[str, Any] = {
        "trigger": {"kind": "alert", "types": ["KEY_USER_INACTIVE", "CHAMPION_RISK"]},
        "steps": [
            _email(
                "We miss you",
                "it has been a while since you looked in. Is there anything we can help {{ client.name }} with?",
                "CHAMPION",
            ),
            _call(
                "Call the champion", "Ask what changed, and what is still open since the last review.", 3, "CHAMPION"
            ),
        ],
        "exit": {"logged_in": True},
        "caps": CAPS,
        "hold_out": 40,
        "outcome": {"kind": "login", "days": 14},
        "minutes_per_client": 35,
    }
    return [
        PlaybookPlan(
            key="champion-gone-quiet",
            name="Champion gone quiet",
            description="A key user has not logged in for 14 days: a personal e-mail, then a call.",
            state="RUNNING",
            source="generated",
            runs=560,
            base=0.41,
            effect=0.17,
            reason="Key user inactive for 14 days",
            second=("Reached, logs in again", "No answer"),
            definition=champion,
            earlier=champion | {"steps": champion["steps"][:1]},
        ),
        PlaybookPlan(
            key="onboarding-check",
            name="Onboarding check",
            description="A week after go-live the CSM asks how the first days went.",
            state="RUNNING",
            source="go_lives",
            base=0.55,
            effect=0.15,
            reason="7 days after go-live",
            second=("First questions answered", "Call moved"),
            definition={
                "trigger": {"kind": "lifecycle", "since": "go_live", "days": [7]},
                "steps": [
                    _email("Your first week", "how did the first week go? Reply to this e-mail with any question."),
                    _call("Go through the first week", "Seats invited, first case, open questions.", 2),
                ],
                "caps": CAPS,
                "hold_out": 50,
                "outcome": {"kind": "login", "days": 30},
                "minutes_per_client": 45,
            },
        ),
        PlaybookPlan(
            key="feature-training",
            name="Feature training",
            description="A licensed feature has not been used for 30 days: an invitation to a short training.",
            state="RUNNING",
            source="generated",
            runs=500,
            base=0.30,
            effect=0.18,
            reason="Licensed feature unused for 30 days",
            second=("Training held", "Not interested now"),
            definition={
                "trigger": {"kind": "alert", "types": ["FEATURE_ABANDONED"]},
                "steps": [
                    _email("Half an hour that saves you hours", "we show your team how others use what you licensed."),
                    _call("Hold the training", "Half an hour, with an example from their own work.", 5),
                ],
                "caps": CAPS,
                "hold_out": 40,
                "outcome": {"kind": "feature_used", "days": 30, "feature": feature},
                "minutes_per_client": 50,
            },
        ),
        PlaybookPlan(
            key="support-spike-call",
            name="Support spike call",
            description="Three times the normal tickets: the CSM calls before the client does.",
            state="RUNNING",
            source="generated",
            runs=150,
            base=0.52,
            effect=0.10,
            lasts=3,
            reason="3 times the normal volume of tickets",
            second=("Open tickets gone through", "Called back later"),
            definition={
                "trigger": {"kind": "alert", "types": ["SUPPORT_SPIKE"]},
                "steps": [_call("Call about the open tickets", "Which of them hurts most, and who works on it.", 0)],
                "caps": CAPS,
                "hold_out": 25,
                "outcome": {"kind": "csat", "days": 30, "at_least": 75},
                "minutes_per_client": 40,
            },
        ),
        PlaybookPlan(
            key="renewal-90-60-30",
            name="Renewal 90, 60, 30",
            description="Three months before the renewal: a review of what was reached, then the offer.",
            state="RUNNING",
            source="renewals",
            effect=0.06,
            lasts=10,
            reason="90 days before the renewal",
            second=("Review held", "Review moved"),
            definition={
                "trigger": {"kind": "renewal", "days": [90, 60, 30]},
                "steps": [
                    _email("Looking back, and ahead", "may we go through the past year together before the renewal?"),
                    _call("Hold the review", "What was reached, what is open, who decides.", 7, "EXECUTIVE_SPONSOR"),
                ],
                "caps": CAPS,
                "hold_out": 25,
                "outcome": {"kind": "renewed", "days": 120},
                "minutes_per_client": 120,
            },
        ),
        PlaybookPlan(
            key="usage-drop-email",
            name="Usage drop e-mail",
            description="Daily users are down by 30%: an e-mail with three tips, nothing else.",
            state="RUNNING",
            source="drops",
            effect=0.0,
            runs=420,
            lasts=1,
            reason="Daily users down by 30%",
            definition={
                "trigger": {"kind": "alert", "types": ["USAGE_DECLINE"]},
                "steps": [
                    _email("Three tips for your team", "here are three things teams like yours do."),
                ],
                "caps": CAPS,
                "hold_out": 30,
                "outcome": {"kind": "usage_recovered", "days": 30},
                "minutes_per_client": 5,
            },
        ),
        PlaybookPlan(
            key="detractor-interview",
            name="Detractor interview",
            description="An NPS answer of 6 or less: the CSM asks why.",
            state="PAUSED",
            source="generated",
            runs=70,
            base=0.45,
            effect=0.20,
            lasts=5,
            reason="NPS of 6 or less",
            second=("Reasons noted", "Declined"),
            definition={
                "trigger": {"kind": "alert", "types": ["NPS_DETRACTOR"]},
                "steps": [_call("Ask what is behind the answer", "Listen first, offer nothing yet.", 1, "SUBJECT")],
                "caps": CAPS,
                "hold_out": 20,
                "outcome": {"kind": "nps_improved", "days": 90},
                "minutes_per_client": 45,
            },
        ),
        PlaybookPlan(
            key="executive-sponsor",
            name="Executive sponsor",
            description="Enterprise clients with a score under 50: our management speaks to theirs.",
            state="DRAFT",
            source="generated",
            effect=0.0,
            definition={
                "trigger": {"kind": "band", "score_below": 50},
                "conditions": [{"field": "tier", "is": "in", "value": ["ENTERPRISE"]}],
                "steps": [
                    {"key": "meet", "kind": "task", "title": "Let the sponsors meet", "to": "EXECUTIVE_SPONSOR"}
                ],
                "exit": {"score_at_least": 60},
                "caps": CAPS,
                "hold_out": 10,
                "outcome": {"kind": "churn", "days": 180},
                "minutes_per_client": 90,
            },
        ),
    ]  # fmt: skip
