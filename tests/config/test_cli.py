"""The command line offers the stable names, also those that are loaded alone."""

import subprocess
import sys

from bellwether.cli import OF_CONFIG

NAMES = (
    "demo", "serve", "worker", "import", "recompute", "score", "explain", "user", "key", "doctor", "audit", "openapi",
    "migrate",
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
