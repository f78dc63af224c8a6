"""`python -m tests.postgres COMMAND …` runs a command with BELLWETHER_DATABASE_URL set to a PostgreSQL for tests.

BELLWETHER_TEST_POSTGRES_URL names one that is running; else the server in the pgserver wheel is started in a folder
that goes away. The tests make their own databases in it.
"""

import logging
import os
import shutil
import subprocess
import sys
import tempfile


def main() -> int:
    """Run the command and return its exit status."""
    given = os.environ.get("BELLWETHER_TEST_POSTGRES_URL")
    if given:
        return run(given)
    import pgserver

    folder = tempfile.mkdtemp(prefix="bellwether-pg-")
    server = pgserver.get_server(folder)
    logging.disable()  # pgserver logs at exit, when stderr may be closed
    try:
        # The tests kill our processes, never the server: what it would do for a power cut only costs time.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        return run(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def run(url: str) -> int:
    """Run the command of this process's arguments against the database `url`."""
    return subprocess.run(sys.argv[1:], env=os.environ | {"BELLWETHER_DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
