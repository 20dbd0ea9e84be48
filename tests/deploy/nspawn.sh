#!/usr/bin/env bash
# The installer and the Debian package on a fresh Debian with a booted systemd. By hand, as root:
#
#   sudo bash tests/deploy/nspawn.sh bookworm amd64
#   sudo bash tests/deploy/nspawn.sh trixie arm64      # foreign programs through qemu-user; an hour on a slow machine
#
# Needs: apt install debootstrap systemd-container, and for arm64 gcc-aarch64-linux-gnu (it fetches Debian 13's qemu-user
# through apt and sets it up for this machine, until that is started anew; credentials are off there). What is tested is HEAD;
# as the version before stands ${PREVIOUS:-HEAD}, called 0.0.1. Roots lie in
# ${SOMNISPHERE_NSPAWN:-/var/tmp/somnisphere-nspawn}; fresh ones are kept for the next run. No sensor is there: the service
# must run and say so.
# Exit codes: 0 all checks passed; 1 some did not; 69 something is missing here.
set -euo pipefail
cd "$(dirname "$0")/../.."
suite=${1:?bookworm or trixie} arch=${2:?amd64 or arm64}
place=${SOMNISPHERE_NSPAWN:-/var/tmp/somnisphere-nspawn}
machine=$place/run-$suite-$arch
previous=${PREVIOUS:-HEAD}
case $suite in bookworm) python=3.11 port=21883 ;; trixie) python=3.13 port=21884 ;; *) echo "$suite?" >&2; exit 69 ;; esac
[ "$arch" != arm64 ] || port=$((port + 10))  # the network is shared: runs side by side must not meet
[ "$(id -u)" = 0 ] || { echo "Mend: sudo bash $0 $*" >&2; exit 69; }
# shellcheck source=tests/deploy/nspawn/machine.sh
. tests/deploy/nspawn/machine.sh
needs=(debootstrap systemd-nspawn nsenter dpkg-deb) packages="debootstrap systemd-container"
! foreign || { needs+=(aarch64-linux-gnu-gcc) packages+=" gcc-aarch64-linux-gnu"; }
for needed in "${needs[@]}"; do
  command -v "$needed" >/dev/null || { echo "$needed is missing. Mend: apt install $packages" >&2; exit 69; }
done
mkdir -p "$place"
trap machine_halt EXIT

passed=0 failed=0
check() {  # check NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$place/last-$suite-$arch" 2>&1; then
    passed=$((passed + 1))
    echo "  ok    $name"
  else
    failed=$((failed + 1))
    echo "  FAIL  $name"
    sed 's/^/        /' "$place/last-$suite-$arch" | tail -n 12
  fi
}
step() { printf '%4d s  %s\n' $SECONDS "$*"; }
until_true() {  # until_true SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.3; done
}
absent() {
  local one
  for one in "$@"; do
    if [ -e "$machine$one" ] || [ -L "$machine$one" ]; then echo "$one is there"; return 1; fi
  done
}
is() { [ "$1" = "$2" ] || { printf 'found: %s\nwanted: %s\n' "$1" "$2"; return 1; }; }
differs() { [ "$1" != "$2" ] || { echo "both are: $1"; return 1; }; }
refused() { ! "$@" || { echo "was not refused"; return 1; }; }

active() { inside systemctl is-active --quiet somnisphere; }
property() { inside systemctl show --property="$1" --value somnisphere; }
journal_says() { inside journalctl --unit somnisphere --no-pager --output=cat | grep -e "$1" | tail -n 1; }
topic() { inside mosquitto_sub -p "$port" -t "somnisphere/bedside/$1" -C 1 -W 30; }
nights() { inside somnisphere nights --json; }
settings_sum() { inside sha256sum /etc/somnisphere/somnisphere.toml; }
stat_of() { inside stat --format='%a %U:%G' "$1"; }
came_back() { [ "$(property MainPID)" != "$1" ] && active; }  # another process than $1, and ready

# ---- what is installed --------------------------------------------------------------------------------------------------------
sources() {
  local old=$machine/srv/old new=$machine/srv/new
  mkdir -p "$old" "$new"
  git archive "$previous" | tar -x -C "$old"
  git archive HEAD | tar -x -C "$new"
  sed -i 's/^__version__ = .*/__version__ = "0.0.1"/' "$old/pi/somnisphere/__init__.py"
  version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$new/pi/somnisphere/__init__.py")
  local wheels=$place/wheels-$suite-$arch sum
  sum=$(git rev-parse HEAD:pi HEAD:hardware HEAD:integrations HEAD:pyproject.toml)
  if [ "$(cat "$wheels.of" 2>/dev/null)" != "$sum" ]; then
    rm -rf "$wheels"
    bash "$new/deploy/collect-wheels.sh" "$wheels" --python "$python" --arch "$arch"
    printf '%s\n' "$sum" >"$wheels.of"
  fi
  cp -R "$wheels" "$machine/srv/wheels"
  mkdir "$machine/srv/wheels-too-few"
  cp "$wheels"/somnisphere-*.whl "$wheels/made-for" "$machine/srv/wheels-too-few"
  bash "$old/deploy/build-deb.sh" --out "$machine/srv"
  bash "$new/deploy/build-deb.sh" --out "$machine/srv" --wheels "$wheels"
}

