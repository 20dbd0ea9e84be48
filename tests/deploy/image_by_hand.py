"""Walks through deploy/compose/Dockerfile without an engine, and lets what it makes rehearse two short nights.

By hand, for it takes a minute and a way to PyPI (or a mirror that pip is told of):

    python3.13 tests/deploy/image_by_hand.py

COPY copies into a scratch folder, ``RUN pip`` runs in a virtual environment there, the ENTRYPOINT runs with a mosquitto
and gets SIGTERM, as ``docker stop`` does it. What stays untried is the base image, the user, and the engine itself.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.brokers import mosquitto  # noqa: E402

COMPOSE = ROOT / "deploy" / "compose"
NIGHTS = 2
DEADLINE_S = 300.0


def main() -> int:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source, environment = folder / "src", folder / "environment"
        source.mkdir()
        for line in (COMPOSE / "Dockerfile").read_text().splitlines():
            match shlex.split(line, comments=True):
                case ["COPY", *sources, target]:
                    for name in sources:
                        copy(name, folder / "bin" if target.startswith("/") else source)
                case ["RUN", "pip", *words]:
                    print("a virtual environment, and in it: pip", *words)
                    venv.create(environment, with_pip=True)
                    pip = [str(environment / "bin" / "python"), "-m", "pip", *words]
                    subprocess.run(pip, cwd=source, check=True)
        shutil.rmtree(source)  # what is installed stands alone
        return rehearse(folder, environment / "bin")


def copy(name: str, target: Path) -> None:
    """Into ``target``, by its own name."""
    target.mkdir(exist_ok=True)
    if (ROOT / name).is_dir():
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(ROOT / name, target / Path(name).name)


def rehearse(folder: Path, programs: Path) -> int:
    nights = folder / "nights"
    nights.mkdir()
    with mosquitto() as (host, port):
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SOMNISPHERE_BROKER": f"{host}:{port}",
            "SOMNISPHERE_SPEED": "0",
            "SOMNISPHERE_NIGHTS": str(nights),
        }
        command = ["sh", str(folder / "bin" / "nights.sh"), "--hours", "0.5"]
        log = folder / "log"
        with log.open("wb") as output, subprocess.Popen(command, env=environment, stdout=output, cwd=folder) as process:
            until_s = time.monotonic() + DEADLINE_S
            while log.read_text().count("The night's picture") < NIGHTS:
                if process.poll() is not None or time.monotonic() > until_s:
                    process.kill()
                    print(log.read_text())
                    return 1
                time.sleep(0.2)
            asked_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            stopped = process.wait(30)
            took_s = time.monotonic() - asked_s
    print(f"{NIGHTS} nights rehearsed; stopped with {stopped} within {took_s:.1f} s")
    return stopped


if __name__ == "__main__":
    sys.exit(main())
