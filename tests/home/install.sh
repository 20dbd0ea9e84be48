#!/usr/bin/env bash
# Makes what `tests/run.sh home` needs: a real Home Assistant in .venv-home, the one that tests our own integration in
# .venv-integration, a browser, and the npm package that drives it.
# Run it again at any time: what is there already is left alone.
#   HOME_PYTHON=/path/to/python3.13 bash tests/home/install.sh     an interpreter of your choice
# Exit codes: 0 ready; 69 (EX_UNAVAILABLE, sysexits.h) something is missing that this script may not or cannot install.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/environment.sh
. deploy/environment.sh

cannot() { say "The Home Assistant tests cannot run: $*"; exit 69; }

find_python_313() {  # Home Assistant 2025.4.4 needs 3.13; on the path, else from pyenv
  local candidate
  for candidate in ${HOME_PYTHON:-} python3.13 python3 \
    $(ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13.*/bin/python 2>/dev/null | sort -V -r); do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# ---- programs ---------------------------------------------------------------------------------------------------
PATH="$PATH:/usr/sbin"   # Debian keeps mosquitto there, outside a user's path
packages=()
command -v chromium >/dev/null || packages+=(chromium)
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
command -v mosquitto >/dev/null || packages+=(mosquitto)
if [ ${#packages[@]} -gt 0 ]; then
  say "Installing ${packages[*]} with apt ..."
  apt_install "${packages[@]}" ||
    cannot "${packages[*]} missing, and apt did not install it (no apt, no network, or neither root nor sudo). Mend: sudo apt install ${packages[*]}"
fi

# ---- Home Assistant ---------------------------------------------------------------------------------------------
install_home() {  # install_home DIRECTORY REQUIREMENTS WHAT: a virtual environment, made anew when the file changes
  local environment=$1 requirements=$2 python
  if cmp -s "$requirements" "$environment/.installed"; then return; fi
  python=$(find_python_313) ||
    cannot "Home Assistant 2025.4.4 needs Python 3.13; neither HOME_PYTHON, the path nor pyenv has one. Mend: apt install python3.13 python3.13-venv (Debian 13) or pyenv install 3.13"
  say "Installing $3 into $environment ($("$python" --version)) ..."
  rm -rf "$environment"
  "$python" -m venv "$environment" || cannot "no virtual environment from $python. Mend: sudo apt install python3.13-venv"
  "$environment/bin/pip" install --quiet --disable-pip-version-check uv || cannot "pip could not install uv"
  "$environment/bin/uv" pip install --quiet --python "$environment/bin/python" --requirement "$requirements" ||
    cannot "$3 did not install (no network?)"
  cp "$requirements" "$environment/.installed"
}
install_home .venv-home tests/home/requirements-home.txt "Home Assistant"
install_home .venv-integration tests/home_integration/requirements-integration.txt "what tests our integration"

# ---- the browser's driver ---------------------------------------------------------------------------------------
if ! cmp -s tests/home/package-lock.json tests/home/node_modules/.installed; then
  say "Installing playwright-core from npm ..."
  npm ci --prefix tests/home --silent --no-audit --no-fund --ignore-scripts || cannot "npm could not install playwright-core"
  cp tests/home/package-lock.json tests/home/node_modules/.installed
fi
# ---- Node-RED, for the flow among the recipes -------------------------------------------------------------------
if ! cmp -s tests/home/node_red/package-lock.json tests/home/node_red/node_modules/.installed; then
  say "Installing Node-RED from npm (100 MB) ..."
  npm ci --prefix tests/home/node_red --silent --no-audit --no-fund --ignore-scripts || cannot "npm could not install Node-RED"
  cp tests/home/node_red/package-lock.json tests/home/node_red/node_modules/.installed
fi
say "Ready: Home Assistant $(.venv-home/bin/python -c 'import homeassistant.const as c; print(c.__version__)'), $(chromium --version 2>/dev/null || echo Chromium)"
