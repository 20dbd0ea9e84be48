"""The shell scripts of ``deploy/`` in a scratch folder: no right of root, no network, this machine untouched."""

import os
import subprocess
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


class Scratch:
    """``root`` stands for ``/``; programs in ``stubs`` are found before this machine's."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.stubs = folder / "stubs"
        self.root.mkdir()
        self.stubs.mkdir()

    def stub(self, name: str, script: str) -> None:
        path = self.stubs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *command: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        known = {"PATH": f"{self.stubs}:{os.environ['PATH']}", "HOME": str(self.root), "LANG": "C.UTF-8"}
        return subprocess.run(
            command,
            env={**known, "SOMNISPHERE_ROOT": str(self.root), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def steps(self, script: str) -> "subprocess.CompletedProcess[str]":
        """``script`` after the steps were read, as install.sh reads them."""
        return self.run("bash", "-c", f"set -euo pipefail; . {DEPLOY / 'steps.sh'}\n{script}")

    def installer(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run("bash", DEPLOY / "install.sh", *arguments)

    def files(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if not path.is_dir()}
