import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portfolio", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DirtyDate",
            fields=[
                ("date", models.DateField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=1)),
                ("marked_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="DirtyScore",
            fields=[
                ("date", models.DateField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=1)),
                ("marked_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="EventBatch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("received_at", models.DateTimeField()),
                ("source", models.CharField(max_length=60)),
                ("event_count", models.PositiveIntegerField()),
                ("payload", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="WriteKey",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("source", models.SlugField(max_length=60, unique=True)),
                ("prefix", models.CharField(max_length=12)),
                ("key_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PlatformUser",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_id", models.CharField(max_length=200)),
                ("user_key", models.CharField(max_length=64)),
                ("role", models.CharField(blank=True, max_length=80)),
                ("is_service", models.BooleanField(default=False)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["user_key", "-last_seen_at"], name="platformuser_key_seen")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "user_key"), name="platformuser_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectedEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("received_at", models.DateTimeField()),
                ("source", models.CharField(max_length=60)),
                ("message_id", models.CharField(blank=True, max_length=100)),
                ("reason", models.CharField(max_length=300)),
                ("sample", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [models.Index(fields=["-received_at"], name="rejectedevent_received")],
            },
        ),
        migrations.CreateModel(
            name="FeatureAdoption",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("feature_key", models.SlugField(max_length=80)),
                ("is_licensed", models.BooleanField(default=False)),
                ("licensed_at", models.DateField(blank=True, null=True)),
                ("is_configured", models.BooleanField(default=False)),
                ("configured_at", models.DateField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="feature_adoptions",
                        to="portfolio.client",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("client", "feature_key"), name="featureadoption_once")],
            },
        ),
    ]
