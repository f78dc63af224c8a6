import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("health", "0002_link_scores_to_clients"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="healthscoreconfig",
            name="created_by",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="healthscoreconfig",
            name="previous_version",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="health.healthscoreconfig"
            ),
        ),
        migrations.AddIndex(
            model_name="healthscore",
            index=models.Index(fields=["scorecard", "date"], name="healthscore_card_date"),
        ),
        migrations.AddConstraint(
            model_name="healthscore",
            constraint=models.UniqueConstraint(fields=("client", "scorecard", "date"), name="healthscore_once"),
        ),
        migrations.AddConstraint(
            model_name="healthscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("overall_score__gte", 0), ("overall_score__lte", 100)),
                    ("overall_score__isnull", True),
                    _connector="OR",
                ),
                name="healthscore_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="healthscore",
            constraint=models.CheckConstraint(
                condition=models.Q(("coverage__gte", 0), ("coverage__lte", 1)), name="healthscore_coverage_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="healthscoreconfig",
            constraint=models.UniqueConstraint(fields=("scorecard", "version"), name="healthscoreconfig_version"),
        ),
        migrations.AddConstraint(
            model_name="healthscoreconfig",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("applies_to_tier__in", ["STARTER", "PROFESSIONAL", "ENTERPRISE", "CUSTOM"]),
                    ("applies_to_tier__isnull", True),
                    _connector="OR",
                ),
                name="healthscoreconfig_tier_known",
            ),
        ),
    ]
