#!/usr/bin/env bash
# One command from a fresh clone to a rehearsed night: makes .venv, installs, plays an evening and a night from
# simulated chips through the real pipeline to an MQTT broker. Needs Python 3.11 or newer; no root, no hardware.
#   bash deploy/demo.sh [arguments of `somnisphere rehearse`]      PYTHON=python3.13 picks another interpreter
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/environment.sh
. deploy/environment.sh
make_environment ".venv" "view,broker"
exec .venv/bin/somnisphere rehearse --out out "$@"
