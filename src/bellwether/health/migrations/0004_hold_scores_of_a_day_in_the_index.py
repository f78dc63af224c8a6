"""Medians and sums of a day read client and score from the index alone, not from the wide rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("health", "0003_link_configurations_to_staff"),
        ("portfolio", "0002_link_records_to_clients_and_staff"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="healthscore",
            index=models.Index(fields=["scorecard", "date", "client", "overall_score"], name="healthscore_day_scores"),
        ),
        migrations.RemoveIndex(model_name="healthscore", name="healthscore_card_date"),
    ]
