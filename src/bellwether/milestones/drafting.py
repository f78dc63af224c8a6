"""The mail about one milestone of one client: its values, its contact, its template."""

from bellwether.milestones.mail import Mail, draft
from bellwether.milestones.models import Milestone, MilestoneDefinition
from bellwether.milestones.rules import Kind, rule_from_data
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import full_day, number


def primary_contact(client: Client) -> Contact | None:
    """Return the contact to write to: the primary one who is still there, else a champion; None without either."""
    here = Contact.objects.filter(
        client=client, archived_at__isnull=True, left_company_at__isnull=True, is_active=True
    ).exclude(email="")
    found: Contact | None = (
        here.filter(is_primary=True).first() or here.filter(role="CHAMPION").order_by("name", "pk").first()
    )
    return found


def mail_for(milestone: Milestone, contact: Contact | None, *, sender: StaffUser) -> Mail:
    """Return the drafted mail about a milestone, signed by the client's CSM, else by `sender`."""
    definition = MilestoneDefinition.objects.filter(key=milestone.milestone_type).first()
    client = milestone.client
    csm = client.csm_user or sender
    values = {
        "client": client.name,
        "contact": contact.name.split()[0] if contact and contact.name.split() else "",
        "csm": csm.name,
        "milestone": milestone.name,
        "sentence": milestone.sentence,
        "date": full_day(milestone.achieved_on),
        "when": f"{'on' if milestone.exact else 'by'} {full_day(milestone.achieved_on)}",
        "target": number(milestone.detail.get("target")),
    }
    kind = rule_from_data(milestone.detail["rule"]).kind if milestone.detail.get("rule") else Kind.USES
    subject, text = (definition.mail_subject, definition.mail_text) if definition else ("", "")
    return draft(kind, values, subject=subject, text=text)
