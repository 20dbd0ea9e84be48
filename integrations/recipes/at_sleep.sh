#!/bin/sh
# Runs a command each time a sleep moment comes, such as:
#   sh at_sleep.sh BROKER[:PORT] NODE fell_asleep curl -s http://router.local/guest-wifi/off
# Moments are not retained, so that nothing happens when this is started anew. Needs mosquitto-clients.
set -eu
broker=$1 node=$2 moment=$3
shift 3
case $broker in *:*) port=${broker##*:} ;; *) port=1883 ;; esac
mosquitto_sub -h "${broker%%:*}" -p "$port" -q 1 -t "somnisphere/$node/sleep_moment/trigger" | while read -r said; do
  if [ "$said" = "$moment" ]; then "$@" </dev/null || echo "$1: failed" >&2; fi
done
