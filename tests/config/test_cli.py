"""The command line offers the stable names, also those that are loaded alone."""

import os
import subprocess
import sys
from pathlib import Path

from bellwether.cli import OF_CONFIG

NAMES = (
    "demo", "serve", "worker", "import", "recompute", "score", "explain", "user", "key", "doctor", "audit", "openapi",
    "migrate", "source", "features", "measures", "data", "erase", "retention", "rollup", "compact",
)  # fmt: skip


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bellwether", *arguments], capture_output=True, text=True, check=False)


class TestCommandLine:
    def test_lists_the_stable_names(self) -> None:
        listed = run("--help").stdout
        assert [name for name in NAMES if f" {name} " not in listed] == []

    def test_knows_the_commands_that_are_loaded_alone(self) -> None:
        for name in OF_CONFIG:
            assert "Usage" in run(name, "--help").stdout

    def test_ends_with_2_on_wrong_usage(self) -> None:
        assert run("serve", "--nonsense").returncode == 2
        assert run("dance").returncode == 2

    def test_says_that_a_new_home_needs_migrate(self, tmp_path: Path) -> None:
        home = {key: value for key, value in os.environ.items() if not key.startswith("BELLWETHER_")}
        home["BELLWETHER_HOME"] = str(tmp_path)
        answer = subprocess.run(
            [sys.executable, "-m", "bellwether", "measures", "list"],
            capture_output=True,
            text=True,
            env=home,
            check=False,
        )
        assert answer.returncode == 1
        assert "Run: bellwether migrate" in answer.stderr
        assert "Traceback" not in answer.stderr
