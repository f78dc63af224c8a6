"""The vocabulary of PRD-015, as the database and the API spell it."""

from django.db.models import TextChoices

from bellwether.portfolio.reason_codes import REASONS


class ContractTier(TextChoices):
    STARTER = "STARTER", "Starter"
    PROFESSIONAL = "PROFESSIONAL", "Professional"
    ENTERPRISE = "ENTERPRISE", "Enterprise"
    CUSTOM = "CUSTOM", "Custom"


class HealthStatus(TextChoices):
    HEALTHY = "HEALTHY", "Healthy"
    MONITOR = "MONITOR", "Monitor"
    AT_RISK = "AT_RISK", "At risk"
    CRITICAL = "CRITICAL", "Critical"


class HealthTrend(TextChoices):
    UP = "UP", "Up"
    DOWN = "DOWN", "Down"
    FLAT = "FLAT", "Flat"


class AlertLevel(TextChoices):
    NONE = "NONE", "None"
    DASHBOARD_ONLY = "DASHBOARD_ONLY", "Dashboard only"
    PROACTIVE = "PROACTIVE", "Proactive"


class PaymentStatus(TextChoices):
    CURRENT = "current", "Current"
    LATE = "late", "Late"
    OVERDUE = "overdue", "Overdue"


class ContactRole(TextChoices):
    CHAMPION = "CHAMPION", "Champion"
    EXECUTIVE_SPONSOR = "EXECUTIVE_SPONSOR", "Executive sponsor"
    ADMIN = "ADMIN", "Admin"
    USER = "USER", "User"
    BILLING = "BILLING", "Billing"
    OTHER = "OTHER", "Other"


KEY_ROLES = (ContactRole.CHAMPION, ContactRole.EXECUTIVE_SPONSOR, ContactRole.ADMIN)


class EngagementStatus(TextChoices):
    ACTIVE = "ACTIVE", "Active"
    DECLINING = "DECLINING", "Declining"
    INACTIVE = "INACTIVE", "Inactive"


class ActivityType(TextChoices):
    CALL = "CALL", "Call"
    EMAIL = "EMAIL", "E-mail"
    MEETING = "MEETING", "Meeting"
    QBR = "QBR", "Quarterly business review"
    TRAINING = "TRAINING", "Training"
    ONBOARDING = "ONBOARDING", "Onboarding"
    SUPPORT_ESCALATION = "SUPPORT_ESCALATION", "Support escalation"
    EXECUTIVE_TOUCHPOINT = "EXECUTIVE_TOUCHPOINT", "Executive touchpoint"
    INTERNAL_DISCUSSION = "INTERNAL_DISCUSSION", "Internal discussion"
    OTHER = "OTHER", "Other"


class ActivityOutcome(TextChoices):
    SUCCESSFUL_ENGAGEMENT = "SUCCESSFUL_ENGAGEMENT", "Successful engagement"
    ISSUE_IDENTIFIED = "ISSUE_IDENTIFIED", "Issue identified"
    EXPANSION_OPPORTUNITY = "EXPANSION_OPPORTUNITY", "Expansion opportunity"
    RISK_IDENTIFIED = "RISK_IDENTIFIED", "Risk identified"
    FOLLOW_UP_REQUIRED = "FOLLOW_UP_REQUIRED", "Follow-up required"
    NO_ACTION_NEEDED = "NO_ACTION_NEEDED", "No action needed"


class NoteType(TextChoices):
    GENERAL = "GENERAL", "General"
    STRATEGY = "STRATEGY", "Strategy"
    RISK = "RISK", "Risk"
    OPPORTUNITY = "OPPORTUNITY", "Opportunity"
    QBR_PREP = "QBR_PREP", "QBR preparation"
    INTERNAL = "INTERNAL", "Internal"


class TicketPriority(TextChoices):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class TicketStatus(TextChoices):
    OPEN = "open", "Open"
    PENDING = "pending", "Pending"
    SOLVED = "solved", "Solved"
    CLOSED = "closed", "Closed"


class SurveyKind(TextChoices):
    NPS = "NPS", "NPS"
    CSAT = "CSAT", "CSAT"


class OutcomeKind(TextChoices):
    RENEWED = "RENEWED", "Renewed"
    CHURNED = "CHURNED", "Churned"
    DOWNGRADED = "DOWNGRADED", "Downgraded"


class OutcomeReason(TextChoices):
    """Why a term ended as it did, as a code that can be counted; the words beside it are free."""

    VALUE = "VALUE", REASONS["VALUE"]
    ADOPTION = "ADOPTION", REASONS["ADOPTION"]
    CHAMPION_LEFT = "CHAMPION_LEFT", REASONS["CHAMPION_LEFT"]
    SUPPORT = "SUPPORT", REASONS["SUPPORT"]
    PRODUCT = "PRODUCT", REASONS["PRODUCT"]
    PRICE = "PRICE", REASONS["PRICE"]
    COMPETITOR = "COMPETITOR", REASONS["COMPETITOR"]
    IN_HOUSE = "IN_HOUSE", REASONS["IN_HOUSE"]
    ACQUIRED = "ACQUIRED", REASONS["ACQUIRED"]
    CLOSED = "CLOSED", REASONS["CLOSED"]
    FEWER_SEATS = "FEWER_SEATS", REASONS["FEWER_SEATS"]
    NON_PAYMENT = "NON_PAYMENT", REASONS["NON_PAYMENT"]
    OTHER = "OTHER", REASONS["OTHER"]


class ImportState(TextChoices):
    MAPPING = "mapping", "To be mapped"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked"
    IMPORTING = "importing", "Being imported"
    DONE = "done", "Imported"
    CANCELLED = "cancelled", "Stopped"
    FAILED = "failed", "Failed"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


IMPORT_AT_WORK = (ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING)