# ---- the parts of the run -------------------------------------------------------------------------------------------------------
broker() {
  inside apt-get update -q >/dev/null
  inside apt-get install -qy --no-install-recommends mosquitto mosquitto-clients >/dev/null 2>&1
  printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >"$machine/etc/mosquitto/conf.d/here.conf"
  inside systemctl restart mosquitto
}

use_broker() { sed -i "s/^#port = 1883/port = $port/" "$machine/etc/somnisphere/somnisphere.toml"; }

runs_well() {  # runs_well VERSION
  check "the service is active" active
  check "it said that it is ready" is "$(property Type) $(property SubState)" "notify running"
  check "it is enabled" inside systemctl is-enabled --quiet somnisphere
  check "the version is $1" is "$(inside somnisphere --version)" "somnisphere $1"
  check "the missing sensor is said as a known fault" until_true 60 journal_says "/dev/i2c-"
  check "the broker has heard: online" is "$(topic status)" online
  check "the broker has heard: no sensor" is "$(topic sensor/status)" offline
  check "rights of the configuration" is "$(stat_of /etc/somnisphere/somnisphere.toml)" "640 root:somnisphere"
  check "rights of the nights" is "$(stat_of /var/lib/somnisphere)" "700 somnisphere:somnisphere"
  check "nobody's lgpio in the environment" is "$(inside sh -c 'ls -d /opt/somnisphere/lib/python3*/site-packages/lgpio* 2>/dev/null')" ""
  check "one environment, not two" is "$(inside sh -c 'ls -d /opt/somnisphere.*' | wc -l)" 1
}

watchdog_and_crash() {
  local pid
  mkdir -p "$machine/etc/systemd/system/somnisphere.service.d"
  printf '[Service]\nWatchdogSec=15\n' >"$machine/etc/systemd/system/somnisphere.service.d/watchdog.conf"
  inside systemctl daemon-reload
  inside systemctl restart somnisphere
  pid=$(property MainPID)
  inside kill -STOP "$pid"
  step "the daemon hangs (SIGSTOP to process $pid)"
  check "the watchdog killed it" until_true 60 journal_says "Watchdog timeout"
  check "it was started anew after the watchdog" until_true 400 came_back "$pid"
  pid=$(property MainPID)
  inside kill -SEGV "$pid"
  step "the daemon crashes (SIGSEGV to process $pid)"
  check "it was started anew after the crash" until_true 400 came_back "$pid"
  step "and is ready again; restarts counted by systemd: $(property NRestarts)"
  rm "$machine/etc/systemd/system/somnisphere.service.d/watchdog.conf"
  inside systemctl daemon-reload
}

a_night() {
  inside systemctl stop somnisphere
  cp tests/deploy/nspawn/keep_night.py "$machine/srv/keep_night.py"
  check "a night is kept" inside setpriv --reuid=somnisphere --regid=somnisphere --init-groups \
    /opt/somnisphere/bin/python /srv/keep_night.py /var/lib/somnisphere/journal.db
  inside systemctl start somnisphere
  kept=$(nights)
  check "it can be read" test "$(printf '%s' "$kept" | grep -c total_sleep_min)" = 1
}

stops() {
  local began ended
  began=$(date +%s%N)
  inside systemctl stop somnisphere
  ended=$(date +%s%N)
  # systemd 257 was seen to lose a race with itself here and to leave out ExecStopPost (“Failed to spawn executor”); the
  # daemon has put its lights out by then.
  step "stopped in $(((ended - began) / 1000000)) ms; systemd's result: $(property Result)"
  local within_s=5
  ! foreign || within_s=60  # emulated, a Python alone takes ten seconds to start
  check "a clean stop in under $within_s s" test $((ended - began)) -lt ${within_s}000000000
  check "the daemon ended by itself, and well" is "$(property ExecMainCode) $(property ExecMainStatus)" "1 0"
  inside systemctl start somnisphere
}

no_upgrade() {  # an upgrade that fails leaves what runs alone
  local pid
  pid=$(property MainPID)
  check "an upgrade without all wheels is refused" refused inside unshare --net bash /srv/new/deploy/install.sh --no-setup --wheels /srv/wheels-too-few
  check "the old version is still in force" is "$(inside somnisphere --version)" "somnisphere 0.0.1"
  check "the same process still runs" is "$(property MainPID)" "$pid"
}

unchanged() {
  check "the nights are as they were" is "$(nights)" "$kept"
  check "the configuration is as it was" is "$(settings_sum)" "$settings_before"
}

