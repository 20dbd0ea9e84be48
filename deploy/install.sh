#!/usr/bin/env bash
# Installs Somnisphere on Raspberry Pi OS or Debian, bookworm or trixie, as a service. Run it again to upgrade: nights and
# configuration stay, and when something fails, what ran before runs on.
#
#   sudo bash deploy/install.sh                    install or upgrade, then the guided first run
#   sudo bash deploy/install.sh --wheels DIR       the same without a network, from what collect-wheels.sh gathered
#   sudo bash deploy/install.sh --no-setup         without the guided first run
#   sudo bash deploy/install.sh --uninstall        takes everything away, and asks about the nights
#        --keep-nights, --delete-nights            the answer, for scripts
#
# Exit codes: 0 done; 1 not done, and why; 2 not understood.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/steps.sh
. "$here/steps.sh"

usage() { sed -n '/^#   sudo/,/^#        --/s/^# *//p' "${BASH_SOURCE[0]}"; }

task=install wheels="" with_setup=yes answer=""
while [ $# -gt 0 ]; do
  case $1 in
    --wheels)
      [ $# -ge 2 ] || { say "--wheels wants a folder."; exit 2; }
      wheels=$2
      shift
      ;;
    --no-setup) with_setup=no ;;
    --uninstall) task=uninstall ;;
    --keep-nights) answer=keep ;;
    --delete-nights) answer=delete ;;
    -h | --help) usage; exit 0 ;;
    *) say "$1 is not understood."; usage >&2; exit 2 ;;
  esac
  shift
done
[ -z "$answer" ] || [ "$task" = uninstall ] || { say "--$answer-nights belongs to --uninstall."; exit 2; }

# ---- before anything is touched -------------------------------------------------------------------------------------------

check_rights() {
  [ "$(id -u)" = 0 ] || fail "this needs root. Mend: sudo bash deploy/install.sh"
  if [ "$(dpkg-query --show --showformat='${db:Status-Abbrev}' somnisphere 2>/dev/null | cut -c2)" = i ]; then
    fail "Somnisphere is installed as a Debian package here. Mend: sudo apt install ./somnisphere_*.deb to upgrade it, sudo apt remove somnisphere"
  fi
}

check_system() {
  local VERSION_CODENAME="" PRETTY_NAME="this system"
  # shellcheck source=/dev/null
  [ ! -r /etc/os-release ] || . /etc/os-release
  command -v apt-get >/dev/null ||
    fail "$PRETTY_NAME has no apt. It is made for Raspberry Pi OS and Debian; elsewhere deploy/README.md says how it is done by hand."
  case $VERSION_CODENAME in
    bookworm | trixie) ;;
    *) say "$PRETTY_NAME was never tried; bookworm and trixie were. Going on." ;;
  esac
  command -v /usr/bin/python3 >/dev/null || return 0  # apt brings it
  /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(/usr/bin/python3 --version) is too old, 3.11 is the least. Mend: Raspberry Pi OS or Debian bookworm (12) or newer."
}

check_wheels() {  # makes it absolute
  [ -d "$wheels" ] || fail "$wheels is no folder. Mend: bash deploy/collect-wheels.sh $wheels, on a machine with a network"
  wheels=$(cd "$wheels" && pwd)
  compgen -G "$wheels/somnisphere-$version-*.whl" >/dev/null ||
    fail "$wheels has no wheel of Somnisphere $version. Mend: bash deploy/collect-wheels.sh $wheels, from this checkout"
  local for="" here
  [ ! -f "$wheels/made-for" ] || for=$(cat "$wheels/made-for")
  here=$(this_system)
  [ -z "$for" ] || [ "$for" = "$here" ] ||
    fail "$wheels was made for Python and machine '$for', this is '$here'. Mend: collect-wheels.sh --python ${here% *} --arch ${here#* }"
}

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$here/../pi/somnisphere/__init__.py")

# ---- apt ------------------------------------------------------------------------------------------------------------------

installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

