"""The shipped AsyncAPI document before the official parser, and a spoiled one, which it must refuse."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.home.harness import HERE

pytestmark = pytest.mark.home
DOCUMENT = HERE.parents[1] / "integrations" / "asyncapi.json"


def parse(path: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("node") is None or not (HERE / "node_modules" / "@asyncapi" / "parser").exists():
        pytest.skip("not installed: @asyncapi/parser; run: bash tests/home/install.sh")
    return subprocess.run(
        ["node", str(HERE / "asyncapi.mjs"), str(path)], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_official_parser_finds_no_error() -> None:
    read = parse(DOCUMENT)
    assert (read.returncode, read.stderr) == (0, "")
    told = json.loads(DOCUMENT.read_text())
    assert json.loads(read.stdout) == {"channels": len(told["channels"]), "operations": len(told["operations"])}


def test_the_official_parser_would_find_one(tmp_path: Path) -> None:
    spoiled = json.loads(DOCUMENT.read_text())
    spoiled["operations"]["send_status"]["action"] = "shout"
    spoiled["channels"]["status"]["messages"]["status"]["payload"]["type"] = "word"
    (tmp_path / "spoiled.json").write_text(json.dumps(spoiled))
    assert parse(tmp_path / "spoiled.json").returncode == 1
