import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="HealthScore",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("scorecard", models.CharField(max_length=60)),
                ("date", models.DateField()),
                ("overall_score", models.PositiveSmallIntegerField(null=True)),
                ("status", models.CharField(blank=True, max_length=20)),
                ("trend", models.CharField(blank=True, max_length=20)),
                ("trend_change", models.SmallIntegerField(null=True)),
                ("previous_score", models.PositiveSmallIntegerField(null=True)),
                ("risk", models.CharField(blank=True, max_length=20)),
                ("coverage", models.FloatField()),
                ("no_score_reason", models.CharField(blank=True, max_length=200)),
                ("components", models.JSONField(default=dict)),
                ("inputs", models.JSONField(default=dict)),
                ("weights_snapshot", models.JSONField(default=dict)),
                ("weights_version", models.CharField(max_length=80)),
                ("notable_events", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="HealthScoreConfig",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("scorecard", models.SlugField(max_length=60)),
                ("version", models.PositiveIntegerField(default=1)),
                ("name", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                (
                    "applies_to_tier",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("STARTER", "Starter"),
                            ("PROFESSIONAL", "Professional"),
                            ("ENTERPRISE", "Enterprise"),
                            ("CUSTOM", "Custom"),
                        ],
                        max_length=20,
                        null=True,
                    ),
                ),
                ("applies_to_segment", models.CharField(blank=True, max_length=100)),
                ("definition", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("is_active", models.BooleanField(default=True)),
                ("is_default", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["scorecard", "-version"],
            },
        ),
    ]
