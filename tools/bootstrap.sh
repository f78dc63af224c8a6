#!/usr/bin/env bash
# Makes .venv and puts uv into it where the machine has no uv. Run by make; PYTHON and VENV come from there.
set -euo pipefail
PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"

if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Bellwether needs Python 3.11 or newer; $PYTHON is $("$PYTHON" --version 2>&1 || echo absent)." >&2
  echo "Name another with: make PYTHON=/path/to/python3.11 ..." >&2
  exit 1
fi
if [ ! -x "$VENV/bin/python" ]; then
  if command -v uv >/dev/null; then
    uv venv --quiet --python "$PYTHON" "$VENV"
  elif "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
    "$PYTHON" -m venv "$VENV"
  elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing python3-venv, which Debian keeps in a package of its own ..."
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    "$PYTHON" -m venv "$VENV"
  else
    echo "Python's venv module is not complete here. Install it (Debian: apt install python3-venv) and run make again." >&2
    exit 1
  fi
fi
if ! command -v uv >/dev/null && [ ! -x "$VENV/bin/uv" ]; then
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check uv
fi
