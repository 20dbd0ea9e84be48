#!/bin/sh
# `somnisphere` as a person at the box calls it: with the service's own nights and caches, and under sudo as the service's own
# user, so that nothing of a foreign story or recording is read as root. Only what writes the configuration, or needs a
# secret that is root's, stays root.
program=/opt/somnisphere/bin/somnisphere

service_folders() {
  export STATE_DIRECTORY=/var/lib/somnisphere CACHE_DIRECTORY=/var/cache/somnisphere HOME=/var/lib/somnisphere
  export LG_WD=/var/cache/somnisphere  # lgpio makes a pipe in its working folder
}

command_of() {  # the first word that is no option
  while [ $# -gt 0 ]; do
    case $1 in
      --config) shift 2 || return 0 ;;
      -*) shift ;;
      *) printf '%s' "$1"; return 0 ;;
    esac
  done
}

case $(id -un) in
  somnisphere)
    service_folders
    ;;
  root)
    service_folders
    case $(command_of "$@") in
      setup | doctor | calibrate | lamp | discovery | watch | config | forget)
        CREDENTIALS_DIRECTORY=/etc/somnisphere "$program" "$@"
        status=$?
        # What root wrote among the service's files is the service's.
        find "$STATE_DIRECTORY" "$CACHE_DIRECTORY" -user root -exec chown -h somnisphere:somnisphere {} + 2>/dev/null
        exit $status
        ;;
    esac
    exec setpriv --reuid=somnisphere --regid=somnisphere --init-groups -- "$program" "$@"
    ;;
esac
exec "$program" "$@"
