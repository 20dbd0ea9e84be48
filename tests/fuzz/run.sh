#!/usr/bin/env bash
# Guided fuzzing, by hand: makes .venv-fuzz (Python 3.11, with atheris) and hands the rest to `python -m tests.fuzz`.
#   bash tests/fuzz/run.sh all --minutes 10
#   bash tests/fuzz/run.sh config story --minutes 60
#   bash tests/fuzz/run.sh figures            # what all runs so far came to
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=.venv-fuzz
if ! [ -e "$venv/ready" ]; then
  "${PYTHON:-python3.11}" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'atheris>=3.0' -e '.[home,page,circle]'
  touch "$venv/ready"
fi
export PYTHONPATH="$PWD/pi:$PWD/hardware:$PWD/integrations:$PWD" OPENBLAS_NUM_THREADS=1
exec nice -n 19 "$venv/bin/python" -m tests.fuzz "$@"
