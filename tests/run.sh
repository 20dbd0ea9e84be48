#!/usr/bin/env bash
# Installs what the tests need, runs all of them, and says plainly what could not run and why.
#   bash tests/run.sh                        everything but the real Home Assistant
#   bash tests/run.sh home                   that, then a real Home Assistant and a real browser
#   bash tests/run.sh only-home              only the real Home Assistant and the real browser
#   bash tests/run.sh home-2026              the same with a newer Home Assistant, in a small Debian of its own (root)
#   PYTHON=python3.13 bash tests/run.sh      another interpreter
#   bash tests/run.sh -- -k ritual           hand arguments to pytest (-n 0: one test after the other)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/environment.sh
. deploy/environment.sh

home=
case "${1:-}" in home | only-home | home-2026) home=$1; shift ;; esac
if [ "${1:-}" = -- ]; then shift; fi

missing=()
for tool in mosquitto mpv espeak-ng ffmpeg jq; do command -v "$tool" >/dev/null || missing+=("$tool"); done
command -v mosquitto_sub >/dev/null || missing+=(mosquitto-clients)
command -v systemd-analyze >/dev/null || missing+=(systemd)
if [ ${#missing[@]} -gt 0 ]; then
  say "Installing ${missing[*]} with apt ..."
  apt_install "${missing[@]}" || say "Could not install ${missing[*]} (no apt, or neither root nor sudo). Mend: sudo apt install ${missing[*]}"
fi
PATH="$PATH:/usr/sbin"   # Debian keeps mosquitto there, outside a user's path

version=$("$(find_python)" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
environment=".venv-test-$version"
make_environment "$environment" test
export OPENBLAS_NUM_THREADS=1   # small arrays: threads only cost

if [ "$home" != only-home ]; then
  say "== ruff";  "$environment/bin/ruff" check . && "$environment/bin/ruff" format --check --quiet .
  say "== mypy";  "$environment/bin/mypy"
  say "== pytest (Python $version)"
  # Two at once, a file's tests together: more would make those late that hold real programs to the clock.
  "$environment/bin/python" -m pytest -m "not home" --numprocesses auto --maxprocesses 2 --dist loadfile "$@"
fi

if [ -n "$home" ]; then
  bash tests/home/install.sh
  if [ "$home" = home-2026 ]; then
    bash tests/home/install_2026.sh
    export SOMNISPHERE_HOME_ASSISTANT=2026.11
  else
    say "== the custom integration"
    .venv-integration/bin/mypy --config-file tests/home_integration/mypy.ini
    .venv-integration/bin/python -m pytest -c tests/home_integration/pytest.ini tests/home_integration
  fi
  say "== Home Assistant and a browser"
  "$environment/bin/python" -m pytest -m home tests/home
fi
