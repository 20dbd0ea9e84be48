"""The peers' own environments, and the processes in which their detectors run: a crash or a hang there is an answer."""

import json
import os
import select
import subprocess
import sys
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
ENVIRONMENTS = {
    ROOT / ".venv-peers": HERE / "peers-requirements.txt",
    ROOT / ".venv-peers-pyppg": HERE / "peers-pyppg-requirements.txt",
}
PACKAGES = {
    "neurokit2 elgendi": "neurokit2",
    "neurokit2 charlton": "neurokit2",
    "biosppy elgendi": "biosppy",
    "heartpy filtered": "heartpy",
    "scipy find_peaks": "scipy",
    "pyPPG": "pyPPG",
    "Pimoroni max30105": "max30105",
}
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
STARTING_S = 60.0
"""Added to the first answer of a worker, for its imports."""


def python_of(name: str) -> Path:
    folder = ".venv-peers-pyppg" if name == "pyPPG" else ".venv-peers"
    return ROOT / folder / "bin" / "python"


def make_environments() -> list[str]:
    """Makes what is missing. Returns what could not be had, a line each."""
    troubles: list[str] = []
    for folder, wanted in ENVIRONMENTS.items():
        done = folder / wanted.name
        if done.is_file() and done.read_text() == wanted.read_text():
            continue
        print(f"Installing {wanted.name} into {folder.name} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        alone = [line.removeprefix("# alone: ") for line in wanted.read_text().splitlines() if "# alone: " in line]
        pip = [os.fspath(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        for arguments in (["-r", os.fspath(wanted)], *([["--no-deps", *alone]] if alone else [])):
            run = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False)
            if run.returncode != 0:
                errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR")]
                troubles.append(f"{wanted.name}: {errors[-1] if errors else 'pip failed'}")
                break
        else:
            done.write_text(wanted.read_text())
    return troubles


def version_of(name: str) -> str | None:
    """Version of the package behind a detector; None where it is not installed."""
    if name not in PACKAGES:
        try:
            return version(name)
        except PackageNotFoundError:
            return None
    asked = f"from importlib.metadata import version; print(version({PACKAGES[name]!r}))"
    try:
        run = subprocess.run([python_of(name), "-c", asked], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return run.stdout.strip() if run.returncode == 0 else None


class PeerError(Exception):
    """A recording to which there is no answer: refused, crashed or too late."""


class PeerWorker:
    """One process that answers recording after recording; begun afresh after a crash or a hang."""

    def __init__(self, name: str, time_out_s: float) -> None:
        self._name, self._time_out_s = name, time_out_s
        self._process: subprocess.Popen[str] | None = None

    def ask(self, wave: Path) -> dict[str, Any]:
        """``beats_s`` and ``breath_bpm``. Raises ``PeerError``."""
        time_out_s = self._time_out_s
        if self._process is None:
            time_out_s += STARTING_S
            self._process = subprocess.Popen(
                [python_of(self._name), HERE / "peers_detectors.py", self._name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, **ONE_THREAD, "MPLBACKEND": "Agg"},
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"wave": os.fspath(wave)}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            self.end()
            raise PeerError("crashed: it was gone before it was asked") from None
        if not select.select([process.stdout], [], [], time_out_s)[0]:
            self.end()
            raise PeerError(f"no answer within {self._time_out_s:g} s")
        line = process.stdout.readline()
        if not line:
            status = process.wait()
            self.end()
            raise PeerError(f"crashed: its process ended with {status}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