apt_packages() {
  local wanted=(python3 python3-venv ca-certificates mpv ffmpeg espeak-ng) missing=() one log
  # PyPI has no numpy for 32 bits; Debian's is new enough.
  case $(dpkg --print-architecture) in armhf | armel) wanted+=(python3-numpy) ;; esac
  for one in "${wanted[@]}"; do installed "$one" || missing+=("$one"); done
  if [ ${#missing[@]} -gt 0 ] || { [ -z "$wheels" ] && ! installed python3-lgpio; }; then
    log=$(mktemp)
    apt-get update -q >"$log" 2>&1 || say "apt could not reach every mirror; going on with what it knows."
    # Raspberry Pi's own repository has it, Debian has not.
    if ! installed python3-lgpio && [ -n "$(apt-cache policy python3-lgpio 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)/\1/p')" ]; then
      missing+=(python3-lgpio)
    fi
    if [ ${#missing[@]} -gt 0 ]; then
      say "Installing with apt: ${missing[*]}"
      if ! DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        fail "apt did not install ${missing[*]}. All it said is in $log. Mend: sudo apt update && sudo apt install ${missing[*]}"
      fi
    fi
    rm -f "$log"
  fi
  installed python3-lgpio ||
    say "apt knows no python3-lgpio here (only Raspberry Pi's repository has it): lamp and button on pins stay off, all else works."
}

# ---- the two tasks ----------------------------------------------------------------------------------------------------------

install_all() {
  local fresh=yes wheel scratch
  if [ -e "$home" ]; then fresh=no; fi
  check_system
  apt_packages
  [ -z "$wheels" ] || check_wheels

  say "Making the environment of Somnisphere $version beside $home ..."
  begin_slot
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$scratch'" EXIT
  if [ -n "$wheels" ]; then
    wheel=$(compgen -G "$wheels/somnisphere-$version-*.whl" | head -n 1)
    fill_slot "$wheel" --no-index --find-links "$wheels"
  else
    cp -R "$here/../pyproject.toml" "$here/../README.md" "$here/../LICENSE" "$here/../pi" "$here/../hardware" \
      "$here/../integrations" "$scratch"  # root leaves nothing in somebody's checkout
    slot_pip wheel --quiet --no-deps --wheel-dir "$scratch/wheel" "$scratch" ||
      { rm -rf --one-file-system "$slot"; fail "pip could not build Somnisphere's wheel (above). What was installed before is untouched.
Mend: a way to the internet, or --wheels DIR"; }
    wheel=$(compgen -G "$scratch/wheel/somnisphere-*.whl")
    fill_slot "$wheel"
  fi

  make_folders
  make_user
  copy_files "$here"
  place_settings "$here/somnisphere.toml.example"
  swap_slot
  turn_on_bus
  start_service "$fresh"
  if [ "$fresh" = yes ]; then say "Installed: Somnisphere $version."; else say "Upgraded to Somnisphere $version; nights and configuration are as they were."; fi
  first_run "$fresh"
}

first_run() {
  if [ "$with_setup" = yes ] && [ "$1" = yes ] && [ -t 0 ] && [ -t 1 ] && "$home/bin/somnisphere" setup --help >/dev/null 2>&1; then
    "$root/usr/local/bin/somnisphere" setup
  else
    say "Next: sudo somnisphere setup (the guided first run), or $settings/somnisphere.toml and sudo systemctl restart somnisphere;
sudo somnisphere doctor checks every part."
  fi
}

nights_answer() {  # keep or delete; asked only where nights are and somebody can answer
  if [ -z "$answer" ] && [ -d "$nights" ] && [ -t 0 ]; then
    local word
    printf 'Delete the nights and the household in %s, too? They cannot be had back. [y/N] ' "$nights" >&2
    read -r word
    case $word in y | Y | yes | j | J | ja) answer=delete ;; esac
  fi
  printf '%s' "${answer:-keep}"
}

uninstall_all() {
  answer=$(nights_answer)
  stop_service
  remove_copied_files
  forget_service
  remove_slots
  remove_user
  remove_settings
  if [ "$answer" = delete ]; then
    rm -rf --one-file-system "$nights"
  elif [ -d "$nights" ]; then
    chown -hR root:root "$nights"
    say "The nights stay in $nights, root's own. Away with them: sudo rm -r $nights"
  fi
  say "Somnisphere is uninstalled. apt's packages stay: mpv, ffmpeg, espeak-ng, python3-venv, python3-lgpio."
}

check_rights
if [ "$task" = uninstall ]; then uninstall_all; else install_all; fi
