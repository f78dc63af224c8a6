#!/usr/bin/env bash
# Java (17 or 21) for the tests of the rollup on Spark: Debian's, installed where that is allowed.
set -euo pipefail
if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then exit 0; fi
command -v java >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian's Java for the tests on Spark ..."
  apt-get update -qq
  # Newer releases have 21 instead, which Spark 4 runs on as well.
  for package in openjdk-17-jre-headless openjdk-21-jre-headless; do
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 && exit 0
  done
fi
echo "LEFT OUT: the tests on Spark. Java 17 is not installed and cannot be installed here (Debian: apt install openjdk-17-jre-headless)." >&2
