"""Migrations: one head per app, each named by what it does."""

from django.db.migrations.loader import MigrationLoader

OURS = ("common", "staff", "portfolio", "usage", "health")


class TestMigrations:
    def test_have_one_head_per_app(self) -> None:
        loader = MigrationLoader(None)
        heads = [key for key in loader.graph.leaf_nodes() if key[0] in OURS]
        assert sorted(app for app, _ in heads) == sorted(OURS)

    def test_are_named_by_what_they_do(self) -> None:
        names = [name for app, name in MigrationLoader(None).disk_migrations if app in OURS and name != "0001_initial"]
        assert not [name for name in names if "_auto_" in name or name.endswith("_initial")]
