#!/usr/bin/env bash
# Makes what a Home Assistant gets of this project as a custom integration, in dist/:
#   somnisphere.zip      to be unpacked into config/custom_components/somnisphere/
#   home-integration/    a repository as HACS wants one: it looks for custom_components/ at the top, which here is integrations/
#   bash deploy/home-integration.sh                                    as it is
#   bash deploy/home-integration.sh https://github.com/OWNER/NAME      for a release: with this address in the manifest
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/environment.sh
. deploy/environment.sh

python=$(find_python)
rm -rf dist/home-integration dist/somnisphere.zip
mkdir -p dist/home-integration/custom_components
cp -r integrations/custom_components/somnisphere dist/home-integration/custom_components/
cp integrations/hacs.json LICENSE dist/home-integration/
cp integrations/custom_components/README.md dist/home-integration/README.md
find dist/home-integration -name __pycache__ -prune -exec rm -rf {} +
"$python" - "${1:-}" <<'PYTHON'
import json
import sys
import zipfile
from pathlib import Path

folder = Path("dist/home-integration/custom_components/somnisphere")
if address := sys.argv[1].rstrip("/"):
    if not address.startswith("https://github.com/") or address.count("/") != 4:
        sys.exit(f"{address!r} is no address of a repository; write it as https://github.com/OWNER/NAME")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"documentation": address, "issue_tracker": f"{address}/issues"}
    manifest["codeowners"] = [f"@{address.split('/')[3]}"]
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
with zipfile.ZipFile("dist/somnisphere.zip", "w", zipfile.ZIP_DEFLATED) as made:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        # the same bytes for the same files, whenever it is made
        made.writestr(zipfile.ZipInfo(file.relative_to(folder).as_posix()), file.read_bytes(), zipfile.ZIP_DEFLATED)
PYTHON
say "Made dist/somnisphere.zip and dist/home-integration/."
