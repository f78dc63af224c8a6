import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("health", "0001_initial"),
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="healthscore",
            name="client",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="health_scores", to="portfolio.client"
            ),
        ),
        migrations.AddField(
            model_name="healthscoreconfig",
            name="applies_to_client",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="portfolio.client"
            ),
        ),
    ]
