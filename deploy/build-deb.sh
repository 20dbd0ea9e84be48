#!/usr/bin/env bash
# Makes a Debian package that does what install.sh does: bash deploy/build-deb.sh [--out DIR] [--wheels DIR] [--wheel FILE]
#
#   without --wheels   one package for every machine (Architecture: all) with Somnisphere's own wheel; what it needs comes
#                      from PyPI when the package is installed
#   with --wheels DIR  a package for the Python and machine that collect-wheels.sh gathered DIR for; it needs PyPI no more
#   with --wheel FILE  takes this wheel of Somnisphere in place of building one
#   with --out DIR     puts it there (else into out/)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/environment.sh
. "$here/environment.sh"
# shellcheck source=deploy/steps.sh
. "$here/steps.sh"

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | head -n -1; }

out=out wheels="" wheel=""
while [ $# -gt 0 ]; do
  case $1 in
    --out | --wheels | --wheel)
      [ $# -ge 2 ] || { say "$1 wants a value."; exit 2; }
      case $1 in --out) out=$2 ;; --wheels) wheels=$2 ;; --wheel) wheel=$2 ;; esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) say "$1 is not understood."; usage >&2; exit 2 ;;
  esac
  shift
done
command -v dpkg-deb >/dev/null || fail "dpkg-deb is missing. Mend: build it on Debian, Raspberry Pi OS or Ubuntu"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
install -d -m 0755 "$tree"/DEBIAN "$tree"/usr/bin "$tree"/usr/lib/systemd/system "$tree"/usr/lib/udev/rules.d \
  "$tree"/usr/lib/modules-load.d "$tree"/usr/share/somnisphere/wheels "$tree"/usr/share/doc/somnisphere

# ---- wheels ---------------------------------------------------------------------------------------------------------------
arch=all python_needed="python3 (>= 3.11)"
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$here/../pi/somnisphere/__init__.py")
if [ -n "$wheels" ]; then
  [ -f "$wheels/made-for" ] || fail "$wheels was not made by collect-wheels.sh. Mend: bash deploy/collect-wheels.sh $wheels"
  compgen -G "$wheels/somnisphere-$version-*.whl" >/dev/null || fail "$wheels has no wheel of Somnisphere $version. Mend: gather it anew"
  read -r python arch <"$wheels/made-for"
  python_needed="python3 (>= $python), python3 (<< ${python%.*}.$((${python#*.} + 1)))"
  install -m 0644 "$wheels"/*.whl "$wheels/made-for" "$tree/usr/share/somnisphere/wheels"
else
  if [ -z "$wheel" ]; then
    "$(find_python)" -m venv "$scratch/pip" || fail "no virtual environment. Mend: sudo apt install python3-venv"
    "$scratch/pip/bin/python" -m pip --disable-pip-version-check --quiet wheel --no-deps --wheel-dir "$scratch" "$here/.." ||
      fail "pip could not build Somnisphere's wheel (above)."
    wheel=$(compgen -G "$scratch/somnisphere-*.whl")
  fi
  install -m 0644 "$wheel" "$tree/usr/share/somnisphere/wheels"
fi

# ---- files ----------------------------------------------------------------------------------------------------------------
install -m 0755 "$here/somnisphere.sh" "$tree/usr/bin/somnisphere"
for unit in "${units[@]}"; do install -m 0644 "$here/$unit" "$tree/usr/lib/systemd/system/$unit"; done
install -m 0644 "$here/somnisphere.rules" "$tree/usr/lib/udev/rules.d/60-somnisphere.rules"
install -m 0644 "$here/somnisphere.modules" "$tree/usr/lib/modules-load.d/somnisphere.conf"
install -m 0644 "$here/somnisphere.toml.example" "$tree/usr/share/somnisphere/somnisphere.toml.example"
install -m 0644 "$here/README.md" "$tree/usr/share/doc/somnisphere/README.md"
gzip -9n <"$here/../CHANGELOG.md" >"$tree/usr/share/doc/somnisphere/changelog.gz"
cat >"$tree/usr/share/doc/somnisphere/copyright" <<'END'
Somnisphere is free software: GPL-3.0-or-later.
The text of that licence is in /usr/share/common-licenses/GPL-3.
END
chmod 0644 "$tree"/usr/share/doc/somnisphere/*

# ---- what dpkg is told ------------------------------------------------------------------------------------------------------
# No conffiles: the configuration is written by people and by `somnisphere setup`, so dpkg must never ask about it. postinst
# places it once, an upgrade and a removal leave it, a purge takes it away.
cat >"$tree/DEBIAN/control" <<END
Package: somnisphere
Version: $version
Architecture: $arch
Maintainer: ${DEBFULLNAME:-Somnisphere} <${DEBEMAIL:-somnisphere@localhost}>
Section: misc
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
Depends: $python_needed, python3-venv, ca-certificates, mpv, ffmpeg, espeak-ng, init-system-helpers
Recommends: python3-lgpio
Suggests: mosquitto
Description: bedside companion that senses sleep honestly
 Hears the pulse and feels the movement of whoever sleeps beside it, works out on
 the box what kind of sleep that is, and lets light and bedtime story follow. Speaks
 MQTT to Home Assistant. No cloud, no account. Not a medical device.
 .
 Its Python environment is made in /opt/somnisphere when the package is installed.
END

maintainer_script() {  # maintainer_script NAME, its last part on standard input
  { printf '#!/bin/bash\nset -euo pipefail\n'; cat "$here/steps.sh" -; } >"$tree/DEBIAN/$1"
  chmod 0755 "$tree/DEBIAN/$1"
}

maintainer_script postinst <<'END'

[ "$1" = configure ] || exit 0
wheels=/usr/share/somnisphere/wheels
fresh=yes
if [ -e "$home" ]; then fresh=no; fi
begin_slot
wheel=$(compgen -G "$wheels/somnisphere-*.whl")
if [ -f "$wheels/made-for" ]; then fill_slot "$wheel" --no-index --find-links "$wheels"; else fill_slot "$wheel"; fi
make_folders
make_user
place_settings /usr/share/somnisphere/somnisphere.toml.example
if [ -e "$root/usr/local/bin/somnisphere" ]; then  # install.sh was here before: the package takes over
  remove_copied_files
  if systemd_runs; then systemctl daemon-reload; fi
  systemctl --quiet reenable somnisphere.service || true
fi
swap_slot
turn_on_bus
start_service "$fresh" deb-systemd-invoke
if [ "$fresh" = yes ]; then say "Next: sudo somnisphere setup (the guided first run); sudo somnisphere doctor checks every part."; fi
END

maintainer_script prerm <<'END'

case $1 in remove | deconfigure) stop_service ;; esac  # an upgrade lets the old version run until the new one is ready
END

maintainer_script postrm <<'END'

case $1 in
  remove)  # configuration, nights and user stay
    remove_slots
    forget_service
    ;;
  purge)
    remove_slots
    remove_user
    remove_settings
    rm -rf --one-file-system "$nights"
    ;;
esac
END

mkdir -p "$out"
package=$out/somnisphere_${version}_$arch.deb
# Wheels are compressed as they are.
dpkg-deb --root-owner-group -Zgzip -z1 --build "$tree" "$package" >/dev/null
say "Made: $package"
