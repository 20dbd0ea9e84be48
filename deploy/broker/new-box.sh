#!/usr/bin/env bash
# A login on the household's mosquitto, and the lines of its access list: a box may do what is its own, and nothing else.
#   sudo bash deploy/broker/new-box.sh bedside              a box; the name is its box.node
#   sudo bash deploy/broker/new-box.sh --home homeassistant Home Assistant: reads all of it, and says commands
#   sudo bash deploy/broker/new-box.sh --dashboard tablet   a screen on the wall: reads, and says nothing
#   sudo bash deploy/broker/new-box.sh --remove bedside     takes the login and its lines away
# More for a box: --coach NAME (it may send summaries to this coach by this broker), --circle (its circle of households
# meets by this broker). Where: --folder DIR (default /etc/mosquitto/somnisphere), --password-file FILE (default
# DIR/NAME.password; one that exists is kept). The password is made here and never on a command line, where every user of
# the machine could read it. Run again, it writes the same lines anew: so does an upgrade.
set -euo pipefail
umask 077

folder=/etc/mosquitto/somnisphere kind=box coach="" circle="" secret="" name=""
fail() { echo "new-box.sh: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    --home | --dashboard | --remove) kind=${1#--} ;;
    --circle) circle=yes ;;
    --coach | --folder | --password-file)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case "$1" in --coach) coach=$2 ;; --folder) folder=$2 ;; *) secret=$2 ;; esac
      shift ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) fail "$1 is no option; see --help" ;;
    *) [ -z "$name" ] || fail "one name at a time, not $name and $1"; name=$1 ;;
  esac
  shift
done
[ -n "$name" ] || fail "a name is needed, such as: new-box.sh bedside"
[[ $name =~ ^[A-Za-z0-9_-]+$ ]] || fail "$name: only letters without accents, digits, '_' and '-' may be used"
[[ -z $coach || $coach =~ ^[a-z0-9_]+$ ]] || fail "--coach $coach: a coach's name has a-z, 0-9 and '_'"
if [ "$kind" = box ]; then
  [[ $name =~ ^[a-z0-9_]{1,32}$ ]] || fail "$name: a box's name (box.node) has 1 to 32 of a-z, 0-9 and '_'"
  case "$name" in
    # Topics below these are everybody's, and the second device of a box named x is x_sleeper.
    house | coach | *_sleeper) fail "$name: this name cannot be a box's; take another (box.node)" ;;
  esac
fi
command -v mosquitto_passwd >/dev/null || fail "mosquitto_passwd is missing; mend: sudo apt install mosquitto"

mkdir -p "$folder"
passwords=$folder/passwords acl=$folder/acl secret=${secret:-$folder/$name.password}
touch "$passwords" "$acl"

rights() { # those of $1, as the access list knows them
  local n=$1
  case "$kind" in
    box)
      echo "# The box $n: its own topics, its own announcements, its word in the house; nothing of another box."
      echo "user $n"
      echo "topic readwrite somnisphere/$n/#"
      echo "topic read somnisphere/house/quiet/+"
      echo "topic write somnisphere/house/quiet/$n"
      echo "topic write somnisphere/house/quiet"
      echo "topic read somnisphere/house/release"
      echo "topic read homeassistant/status"
      echo "topic readwrite homeassistant/+/somnisphere_$n/config"
      echo "topic readwrite homeassistant/+/somnisphere_${n}_sleeper/config"
      echo "topic readwrite homeassistant/+/somnisphere_$n/+/config"
      if [ -n "$coach" ]; then
        echo "topic write somnisphere/coach/$coach/summary/+"
        echo "topic write somnisphere/coach/$coach/withdrawn/+"
      fi
      if [ -n "$circle" ]; then echo "topic readwrite somnisphere-circle/#"; fi ;;
    home)
      echo "# $n, a Home Assistant: it reads what the boxes say, and says commands and questions. Devices of other makers"
      echo "# want their topics here, too."
      echo "user $n"
      echo "topic deny somnisphere/coach/#"
      echo "topic read somnisphere/#"
      echo "topic write somnisphere/+/+/set"
      echo "topic write somnisphere/+/ask/+"
      echo "topic write somnisphere/house/release"
      echo "topic readwrite homeassistant/#" ;;
    dashboard)
      echo "# $n, a screen: it reads what the boxes say, and writes nothing."
      echo "user $n"
      echo "topic deny somnisphere/coach/#"
      echo "topic deny somnisphere/+/ask/#"
      echo "topic deny somnisphere/+/+/set"
      echo "topic read somnisphere/#" ;;
  esac
}

if [ "$kind" = remove ] && ! grep -q "^$name:" "$passwords"; then # a slip of the pen must not leave a lost box its login
  fail "$name has no login here; there are: $(cut -d: -f1 "$passwords" | tr '\n' ' ')"
fi

new=$(mktemp -d "$folder/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
grep -v "^$name:" "$passwords" >"$new/passwords" || true
awk -v begin="# >>> $name" -v end="# <<< $name" '$0 == begin {skip = 1} !skip {print} $0 == end {skip = 0}' "$acl" >"$new/acl"

if [ "$kind" = remove ]; then
  rm -f "$folder/$name.password"
else
  if [ ! -s "$secret" ]; then head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$secret"; fi
  password=$(head -n 1 "$secret")
  printf '%s:%s\n' "$name" "$password" >"$new/login"
  mosquitto_passwd -U "$new/login" # hashes what stands in the file: nothing secret is an argument
  cat "$new/login" >>"$new/passwords"
  { echo "# >>> $name"; rights "$name"; echo "# <<< $name"; } >>"$new/acl"
fi
# mosquitto runs as a user of its own and reads both after it has become that one.
if [ "$(id -u)" = 0 ] && id mosquitto >/dev/null 2>&1; then
  chown root:mosquitto "$folder"
  chmod 0750 "$folder"
  chown mosquitto: "$new/passwords" "$new/acl"
fi
chmod 0600 "$new/passwords" "$new/acl"
mv "$new/passwords" "$passwords"
mv "$new/acl" "$acl"

if [ "$kind" = remove ]; then
  echo "$name has no login any more. Whoever is logged in is thrown out by: sudo systemctl restart mosquitto"
else
  echo "$name may log in; the password is the one line of $secret."
  [ "$kind" != box ] || echo "Carry it to the box as /etc/somnisphere/mqtt-password (0600), with username = \"$name\" in its [mqtt]."
  echo "Let mosquitto know: sudo systemctl reload mosquitto"
fi
