"""The description of the API: kept in the repository, complete, and shown without help from elsewhere."""

import json
import re
from pathlib import Path

import typer
from django.test import Client as Browser
from ninja import Schema
from typer.testing import CliRunner

from bellwether.api.api import api
from bellwether.api.commands import document, register

KEPT = Path(__file__).parent.parent.parent / "docs" / "reference" / "openapi.json"
METHODS = {"get", "put", "post", "delete", "patch"}


class TestDocument:
    def test_is_the_one_that_is_kept(self) -> None:
        assert KEPT.read_text("utf-8") == document(), "The API changed: run `make openapi` and review the difference."

    def test_is_openapi_3_1_with_a_name_for_every_operation(self) -> None:
        schema = json.loads(document())
        assert schema["openapi"].startswith("3.1")
        assert schema["info"]["title"] == "Bellwether"
        operations = [
            operation for path in schema["paths"].values() for method, operation in path.items() if method in METHODS
        ]
        names = [operation["operationId"] for operation in operations]
        assert len(names) == len(set(names)) == 134
        assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)
        for operation in operations:
            assert {"401", "403", "429"} <= {str(status) for status in operation["responses"]}
            assert operation["security"]
            assert operation["description"]

    def test_is_served_without_signing_in(self, db: None, client: Browser) -> None:
        assert client.get("/api/openapi.json").json()["info"] == json.loads(document())["info"]


class TestDocs:
    def test_load_nothing_from_elsewhere_and_keep_the_strict_policy(self, db: None, client: Browser) -> None:
        response = client.get("/api/docs")
        page = response.content.decode()
        assert response.status_code == 200
        assert "script-src 'self';" in response["Content-Security-Policy"]
        sources = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert sources
        assert all(source.startswith("/static/ninja/") for source in sources)
        assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", page)
        assert api.title in page

    def test_find_their_files(self, db: None, client: Browser) -> None:
        for source in re.findall(r'src="([^"]+)"', client.get("/api/docs").content.decode()):
            assert client.get(source).status_code == 200, source


def run(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    register(app)
    app.command()(lambda: None)
    result = CliRunner().invoke(app, ["openapi", *words])
    return result.exit_code, result.output


class TestCommand:
    def test_checks_and_writes_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "docs" / "openapi.json"
        assert run("--check", "--file", str(file))[0] == 1
        assert run("--file", str(file))[0] == 0
        assert run("--check", "--file", str(file))[0] == 0
        file.write_text("{}")
        status, output = run("--check", "--file", str(file))
        assert status == 1
        assert "bellwether openapi" in output

    def test_gives_each_schema_a_name_of_its_own(self) -> None:
        """Two classes of one name would share a place in the document, and one of them would be described wrongly."""
        found: dict[str, set[str]] = {}
        waiting = [Schema]
        while waiting:
            one = waiting.pop()
            waiting += one.__subclasses__()
            if one.__module__.startswith("bellwether."):
                found.setdefault(one.__name__, set()).add(one.__module__)
        assert len(found) > 50
        assert {name: modules for name, modules in found.items() if len(modules) > 1} == {}
