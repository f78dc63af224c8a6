"""What a web server process loads: pages and endpoints, not what counts events."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, django
django.setup()
import bellwether.config.urls
print(sorted({"ibis", "pandas", "sqlglot", "pyspark", "moto"} & set(sys.modules)))
"""


class TestWebProcess:
    def test_leaves_the_engine_of_the_rollup_to_the_worker(self, tmp_path: Path) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BELLWETHER_")}
        environment |= {"BELLWETHER_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "bellwether.config.settings"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"
