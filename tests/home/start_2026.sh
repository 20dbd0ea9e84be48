#!/usr/bin/env bash
# Becomes Home Assistant inside the root that install_2026.sh made; the process keeps its id, so it ends on a signal.
#   bash tests/home/start_2026.sh ROOT CONFIG
# Mounts are in a namespace of their own: they end with the process.
set -euo pipefail
exec unshare --mount bash -euo pipefail -c '
  mount --bind "$2" "$1/config"
  mount --rbind /dev "$1/dev"
  mount --rbind /proc "$1/proc"
  exec chroot "$1" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 \
    /opt/home-assistant/bin/python -m homeassistant --skip-pip --config /config
' start_2026 "$@"
