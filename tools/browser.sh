#!/usr/bin/env bash
# Chromium for the browser tests: Debian's, installed where that is allowed.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian's chromium for the browser tests ..."
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
echo "LEFT OUT: the browser tests. Chromium is not installed and cannot be installed here (Debian: apt install chromium)." >&2
