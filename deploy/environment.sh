# Shared by demo.sh and tests/run.sh: find a Python, make a virtual environment, install into it. To be sourced.

say() { printf '%s\n' "$*" >&2; }

as_root() {  # runs a command as root, if this user may without being asked for a password
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

apt_install() {  # apt_install PACKAGE...: false when there is no apt or no right to use it
  command -v apt-get >/dev/null || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null 2>&1 || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" >/dev/null 2>&1
}

find_python() {  # $PYTHON if set, else the first interpreter new enough
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  say "Somnisphere needs Python 3.11 or newer${PYTHON:+ (PYTHON=$PYTHON is not)}. On Debian 12/13 or Raspberry Pi OS: sudo apt install python3 python3-venv"
  return 1
}

make_environment() {  # make_environment DIRECTORY EXTRAS: an editable install with these extras, made anew only when needed
  local directory=$1 extras=$2 python version stamp
  python=$(find_python)
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ -x "$directory/bin/python" ] &&
    [ "$("$directory/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" != "$version" ]; then
    say "$directory was made for another Python; making it anew for $version."
    rm -rf "$directory"
  fi
  if [ ! -x "$directory/bin/pip" ]; then
    rm -rf "$directory"
    if ! "$python" -m venv "$directory" >/dev/null 2>&1; then
      say "Python's venv module is missing; trying to install it."
      apt_install "python${version}-venv" python3-venv || true
      rm -rf "$directory"
      "$python" -m venv "$directory" || { say "Mend: sudo apt install python3-venv"; return 1; }
    fi
  fi
  stamp="$directory/.installed-$(printf '%s' "$extras" | tr -c 'a-z\n' '-')"
  if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    say "Installing Somnisphere and what it needs into $directory (Python $version) ..."
    "$directory/bin/pip" install --quiet --disable-pip-version-check --editable ".[$extras]"
    touch "$stamp"
  fi
}
