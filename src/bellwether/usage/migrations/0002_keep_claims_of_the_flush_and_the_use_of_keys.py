from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="FlushClaim",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("part", models.CharField(max_length=80, unique=True)),
                ("batch_ids", models.JSONField()),
                ("claimed_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="rejectedevent",
            name="origin",
            field=models.CharField(max_length=100, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="writekey",
            name="last_library",
            field=models.CharField(blank=True, default="", max_length=80),
        ),
        migrations.AddField(
            model_name="writekey",
            name="last_used_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