nothing_left() {  # nothing_left [FOLDER]: nothing of ours, but this folder
  local gone=(/opt/somnisphere /opt/somnisphere.a /opt/somnisphere.b /etc/somnisphere /var/cache/somnisphere /run/somnisphere
    /usr/local/bin/somnisphere /usr/bin/somnisphere /etc/udev/rules.d/60-somnisphere.rules /etc/modules-load.d/somnisphere.conf)
  check "nothing of it is left" absent "${gone[@]}"
  check "no path has its name" is "$(machine_files | grep -v "^.${1:-/nowhere}" | grep somnisphere)" ""
  check "users and groups are as before" is "$(machine_accounts)" "$accounts_before"
  check "systemd knows no such unit" is "$(inside systemctl list-unit-files --no-legend 'somnisphere*' | cat)" ""
}

by_script() {
  step "sudo bash deploy/install.sh (version 0.0.1, packages from PyPI) ..."
  check "install.sh" inside bash /srv/old/deploy/install.sh --no-setup
  step "installed"
  use_broker
  inside systemctl restart somnisphere
  runs_well 0.0.1
  check "the doctor looks at all of it" inside sh -c 'somnisphere doctor; test $? -le 1'
  watchdog_and_crash
  a_night
  settings_before=$(settings_sum)
  no_upgrade
  step "install.sh --wheels, without a network (version $version) ..."
  check "install.sh upgrades" inside unshare --net bash /srv/new/deploy/install.sh --no-setup --wheels /srv/wheels
  step "upgraded"
  runs_well "$version"
  unchanged
  stops
  stops
  check "install.sh --uninstall --keep-nights" inside bash /srv/new/deploy/install.sh --uninstall --keep-nights
  step "uninstalled"
  nothing_left /var/lib/somnisphere
  check "the nights are left, root's own" is "$(stat_of /var/lib/somnisphere)" "700 root:root"
  # What packages own is theirs; everything else that is new since the fresh machine must be no place of ours.
  machine_files >"$machine.after"
  check "nothing new but packages' own" is "$(comm -13 "$machine.before" "$machine.after" | grep -E '^\./(opt|home|root|usr/local|etc/(systemd|udev|modules-load.d)|lib/systemd)/' | grep -v ^./usr/local/share/fonts | packages_own_not)" ""  # fontconfig makes it
}

packages_own_not() {  # of paths on standard input, those that no package brought
  local one
  while read -r one; do
    inside dpkg-query --search "${one#.}" >/dev/null 2>&1 || echo "$one"
  done
}

by_package() {
  step "apt install ./somnisphere_0.0.1_all.deb (packages from PyPI; the nights of before are there) ..."
  check "the package installs" inside apt-get install -qy --no-install-recommends /srv/somnisphere_0.0.1_all.deb
  step "installed"
  use_broker
  inside systemctl restart somnisphere
  runs_well 0.0.1
  settings_before=$(settings_sum)
  unchanged
  check "install.sh knows the package and refuses" refused inside bash /srv/new/deploy/install.sh --no-setup
  step "the package of version $version with wheels inside, without a network ..."
  check "the package upgrades" inside unshare --net dpkg --install "/srv/somnisphere_${version}_$arch.deb"
  step "upgraded"
  runs_well "$version"
  unchanged
  stops
  check "apt remove" inside apt-get remove -qy somnisphere
  check "it runs no more" refused active
  check "removed: no environment, no unit" absent /opt/somnisphere /usr/bin/somnisphere /usr/lib/systemd/system/somnisphere.service
  check "removed: the configuration stays" is "$(settings_sum)" "$settings_before"
  check "removed: the nights stay" test -s "$machine/var/lib/somnisphere/journal.db"
  check "apt purge" inside apt-get purge -qy somnisphere
  nothing_left
  machine_files | grep -v ^./var/lib/somnisphere >"$machine.purged"
  check "files are as before the package" is "$(grep -v ^./var/lib/somnisphere "$machine.after" | comm -3 - "$machine.purged")" ""
  inside sh -c 'mkdir /var/lib/somnisphere && echo night >/var/lib/somnisphere/journal.db'
  check "install.sh --uninstall --delete-nights" inside bash /srv/new/deploy/install.sh --uninstall --delete-nights
  check "and the nights are gone" absent /var/lib/somnisphere
}

machine_emulator
machine_pristine
machine_copy
step "wheels and packages ..."
sources
step "booting Debian $suite on $arch ..."
machine_boot
step "$(inside systemctl --version | head -n 1), $(inside uname -m): $(inside systemctl is-system-running || true)"
check "no unit of this project yet" is "$(inside systemctl list-unit-files --no-legend 'somnisphere*' | cat)" ""
broker
machine_files >"$machine.before"
accounts_before=$(machine_accounts)
by_script
by_package
step "$passed checks passed, $failed failed: Debian $suite on $arch"
machine_halt
[ "$failed" = 0 ]
