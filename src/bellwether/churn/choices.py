from django.db.models import TextChoices


class ModelKind(TextChoices):
    """How a model came about. PRIOR: the documented expert coefficients alone, with no history behind them."""

    PRIOR = "PRIOR", "Expert prior"
    HAZARD = "HAZARD", "Hazard model"
    BOOSTED = "BOOSTED", "Boosted model"


class ModelState(TextChoices):
    """ACTIVE: predicts now, one at a time. RETIRED: was active. REJECTED: trained, not better than the active one."""

    ACTIVE = "ACTIVE", "In use"
    RETIRED = "RETIRED", "Used before"
    REJECTED = "REJECTED", "Not put into use"


class Category(TextChoices):
    """Of the 90-day probability: low under 20 %, medium from 20 to 50 %, high above 50 % (formulas.md, section 4)."""

    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"


class Precision(TextChoices):
    """FIGURE: a percentage may be shown. BAND: the sample is too thin for one; category and reason are shown."""

    FIGURE = "FIGURE", "Figure"
    BAND = "BAND", "Band"
