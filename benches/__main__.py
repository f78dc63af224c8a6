"""`make bench`: every bench, one after the other, and what they printed."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run each bench_*.py in its own process; return 0 when all ran."""
    failed = []
    for path in sorted(HERE.glob("bench_*.py")):
        print(f"\n== {path.stem.removeprefix('bench_')}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benches.{path.stem}"], check=False, cwd=HERE.parent).returncode:
            failed.append(path.stem)
    if failed:
        print(f"\nDid not finish: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
