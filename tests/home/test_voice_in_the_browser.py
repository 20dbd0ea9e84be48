"""A line of the weaver's table recorded in a real browser, and without JavaScript from a file."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.home.broker import free_port
from tests.home.client import wait_until
from tests.home.harness import HERE

from somnisphere.weaver.store import WeaverStore
from somnisphere.weaver.table import Table

pytestmark = [pytest.mark.home, pytest.mark.timeout(120)]


def test_a_line_is_recorded_in_the_page_where_the_browser_allows_it_and_from_a_file_anywhere(tmp_path: Path) -> None:
    from tests.home.conftest import _missing

    if missing := _missing():
        pytest.skip(f"not installed: {missing}; run: bash tests/home/install.sh")
    store = WeaverStore(tmp_path / "household.db")
    number = store.new(Table("The lantern", "en", ("Mira",)).added("Mira", "Once there was an otter."), 0.0)
    sound = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=3", str(tmp_path / "voice.wav")]
    subprocess.run(sound, check=True)
    port = free_port()
    config = tmp_path / "somnisphere.toml"
    config.write_text(f'[journal]\npath = "{tmp_path / "journal.db"}"\n[stories]\ncache = "{tmp_path / "cache"}"\n')
    command = [sys.executable, "-m", "somnisphere", "--config", str(config), "page", "--port", str(port)]
    with (tmp_path / "page.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: _answers(port), "the page", 30)
            job = {
                "url": f"http://127.0.0.1:{port}",
                "path": f"/weaver/table?n={number}",
                "chromium": shutil.which("chromium"),
                "file": str(tmp_path / "voice.wav"),
                "dark": str(tmp_path / "dark.png"),
            }
            node = ["node", str(HERE / "recorder.mjs"), json.dumps(job)]
            done = subprocess.run(node, capture_output=True, text=True, timeout=90)
        finally:
            process.terminate()
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    name, kind, size = found["recorded"].pop("sent")
    assert (name, kind.partition(";")[0]) == ("voice.webm", "audio/webm")
    assert size > 1000
    assert found["recorded"].pop("heard") == pytest.approx(1.5, abs=0.7)
    assert found == {
        "recorded": {"said": "The voice is kept.", "errors": [], "barriers": [], "overflow": 0},
        "refused": {"said": "The microphone cannot be used here.", "errors": []},
        "withoutScript": {"shown": False, "said": "The voice is kept.", "errors": []},
    }
    (line,) = store.versions(number)[0].table.lines
    assert line.recording_s == pytest.approx(3.0, abs=0.15), "the file's, which came last"
    assert [path.name for path in (tmp_path / "household-voices").iterdir()] == [line.recording]


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/weaver", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
