from django.db import migrations


def code_known(apps, schema_editor):
    """Give outcomes of before their codes, from words that are known."""
    from bellwether.portfolio.reason_moves import code_outcomes

    code_outcomes(apps.get_model("portfolio", "ClientOutcome"), using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("portfolio", "0013_keep_churn_figures_and_reason_codes"),
    ]

    operations = [
        migrations.RunPython(code_known, migrations.RunPython.noop),
    ]
