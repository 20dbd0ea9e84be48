#!/usr/bin/env bash
# Gathers what an installation without a network needs: Somnisphere's wheel and all it depends on.
#
#   bash deploy/collect-wheels.sh DIR                              for this machine's Python and kind of machine
#   bash deploy/collect-wheels.sh DIR --python 3.13 --arch arm64   for a Pi with a 64-bit trixie, from any machine
#
# bookworm has Python 3.11, trixie 3.13; --arch is Debian's word: amd64 or arm64. For 32 bits run it on such a Pi: PyPI has
# no numpy for them, piwheels (which Raspberry Pi OS asks by itself) has. Then on the Pi: sudo bash deploy/install.sh --wheels DIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/environment.sh
. "$here/environment.sh"
# shellcheck source=deploy/steps.sh
. "$here/steps.sh"

usage() { sed -n '/^#   bash/s/^# *//p' "${BASH_SOURCE[0]}"; }

folder="" version="" arch=""
while [ $# -gt 0 ]; do
  case $1 in
    --python | --arch)
      [ $# -ge 2 ] || { say "$1 wants a value."; exit 2; }
      if [ "$1" = --python ]; then version=$2; else arch=$2; fi
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    -*) say "$1 is not understood."; usage >&2; exit 2 ;;
    *) folder=$1 ;;
  esac
  shift
done
[ -n "$folder" ] || { usage >&2; exit 2; }

python=$(find_python)
own_version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
own_arch=$(dpkg --print-architecture 2>/dev/null || uname -m)
version=${version:-$own_version} arch=${arch:-$own_arch}

# pip counts every older C library as another kind of machine: bookworm's is 2.36, trixie's 2.41.
options=(--only-binary=:all:)
if [ "$version $arch" != "$own_version $own_arch" ]; then
  case $arch in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) fail "wheels for $arch can only be gathered on such a machine. Mend: run this on the Pi" ;;
  esac
  newest=36
  [ "$version" = 3.11 ] || newest=41
  abi=cp${version/./}
  options+=(--python-version "$version" --implementation cp --abi "$abi" --abi abi3 --abi none --platform "manylinux2014_$machine")
  for ((one = 17; one <= newest; one++)); do options+=(--platform "manylinux_2_${one}_$machine"); done
fi

mkdir -p "$folder"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -m venv "$scratch/pip" || fail "no virtual environment. Mend: sudo apt install python3-venv"
pip=("$scratch/pip/bin/python" -m pip --disable-pip-version-check --quiet)
"${pip[@]}" wheel --no-deps --wheel-dir "$scratch" "$here/.." || fail "pip could not build Somnisphere's wheel (above)."
wheel=$(compgen -G "$scratch/somnisphere-*.whl")
"${pip[@]}" download "${options[@]}" --dest "$folder" "${wheel}[$extras]" || fail "pip could not gather everything (above)."
cp "$wheel" "$folder"
printf '%s %s\n' "$version" "$arch" >"$folder/made-for"
say "$folder: $(find "$folder" -name '*.whl' | wc -l) wheels for Python $version on $arch, $(du -sh "$folder" | cut -f1)."
