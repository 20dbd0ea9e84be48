"""A PostgreSQL of one's own for tests: a new cluster in a temporary folder, on a Unix socket alone."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def server() -> Path | None:
    """The folder of a PostgreSQL server's programs, where there is one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if folders and (folders[-1] / "initdb").exists():
        return folders[-1]
    found = shutil.which("initdb")
    return None if found is None else Path(found).parent


@contextmanager
def postgres() -> Iterator[str]:
    """``with postgres() as url``. Skips the test where there is no server, or nobody to run it."""
    programs = server()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (apt install postgresql)")
    as_other: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        if subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        as_other = ["runuser", "-u", "postgres", "--"]
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        data = Path(folder) / "data"
        if as_other:
            shutil.chown(folder, "postgres")
        init: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*as_other, *init, "--locale=C"], check=True, capture_output=True, cwd=folder)
        only_here = ["-k", folder, "-c", "listen_addresses="]
        command: list[str | Path] = [*as_other, programs / "postgres", "-D", data, *only_here]
        with (
            Path(folder, "log").open("wb") as log,
            subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process,
        ):
            try:
                _wait(programs, folder, process)
                yield f"postgresql:///postgres?host={folder}&user=postgres"
            finally:
                pid = int((data / "postmaster.pid").read_text().split()[0])
                os.kill(pid, 2)  # a fast shutdown
                process.wait(20)


def _wait(programs: Path, folder: str, process: "subprocess.Popen[bytes]") -> None:
    end_s = time.monotonic() + 30.0
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode:
        if process.poll() is not None or time.monotonic() > end_s:
            raise RuntimeError(f"PostgreSQL did not start: {Path(folder, 'log').read_text()}")
        time.sleep(0.05)
