# The steps of an installation, for install.sh and for the maintainer scripts of the Debian package: build-deb.sh puts this
# text into each of them, because a purge comes when the package's own files are gone. To be sourced, by bash.
# shellcheck shell=bash
# $root stands before every path: empty on a real machine, a scratch folder in tests/deploy.
root=${SOMNISPHERE_ROOT:-}
home=$root/opt/somnisphere          # a link to one of two environments beside it, .a and .b; an upgrade fills the other one
settings=$root/etc/somnisphere
nights=$root/var/lib/somnisphere
cache=$root/var/cache/somnisphere
made=$settings/.made                # what was made here beyond Somnisphere's own files: an uninstallation undoes it
units=(somnisphere.service somnisphere-page.service somnisphere-circle.service)
extras=home,page,circle,setup,edf
before=""                           # the environment that was in force when this began
export PATH="$PATH:/usr/sbin:/sbin" # `su` leaves these out
umask 022                           # whatever root's is: the service's user must read its own environment

say() { printf '%s\n' "$*" >&2; }
fail() { say "somnisphere: $*"; exit 1; }
note_made() { printf '%s\n' "$*" >>"$made"; }

this_system() { printf '%s %s' "$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$(dpkg --print-architecture)"; }

systemd_runs() { [ -d "$root/run/systemd/system" ] && command -v systemctl >/dev/null; }

make_folders() {
  install -d -m 0755 "$settings"
  install -d -m 0700 "$nights" "$cache"
}

make_user() {  # the user, and the groups that the service and the udev rule name
  local group
  for group in i2c gpio audio input; do
    if ! getent group "$group" >/dev/null; then
      groupadd --system "$group"
      note_made "group $group"
    fi
  done
  getent group somnisphere >/dev/null || groupadd --system somnisphere
  getent passwd somnisphere >/dev/null ||
    useradd --system --gid somnisphere --home-dir /var/lib/somnisphere --no-create-home \
      --shell /usr/sbin/nologin --comment "Somnisphere" somnisphere
  usermod --append --groups i2c,gpio,audio,input somnisphere
  local folder  # nights that an earlier uninstallation left belong to root
  for folder in "$nights" "$cache"; do
    [ "$(stat -c %U:%G "$folder")" = somnisphere:somnisphere ] || chown -hR somnisphere:somnisphere "$folder"
  done
}

remove_user() {
  if getent passwd somnisphere >/dev/null && ! userdel somnisphere; then
    fail "the user somnisphere is still at work (above). Mend: end that program, then uninstall again."
  fi
  if getent group somnisphere >/dev/null; then groupdel somnisphere; fi
  local what group
  if [ -f "$made" ]; then
    while read -r what group; do
      # Only where nobody else has moved in meanwhile.
      if [ "$what" = group ] && [ -z "$(getent group "$group" | cut -d: -f4)" ]; then groupdel "$group" || true; fi
    done <"$made"
  fi
}

place_settings() {  # place_settings EXAMPLE: what is there already is the household's
  if [ ! -e "$settings/somnisphere.toml" ]; then
    install -m 0640 "$1" "$settings/somnisphere.toml"
    chgrp somnisphere "$settings/somnisphere.toml"
  fi
}

# ---- the virtual environment --------------------------------------------------------------------------------------------

slot_in_force() { if [ -L "$home" ]; then readlink "$home"; fi; }

begin_slot() {  # sets $slot: an empty environment beside the one in force
  slot=$home.a
  if [ "$(slot_in_force)" = "$(basename "$home").a" ]; then slot=$home.b; fi
  rm -rf --one-file-system "$slot"
  mkdir -p "$(dirname "$slot")"
  # PEP 668 keeps pip out of the system's Python; python3-lgpio, and numpy on 32 bits, are apt's.
  /usr/bin/python3 -m venv --system-site-packages "$slot" ||
    { rm -rf --one-file-system "$slot"; fail "no virtual environment. Mend: sudo apt install python3-venv"; }
}

slot_pip() {  # pip of the new environment, leaving no cache behind. Its words are kept for when it fails.
  PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore \
    "$slot/bin/python" -m pip "$@"
}

fill_slot() {  # fill_slot WHEEL [OPTION OF PIP...]: the project and what it needs
  local wheel=$1
  shift
  # Nothing is compiled on a Pi. lgpio is never pip's business: with --only-binary it finds a release that is empty, which
  # imports well and moves no pin. It comes from apt, and the environment sees it there.
  if ! slot_pip install --quiet --only-binary=:all: "$@" "${wheel}[$extras]"; then
    rm -rf --one-file-system "$slot"
    fail "pip could not install what Somnisphere needs (above). What was installed before is untouched and still in force.
Mend: a way to the internet, or a folder of wheels (bash deploy/collect-wheels.sh, install.sh --wheels); then again."
  fi
  if compgen -G "$slot/lib/python3*/site-packages/lgpio*" >/dev/null; then
    rm -rf --one-file-system "$slot"
    fail "pip brought an lgpio of its own, which moves no pin. Mend: take lgpio out of the folder of wheels."
  fi
  "$slot/bin/somnisphere" --version >/dev/null || fail "the new environment in $slot does not run (above)."
}

