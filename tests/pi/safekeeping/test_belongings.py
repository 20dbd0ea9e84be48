"""The one list of what a box keeps is whole: nothing lies beside the journal that it does not name."""

import ast
from pathlib import Path

from tests.box import box
from tests.pi.safekeeping.lived_in import lived_in

from somnisphere.events import KeepComfort
from somnisphere.safekeeping.belongings import SQLITE_BESIDE, Belongings
from somnisphere.safekeeping.databases import household_parts
from somnisphere.safekeeping.in_use import in_use

PACKAGE = Path(__file__).resolve().parents[3] / "pi" / "somnisphere"


def strangers(belongings: Belongings) -> set[str]:
    names = [path.name for path in (*belongings.files.values(), *belongings.folders.values(), belongings.lock)]
    databases = (belongings.journal, belongings.household)
    known = {*names, *(f"{path.name}{end}" for path in databases for end in SQLITE_BESIDE)}
    return {path.name for path in belongings.journal.parent.iterdir()} - known


def test_nothing_else_lies_beside_the_journal_of_an_evening(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.db"
    with in_use(path), box(path) as bedside:
        bedside.live(20.0)
        bedside.command("begin")
        bedside.daemon._perform(KeepComfort("note", "tried", bedside.at_s), bedside.at_s)
        bedside.command("sensing", "OFF")
        bedside.live(90.0)
        bedside.daemon.keeping.evening(bedside.at_s, bedside.wall_s + bedside.at_s)
        bedside.daemon.keeping.light(bedside.at_s, now=True)
        found = {path.name for path in (tmp_path / "state").iterdir()}
        assert {"journal.db", "journal.db.evening", "journal.comfort.json"} <= found
        assert strangers(Belongings(path)) == set()
    assert strangers(Belongings(path)) == set()


def test_nor_beside_that_of_a_house(tmp_path: Path) -> None:
    assert strangers(lived_in(tmp_path).belongings) == set()


def test_every_part_of_the_households_file_is_known() -> None:
    """Each ``connect(path, "part", …)`` in the program; the coach's collector keeps a file of its own, elsewhere."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if "somnisphere.household_file import" not in text or "coach_desk" in path.parts:
            continue
        nodes = list(ast.walk(ast.parse(text)))
        constants: dict[str, object] = {}
        for node in nodes:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                constants |= {name.id: node.value.value for name in node.targets if isinstance(name, ast.Name)}
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "connect":
                part = node.args[1]
                found.add(constants[part.id] if isinstance(part, ast.Name) else ast.literal_eval(part))
    assert found == set(household_parts())
