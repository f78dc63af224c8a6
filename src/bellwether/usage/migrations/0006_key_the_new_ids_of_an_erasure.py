from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0005_keep_facts_for_custom_measures"),
    ]

    operations = [
        migrations.AddField(
            model_name="erasure",
            name="secret",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
    ]
