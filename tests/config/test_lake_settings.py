"""Where the lake lies and how long things are kept: checked at start, secrets never repeated."""

from pathlib import Path

import pytest

from bellwether.config.environment import Environment, SettingsError, read_environment


def read(tmp_path: Path, **variables: str) -> Environment:
    return read_environment({f"BELLWETHER_{name}": value for name, value in variables.items()}, cwd=tmp_path)


def complaint(tmp_path: Path, **variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, **variables)
    return str(caught.value)


class TestLake:
    def test_is_a_folder_of_the_home_by_default(self, tmp_path: Path) -> None:
        assert read(tmp_path).lake == str(tmp_path / "var/lake")

    def test_may_be_a_folder_seen_from_where_one_stands(self, tmp_path: Path) -> None:
        assert read(tmp_path, LAKE="data/lake").lake == str(tmp_path / "data/lake")

    def test_may_be_a_bucket_with_options(self, tmp_path: Path) -> None:
        options = '{"endpoint_url": "http://store.example:9000", "key": "an-id", "secret": "a-secret"}'
        environment = read(tmp_path, LAKE="s3://bucket/prefix/", LAKE_OPTIONS=options)
        assert environment.lake == "s3://bucket/prefix"
        assert environment.lake_options["endpoint_url"] == "http://store.example:9000"

    @pytest.mark.parametrize(
        ("location", "cure"),
        [
            ("s3://", "needs the name of a bucket, as in s3://bucket/prefix"),
            ("ftp://host/lake", "needs a folder, or an address such as s3://bucket/prefix"),
            ("gs://bucket/lake", "needs the library gcsfs, which is not installed"),
        ],
        ids=["no-bucket", "no-store", "no-library"],
    )
    def test_says_what_is_wrong_with_an_address(self, tmp_path: Path, location: str, cure: str) -> None:
        text = complaint(tmp_path, LAKE=location)
        assert "BELLWETHER_LAKE " in text
        assert cure in text

    def test_refuses_credentials_in_the_address_without_repeating_them(self, tmp_path: Path) -> None:
        text = complaint(tmp_path, LAKE="s3://an-id:a-secret@bucket/prefix")
        assert "BELLWETHER_LAKE_OPTIONS" in text
        assert "a-secret" not in text

    @pytest.mark.parametrize("options", ['{"secret": "a-secret"', '["a-secret"]'], ids=["cut-off", "a-list"])
    def test_wants_options_as_an_object_without_repeating_them(self, tmp_path: Path, options: str) -> None:
        text = complaint(tmp_path, LAKE_OPTIONS=options)
        assert "BELLWETHER_LAKE_OPTIONS needs a JSON object" in text
        assert "a-secret" not in text


class TestKeeping:
    def test_is_three_years_and_seven_for_activities(self, tmp_path: Path) -> None:
        environment = read(tmp_path)
        kept = (environment.keep_usage_days, environment.keep_scores_days, environment.keep_activities_days)
        assert kept == (1096, 1096, 2557)

    def test_may_be_for_ever(self, tmp_path: Path) -> None:
        assert read(tmp_path, KEEP_USAGE_DAYS="0").keep_usage_days == 0

    @pytest.mark.parametrize("days", ["399", "-1", "three years"])
    def test_is_no_shorter_than_measures_look_back(self, tmp_path: Path, days: str) -> None:
        assert "needs 0, or a whole number from 400" in complaint(tmp_path, KEEP_USAGE_DAYS=days)
