"""What changes remember of a platform user goes when the person is erased, so that no undo brings it back."""

from django.db.models import Q

from bellwether.portfolio.models import ChangeEntry

FIELDS = {"portfolio.contact": "user_key", "portfolio.surveyresponse": "respondent"}
"""The field that holds a pseudonym, by the label of the model."""
BATCH = 500


def forget_user(user_key: str, *, replacement: str) -> int:
    """Replace the pseudonym in the values that changes keep, as it is replaced in the records themselves: contacts lose
    it, survey answers get `replacement`. Returns how many entries changed."""
    found: list[ChangeEntry] = []
    for label, field in FIELDS.items():
        value = "" if field == "user_key" else replacement
        held = Q(**{f"before__{field}": user_key}) | Q(**{f"after__{field}": user_key})
        for entry in ChangeEntry.objects.filter(held, model=label):
            for values in (entry.before, entry.after):
                if values and values.get(field) == user_key:
                    values[field] = value
            found.append(entry)
    ChangeEntry.objects.bulk_update(found, ["before", "after"], batch_size=BATCH)
    return len(found)
