"""The page of who could want what promises only what a test shows: each test that it names exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "deploy" / "threat-model.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


def functions_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    assert len(NAMED) > 40
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not (ROOT / path).is_file() or (name and name not in functions_in(ROOT / path))
    ]
    assert missing == []


def test_every_row_names_one_and_every_part_says_what_is_not_stopped() -> None:
    rows = [row for row in PAGE.splitlines() if row.startswith("| ") and "| --- |" not in row]
    unshown = [row for row in rows if "`tests/" not in row and "Shown by" not in row]
    assert unshown == []
    parts = PAGE.split("\n## ")[1:]
    assert len(parts) == 8
    assert [part.splitlines()[0] for part in parts if "Not stopped" not in part] == []


def test_the_page_speaks_of_all_that_was_asked() -> None:
    """Whoever takes a part out takes it out here, too."""
    for who in ("guest on the Wi-Fi", "hostile story", "stolen SD card", "device on the broker", "add-on", "neighbour"):
        assert who in PAGE
    assert "not encrypted" in PAGE
