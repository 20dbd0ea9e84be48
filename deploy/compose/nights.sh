#!/bin/sh
# Night after night from simulated chips, each by another sleeper, until it is told to stop. A broker that is not there is no
# reason to end: the rehearsal says so and tries again, as a bedside does.
set -eu
broker=${SOMNISPHERE_BROKER:?"the broker, as HOST:PORT"}
speed=${SOMNISPHERE_SPEED:-60}
folder=${SOMNISPHERE_NIGHTS:-/nights}
night=${SOMNISPHERE_FIRST:-1}
rehearsal=""
stop() { if [ -n "$rehearsal" ]; then kill "$rehearsal" 2>/dev/null || true; wait "$rehearsal" || true; fi; exit 0; }
trap stop TERM INT
while :; do
  somnisphere rehearse --plain --broker "$broker" --speed "$speed" --seed "$night" --out "$folder" "$@" &
  rehearsal=$!
  wait "$rehearsal" || { echo "night $night broke off; the next one begins in a moment"; sleep 5; }
  rehearsal=""
  night=$((night + 1))
done