swap_slot() {  # the new environment is in force from one moment to the next
  before=$(slot_in_force)
  ln -sfn "$(basename "$slot")" "$home.new"
  if [ -d "$home" ] && [ ! -L "$home" ]; then  # made by hand, without a link
    rm -rf --one-file-system "$home.old"
    mv "$home" "$home.old"
  fi
  mv -T "$home.new" "$home"
}

swap_back() {  # false when there is nothing to go back to
  [ -n "$before" ] && [ -d "$(dirname "$home")/$before" ] || return 1
  ln -sfn "$before" "$home.new"
  mv -T "$home.new" "$home"
}

drop_other_slots() {
  local one
  for one in "$home.a" "$home.b" "$home.old"; do
    [ "$(basename "$one")" = "$(slot_in_force)" ] || rm -rf --one-file-system "$one"
  done
}

remove_slots() { rm -rf --one-file-system "$home" "$home.a" "$home.b" "$home.old" "$home.new"; }

# ---- bus and pins -------------------------------------------------------------------------------------------------------

turn_on_bus() {
  modprobe i2c-dev 2>/dev/null || true  # a container has no modules; the file in modules-load.d counts from the next start on
  if command -v raspi-config >/dev/null; then
    if [ "$(raspi-config nonint get_i2c)" != 0 ]; then
      raspi-config nonint do_i2c 0
      note_made "i2c on"
      say "I2C is turned on now (raspi-config)."
    fi
  elif [ ! -e /dev/i2c-1 ]; then
    say "No raspi-config here: where the sensors' bus is off, turn it on (on a Pi: dtparam=i2c_arm=on in /boot/firmware/config.txt)."
  fi
  reload_rules
}

reload_rules() {  # there is no udev in a chroot
  if udevadm control --reload 2>/dev/null; then
    udevadm trigger --subsystem-match=i2c-dev --subsystem-match=gpio --subsystem-match=pwm 2>/dev/null || true
  fi
}

# ---- the service --------------------------------------------------------------------------------------------------------

start_service() {  # start_service FRESH [COMMAND]: FRESH is yes or no; COMMAND starts units in place of systemctl
  local fresh=$1 starter=${2:-systemctl}
  if ! systemd_runs; then
    if [ "$fresh" = yes ] && command -v systemctl >/dev/null; then systemctl --quiet enable somnisphere.service; fi
    say "No systemd runs here (a chroot, a container): the service starts when this system is booted."
    drop_other_slots
    return
  fi
  systemctl daemon-reload
  if [ "$fresh" = yes ]; then
    systemctl --quiet enable somnisphere.service
    "$starter" start somnisphere.service ||
      fail "the service does not start. What it says: journalctl -u somnisphere. Then: sudo systemctl start somnisphere"
  elif [ "$(systemctl is-active somnisphere.service)" = inactive ]; then
    say "The service was stopped, and is left so. Mend: sudo systemctl start somnisphere"
  elif ! "$starter" restart somnisphere.service; then
    if swap_back && "$starter" restart somnisphere.service; then
      drop_other_slots
      fail "the new version does not start; the one before runs again. What it said: journalctl -u somnisphere"
    fi
    fail "the service does not start. What it says: journalctl -u somnisphere. Mostly it is a key of $settings/somnisphere.toml."
  fi
  local unit
  for unit in "${units[@]:1}"; do
    if [ "$(systemctl is-active "$unit")" != inactive ]; then "$starter" restart "$unit" || say "$unit does not start."; fi
  done
  drop_other_slots
}

stop_service() {
  command -v systemctl >/dev/null || return 0
  local unit
  for unit in "${units[@]}"; do
    if systemd_runs; then systemctl stop "$unit" 2>/dev/null || true; fi
    systemctl --quiet disable "$unit" 2>/dev/null || true
  done
}

forget_service() {  # after its files are gone
  if systemd_runs; then
    systemctl daemon-reload
    systemctl reset-failed "${units[@]}" 2>/dev/null || true
  fi
  reload_rules
}

# ---- files that install.sh copies, and the package brings in other places --------------------------------------------------

copy_files() {  # copy_files DEPLOY: units, udev rule, module, command
  local unit
  install -d "$root"/etc/systemd/system "$root"/etc/udev/rules.d "$root"/etc/modules-load.d "$root"/usr/local/bin
  for unit in "${units[@]}"; do install -m 0644 "$1/$unit" "$root/etc/systemd/system/$unit"; done
  install -m 0644 "$1/somnisphere.rules" "$root/etc/udev/rules.d/60-somnisphere.rules"
  install -m 0644 "$1/somnisphere.modules" "$root/etc/modules-load.d/somnisphere.conf"
  install -m 0755 "$1/somnisphere.sh" "$root/usr/local/bin/somnisphere"
}

remove_copied_files() {
  local unit
  for unit in "${units[@]}"; do rm -f "$root/etc/systemd/system/$unit"; done
  rm -f "$root/etc/udev/rules.d/60-somnisphere.rules" "$root/etc/modules-load.d/somnisphere.conf" \
    "$root/usr/local/bin/somnisphere"
}

remove_settings() {
  local unit
  if [ -f "$made" ] && grep -q '^i2c on' "$made"; then
    say "I2C was turned on for Somnisphere and stays on, others may use it. Off: sudo raspi-config nonint do_i2c 1"
  fi
  for unit in "${units[@]}"; do rm -rf "$root/etc/systemd/system/$unit.d"; done
  rm -rf --one-file-system "$settings" "$cache" "$root/run/somnisphere"
}
