#!/usr/bin/env bash
# Makes a second, newer Home Assistant for `bash tests/run.sh home-2026`, in .venv-home-2026. It wants a Python that no
# Debian release has yet, so the folder holds a small Debian testing of its own, made with debootstrap.
# Run it again at any time: what is there already is left alone. Browser and broker come from install.sh.
# Exit codes: 0 ready; 69 (EX_UNAVAILABLE, sysexits.h) something is missing that this script may not or cannot install.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/environment.sh
. deploy/environment.sh

root=$PWD/.venv-home-2026
requirements=tests/home/requirements-home-2026.txt

cannot() { say "Home Assistant 2026.11 cannot be had here: $*"; exit 69; }

ready() { say "Ready: $(grep '^homeassistant==' "$requirements") in $root"; exit 0; }

if cmp -s "$requirements" "$root/.installed"; then ready; fi
PATH="$PATH:/usr/sbin:/sbin"
[ "$(id -u)" = 0 ] || cannot "a Debian of its own needs root (chroot, mount). Mend: run it as root, in a virtual machine or a container"
command -v debootstrap >/dev/null || apt_install debootstrap ||
  cannot "debootstrap missing, and apt did not install it. Mend: apt install debootstrap"
unshare --mount true 2>/dev/null || cannot "this system lets nobody have mounts of his own (unshare --mount). Mend: a container with CAP_SYS_ADMIN"

mirror=${DEBIAN_MIRROR:-}
while [ -z "$mirror" ] && read -r place; do  # else the one that this machine's apt uses
  case $place in */debian/) mirror=$place ;; esac
done < <(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null)
[ -n "$mirror" ] || cannot "apt names no mirror of Debian. Mend: DEBIAN_MIRROR=http://..."

# ---- a Debian ---------------------------------------------------------------------------------------------------
fresh="$root.new"
if [ ! -x "$root/usr/bin/python3.14" ]; then
  say "Making a Debian testing in $root ..."
  rm -rf --one-file-system "$root" "$fresh"
  mkdir "$fresh"
  log=$(mktemp)
  # The script of `sid` serves testing under any name. The mounts that debootstrap makes end with their namespace.
  if ! unshare --mount debootstrap --variant=minbase --include=python3.14-venv,python3.14-dev,g++,ca-certificates \
    forky "$fresh" "$mirror" sid >"$log" 2>&1; then
    rm -rf --one-file-system "$fresh"
    cannot "debootstrap failed: $(tail -n 1 "$log") (all of it in $log)"
  fi
  rm -rf "$fresh"/var/cache/apt/archives/*.deb "$log"
  mkdir -p "$fresh/config"
  mv "$fresh" "$root"
fi

# ---- Home Assistant ---------------------------------------------------------------------------------------------
# This machine's way to the network, with the authorities it trusts.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"; fi
cp "$requirements" "$root/requirements.txt"
say "Installing Home Assistant into $root ($(chroot "$root" python3.14 --version)) ..."
inside() { chroot "$root" /usr/bin/env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$@"; }
inside python3.14 -m venv --clear /opt/home-assistant || cannot "no virtual environment from Python 3.14"
inside /opt/home-assistant/bin/pip install --quiet --disable-pip-version-check uv || cannot "pip could not install uv"
inside /opt/home-assistant/bin/uv pip install --quiet --no-cache --python /opt/home-assistant/bin/python \
  --requirement /requirements.txt || cannot "Home Assistant did not install (no network?)"
cp "$requirements" "$root/.installed"
ready
