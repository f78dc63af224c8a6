from django.db import migrations, models


class Migration(migrations.Migration):
    """The triggers of churn.guard are made after each migration, not by one."""

    dependencies = [
        ("churn", "0001_keep_churn_models_and_predictions"),
    ]

    operations = [
        migrations.CreateModel(
            name="PredictionRemoval",
            fields=[
                ("client_id", models.UUIDField(primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=200)),
                ("removed_at", models.DateTimeField()),
            ],
        ),
    ]
